//! Asking the guarantees of an area.

use std::{path::PathBuf, time::Instant};

use daohu_base::{AreaCode, Day, Scope};
use daohu_policy::{BadPack, Policy};

use super::{
    counties::sum,
    fields::Fields,
    model::Summary,
    picture::Stored,
    rulebook::{self, Book, Rulebook},
    statuses,
    tallies::by_village,
};
use crate::{Context, Error};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The area.
    pub area: AreaCode,
    /// The day on which members, ages and the year of income are looked at.
    pub on: Day,
    /// A file for the line of each household.
    pub out: Option<PathBuf>,
    /// So many times, for measuring; each gives the same answers.
    pub repeat: usize,
}

/// What is wrong with the expressions of a policy; nothing, if all can be asked.
pub fn check(policy: &Policy) -> Vec<BadPack> {
    rulebook::check(policy)
}

/// Asks all guarantees in force on the day of the households of an area, if the whole of it lies inside the scope.
pub async fn run(context: &Context, scope: &Scope, asked: Asked) -> Result<Summary, Error> {
    let (policy, on) = (&context.policy, asked.on);
    let fields = Fields::of(policy)?;
    let rules = Rulebook::of(policy, &fields, on)?;
    let book = Book { fields: fields.clone(), rules };
    let rulebook = &book.rules;
    let year = on.year();
    let stored = Stored::read(context, scope, asked.area, (fields.clone(), year)).await?;
    let picture = stored.picture(fields);
    let (census, plan) = (picture.census, &rulebook.guarantees.plan);
    let ask = || {
        let asking = Instant::now();
        let assessment = picture.ask(rulebook, plan, on, &[]);
        (asking.elapsed().as_secs_f64(), assessment)
    };
    let (once, assessment) = ask();
    let again = (1..asked.repeat).map(|_| ask().0);
    let mut taken: Vec<f64> = std::iter::once(once).chain(again).collect();
    taken.sort_by(f64::total_cmp);
    let assess_seconds = taken.get(taken.len() / 2).copied().unwrap_or(once);
    if let Some(out) = &asked.out {
        let lines = picture.lines_fen(rulebook);
        statuses::write(out, (&stored.loaded, plan, &assessment), (year, &lines))?;
    }
    let households = census.households();
    let villages = by_village(census, (&book, on), 0..households, Some(&assessment));
    let whole = sum(villages.iter().map(|(_, own)| own)).unwrap_or_default();
    Ok(Summary {
        area: picture.tree.area.to_string(),
        on: on.to_string(),
        households,
        members: census.members(),
        policy: policy.version().to_owned(),
        rules: whole.guarantees(rulebook),
        classes: whole.classes(rulebook),
        warnings: whole.warnings(rulebook),
        coverages: whole.coverages(rulebook),
        overall: whole.overall,
        load_seconds: stored.load_seconds,
        assess_seconds,
        census_bytes: census.bytes(),
    })
}

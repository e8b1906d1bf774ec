//! Asking the guarantees of an area.

use std::{num::NonZero, path::PathBuf, sync::Arc, thread::available_parallelism, time::Instant};

use daohu_base::{AreaCode, Day, Scope};
use daohu_census::{Question, assess};
use daohu_db::FutureExt;
use daohu_policy::{BadPack, Policy};

use super::{
    fields::Fields,
    load::load,
    model::{Summary, counts, overall},
    rulebook::{self, Rulebook},
    statuses,
};
use crate::{Context, Error, areas};

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
    let scope = areas::ops::reported(scope, &asked.area)?;
    let fields = Fields::of(&context.policy)?;
    let rulebook = Rulebook::of(&context.policy, &fields, asked.on)?;
    let keys = Arc::clone(&context.keys);
    let started = Instant::now();
    let (area, on) = (asked.area.clone(), asked.on);
    let read = context.db.read_scan(move |tx| {
        async move {
            areas::ops::lines_of(tx, &scope, &area).await?;
            load(tx, (&keys, fields), &scope, on.year()).await
        }
        .boxed()
    });
    let loaded = read.await?;
    let load_seconds = started.elapsed().as_secs_f64();
    let places = loaded.census.places(|village| rulebook.place_of(village));
    let question = Question { on: asked.on, places: &places };
    let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let households = loaded.census.households();
    let ask = || {
        let asking = Instant::now();
        let plan = &rulebook.guarantees.plan;
        let assessment = assess(&loaded.census, plan, question, 0..households, threads);
        (asking.elapsed().as_secs_f64(), assessment)
    };
    let (once, assessment) = ask();
    let again = (1..asked.repeat).map(|_| ask().0);
    let mut taken: Vec<f64> = std::iter::once(once).chain(again).collect();
    taken.sort_by(f64::total_cmp);
    let assess_seconds = taken.get(taken.len() / 2).copied().unwrap_or(once);
    if let Some(out) = &asked.out {
        let standards = context.policy.standards();
        let line = standards.iter().position(|standard| standard.id == "line");
        let line_fen = |village: &str| rulebook.amount(village, line?);
        let of = (&loaded, &rulebook.guarantees.plan, &assessment);
        statuses::write(out, of, (asked.on.year(), &line_fen))?;
    }
    let rules = counts(&rulebook.guarantees.heads, &assessment);
    let overall = overall(&assessment, households);
    let classes = assess(&loaded.census, &rulebook.classes.plan, question, 0..households, threads);
    let classes = counts(&rulebook.classes.heads, &classes);
    Ok(Summary {
        area: asked.area.to_string(),
        on: asked.on.to_string(),
        households,
        members: loaded.census.members(),
        policy: context.policy.version().to_owned(),
        rules,
        overall,
        classes,
        load_seconds,
        assess_seconds,
        census_bytes: loaded.census.bytes(),
    })
}

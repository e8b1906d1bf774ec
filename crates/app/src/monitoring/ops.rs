//! Asking the guarantees of an area.

use std::{num::NonZero, path::PathBuf, sync::Arc, thread::available_parallelism, time::Instant};

use daohu_base::{AreaCode, Day, Scope};
use daohu_census::{Question, assess};
use daohu_db::FutureExt;
use daohu_policy::{BadPack, Policy};

use super::{
    fields::Fields,
    load::load,
    model::{Summary, counts, plan},
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

/// Reads all guarantees of a policy: refused if one of them cannot be asked.
pub fn check(policy: &Policy) -> Result<(), BadPack> {
    plan(policy, &policy.all_guarantees(), &Fields::of(policy)).map(|_| ())
}

/// Asks all guarantees in force on the day of the households of an area, if the whole of it lies inside the scope.
pub async fn run(context: &Context, scope: &Scope, asked: Asked) -> Result<Summary, Error> {
    let scope = areas::ops::reported(scope, &asked.area)?;
    let fields = Fields::of(&context.policy);
    let guarantees = context.policy.guarantees(asked.on);
    let plan = plan(&context.policy, &guarantees, &fields)?;
    let keys = Arc::clone(&context.keys);
    let started = Instant::now();
    let area = asked.area.clone();
    let read = context.db.read_scan(move |tx| {
        async move {
            areas::ops::lines_of(tx, &scope, &area).await?;
            load(tx, (&keys, fields), &scope).await
        }
        .boxed()
    });
    let loaded = read.await?;
    let load_seconds = started.elapsed().as_secs_f64();
    let line = context.policy.poverty_line_fen(asked.on.year());
    let line_fen = |_: &str| line;
    let question = Question { on: asked.on, line_fen: &line_fen };
    let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let households = loaded.census.households();
    let ask = || {
        let asking = Instant::now();
        let assessment = assess(&loaded.census, &plan, question, 0..households, threads);
        (asking.elapsed().as_secs_f64(), assessment)
    };
    let (once, assessment) = ask();
    let again = (1..asked.repeat).map(|_| ask().0);
    let mut taken: Vec<f64> = std::iter::once(once).chain(again).collect();
    taken.sort_by(f64::total_cmp);
    let assess_seconds = taken.get(taken.len() / 2).copied().unwrap_or(once);
    if let Some(out) = &asked.out {
        let of = (&loaded, &plan, &assessment);
        statuses::write(out, of, (asked.on.year(), &line_fen))?;
    }
    let (rules, overall) = counts(&guarantees, &assessment, households);
    Ok(Summary {
        area: asked.area.to_string(),
        on: asked.on.to_string(),
        households,
        members: loaded.census.members(),
        rules,
        overall,
        load_seconds,
        assess_seconds,
        census_bytes: loaded.census.bytes(),
    })
}

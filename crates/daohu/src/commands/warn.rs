//! `daohu monitor warn`: what the rules warn of becomes something that somebody looks after.

use std::{process::ExitCode, time::Instant};

use daohu_app::{
    Error, Lang,
    warnings::{self, Asked},
};
use daohu_base::Actor;
use serde::Serialize;

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::MonitorWarnArgs,
    open::{Wanted, open},
    output::{Failure, json, line, peak_rss_bytes},
    tables::print_rows,
};

/// What programs are told.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    done: warnings::Done,
    dry_run: bool,
    seconds: f64,
    peak_rss_bytes: u64,
}

pub(super) async fn run(args: MonitorWarnArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let context = open(&args.db, Wanted::Existing).await?;
    let asked = Asked { area: args.area.clone(), on: args.on, dry_run: args.dry_run };
    let stoppable = Stoppable::begin();
    let actor = Actor::command("monitor warn");
    let done = warnings::run(&context, &actor, asked, &stoppable.ticket).await;
    drop(stoppable);
    let done = done.map_err(|error| match (&args.area, error) {
        (_, Error::Policy(bad)) => Failure::of_pack(&bad),
        (Some(area), error) => Failure::of_area(area, error),
        (None, error) => error.into(),
    })?;
    if args.json {
        let (seconds, peak_rss_bytes) = (started.elapsed().as_secs_f64(), peak_rss_bytes());
        json(&Report { done, dry_run: args.dry_run, seconds, peak_rss_bytes })?;
    } else {
        print(&done, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(done: &warnings::Done, lang: Lang) -> Result<(), Failure> {
    let (on, households) = (&done.on, done.households);
    match lang {
        Lang::Zh => line(format!("{on}，{households} 户"))?,
        Lang::En => line(format!("{households} households on {on}"))?,
    }
    let heads = match lang {
        Lang::Zh => ["规则", "成立", "新预警", "消除", "再现"],
        Lang::En => ["rule", "true of", "raised", "cleared", "returned"],
    };
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (rule, own) in &done.rules {
        let counts = [own.met, own.raised, own.cleared, own.returned];
        let counts = counts.map(|count| count.to_string());
        rows.push(std::iter::once(rule.clone()).chain(counts).collect());
    }
    print_rows(rows)
}

//! `daohu copy`: from one database into an empty one of either engine, all of it or nothing.

use std::{process::ExitCode, time::Instant};

use daohu_app::{
    Lang,
    backup::{Copied, copy},
    journal::{self, Act},
};
use daohu_base::Actor;
use serde::Serialize;

use super::{
    Done,
    restore::{tell_of_journal, tell_of_keys},
    watch::{Watch, print_tables},
};
use crate::{
    cli::{CopyArgs, DbArgs},
    open::{Wanted, key_path, open, open_to_fill},
    output::{FINDING, json, line, peak_rss_bytes},
};

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    copied: Copied,
    seconds: f64,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(args: CopyArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let source = DbArgs { db: args.from, keys: args.keys };
    let key_path = key_path(&source)?;
    let from = open(&source, Wanted::Existing).await?;
    let to = open_to_fill(&args.to, from.keys.clone()).await?;
    let act = Act::new(Actor::command("copy"), &*from.clock, "copy");
    let watch = Watch::begin(lang);
    let names = (source.db.to_string(), args.to.to_string());
    let copied = copy((&from, names.0), (&to.db, names.1), act, watch.progress.clone()).await;
    drop(watch);
    let copied = copied?;
    journal::seal_all(&from).await?;
    journal::seal_all(&to).await?;
    let seconds = started.elapsed().as_secs_f64();
    let is_whole = copied.journal.ok;
    tell_of_journal(&copied.journal, lang);
    if args.json {
        json(&Report { copied, seconds, peak_rss_bytes: peak_rss_bytes() })?;
    } else {
        print_tables(copied.tables.iter().map(|table| &table.source), " =", lang)?;
        line(match lang {
            Lang::Zh => format!("已复制，两边的每张表都一致（{seconds:.1} 秒）"),
            Lang::En => format!("copied; every table is the same on both sides ({seconds:.1} s)"),
        })?;
        tell_of_keys(&args.to, &key_path, lang);
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(FINDING) })
}

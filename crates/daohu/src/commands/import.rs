//! `daohu import`.

use std::{
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use daohu_app::{
    Lang,
    exchange::import::{Blank, ImportOptions, OnError, Progress, Summary, import},
    journal::Act,
};
use daohu_base::{Actor, Scope};
use serde::Serialize;

use super::Done;
use crate::{
    cli::{BlankArg, ImportArgs, OnErrorArg},
    open::{Wanted, open},
    output::{self, FINDING, Failure, json, line, peak_rss_bytes},
};

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    summary: Summary,
    seconds: f64,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(args: ImportArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let context = open(&args.db, Wanted::Ready).await?;
    let wants_report = args.report.is_some();
    let options = ImportOptions {
        on_error: match args.on_error {
            OnErrorArg::Abort => OnError::Abort,
            OnErrorArg::RejectRow => OnError::RejectRow,
        },
        blank: match args.blank {
            BlankArg::Keep => Blank::Keep,
            BlankArg::Clears => Blank::Clears,
        },
        dry_run: args.dry_run,
        lang,
        scope: Scope::all(),
        areas: Scope::all(),
        report: args.report,
        work_folder: None,
        job: None,
    };
    let act = Act::new(Actor::command("import"), &*context.clock, "import");
    let progress = Arc::new(Progress::default());
    let watched = Arc::clone(&progress);
    let stopper = tokio::spawn(async move {
        // Ctrl-C asks for a clean stop; nothing is stored.
        if tokio::signal::ctrl_c().await.is_ok() {
            watched.cancelled.store(true, Ordering::Relaxed);
        }
    });
    let summary = import(&context, act, args.paths, options, progress).await;
    stopper.abort();
    let summary = summary?;
    let report_failed = wants_report && !summary.has_report;
    let rejected = summary.sheets.values().any(|counts| counts.rejected > 0);
    let seconds = started.elapsed().as_secs_f64();
    let report = Report { summary, seconds, peak_rss_bytes: peak_rss_bytes() };
    if args.json {
        json(&report)?
    } else {
        print(&report, lang)?
    }
    if report_failed {
        return Err(Failure::report_failed());
    }
    Ok(if rejected { ExitCode::from(FINDING) } else { ExitCode::SUCCESS })
}

/// Problems shown on a terminal; the report workbook has them all.
const SHOWN: usize = 50;

fn print(report: &Report, lang: Lang) -> Result<(), output::Failure> {
    let heads = match lang {
        Lang::Zh => "表          行     新增     更新   无变化   疑似     拒绝     提示",
        Lang::En => "sheet     rows  created  updated  same  suspected  rejected  warnings",
    };
    line(heads)?;
    for (sheet, c) in &report.summary.sheets {
        line(format_args!(
            "{sheet:<10} {:>7} {:>7} {:>7} {:>7} {:>5} {:>7} {:>7}",
            c.rows, c.created, c.updated, c.unchanged, c.suspected, c.rejected, c.warnings
        ))?;
    }
    for problem in report.summary.problems.iter().take(SHOWN) {
        for note in &problem.notes {
            let (file, row) = (&problem.file, problem.row);
            line(format_args!("{} {file}:{row}  {}", problem.outcome.says(lang), note.message))?;
        }
    }
    for (file, columns) in &report.summary.unknown_columns {
        let says = lang.pick("不认识、已忽略的列", "unknown columns, ignored");
        line(format_args!("{file}: {says}: {}", columns.join("、")))?;
    }
    let stored = match report.summary.committed {
        true => lang.pick("已导入", "imported"),
        false => lang.pick("没有导入任何数据", "nothing was stored"),
    };
    line(format_args!("{stored} ({:.1} s)", report.seconds))
}

/// Loads a folder without refusing rows: how the demonstration fills its county.
pub(crate) async fn load(
    context: &daohu_app::Context,
    folder: &std::path::Path,
    lang: Lang,
) -> Result<Summary, output::Failure> {
    let options = ImportOptions {
        on_error: OnError::Abort,
        blank: Blank::Keep,
        dry_run: false,
        lang,
        scope: Scope::all(),
        areas: Scope::all(),
        report: None,
        work_folder: None,
        job: None,
    };
    let act = Act::new(Actor::command("demo"), &*context.clock, "import sample");
    let paths = vec![folder.to_owned()];
    Ok(import(context, act, paths, options, Arc::new(Progress::default())).await?)
}

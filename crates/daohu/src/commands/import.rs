//! `daohu import`.

use std::{path::Path, process::ExitCode, time::Instant};

use daohu_app::{
    Lang,
    exchange::{
        Counts, Outcome, RowReport,
        import::{Blank, ImportOptions, OnError, Summary, import},
    },
    jobs::Ticket,
    journal::Act,
    sheet::Sheet,
};
use daohu_base::{Actor, Scope};
use serde::Serialize;

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::{BlankArg, ImportArgs, OnErrorArg},
    open::{Wanted, open, open_to_try},
    output::{self, FINDING, Failure, json, line, peak_rss_bytes},
    tables::print_rows,
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
    if let Some(report) = &args.report {
        check_report(report).map_err(|error| Failure::unwritable(report, &error).refused())?;
    }
    // A folder of a dry run's own, which goes with the end of this function.
    let (context, _folder) = match args.dry_run {
        true => open_to_try(&args.db).await?,
        false => (open(&args.db, Wanted::Ready).await?, None),
    };
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
    };
    let act = Act::new(Actor::command("import"), &*context.clock, "import");
    let stoppable = Stoppable::begin();
    let summary = import(&context, act, args.paths, options, stoppable.ticket.clone()).await;
    drop(stoppable);
    let summary = summary?;
    let report_failed = wants_report && !summary.has_report;
    let rejected = summary.sheets.values().any(|counts| counts.rejected > 0);
    let seconds = started.elapsed().as_secs_f64();
    let report = Report { summary, seconds, peak_rss_bytes: peak_rss_bytes() };
    if args.json {
        json(&report)?
    } else {
        print(&report, lang, wants_report)?;
        if rejected && !report.summary.committed && !args.dry_run {
            line(lang.pick(
                "有被拒绝的行：请改正后重新导入，或用 --on-error reject-row 只导入合格的行",
                "rows were refused: mend them and import again, or import the good ones with \
                 --on-error reject-row",
            ))?;
        }
    }
    if report_failed {
        return Err(Failure::report_failed());
    }
    Ok(if rejected { ExitCode::from(FINDING) } else { ExitCode::SUCCESS })
}

/// An error if the report could not be written in the end. Leaves nothing behind.
fn check_report(path: &Path) -> std::io::Result<()> {
    let is_new = !path.exists();
    std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    if is_new { std::fs::remove_file(path) } else { Ok(()) }
}

/// Rows shown on a terminal; the report workbook has them all.
const SHOWN: usize = 50;

fn print(report: &Report, lang: Lang, has_report: bool) -> Result<(), output::Failure> {
    let heads = match lang {
        Lang::Zh => ["表", "行", "新增", "更新", "无变化", "疑似", "拒绝", "提示", "改正", "清空"],
        Lang::En => [
            "sheet",
            "rows",
            "created",
            "updated",
            "same",
            "suspected",
            "rejected",
            "warnings",
            "cleaned",
            "cleared",
        ],
    };
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (name, c) in &report.summary.sheets {
        let title = Sheet::called_by(name, lang);
        let counts = [
            c.rows,
            c.created,
            c.updated,
            c.unchanged,
            c.suspected,
            c.rejected,
            c.warnings,
            c.cleaned,
            c.cleared,
        ];
        let counts = counts.into_iter().map(|count| count.to_string());
        rows.push(std::iter::once(title.to_owned()).chain(counts).collect());
    }
    print_rows(rows)?;
    // Whoever has refused rows to mend must not look for them among the hints.
    let mut problems: Vec<_> = report.summary.problems.iter().collect();
    problems.sort_by_key(|problem| problem.outcome != Outcome::Rejected);
    problems.truncate(SHOWN);
    for problem in &problems {
        for note in &problem.notes {
            let (file, row) = (&problem.file, problem.row);
            line(format_args!("{} {file}:{row}  {}", problem.outcome.says(lang), note.message))?;
        }
    }
    let counts = report.summary.sheets.values();
    let all: u64 = counts.map(|counts| counts.rejected + counts.warnings).sum();
    let of = |problem: &&RowReport| match problem.outcome {
        Outcome::Rejected => 1,
        _ => u64::try_from(problem.notes.len()).unwrap_or_default(),
    };
    let more = all.saturating_sub(problems.iter().map(of).sum());
    if more > 0 {
        line(match (has_report, lang) {
            (true, Lang::Zh) => format!("… 另有 {more} 条，见报告"),
            (true, Lang::En) => format!("… {more} more in the report"),
            (false, Lang::Zh) => format!("… 另有 {more} 条；用 --report FILE.xlsx 可得到全部"),
            (false, Lang::En) => format!("… {more} more; --report FILE.xlsx has them all"),
        })?;
    }
    for (file, columns) in &report.summary.unknown_columns {
        let says = lang.pick("不认识、已忽略的列", "unknown columns, ignored");
        line(format_args!("{file}: {says}: {}", columns.join("、")))?;
    }
    let sum = |count: fn(&Counts) -> u64| report.summary.sheets.values().map(count).sum::<u64>();
    let (rejected, all) = (sum(|counts| counts.rejected), sum(|counts| counts.rows));
    let suspected = sum(|counts| counts.suspected);
    if report.summary.committed && suspected > 0 {
        line(match lang {
            Lang::Zh => format!("疑似重复 {suspected} 行：已导入，请逐对判断（daohu suspects）"),
            Lang::En => format!(
                "{suspected} suspected rows are stored: judge whether they are somebody else \
                 (daohu suspects)"
            ),
        })?;
    }
    let stored = match (report.summary.committed, rejected, lang) {
        (true, 0, _) => lang.pick("已导入", "imported").to_owned(),
        (true, refused, Lang::Zh) if refused == all => {
            format!("没有导入任何数据：{all} 行全被拒绝")
        }
        (true, refused, Lang::En) if refused == all => {
            format!("nothing was stored: all {all} rows are refused")
        }
        (true, _, Lang::Zh) => format!("已导入，拒绝 {rejected} 行"),
        (true, _, Lang::En) => format!("imported, but for {rejected} refused rows"),
        (false, ..) => lang.pick("没有导入任何数据", "nothing was stored").to_owned(),
    };
    line(format_args!("{stored} ({:.1} s)", report.seconds))?;
    if let Some(id) = &report.summary.id {
        line(match lang {
            Lang::Zh => format!("如要撤销：daohu undo {id}"),
            Lang::En => format!("to take it back: daohu undo {id}"),
        })?;
    }
    Ok(())
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
    };
    let act = Act::new(Actor::command("demo"), &*context.clock, "import sample");
    let paths = vec![folder.to_owned()];
    Ok(import(context, act, paths, options, Ticket::default()).await?)
}

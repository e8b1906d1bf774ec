//! `daohu crosscheck`: members of households in lists of departments.

use std::{
    io::IsTerminal,
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use daohu_app::{
    Error, Lang,
    crosscheck::{Asked, BadCell, Checked, run as look_up},
    jobs::Progress,
};
use daohu_base::Actor;
use serde::Serialize;
use tokio::task::JoinHandle;

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::CrosscheckArgs,
    open::{Wanted, open},
    output::{FINDING, Failure, json, line, peak_rss_bytes, status},
    tables::print_rows,
};

/// Work that is done sooner shows nothing.
const SOON: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(500);
/// Cells shown on a terminal; `--json` has as many as the pack says.
const SHOWN: usize = 20;

/// What programs are told.
#[derive(Serialize)]
struct Report {
    on: String,
    area: Option<String>,
    dry_run: bool,
    lists: Vec<Checked>,
    seconds: f64,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(args: CrosscheckArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let context = open(&args.db, Wanted::Existing).await?;
    let on = args.on.unwrap_or_else(|| context.clock.now().day());
    let (area, dry_run) = (args.area.clone(), args.dry_run);
    let asked = Asked { lists: args.lists, area: args.area, on, dry_run, lang };
    let stoppable = Stoppable::begin();
    let teller = tell(&stoppable.ticket.progress, lang);
    let actor = Actor::command("crosscheck");
    let lists = look_up(&context, &actor, asked, &stoppable.ticket).await;
    teller.abort();
    if started.elapsed() > SOON && std::io::stderr().is_terminal() {
        status("");
    }
    drop(stoppable);
    let lists = lists.map_err(|error| match (&area, error) {
        (Some(area), error @ Error::NotFound("area")) => Failure::of_area(area, error),
        (_, other) => other.into(),
    })?;
    let has_bad = lists.iter().any(|list| list.counts.bad_rows > 0);
    let seconds = started.elapsed().as_secs_f64();
    let area = area.map(|area| area.to_string());
    let (on, peak_rss_bytes) = (on.to_string(), peak_rss_bytes());
    let report = Report { on, area, dry_run, lists, seconds, peak_rss_bytes };
    if args.json {
        json(&report)?
    } else {
        print(&report, lang)?
    }
    Ok(if has_bad { ExitCode::from(FINDING) } else { ExitCode::SUCCESS })
}

/// Tells a terminal how far it is, once that takes longer.
fn tell(progress: &Arc<Progress>, lang: Lang) -> JoinHandle<()> {
    let progress = Arc::clone(progress);
    tokio::spawn(async move {
        if !std::io::stderr().is_terminal() {
            return;
        }
        tokio::time::sleep(SOON).await;
        loop {
            let rows = progress.rows_done.load(Ordering::Relaxed);
            let members = progress.rows_total.load(Ordering::Relaxed);
            status(match lang {
                Lang::Zh => format!("名单 {rows} 行，人员 {members} 人"),
                Lang::En => format!("{rows} rows of lists, {members} members"),
            });
            tokio::time::sleep(AGAIN).await;
        }
    })
}

fn print(report: &Report, lang: Lang) -> Result<(), Failure> {
    let heads = match lang {
        Lang::Zh => [
            "比对",
            "行",
            "不能用",
            "重复",
            "比中",
            "略过",
            "新线索",
            "已知",
            "已办结",
            "姓名不符",
            "金额不明",
            "无法比对",
        ],
        Lang::En => [
            "check",
            "rows",
            "bad",
            "repeated",
            "matched",
            "passed over",
            "new",
            "known",
            "closed",
            "other name",
            "no amount",
            "unknown",
        ],
    };
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for list in &report.lists {
        let c = &list.counts;
        let counts = [
            c.rows,
            c.bad_rows,
            c.repeated,
            c.matched,
            c.passed_over,
            c.leads_new,
            c.leads_known,
            c.leads_closed,
            c.name_differs,
            c.amount_unknown,
            c.unknown,
        ];
        let title = lang.pick(list.title.as_str(), list.title_en.as_str()).to_owned();
        let counts = counts.into_iter().map(|count| count.to_string());
        rows.push(std::iter::once(title).chain(counts).collect());
    }
    print_rows(rows)?;
    for list in &report.lists {
        for BadCell { worksheet, row, message, .. } in list.bad.iter().take(SHOWN) {
            let sheet = worksheet.as_ref().map(|sheet| format!(" [{sheet}]")).unwrap_or_default();
            line(format_args!("{}{sheet}:{row}  {message}", list.list))?;
        }
        let all = list.counts.bad_rows + list.counts.doubtful;
        let shown = u64::try_from(list.bad.len().min(SHOWN)).unwrap_or_default();
        if all > shown {
            let more = all - shown;
            line(match lang {
                Lang::Zh => format!("{} … 另有 {more} 行，用 --json 可看到更多", list.list),
                Lang::En => format!("{} … {more} more rows; --json has more of them", list.list),
            })?;
        }
        if !list.missing_columns.is_empty() {
            let columns = list.missing_columns.join(", ");
            line(match lang {
                Lang::Zh => format!("{} 没有这些列，未看：{columns}", list.list),
                Lang::En => format!("{} has no column for: {columns}", list.list),
            })?;
        }
    }
    let stored = match report.dry_run {
        true => lang.pick("试比对：没有保存任何线索", "dry run: nothing was stored"),
        false => lang.pick("已保存", "stored"),
    };
    line(format_args!("{stored} ({:.1} s)", report.seconds))
}

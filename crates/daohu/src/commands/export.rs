//! `daohu export`.

use std::{collections::BTreeMap, process::ExitCode, time::Instant};

use daohu_app::{
    Error, Lang,
    exchange::export::{ExportOptions, Format, export, files_of},
    journal::{self, Act},
    sheet::{Masking, Sheet},
};
use daohu_base::{Actor, Scope};

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::{ExportArgs, ExportFormatArg},
    open::{Wanted, open},
    output::{Failure, json, line, peak_rss_bytes},
    tables::print_rows,
    traces::is_there,
};

pub(crate) async fn run(args: ExportArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let sheets = Sheet::chosen(args.what.split(',').map(str::trim)).map_err(|name| {
        let choices = Sheet::choices();
        Failure::usage(
            format!("没有这张表：--what {name}；可用：{choices}（多张以逗号分隔）"),
            format!("there is no such sheet: --what {name}; known: {choices} (separate by commas)"),
        )
    })?;
    let format = match args.format {
        ExportFormatArg::Csv => Format::Csv,
        ExportFormatArg::Xlsx => Format::Xlsx,
        ExportFormatArg::Parquet => Format::Parquet,
    };
    let there = files_of(&sheets, format, &args.out).into_iter().find(|file| is_there(file));
    if let Some(file) = there.filter(|_| !args.force) {
        let file = file.display();
        return Err(Failure::refusal(
            format!("{file} 已经存在；请换一个 --out，或用 --force 覆盖"),
            format!("{file} is there already: choose another --out, or replace it with --force"),
        ));
    }
    let context = open(&args.db, Wanted::Existing).await?;
    let (area, out) = (args.area.clone(), args.out.clone());
    let options = ExportOptions {
        area: args.area,
        scope: Scope::all(),
        sheets,
        masking: if args.masked { Masking::Masked } else { Masking::Full },
        reason: None,
        format,
        out: args.out,
        is_watched: false,
    };
    let act = Act::new(Actor::command("export"), &*context.clock, "export");
    let stoppable = Stoppable::begin();
    let progress = stoppable.ticket.progress.clone();
    let exported = export(&context, act, options, progress).await;
    drop(stoppable);
    let (files, rows) = exported.map_err(|error| match error {
        Error::NotFound(_) => {
            Failure::refusal(format!("没有这个区划：{area}"), format!("no such area: {area}"))
        }
        Error::File(error) => Failure::unwritable(&out, &error),
        other => other.into(),
    })?;
    journal::seal_all(&context).await?;
    let all: u64 = rows.iter().map(|(_, rows)| rows).sum();
    if args.json {
        let sheets: BTreeMap<_, _> = rows.iter().map(|(sheet, rows)| (sheet.name, rows)).collect();
        let seconds = started.elapsed().as_secs_f64();
        let peak_rss_bytes = peak_rss_bytes();
        json(&serde_json::json!({
            "files": files, "rows": all, "sheets": sheets, "seconds": seconds, "peak_rss_bytes": peak_rss_bytes,
        }))?;
    } else {
        let titled =
            |(sheet, rows): &(&Sheet, u64)| vec![sheet.called(lang).to_owned(), rows.to_string()];
        let head = vec![lang.pick("表", "sheet").to_owned(), lang.pick("行", "rows").to_owned()];
        let table: Vec<_> = std::iter::once(head).chain(rows.iter().map(titled)).collect();
        print_rows(table)?;
        for file in files {
            line(file.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

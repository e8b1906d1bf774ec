//! `daohu export`.

use std::{process::ExitCode, time::Instant};

use daohu_app::{
    Error,
    exchange::export::{ExportOptions, Format, export},
    journal::{self, Act},
    sheet::{Masking, Sheet},
};
use daohu_base::{Actor, Scope};

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::{ExportArgs, ExportFormatArg},
    open::{Wanted, open},
    output::{Failure, json, line, peak_rss_bytes},
};

pub(crate) async fn run(args: ExportArgs) -> Done {
    let started = Instant::now();
    let sheets = Sheet::chosen(args.what.split(',').map(str::trim)).map_err(|name| {
        let choices = Sheet::choices();
        Failure::usage(
            format!("没有这张表：--what {name}；可用：{choices}（多张以逗号分隔）"),
            format!("there is no such sheet: --what {name}; known: {choices} (separate by commas)"),
        )
    })?;
    let context = open(&args.db, Wanted::Existing).await?;
    let (area, out) = (args.area.clone(), args.out.clone());
    let options = ExportOptions {
        area: args.area,
        scope: Scope::all(),
        sheets,
        masking: if args.masked { Masking::Masked } else { Masking::Full },
        reason: None,
        format: match args.format {
            ExportFormatArg::Csv => Format::Csv,
            ExportFormatArg::Xlsx => Format::Xlsx,
            ExportFormatArg::Parquet => Format::Parquet,
        },
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
    if args.json {
        let seconds = started.elapsed().as_secs_f64();
        let peak_rss_bytes = peak_rss_bytes();
        json(&serde_json::json!({
            "files": files, "rows": rows, "seconds": seconds, "peak_rss_bytes": peak_rss_bytes,
        }))?;
    } else {
        for file in files {
            line(file.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

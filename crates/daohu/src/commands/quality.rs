//! `daohu quality`: how good the records of an area are.

use std::process::ExitCode;

use daohu_app::{
    Lang,
    quality::{AreaQuality, quality, record, trend, worklist},
};
use serde::Serialize;

use super::Done;
use crate::{
    cli::QualityArgs,
    open::{Wanted, open},
    output::{Failure, json, peak_rss_bytes, shown},
};

/// What programs are told.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    told: AreaQuality,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(args: QualityArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    if let Some(rule) = &args.rule
        && context.policy.rule(rule).is_none()
    {
        return Err(Failure::usage(
            format!("没有这条规则：--rule {rule}"),
            format!("there is no such rule: --rule {rule}"),
        ));
    }
    let of_area = |error| Failure::of_area(&args.area, error);
    if args.trend {
        let told = trend(&context, args.area.clone()).await;
        shown(&told.map_err(of_area)?, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.record {
        let told = record(&context, args.area.clone()).await;
        shown(&told.map_err(of_area)?, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.worklist {
        let told = worklist(&context, args.area.clone(), args.on, args.rule.clone()).await;
        shown(&told.map_err(of_area)?, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let told = quality(&context, args.area.clone(), args.on, lang).await;
    let mut told = told.map_err(of_area)?;
    if let Some(rule) = &args.rule {
        told.only(rule);
    }
    if args.json {
        json(&Report { told, peak_rss_bytes: peak_rss_bytes() })?;
    } else {
        shown(&told, false)?;
    }
    Ok(ExitCode::SUCCESS)
}

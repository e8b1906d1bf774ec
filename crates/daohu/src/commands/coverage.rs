//! `daohu coverage`: who answers for an area.

use std::process::ExitCode;

use daohu_app::{Error, registers::coverage};

use super::Done;
use crate::{
    cli::CoverageArgs,
    open::{Wanted, open},
    output::{Failure, json, line},
};

pub(crate) async fn run(args: CoverageArgs) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let told =
        coverage(&context, args.area.clone(), args.on).await.map_err(|error| match error {
            Error::NotFound(_) => {
                let area = &args.area;
                Failure::refusal(format!("没有这个区划：{area}"), format!("no such area: {area}"))
            }
            other => other.into(),
        })?;
    if args.json {
        json(&told)?;
    } else {
        line(serde_json::to_string_pretty(&told).map_err(std::io::Error::other)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

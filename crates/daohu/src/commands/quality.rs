//! `daohu quality`: how good the records of an area are.

use std::process::ExitCode;

use daohu_app::{Error, Lang, quality::quality};

use super::Done;
use crate::{
    cli::QualityArgs,
    open::{Wanted, open},
    output::{Failure, json, line},
};

pub(crate) async fn run(args: QualityArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let told = quality(&context, args.area.clone(), args.on, lang).await;
    let mut told = told.map_err(|error| match error {
        Error::NotFound(_) => {
            let area = &args.area;
            Failure::refusal(format!("没有这个区划：{area}"), format!("no such area: {area}"))
        }
        other => other.into(),
    })?;
    if let Some(rule) = &args.rule
        && !told.only(rule)
    {
        return Err(Failure::usage(
            format!("没有这条规则：--rule {rule}"),
            format!("there is no such rule: --rule {rule}"),
        ));
    }
    if args.json {
        json(&told)?;
    } else {
        line(serde_json::to_string_pretty(&told).map_err(std::io::Error::other)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

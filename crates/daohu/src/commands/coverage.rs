//! `daohu coverage`: who answers for an area.

use std::process::ExitCode;

use daohu_app::registers::coverage;

use super::Done;
use crate::{
    cli::CoverageArgs,
    open::{Wanted, open},
    output::{Failure, shown},
};

pub(crate) async fn run(args: CoverageArgs) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let told = coverage(&context, args.area.clone(), args.on).await;
    let told = told.map_err(|error| Failure::of_area(&args.area, error))?;
    shown(&told, args.json)?;
    Ok(ExitCode::SUCCESS)
}

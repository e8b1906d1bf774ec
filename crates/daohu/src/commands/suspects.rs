//! `daohu suspects`: which persons of an area may be one.

use std::process::ExitCode;

use daohu_app::suspects::listed;

use super::Done;
use crate::{
    cli::SuspectsArgs,
    open::{Wanted, open},
    output::{Failure, shown},
};

pub(crate) async fn run(args: SuspectsArgs) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let told = listed(&context, &args.area, args.verdict).await;
    let told = told.map_err(|error| Failure::of_area(&args.area, error))?;
    shown(&told, args.json)?;
    Ok(ExitCode::SUCCESS)
}

//! `daohu migrate`: create the database, or bring it up to date.

use std::process::ExitCode;

use daohu_app::schema::MIGRATIONS;

use super::Done;
use crate::{
    cli::MigrateArgs,
    open::{Wanted, prepare},
    output,
};

pub(crate) async fn run(args: MigrateArgs) -> Done {
    let (_, applied) = prepare(&args.db, Wanted::Ready).await?;
    if args.json {
        output::json(&serde_json::json!({ "applied": applied, "schema": MIGRATIONS.len() }))?;
    } else {
        output::line(format_args!("{}: {applied} → {}", args.db.db, MIGRATIONS.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}

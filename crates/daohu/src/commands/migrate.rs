//! `daohu migrate`: create the database, or bring it up to date.

use std::process::ExitCode;

use daohu_app::schema::MIGRATIONS;
use daohu_db::{Db, Missing, Options};

use super::Done;
use crate::{cli::MigrateArgs, open, output};

pub(crate) async fn run(args: MigrateArgs) -> Done {
    let options = Options { missing: Missing::Create, ..Options::default() };
    let db = Db::open(&args.db.db, options).await?;
    let applied = db.migrate(&MIGRATIONS).await?;
    drop(db);
    open::open(&args.db, open::Wanted::Ready).await?;
    if args.json {
        output::json(&serde_json::json!({ "applied": applied, "schema": MIGRATIONS.len() }))?;
    } else {
        println!("{}: {applied} → {}", args.db.db, MIGRATIONS.len());
    }
    Ok(ExitCode::SUCCESS)
}

//! `daohu migrate`: create the database, or bring it up to date.

use std::process::ExitCode;

use daohu_app::{Lang, schema::MIGRATIONS};

use super::Done;
use crate::{
    cli::MigrateArgs,
    open::{Wanted, prepare},
    output,
};

pub(crate) async fn run(args: MigrateArgs, lang: Lang) -> Done {
    let (_, applied) = prepare(&args.db, Wanted::Ready).await?;
    if args.json {
        output::json(&serde_json::json!({ "applied": applied, "schema": MIGRATIONS.len() }))?;
    } else {
        let did = match applied {
            0 => lang.pick("已是最新", "nothing to do"),
            all if all == MIGRATIONS.len() => lang.pick("已建立", "created"),
            _ => lang.pick("已升级", "brought up to date"),
        };
        let schema = lang.pick("结构版本", "schema version");
        output::line(format_args!("{}: {did}, {schema} {}", args.db.db, MIGRATIONS.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}

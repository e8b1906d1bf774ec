//! `daohu undo`: an import is taken back.

use std::process::ExitCode;

use daohu_app::{
    Error,
    journal::Act,
    undo::{imports, undo},
};
use daohu_base::{Actor, Scope};

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::UndoArgs,
    open::{Wanted, open},
    output::{Failure, shown},
};

/// Imports listed.
const LISTED: i64 = 100;

pub(crate) async fn run(args: UndoArgs) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    if args.list {
        shown(&imports(&context, LISTED).await?, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let id = args.id.unwrap_or_default();
    let act = Act::new(Actor::command("undo"), &*context.clock, "command");
    let scopes = (Scope::all(), Scope::all());
    let stoppable = Stoppable::begin();
    let ticket = stoppable.ticket.clone();
    let undone = undo(&context, act, scopes, (&id, args.dry_run), ticket).await;
    let undone = undone.map_err(|error| match error {
        Error::NotFound(_) => {
            Failure::refusal(format!("没有这次导入：{id}"), format!("no such import: {id}"))
        }
        other => other.into(),
    })?;
    shown(&undone, args.json)?;
    Ok(ExitCode::SUCCESS)
}

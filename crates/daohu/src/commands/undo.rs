//! `daohu undo`: an import is taken back.

use std::process::ExitCode;

use daohu_app::{Error, journal::Act, undo::undo};
use daohu_base::{Actor, Scope};

use super::Done;
use crate::{
    cli::UndoArgs,
    open::{Wanted, open},
    output::{Failure, shown},
};

pub(crate) async fn run(args: UndoArgs) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let act = Act::new(Actor::command("undo"), &*context.clock, "command");
    let scopes = (Scope::all(), Scope::all());
    let undone = undo(&context, act, scopes, &args.id, args.dry_run).await;
    let undone = undone.map_err(|error| match error {
        Error::NotFound(_) => {
            let id = &args.id;
            Failure::refusal(format!("没有这次导入：{id}"), format!("no such import: {id}"))
        }
        other => other.into(),
    })?;
    shown(&undone, args.json)?;
    Ok(ExitCode::SUCCESS)
}

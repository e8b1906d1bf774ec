//! `daohu household`: one household, now or on a past day.

use std::process::ExitCode;

use daohu_app::{Error, households::dossier};
use daohu_base::Scope;

use super::Done;
use crate::{
    cli::HouseholdArgs,
    open::{Wanted, open},
    output::{Failure, shown},
};

pub(crate) async fn run(args: HouseholdArgs) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let found = dossier(&context, Scope::all(), args.id.clone(), args.as_of).await;
    let dossier = found.map_err(|error| match error {
        Error::NotFound(_) => {
            let id = &args.id;
            Failure::refusal(format!("没有这一户：{id}"), format!("no such household: {id}"))
        }
        Error::Ambiguous(choices) => {
            let choices = choices.join(" ");
            Failure::refusal(
                format!("几个县都有，请选一个：{choices}"),
                format!("several counties have it, choose one: {choices}"),
            )
        }
        other => other.into(),
    })?;
    shown(&dossier, args.json)?;
    Ok(ExitCode::SUCCESS)
}

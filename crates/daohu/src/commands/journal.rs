//! `daohu journal verify`.

use std::process::ExitCode;

use daohu_app::{accounts, households, journal};

use super::Done;
use crate::{
    cli::VerifyArgs,
    open::{Wanted, open},
    output::{FINDING, json, line},
};

pub(crate) async fn verify(args: VerifyArgs) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let checkpoint = args.checkpoint.map(std::fs::read_to_string).transpose()?;
    let watched = match args.deep {
        true => [households::watched(), accounts::watched()].concat(),
        false => Vec::new(),
    };
    let verdict = journal::verify_store(&context, checkpoint, watched).await?;
    if args.json {
        json(&verdict)?;
    } else {
        match &verdict.first_bad {
            None => line(format_args!("完好 / whole: {} ({})", verdict.entries, verdict.sealed)),
            Some(bad) => line(format_args!(
                "有问题 / not whole: {} #{} {:?} {} ({})",
                bad.county,
                bad.sequence,
                bad.problem,
                bad.record.as_deref().unwrap_or_default(),
                verdict.bad
            )),
        }?;
        if let Some(checkpoint) = &verdict.checkpoint {
            line(checkpoint)?;
        }
    }
    Ok(if verdict.ok { ExitCode::SUCCESS } else { ExitCode::from(FINDING) })
}

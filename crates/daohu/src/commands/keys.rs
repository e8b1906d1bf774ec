//! `daohu keys rotate`: a new sealing key, and every number and second factor sealed with it.

use std::{process::ExitCode, sync::Arc, time::Duration};

use daohu_app::{Context, Lang, accounts, crosscheck, households, registers};

use super::Done;
use crate::{
    cli::RotateArgs,
    open::{Wanted, key_path, open},
    output::{json, line},
};

/// How long servers that run may take to notice the new key: they look every second.
const NOTICED: Duration = Duration::from_secs(2);

pub(crate) async fn rotate(args: RotateArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let keys = context.keys.rotated()?;
    // The file first: what is sealed with a key that no file holds is lost.
    keys.save(&key_path(&args.db)?, true)?;
    // What a server still seals with the old key after the row was passed would keep it.
    tokio::time::sleep(NOTICED).await;
    let context = Context { keys: Arc::new(keys), ..context };
    let rows = households::reseal(&context).await?
        + registers::reseal(&context).await?
        + accounts::reseal(&context).await?
        + crosscheck::reseal(&context).await?;
    if args.json {
        json(&serde_json::json!({ "resealed": rows }))?;
    } else {
        line(match lang {
            Lang::Zh => format!("已换用新密钥，重新加密 {rows} 行"),
            Lang::En => format!("a new key is in use; {rows} rows were sealed with it"),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

//! `daohu restore`: a backup into an empty database of either engine, all of it or nothing.

use std::{path::Path, process::ExitCode, sync::Arc, time::Instant};

use daohu_app::{
    Lang,
    backup::{Restore, Restored},
    journal::{self, Act, Verdict},
    keys::{KeyError, Keys},
};
use daohu_base::Actor;
use daohu_db::DbUrl;
use serde::Serialize;

use super::{
    Done,
    watch::{Watch, print_tables},
};
use crate::{
    cli::{DbArgs, RestoreArgs},
    open::{key_path, open_to_fill},
    output::{FINDING, Failure, json, line, note, peak_rss_bytes},
};

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    restored: Restored,
    seconds: f64,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(args: RestoreArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let key_path = key_path(&args.db)?;
    let keys = Arc::new(load_keys(&key_path)?);
    // Before the database: a wrong file or a wrong key leaves not even an empty one.
    let restore = Restore::open(&args.file, &keys)?;
    let context = open_to_fill(&args.db.db, keys).await?;
    let act = Act::new(Actor::command("restore"), &*context.clock, "restore");
    let watch = Watch::begin(lang);
    let restored = restore.into(&context, act, watch.progress.clone()).await;
    drop(watch);
    let restored = restored?;
    journal::seal_all(&context).await?;
    let seconds = started.elapsed().as_secs_f64();
    let is_whole = restored.journal.ok;
    tell_of_journal(&restored.journal, lang);
    if args.json {
        json(&Report { restored, seconds, peak_rss_bytes: peak_rss_bytes() })?;
    } else {
        print_tables(restored.tables.iter().map(|table| &table.source), " =", lang)?;
        let at = restored.created_at;
        line(match lang {
            Lang::Zh => format!("已恢复 {at} 的备份，每张表都与备份一致（{seconds:.1} 秒）"),
            Lang::En => format!(
                "restored the backup of {at}; every table is what was backed up ({seconds:.1} s)"
            ),
        })?;
        tell_of_keys(&args.db.db, &key_path, lang);
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(FINDING) })
}

fn load_keys(path: &Path) -> Result<Keys, Failure> {
    Keys::load(path).map_err(|error| match &error {
        KeyError::File { path, reason } => Failure::storage(
            format!(
                "密钥文件 {path} 不能用（{reason}）；恢复需要备份的那个数据库的密钥文件，请用 --keys 指明"
            ),
            format!(
                "the key file {path} is of no use ({reason}): a restore takes the key file of the \
                 database that was backed up, name it with --keys"
            ),
        ),
        _ => error.into(),
    })
}

/// What was brought over is as it was, whole or not; whoever brought it over must know.
pub(super) fn tell_of_journal(verdict: &Verdict, lang: Lang) {
    if verdict.ok {
        return;
    }
    let bad = verdict.bad;
    note(match lang {
        Lang::Zh => format!(
            "注意：日志不完好，有 {bad} 处问题，来源里就是这样；请运行 daohu journal verify --deep"
        ),
        Lang::En => format!(
            "note: the journal is not whole ({bad} found), as it was where it comes from: run \
             `daohu journal verify --deep`"
        ),
    });
}

/// The key file is not in the backup: whoever opens the database later must find it.
pub(super) fn tell_of_keys(url: &DbUrl, path: &Path, lang: Lang) {
    let usual = key_path(&DbArgs { db: url.clone(), keys: None });
    if usual.is_ok_and(|usual| usual == path) {
        return;
    }
    let path = path.display();
    note(match lang {
        Lang::Zh => {
            format!("这个数据库的密钥文件是 {path}：今后每条命令都用 --keys 或 DAOHU_KEYS 指明")
        }
        Lang::En => format!(
            "the key file of this database is {path}: name it to every command, with --keys or \
             DAOHU_KEYS"
        ),
    });
}

//! `daohu backup`: all tables in one encrypted file, while servers go on.

use std::{process::ExitCode, time::Instant};

use daohu_app::{
    Error, Lang,
    backup::{Backup, backup},
    journal::{self, Act},
};
use daohu_base::Actor;
use serde::Serialize;

use super::{
    Done,
    watch::{Watch, print_tables},
};
use crate::{
    cli::BackupArgs,
    open::{Wanted, open},
    output::{Failure, json, line, peak_rss_bytes},
};

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    backup: Backup,
    seconds: f64,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(args: BackupArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let context = open(&args.db, Wanted::Existing).await?;
    let act = Act::new(Actor::command("backup"), &*context.clock, "backup");
    let watch = Watch::begin(lang);
    let written = backup(&context, act, args.out.clone(), watch.progress.clone()).await;
    drop(watch);
    let backup = written.map_err(|error| match error {
        Error::File(error) => Failure::unwritable(&args.out, &error),
        other => other.into(),
    })?;
    journal::seal_all(&context).await?;
    let seconds = started.elapsed().as_secs_f64();
    if args.json {
        json(&Report { backup, seconds, peak_rss_bytes: peak_rss_bytes() })?;
    } else {
        print_tables(backup.tables.iter(), "", lang)?;
        let (file, mb) = (backup.file.display(), megabytes(backup.file_bytes));
        line(match lang {
            Lang::Zh => format!(
                "已备份到 {file}，{mb} MB（{seconds:.1} 秒）；恢复时需要密钥文件，请另行保存"
            ),
            Lang::En => format!(
                "backed up to {file}, {mb} MB ({seconds:.1} s); to restore it takes the key file: \
                 keep that elsewhere"
            ),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// With one decimal.
fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10)
}

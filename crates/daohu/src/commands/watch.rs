//! What a backup, a restore and a copy show while they work, and how they are stopped.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use daohu_app::{
    Lang,
    backup::{Phase, Progress, TableSum},
};
use tokio::task::JoinHandle;

use super::stoppable::on_ctrl_c;
use crate::output::{Failure, line, status};

/// Work that is done sooner shows nothing.
const SOON: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(500);

/// Ends with the work that it is about.
pub(super) struct Watch {
    pub(super) progress: Arc<Progress>,
    stopper: JoinHandle<()>,
    teller: JoinHandle<()>,
    has_told: Arc<AtomicBool>,
}

impl Watch {
    /// From now on Ctrl-C asks for a clean stop, and a terminal is told how far it is.
    pub(super) fn begin(lang: Lang) -> Self {
        let progress = Arc::new(Progress::default());
        let (watched, has_told) = (Arc::clone(&progress), Arc::new(AtomicBool::new(false)));
        let stopper = on_ctrl_c(move || watched.cancelled.store(true, Ordering::Relaxed));
        let (watched, told) = (Arc::clone(&progress), Arc::clone(&has_told));
        let teller = tokio::spawn(async move {
            if !std::io::stderr().is_terminal() {
                return;
            }
            tokio::time::sleep(SOON).await;
            loop {
                told.store(true, Ordering::Relaxed);
                status(says(watched.now(), lang));
                tokio::time::sleep(AGAIN).await;
            }
        });
        Self { progress, stopper, teller, has_told }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stopper.abort();
        self.teller.abort();
        if self.has_told.load(Ordering::Relaxed) {
            status("");
        }
    }
}

fn says((phase, rows, bytes): (Phase, u64, u64), lang: Lang) -> String {
    let what = match phase {
        Phase::Waiting => lang.pick("等待正在写入的导入结束", "waiting for an import to end"),
        Phase::Rows => lang.pick("读写数据", "rows"),
        Phase::Indexes => lang.pick("建立索引", "making indexes"),
        Phase::Comparing => lang.pick("重新读出并核对", "reading again and comparing"),
        Phase::Verifying => lang.pick("核对日志的链", "verifying the journal"),
    };
    let rows = match (rows, lang) {
        (0, _) => String::new(),
        (rows, Lang::Zh) => format!("：{rows} 行"),
        (rows, Lang::En) => format!(": {rows}"),
    };
    let bytes = if bytes > 0 { format!(", {} MB", bytes / 1_000_000) } else { String::new() };
    format!("{what}{rows}{bytes}")
}

/// Prints what tables hold; a mark says whether something stands beside that is the same.
pub(super) fn print_tables<'t>(
    tables: impl Iterator<Item = &'t TableSum>,
    mark: &str,
    lang: Lang,
) -> Result<(), Failure> {
    // Wide characters take two places: the head is measured by hand.
    line(lang.pick(
        "表                              行数  校验和",
        "table                           rows  hash",
    ))?;
    for TableSum { table, rows, hash } in tables {
        let hash = hash.get(..HASH_SHOWN).unwrap_or(hash);
        line(format_args!("{table:<24} {rows:>11}  {hash}{mark}"))?;
    }
    Ok(())
}

/// The characters of a hash that people compare; `--json` has them all.
const HASH_SHOWN: usize = 16;

//! What commands print, and their exit codes.

use std::{io::Write, process::ExitCode};

use daohu_app::{Error, Lang, http::ApiError, keys::KeyError};
use daohu_db::Error as DbError;

/// Done, but with something found or refused.
pub(crate) const FINDING: u8 = 1;
const USAGE: u8 = 2;
const STORAGE: u8 = 3;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    words: Words,
}

#[derive(Debug)]
enum Words {
    Text(String),
    /// Told in the words of the interface.
    Problem(Box<ApiError>),
}

impl Failure {
    fn with(code: u8, text: String) -> Self {
        Self { code, words: Words::Text(text) }
    }

    /// The command was called wrongly.
    pub(crate) fn usage(text: String) -> Self {
        Self::with(USAGE, text)
    }

    /// The command refuses.
    pub(crate) fn refusal(text: String) -> Self {
        Self::with(FINDING, text)
    }

    /// The rows of an import are stored, its report is not.
    pub(crate) fn report_failed() -> Self {
        let problem = Box::new(ApiError::new("exchange.report_failed"));
        Self { code: STORAGE, words: Words::Problem(problem) }
    }

    /// Prints it and gives the exit code.
    pub(crate) fn report(self, lang: Lang) -> ExitCode {
        let text = match self.words {
            Words::Text(text) => text,
            Words::Problem(problem) => problem.words(lang),
        };
        // Where nobody listens, the exit code still tells.
        let _ = writeln!(std::io::stderr(), "{}{text}", lang.pick("错误：", "error: "));
        ExitCode::from(self.code)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        let mut text = error.to_string();
        // The engine's own words follow: this is the operator's terminal.
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            text.push_str(&format!(": {inner}"));
            source = inner.source();
        }
        Self::with(STORAGE, text)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::File(error) => Self::with(STORAGE, error.to_string()),
            Error::Key(error) => error.into(),
            Error::NoRoom { ref folder, needed, free } => {
                let (needed, free) = (needed >> 20, free >> 20);
                let text = format!(
                    "磁盘空间不足：{folder} 需要 {needed} MB，剩余 {free} MB / not enough room on the \
                     disk: {needed} MB are needed in {folder}, {free} MB are free [exchange.disk_full]"
                );
                Self::with(STORAGE, text)
            }
            Error::Spreadsheet(error) => Self::refusal(spreadsheet(&error)),
            other => Self { code: FINDING, words: Words::Problem(Box::new(other.into())) },
        }
    }
}

/// A file's error in both languages: it is the most common one, and clerks see it.
fn spreadsheet(error: &daohu_app::exchange::FileError) -> String {
    let mut place = error.path.display().to_string();
    if let Some(sheet) = &error.sheet {
        place.push_str(&format!(" [{sheet}]"));
    }
    if let Some(row) = error.row {
        place.push_str(&format!(" 第 {row} 行"));
    }
    if let Some(column) = &error.column {
        place.push_str(&format!(" “{column}”"));
    }
    let (zh, en) = (error.problem.says(Lang::Zh), error.problem.says(Lang::En));
    format!("{place}: {zh} / {en} [{}]", error.problem.code())
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::with(STORAGE, error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::with(STORAGE, error.to_string())
    }
}

/// Prints a JSON line.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(std::io::Error::other)?;
    line(text)
}

/// Prints a line of text, which may go on in others: the one way to standard output. A pipe that was
/// closed has been given all that its reader wanted.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// The most memory this process has held, in bytes; 0 where the system does not tell.
pub(crate) fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

//! What commands print, and their exit codes.

use std::{io::Write, path::Path, process::ExitCode};

use daohu_app::{Error, Lang, exchange::FileError, http::ApiError, keys::KeyError};
use daohu_base::AreaCode;
use daohu_db::Error as DbError;
use daohu_policy::BadPack;

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
    Text {
        zh: String,
        en: String,
    },
    /// Told in the words of the interface.
    Problem(Box<ApiError>),
    /// A file of an import, with its whole path: who calls this command knows the folders.
    Spreadsheet(Box<FileError>),
}

impl Failure {
    fn with(code: u8, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code, words: Words::Text { zh: zh.into(), en: en.into() } }
    }

    /// The command was called wrongly.
    pub(crate) fn usage(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::with(USAGE, zh, en)
    }

    /// The command refuses.
    pub(crate) fn refusal(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::with(FINDING, zh, en)
    }

    /// The database or a file that goes with it cannot be used.
    pub(crate) fn storage(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::with(STORAGE, zh, en)
    }

    /// What was asked of an area.
    pub(crate) fn of_area(area: &AreaCode, error: Error) -> Self {
        match error {
            Error::NotFound(_) => {
                Self::refusal(format!("没有这个区划：{area}"), format!("no such area: {area}"))
            }
            other => other.into(),
        }
    }

    /// What was asked of a household.
    pub(crate) fn of_household(reference: &str, error: Error) -> Self {
        match error {
            Error::NotFound(_) => Self::refusal(
                format!("没有这一户：{reference}"),
                format!("no such household: {reference}"),
            ),
            Error::Ambiguous(choices) => {
                let choices = choices.join(" ");
                Self::refusal(
                    format!("几个县都有，请选一个：{choices}"),
                    format!("several counties have it, choose one: {choices}"),
                )
            }
            other => other.into(),
        }
    }

    /// A policy pack that cannot be used.
    pub(crate) fn of_pack(bad: &BadPack) -> Self {
        Self::refusal(
            format!("政策包不能用：{bad}"),
            format!("the policy pack cannot be used: {bad}"),
        )
    }

    /// All that is wrong with policy packs.
    pub(crate) fn of_packs(found: &[BadPack]) -> Self {
        let all: Vec<String> = found.iter().map(|bad| format!("\n  {bad}")).collect();
        let (count, all) = (found.len(), all.concat());
        Self::refusal(
            format!("政策包不能用，有 {count} 处：{all}"),
            format!("the policy packs cannot be used, for {count} reasons:{all}"),
        )
    }

    /// A file or folder that cannot be written, named as it was typed.
    pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Self {
        let path = path.display();
        Self::with(
            STORAGE,
            format!("不能写入 {path}：{error}"),
            format!("cannot write {path}: {error}"),
        )
    }

    /// The same, as a refusal.
    pub(crate) fn refused(self) -> Self {
        Self { code: FINDING, ..self }
    }

    /// The rows of an import are stored, its report is not.
    pub(crate) fn report_failed() -> Self {
        let problem = Box::new(ApiError::new("exchange.report_failed"));
        Self { code: STORAGE, words: Words::Problem(problem) }
    }

    /// In Chinese and in English.
    pub(crate) fn texts(&self) -> [String; 2] {
        [Lang::Zh, Lang::En].map(|lang| self.text(lang))
    }

    fn text(&self, lang: Lang) -> String {
        match &self.words {
            Words::Text { zh, en } => lang.pick(zh, en).to_owned(),
            Words::Problem(problem) => problem.words(lang),
            Words::Spreadsheet(error) => spreadsheet(error, lang),
        }
    }

    /// The same, told on standard output besides where a program asked for JSON: that nothing was stored, and why.
    pub(crate) fn told(self, lang: Lang, as_json: bool) -> Self {
        if as_json && self.code == FINDING {
            let problem = match &self.words {
                Words::Problem(problem) => problem.to_json(lang),
                _ => serde_json::json!({ "title": self.text(lang), "errors": [] }),
            };
            // The exit code tells where nobody reads it.
            let _ = json(&serde_json::json!({ "committed": false, "problem": problem }));
        }
        self
    }

    /// Prints it and gives the exit code.
    pub(crate) fn report(self, lang: Lang) -> ExitCode {
        let text = self.text(lang);
        note(format_args!("{}{text}", lang.pick("错误：", "error: ")));
        ExitCode::from(self.code)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        let (zh, en) = match &error {
            DbError::NoDatabase(place) => (
                format!("{place} 没有到户的数据库；请先建立：daohu migrate --db …"),
                format!(
                    "there is no Daohu database at {place}: create it with `daohu migrate --db …`"
                ),
            ),
            DbError::Connection(why) => (
                format!("连不上 PostgreSQL（{why}）；请检查 --db 的地址，以及服务器是否在运行"),
                format!(
                    "PostgreSQL is not reached ({why}): check the address in --db, and that the \
                     server is running"
                ),
            ),
            DbError::OlderSchema { found, known } => (
                format!(
                    "数据库的结构版本是 {found}，本程序需要 {known}；请先升级：daohu migrate --db …"
                ),
                format!(
                    "the database has schema {found}, this program needs {known}: bring it up to \
                     date with `daohu migrate --db …`"
                ),
            ),
            DbError::NewerSchema { found, known } => (
                format!("数据库的结构版本是 {found}，本程序只认识 {known}；请升级程序"),
                error.to_string(),
            ),
            DbError::Busy => (
                "数据库正忙，请稍后再试".to_owned(),
                "the database is busy: try again later".to_owned(),
            ),
            DbError::DiskFull => (
                "磁盘已满；请腾出空间后再试".to_owned(),
                "the disk is full: make room and try again".to_owned(),
            ),
            other => {
                // The engine's own words follow: this is the operator's terminal.
                let text = daohu_db::with_causes(other);
                (format!("数据库出错：{text}"), text)
            }
        };
        Self::with(STORAGE, zh, en)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::File(error) => error.into(),
            Error::Key(error) => error.into(),
            Error::NoRoom { ref folder, needed, free } => {
                let (needed, free) = (needed >> 20, free >> 20);
                let zh = format!("磁盘空间不足：{folder} 需要 {needed} MB，剩余 {free} MB");
                let en = format!(
                    "not enough room on the disk: {needed} MB are needed in {folder}, {free} MB are \
                     free"
                );
                Self::with(
                    STORAGE,
                    format!("{zh} [exchange.disk_full]"),
                    format!("{en} [exchange.disk_full]"),
                )
            }
            Error::Backup(error) => {
                let says = |lang| format!("{} [{}]", error.says(lang), error.code());
                Self::with(FINDING, says(Lang::Zh), says(Lang::En))
            }
            Error::Spreadsheet(error) => {
                Self { code: FINDING, words: Words::Spreadsheet(Box::new(error)) }
            }
            other => Self { code: FINDING, words: Words::Problem(Box::new(other.into())) },
        }
    }
}

fn spreadsheet(error: &FileError, lang: Lang) -> String {
    let mut place = error.path.display().to_string();
    if let Some(sheet) = &error.sheet {
        place.push_str(&format!(" [{sheet}]"));
    }
    if let Some(row) = error.row {
        place.push_str(&match lang {
            Lang::Zh => format!(" 第 {row} 行"),
            Lang::En => format!(" row {row}"),
        });
    }
    if let Some(column) = &error.column {
        place.push_str(&format!(" “{column}”"));
    }
    let mark = lang.pick("：", ": ");
    format!("{place}{mark}{} [{}]", error.problem.says(lang), error.problem.code())
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match &error {
            KeyError::File { path, reason } => Self::with(
                STORAGE,
                format!(
                    "密钥文件 {path} 不能用（{reason}）；请用 --keys 指明这个数据库的密钥文件，没有它数据无法读出"
                ),
                format!(
                    "the key file {path} is of no use ({reason}): name this database's own with \
                     --keys, without it the data cannot be read"
                ),
            ),
            KeyError::Sealed => Self::with(
                STORAGE,
                "密文打不开：密钥文件不是这个数据库的（用 --keys 指明），或者数据被改动",
                "a sealed value does not open: the key file is not this database's (name it with \
                 --keys), or the value was altered",
            ),
            KeyError::Random => {
                Self::with(STORAGE, "本机不能产生随机数", "the machine gives no random numbers")
            }
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let zh = format!("文件读写失败：{error}");
        Self::with(STORAGE, zh, format!("a file could not be read or written: {error}"))
    }
}

/// Stands where there is nothing to tell.
pub(crate) const NONE: &str = "-";

/// Rows below a head as lines whose columns stand below each other: words to the left, numbers to the right.
pub(crate) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    // A terminal gives these two places.
    let width =
        |cell: &str| -> usize { cell.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum() };
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |nth: usize| rows.iter().filter_map(|row| row.get(nth)).map(|c| width(c)).max();
    let widths: Vec<usize> = (0..columns).map(|nth| widest(nth).unwrap_or_default()).collect();
    let is_number = |cell: &String| {
        let digits = cell.trim_end_matches('%');
        cell.is_empty() || cell == NONE || digits.parse::<f64>().is_ok()
    };
    let are_numbers: Vec<bool> = (0..columns)
        .map(|nth| nth > 0 && rows.iter().skip(1).filter_map(|row| row.get(nth)).all(is_number))
        .collect();
    let of_row = |row: &Vec<String>| {
        let cells = row.iter().zip(widths.iter().zip(&are_numbers));
        let cells = cells.map(|(cell, (widest, is_number))| {
            let space = " ".repeat(widest.saturating_sub(width(cell)));
            if *is_number { format!("{space}{cell}") } else { format!("{cell}{space}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(of_row).collect()
}

/// Prints a line for people on standard error. Where nobody listens, the exit code still tells.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes over the line that was written so before, on standard error: where a person watches.
pub(crate) fn status(text: impl std::fmt::Display) {
    let mut out = std::io::stderr();
    let _ = write!(out, "\r{text}\x1b[K").and_then(|()| out.flush());
}

/// Prints a JSON line.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(std::io::Error::other)?;
    line(text)
}

/// Prints a value: on one line for programs, or over several for people.
pub(crate) fn shown(value: &impl serde::Serialize, for_programs: bool) -> Result<(), Failure> {
    if for_programs {
        return json(value);
    }
    line(serde_json::to_string_pretty(value).map_err(std::io::Error::other)?)
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

#[cfg(test)]
mod tests {
    use super::aligned;

    #[test]
    fn columns_stand_below_each_other_in_either_script() {
        let rows = [vec!["表", "行"], vec!["年度收入", "7"], vec!["ab", "161885"]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        assert_eq!(aligned(&rows), ["表            行", "年度收入       7", "ab        161885"]);
        let rows = [vec!["规则", "次数", "问题"], vec!["R1", "12", "无"], vec!["R20", "-", "年龄"]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        assert_eq!(aligned(&rows), ["规则  次数  问题", "R1      12  无", "R20      -  年龄"]);
    }
}

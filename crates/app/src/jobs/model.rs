//! What a job is, what it may become, and what its files are called.

use std::collections::BTreeMap;

use daohu_base::{AreaCode, Timestamp};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Error, FieldError, Lang, Referrer, area_changes,
    exchange::{
        Counts, RowReport,
        import::{Blank, OnError, Summary},
    },
    http::ApiError,
    undo::Undone,
};

/// Longest name of a file that is kept, in bytes: file systems take 255.
const NAME_BYTES_MAX: usize = 200;
/// What stands for a name of which nothing is left.
const NAMELESS: &str = "file";

/// What kind of work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Of uploaded files.
    Import,
    /// Into a file.
    Export,
    /// Areas that are renamed, merged, split.
    AreaChange,
    /// An import that is taken back.
    Undo,
}

/// Jobs of one lane are carried out one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// What writes many records waits for each other anyway.
    Writing,
    /// What only reads.
    Reading,
}

/// A job in the hands of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The job's id.
    pub job: String,
    /// Names the run of the server.
    pub server: String,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It waits for its turn.
    Queued,
    /// A server works on it.
    Running,
    /// It was carried out.
    Done,
    /// By the rules it may not be carried out; nothing was stored.
    Refused,
    /// Its maker stopped it; nothing was stored.
    Cancelled,
    /// It could not be carried out; nothing was stored.
    Failed,
    /// The server stopped in the middle; nothing was stored.
    Interrupted,
}

/// What a running job is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The files are read and the rows checked.
    Reading,
    /// Rows are compared with what is stored, and written.
    Storing,
    /// Rows are written to the file.
    Writing,
    /// It waits for those that write, or writes.
    Working,
    /// It was asked to stop and will.
    Cancelling,
}

/// A job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) state: State,
    pub(super) request: Request,
    pub(super) result: Option<Outcome>,
    pub(super) rows_done: u64,
    pub(super) rows_total: Option<u64>,
    pub(super) cancel_wanted: bool,
    /// How often a server began it.
    pub(super) attempts: i64,
    pub(super) is_stored: bool,
    pub(super) files_kept: bool,
    pub(super) created_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) queued_at: Option<Timestamp>,
}

/// What is asked for, as it is stored: what a slice adds to its request has a default, so that a job of yesterday is
/// still read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    Import(ImportRequest),
    Export(ExportRequest),
    AreaChange(area_changes::Request),
    Undo(UndoRequest),
}

/// An import that is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UndoRequest {
    pub(super) import: String,
    pub(super) dry_run: bool,
}

/// An import of uploaded files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportRequest {
    pub(super) files: Vec<UploadedFile>,
    pub(super) dry_run: bool,
    pub(super) on_error: OnErrorOption,
    pub(super) blank: BlankOption,
    pub(super) english: bool,
}

/// A file as it was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct UploadedFile {
    /// Its name at home.
    pub(super) name: String,
    /// Its length.
    pub(super) bytes: u64,
}

/// An export into a file to be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportRequest {
    pub(super) area: String,
    pub(super) sheets: Vec<String>,
    pub(super) format: FormatOption,
    pub(super) masked: bool,
    pub(super) reason: Option<String>,
}

/// What a refused row does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnErrorOption {
    /// Nothing is stored.
    #[default]
    Abort,
    /// The other rows go in.
    RejectRow,
}

/// What a blank cell does to a stored value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BlankOption {
    /// It stays.
    #[default]
    Keep,
    /// It is erased.
    Clears,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FormatOption {
    /// An archive (ZIP) of CSV files.
    Csv,
    /// One workbook.
    #[default]
    Xlsx,
    /// An archive (ZIP) of Parquet files, one for each sheet; not to be imported again.
    Parquet,
}

/// How a job is to be tried again; what is absent stays as it was.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    /// False if absent and the last run was a finished dry run.
    pub(super) dry_run: Option<bool>,
    /// Of an import.
    pub(super) on_error: Option<OnErrorOption>,
    /// Of an import.
    pub(super) blank: Option<BlankOption>,
}

/// What came of a job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) import: Option<ImportSummary>,
    #[serde(default)]
    pub(super) area_change: Option<area_changes::Told>,
    #[serde(default)]
    pub(super) undone: Option<Undone>,
    pub(super) rows: Option<u64>,
    pub(super) has_file: bool,
    pub(super) problem: Option<Reason>,
}

/// What an import did, or on a dry run would have done: as `daohu import --json` tells it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ImportSummary {
    /// True if anything was stored.
    pub(super) committed: bool,
    /// Counts by sheet; outcomes add up to the rows.
    pub(super) sheets: BTreeMap<String, Counts>,
    /// Headers that were not known and were ignored, by file.
    pub(super) unknown_columns: BTreeMap<String, Vec<String>>,
    /// The first rows with something to say about them, refused ones first. In a list it is empty.
    pub(super) problems: Vec<RowReport>,
}

/// Why a job was not carried out: a code of the catalogue, and what is particular in Chinese and
/// English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reason {
    pub(super) code: String,
    pub(super) detail: Option<[String; 2]>,
    #[serde(default)]
    pub(super) faults: Vec<Fault>,
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault {
    pub(super) column: String,
    pub(super) value: Option<String>,
    pub(super) code: String,
    /// Empty where the catalogue has the words.
    pub(super) message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) by: Vec<Referrer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u64>,
}

impl Lane {
    pub(super) const ALL: [Self; 2] = [Self::Writing, Self::Reading];

    pub(super) const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Writing => &[Kind::Import, Kind::AreaChange, Kind::Undo],
            Self::Reading => &[Kind::Export],
        }
    }
}

impl Kind {
    const ALL: [Self; 4] = [Self::Import, Self::Export, Self::AreaChange, Self::Undo];

    /// As stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::AreaChange => "area_change",
            Self::Undo => "undo",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What the journal calls such a job.
    pub(super) const fn in_journal(self) -> &'static str {
        match self {
            Self::Import => "import_job",
            Self::Export => "export_job",
            Self::AreaChange => "area_change_job",
            Self::Undo => "undo_job",
        }
    }

    pub(super) fn lane(self) -> Lane {
        if Lane::Reading.kinds().contains(&self) { Lane::Reading } else { Lane::Writing }
    }

    /// True if it works on, or makes, files that lie in the folder of a server.
    pub(super) const fn has_files(self) -> bool {
        matches!(self, Self::Import | Self::Export)
    }
}

impl State {
    const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Refused,
        Self::Cancelled,
        Self::Failed,
        Self::Interrupted,
    ];

    /// As stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// True if nothing more will happen by itself.
    pub(super) const fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl Request {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Import(_) => Kind::Import,
            Self::Export(_) => Kind::Export,
            Self::AreaChange(_) => Kind::AreaChange,
            Self::Undo(_) => Kind::Undo,
        }
    }

    /// True if nothing is to be stored; none if nothing ever is.
    pub(super) const fn dry_run(&self) -> Option<bool> {
        match self {
            Self::Import(request) => Some(request.dry_run),
            Self::AreaChange(request) => Some(request.dry_run),
            Self::Undo(request) => Some(request.dry_run),
            Self::Export(_) => None,
        }
    }

    /// The rights that one grant must give together.
    pub(super) fn rights(&self) -> &'static [Right] {
        match self {
            Self::Import(_) => &[Right::RegistryImport],
            Self::Export(request) => request.rights(),
            Self::AreaChange(_) => &[Right::AreasWrite],
            Self::Undo(_) => &[Right::RegistryImport],
        }
    }
}

impl ExportRequest {
    pub(super) fn rights(&self) -> &'static [Right] {
        rights_to_export(self.masked)
    }

    pub(super) fn area(&self) -> Result<AreaCode, Error> {
        AreaCode::parse(&self.area).map_err(|_| Error::NotFound("area"))
    }
}

/// The rights that one grant must give together to import a sheet of areas.
pub(super) const RIGHTS_TO_AREAS: &[Right] = &[Right::RegistryImport, Right::AreasWrite];

/// Full numbers leave by the door for which the right to reveal is needed.
pub(super) const fn rights_to_export(masked: bool) -> &'static [Right] {
    match masked {
        true => &[Right::RegistryExport],
        false => &[Right::RegistryExport, Right::RegistryReveal],
    }
}

impl ImportRequest {
    /// The same files, to be tried again.
    fn again(&self, dry_run: bool, again: Again) -> Self {
        Self {
            files: self.files.clone(),
            dry_run,
            on_error: again.on_error.unwrap_or(self.on_error),
            blank: again.blank.unwrap_or(self.blank),
            english: self.english,
        }
    }

    pub(super) const fn lang(&self) -> Lang {
        if self.english { Lang::En } else { Lang::Zh }
    }
}

impl Job {
    /// What is asked for when a job is tried again: after a dry run, for real.
    pub(super) fn again(&self, again: Again) -> Result<Request, Error> {
        if !self.state.has_ended() {
            return Err(Error::Refused("job.not_ended"));
        }
        if self.is_stored {
            return Err(Error::Refused("job.stored"));
        }
        if self.request.kind().has_files() && !self.files_kept {
            return Err(Error::Refused("job.files_gone"));
        }
        if self.request.kind() != Kind::Import
            && (again.on_error.is_some() || again.blank.is_some())
        {
            return Err(Error::Refused("job.no_import"));
        }
        let as_before = self.request.dry_run() == Some(true) && self.state != State::Done;
        let dry_run = again.dry_run.unwrap_or(as_before);
        Ok(match self.request.clone() {
            Request::Import(request) => Request::Import(request.again(dry_run, again)),
            Request::AreaChange(request) => {
                Request::AreaChange(area_changes::Request { dry_run, ..request })
            }
            Request::Undo(request) => Request::Undo(UndoRequest { dry_run, ..request }),
            // It leaves no file that was asked for once more.
            export @ Request::Export(_) if self.state != State::Done => export,
            Request::Export(_) => return Err(Error::Refused("job.ended")),
        })
    }

    /// True if a file came of it that is still there.
    pub(super) fn has_file(&self) -> bool {
        self.files_kept && self.result.as_ref().is_some_and(|result| result.has_file)
    }

    /// What it is at, if it runs.
    pub(super) fn phase(&self) -> Option<Phase> {
        if self.state != State::Running {
            return None;
        }
        Some(match &self.request {
            _ if self.cancel_wanted => Phase::Cancelling,
            Request::Export(_) => Phase::Writing,
            Request::Import(_) if self.rows_total.is_none() => Phase::Reading,
            Request::Import(_) => Phase::Storing,
            Request::AreaChange(_) | Request::Undo(_) => Phase::Working,
        })
    }
}

impl Outcome {
    /// Leaves only why it ended.
    pub(super) fn hide(&mut self) {
        let problem = self.problem.take();
        let problem = problem.map(|reason| Reason { detail: None, faults: Vec::new(), ..reason });
        *self = Self { problem, ..Self::default() };
    }
}

impl Reason {
    pub(super) fn of(code: &str) -> Self {
        Self { code: code.to_owned(), detail: None, faults: Vec::new() }
    }

    /// Of an error that ended a job; what only the operator should know goes to the log.
    pub(super) fn logged(id: &str, error: Error) -> Self {
        let faults = match &error {
            Error::Invalid(fields) | Error::InTheWay(_, fields) => {
                fields.iter().cloned().map(Fault::from).collect()
            }
            _ => Vec::new(),
        };
        let error = ApiError::from(error);
        error.log(id);
        let (code, detail) = error.to_parts();
        Self { code: code.to_owned(), detail, faults }
    }
}

impl From<FieldError> for Fault {
    fn from(error: FieldError) -> Self {
        let FieldError { column, value, code, message, by, limit } = error;
        Self { column, value, code: code.to_owned(), message, by, limit }
    }
}

impl From<Summary> for ImportSummary {
    fn from(summary: Summary) -> Self {
        let Summary { committed, sheets, unknown_columns, problems, .. } = summary;
        let sheets = sheets.into_iter().map(|(name, counts)| (name.to_owned(), counts)).collect();
        Self { committed, sheets, unknown_columns, problems }
    }
}

impl From<OnErrorOption> for OnError {
    fn from(option: OnErrorOption) -> Self {
        match option {
            OnErrorOption::Abort => Self::Abort,
            OnErrorOption::RejectRow => Self::RejectRow,
        }
    }
}

impl From<BlankOption> for Blank {
    fn from(option: BlankOption) -> Self {
        match option {
            BlankOption::Keep => Self::Keep,
            BlankOption::Clears => Self::Clears,
        }
    }
}

/// The name under which an uploaded file is kept: its own, which the sheet is recognised by, without
/// what could lead elsewhere or hide it.
pub(super) fn file_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control()).collect();
    let plain = plain.trim().trim_start_matches(['.', '~']).trim();
    let (stem, extension) = match plain.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 8 => (stem, format!(".{extension}")),
        _ => (plain, String::new()),
    };
    let mut stem = if stem.is_empty() { NAMELESS.to_owned() } else { stem.to_owned() };
    while stem.len() + extension.len() > NAME_BYTES_MAX {
        stem.pop();
    }
    stem + &extension
}

#[cfg(test)]
mod tests;

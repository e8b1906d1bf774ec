//! The errors of operations, before they reach an edge (HTTP or the command line).

use crate::keys::KeyError;

/// What can stop an operation. Each variant carries what its words need; the words themselves, in
/// both languages, stand in the catalogue (`http::problem`).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing there, or nothing that the scope covers: the two look the same from outside.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The record changed since the caller read it.
    #[error("{what} has version {current}")]
    Stale {
        /// Which kind of record.
        what: &'static str,
        /// The version now.
        current: i64,
    },
    /// The input breaks rules.
    #[error("invalid input: {0:?}")]
    Invalid(Vec<FieldError>),
    /// Records stand in the way: a dotted code of the catalogue, and what they are.
    #[error("{0}: {1:?}")]
    InTheWay(&'static str, Vec<FieldError>),
    /// The state of things does not allow it; a dotted code of the catalogue.
    #[error("{0}")]
    Refused(&'static str),
    /// There are as many already as there may be: a dotted code of the catalogue, and how many that is.
    #[error("{0}: {1}")]
    Full(&'static str, u64),
    /// A key that people use stands in several counties.
    #[error("ambiguous: {0:?}")]
    Ambiguous(Vec<String>),
    /// There is not enough room on the disk for the work.
    #[error("{needed} bytes of disk are needed in {folder}, {free} are free")]
    NoRoom {
        /// Where.
        folder: String,
        /// How much must be free.
        needed: u64,
        /// How much is.
        free: u64,
    },
    /// The work was cancelled by its owner.
    #[error("cancelled")]
    Cancelled,
    /// The store failed.
    #[error("storage: {0}")]
    Store(#[from] daohu_db::Error),
    /// A key is missing or wrong.
    #[error("keys: {0}")]
    Key(#[from] KeyError),
    /// A file of an import is refused as a whole.
    #[error("{0}")]
    Spreadsheet(#[from] crate::exchange::FileError),
    /// A backup is not made, or not restored.
    #[error("{0}")]
    Backup(#[from] crate::backup::BackupError),
    /// The policy pack asks for what the product does not have.
    #[error("policy: {0}")]
    Policy(#[from] daohu_policy::BadPack),
    /// A file could not be read or written.
    #[error("file: {0}")]
    File(#[from] std::io::Error),
}

impl Error {
    /// Of work on many records: whoever asked for it has read no record that could be stale. What can be done is to
    /// do it again.
    pub(crate) fn met_meanwhile(self) -> Self {
        use daohu_db::{Error as DbError, Violation};
        match self {
            Self::Store(DbError::Changed | DbError::Violation(Violation::Unique)) => {
                tracing::warn!(error = %self, "work on many records met what somebody changed since it was read");
                Self::Refused("exchange.changed_meanwhile")
            }
            other => other,
        }
    }
}

/// Why a transaction is rolled back that may be only a try.
pub(crate) enum Stop<T> {
    /// It was only tried: what came of it is told, and nothing is left of it.
    Tried(T),
    /// It cannot be carried out.
    Error(Error),
}

impl<T, E: Into<Error>> From<E> for Stop<T> {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl<T> Stop<T> {
    /// What came of an act, carried out or only tried.
    pub(crate) fn told(done: Result<T, Self>) -> Result<T, Error> {
        match done {
            Ok(told) | Err(Self::Tried(told)) => Ok(told),
            Err(Self::Error(error)) => Err(error),
        }
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's name, or the column's header.
    pub column: String,
    /// The value, unless it names a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A stable dotted code.
    pub code: &'static str,
    /// In words.
    pub message: String,
    /// What refers to it, where that is what is wrong: some of it, if there is much.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Referrer>,
    /// The bound that it breaks, if the words name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A record that refers to another.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Referrer {
    /// `income`, `pairing`, `cadre` and so on.
    pub kind: String,
    /// Its key; absent where it lies outside what the reader may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

impl FieldError {
    /// Of a field that breaks a bound, which its words name.
    pub fn beyond(column: &str, code: &'static str, limit: u64) -> Self {
        Self { column: column.to_owned(), code, limit: Some(limit), ..Self::default() }
    }
}

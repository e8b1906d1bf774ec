//! What can go wrong below the product.

/// An error of the store. Its text is for the log; a user is told only that storage failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A constraint of the schema refused the row.
    #[error("a {0} constraint was violated")]
    Violation(Violation),
    /// Another transaction got in the way; the same work may succeed if tried again.
    #[error("the database is busy")]
    Busy,
    /// A row was written by somebody else since it was read.
    #[error("a row was changed meanwhile")]
    Changed,
    /// There is no database there, or it is empty.
    #[error("there is no Daohu database at {0}")]
    NoDatabase(String),
    /// The schema was made by a newer version of the program.
    #[error("the database has schema {found}, this program knows {known}: upgrade the program")]
    NewerSchema {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration in this program.
        known: i64,
    },
    /// The schema must be migrated before it can be read.
    #[error("the database has schema {found}, this program needs {known}: run `daohu migrate`")]
    OlderSchema {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration in this program.
        known: i64,
    },
    /// A migration in the database is not the one that this program knows under its number.
    #[error("migration {0} in the database differs from the program's")]
    ChangedMigration(i64),
    /// The database was to be filled, and holds something.
    #[error("the database is not empty: it holds the table {0}")]
    NotEmpty(String),
    /// A table has a column of a type that no migration uses.
    #[error("the column {column} is of the type {found}, which is not one of ours")]
    UnknownType {
        /// Table and column.
        column: String,
        /// Its type.
        found: String,
    },
    /// The address of a database cannot be read.
    #[error("a database address is sqlite:PATH or postgres://…, not {0}")]
    BadUrl(String),
    /// A row has not the shape that the code expects.
    #[error("column {index} of the row is not {wanted}")]
    Column {
        /// Position, from 0.
        index: usize,
        /// What was expected there.
        wanted: &'static str,
    },
    /// A query that must give one row gave none.
    #[error("no such row")]
    NoRow,
    /// The closure of a transaction panicked, or the store is shutting down.
    #[error("the transaction was abandoned")]
    Abandoned,
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// SQLite's own error.
    #[error("sqlite")]
    Sqlite(#[source] rusqlite::Error),
    /// PostgreSQL's own error.
    #[error("postgresql")]
    Postgres(#[source] tokio_postgres::Error),
    /// No connection to PostgreSQL could be had.
    #[error("no connection to postgresql: {0}")]
    Connection(String),
}

/// Kinds of constraints. SQLite gives no constraint names, so these are all we tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A key stands twice.
    Unique,
    /// A reference leads nowhere.
    ForeignKey,
    /// A value is outside what its column allows.
    Check,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unique => "unique",
            Self::ForeignKey => "foreign key",
            Self::Check => "check",
        })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi;
        let Some(failure) = error.sqlite_error() else { return Self::Sqlite(error) };
        match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => Self::Violation(Violation::Unique),
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Self::Violation(Violation::ForeignKey),
            ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_NOTNULL => {
                Self::Violation(Violation::Check)
            }
            ffi::SQLITE_FULL => Self::DiskFull,
            code if code & 0xff == ffi::SQLITE_BUSY || code & 0xff == ffi::SQLITE_LOCKED => {
                Self::Busy
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        match error.code() {
            Some(&SqlState::UNIQUE_VIOLATION) => Self::Violation(Violation::Unique),
            Some(&SqlState::FOREIGN_KEY_VIOLATION) => Self::Violation(Violation::ForeignKey),
            Some(&SqlState::CHECK_VIOLATION | &SqlState::NOT_NULL_VIOLATION) => {
                Self::Violation(Violation::Check)
            }
            Some(
                &SqlState::T_R_SERIALIZATION_FAILURE
                | &SqlState::T_R_DEADLOCK_DETECTED
                | &SqlState::LOCK_NOT_AVAILABLE,
            ) => Self::Busy,
            Some(&SqlState::DISK_FULL) => Self::DiskFull,
            _ => Self::Postgres(error),
        }
    }
}

/// An error and what caused it: that a connection failed says nothing without the reason.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

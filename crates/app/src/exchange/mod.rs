//! The exchange format: spreadsheets in and out.
//!
//! ```text
//! files ─► source (CSV, XLSX) ─► stage (cells read, rows checked, sorted by household)
//!       ─► import (decided household by household, written with the journal, one transaction)
//! ```
//!
//! Over HTTP both run in the background, as [`jobs`](crate::jobs).
//!
//! Invariants: all files of one import are one transaction; every row has exactly one outcome and
//! the counts add up to the rows; memory does not grow with the files.

mod csv_source;
pub(crate) mod disk;
mod error;
pub mod export;
pub mod import;
mod outcome;
mod parquet_writer;
mod report;
mod source;
mod spill;
mod table_writer;
#[cfg(test)]
mod tests;
mod xlsx_package;
mod xlsx_scan;
mod xlsx_source;
mod xlsx_tags;

pub use csv_source::text_of;
pub use error::{FileError, FileProblem};
pub use outcome::{Counts, Note, Outcome, RowReport};
pub(crate) use source::list_tables;
pub use source::{RowSink, TableRef, read_table, tables};
pub(crate) use table_writer::Partial;
pub use table_writer::{ByteOrderMark, TableWriter, write_report};

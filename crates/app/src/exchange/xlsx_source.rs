//! XLSX workbooks.

use std::path::Path;

use super::{
    error::{FileError, FileProblem},
    source::{RowSink, TableRef},
};
use crate::Error;

/// The tables of a workbook.
pub(super) fn tables(path: &Path) -> Result<Vec<TableRef>, Error> {
    Err(FileError::new(path, FileProblem::NotASpreadsheet).into())
}

/// Reads all rows of a worksheet.
pub(super) fn read(
    table: &TableRef,
    _worksheet: &str,
    _rows: &mut RowSink<'_>,
) -> Result<(), Error> {
    Err(FileError::new(&table.path, FileProblem::NotASpreadsheet).into())
}

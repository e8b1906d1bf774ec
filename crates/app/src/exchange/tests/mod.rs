//! Files in and out: what people send, what they should not send, and what is written for them.

mod book;
mod csv_files;
mod hostile;
mod parquet;
mod round_trip;
mod workbooks;

use std::{fs, path::PathBuf};

use super::{FileError, TableRef, read_table, tables};
use crate::Error;

/// A folder that goes away with the test.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// All rows of a table: numbers, and the filled cells under their database names.
fn rows(table: &TableRef) -> Result<Vec<(u64, Vec<String>)>, FileError> {
    let mut rows = Vec::new();
    let read = read_table(table, &mut |number, cells| {
        assert_eq!(cells.len(), table.sheet.columns.len());
        let filled = table.sheet.columns.iter().zip(cells);
        let filled = filled.filter(|(_, cell)| **cell != crate::sheet::Raw::Empty);
        let filled = filled.map(|(column, cell)| format!("{}={cell:?}", column.name));
        rows.push((number, filled.collect()));
        Ok(())
    });
    read.map(|()| rows).map_err(file_error)
}

/// All rows of all tables of a file.
fn read_all(path: &std::path::Path) -> Result<Vec<(u64, Vec<String>)>, FileError> {
    let mut all = Vec::new();
    for table in tables(path).map_err(file_error)? {
        all.extend(rows(&table)?);
    }
    Ok(all)
}

/// The error of a file: code, worksheet, row and column.
#[track_caller]
fn refusal(path: &std::path::Path) -> String {
    let error = read_all(path).expect_err("is refused");
    let row = error.row.map(|row| row.to_string());
    let place = [error.sheet.clone(), row, error.column.clone()];
    let place = place.map(|part| part.unwrap_or_else(|| "-".to_owned())).join(" ");
    format!("{} {place}", error.problem.code().trim_start_matches("file."))
}

fn file_error(error: Error) -> FileError {
    match error {
        Error::Spreadsheet(error) => error,
        other => panic!("not an error of the file: {other}"),
    }
}

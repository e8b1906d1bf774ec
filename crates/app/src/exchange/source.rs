//! Files as tables: which sheet of the exchange format each is, and its rows as cells.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    csv_source,
    error::{FileError, FileProblem},
    xlsx_source,
};
use crate::{
    Error,
    sheet::{Raw, Sheet},
};

/// Files named of a folder that has none to import.
const SKIPPED_MAX: usize = 20;
/// More columns than any form has: beyond this a file is not what it says.
pub(super) const COLUMNS_MAX: usize = 1_000;

/// One sheet of the exchange format in a file.
#[derive(Clone, Debug)]
pub struct TableRef {
    /// The file.
    pub path: PathBuf,
    /// The worksheet, in a workbook.
    pub worksheet: Option<String>,
    /// What it holds.
    pub sheet: &'static Sheet,
    /// For each column of the file, the sheet's column it is read as.
    pub map: Vec<Option<usize>>,
    /// Headers that are not columns of the sheet: reported and ignored.
    pub unknown: Vec<String>,
    /// In a workbook's first table: worksheets with content that are no sheet of the format.
    pub other_worksheets: Vec<String>,
}

/// Takes the rows of a table: the row's number (the header is 1) and a cell for each column of the
/// sheet; columns that the file does not have are empty.
pub type RowSink<'a> = dyn FnMut(u64, &[Raw<'_>]) -> Result<(), Error> + 'a;

/// Tells a table by its path, name, worksheet and headers.
pub(super) type Recognise<'a> =
    dyn Fn(&Path, &str, Option<&str>, &[String]) -> Result<TableRef, FileError> + 'a;

/// The tables of a file that is no sheet of the exchange format, read as `sheet`: `headers_of` has the headers of each of
/// its columns, the best first. Worksheets without the columns that every row must have are passed over, unless there is
/// no other.
pub(crate) fn list_tables(
    path: &Path,
    sheet: &'static Sheet,
    headers_of: &[&[String]],
) -> Result<Vec<TableRef>, Error> {
    let told = |path: &Path, _: &str, worksheet: Option<&str>, headers: &[String]| {
        recognise_list(path, worksheet, headers, (sheet, headers_of))
    };
    tables_of_file(path, &told)
}

/// The tables of a file, or of the files of a folder.
pub fn tables(path: &Path) -> Result<Vec<TableRef>, Error> {
    if path.is_dir() {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(path)?.filter_map(Result::ok).map(|entry| entry.path()).collect();
        // Spreadsheet programs put a lock file beside a file that is open.
        let is_hidden = |file: &Path| {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with('.') || name.starts_with("~$")
        };
        files.sort();
        let is_sheet =
            |file: &PathBuf| (is_named(file, "csv") || is_named(file, "xlsx")) && !is_hidden(file);
        let (files, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_sheet);
        if let Some(file) = others.iter().find(|file| is_named(file, "parquet"))
            && files.is_empty()
        {
            return Err(FileError::new(file, FileProblem::Parquet).into());
        }
        if files.is_empty() {
            let names = others.iter().take(SKIPPED_MAX).filter_map(|file| file.file_name());
            let skipped = names.map(|name| name.to_string_lossy().into_owned()).collect();
            return Err(FileError::new(path, FileProblem::NoSheets { skipped }).into());
        }
        let tables: Result<Vec<_>, Error> = files.iter().map(|file| tables(file)).collect();
        return Ok(tables?.into_iter().flatten().collect());
    }
    tables_of_file(path, &recognise)
}

fn tables_of_file(path: &Path, recognise: &Recognise<'_>) -> Result<Vec<TableRef>, Error> {
    let mut head = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read(&mut head));
    let length = read.map_err(|error| {
        let problem = match error.kind() {
            std::io::ErrorKind::NotFound => FileProblem::NotFound,
            _ => FileProblem::Unreadable(error.to_string()),
        };
        FileError::new(path, problem)
    })?;
    match &head {
        b"PK\x03\x04" => xlsx_source::tables(path, recognise),
        // The old binary .xls, an encrypted workbook, or a document of another program.
        [0xd0, 0xcf, 0x11, 0xe0] | [b'%', b'P', b'D', b'F'] => {
            Err(FileError::new(path, FileProblem::NotASpreadsheet).into())
        }
        b"PAR1" => Err(FileError::new(path, FileProblem::Parquet).into()),
        _ if length == 0 => Err(FileError::new(path, FileProblem::NoHeader).into()),
        _ if is_named(path, "xlsx") => {
            Err(FileError::new(path, FileProblem::Damaged("zip".to_owned())).into())
        }
        _ => csv_source::table(path, recognise).map(|table| vec![table]),
    }
}

/// Reads all rows of a table.
pub fn read_table(table: &TableRef, rows: &mut RowSink<'_>) -> Result<(), Error> {
    match &table.worksheet {
        Some(worksheet) => xlsx_source::read(table, worksheet, rows),
        None => csv_source::read(table, rows),
    }
}

fn is_named(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// Recognises a table by its name, or else by its header; maps its columns.
///
/// `name` is the file's stem or the worksheet's title.
pub(super) fn recognise(
    path: &Path,
    name: &str,
    worksheet: Option<&str>,
    headers: &[String],
) -> Result<TableRef, FileError> {
    let refuse = |problem| {
        let error = FileError::new(path, problem).at_row(1);
        worksheet.map_or(error.clone(), |title| error.in_sheet(title))
    };
    if headers.len() > COLUMNS_MAX {
        return Err(refuse(FileProblem::TooManyColumns { max: COLUMNS_MAX }));
    }
    let headers: Vec<&str> = headers.iter().map(|header| clean(header)).collect();
    let sheet = Sheet::named(name)
        .or_else(|| by_header(&headers))
        .ok_or_else(|| refuse(FileProblem::UnknownSheet))?;
    let map: Vec<Option<usize>> = headers.iter().map(|header| sheet.column_of(header)).collect();
    for (i, column) in map.iter().enumerate() {
        if column.is_some() && map.iter().skip(i + 1).any(|other| other == column) {
            let header = headers.get(i).copied().unwrap_or_default();
            return Err(refuse(FileProblem::DuplicateColumn).at_column(header));
        }
    }
    let has = |i: usize| map.contains(&Some(i));
    let missing: Vec<String> = sheet
        .columns
        .iter()
        .enumerate()
        .filter(|(i, column)| column.required && !has(*i))
        .map(|(_, column)| column.header.to_owned())
        .collect();
    if !missing.is_empty() {
        return Err(refuse(FileProblem::MissingColumns(missing)));
    }
    let unknown = headers
        .iter()
        .zip(&map)
        .filter(|(header, column)| column.is_none() && !header.is_empty())
        .map(|(header, _)| (*header).to_owned())
        .collect();
    let worksheet = worksheet.map(str::to_owned);
    let other_worksheets = Vec::new();
    Ok(TableRef { path: path.to_owned(), worksheet, sheet, map, unknown, other_worksheets })
}

/// Maps the columns of a list, each to the first of its headers that is there.
fn recognise_list(
    path: &Path,
    worksheet: Option<&str>,
    headers: &[String],
    (sheet, headers_of): (&'static Sheet, &[&[String]]),
) -> Result<TableRef, FileError> {
    let refuse = |problem| {
        let error = FileError::new(path, problem).at_row(1);
        worksheet.map_or(error.clone(), |title| error.in_sheet(title))
    };
    if headers.len() > COLUMNS_MAX {
        return Err(refuse(FileProblem::TooManyColumns { max: COLUMNS_MAX }));
    }
    let headers: Vec<&str> = headers.iter().map(|header| clean(header)).collect();
    let mut map = vec![None; headers.len()];
    for (i, (column, known)) in sheet.columns.iter().zip(headers_of).enumerate() {
        let Some(best) = known.iter().find(|known| headers.contains(&known.as_str())) else {
            if column.required {
                return Err(refuse(FileProblem::NoListColumn { headers: known.to_vec() }));
            }
            continue;
        };
        let mut places = headers.iter().enumerate().filter(|(_, header)| *header == best);
        if let Some(slot) = places.next().and_then(|(place, _)| map.get_mut(place)) {
            *slot = Some(i);
        }
        if places.next().is_some() {
            return Err(refuse(FileProblem::DuplicateColumn).at_column(best));
        }
    }
    let unknown = headers.iter().zip(&map).filter(|(_, column)| column.is_none());
    let unknown = unknown.map(|(header, _)| (*header).to_owned()).collect();
    let worksheet = worksheet.map(str::to_owned);
    Ok(TableRef {
        path: path.to_owned(),
        worksheet,
        sheet,
        map,
        unknown,
        other_worksheets: Vec::new(),
    })
}

/// A header without the marks that people put behind required columns.
fn clean(header: &str) -> &str {
    header.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '*' | '＊'))
}

/// The sheet whose required columns are all there, and most of whose columns are.
fn by_header(headers: &[&str]) -> Option<&'static Sheet> {
    let known = |sheet: &&'static Sheet| {
        headers.iter().filter(|header| sheet.column_of(header).is_some()).count()
    };
    Sheet::ALL
        .into_iter()
        .filter(|sheet| {
            let has = |i| headers.iter().any(|header| sheet.column_of(header) == Some(i));
            let mut columns = sheet.columns.iter().enumerate();
            columns.all(|(i, column)| !column.required || has(i))
        })
        .max_by_key(known)
}

/// Puts the cells of a file's row in the order of the sheet's columns.
pub(super) fn arrange<'c>(
    table: &TableRef,
    cells: impl Iterator<Item = Raw<'c>>,
    row: &mut Vec<Raw<'c>>,
) {
    row.clear();
    row.resize(table.sheet.columns.len(), Raw::Empty);
    for (cell, column) in cells.zip(&table.map) {
        if let Some(slot) = column.and_then(|i| row.get_mut(i)) {
            *slot = cell;
        }
    }
}

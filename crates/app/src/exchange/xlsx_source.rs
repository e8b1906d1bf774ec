//! XLSX workbooks, a row at a time.
//!
//! Nothing is given to the parser of cells that [`Package`] has not measured and [`scan`] has not
//! seen: see there for what hostile or careless files do.
//!
//! [`scan`]: super::xlsx_scan::scan

use std::{fs::File, io::BufReader, path::Path};

use calamine::{Cell, CellErrorType, DataRef, Reader, Xlsx, XlsxCellReader, XlsxError};

use super::{
    error::{FileError, FileProblem},
    source::{Recognise, RowSink, TableRef, arrange},
    xlsx_package::Package,
    xlsx_scan::{CELL_BYTES_MAX, Extent, letters},
};
use crate::{Error, sheet::Raw};

/// Days between the epochs of the two calendars of workbooks.
const DAYS_1904: f64 = 1462.0;

/// The tables of a workbook. Worksheets that are no sheet of the exchange format are named in the
/// first table; if there are only such, the workbook is refused.
pub(super) fn tables(path: &Path, recognise: &Recognise<'_>) -> Result<Vec<TableRef>, Error> {
    let mut package = Package::open(path)?;
    let mut workbook = open(path)?;
    let mut tables = Vec::new();
    let mut unrecognised: Vec<FileError> = Vec::new();
    for title in package.titles() {
        let Some(header) = package.scan(&title, Extent::Header)? else { continue };
        let headers = headers(&mut workbook, path, &title, header)?;
        match recognise(path, base_title(&title), Some(&title), &headers) {
            Ok(table) => tables.push(table),
            Err(error) => {
                // A title over the table, merged across it, is the usual reason: say that instead.
                package.scan(&title, Extent::Whole)?;
                match error.problem {
                    FileProblem::UnknownSheet | FileProblem::NoListColumn { .. } => {
                        unrecognised.push(error.at_row(header))
                    }
                    _ => return Err(error.at_row(header).into()),
                }
            }
        }
    }
    let others = unrecognised.iter().filter_map(|error| error.sheet.clone()).collect();
    match (tables.first_mut(), unrecognised.into_iter().next()) {
        (Some(first), _) => first.other_worksheets = others,
        (None, Some(error)) => return Err(error.into()),
        (None, None) => return Err(FileError::new(path, FileProblem::NoHeader).into()),
    }
    Ok(tables)
}

/// Reads all rows of a worksheet.
pub(super) fn read(table: &TableRef, worksheet: &str, rows: &mut RowSink<'_>) -> Result<(), Error> {
    let path = &table.path;
    let Some(header) = Package::open(path)?.scan(worksheet, Extent::Whole)? else { return Ok(()) };
    let mut workbook = open(path)?;
    let is_1904 = workbook.has_1904_epoch();
    let mut cells = Cells::open(&mut workbook, path, worksheet)?;
    let mut row = Vec::with_capacity(table.map.len());
    while let Some(number) = cells.next_row(&mut row)? {
        if number <= header || row.is_empty() {
            continue;
        }
        let mut raws = vec![Raw::Empty; table.map.len()];
        for cell in &row {
            if let Some(slot) = raws.get_mut(column_of(cell)) {
                *slot = raw(cell.get_value(), is_1904);
            }
        }
        let is_blank = |raw: &Raw<'_>| matches!(raw, Raw::Text(text) if text.trim().is_empty());
        if raws.iter().all(|raw| *raw == Raw::Empty || is_blank(raw)) {
            continue;
        }
        let mut arranged = Vec::with_capacity(table.sheet.columns.len());
        arrange(table, raws.into_iter(), &mut arranged);
        rows(number, &arranged)?;
    }
    Ok(())
}

type Workbook = Xlsx<BufReader<File>>;

fn open(path: &Path) -> Result<Workbook, FileError> {
    let file = File::open(path)
        .map_err(|error| FileError::new(path, FileProblem::Unreadable(error.to_string())))?;
    Xlsx::new(BufReader::new(file)).map_err(|error| damaged(path, &error))
}

fn damaged(path: &Path, error: &XlsxError) -> FileError {
    FileError::new(path, FileProblem::Damaged(error.to_string()))
}

/// A larger export goes on in worksheets called “户 2” or “户(2)”.
fn base_title(title: &str) -> &str {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '(' | ')' | '（' | '）');
    let base = title.trim().trim_end_matches(is_number);
    if base.is_empty() { title } else { base.trim_end_matches([' ', '_', '-', '\u{3000}']) }
}

/// The texts of the header row, which [`Package::scan`] found at `row`.
fn headers(
    workbook: &mut Workbook,
    path: &Path,
    title: &str,
    row: u64,
) -> Result<Vec<String>, FileError> {
    let mut cells = Cells::open(workbook, path, title)?;
    let mut found = Vec::new();
    while let Some(number) = cells.next_row(&mut found)? {
        if number >= row {
            break;
        }
    }
    let width = found.iter().map(|cell| column_of(cell) + 1).max().unwrap_or_default();
    let mut headers = vec![String::new(); width];
    for cell in &found {
        if let Some(slot) = headers.get_mut(column_of(cell)) {
            *slot = match raw(cell.get_value(), false) {
                Raw::Text(text) => text.to_owned(),
                Raw::Number(number) => number.to_string(),
                _ => String::new(),
            };
        }
    }
    Ok(headers)
}

type Filled<'w> = Cell<DataRef<'w>>;

/// From 1, as spreadsheets number them.
fn row_of(cell: &Filled<'_>) -> u64 {
    u64::from(cell.get_position().0) + 1
}

/// From 0.
fn column_of(cell: &Filled<'_>) -> usize {
    usize::try_from(cell.get_position().1).unwrap_or(usize::MAX)
}

/// The cells of a worksheet, gathered into rows.
struct Cells<'w> {
    reader: XlsxCellReader<'w, BufReader<File>>,
    path: &'w Path,
    title: &'w str,
    /// The first cell of the next row.
    ahead: Option<Filled<'w>>,
    ended: bool,
}

impl<'w> Cells<'w> {
    fn open(workbook: &'w mut Workbook, path: &'w Path, title: &'w str) -> Result<Self, FileError> {
        let reader = workbook.worksheet_cells_reader(title);
        let reader = reader.map_err(|error| damaged(path, &error).in_sheet(title))?;
        Ok(Self { reader, path, title, ahead: None, ended: false })
    }

    /// The filled cells of the next row, and its number. A row is read up to the first filled cell
    /// of the one after it.
    fn next_row(&mut self, row: &mut Vec<Filled<'w>>) -> Result<Option<u64>, FileError> {
        row.clear();
        row.extend(self.ahead.take());
        let mut number = row.first().map(row_of);
        while let Some(cell) = self.next_cell(number)? {
            if *number.get_or_insert(row_of(&cell)) != row_of(&cell) {
                self.ahead = Some(cell);
                break;
            }
            row.push(cell);
        }
        Ok(number)
    }

    fn next_cell(&mut self, row: Option<u64>) -> Result<Option<Filled<'w>>, FileError> {
        // The parser must not be asked again after its end.
        while !self.ended {
            let cell = self.reader.next_cell().map_err(|error| {
                let error = damaged(self.path, &error).in_sheet(self.title);
                FileError { row, ..error }
            })?;
            let Some(cell) = cell else {
                self.ended = true;
                break;
            };
            match cell.get_value() {
                DataRef::Empty => {}
                DataRef::SharedString(text) if is_too_large(text) => {
                    let problem = FileProblem::CellTooLarge { bytes_max: CELL_BYTES_MAX };
                    let error = FileError::new(self.path, problem).in_sheet(self.title);
                    let column = letters(u64::from(cell.get_position().1) + 1);
                    return Err(error.at_row(row_of(&cell)).at_column(column));
                }
                _ => return Ok(Some(cell)),
            }
        }
        Ok(None)
    }
}

fn is_too_large(text: &str) -> bool {
    u64::try_from(text.len()).is_ok_and(|bytes| bytes > CELL_BYTES_MAX)
}

fn raw<'c>(value: &'c DataRef<'_>, is_1904: bool) -> Raw<'c> {
    match value {
        DataRef::Empty => Raw::Empty,
        DataRef::SharedString(text) => Raw::Text(text),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Raw::Text(text)
        }
        DataRef::Float(number) => Raw::Number(*number),
        #[expect(clippy::cast_precision_loss, reason = "an XLSX number is a float to begin with")]
        DataRef::Int(number) => Raw::Number(*number as f64),
        DataRef::DateTime(date) if date.is_duration() => Raw::Number(date.as_f64()),
        DataRef::DateTime(date) => Raw::Date(date.as_f64() + if is_1904 { DAYS_1904 } else { 0.0 }),
        DataRef::Bool(flag) => Raw::Flag(*flag),
        DataRef::Error(error) => Raw::Broken(broken(error)),
    }
}

fn broken(error: &CellErrorType) -> &'static str {
    match error {
        CellErrorType::Div0 => "#DIV/0!",
        CellErrorType::NA => "#N/A",
        CellErrorType::Name => "#NAME?",
        CellErrorType::Null => "#NULL!",
        CellErrorType::Num => "#NUM!",
        CellErrorType::Ref => "#REF!",
        CellErrorType::Value => "#VALUE!",
        CellErrorType::GettingData => "#GETTING_DATA",
    }
}

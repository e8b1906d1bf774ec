//! Tables written as a workbook or as a folder of CSV files.
//!
//! Everything is written under a name that nobody reads and renamed when it is whole, so that a
//! killed export leaves no half file. The files can be read by their owner only: an export may hold
//! full ID and bank numbers.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use csv::ByteRecord;
use rust_xlsxwriter::{ColNum, DocProperties, ExcelDateTime, Format, RowNum, Workbook, XlsxError};
use tempfile::NamedTempFile;

use super::source::{TableRef, read_table};
use crate::{
    Error,
    sheet::{Column, Kind, Raw, Secret, Sheet},
};

/// Rows of one worksheet, without its header; a larger table goes on in the next.
const WORKSHEET_ROWS_MAX: RowNum = 1_000_000;
/// A spreadsheet's cell holds 32,767 characters; only a report of a broken file comes near.
const CELL_CHARACTERS_MAX: usize = 32_000;
/// When each workbook says it was made: the day that packed files count from.
const CREATED_ON: (u16, u8, u8) = (1980, 1, 1);
/// What a report adds to each sheet.
const REPORT_COLUMNS: [&str; 2] = ["结果", "原因"];
const REPORT_COLUMN_WIDTH: f64 = 40.0;

/// Writes tables: [`begin`](Self::begin) a sheet, write its rows, begin the next, and
/// [`finish`](Self::finish). Dropped before that, it leaves nothing.
pub struct TableWriter {
    target: Target,
}

enum Target {
    Csv(CsvFolder),
    Xlsx(Box<XlsxFile>),
}

/// Whether CSV files begin with a byte-order mark, which some spreadsheet programs want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByteOrderMark {
    /// Plain UTF-8.
    #[default]
    Without,
    /// Marked as UTF-8.
    With,
}

impl TableWriter {
    /// One file for each sheet in an existing folder, named as the exchange format says.
    pub fn csv(folder: &Path, mark: ByteOrderMark) -> Self {
        let (folder, record) = (folder.to_owned(), ByteRecord::new());
        let folder = CsvFolder { folder, mark, files: Vec::new(), current: 0, record };
        Self { target: Target::Csv(folder) }
    }

    /// One workbook.
    pub fn xlsx(path: &Path) -> Result<Self, Error> {
        let file = XlsxFile::create(path, WORKSHEET_ROWS_MAX)?;
        Ok(Self { target: Target::Xlsx(Box::new(file)) })
    }

    /// A workbook whose worksheets hold few rows.
    #[cfg(test)]
    pub(super) fn xlsx_split(path: &Path, worksheet_rows_max: RowNum) -> Result<Self, Error> {
        let file = XlsxFile::create(path, worksheet_rows_max)?;
        Ok(Self { target: Target::Xlsx(Box::new(file)) })
    }

    /// Begins a sheet with its columns and `extra` ones behind them, or goes on with the sheet that
    /// is being written.
    pub fn begin(&mut self, sheet: &'static Sheet, extra: &[&str]) -> Result<(), Error> {
        match &mut self.target {
            Target::Csv(folder) => folder.begin(sheet, extra),
            Target::Xlsx(file) => file.begin(sheet, extra),
        }
    }

    /// Writes a row: a cell for each column, as [`crate::sheet::Printer`] prints it.
    pub fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> Result<(), Error> {
        match &mut self.target {
            Target::Csv(folder) => folder.row(cells),
            Target::Xlsx(file) => file.row(cells),
        }
    }

    /// Puts the files under their names; gives these.
    pub fn finish(self) -> Result<Vec<PathBuf>, Error> {
        match self.target {
            Target::Csv(folder) => folder.finish(),
            Target::Xlsx(file) => file.finish(),
        }
    }
}

/// Writes the rows of `tables` again with the outcome and the reason of each behind it. `outcome_of`
/// is asked for the table's position and the row's number in the order of the rows; a row of which
/// it knows nothing gets empty cells.
pub fn write_report(
    tables: &[TableRef],
    mut out: TableWriter,
    outcome_of: &mut dyn FnMut(usize, u64) -> Option<(String, String)>,
) -> Result<Vec<PathBuf>, Error> {
    for (i, table) in tables.iter().enumerate() {
        out.begin(table.sheet, &REPORT_COLUMNS)?;
        let mut row: Vec<String> = Vec::new();
        read_table(table, &mut |number, cells| {
            let (outcome, reason) = outcome_of(i, number).unwrap_or_default();
            row.clear();
            row.extend(cells.iter().map(Raw::to_string));
            row.extend([outcome, reason]);
            out.row(&row)
        })?;
    }
    out.finish()
}

struct CsvFolder {
    folder: PathBuf,
    mark: ByteOrderMark,
    files: Vec<CsvFile>,
    current: usize,
    /// The row that is being written: whole rows take the writer's shorter way.
    record: ByteRecord,
}

struct CsvFile {
    sheet: &'static Sheet,
    file: Partial,
    csv: csv::Writer<File>,
}

impl CsvFolder {
    fn begin(&mut self, sheet: &'static Sheet, extra: &[&str]) -> Result<(), Error> {
        let begun = self.files.iter().position(|file| file.sheet.name == sheet.name);
        self.current = begun.unwrap_or(self.files.len());
        if begun.is_some() {
            return Ok(());
        }
        let file = Partial::create(&self.folder.join(format!("{}.csv", sheet.name)))?;
        let mut handle = file.temporary.as_file().try_clone()?;
        if self.mark == ByteOrderMark::With {
            handle.write_all("\u{feff}".as_bytes())?;
        }
        let mut csv = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_writer(handle);
        csv.write_record(headers(sheet, extra)).map_err(io::Error::from)?;
        self.files.push(CsvFile { sheet, file, csv });
        Ok(())
    }

    fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> Result<(), Error> {
        let file = self.files.get_mut(self.current).ok_or_else(not_begun)?;
        self.record.clear();
        cells.iter().for_each(|cell| self.record.push_field(cell.as_ref().as_bytes()));
        Ok(file.csv.write_byte_record(&self.record).map_err(io::Error::from)?)
    }

    fn finish(mut self) -> Result<Vec<PathBuf>, Error> {
        // All are whole before the first gets its name.
        for file in &mut self.files {
            file.csv.flush()?;
        }
        self.files.into_iter().map(|file| Ok(file.file.finish()?)).collect()
    }
}

struct XlsxFile {
    file: Partial,
    workbook: Workbook,
    titles: Vec<String>,
    table: Option<Table>,
    worksheet_rows_max: RowNum,
    bold: Format,
    text: Format,
}

/// What is being written.
struct Table {
    sheet: &'static Sheet,
    headers: Vec<String>,
    rows: RowNum,
}

impl XlsxFile {
    fn create(path: &Path, worksheet_rows_max: RowNum) -> Result<Self, Error> {
        let file = Partial::create(path)?;
        let mut workbook = Workbook::new();
        // Rows wait in unnamed files until the end: beside the workbook, where there is room for it.
        workbook.set_tempdir(file.folder()).map_err(xlsx)?;
        // The same tables make the same bytes, whenever they are written: files can be compared by their hashes.
        let (year, month, day) = CREATED_ON;
        let created = ExcelDateTime::from_ymd(year, month, day).map_err(xlsx)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
        Ok(Self {
            file,
            workbook,
            titles: Vec::new(),
            table: None,
            worksheet_rows_max,
            bold: Format::new().set_bold(),
            // Edited by hand, a cell of this format stays text: no zeros or digits are lost.
            text: Format::new().set_num_format("@"),
        })
    }

    fn begin(&mut self, sheet: &'static Sheet, extra: &[&str]) -> Result<(), Error> {
        if self.table.as_ref().is_some_and(|table| table.sheet.name == sheet.name) {
            return Ok(());
        }
        self.add_worksheet(sheet, headers(sheet, extra).map(str::to_owned).collect())
    }

    fn add_worksheet(&mut self, sheet: &'static Sheet, headers: Vec<String>) -> Result<(), Error> {
        let mut title = sheet.title.to_owned();
        let mut part = 1;
        while self.titles.contains(&title) {
            part += 1;
            title = format!("{} {part}", sheet.title);
        }
        let worksheet = self.workbook.add_worksheet_with_constant_memory().map_err(xlsx)?;
        worksheet.set_name(&title).and_then(|w| w.set_freeze_panes(1, 0)).map_err(xlsx)?;
        for (i, header) in headers.iter().enumerate() {
            let (i, kind) = (col(i)?, sheet.columns.get(i).map(|column| column.kind));
            worksheet.set_column_width(i, width(kind, header)).map_err(xlsx)?;
            worksheet.write_string_with_format(0, i, header, &self.bold).map_err(xlsx)?;
        }
        self.titles.push(title);
        self.table = Some(Table { sheet, headers, rows: 0 });
        Ok(())
    }

    fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> Result<(), Error> {
        let full = self.table.take_if(|table| table.rows >= self.worksheet_rows_max);
        if let Some(full) = full {
            self.add_worksheet(full.sheet, full.headers)?;
        }
        let table = self.table.as_mut().ok_or_else(not_begun)?;
        let last = self.titles.len().saturating_sub(1);
        let worksheet = self.workbook.worksheet_from_index(last).map_err(xlsx)?;
        table.rows += 1;
        for (i, cell) in cells.iter().map(AsRef::as_ref).enumerate() {
            if cell.is_empty() {
                continue;
            }
            let kind = table.sheet.columns.get(i).map(|column: &Column| column.kind);
            match kind.and_then(|kind| number(kind, cell)) {
                Some(number) => worksheet.write_number(table.rows, col(i)?, number),
                None => {
                    let cell = cut(cell);
                    worksheet.write_string_with_format(table.rows, col(i)?, cell, &self.text)
                }
            }
            .map_err(xlsx)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<PathBuf>, Error> {
        let mut out = BufWriter::with_capacity(1 << 18, self.file.temporary.as_file().try_clone()?);
        self.workbook.save_to_writer(&mut out).map_err(xlsx)?;
        out.flush()?;
        Ok(vec![self.file.finish()?])
    }
}

/// A file on its way to its name.
pub(crate) struct Partial {
    pub(crate) temporary: NamedTempFile,
    path: PathBuf,
}

impl Partial {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        // Renaming is atomic within one folder only.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".partial");
        let temporary = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        Ok(Self { temporary, path: path.to_owned() })
    }

    fn folder(&self) -> &Path {
        self.temporary.path().parent().unwrap_or(Path::new("."))
    }

    pub(crate) fn finish(self) -> io::Result<PathBuf> {
        self.temporary.as_file().sync_all()?;
        self.temporary.persist(&self.path).map_err(|error| error.error)?;
        Ok(self.path)
    }
}

fn headers<'a>(sheet: &'static Sheet, extra: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    sheet.columns.iter().map(|column| column.header).chain(extra.iter().copied())
}

/// The number to write for a cell; none if it is a code, or would not read back as it stands.
fn number(kind: Kind, cell: &str) -> Option<f64> {
    let measures = matches!(kind, Kind::Yuan | Kind::Quantity(..) | Kind::Count(_) | Kind::Year);
    let number: f64 = if measures { cell.parse().ok()? } else { return None };
    (number.is_finite() && number.to_string() == cell).then_some(number)
}

fn cut(cell: &str) -> String {
    match cell.char_indices().nth(CELL_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", cell.get(..end).unwrap_or_default()),
        None => cell.to_owned(),
    }
}

/// Wide enough for the header and for what usually stands below it.
fn width(kind: Option<Kind>, header: &str) -> f64 {
    let usual: f64 = match kind {
        None => return REPORT_COLUMN_WIDTH,
        Some(Kind::Secret(Secret::IdNumber | Secret::BankCard)) => 24.0,
        Some(Kind::Area(_) | Kind::Key | Kind::Group) => 17.0,
        Some(Kind::Secret(Secret::Phone) | Kind::Text(_)) => 15.0,
        Some(Kind::Day | Kind::Code(_) | Kind::Codes(..)) => 13.0,
        Some(_) => 9.0,
    };
    // A Chinese character is two digits wide.
    let header = u16::try_from(header.chars().count()).unwrap_or_default();
    usual.max(f64::from(header) * 2.0 + 2.0)
}

fn col(i: usize) -> Result<ColNum, Error> {
    Ok(ColNum::try_from(i).map_err(io::Error::other)?)
}

fn xlsx(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => error.into(),
        other => io::Error::other(other.to_string()).into(),
    }
}

pub(super) fn not_begun() -> Error {
    io::Error::other("a row before its sheet").into()
}

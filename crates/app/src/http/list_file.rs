//! A list as a file: all that it shows, row by row, as CSV or as a workbook.
//!
//! The file is whole before its first byte is sent, so that a list that breaks off is a problem and no short
//! file; it has no name on the disk, and goes with the answer. Memory does not grow with its rows.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, Write},
};

use axum::response::{IntoResponse, Response};
use rust_xlsxwriter::{ColNum, Format, RowNum, Workbook, XlsxError};
use serde::Serialize;

use super::{Answer, ApiError, Download, Page};
use crate::{Error, Lang};

/// Rows of a worksheet below its header, whatever a pack says.
const WORKSHEET_ROWS_MAX: usize = 1_000_000;
/// A spreadsheet's cell holds 32,767 characters.
const CELL_CHARACTERS_MAX: usize = 32_000;

/// The form of a list that is asked for as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// Comma-separated values.
    Csv,
    /// A workbook.
    Xlsx,
}

impl ListFormat {
    /// What `format` of a query says; none where a page is asked for.
    pub fn wanted(name: Option<&str>) -> Answer<Option<Self>> {
        match name {
            None => Ok(None),
            Some("csv") => Ok(Some(Self::Csv)),
            Some("xlsx") => Ok(Some(Self::Xlsx)),
            Some(_) => Err(ApiError::field("format", "list.unknown_format")),
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// What a list answers: a page of it, or all of it as a file.
pub enum Listing<T> {
    /// A page.
    Page(Page<T>),
    /// A file.
    File(Download),
}

impl<T: Serialize> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Page(page) => axum::Json(page).into_response(),
            Self::File(file) => file.into_response(),
        }
    }
}

/// A file that is being written.
pub struct ListFile {
    format: ListFormat,
    out: Out,
    rows: usize,
    rows_max: usize,
}

enum Out {
    Csv(Box<csv::Writer<File>>),
    Xlsx(Box<Workbook>),
}

impl ListFile {
    /// With these columns, named in Chinese and English, and so many rows at most.
    pub fn new(
        format: ListFormat,
        columns: &[(&str, &str)],
        lang: Lang,
        rows_max: usize,
    ) -> Answer<Self> {
        let names = columns.iter().map(|(zh, en)| lang.pick(zh, en));
        let out = match format {
            ListFormat::Csv => Out::csv(names),
            ListFormat::Xlsx => Out::xlsx(names),
        };
        Ok(Self { format, out: out?, rows: 0, rows_max: rows_max.min(WORKSHEET_ROWS_MAX) })
    }

    /// Writes a row; 422 where the list has more of them than one file may.
    pub fn row(&mut self, cells: &[String]) -> Answer<()> {
        if self.rows == self.rows_max {
            let max = self.rows_max;
            return Err(ApiError::new("list.too_many_rows")
                .detail(format!("最多 {max} 行"), format!("{max} rows at most")));
        }
        self.rows += 1;
        Ok(self.out.row(self.rows, cells)?)
    }

    /// The file, to be saved under this name.
    pub async fn finish(self, name: &str) -> Answer<Download> {
        let name = format!("{name}.{}", self.format.extension());
        // A workbook is packed now, which takes a while.
        let file = tokio::task::spawn_blocking(move || self.out.finish()).await;
        let file = file.map_err(|error| Error::from(io::Error::other(error)))??;
        Download::of(file, name).await
    }
}

impl Out {
    fn csv<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut file = tempfile::tempfile()?;
        // Some spreadsheet programs take a file without it for one of another encoding.
        file.write_all("\u{feff}".as_bytes())?;
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(names).map_err(io::Error::from)?;
        Ok(Self::Csv(Box::new(csv)))
    }

    fn xlsx<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut workbook = Workbook::new();
        let worksheet = workbook.add_worksheet_with_constant_memory().map_err(xlsx)?;
        let worksheet = worksheet.set_freeze_panes(1, 0).map_err(xlsx)?;
        let bold = Format::new().set_bold();
        for (column, name) in (0..).zip(names) {
            worksheet.write_string_with_format(0, column, name, &bold).map_err(xlsx)?;
        }
        Ok(Self::Xlsx(Box::new(workbook)))
    }

    fn row(&mut self, row: usize, cells: &[String]) -> Result<(), Error> {
        match self {
            Self::Csv(csv) => {
                let cells = cells.iter().map(|cell| plain(cell));
                Ok(csv.write_record(cells).map_err(io::Error::from)?)
            }
            Self::Xlsx(workbook) => {
                let row = RowNum::try_from(row).map_err(io::Error::other)?;
                let worksheet = workbook.worksheet_from_index(0).map_err(xlsx)?;
                for (column, cell) in (0 as ColNum..).zip(cells).filter(|(_, c)| !c.is_empty()) {
                    let end = cell.char_indices().nth(CELL_CHARACTERS_MAX);
                    let cell = end.and_then(|(end, _)| cell.get(..end)).unwrap_or(cell);
                    worksheet.write_string(row, column, cell).map_err(xlsx)?;
                }
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<File, Error> {
        let mut file = match self {
            Self::Csv(csv) => csv.into_inner().map_err(|error| error.into_error())?,
            Self::Xlsx(mut workbook) => {
                let file = tempfile::tempfile()?;
                let mut out = BufWriter::new(file.try_clone()?);
                workbook.save_to_writer(&mut out).map_err(xlsx)?;
                out.flush()?;
                file
            }
        };
        file.rewind()?;
        Ok(file)
    }
}

/// A cell that a spreadsheet program takes for text: it reckons with what begins like a formula.
fn plain(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{cell}") } else { cell.to_owned() }
}

fn xlsx(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => error.into(),
        other => io::Error::other(other.to_string()).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const COLUMNS: [(&str, &str); 2] = [("姓名", "name"), ("户编号", "no")];

    #[test]
    fn what_looks_like_a_formula_is_text() {
        let mut file = ListFile::new(ListFormat::Csv, &COLUMNS, Lang::Zh, 2).unwrap();
        file.row(&["=1+1".to_owned(), "H,1".to_owned()]).unwrap();
        let mut text = String::new();
        file.out.finish().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "\u{feff}姓名,户编号\n'=1+1,\"H,1\"\n");
    }

    #[test]
    fn more_rows_than_may_be_are_refused() {
        for format in [ListFormat::Csv, ListFormat::Xlsx] {
            let mut file = ListFile::new(format, &COLUMNS, Lang::En, 1).unwrap();
            let row = ["a".to_owned(), "b".to_owned()];
            file.row(&row).unwrap();
            assert!(file.row(&row).is_err(), "{format:?}");
        }
    }
}

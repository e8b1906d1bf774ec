//! What must be known of a worksheet before the parser of cells is given it.
//!
//! The parser keeps the text of a cell however long it is, counts columns without a bound and says
//! nothing of merged cells or of formulas that were never computed. One pass over the unpacked tags
//! finds all of these, with the row and column to name.

use std::io::Read;

use super::{
    error::FileProblem,
    source::COLUMNS_MAX,
    xlsx_tags::{BadPart, Tag, Tags},
};

/// More than a spreadsheet program can put into one cell, mark-up included.
pub(super) const CELL_BYTES_MAX: u64 = 1 << 20;
/// More than any row of a form.
pub(super) const ROW_BYTES_MAX: u64 = 16 << 20;
/// A workbook's last row.
const ROWS_MAX: u64 = 1 << 20;

/// How far a worksheet is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Up to the first cell below the header.
    Header,
    /// To its end.
    Whole,
}

/// Why a worksheet is refused, and where.
pub(super) enum Refused {
    /// The part cannot be unpacked or is no plain XML.
    Part(BadPart),
    /// Something in it.
    At {
        /// From 1; none if the worksheet as a whole is to blame.
        row: Option<u64>,
        /// In letters.
        column: Option<String>,
        /// What.
        problem: FileProblem,
    },
}

impl From<BadPart> for Refused {
    fn from(bad: BadPart) -> Self {
        Self::Part(bad)
    }
}

/// Looks at a worksheet; gives the row of its header, which is its first row with a filled cell, or
/// none if it has no filled cell.
pub(super) fn scan(part: impl Read, extent: Extent) -> Result<Option<u64>, Refused> {
    let mut tags = Tags::new(part)?;
    let mut scan = Scan::default();
    while let Some(tag) = tags.next()? {
        scan.see(&tag)?;
        if extent == Extent::Header && scan.is_past_header {
            break;
        }
    }
    Ok(scan.header)
}

/// Columns as a spreadsheet names them: 1 is A.
pub(super) fn letters(column: u64) -> String {
    let mut rest = column;
    let mut letters = Vec::new();
    while let Some(above) = rest.checked_sub(1) {
        letters.push(char::from(b'A' + u8::try_from(above % 26).unwrap_or(0)));
        rest = above / 26;
    }
    letters.iter().rev().collect()
}

#[derive(Default)]
struct Scan {
    in_data: bool,
    row: u64,
    column: u64,
    row_at: u64,
    cell: Option<Cell>,
    /// The tag that opened the cell.
    opening: Vec<u8>,
    header: Option<u64>,
    is_past_header: bool,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    at: u64,
    has_formula: bool,
    has_value: bool,
    /// Where the tag `<v>` ended.
    value_at: u64,
}

impl Scan {
    fn see(&mut self, tag: &Tag<'_>) -> Result<(), Refused> {
        if !self.in_data {
            return self.see_outside(tag);
        }
        if let Some(cell) = self.cell
            && tag.at - cell.at > CELL_BYTES_MAX
        {
            return Err(self.refused(FileProblem::CellTooLarge { bytes_max: CELL_BYTES_MAX }));
        }
        if tag.at - self.row_at > ROW_BYTES_MAX {
            self.column = 0;
            return Err(self.refused(FileProblem::RowTooLarge { bytes_max: ROW_BYTES_MAX }));
        }
        match (tag.name(), tag.closes()) {
            (b"c", false) => self.open_cell(tag)?,
            (b"c", true) => self.close_cell()?,
            (b"v", false) => self.open_value(tag),
            (b"v", true) => self.close_value(tag),
            (b"is" | b"t", false) => self.fill(),
            (b"f", false) => self.cell.iter_mut().for_each(|cell| cell.has_formula = true),
            (b"row", false) => self.open_row(tag)?,
            (b"row", true) => self.row_at = tag.end,
            (b"sheetData", true) => self.in_data = false,
            _ => {}
        }
        Ok(())
    }

    fn see_outside(&mut self, tag: &Tag<'_>) -> Result<(), Refused> {
        match (tag.name(), tag.closes()) {
            (b"sheetData", false) => {
                self.in_data = !tag.is_empty();
                self.row_at = tag.end;
            }
            // The parser subtracts the corners.
            (b"dimension", false) => {
                let (from, to) = range(tag).ok_or(BadPart::Malformed("dimension"))?;
                if to.0 < from.0 || to.1 < from.1 {
                    return Err(BadPart::Malformed("dimension").into());
                }
            }
            (b"mergeCell", false) => self.merged(tag)?,
            _ => {}
        }
        Ok(())
    }

    /// Merged cells above the header are a title; one in or below it leaves cells without a value.
    fn merged(&self, tag: &Tag<'_>) -> Result<(), Refused> {
        let (from, to) = range(tag).ok_or(BadPart::Malformed("mergeCell"))?;
        let header = self.header.unwrap_or(u64::MAX);
        if from == to || from.0.max(to.0) < header {
            return Ok(());
        }
        let corner = |(row, column): (u64, u64)| format!("{}{row}", letters(column));
        let range = format!("{}:{}", corner(from), corner(to));
        let (row, column) = (Some(from.0), Some(letters(from.1)));
        Err(Refused::At { row, column, problem: FileProblem::MergedCells { range } })
    }

    fn open_row(&mut self, tag: &Tag<'_>) -> Result<(), Refused> {
        let row = match tag.attribute(b"r") {
            Some(number) => digits(number),
            None => Some(self.row + 1),
        };
        let row = row.filter(|row| (1..=ROWS_MAX).contains(row) && *row > self.row);
        // Rows of one number twice, or running backwards, have no place to be reported at.
        self.row = row.ok_or(BadPart::Malformed("row"))?;
        self.row_at = tag.at;
        self.column = 0;
        Ok(())
    }

    fn open_cell(&mut self, tag: &Tag<'_>) -> Result<(), Refused> {
        let (row, column) = match place(tag) {
            Some(place) => reference(place).ok_or(BadPart::Malformed("c"))?,
            None => (self.row.max(1), self.column + 1),
        };
        if row < self.row || row > ROWS_MAX {
            return Err(BadPart::Malformed("c").into());
        }
        (self.row, self.column) = (row, column);
        if usize::try_from(column).is_ok_and(|column| column > COLUMNS_MAX) {
            return Err(self.refused(FileProblem::TooManyColumns { max: COLUMNS_MAX }));
        }
        self.opening.clear();
        self.opening.extend_from_slice(tag.inside);
        self.cell = Some(Cell { at: tag.at, ..Cell::default() });
        if tag.is_empty() { self.close_cell() } else { Ok(()) }
    }

    fn close_cell(&mut self) -> Result<(), Refused> {
        let cell = self.cell.take().unwrap_or_default();
        if cell.has_formula && !cell.has_value && !(cell.value_at > 0 && self.is_text()) {
            return Err(self.refused(FileProblem::FormulaWithoutValue));
        }
        self.is_past_header |= self.header.is_some_and(|header| self.row > header);
        Ok(())
    }

    fn open_value(&mut self, tag: &Tag<'_>) {
        if let Some(cell) = &mut self.cell {
            cell.value_at = tag.end;
        }
    }

    /// `t="str"`: the cell holds a formula's text, which may be empty.
    fn is_text(&self) -> bool {
        Tag { inside: &self.opening, at: 0, end: 0 }.attribute(b"t") == Some(b"str")
    }

    fn close_value(&mut self, tag: &Tag<'_>) {
        let is_filled = self.cell.is_some_and(|cell| cell.value_at < tag.at);
        if is_filled {
            self.fill();
        }
    }

    fn fill(&mut self) {
        if let Some(cell) = &mut self.cell {
            cell.has_value = true;
            self.header.get_or_insert(self.row);
        }
    }

    fn refused(&self, problem: FileProblem) -> Refused {
        let column = (self.column > 0).then(|| letters(self.column));
        Refused::At { row: Some(self.row), column, problem }
    }
}

/// Where a cell stands, if it says so.
fn place<'b>(tag: &Tag<'b>) -> Option<&'b [u8]> {
    // Nearly all cells begin like this.
    let rest = tag.inside.strip_prefix(b"c r=\"").unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == b'"');
    end.map_or_else(|| tag.attribute(b"r"), |end| rest.get(..end))
}

/// The corners of a range such as `A1:B2`, as row and column from 1.
fn range(tag: &Tag<'_>) -> Option<((u64, u64), (u64, u64))> {
    let text = tag.attribute(b"ref")?;
    let mut corners = text.split(|byte| *byte == b':').map(reference);
    let from = corners.next()??;
    let to = corners.next().unwrap_or(Some(from))?;
    if corners.next().is_some() { None } else { Some((from, to)) }
}

/// A place such as `B12` as row and column from 1.
fn reference(place: &[u8]) -> Option<(u64, u64)> {
    let split = place.iter().position(u8::is_ascii_digit)?;
    let (letters, number) = place.split_at_checked(split)?;
    // More letters would overflow the parser's counter; six are beyond every limit already.
    if !(1..=6).contains(&letters.len()) || !letters.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let add = |sum: u64, letter: &u8| sum * 26 + u64::from(letter.to_ascii_uppercase() - b'A') + 1;
    Some((digits(number)?, letters.iter().fold(0, add)))
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 9 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    (number > 0).then_some(number)
}

//! The sheets, their columns in the order of the exchange format, and the row buffer.

use std::fmt::{self, Write};

use super::Error;
use super::calendar::Day;
use super::columns::{
    AREAS, CADRES, HOUSEHOLDS, INCOMES, INDICATORS, ORGANISATIONS, PAIRINGS, PERSONS, TARGETS,
    TEAMS, VILLAGES,
};

/// A sheet of the exchange format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sheet {
    /// 行政区划.
    Areas,
    /// 单位.
    Organisations,
    /// 村, one row a year.
    Villages,
    /// 干部.
    Cadres,
    /// 工作队, one row a member.
    Teams,
    /// 户.
    Households,
    /// 人.
    Persons,
    /// 年度收入.
    Incomes,
    /// 结对.
    Pairings,
    /// 计划.
    Targets,
    /// 指标.
    Indicators,
}

impl Sheet {
    /// How many there are.
    pub(crate) const COUNT: usize = 11;

    /// All sheets, in the order in which an import reads them.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Areas,
        Self::Organisations,
        Self::Villages,
        Self::Cadres,
        Self::Teams,
        Self::Households,
        Self::Persons,
        Self::Incomes,
        Self::Pairings,
        Self::Targets,
        Self::Indicators,
    ];

    /// The sheet's name in the exchange format.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Areas => "areas",
            Self::Organisations => "organisations",
            Self::Villages => "villages",
            Self::Cadres => "cadres",
            Self::Teams => "teams",
            Self::Households => "households",
            Self::Persons => "persons",
            Self::Incomes => "incomes",
            Self::Pairings => "pairings",
            Self::Targets => "targets",
            Self::Indicators => "indicators",
        }
    }

    /// The sheet's file name as CSV.
    #[must_use]
    pub(crate) fn file(self) -> String {
        format!("{}.csv", self.name())
    }

    /// Column names. Every row has as many cells.
    #[must_use]
    pub(crate) fn header(self) -> &'static [&'static str] {
        match self {
            Self::Areas => AREAS,
            Self::Organisations => ORGANISATIONS,
            Self::Villages => VILLAGES,
            Self::Cadres => CADRES,
            Self::Teams => TEAMS,
            Self::Households => HOUSEHOLDS,
            Self::Persons => PERSONS,
            Self::Incomes => INCOMES,
            Self::Pairings => PAIRINGS,
            Self::Targets => TARGETS,
            Self::Indicators => INDICATORS,
        }
    }
}

/// Takes the rows. Sheets come in turn, so a sink keeps them apart.
pub(crate) trait Sink {
    /// One row, with as many cells as the sheet has columns.
    ///
    /// # Errors
    /// Whatever keeps the row from being written; the sample ends there.
    fn row(&mut self, sheet: Sheet, row: &Row) -> Result<(), Error>;
}

/// The cells of one row, in one buffer that is used again for the next row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
}

impl Row {
    /// The cells, as many as the sheet has columns; an empty cell is not known.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let cell = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            cell
        })
    }

    /// The cell of a column, counted from 0; empty where there is none.
    #[must_use]
    pub(crate) fn cell(&self, column: usize) -> &str {
        self.cells().nth(column).unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    pub(super) fn text(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(self.text.len());
    }

    pub(super) fn blank(&mut self) {
        self.ends.push(self.text.len());
    }

    /// A value as it displays.
    pub(super) fn show(&mut self, value: impl fmt::Display) {
        // Writing into a string does not fail.
        let _ = write!(self.text, "{value}");
        self.ends.push(self.text.len());
    }

    pub(super) fn maybe(&mut self, value: Option<impl fmt::Display>) {
        match value {
            Some(value) => self.show(value),
            None => self.blank(),
        }
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.text(yes_no(value));
    }

    pub(super) fn day(&mut self, value: Option<Day>) {
        self.maybe(value);
    }

    /// A number of tenths as a decimal without trailing zero.
    pub(super) fn tenths(&mut self, value: i32) {
        self.decimal(i64::from(value), 10, 1);
    }

    /// Fen as yuan, without trailing zeros.
    pub(super) fn yuan(&mut self, fen: i64) {
        self.decimal(fen, 100, 2);
    }

    /// Hundred-thousandths of a degree as degrees, without trailing zeros.
    pub(super) fn degrees(&mut self, value: i32) {
        self.decimal(i64::from(value), 100_000, 5);
    }

    fn decimal(&mut self, value: i64, one: i64, digits: usize) {
        let (whole, part) = (value.abs() / one, value.abs() % one);
        let sign = if value < 0 { "-" } else { "" };
        if part == 0 {
            return self.show(format_args!("{sign}{whole}"));
        }
        let _ = write!(self.text, "{sign}{whole}.{part:0digits$}");
        let kept = self.text.trim_end_matches('0').len();
        self.text.truncate(kept);
        self.ends.push(self.text.len());
    }

    /// Puts another value into a cell.
    pub(super) fn replace(&mut self, column: usize, value: &str) {
        let mut copy = Self::default();
        for (index, cell) in self.cells().enumerate() {
            copy.text(if index == column { value } else { cell });
        }
        *self = copy;
    }
}

/// 是 or 否.
pub(super) fn yes_no(value: bool) -> &'static str {
    if value { "是" } else { "否" }
}

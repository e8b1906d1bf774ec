//! Sheets of the exchange format as data.
//!
//! One table of columns per sheet (`columns`) is the only place that knows a field: its national
//! header, its database column, how it is written in a cell and what it means. Import, export, the
//! API's JSON, the OpenAPI schema, the journal and the table's SQL are all derived from it.
//!
//! Invariants: a record is a `Vec<Value>` in the order of its sheet's columns; an empty cell is
//! `Value::Null`, which means *not known*, never *no*; a value in a record is legal.

mod batch;
mod cell;
mod cell_error;
mod columns;
mod conditions;
mod edit;
mod json;
mod layout;
mod period;
mod print;
mod reseal;
mod selection;
mod sql;
#[cfg(test)]
pub(crate) mod tests;
mod view;

use daohu_base::AreaLevel;
use daohu_db::Type;

use crate::Lang;

pub(crate) use batch::{Batch, Named, Records};
pub(crate) use cell::id_number;
pub use cell::{Raw, Reader};
pub use cell_error::CellError;
pub(crate) use cell_error::field_error;
pub use columns::{
    AREAS, CADRES, HOUSEHOLDS, INCOMES, INDICATORS, ORGANISATIONS, PAIRINGS, PERSONS, TARGETS,
    TEAMS, VILLAGES, area, cadre, household, income, indicator, organisation, pairing, person,
    target, team, village,
};
pub(crate) use conditions::{Condition, conditions};
pub(crate) use edit::{Changes, Frame, check_version, lay, read, read_new, refused};
pub(crate) use json::{differing, shown_journal};
pub use json::{from_json, journal_of, schema, to_journal, to_json};
pub(crate) use layout::EachRow;
pub use layout::{Layout, Meta, Record};
pub(crate) use period::first_day;
pub use print::{Masking, Printer, in_words};
pub(crate) use reseal::reseal;
pub(crate) use selection::Selection;
pub(crate) use sql::{records, selected};
pub(crate) use view::{change_of, framed, integer, integer_if_any, new_of, object, text};

/// A sheet of the exchange format.
#[derive(Debug)]
pub struct Sheet {
    /// The file and table name: `households`.
    pub name: &'static str,
    /// The name of the worksheet: 户.
    pub title: &'static str,
    /// The columns, in the order of the form.
    pub columns: &'static [Column],
}

/// A column of a sheet.
#[derive(Debug)]
pub struct Column {
    /// The national form's column name.
    pub header: &'static str,
    /// Other headers that are read as this column: the national system's item ids.
    pub aliases: &'static [&'static str],
    /// The database and JSON name; units last.
    pub name: &'static str,
    /// What stands in a cell.
    pub kind: Kind,
    /// True if a row without it is refused.
    pub required: bool,
    /// What it means, for the API's readers.
    pub doc: &'static str,
}

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Free text of at most so many characters.
    Text(usize),
    /// 户编号 and its like: 1 to 32 letters or digits.
    Key,
    /// An area code of this level, or of any.
    Area(Option<AreaLevel>),
    /// A villagers' group, written by its name, stored by its area code.
    Group,
    /// One value of a code list, stored as its number.
    Code(&'static str),
    /// At most so many values of a code list, stored as their two-digit codes joined by spaces.
    Codes(&'static str, usize),
    /// 是 or 否, stored as 1 or 0.
    Flag,
    /// Yuan, stored in fen.
    Yuan,
    /// A measured quantity between these bounds.
    Quantity(f64, f64),
    /// A whole number from 0 to this.
    Count(i64),
    /// A calendar year.
    Year,
    /// A calendar day.
    Day,
    /// A year, quarters of it from the first on, or a month: 2015, 2015Q1-3, 2015-06.
    Period,
    /// A number that names a person: sealed in the database, masked on screen.
    Secret(Secret),
}

/// Numbers that never show in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// 证件号码
    IdNumber,
    /// 联系电话
    Phone,
    /// 银行卡号
    BankCard,
}

/// Names every sheet.
const ALL_SHEETS: &str = "all";

impl Sheet {
    /// How many sheets there are.
    pub const COUNT: usize = 11;

    /// The sheets in the order in which they are read.
    pub const ALL: [&'static Sheet; Self::COUNT] = [
        &AREAS,
        &ORGANISATIONS,
        &VILLAGES,
        &CADRES,
        &TEAMS,
        &HOUSEHOLDS,
        &PERSONS,
        &INCOMES,
        &PAIRINGS,
        &TARGETS,
        &INDICATORS,
    ];

    /// Where the sheet stands among [`Sheet::ALL`].
    pub fn order(&self) -> usize {
        Self::ALL.iter().position(|sheet| sheet.name == self.name).unwrap_or(Self::ALL.len())
    }

    /// The sheet of this file or worksheet name.
    pub fn named(name: &str) -> Option<&'static Sheet> {
        Self::ALL.into_iter().find(|sheet| sheet.name == name || sheet.title == name)
    }

    /// What people call it.
    pub fn called(&self, lang: Lang) -> &'static str {
        lang.pick(self.title, self.name)
    }

    /// What people call the sheet of this name; the name itself, if there is none.
    pub fn called_by(name: &str, lang: Lang) -> &str {
        Self::named(name).map_or(name, |sheet| sheet.called(lang))
    }

    /// The sheets of these names in the order of reading, each once; `all` names them all. An error is
    /// the name that no sheet has.
    pub fn chosen<'n>(
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Vec<&'static Sheet>, &'n str> {
        let mut is_chosen = [false; Self::COUNT];
        for name in names {
            let is_named = |sheet: &&'static Sheet| {
                name == ALL_SHEETS || sheet.name == name || sheet.title == name
            };
            let mut is_known = false;
            for (chosen, sheet) in is_chosen.iter_mut().zip(&Self::ALL) {
                *chosen |= is_named(sheet);
                is_known |= is_named(sheet);
            }
            if !is_known {
                return Err(name);
            }
        }
        let chosen = Self::ALL.into_iter().zip(is_chosen).filter(|(_, is_chosen)| *is_chosen);
        Ok(chosen.map(|(sheet, _)| sheet).collect())
    }

    /// What [`Sheet::chosen`] takes, for who wrote something else.
    pub fn choices() -> String {
        format!("{}, {ALL_SHEETS}", Self::ALL.map(|sheet| sheet.name).join(", "))
    }

    /// The column of this header or item id.
    pub fn column_of(&self, header: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.header == header || c.aliases.contains(&header))
    }
}

impl Kind {
    /// How the database holds it.
    pub const fn stored(self) -> Type {
        match self {
            Self::Code(_) | Self::Flag | Self::Yuan | Self::Count(_) | Self::Year => Type::Int,
            Self::Quantity(..) => Type::Real,
            Self::Text(_)
            | Self::Key
            | Self::Area(_)
            | Self::Group
            | Self::Codes(..)
            | Self::Day
            | Self::Period
            | Self::Secret(_) => Type::Text,
        }
    }
}

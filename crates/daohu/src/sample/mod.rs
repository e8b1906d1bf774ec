//! A made-up county (or province) of registered poor households, for demonstrations, tests and
//! measurements: all sheets of the exchange format.
//!
//! Invariants:
//! - The output depends on `areas` and `Options` alone: no clock, no environment, no global state,
//!   and no function of the platform's maths library. The same call writes the same bytes.
//! - Counties are independent: each has its own random streams. What a county takes from outside
//!   is its share of the households and flags, and its place in the area list.
//! - Nobody is real. Names are drawn by lot, ID numbers use the unassigned area prefix 99, phone
//!   numbers start with 1990000 and bank cards with 990000.
//! - Within a sheet, rows ascend by key as bytes, code lists by their codes; members follow their
//!   household, head first. Sheets come in turn, household by household, so a sink keeps them
//!   apart. Memory does not grow with the number of households: what is kept of a county are its
//!   townships, villages and units, and who helps whom is computed from places in a row.
//! - With `dirty == 0` no row breaks a rule of level `reject`; spoiling draws from a stream of its
//!   own, so the clean rows of a dirty sample are those of the clean one. Households, persons and
//!   incomes alone are spoiled.
//! - What is published about who helps comes out exactly. The groups are different people: the
//!   helpers of households (one for each household), county leaders, team members, poverty
//!   officers and technicians add up to the cadres.

mod by_sheet;
mod calendar;
mod causes;
mod columns;
mod county;
mod credit_code;
mod csv_sink;
mod dice;
mod dirt;
mod dirt_kinds;
mod error;
mod facts;
mod family;
mod figures;
mod home;
mod household;
mod income;
mod key;
mod life;
mod member;
mod names;
mod number;
mod offices;
mod organisations;
mod places;
mod plan;
mod run;
mod run_figures;
mod run_help;
mod sheet;
mod staff;
mod term;
mod tree;
mod village;
mod write_area;
mod write_cadre;
mod write_figure;
mod write_household;
mod write_income;
mod write_organisation;
mod write_pairing;
mod write_person;
mod write_team;
mod write_village;

#[cfg(test)]
mod tests;

pub(crate) use by_sheet::{BySheet, Counts};
pub(crate) use csv_sink::CsvSink;
pub(crate) use error::Error;
pub(crate) use run::write;
pub(crate) use sheet::{Row, Sheet, Sink};
pub(crate) use tree::{AreaRow, read_areas};

/// First and last year that `Options::year` may name. Registration began at the end of 2013, and
/// the poverty line of the campaign ends with 2020.
pub(crate) const YEARS: std::ops::RangeInclusive<u16> = 2014..=2020;

/// What to make.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Number of registered households, met exactly.
    pub households: u64,
    /// Everything random follows from this number.
    pub seed: u64,
    /// Last year of income; ages are those at its end.
    pub year: u16,
    /// Share of the household, person and income rows that is spoiled, from 0 to 1.
    pub dirty: f64,
    /// Where the households live.
    pub place: Place,
}

/// Where the households live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// One county, six digits.
    County {
        /// Its code.
        code: String,
    },
    /// All counties of one province, two digits.
    Province {
        /// Its code.
        code: String,
    },
}

/// Rows written to one sheet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SheetCounts {
    /// All rows, good or bad.
    pub rows: u64,
    /// Spoiled so that an import accepts the row after cleaning it (aliases included).
    pub cleanable: u64,
    /// Spoiled so that an import must reject the row.
    pub rejectable: u64,
    /// Not rejectable itself, but its household's row is, so an import must reject it too.
    pub orphaned: u64,
}

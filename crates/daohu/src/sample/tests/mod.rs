//! Tests of the sample as a whole, on copies of the area data and the code lists.

mod dirty;
mod figures;
mod help;
mod judge;
mod order;
mod output;
mod quality;
mod sharing;

use std::collections::HashMap;

use super::{AreaRow, BySheet, Counts, Error, Options, Place, Row, Sheet, Sink, read_areas, write};

/// 酉阳 and 墨江 with their villages, the whole of 贵州 down to the counties, and what is above.
const AREAS: &str = include_str!("areas.csv");

/// Keeps all rows.
#[derive(Default)]
struct Kept(BySheet<Vec<Row>>);

impl Kept {
    fn rows(&self, sheet: Sheet) -> &[Row] {
        self.0.of(sheet)
    }

    /// The rows of a sheet with their column names.
    fn named(&self, sheet: Sheet) -> impl Iterator<Item = HashMap<&'static str, &str>> {
        let header = sheet.header().iter().copied();
        self.rows(sheet).iter().map(move |row| header.clone().zip(row.cells()).collect())
    }
}

impl Sink for Kept {
    fn row(&mut self, sheet: Sheet, row: &Row) -> Result<(), Error> {
        self.0.of_mut(sheet).push(row.clone());
        Ok(())
    }
}

fn areas() -> Vec<AreaRow> {
    read_areas(AREAS.as_bytes()).unwrap()
}

fn county(code: &str, households: u64) -> Options {
    let place = Place::County { code: code.to_owned() };
    Options { households, seed: 1, year: 2015, dirty: 0.0, place }
}

fn province(households: u64) -> Options {
    Options { place: Place::Province { code: "52".to_owned() }, ..county("", households) }
}

fn made(options: &Options) -> (Kept, Counts) {
    let mut kept = Kept::default();
    let counts = write(&areas(), options, &mut kept).unwrap();
    (kept, counts)
}

//! Filling the census from the store.

use daohu_base::Scope;
use daohu_census::{Builder, Cell, Census};
use daohu_db::{Tx, Value};

use super::{
    earned,
    fields::{Fields, cell, of_year},
};
use crate::{
    Error,
    households::{
        Home,
        rows::{self, Selections, Which},
    },
    keys::Keys,
    quality::Cells,
    sheet::{household, income},
};

/// Households that are read together.
const HOMES: i64 = 1000;

/// The cells of a row in these columns.
fn cells<'v>(values: &'v [Value], columns: &[usize]) -> Vec<Cell<'v>> {
    columns.iter().map(|column| cell(values.get(*column))).collect()
}

/// The households of a scope, with their numbers in the order of the census.
pub(super) struct Loaded {
    pub(super) census: Census,
    pub(super) numbers: Vec<String>,
}

/// Reads all households of a scope; of one year all amounts, of the others what a head had.
pub(super) async fn load(
    tx: &mut Tx,
    (keys, fields): (&Keys, Fields),
    scope: &Scope,
    full_year: i64,
) -> Result<Loaded, Error> {
    let mut loader = Loader::new(keys, fields, full_year);
    let mut numbers = Vec::new();
    for county in rows::counties(tx, scope).await? {
        let whose = (scope, county.as_str(), Which::All);
        loader.read(tx, whose, |home| numbers.push(home.household.no().to_owned())).await?;
    }
    Ok(Loaded { census: loader.finish(), numbers })
}

/// Puts households into a census, county by county.
pub(super) struct Loader<'k> {
    keys: &'k Keys,
    fields: Fields,
    full_year: i64,
    columns: Selections,
    builder: Builder,
}

impl<'k> Loader<'k> {
    /// Of one year all amounts, of the others what a head had.
    pub(super) fn new(keys: &'k Keys, fields: Fields, full_year: i64) -> Self {
        let told = [household::NO, household::VILLAGE];
        let amounts: Vec<usize> = of_year().collect();
        let mut incomes = [earned::columns(), amounts].concat();
        incomes.sort_unstable();
        incomes.dedup();
        let columns =
            Selections::of(&[&told[..], &fields.household].concat(), &fields.member, &incomes);
        let builder = Builder::new(fields.shape.clone());
        Self { keys, fields, full_year, columns, builder }
    }

    /// Reads households of a county, as far as the scope reaches, by id.
    pub(super) async fn read(
        &mut self,
        tx: &mut Tx,
        (scope, county, which): (&Scope, &str, Which<'_>),
        mut visit: impl FnMut(&Home) + Send,
    ) -> Result<(), Error> {
        let mut last = 0;
        loop {
            let read = (self.keys, &self.columns);
            let homes = rows::next_homes_of(tx, read, scope, (county, last, which), HOMES).await?;
            let Some(end) = homes.last() else { return Ok(()) };
            last = end.household.id();
            for home in &homes {
                visit(home);
                let read = Read {
                    id: home.household.id(),
                    village: home.household.village(),
                    household: &home.household.0.values,
                    persons: home.persons.iter().map(|own| own.0.values.as_slice()).collect(),
                    incomes: home.incomes.iter().map(|own| own.0.values.as_slice()).collect(),
                };
                add(&mut self.builder, &read, &self.fields, self.full_year)?;
            }
        }
    }

    /// The census of what was read.
    pub(super) fn finish(self) -> Census {
        self.builder.finish()
    }
}

/// The stored values of a household and of what hangs on it.
pub(super) struct Read<'r, V = Vec<Value>> {
    pub(super) id: i64,
    pub(super) village: &'r str,
    pub(super) household: &'r [Value],
    pub(super) persons: Vec<V>,
    pub(super) incomes: Vec<V>,
}

/// Puts a household behind the others; of one year all amounts.
pub(super) fn add<V: AsRef<[Value]>>(
    builder: &mut Builder,
    read: &Read<'_, V>,
    fields: &Fields,
    full_year: i64,
) -> Result<(), Error> {
    let too_many = |error| Error::File(std::io::Error::other(error));
    let own = cells(read.household, &fields.household);
    builder.household(read.id, read.village, &own).map_err(too_many)?;
    for member in &read.persons {
        builder.member(&cells(member.as_ref(), &fields.member)).map_err(too_many)?;
    }
    for year in &read.incomes {
        let values = Cells(year.as_ref());
        let earned = fields.incomes.earned(read.village, Cells(read.household), values);
        let year = values.int(income::YEAR).unwrap_or_default();
        builder.year(year, &earned);
        if year == full_year {
            let amounts: Vec<_> = of_year().map(|place| values.int(place)).collect();
            builder.amounts(year, &amounts);
        }
    }
    Ok(())
}

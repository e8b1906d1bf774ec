//! Filling the census from the store.

use daohu_base::Scope;
use daohu_census::{Builder, Cell, Census, Earned};
use daohu_db::{Tx, Value};

use super::fields::{Fields, cell, of_year};
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

/// The columns of 年度收入 that net income is worked out of.
const EARNED: [usize; 7] = [
    income::YEAR,
    income::MEMBERS,
    income::WAGE_FEN,
    income::BUSINESS_FEN,
    income::PROPERTY_FEN,
    income::TRANSFER_FEN,
    income::BUSINESS_COST_FEN,
];

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
    let told = [household::NO, household::VILLAGE];
    let amounts: Vec<usize> = of_year().collect();
    let mut incomes = [&EARNED[..], &amounts].concat();
    incomes.sort_unstable();
    incomes.dedup();
    let columns =
        Selections::of(&[&told[..], &fields.household].concat(), &fields.member, &incomes);
    let (of_household, of_member) = (fields.household, fields.member);
    let mut builder = Builder::new(fields.shape);
    let mut numbers = Vec::new();
    for county in rows::counties(tx, scope).await? {
        let mut last = 0;
        loop {
            let after = (county.as_str(), last, Which::All);
            let homes = rows::next_homes_of(tx, (keys, &columns), scope, after, HOMES).await?;
            let Some(end) = homes.last() else { break };
            last = end.household.id();
            for home in &homes {
                numbers.push(home.household.no().to_owned());
                add(&mut builder, home, (&of_household, &of_member))?;
                let mut years = home.incomes.iter();
                if let Some(own) = years.find(|own| own.year() == full_year) {
                    let values = Cells(&own.0.values);
                    let own: Vec<_> = amounts.iter().map(|place| values.int(*place)).collect();
                    builder.amounts(full_year, &own);
                }
            }
        }
    }
    Ok(Loaded { census: builder.finish(), numbers })
}

fn add(
    builder: &mut Builder,
    home: &Home,
    (of_household, of_member): (&[usize], &[usize]),
) -> Result<(), Error> {
    let too_many = |error| Error::File(std::io::Error::other(error));
    let household = &home.household;
    let own = cells(&household.0.values, of_household);
    builder.household(household.id(), household.village(), &own).map_err(too_many)?;
    for member in &home.persons {
        builder.member(&cells(&member.0.values, of_member)).map_err(too_many)?;
    }
    for year in &home.incomes {
        let values = Cells(&year.0.values);
        let kinds =
            [income::WAGE_FEN, income::BUSINESS_FEN, income::PROPERTY_FEN, income::TRANSFER_FEN];
        let earned = Earned {
            kinds_fen: kinds.map(|kind| values.int(kind)),
            cost_fen: values.int(income::BUSINESS_COST_FEN),
            sharing: values.int(income::MEMBERS),
        };
        builder.year(year.year(), &earned);
    }
    Ok(())
}

//! SQL of households with all that hangs on them.

use std::sync::LazyLock;

use daohu_base::Scope;
use daohu_db::{Filter, Tx, Value};
use rustc_hash::FxHashMap;

use crate::{
    Error, areas,
    households::{
        list::sql::Answered,
        model::{Home, HouseholdRow, IncomeRow, PersonRow, layouts},
        sql::of_households,
    },
    keys::Keys,
    sheet::{Selection, selected},
};

/// Households of a county, by id.
#[derive(Clone, Copy)]
pub(crate) enum Those<'a> {
    Listed(&'a [i64]),
    /// All from the first to the second: they lie together in every index.
    Between(i64, i64),
}

impl<'a> Those<'a> {
    /// Of households in order; `is_all`: the county has no other between them.
    pub(crate) fn read(ids: &'a [i64], is_all: bool) -> Self {
        match (ids.first(), ids.last()) {
            // The first itself, not what it was found behind: a range that seems to begin far off is read by scanning
            // the table.
            (Some(first), Some(last)) if is_all => Self::Between(*first, *last),
            _ => Self::Listed(ids),
        }
    }

    /// The rows of these households, where `household` names them.
    pub(crate) fn filters(self, county: &str) -> Vec<Filter> {
        match self {
            Self::Listed(ids) => of_households(county, ids),
            Self::Between(first, last) => {
                let mut filter = Filter::new();
                filter.and("county = ?", [county.into()]);
                filter.and("household >= ? and household <= ?", [first.into(), last.into()]);
                vec![filter]
            }
        }
    }
}

/// What is read of households, persons and incomes.
pub(crate) struct Selections {
    household: Selection,
    person: Selection,
    income: Selection,
}

/// All that there are.
static WHOLE: LazyLock<Selections> = LazyLock::new(|| Selections {
    household: Selection::whole(&layouts::HOUSEHOLD),
    person: Selection::whole(&layouts::PERSON),
    income: Selection::whole(&layouts::INCOME),
});

impl Selections {
    /// These columns of the sheets of households, persons and incomes.
    pub(crate) fn of(household: &[usize], person: &[usize], income: &[usize]) -> Self {
        // What a person's numbers are sealed with.
        let member = ["county", "id", "household"];
        Self {
            household: Selection::of(&layouts::HOUSEHOLD, (&["county", "id"], household, 0)),
            // Whether a person belongs to the household is derived.
            person: Selection::of(&layouts::PERSON, (&member, person, 1)),
            income: Selection::of(&layouts::INCOME, (&["household"], income, 0)),
        }
    }
}

/// The next households of a scope with all that hangs on them, of one county, by county and id; none at the
/// end. At most so many are read together.
pub(crate) async fn next_homes(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    after: (&str, i64),
    limit: i64,
) -> Result<Vec<Home>, Error> {
    let mut filter = Filter::new();
    filter.and("(county, id) > (?, ?)", [after.0.into(), after.1.into()]);
    areas::rows::within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
    areas::rows::within(&mut filter, "(village >= ? and village < ?)", scope);
    let read = (keys, &*WHOLE);
    let mut found = next_households(tx, read, "", (filter, limit)).await?;
    let Some(county) = found.first().map(|first| first.county().to_owned()) else {
        return Ok(Vec::new());
    };
    found.retain(|household| household.county() == county);
    homes(tx, read, (&county, found), scope.covers(&county)).await
}

/// Which households of a county are read.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    All,
    /// By id.
    These(&'a [i64]),
    Answered(&'a Answered),
}

impl Which<'_> {
    /// True if none of the county is left out.
    pub(crate) fn is_all(self, scope: &Scope, county: &str) -> bool {
        matches!(self, Self::All) && scope.covers(county)
    }
}

/// The next of these households of a county with what of these columns hangs on them, as far as the scope reaches,
/// by id; none at the end. At most so many are read together.
pub(crate) async fn next_homes_of(
    tx: &mut Tx,
    read: (&Keys, &Selections),
    scope: &Scope,
    (county, after, which): (&str, i64, Which<'_>),
    limit: i64,
) -> Result<Vec<Home>, Error> {
    let mut filter = Filter::new();
    filter.and("county = ? and id > ?", [county.into(), after.into()]);
    match which {
        Which::All => {}
        Which::These(ids) => filter.and_in("id", ids.iter().copied().map(Value::from)),
        Which::Answered(answered) => answered.add_to(&mut filter),
    }
    areas::rows::within(&mut filter, "(village >= ? and village < ?)", scope);
    let found = next_households(tx, read, county, (filter, limit)).await?;
    homes(tx, read, (county, found), which.is_all(scope, county)).await
}

/// Households by county and id.
async fn next_households(
    tx: &mut Tx,
    (keys, columns): (&Keys, &Selections),
    county: &str,
    (mut filter, limit): (Filter, i64),
) -> Result<Vec<HouseholdRow>, Error> {
    let order = format!(" order by county, id limit {}", filter.param(limit));
    let rows = ("households h", &filter, order.as_str());
    let found = selected(tx, keys, &columns.household, county, rows).await?;
    Ok(found.into_iter().map(HouseholdRow).collect())
}

/// Households of a county, in order, with all that hangs on them; `is_all`: it has no other between them.
async fn homes(
    tx: &mut Tx,
    (keys, columns): (&Keys, &Selections),
    (county, found): (&str, Vec<HouseholdRow>),
    is_all: bool,
) -> Result<Vec<Home>, Error> {
    let ids: Vec<i64> = found.iter().map(HouseholdRow::id).collect();
    let mut homes: FxHashMap<i64, Home> = FxHashMap::default();
    for household in found {
        let (persons, incomes) = Default::default();
        homes.insert(household.id(), Home { household, persons, incomes });
    }
    for filter in Those::read(&ids, is_all).filters(county) {
        for person in selected(tx, keys, &columns.person, county, ("persons", &filter, "")).await? {
            let person = PersonRow(person);
            if let Some(home) = homes.get_mut(&person.household()) {
                home.persons.push(person);
            }
        }
        for income in selected(tx, keys, &columns.income, county, ("incomes", &filter, "")).await? {
            let income = IncomeRow(income);
            if let Some(home) = homes.get_mut(&income.household()) {
                home.incomes.push(income);
            }
        }
    }
    let sorted = |id: &i64| {
        let mut home = homes.remove(id)?;
        home.persons.sort_by_key(PersonRow::id);
        home.incomes.sort_by_key(IncomeRow::year);
        Some(home)
    };
    Ok(ids.iter().filter_map(sorted).collect())
}

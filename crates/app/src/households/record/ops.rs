//! Reading one household or person.

use daohu_base::{Day, Scope, county_of_birth};
use daohu_db::{FutureExt, Tx};

use super::sql;
use crate::{
    Context, Error,
    households::{
        model::{HouseholdRow, PersonRow},
        ops::{Dossier, dossier_of},
        sql as rows,
        view::{IncomeView, PersonView},
    },
    keys::Keys,
    suspects::township,
};

/// The household with this id, if it lies inside the scope.
pub(crate) async fn household(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    id: i64,
) -> Result<HouseholdRow, Error> {
    let missing = || Error::NotFound("household");
    // Nearly every record is stored where it was born.
    let mut row = rows::household(tx, keys, &county_of_birth(id), id).await?;
    if row.is_none()
        && let Some(county) = sql::county_of(tx, "households", id).await?
    {
        row = rows::household(tx, keys, &county, id).await?;
    }
    row.filter(|row| scope.covers(row.village())).ok_or_else(missing)
}

/// The person with this id, if the household lies inside the scope.
pub(crate) async fn person(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    id: i64,
) -> Result<(PersonRow, HouseholdRow), Error> {
    let missing = || Error::NotFound("person");
    let mut row = rows::person(tx, keys, &county_of_birth(id), id).await?;
    if row.is_none()
        && let Some(county) = sql::county_of(tx, "persons", id).await?
    {
        row = rows::person(tx, keys, &county, id).await?;
    }
    let row = row.ok_or_else(missing)?;
    let home = rows::household(tx, keys, row.county(), row.household()).await?;
    let home = home.ok_or_else(missing)?;
    if scope.covers(home.village()) { Ok((row, home)) } else { Err(missing()) }
}

/// One household.
pub(super) async fn get_household(
    context: &Context,
    scope: Scope,
    id: i64,
) -> Result<HouseholdRow, Error> {
    let keys = context.keys.clone();
    let read =
        context.db.read(move |tx| async move { household(tx, &keys, &scope, id).await }.boxed());
    read.await
}

/// One person, with the household.
pub(super) async fn get_person(
    context: &Context,
    scope: Scope,
    id: i64,
) -> Result<(PersonRow, HouseholdRow), Error> {
    let keys = context.keys.clone();
    let read =
        context.db.read(move |tx| async move { person(tx, &keys, &scope, id).await }.boxed());
    read.await
}

/// The members of a household, present and gone, beside the household's county.
pub(super) async fn persons(
    context: &Context,
    scope: Scope,
    id: i64,
) -> Result<(String, Vec<PersonView>), Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let home = household(tx, &keys, &scope, id).await?;
        let persons = rows::persons_of(tx, &keys, home.county(), &[id]).await?;
        let persons = persons.iter().map(|person| PersonView::of(person, home.no())).collect();
        Ok((home.county().to_owned(), persons))
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// The incomes of a household, newest first, beside the household's county.
pub(super) async fn incomes(
    context: &Context,
    scope: Scope,
    id: i64,
) -> Result<(String, Vec<IncomeView>), Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let home = household(tx, &keys, &scope, id).await?;
        let mut incomes = rows::incomes_of(tx, &keys, home.county(), &[id]).await?;
        incomes.sort_by_key(|income| std::cmp::Reverse(income.year()));
        let incomes = incomes.iter().map(|income| IncomeView::of(income, home.no())).collect();
        Ok((home.county().to_owned(), incomes))
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// Everything about a household; on a past day, as the journal tells it.
pub(super) async fn dossier(
    context: &Context,
    scope: Scope,
    id: i64,
    as_of: Option<Day>,
) -> Result<Dossier, Error> {
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let row = household(tx, &keys, &scope, id).await?;
        dossier_of(tx, (&keys, &policy, &scope), &row, as_of).await
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// The village that a record of a journal lies in now; none for what is not of this slice. Looked for in these counties:
/// the one whose journal it is, and those that rows of its went to.
pub(crate) async fn village_in(
    tx: &mut Tx,
    counties: &[String],
    kind: &str,
    record: &str,
) -> Result<Option<String>, Error> {
    let first = record.split('/').next().unwrap_or_default();
    let Ok(id) = first.parse::<i64>() else { return Ok(None) };
    let table = match kind {
        "household" | "household_reveal" | "income" | "membership" | "lead" => "households",
        "person" | "person_reveal" | "judgement" => "persons",
        _ => return Ok(None),
    };
    let mut village = None;
    for county in counties {
        village = sql::village_of(tx, table, county, id).await?;
        if village.is_some() {
            break;
        }
    }
    // What is judged of two persons is seen by whoever sees both: they are of one township.
    Ok(match kind {
        "judgement" => village.map(|village| township(&village).to_owned()),
        _ => village,
    })
}

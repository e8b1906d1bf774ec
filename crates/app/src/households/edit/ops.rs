//! Changing a household and its incomes.

use daohu_base::AreaCode;
use daohu_db::{FutureExt, Tx, Value};
use serde_json::{Map, Value as Json};

use super::sql;
use crate::{
    Context, Error, areas,
    households::{
        model::{HouseholdRow, IncomeRow, PersonRow, initials, layouts},
        record::ops as record,
        sql as rows,
    },
    journal::Change,
    sheet::{
        Changes, Frame, HOUSEHOLDS, INCOMES, Layout, check_version, household, income, lay, read,
        refused,
    },
};

/// Changes columns of a household that the caller read at `version`.
pub(super) async fn change_household(
    context: &Context,
    mut frame: Frame,
    id: i64,
    version: i64,
    body: &Map<String, Json>,
) -> Result<HouseholdRow, Error> {
    let changes = read(&HOUSEHOLDS, &frame.policy, body, &[], frame.lang)?;
    let mut work = async move |tx: &mut Tx| {
        let found = record::household(tx, &frame.keys, &frame.scope, id).await?;
        sql::lock(tx, found.county(), id).await?;
        let stored = record::household(tx, &frame.keys, &frame.scope, id).await?;
        check_version("household", &stored.0, version)?;
        let mut row = stored.clone();
        lay(&mut row.0.values, &changes);
        check_number(tx, &stored, &row).await?;
        check_place(tx, &frame, &stored, &mut row, &changes).await?;
        if row.0.values == stored.0.values {
            return Ok(stored);
        }
        row.0.derived = vec![row.text(household::HEAD_NAME).map(initials).into()];
        let table = (&*layouts::HOUSEHOLD, "household", id.to_string());
        let members = match row.village() == stored.village() {
            true => Vec::new(),
            false => rows::persons_of(tx, &frame.keys, row.county(), &[id]).await?,
        };
        frame.follow(members.iter().map(|member| &member.0).chain([&stored.0]));
        let mut entries = vec![frame.save(tx, table, &stored.0.values, &mut row.0).await?];
        entries.extend(move_members(tx, &frame, &row, members).await?);
        frame.record(tx, entries).await?;
        Ok(row)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

async fn check_number(tx: &mut Tx, stored: &HouseholdRow, row: &HouseholdRow) -> Result<(), Error> {
    let is_new = row.no() != stored.no();
    if is_new && sql::is_taken(tx, row.county(), row.no(), row.id()).await? {
        return Err(refused("no", "household.no_taken"));
    }
    Ok(())
}

/// The village is one in use, of the same county and inside the scope; the group is one of its own.
/// Who moves without naming a group has none.
async fn check_place(
    tx: &mut Tx,
    frame: &Frame,
    stored: &HouseholdRow,
    row: &mut HouseholdRow,
    changes: &Changes,
) -> Result<(), Error> {
    let moves = row.village() != stored.village();
    if moves {
        let unknown = || refused("village", "household.unknown_village");
        let village = AreaCode::parse(row.village()).map_err(|_| unknown())?;
        // A change of areas that ends the village waits, or is over.
        areas::rows::lock(tx, &[village.clone()].into()).await?;
        let today = frame.act.at.day();
        let is_open = areas::ops::is_open_village(tx, &frame.keys, &village, today).await?;
        if !is_open || !frame.scope.contains(&village) {
            return Err(unknown());
        }
        if village.county() != row.county() {
            return Err(refused("village", "household.other_county"));
        }
    }
    let named = changes.iter().find(|(i, _)| *i == household::GROUP_CODE);
    let group = match named.and_then(|(_, value)| value.as_text()) {
        Some(text) => {
            let group = areas::ops::hold_group(tx, row.village(), text).await?;
            Some(group.ok_or_else(|| refused("group_code", "household.unknown_group"))?)
        }
        None if moves || named.is_some() => None,
        None => return Ok(()),
    };
    if let Some(slot) = row.0.values.get_mut(household::GROUP_CODE) {
        *slot = group.into();
    }
    Ok(())
}

/// The members go with their household.
async fn move_members(
    tx: &mut Tx,
    frame: &Frame,
    home: &HouseholdRow,
    members: Vec<PersonRow>,
) -> Result<Vec<Change>, Error> {
    let mut entries = Vec::new();
    for mut member in members {
        let before = member.0.values.clone();
        member.settle(home.county(), home.id(), home.village());
        let table = (&*layouts::PERSON, "person", member.id().to_string());
        entries.push(frame.save(tx, table, &before, &mut member.0).await?);
    }
    Ok(entries)
}

/// An income that was put, and whether it is new.
pub(super) struct Put {
    pub(super) row: IncomeRow,
    pub(super) no: String,
    pub(super) is_new: bool,
}

/// Puts the income of a year: what the body does not name is not known. `version` is none for an
/// income that is not there yet.
pub(super) async fn put_income(
    context: &Context,
    mut frame: Frame,
    (id, year): (i64, i64),
    version: Option<i64>,
    body: &Map<String, Json>,
) -> Result<Put, Error> {
    let fixed = [income::HOUSEHOLD_NO, income::YEAR];
    let changes = read(&INCOMES, &frame.policy, body, &fixed, frame.lang)?;
    let mut work = async move |tx: &mut Tx| {
        let found = record::household(tx, &frame.keys, &frame.scope, id).await?;
        sql::lock(tx, found.county(), id).await?;
        let home = record::household(tx, &frame.keys, &frame.scope, id).await?;
        let no = home.no().to_owned();
        let stored = rows::incomes_of(tx, &frame.keys, home.county(), &[id]).await?;
        let stored = stored.into_iter().find(|income| income.year() == year);
        let mut values = vec![Value::Null; INCOMES.columns.len()];
        lay(&mut values, &changes);
        lay(&mut values, &vec![(income::YEAR, year.into())]);
        let table = (&*layouts::INCOME, "income", format!("{id}/{year}"));
        match (stored, version) {
            (Some(_), None) => Err(Error::Refused("request.if_match_missing")),
            (None, Some(_)) => Err(Error::Stale { what: "income", current: 0 }),
            (Some(stored), Some(version)) => {
                check_version("income", &stored.0, version)?;
                let mut row = stored.clone();
                row.0.values = values;
                if row.0.values != stored.0.values {
                    frame.follow([&stored.0]);
                    let entry = frame.save(tx, table, &stored.0.values, &mut row.0).await?;
                    frame.record(tx, vec![entry]).await?;
                }
                Ok(Put { row, no, is_new: false })
            }
            (None, None) => {
                let row = create_income(tx, &frame, &home, table, values).await?;
                Ok(Put { row, no, is_new: true })
            }
        }
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

async fn create_income(
    tx: &mut Tx,
    frame: &Frame,
    home: &HouseholdRow,
    table: (&Layout, &'static str, String),
    values: Vec<Value>,
) -> Result<IncomeRow, Error> {
    let lead = vec![home.county().into(), home.id().into()];
    let (record, entry) = frame.create(tx, table, (lead, values)).await?;
    frame.record(tx, vec![entry]).await?;
    Ok(IncomeRow(record))
}

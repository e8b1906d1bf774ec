//! Changing a person.

use daohu_db::{FutureExt, Tx};
use serde_json::{Map, Value as Json};

use super::sql;
use crate::{
    Context, Error,
    households::{
        model::{Derived, HouseholdRow, Marks, PersonRow, alike, layouts},
        record::ops as record,
        sql as rows,
    },
    sheet::{Frame, PERSONS, check_version, field_error, lay, person, read, refused},
};

/// Changes columns of a person that the caller read at `version`, under the rules of the import: the
/// document is checked, a number has one current holder in all counties, a household one head.
pub(super) async fn change_person(
    context: &Context,
    mut frame: Frame,
    id: i64,
    version: i64,
    body: &Map<String, Json>,
) -> Result<(PersonRow, HouseholdRow), Error> {
    if body.contains_key("household_no") {
        return Err(refused("household_no", "person.household_fixed"));
    }
    let changes = read(&PERSONS, &frame.policy, body, &[], frame.lang)?;
    let mut work = async move |tx: &mut Tx| {
        let (_, home) = record::person(tx, &frame.keys, &frame.scope, id).await?;
        sql::lock(tx, home.county(), home.id()).await?;
        let (stored, home) = record::person(tx, &frame.keys, &frame.scope, id).await?;
        check_version("person", &stored.0, version)?;
        let mut row = stored.clone();
        lay(&mut row.0.values, &changes);
        check_document(&frame, &mut row)?;
        if row.0.values == stored.0.values {
            return Ok((stored, home));
        }
        let derived = Derived::of(Marks::new(&frame.policy), &frame.keys, &row.0.values);
        // Who was merged into another record comes back by undoing that.
        if derived.is_current && stored.merged_into().is_some() {
            return Err(Error::Refused("person.merged"));
        }
        check_head(tx, &frame, &stored, &row, &derived).await?;
        let_go(tx, &stored, &derived).await?;
        hold_number(tx, &stored, &derived, "id_number").await?;
        let alike = alike(&row.0.values);
        row.0.derived = derived.columns(&row.0.values, alike, stored.merged_into());
        let table = (&*layouts::PERSON, "person", id.to_string());
        frame.follow([&stored.0]);
        let entry = frame.save(tx, table, &stored.0.values, &mut row.0).await?;
        frame.record(tx, vec![entry]).await?;
        Ok((row, home))
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

fn check_document(frame: &Frame, row: &mut PersonRow) -> Result<(), Error> {
    let checked = Marks::new(&frame.policy).accept_document(&mut row.0.values, frame.act.at.day());
    checked.map_err(|(i, error)| match PERSONS.columns.get(i) {
        Some(column) => Error::Invalid(vec![field_error(column, None, &error, frame.lang)]),
        None => Error::NotFound("person"),
    })
}

/// A household has at most one current head.
async fn check_head(
    tx: &mut Tx,
    frame: &Frame,
    stored: &PersonRow,
    row: &PersonRow,
    derived: &Derived,
) -> Result<(), Error> {
    let marks = Marks::new(&frame.policy);
    let is_head = |row: &PersonRow| marks.is_head(row.int(person::RELATION));
    let was_head = stored.is_current() && is_head(stored);
    if was_head || !derived.is_current || !is_head(row) {
        return Ok(());
    }
    let members = rows::persons_of(tx, &frame.keys, stored.county(), &[stored.household()]).await?;
    let is_other = |member: &PersonRow| member.id() != stored.id();
    if members.iter().any(|m| is_other(m) && m.is_current() && is_head(m)) {
        return Err(refused("relation", "person.second_head"));
    }
    Ok(())
}

/// Lets go of the number that a record no longer has.
async fn let_go(tx: &mut Tx, stored: &PersonRow, derived: &Derived) -> Result<(), Error> {
    let new = derived.identity.filter(|_| derived.is_unique);
    match stored.identity().filter(|old| new.is_none_or(|new| new != *old)) {
        Some(old) => Ok(sql::release(tx, old, stored.county(), stored.id()).await?),
        None => Ok(()),
    }
}

/// Says who holds a record's number from now on, if it is one of one person alone; `column` is to blame where
/// somebody else does.
pub(crate) async fn hold_number(
    tx: &mut Tx,
    row: &PersonRow,
    derived: &Derived,
    column: &str,
) -> Result<(), Error> {
    let Some(number) = derived.identity.filter(|_| derived.is_unique) else { return Ok(()) };
    let ids = (row.id(), row.household());
    let is_held = sql::hold(tx, &number, row.county(), ids, derived.is_current).await?;
    // Who has left may share a number with its present holder.
    if is_held || !derived.is_current { Ok(()) } else { Err(refused(column, "person.id_taken")) }
}

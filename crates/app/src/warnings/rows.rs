//! What changes of areas and the undoing of imports do with warnings, inside a transaction of theirs, and what the journal
//! compares.

use daohu_db::{BoxFuture, FutureExt, Tx};

use super::{
    model::{WARNING, Warning},
    sql,
};
use crate::{Error, journal::Watched, keys::Keys};

/// The warnings of households go with them into another county. Gives each one's key and what the journal has to say of it there.
pub(crate) async fn move_warnings(
    tx: &mut Tx,
    (from, to): (&str, &str),
    households: &[i64],
) -> Result<Vec<(String, String)>, Error> {
    let mut warnings = sql::of_households(tx, from, households).await?;
    let mut moved = Vec::new();
    for own in &mut warnings {
        sql::remove(tx, own).await?;
        to.clone_into(&mut own.county);
        moved.push((own.key(), own.to_journal()));
    }
    sql::insert(tx, &warnings).await?;
    Ok(moved)
}

/// Takes away the warnings of households whose import is undone: none that somebody closed is among them. Gives their keys.
pub(crate) async fn take_away(
    tx: &mut Tx,
    county: &str,
    households: &[i64],
) -> Result<Vec<String>, Error> {
    let mut taken = Vec::new();
    for own in sql::of_households(tx, county, households).await? {
        sql::remove(tx, &own).await?;
        taken.push(own.key());
    }
    Ok(taken)
}

/// The kinds of records that `journal verify --deep` compares with their rows.
pub fn watched() -> Vec<Watched> {
    vec![Watched { kind: WARNING, table: "warnings", current, household: None }]
}

fn current<'t>(
    tx: &'t mut Tx,
    _: &'t Keys,
    county: &'t str,
    record: &'t str,
) -> BoxFuture<'t, Result<Option<String>, Error>> {
    async move {
        let Some((_, id)) = record.split_once('/') else { return Ok(None) };
        let found = sql::by_id(tx, county, id).await?;
        Ok(found.filter(|own| own.key() == record).as_ref().map(Warning::to_journal))
    }
    .boxed()
}

//! SQL of changes.

use daohu_db::{Error, Tx, Value};

/// Locks a household until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, county: &str, id: i64) -> Result<(), Error> {
    let sql = "update households set version = version where county = $1 and id = $2";
    tx.execute(sql, &[county.into(), id.into()]).await.map(drop)
}

/// True if another household of the county has the number.
pub(super) async fn is_taken(tx: &mut Tx, county: &str, no: &str, but: i64) -> Result<bool, Error> {
    let sql = "select 1 from households where county = $1 and no = $2 and id <> $3";
    Ok(tx.query_opt(sql, &[county.into(), no.into(), but.into()]).await?.is_some())
}

/// Who holds an ID number from now on. False if somebody else holds it as a current member: that is
/// decided by the row itself, so that of two writers at the same time one is refused.
pub(crate) async fn hold(
    tx: &mut Tx,
    identity: &[u8],
    county: &str,
    (person, household): (i64, i64),
    is_current: bool,
) -> Result<bool, Error> {
    let sql = "insert into person_keys (identity, county, person, household, is_current)
               values ($1, $2, $3, $4, $5)
               on conflict (identity) do update set county = excluded.county,
                 person = excluded.person, household = excluded.household,
                 is_current = excluded.is_current
               where person_keys.is_current = 0
                 or (person_keys.county = excluded.county and person_keys.person = excluded.person)";
    let params: [Value; 5] = [
        identity.to_vec().into(),
        county.into(),
        person.into(),
        household.into(),
        is_current.into(),
    ];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// A number that turned out not to be this person's is nobody's.
pub(super) async fn release(
    tx: &mut Tx,
    identity: &[u8],
    county: &str,
    person: i64,
) -> Result<(), Error> {
    let sql = "delete from person_keys where identity = $1 and county = $2 and person = $3";
    tx.execute(sql, &[identity.to_vec().into(), county.into(), person.into()]).await.map(drop)
}

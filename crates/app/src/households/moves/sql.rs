//! SQL of who belonged where.

use daohu_db::{Error, Row, Tx};

/// Everybody who ever belonged to a household.
pub(super) async fn persons_ever(
    tx: &mut Tx,
    county: &str,
    household: i64,
) -> Result<Vec<i64>, Error> {
    let sql = "select id from persons where county = $1 and household = $2
               union select person from memberships where county = $1 and household = $2
               order by 1";
    ids(tx.query(sql, &[county.into(), household.into()]).await?)
}

/// Those of them who ever belonged to another household.
pub(super) async fn movers(tx: &mut Tx, county: &str, household: i64) -> Result<Vec<i64>, Error> {
    let sql = "select person from memberships where county = $1 and household = $2
               union select m.person from persons p
                 join memberships m on m.county = p.county and m.person = p.id
               where p.county = $1 and p.household = $2
               order by 1";
    ids(tx.query(sql, &[county.into(), household.into()]).await?)
}

/// The households that a person moved on from.
pub(super) async fn households_left(
    tx: &mut Tx,
    county: &str,
    person: i64,
) -> Result<Vec<i64>, Error> {
    let sql = "select household from memberships where county = $1 and person = $2 order by 1";
    ids(tx.query(sql, &[county.into(), person.into()]).await?)
}

fn ids(rows: Vec<Row>) -> Result<Vec<i64>, Error> {
    rows.iter().map(|row| row.int(0)).collect()
}

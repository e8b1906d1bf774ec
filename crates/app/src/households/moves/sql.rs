//! SQL of who belonged where. A person's record, the households and the memberships that ended may each lie in another
//! county by now: they are asked for in several.

use std::collections::BTreeSet;

use daohu_db::{Error, Filter, Row, Tx, Value};

/// The rows of a table in these counties where an id is this one.
fn of(counties: &[String], condition: &'static str, id: i64) -> Filter {
    let mut filter = of_counties(counties);
    filter.and(condition, [id.into()]);
    filter
}

fn of_counties(counties: &[String]) -> Filter {
    let mut filter = Filter::new();
    filter.and_in("county", counties.iter().map(|county| Value::from(county.as_str())));
    filter
}

/// Everybody who ever belonged to a household.
pub(super) async fn persons_ever(
    tx: &mut Tx,
    counties: &[String],
    household: i64,
) -> Result<Vec<i64>, Error> {
    let filter = of(counties, "household = ?", household);
    let clause = filter.clause();
    let sql = format!(
        "select id from persons{clause} union select person from memberships{clause} order by 1"
    );
    ids(tx.query(&sql, filter.params()).await?)
}

/// Those of them who ever belonged to another household.
pub(super) async fn movers(
    tx: &mut Tx,
    counties: &[String],
    household: i64,
) -> Result<Vec<i64>, Error> {
    let filter = of(counties, "household = ?", household);
    let sql = format!("select id from persons{}", filter.clause());
    let here = ids(tx.query(&sql, filter.params()).await?)?;
    let sql = format!("select person from memberships{}", filter.clause());
    let mut movers: BTreeSet<i64> =
        ids(tx.query(&sql, filter.params()).await?)?.into_iter().collect();
    let mut filter = of_counties(counties);
    filter.and_in("person", here.into_iter().map(Value::from));
    let sql = format!("select person from memberships{}", filter.clause());
    movers.extend(ids(tx.query(&sql, filter.params()).await?)?);
    Ok(movers.into_iter().collect())
}

/// The households that a person moved on from.
pub(super) async fn households_left(
    tx: &mut Tx,
    counties: &[String],
    person: i64,
) -> Result<Vec<i64>, Error> {
    let filter = of(counties, "person = ?", person);
    let sql = format!("select household from memberships{} order by 1", filter.clause());
    ids(tx.query(&sql, filter.params()).await?)
}

fn ids(rows: Vec<Row>) -> Result<Vec<i64>, Error> {
    rows.iter().map(|row| row.int(0)).collect()
}

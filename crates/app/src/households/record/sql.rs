//! SQL of single records.

use daohu_db::{Error, Tx};

/// The county that a record is stored under now. Nearly always it is the county of birth that the id
/// begins with, so that is tried first.
pub(super) async fn county_of(
    tx: &mut Tx,
    table: &'static str,
    id: i64,
) -> Result<Option<String>, Error> {
    let born = format!("{:06}", id.div_euclid(1_000_000_000));
    let here = format!("select county from {table} where county = $1 and id = $2");
    let row = tx.query_opt(&here, &[born.into(), id.into()]).await?;
    let row = match row {
        Some(row) => Some(row),
        None => {
            let anywhere = format!(
                "select county from {table} where id = $1
                   and county in (select code from areas where level = $2)"
            );
            let level = i64::from(daohu_base::AreaLevel::County.list_code());
            tx.query_opt(&anywhere, &[id.into(), level.into()]).await?
        }
    };
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// The village of a household.
pub(super) async fn village_of_household(
    tx: &mut Tx,
    county: &str,
    id: i64,
) -> Result<Option<String>, Error> {
    let sql = "select village from households where county = $1 and id = $2";
    let row = tx.query_opt(sql, &[county.into(), id.into()]).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// The village of a person's household.
pub(super) async fn village_of_person(
    tx: &mut Tx,
    county: &str,
    id: i64,
) -> Result<Option<String>, Error> {
    let sql = "select village from persons where county = $1 and id = $2";
    let row = tx.query_opt(sql, &[county.into(), id.into()]).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

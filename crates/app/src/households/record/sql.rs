//! SQL of single records.

use daohu_db::{Error, Tx};

/// The county that a record is stored under now, wherever it was born.
pub(super) async fn county_of(
    tx: &mut Tx,
    table: &'static str,
    id: i64,
) -> Result<Option<String>, Error> {
    let sql = format!(
        "select county from {table} where id = $1
           and county in (select code from areas where level = $2)"
    );
    let level = i64::from(daohu_base::AreaLevel::County.list_code());
    let row = tx.query_opt(&sql, &[id.into(), level.into()]).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// The village that a household, or a person's, lies in.
pub(super) async fn village_of(
    tx: &mut Tx,
    table: &'static str,
    county: &str,
    id: i64,
) -> Result<Option<String>, Error> {
    let sql = format!("select village from {table} where county = $1 and id = $2");
    let row = tx.query_opt(&sql, &[county.into(), id.into()]).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

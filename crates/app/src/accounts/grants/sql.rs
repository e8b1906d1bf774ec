//! SQL of grants.

use daohu_base::{AreaCode, Day, Timestamp};
use daohu_db::{Error, Filter, Row, Tx, Value};

use crate::accounts::model::Grant;

/// As [`grant`] reads them.
pub(in crate::accounts) const GRANT: &str = "g.id, g.user_id, g.role, g.area, g.starts_on, g.ends_on, g.created_at, g.created_by, g.version";

/// All grants of a user, past and future ones too, oldest first.
pub(in crate::accounts) async fn of_user(tx: &mut Tx, user_id: &str) -> Result<Vec<Grant>, Error> {
    let sql = format!("select {GRANT} from grants g where user_id = $1 order by created_at, id");
    tx.query(&sql, &[user_id.into()]).await?.iter().map(|row| grant(row, 0)).collect()
}

pub(in crate::accounts) async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<Grant>, Error> {
    let sql = format!("select {GRANT} from grants g where id = $1");
    tx.query_opt(&sql, &[id.into()]).await?.map(|row| grant(&row, 0)).transpose()
}

/// The grants in these areas themselves.
pub(super) async fn in_areas(
    tx: &mut Tx,
    areas: impl Iterator<Item = &AreaCode>,
) -> Result<Vec<Grant>, Error> {
    let mut found = Vec::new();
    for filter in Filter::lists("g.area", areas.map(|area| area.as_str().into())) {
        let sql =
            format!("select {GRANT} from grants g{} order by created_at, id", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.push(grant(&row, 0)?);
        }
    }
    Ok(found)
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant) -> Result<(), Error> {
    let sql = "insert into grants (id, user_id, role, area, starts_on, ends_on, created_at,
                 created_by, updated_at, version)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $7, $9)";
    let params = [
        grant.id.as_str().into(),
        grant.user_id.as_str().into(),
        grant.role.as_str().into(),
        grant.area.as_ref().map(AreaCode::as_str).into(),
        grant.starts_on.to_string().into(),
        day(grant.ends_on),
        grant.created_at.0.into(),
        grant.created_by.as_str().into(),
        grant.version.into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

pub(super) async fn end(tx: &mut Tx, grant: &Grant, at: Timestamp) -> Result<(), Error> {
    let sql = "update grants set ends_on = $2, updated_at = $3, version = $4 where id = $1";
    let params = [grant.id.as_str().into(), day(grant.ends_on), at.0.into(), grant.version.into()];
    tx.execute(sql, &params).await.map(drop)
}

/// Locks all grants of a role until the transaction ends: who asks for the last holder must not
/// meet another who asks.
pub(super) async fn lock_role(tx: &mut Tx, role: &str) -> Result<(), Error> {
    let sql = "update grants set version = version where role = $1";
    tx.execute(sql, &[role.into()]).await.map(drop)
}

/// How many other users may sign in and hold the role on this day.
pub(super) async fn other_holders(
    tx: &mut Tx,
    role: &str,
    user_id: &str,
    today: Day,
) -> Result<i64, Error> {
    let sql = "select count(distinct u.id) from grants g join users u on u.id = g.user_id
               where g.role = $1 and u.id <> $2 and u.is_locked = 0
                 and g.starts_on <= $3 and (g.ends_on is null or g.ends_on > $3)";
    tx.query_one(sql, &[role.into(), user_id.into(), today.to_string().into()]).await?.int(0)
}

fn day(day: Option<Day>) -> Value {
    day.map(|day| day.to_string()).into()
}

/// The columns of [`GRANT`], from this place on.
pub(in crate::accounts) fn grant(row: &Row, at: usize) -> Result<Grant, Error> {
    let bad = |index, wanted| Error::Column { index, wanted };
    let day = |text: &str, index| Day::parse(text).map_err(|_| bad(index, "a day"));
    let area = row.opt_text(at + 3)?.map(AreaCode::parse).transpose();
    Ok(Grant {
        id: row.text(at)?.to_owned(),
        user_id: row.text(at + 1)?.to_owned(),
        role: row.text(at + 2)?.to_owned(),
        area: area.map_err(|_| bad(at + 3, "an area code"))?,
        starts_on: day(row.text(at + 4)?, at + 4)?,
        ends_on: row.opt_text(at + 5)?.map(|text| day(text, at + 5)).transpose()?,
        created_at: Timestamp(row.int(at + 6)?),
        created_by: row.text(at + 7)?.to_owned(),
        version: row.int(at + 8)?,
    })
}

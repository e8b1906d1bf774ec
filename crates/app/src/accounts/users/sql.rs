//! SQL of users.

use daohu_base::Timestamp;
use daohu_db::{Error, Filter, Row, Tx, Value};

use crate::accounts::model::{Credentials, User};

/// As [`user`] reads them.
pub(in crate::accounts) const USER: &str = "u.id, u.name, u.display_name, u.must_change,
    u.is_locked, u.locked_until, u.password_at, u.created_at, u.created_by, u.updated_at, u.version,
    u.second_factor_at";
/// The number of columns of [`USER`].
pub(in crate::accounts) const USER_COLUMNS: usize = 12;

/// Locks the user until the transaction ends, so that decisions over all that belongs to the user
/// follow one another; then reads it.
pub(in crate::accounts) async fn lock(tx: &mut Tx, id: &str) -> Result<Option<User>, Error> {
    tx.execute("update users set version = version where id = $1", &[id.into()]).await?;
    by_id(tx, id).await
}

pub(in crate::accounts) async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<User>, Error> {
    let sql = format!("select {USER} from users u where u.id = $1");
    tx.query_opt(&sql, &[id.into()]).await?.as_ref().map(user).transpose()
}

pub(in crate::accounts) async fn by_name(tx: &mut Tx, name: &str) -> Result<Option<User>, Error> {
    let sql = format!("select {USER} from users u where u.name = $1");
    tx.query_opt(&sql, &[name.into()]).await?.as_ref().map(user).transpose()
}

pub(in crate::accounts) async fn credentials(
    tx: &mut Tx,
    name: &str,
) -> Result<Option<Credentials>, Error> {
    let sql = format!("select {USER}, u.password_hash, u.failures from users u where u.name = $1");
    let Some(row) = tx.query_opt(&sql, &[name.into()]).await? else { return Ok(None) };
    Ok(Some(Credentials {
        user: user(&row)?,
        password_hash: row.text(USER_COLUMNS)?.to_owned(),
        failures: row.int(USER_COLUMNS + 1)?,
    }))
}

/// Users by name, after this one.
pub(super) async fn list(
    tx: &mut Tx,
    text: Option<&str>,
    is_locked: Option<bool>,
    role: Option<(&str, &str)>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let mut filter = Filter::new();
    if let Some(text) = text {
        // Contains, as bytes, on both engines alike: taking the text out changes the name.
        let condition = "(replace(u.name, ?, '') <> u.name
                          or replace(u.display_name, ?, '') <> u.display_name)";
        filter.and(condition, [text.into(), text.into()]);
    }
    if let Some(is_locked) = is_locked {
        filter.and("u.is_locked = ?", [is_locked.into()]);
    }
    if let Some((role, today)) = role {
        let condition = "exists (select 1 from grants g where g.user_id = u.id and g.role = ?
                         and g.starts_on <= ? and (g.ends_on is null or g.ends_on > ?))";
        filter.and(condition, [role.into(), today.into(), today.into()]);
    }
    if let Some(after) = after {
        filter.and("u.name > ?", [after.into()]);
    }
    let limit = filter.param(limit);
    let clause = filter.clause();
    let sql = format!("select {USER} from users u{clause} order by u.name limit {limit}");
    tx.query(&sql, filter.params()).await?.iter().map(user).collect()
}

pub(super) async fn insert(tx: &mut Tx, user: &User, password_hash: &str) -> Result<(), Error> {
    let sql = "insert into users (id, name, display_name, password_hash, must_change, is_locked,
                 failures, locked_until, password_at, created_at, created_by, updated_at, version)
               values ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12)";
    let params = [
        user.id.as_str().into(),
        user.name.as_str().into(),
        user.display_name.as_str().into(),
        password_hash.into(),
        user.must_change.into(),
        user.is_locked.into(),
        instant(user.locked_until),
        user.password_at.0.into(),
        user.created_at.0.into(),
        user.created_by.as_str().into(),
        user.updated_at.0.into(),
        user.version.into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// Writes what changed of a user that is locked; the failures of sign-in begin anew.
pub(in crate::accounts) async fn update(
    tx: &mut Tx,
    user: &User,
    password_hash: Option<&str>,
) -> Result<(), Error> {
    let sql = "update users set display_name = $2, must_change = $3, is_locked = $4, failures = 0,
                 locked_until = $5, password_at = $6, updated_at = $7, version = $8,
                 password_hash = coalesce($9, password_hash), second_factor_at = $10
               where id = $1";
    let params = [
        user.id.as_str().into(),
        user.display_name.as_str().into(),
        user.must_change.into(),
        user.is_locked.into(),
        instant(user.locked_until),
        user.password_at.0.into(),
        user.updated_at.0.into(),
        user.version.into(),
        password_hash.into(),
        instant(user.second_factor_at),
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// Writes the count of failed attempts. Not a new version: it is no change that anybody made.
pub(in crate::accounts) async fn set_failures(
    tx: &mut Tx,
    id: &str,
    failures: i64,
    locked_until: Option<Timestamp>,
) -> Result<(), Error> {
    let sql = "update users set failures = $2, locked_until = $3 where id = $1";
    tx.execute(sql, &[id.into(), failures.into(), instant(locked_until)]).await.map(drop)
}

pub(in crate::accounts) fn instant(at: Option<Timestamp>) -> Value {
    at.map(|at| at.0).into()
}

pub(in crate::accounts) fn user(row: &Row) -> Result<User, Error> {
    Ok(User {
        id: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        display_name: row.text(2)?.to_owned(),
        must_change: row.flag(3)?,
        is_locked: row.flag(4)?,
        locked_until: row.opt_int(5)?.map(Timestamp),
        password_at: Timestamp(row.int(6)?),
        created_at: Timestamp(row.int(7)?),
        created_by: row.text(8)?.to_owned(),
        updated_at: Timestamp(row.int(9)?),
        version: row.int(10)?,
        second_factor_at: row.opt_int(11)?.map(Timestamp),
    })
}

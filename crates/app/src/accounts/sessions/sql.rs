//! SQL of sessions.

use daohu_base::Timestamp;
use daohu_db::{Error, Row, Tx};

use crate::accounts::{
    grants::sql::{GRANT, grant},
    model::{Grant, SessionRow, User},
    users::sql::{USER, USER_COLUMNS, user},
};

/// As [`session`] reads them.
const SESSION: &str =
    "s.token_hash, s.user_id, s.created_at, s.used_at, s.ends_at, s.address, s.agent";
/// The number of columns of [`SESSION`].
const SESSION_COLUMNS: usize = 7;

pub(super) async fn insert(tx: &mut Tx, session: &SessionRow) -> Result<(), Error> {
    let sql = "insert into sessions (token_hash, user_id, created_at, used_at, ends_at, address,
                 agent)
               values ($1, $2, $3, $4, $5, $6, $7)";
    let params = [
        session.token_hash.as_str().into(),
        session.user_id.as_str().into(),
        session.created_at.0.into(),
        session.used_at.0.into(),
        session.ends_at.0.into(),
        session.address.as_str().into(),
        session.agent.as_str().into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// The session with this hash, its user and the user's grants, past and future ones too, in one query:
/// every request asks for them.
pub(super) async fn find(
    tx: &mut Tx,
    token_hash: &str,
) -> Result<Option<(User, SessionRow, Vec<Grant>)>, Error> {
    let sql = format!(
        "select {USER}, {SESSION}, {GRANT} from sessions s join users u on u.id = s.user_id
         left join grants g on g.user_id = u.id where s.token_hash = $1
         order by g.created_at, g.id"
    );
    let rows = tx.query(&sql, &[token_hash.into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    const GRANTS_AT: usize = USER_COLUMNS + SESSION_COLUMNS;
    let mut grants = Vec::new();
    for row in &rows {
        if row.opt_text(GRANTS_AT)?.is_some() {
            grants.push(grant(row, GRANTS_AT)?);
        }
    }
    Ok(Some((user(row)?, session(row, USER_COLUMNS)?, grants)))
}

/// A user's sessions, the last used first.
pub(super) async fn of_user(tx: &mut Tx, user_id: &str) -> Result<Vec<SessionRow>, Error> {
    let sql = format!(
        "select {SESSION} from sessions s where user_id = $1 order by used_at desc, token_hash"
    );
    tx.query(&sql, &[user_id.into()]).await?.iter().map(|row| session(row, 0)).collect()
}

/// Writes that the session is in use. Not journaled: it is no act.
pub(super) async fn touch(tx: &mut Tx, token_hash: &str, at: Timestamp) -> Result<(), Error> {
    let sql = "update sessions set used_at = $2 where token_hash = $1 and used_at < $2";
    tx.execute(sql, &[token_hash.into(), at.0.into()]).await.map(drop)
}

/// Returns whether there was such a session.
pub(super) async fn delete(tx: &mut Tx, token_hash: &str) -> Result<bool, Error> {
    let sql = "delete from sessions where token_hash = $1";
    Ok(tx.execute(sql, &[token_hash.into()]).await? > 0)
}

/// Sweeps out what nobody can use any more.
pub(super) async fn delete_ended(
    tx: &mut Tx,
    now: Timestamp,
    used_before: Timestamp,
) -> Result<(), Error> {
    let sql = "delete from sessions where ends_at <= $1 or used_at <= $2";
    tx.execute(sql, &[now.0.into(), used_before.0.into()]).await.map(drop)
}

/// Ends all sessions of all users.
pub(super) async fn delete_all(tx: &mut Tx) -> Result<(), Error> {
    tx.execute("delete from sessions", &[]).await.map(drop)
}

fn session(row: &Row, at: usize) -> Result<SessionRow, Error> {
    Ok(SessionRow {
        token_hash: row.text(at)?.to_owned(),
        user_id: row.text(at + 1)?.to_owned(),
        created_at: Timestamp(row.int(at + 2)?),
        used_at: Timestamp(row.int(at + 3)?),
        ends_at: Timestamp(row.int(at + 4)?),
        address: row.text(at + 5)?.to_owned(),
        agent: row.text(at + 6)?.to_owned(),
    })
}

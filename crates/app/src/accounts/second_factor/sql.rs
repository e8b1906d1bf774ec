//! SQL of second factors.

use daohu_db::{Error, Row, Tx};

/// What the codes of a user are computed from, sealed.
pub(super) struct Factor {
    pub(super) secret: Option<Vec<u8>>,
    /// Waits for its first code.
    pub(super) pending: Option<Vec<u8>>,
    pub(super) last_step: i64,
}

pub(super) async fn find(tx: &mut Tx, user_id: &str) -> Result<Option<Factor>, Error> {
    let sql = "select secret, pending, last_step from second_factors where user_id = $1";
    let Some(row) = tx.query_opt(sql, &[user_id.into()]).await? else { return Ok(None) };
    let (secret, pending) = (bytes(&row, 0)?, bytes(&row, 1)?);
    Ok(Some(Factor { secret, pending, last_step: row.int(2)? }))
}

/// Keeps a secret until its first code comes; one that waited before is forgotten.
pub(super) async fn set_pending(tx: &mut Tx, user_id: &str, sealed: Vec<u8>) -> Result<(), Error> {
    let sql = "insert into second_factors (user_id, pending, last_step) values ($1, $2, -1)
               on conflict (user_id) do update set pending = excluded.pending";
    tx.execute(sql, &[user_id.into(), sealed.into()]).await.map(drop)
}

/// Puts the secret that waits in force; its code of this step has been accepted.
pub(super) async fn activate(tx: &mut Tx, user_id: &str, step: i64) -> Result<(), Error> {
    let sql = "update second_factors set secret = pending, pending = null, last_step = $2
               where user_id = $1";
    tx.execute(sql, &[user_id.into(), step.into()]).await.map(drop)
}

pub(super) async fn set_last_step(tx: &mut Tx, user_id: &str, step: i64) -> Result<(), Error> {
    let sql = "update second_factors set last_step = $2 where user_id = $1";
    tx.execute(sql, &[user_id.into(), step.into()]).await.map(drop)
}

pub(super) async fn delete(tx: &mut Tx, user_id: &str) -> Result<(), Error> {
    delete_codes(tx, user_id).await?;
    let sql = "delete from second_factors where user_id = $1";
    tx.execute(sql, &[user_id.into()]).await.map(drop)
}

pub(super) async fn has_code(tx: &mut Tx, user_id: &str, hash: [u8; 16]) -> Result<bool, Error> {
    let sql = "select user_id from recovery_codes where user_id = $1 and code_hash = $2";
    let found = tx.query_opt(sql, &[user_id.into(), hash.to_vec().into()]).await?;
    Ok(found.is_some())
}

pub(super) async fn count_codes(tx: &mut Tx, user_id: &str) -> Result<i64, Error> {
    let sql = "select count(*) from recovery_codes where user_id = $1";
    tx.query_one(sql, &[user_id.into()]).await?.int(0)
}

pub(super) async fn insert_code(tx: &mut Tx, user_id: &str, hash: [u8; 16]) -> Result<(), Error> {
    let sql = "insert into recovery_codes (user_id, code_hash) values ($1, $2)";
    tx.execute(sql, &[user_id.into(), hash.to_vec().into()]).await.map(drop)
}

pub(super) async fn delete_code(tx: &mut Tx, user_id: &str, hash: [u8; 16]) -> Result<(), Error> {
    let sql = "delete from recovery_codes where user_id = $1 and code_hash = $2";
    tx.execute(sql, &[user_id.into(), hash.to_vec().into()]).await.map(drop)
}

pub(super) async fn delete_codes(tx: &mut Tx, user_id: &str) -> Result<(), Error> {
    let sql = "delete from recovery_codes where user_id = $1";
    tx.execute(sql, &[user_id.into()]).await.map(drop)
}

/// The secrets of users after this one: whose they are, in force and waiting.
pub(super) async fn page(
    tx: &mut Tx,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, [Option<Vec<u8>>; 2])>, Error> {
    let sql = "select user_id, secret, pending from second_factors where user_id > $1
               order by user_id limit $2";
    let rows = tx.query(sql, &[after.into(), limit.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), [bytes(row, 1)?, bytes(row, 2)?]))).collect()
}

/// Puts the same secret sealed anew where it stood. One that was changed meanwhile stays: the old key
/// opens it.
pub(super) async fn reseal(
    tx: &mut Tx,
    user_id: &str,
    (old, new): (&[u8], Vec<u8>),
) -> Result<(), Error> {
    for sql in [
        "update second_factors set secret = $3 where user_id = $1 and secret = $2",
        "update second_factors set pending = $3 where user_id = $1 and pending = $2",
    ] {
        tx.execute(sql, &[user_id.into(), old.to_vec().into(), new.clone().into()]).await?;
    }
    Ok(())
}

fn bytes(row: &Row, at: usize) -> Result<Option<Vec<u8>>, Error> {
    if row.value(at)?.is_null() { Ok(None) } else { row.blob(at).map(|bytes| Some(bytes.to_vec())) }
}

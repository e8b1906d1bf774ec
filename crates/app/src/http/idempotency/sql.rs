//! SQL of remembered answers. Not journaled: they are no facts, and they last a day.

use std::sync::Arc;

use daohu_db::{Error, Tx};

use super::{Claim, Stored};

/// Claims the key for this request; what is stored under it already, if that is not older than
/// `since`.
pub(super) async fn claim(
    tx: &mut Tx,
    claim: Arc<Claim>,
    since: i64,
) -> Result<Option<Stored>, Error> {
    forget_before(tx, since).await?;
    let sql = "insert into idempotency_keys
                 (user_id, key, request_hash, status, headers, body, created_at)
               values ($1, $2, $3, 0, '', $4, $5) on conflict (user_id, key) do nothing";
    let params = [
        claim.user_id.as_str().into(),
        claim.key.as_str().into(),
        claim.request_hash.as_str().into(),
        Vec::new().into(),
        claim.at.into(),
    ];
    if tx.execute(sql, &params).await? == 1 {
        return Ok(None);
    }
    let sql = "select request_hash, status, headers, body
               from idempotency_keys where user_id = $1 and key = $2";
    let row =
        tx.query_one(sql, &[claim.user_id.as_str().into(), claim.key.as_str().into()]).await?;
    Ok(Some(Stored {
        request_hash: row.text(0)?.to_owned(),
        status: u16::try_from(row.int(1)?).unwrap_or_default(),
        headers: row.text(2)?.to_owned(),
        body: row.blob(3)?.to_vec(),
    }))
}

pub(super) async fn finish(tx: &mut Tx, claim: &Claim, stored: Stored) -> Result<(), Error> {
    let sql = "update idempotency_keys set status = $3, headers = $4, body = $5
               where user_id = $1 and key = $2";
    let params = [
        claim.user_id.as_str().into(),
        claim.key.as_str().into(),
        i64::from(stored.status).into(),
        stored.headers.into(),
        stored.body.into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

pub(super) async fn release(tx: &mut Tx, claim: &Claim) -> Result<(), Error> {
    let sql = "delete from idempotency_keys where user_id = $1 and key = $2";
    tx.execute(sql, &[claim.user_id.as_str().into(), claim.key.as_str().into()]).await.map(drop)
}

/// Forgets all claims and answers: of a database that was restored, nobody waits for them.
pub(crate) async fn forget_all(tx: &mut Tx) -> Result<(), Error> {
    tx.execute("delete from idempotency_keys", &[]).await.map(drop)
}

/// Forgets what was remembered before an instant.
pub(super) async fn forget_before(tx: &mut Tx, since: i64) -> Result<(), Error> {
    let sql = "delete from idempotency_keys where created_at < $1";
    tx.execute(sql, &[since.into()]).await.map(drop)
}

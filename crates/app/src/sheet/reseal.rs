//! Sealing numbers anew, when the key changed.

use daohu_db::{FutureExt, Tx, Value};

use super::{Layout, sql};
use crate::{Context, Error, keys::Keys};

/// Rows sealed anew in one transaction.
const RESEAL_ROWS: i64 = 1_000;

/// Seals every number of a table with the present key; gives how many rows had another. What the numbers are
/// does not change, so the journal has no entry of it; journal bodies keep the key that sealed them.
pub(crate) async fn reseal(context: &Context, layout: &'static Layout) -> Result<u64, Error> {
    let (mut total, mut after) = (0, None);
    loop {
        let keys = context.keys.clone();
        let work = async move |tx: &mut Tx| reseal_some(tx, &keys, layout, after).await;
        let step = context.db.write(move |tx| async move { work(tx).await }.boxed());
        let (rows, last) = step.await?;
        total += rows;
        if last.is_none() {
            return Ok(total);
        }
        after = last;
    }
}

async fn reseal_some(
    tx: &mut Tx,
    keys: &Keys,
    layout: &Layout,
    after: Option<Vec<Value>>,
) -> Result<(u64, Option<Vec<Value>>), Error> {
    let (mut count, mut last) = (0, None);
    for mut row in sql::sealed_rows(tx, layout, after, RESEAL_ROWS).await? {
        let is_current = keys.is_current(row.blob(layout.width())?);
        let record = layout.from_row(keys, &mut row)?;
        if !is_current {
            let sealed = layout.seal(keys, &record)?;
            // A row that was changed meanwhile keeps what it was given: old keys still open it.
            count += sql::set_sealed(tx, layout, &record, sealed).await?;
        }
        last = Some(layout.key_of(&record));
    }
    Ok((count, last))
}

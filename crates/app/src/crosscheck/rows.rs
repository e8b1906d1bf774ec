//! What changes of areas do with leads, inside a transaction of theirs.

use daohu_db::Tx;

use super::sql;
use crate::{Error, keys::Keys};

/// The leads of households go with them into another county. Gives each one's key and what the journal has to say of it there.
pub(crate) async fn move_leads(
    tx: &mut Tx,
    keys: &Keys,
    (from, to): (&str, &str),
    households: &[i64],
) -> Result<Vec<(String, String)>, Error> {
    let mut leads = sql::of_households(tx, keys, from, households).await?;
    let mut moved = Vec::new();
    for lead in &mut leads {
        sql::remove(tx, lead).await?;
        to.clone_into(&mut lead.county);
        moved.push((lead.key(), lead.to_journal()));
    }
    sql::insert(tx, keys, &leads).await?;
    Ok(moved)
}

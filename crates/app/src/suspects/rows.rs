//! What imports and reports may ask of judgements, inside a transaction of theirs.

use daohu_db::Tx;

use super::sql;
pub(crate) use super::sql::{different_among, different_in};
use crate::Error;

/// What was judged of pairs whose smaller id is among these goes with the persons into another county. Gives
/// each judgement's key and what the journal has to say of it there.
pub(crate) async fn move_judgements(
    tx: &mut Tx,
    (from, to): (&str, &str),
    persons: &[i64],
) -> Result<Vec<(String, String)>, Error> {
    let mut moved = Vec::new();
    for mut judgement in sql::of_persons(tx, from, ("person", persons)).await? {
        sql::remove(tx, &judgement).await?;
        to.clone_into(&mut judgement.county);
        sql::save(tx, &judgement).await?;
        moved.push((judgement.key(), judgement.to_journal()));
    }
    Ok(moved)
}

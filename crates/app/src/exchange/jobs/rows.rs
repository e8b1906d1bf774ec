//! What an import does with the row of its job.

use daohu_base::Timestamp;
use daohu_db::{Error, Tx};

use super::sql;

/// Notes, in the transaction that stores the rows, that they are stored.
pub(crate) async fn set_stored(tx: &mut Tx, job: &str, at: Timestamp) -> Result<(), Error> {
    sql::set_stored(tx, job, at).await
}

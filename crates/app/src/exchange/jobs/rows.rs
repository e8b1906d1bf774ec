//! What an import does with the row of its job.

use daohu_base::Timestamp;
use daohu_db::{Error, Tx};

use super::{Run, sql};

/// Notes, in the transaction that stores the rows, that they are stored. False if the run was given up
/// meanwhile: then they must not be.
pub(crate) async fn set_stored(tx: &mut Tx, run: &Run, at: Timestamp) -> Result<bool, Error> {
    sql::set_stored(tx, run, at).await
}

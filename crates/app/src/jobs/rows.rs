//! What others do with the rows of jobs: work with that of its own, a restore with all, and whoever
//! keeps out of an import's way.

use daohu_base::Timestamp;
use daohu_db::{Error, Tx};

use super::{
    Run,
    model::Kind,
    sql::{self, GivenUp},
};

/// Notes, in the transaction that stores the rows, that they are stored. False if the run was given up
/// meanwhile: then they must not be.
pub(crate) async fn set_stored(tx: &mut Tx, run: &Run, at: Timestamp) -> Result<bool, Error> {
    sql::set_stored(tx, run, at).await
}

/// Gives up all jobs: the server that carried them out is not of this database, and what waited may have been
/// carried out by it, or stopped. Their makers may ask again.
pub(crate) async fn interrupt_all(tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
    let given_up = GivenUp { server: "", before: Timestamp(i64::MAX), attempts_max: 0, at };
    sql::give_up(tx, given_up).await?;
    sql::interrupt_queued(tx, at).await
}

/// True if a server is importing.
pub(crate) async fn is_importing(tx: &mut Tx) -> Result<bool, Error> {
    sql::any_running(tx, Kind::Import).await
}

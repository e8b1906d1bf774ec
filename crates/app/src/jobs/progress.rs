//! How far a piece of work is, and what ties it to its job.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use daohu_base::Timestamp;
use daohu_db::Tx;

use super::{model::Run, rows};
use crate::Error;

/// How often a wish to stop is looked for while work waits for its turn.
const LOOK: Duration = Duration::from_millis(200);

/// How far work is, for whoever watches; and the wish to stop it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Rows done. Of an import: rows read, and then rows decided.
    pub rows_done: AtomicU64,
    /// Rows in all, once that is known.
    pub rows_total: AtomicU64,
    /// Set by whoever wants the work to stop.
    pub cancelled: AtomicBool,
    /// Its turn to write has come.
    has_begun: AtomicBool,
}

impl Progress {
    /// An error if somebody asked to stop.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Its turn has come; an error if somebody asked to stop before.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        // In this order, and [`Ticket::carry_out`] in the other one: at least one of the two sees the other.
        self.has_begun.store(true, Ordering::SeqCst);
        if self.cancelled.load(Ordering::SeqCst) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Says how many rows there are.
    pub(crate) fn expect(&self, rows: u64) {
        self.rows_total.store(rows, Ordering::Relaxed);
    }

    /// Counts rows that are done; an error if somebody asked to stop.
    pub(crate) fn add(&self, rows: usize) -> Result<(), Error> {
        self.rows_done.fetch_add(rows as u64, Ordering::Relaxed);
        self.check()
    }
}

/// What ties a piece of work to whoever watches it, and to the job that it is: none on the command line.
#[derive(Clone, Debug, Default)]
pub struct Ticket {
    /// How far it is.
    pub progress: Arc<Progress>,
    /// The job in the hands of a server.
    pub run: Option<Run>,
}

impl Ticket {
    /// Waits for work that calls [`Progress::begin`] when its turn has come. However long that takes, whoever asks
    /// it to stop before is not kept waiting: the work is left behind, and stops itself when its turn comes.
    pub(crate) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let mut task = tokio::spawn(work);
        loop {
            match tokio::time::timeout(LOOK, &mut task).await {
                Ok(done) => {
                    let done =
                        done.unwrap_or_else(|error| Err(std::io::Error::other(error).into()));
                    return done.map_err(Error::met_meanwhile);
                }
                Err(_) => {
                    let is_cancelled = self.progress.cancelled.load(Ordering::SeqCst);
                    if is_cancelled && !self.progress.has_begun.load(Ordering::SeqCst) {
                        return Err(Error::Cancelled);
                    }
                }
            }
        }
    }

    /// Notes, in the transaction that stores what was done, that it is stored.
    ///
    /// Errors: somebody asked to stop, or the run was given up meanwhile: then it must not be stored.
    pub(crate) async fn set_stored(&self, tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
        self.progress.check()?;
        match &self.run {
            Some(run) if !rows::set_stored(tx, run, at).await? => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }
}

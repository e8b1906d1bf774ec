//! Connections for work of many rows: each is driven by the thread that uses it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool_postgres::Pool;
use futures_util::future::BoxFuture;
use tokio::runtime::{self, Runtime};

use super::{Address, End, Session, pool, transact};
use crate::{Error, Tx, tls::Access};

/// A connection that nobody else has, driven by the thread that uses it.
pub(super) struct Own {
    /// Always there, until it is dropped.
    runtime: Option<Runtime>,
    pool: Pool,
}

impl Own {
    pub(super) fn new(access: &Access) -> Result<Self, Error> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::Connection(format!("no runtime for it: {error}")))?;
        Ok(Self { runtime: Some(runtime), pool: pool(access, 1)? })
    }

    /// Runs a closure in a transaction, on the calling thread.
    pub(super) fn run<T, E, F>(
        &self,
        address: &Address,
        begin: &str,
        end: End,
        run: F,
    ) -> Result<T, E>
    where
        E: From<Error>,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        let runtime = self.runtime.as_ref().ok_or(Error::Abandoned)?;
        runtime.block_on(async {
            // Nobody has listened since the last work: a server that has ended the connection is heard now, and the
            // pool makes another.
            for _ in 0..LISTENED {
                tokio::task::yield_now().await;
            }
            let session = Session::of(&self.pool, address).await?;
            transact(session, begin, end, run).await
        })
    }
}

/// Nobody hears it when a firewall forgets a connection that is silent: they do so after minutes.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Turns of a runtime in which what has arrived is read and understood.
const LISTENED: usize = 3;

impl Drop for Own {
    fn drop(&mut self) {
        // To wait for its end would not be allowed where others are driven.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Connections that are made once for many works: to make one takes as long as a small scan.
#[derive(Clone)]
pub(super) struct Idle {
    own: Arc<Mutex<Vec<(Instant, Own)>>>,
    most: usize,
}

impl Idle {
    pub(super) fn new(most: usize) -> Self {
        Self { own: Arc::default(), most }
    }

    /// The one that was used last, unless that was long ago: then none of them is to be trusted.
    pub(super) fn take(&self) -> Option<Own> {
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, own) = all.pop()?;
        if since.elapsed() < IDLE_MAX {
            return Some(own);
        }
        all.clear();
        None
    }

    pub(super) fn leave(&self, own: Own) {
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < self.most {
            all.push((Instant::now(), own));
        }
    }
}

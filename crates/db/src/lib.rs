//! One small facade over two database engines: SQLite for a county, PostgreSQL beyond.
//!
//! A transaction is a closure over [`Tx`]. SQL is the common subset of both engines, with `$1`
//! placeholders; values are [`Value`]s; there is no mapping layer, because a general one costs ten
//! times what the engine does.
//!
//! Architecture invariants: this crate knows no table of the product. No other crate sees
//! `rusqlite` or `tokio-postgres`. What [`Db::write`] returned is on disk.

mod catalogue;
mod error;
mod filter;
mod indexes;
mod migrate;
mod postgres;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod tx;
mod url;
mod value;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use catalogue::{StoredColumn, StoredTable, tables_of};
pub use error::{Error, Violation, with_causes};
pub use filter::{Filter, prefix_end};
pub use futures_util::future::{BoxFuture, FutureExt};
pub use indexes::Suspended;
pub use migrate::{Applied, Migration, SchemaState};
pub use tx::{Column, Engine, Table, Tx};
pub use url::DbUrl;
pub use value::{Row, Type, Value};

/// A database: cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    store: Store,
    /// Turns of [`Db::read_scan`].
    scans: Arc<Semaphore>,
    scans_max: usize,
    /// Whose turns are shared out: one at a time.
    sharing: Arc<Semaphore>,
}

enum Store {
    Sqlite(sqlite::Store),
    Postgres(Box<postgres::Store>),
}

/// One of several closures that read at once.
type Reading<T, E> =
    Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static>;

/// The closure, with something that is let go when its work is done, not when its caller goes away.
fn keeping<T: 'static, E: 'static>(
    kept: impl Send + 'static,
    run: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
) -> Reading<T, E> {
    Box::new(move |tx| {
        let done = run(tx);
        async move {
            let _kept = kept;
            done.await
        }
        .boxed()
    })
}

/// What one of two closures read.
enum Half<A, B> {
    First(A),
    Second(B),
}

/// What to do when the database is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Create it.
    Create,
    /// Refuse with [`Error::NoDatabase`].
    Refuse,
}

/// Sizes that depend on the machine and the work.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What to do when the database is not there yet.
    pub missing: Missing,
    /// Connections that only read.
    pub readers: usize,
    /// Page cache of the writing connection (SQLite).
    pub writer_cache_kib: u32,
    /// Page cache of each reading connection (SQLite).
    pub reader_cache_kib: u32,
}

impl Default for Options {
    fn default() -> Self {
        let missing = Missing::Refuse;
        Self { missing, readers: 5, writer_cache_kib: 32 * 1024, reader_cache_kib: 8 * 1024 }
    }
}

impl Db {
    /// Opens the database. Does not migrate: see [`Db::migrate`].
    pub async fn open(url: &DbUrl, options: Options) -> Result<Self, Error> {
        let store = match url {
            DbUrl::Sqlite(path) => Store::Sqlite(sqlite::Store::open(path, options)?),
            DbUrl::Postgres(url) => {
                Store::Postgres(Box::new(postgres::Store::open(url, options).await?))
            }
        };
        let scans_max = options.readers.div_ceil(2).max(1);
        let scans = Arc::new(Semaphore::new(scans_max));
        let sharing = Arc::new(Semaphore::new(1));
        Ok(Self(Arc::new(Inner { store, scans, scans_max, sharing })))
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match &self.0.store {
            Store::Sqlite(_) => Engine::Sqlite,
            Store::Postgres(_) => Engine::Postgres,
        }
    }

    /// The file, of a database that is one.
    pub fn file(&self) -> Option<&std::path::Path> {
        match &self.0.store {
            Store::Sqlite(store) => Some(store.file()),
            Store::Postgres(_) => None,
        }
    }

    /// Runs a closure that only reads, on one consistent picture of the data.
    ///
    /// The closure may run on a thread of its own; on SQLite several read beside one writer.
    pub async fn read<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.0.store {
            Store::Sqlite(store) => store.read(run).await,
            Store::Postgres(store) => store.read(run).await,
        }
    }

    /// As [`Db::read`], for work of many rows: the closure may compute, and wait for other threads. It uses
    /// nothing but its `Tx`: what it starts beside it ends with it.
    pub async fn read_bulk<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.0.store {
            Store::Sqlite(store) => store.read(run).await,
            Store::Postgres(store) => store.read_bulk(run).await,
        }
    }

    /// As [`Db::read`], for a request that reads many rows, one after the other: of these only some run at
    /// once, so that the short ones always find a connection.
    pub async fn read_scan<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let turn = Arc::clone(&self.0.scans).acquire_owned().await;
        let turn = turn.map_err(|_| Error::Abandoned)?;
        // A caller that goes away does not end what it began: the turn lasts as long as the work.
        let run = keeping(turn, run);
        match &self.0.store {
            Store::Sqlite(store) => store.read(run).await,
            Store::Postgres(store) => store.read_scan(run).await,
        }
    }

    /// As [`Db::read_scan`], for large work that can be shared out: copies of the closure run at once, each in a
    /// transaction of its own, and all of these see the same picture of the data. There are as many as
    /// `wanted`, or fewer: `left` of the turns stay with others, unless there is one turn alone. Large works
    /// follow each other, so that many of them take no more turns than one. What the copies return comes in no
    /// order.
    pub async fn read_shared<T, E, F>(
        &self,
        (wanted, left): (usize, usize),
        run: F,
    ) -> Result<Vec<T>, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
    {
        // Before the first turn is asked for: who waits here stands in the way of no small scan.
        let alone = Arc::clone(&self.0.sharing).acquire_owned().await;
        let alone = alone.map_err(|_| Error::Abandoned)?;
        let most = self.0.scans_max.saturating_sub(left).max(1);
        let readers = u32::try_from(wanted.clamp(1, most)).unwrap_or(1);
        let turns = Arc::clone(&self.0.scans).acquire_many_owned(readers).await;
        let turns = Arc::new((alone, turns.map_err(|_| Error::Abandoned)?));
        let copy = |_| keeping(Arc::clone(&turns), run.clone());
        let runs = (0..readers).map(copy).collect();
        // All before the first is used: two callers must not wait for each other's.
        let readers = Arc::clone(self.readers()).acquire_many_owned(readers).await;
        self.read_together(readers.map_err(|_| Error::Abandoned)?, runs).await
    }

    /// As [`Db::read_scan`], two closures that see the same picture of the data: at once if there are turns and
    /// connections for both, otherwise one after the other. Nobody waits for the second.
    pub async fn read_both<A, B, E>(
        &self,
        first: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<A, E>> + Send + 'static,
        second: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<B, E>> + Send + 'static,
    ) -> Result<(A, B), E>
    where
        A: Send + 'static,
        B: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let two = |of: &Arc<Semaphore>| Arc::clone(of).try_acquire_many_owned(2).ok();
        let Some((turns, readers)) = two(&self.0.scans).zip(two(self.readers())) else {
            let both = async move |tx: &mut Tx| Ok((first(tx).await?, second(tx).await?));
            return self.read_scan(move |tx| async move { both(tx).await }.boxed()).await;
        };
        let turns = Arc::new(turns);
        let halves = vec![
            keeping(Arc::clone(&turns), |tx| first(tx).map(|read| read.map(Half::First)).boxed()),
            keeping(turns, |tx| second(tx).map(|read| read.map(Half::Second)).boxed()),
        ];
        let (mut one, mut other) = (None, None);
        for half in self.read_together(readers, halves).await? {
            match half {
                Half::First(read) => one = Some(read),
                Half::Second(read) => other = Some(read),
            }
        }
        Ok(one.zip(other).ok_or(Error::Abandoned)?)
    }

    /// Places of those that read much.
    fn readers(&self) -> &Arc<Semaphore> {
        match &self.0.store {
            Store::Sqlite(store) => store.readers(),
            Store::Postgres(store) => store.readers(),
        }
    }

    /// Runs closures at once that see the same picture of the data; for each there is one of `readers`.
    async fn read_together<T, E>(
        &self,
        readers: OwnedSemaphorePermit,
        runs: Vec<Reading<T, E>>,
    ) -> Result<Vec<T>, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.0.store {
            Store::Sqlite(store) => store.read_together(readers, runs).await,
            Store::Postgres(store) => store.read_together(readers, runs).await,
        }
    }

    /// Runs a closure in a transaction; an error rolls back. When this returns `Ok`, the change is
    /// durable. Short writes of several callers may share one flush to disk.
    pub async fn write<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.0.store {
            Store::Sqlite(store) => store.write(run, sqlite::Group::Shared).await,
            Store::Postgres(store) => store.write(run).await,
        }
    }

    /// As [`Db::write`], for work of many rows: it shares its transaction with nobody, and its closure
    /// may compute. It uses nothing but its `Tx`, as in [`Db::read_bulk`].
    pub async fn write_bulk<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.0.store {
            Store::Sqlite(store) => store.write(run, sqlite::Group::Alone).await,
            Store::Postgres(store) => store.write_bulk(run).await,
        }
    }

    /// Brings the schema up to the last of `migrations`; a newer schema is refused.
    /// Returns how many were applied.
    pub async fn migrate(&self, migrations: &'static [Migration]) -> Result<usize, Error> {
        let engine = self.engine();
        self.write_bulk(move |tx| migrate::run(tx, engine, migrations).boxed()).await
    }

    /// Compares the schema with `migrations`, changing nothing.
    pub async fn schema(&self, migrations: &'static [Migration]) -> Result<SchemaState, Error> {
        self.read(move |tx| migrate::state(tx, migrations).boxed()).await
    }

    /// Frees what a large write leaves behind (SQLite: folds the log back into the file).
    pub async fn settle(&self) -> Result<(), Error> {
        match &self.0.store {
            Store::Sqlite(store) => store.settle().await,
            Store::Postgres(_) => Ok(()),
        }
    }
}

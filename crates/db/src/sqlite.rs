//! SQLite: one writer thread that commits in groups, and a pool of readers.
//!
//! Writes of several callers become savepoints of one transaction and share its flush; nobody is
//! answered before the commit. A savepoint that fails rolls back alone.

use std::{
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use futures_util::{FutureExt, future::BoxFuture};
use rusqlite::{
    OpenFlags, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{Error, Missing, Options, Row, Table, Tx, Value, tx::Connection};

/// At most this many callers share a flush: bounds how long the first one waits.
const GROUP_MAX: usize = 256;
/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT_MS: u64 = 10_000;
/// Page size of a new file: rows of the journal are wide, and larger pages cost an import fewer writes.
const PAGE_BYTES: u32 = 8192;
/// How often readers begin anew to see the same picture: commits are rare beside it.
const BEGIN_TRIES: usize = 100;
/// Prepared statements kept by each connection.
const STATEMENTS_KEPT: usize = 256;

/// Whether a write may share its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Shared,
    Alone,
}

/// Called with the outcome of the commit; answers the caller.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
/// Runs the caller's closure, or takes in why there is no transaction for it; says whether it wants
/// to commit.
type Work = Box<dyn FnOnce(Result<&mut Tx, Error>) -> (bool, Answer) + Send>;

struct Job {
    group: Group,
    work: Work,
}

pub(crate) struct Store {
    file: PathBuf,
    jobs: mpsc::Sender<Job>,
    readers: Arc<Readers>,
}

struct Readers {
    idle: Mutex<Vec<Tx>>,
    places: Arc<Semaphore>,
}

impl Store {
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        if !path.exists() {
            if options.missing == Missing::Refuse {
                return Err(Error::NoDatabase(path.display().to_string()));
            }
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                // A folder that cannot be made shows itself when the file is opened.
                let _ = std::fs::create_dir_all(folder);
            }
            // The file names people: nobody but its owner reads it.
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            // A file that cannot be made shows itself when it is opened.
            let _ = options.open(path);
        }
        let writer = Session::open(path, options.writer_cache_kib, false)?;
        let readers = (0..options.readers.max(1))
            .map(|_| Session::open(path, options.reader_cache_kib, true))
            .map(|session| session.map(|s| Tx(Connection::Sqlite(s))))
            .collect::<Result<Vec<_>, _>>()?;
        let places = Arc::new(Semaphore::new(readers.len()));
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write_loop(Tx(Connection::Sqlite(writer)), &queue))
            .map_err(|e| Error::Connection(e.to_string()))?;
        let readers = Arc::new(Readers { idle: Mutex::new(readers), places });
        Ok(Self { file: path.to_owned(), jobs, readers })
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) async fn read<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let place = Arc::clone(&readers.places).acquire_owned().await;
        let place = place.map_err(|_| Error::Abandoned)?;
        let work = move || {
            // Free when the reader is back: a caller that goes away leaves both to the thread.
            let _place = place;
            let mut idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut tx = idle.pop().ok_or(Error::Abandoned)?;
            drop(idle);
            let result = catch_unwind(AssertUnwindSafe(|| {
                tx.sqlite()?.batch("begin")?;
                block_on(run(&mut tx))
            }));
            let ended = tx.sqlite().and_then(|session| session.batch("rollback"));
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tx);
            let result = result.unwrap_or_else(|_| Err(Error::Abandoned.into()))?;
            ended?;
            Ok(result)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Abandoned)?
    }

    /// Places of readers.
    pub(crate) fn readers(&self) -> &Arc<Semaphore> {
        &self.readers.places
    }

    /// Runs closures that only read at once, all on the same picture of the data; `places`: one for each.
    pub(crate) async fn read_together<T, E, F>(
        &self,
        places: OwnedSemaphorePermit,
        runs: Vec<F>,
    ) -> Result<Vec<T>, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let work = move || {
            let _places = places;
            let mut idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let rest = idle.len().checked_sub(runs.len()).ok_or(Error::Abandoned)?;
            let mut own = idle.split_off(rest);
            drop(idle);
            let result = begin_together(&mut own).map_err(E::from).and_then(|()| {
                let pairs = own.iter_mut().zip(runs).collect();
                on_threads(pairs)
            });
            let ended = own.iter_mut().try_for_each(|tx| tx.sqlite()?.leave());
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
            let result = result?;
            ended?;
            Ok(result)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Abandoned)?
    }

    pub(crate) async fn write<T, E, F>(&self, run: F, group: Group) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel::<Result<T, E>>();
        let work: Work = Box::new(move |tx| {
            let result = match tx {
                Ok(tx) => catch_unwind(AssertUnwindSafe(|| block_on(run(tx))))
                    .unwrap_or_else(|_| Err(Error::Abandoned.into())),
                Err(error) => Err(error.into()),
            };
            let commit = result.is_ok();
            let finish: Answer = Box::new(move |committed| {
                // A caller that went away needs no answer.
                let _ = answer.send(result.and_then(|t| committed.map(|()| t).map_err(E::from)));
            });
            (commit, finish)
        });
        self.jobs.send(Job { group, work }).map_err(|_| Error::Abandoned)?;
        answered.await.map_err(|_| Error::Abandoned)?
    }

    pub(crate) async fn settle(&self) -> Result<(), Error> {
        // The checkpoint must run outside a transaction: end the one that the job was given.
        self.write(
            |tx| {
                async move {
                    let session = tx.sqlite()?;
                    session.batch("commit")?;
                    let folded = session.batch("pragma wal_checkpoint(truncate)");
                    session.batch("begin immediate")?;
                    folded
                }
                .boxed()
            },
            Group::Alone,
        )
        .await
    }
}

/// Begins transactions that see the same picture. A connection can tell whether others have committed
/// since it was last asked: if none has between the moment before the first begins and that after the
/// last has, they see the same. Otherwise they begin again.
fn begin_together(readers: &mut [Tx]) -> Result<(), Error> {
    let versions = |readers: &mut [Tx]| {
        let versions = readers.iter_mut().map(|tx| tx.sqlite()?.data_version());
        versions.collect::<Result<Vec<i64>, Error>>()
    };
    for _ in 0..BEGIN_TRIES {
        let before = versions(readers)?;
        readers.iter_mut().try_for_each(|tx| tx.sqlite()?.batch("begin"))?;
        // To be asked is what makes each of them take its picture.
        if versions(readers)? == before {
            return Ok(());
        }
        readers.iter_mut().try_for_each(|tx| tx.sqlite()?.leave())?;
    }
    Err(Error::Busy)
}

/// Runs each closure in its transaction, on a thread of its own.
fn on_threads<T, E, F>(runs: Vec<(&mut Tx, F)>) -> Result<Vec<T>, E>
where
    T: Send,
    E: From<Error> + Send,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
{
    thread::scope(|scope| {
        let start = |(tx, run): (_, F)| {
            let work = move || {
                let done = catch_unwind(AssertUnwindSafe(|| block_on(run(tx))));
                done.unwrap_or_else(|_| Err(Error::Abandoned.into()))
            };
            let thread = thread::Builder::new().name("sqlite-reader".to_owned());
            thread.spawn_scoped(scope, work)
        };
        // All are started before the first is waited for.
        let threads: Vec<_> = runs.into_iter().map(start).collect();
        let end = |thread: std::io::Result<thread::ScopedJoinHandle<'_, Result<T, E>>>| {
            let no_thread = |error| Error::Connection(format!("no thread for it: {error}"));
            thread.map_err(no_thread)?.join().map_err(|_| Error::Abandoned)?
        };
        threads.into_iter().map(end).collect()
    })
}

/// Runs a closure on a database of its own, in memory, which goes with it.
pub(crate) fn in_memory<T>(
    run: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Error>>,
) -> Result<T, Error> {
    let session = Session(rusqlite::Connection::open_in_memory()?);
    block_on(run(&mut Tx(Connection::Sqlite(session))))
}

/// The closures never wait for anything but each other's channels, so the thread that runs them may.
fn block_on<T>(future: BoxFuture<'_, T>) -> T {
    struct Wake(thread::Thread);
    impl std::task::Wake for Wake {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Wake(thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = future;
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => thread::park(),
        }
    }
}

fn write_loop(mut tx: Tx, queue: &mpsc::Receiver<Job>) {
    let mut held = None;
    while let Some(first) = held.take().or_else(|| queue.recv().ok()) {
        let mut answers: Vec<Answer> = Vec::new();
        if let Err(error) = tx.sqlite().and_then(|session| session.batch("begin immediate")) {
            tracing::error!(%error, "no write transaction");
            let (_, answer) = (first.work)(Err(error));
            answer(Ok(()));
            continue;
        }
        let mut outcome = Ok(());
        match first.group {
            Group::Alone => {
                let (commit, answer) = (first.work)(Ok(&mut tx));
                answers.push(answer);
                if !commit {
                    // The answer holds the error of the job itself.
                    outcome = Err(Error::Abandoned);
                }
            }
            Group::Shared => {
                let mut next = Some(first);
                while let Some(job) = next.take() {
                    let (answer, closed) = in_savepoint(job, &mut tx);
                    answers.push(answer);
                    outcome = closed;
                    if outcome.is_err() || answers.len() == GROUP_MAX {
                        break;
                    }
                    next = queue.try_recv().ok();
                    if next.as_ref().is_some_and(|job| job.group == Group::Alone) {
                        held = next.take();
                    }
                }
            }
        }
        let ended = tx.sqlite().and_then(|session| session.end(outcome));
        for answer in answers {
            answer(match &ended {
                Ok(()) => Ok(()),
                Err(Error::DiskFull) => Err(Error::DiskFull),
                Err(Error::Busy) => Err(Error::Busy),
                Err(_) => Err(Error::Abandoned),
            });
        }
    }
}

/// Runs a job so that it fails alone. An error says that the whole transaction must go: what the job
/// did cannot be told apart from the rest.
fn in_savepoint(job: Job, tx: &mut Tx) -> (Answer, Result<(), Error>) {
    if let Err(error) = tx.sqlite().and_then(|session| session.batch("savepoint job")) {
        tracing::error!(%error, "no savepoint");
        let (_, answer) = (job.work)(Err(error));
        return (answer, Ok(()));
    }
    let (commit, answer) = (job.work)(Ok(tx));
    let end = if commit { "release job" } else { "rollback to job; release job" };
    let closed = tx.sqlite().and_then(|session| {
        // Where there is no transaction any more, the next savepoint would be one, and commit.
        if session.is_lost() { Err(Error::Busy) } else { session.batch(end) }
    });
    (answer, closed)
}

/// One connection to the file.
pub(crate) struct Session(rusqlite::Connection);

impl Session {
    fn open(path: &Path, cache_kib: u32, read_only: bool) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        connection.execute_batch(&format!(
            "pragma page_size = {PAGE_BYTES}; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
             pragma temp_store = file; pragma cache_size = -{cache_kib};
             pragma journal_size_limit = 67108864; pragma query_only = {};",
            u8::from(read_only)
        ))?;
        Ok(Self(connection))
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Error> {
        Ok(self.0.execute_batch(sql)?)
    }

    /// Ends a transaction that only read, if there is one.
    fn leave(&mut self) -> Result<(), Error> {
        if self.is_lost() { Ok(()) } else { self.batch("rollback") }
    }

    /// A number that is another one after others have committed something.
    fn data_version(&mut self) -> Result<i64, Error> {
        Ok(self.0.query_row("pragma data_version", [], |row| row.get(0))?)
    }

    /// True if SQLite rolled the transaction back by itself, as it does where the disk is full.
    fn is_lost(&self) -> bool {
        self.0.is_autocommit()
    }

    /// Commits, or rolls back for a reason, which is given back.
    fn end(&mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        let ended = outcome.and_then(|()| {
            let committed = self.batch("commit");
            if let Err(error) = &committed {
                tracing::error!(%error, "commit failed");
            }
            committed
        });
        // A commit that failed leaves the transaction open.
        if ended.is_err() && !self.is_lost() {
            self.batch("rollback")?;
        }
        ended
    }

    pub(crate) fn for_each<E: From<Error>>(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(&mut Row) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut statement = self.0.prepare_cached(&numbered(sql)).map_err(Error::from)?;
        let columns = statement.column_count();
        let mut rows = statement
            .query(rusqlite::params_from_iter(params.iter().map(Bound)))
            .map_err(Error::from)?;
        let mut slot = Row::default();
        while let Some(row) = rows.next().map_err(Error::from)? {
            slot.0.clear();
            slot.0.reserve(columns);
            for i in 0..columns {
                slot.0.push(owned(row.get_ref(i).map_err(Error::from)?));
            }
            if each(&mut slot)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let changed = statement.execute(rusqlite::params_from_iter(params.iter().map(Bound)))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    pub(crate) fn insert_rows(&mut self, table: &Table, rows: &[Vec<Value>]) -> Result<(), Error> {
        self.run_rows(&table.insert_sql(), rows).map(drop)
    }

    pub(crate) fn upsert_rows(&mut self, table: &Table, rows: &[Vec<Value>]) -> Result<u64, Error> {
        self.run_rows(&(table.insert_sql() + &table.on_conflict_sql()), rows)
    }

    /// Runs a statement for each row; returns how many rows it wrote.
    pub(crate) fn run_rows(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, Error> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let mut written = 0;
        let mut last: &[Value] = &[];
        for row in rows {
            for (i, value) in row.iter().enumerate() {
                // A parameter keeps its value until it is bound again, and binding copies: half the
                // cells of an import are those of the row before.
                if last.get(i) != Some(value) {
                    statement.raw_bind_parameter(i + 1, Bound(value))?;
                }
            }
            written += statement.raw_execute()?;
            last = row;
        }
        Ok(u64::try_from(written).unwrap_or(u64::MAX))
    }
}

impl Tx {
    fn sqlite(&mut self) -> Result<&mut Session, Error> {
        match &mut self.0 {
            Connection::Sqlite(session) => Ok(session),
            Connection::Postgres(_) => Err(Error::Abandoned),
        }
    }
}

/// SQLite numbers `?1` but treats `$1` as a name; our SQL has no `$` but in placeholders.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

/// A value on its way into a statement, borrowed.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(i) => ValueRef::Integer(*i),
            Value::Real(x) => ValueRef::Real(*x),
            Value::Text(s) => ValueRef::Text(s.as_bytes()),
            Value::Blob(b) => ValueRef::Blob(b),
        }))
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => Value::Int(i),
        ValueRef::Real(x) => Value::Real(x),
        ValueRef::Text(s) => Value::Text(match str::from_utf8(s) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(s).into_owned(),
        }),
        ValueRef::Blob(b) => Value::Blob(b.to_vec()),
    }
}

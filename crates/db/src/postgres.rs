//! PostgreSQL: a pool of connections, cached statements, binary COPY for many rows, and a connection and
//! a thread of its own for work of many rows.

mod own;
mod values;

use std::{collections::BTreeMap, ops::ControlFlow, panic::AssertUnwindSafe, pin::pin, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod,
};
use futures_util::{
    FutureExt, SinkExt, StreamExt,
    future::{BoxFuture, join, try_join_all},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_postgres::{Config, Statement, config::Host, error::SqlState, types::ToSql};

use self::{
    own::{Idle, Own},
    values::Wire,
};
use crate::{
    Error, Missing, Options, Row, Table, Tx, Type, Value, tls::Access, tx::Connection, with_causes,
};

/// Waiting for a lock: long enough for an edit to wait for another; a first import locks its tables for
/// longer, and then readers are told that the server is busy.
const LOCK_TIMEOUT: &str = "set lock_timeout = '20s'";
/// Helpers and machine code: to start or make them takes longer than our queries do.
const NO_HELPERS: &str = "set max_parallel_workers_per_gather = 0; set jit = off";

/// Prepared statements kept by each connection.
const STATEMENTS_KEPT: usize = 256;

#[derive(Clone)]
pub(crate) struct Store {
    pool: Pool,
    access: Access,
    /// For people: without user and password.
    address: Arc<Address>,
    /// Turns of bulk work. Who writes and who reads do not wait for each other: an import does both at
    /// once.
    bulk_reads: Arc<Semaphore>,
    bulk_writes: Arc<Semaphore>,
    /// Connections that bulk work left behind.
    idle: Idle,
}

/// Of a server and a database on it.
struct Address {
    server: String,
    database: String,
}

impl Address {
    fn of(config: &Config) -> Self {
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let database = config.get_dbname().unwrap_or_default().to_owned();
        Self { server: format!("{host}:{port}"), database }
    }

    /// Why there is no connection: the driver's reason, without the pool's words around it.
    fn refusal(&self, error: PoolError) -> Error {
        let reason = match &error {
            PoolError::Backend(cause) if cause.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
                return Error::NoDatabase(format!("postgres://{}/{}", self.server, self.database));
            }
            PoolError::Backend(cause) => with_causes(cause),
            other => with_causes(other),
        };
        Error::Connection(format!("{}: {reason}", self.server))
    }
}

impl Store {
    pub(crate) async fn open(url: &str, options: Options) -> Result<Self, Error> {
        let access = Access::of(url)?;
        // One writer and the readers; more would wait for the server's cores anyway.
        let pool = pool(&access, options.readers * 2 + 2)?;
        let address = Arc::new(Address::of(&access.config));
        let all = || Arc::new(Semaphore::new(options.readers));
        let (bulk_reads, bulk_writes) = (all(), all());
        let idle = Idle::new(options.readers);
        let store = Self { pool, access, address, bulk_reads, bulk_writes, idle };
        match store.session().await {
            Ok(_) => Ok(store),
            Err(error) if options.missing == Missing::Create => {
                create_database(store.access.clone()).await.map_err(|_| error)?;
                store.session().await.map(|_| store)
            }
            Err(error) => Err(error),
        }
    }

    async fn session(&self) -> Result<Session, Error> {
        Session::of(&self.pool, &self.address).await
    }

    pub(crate) async fn read<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.short(BEGIN_READ, End::Later, run).await
    }

    pub(crate) async fn write<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.short(BEGIN_WRITE, End::Now, run).await
    }

    pub(crate) async fn read_bulk<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let turn = turn(&self.bulk_reads).await?;
        self.bulk(turn, BEGIN_READ.to_owned(), End::IfDone, run).await
    }

    /// As [`Store::read_bulk`], for a caller who has taken a turn elsewhere.
    pub(crate) async fn read_scan<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.bulk((), BEGIN_READ.to_owned(), End::IfDone, run).await
    }

    /// Turns of bulk reads.
    pub(crate) fn readers(&self) -> &Arc<Semaphore> {
        &self.bulk_reads
    }

    /// Runs closures that only read at once, all on the same picture of the data; `all`: a turn for each. On Citus
    /// the coordinator has one picture, its workers need not.
    pub(crate) async fn read_together<T, E, F>(
        &self,
        mut all: OwnedSemaphorePermit,
        runs: Vec<F>,
    ) -> Result<Vec<T>, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let store = self.clone();
        // The picture lasts as long as the transaction that took it.
        let lead = async move |tx: &mut Tx| {
            let picture = tx.query_one("select pg_export_snapshot()", &[]).await?;
            let begin = format!("{BEGIN_READ}; set transaction snapshot '{}'", picture.text(0)?);
            let mut works = Vec::new();
            for run in runs {
                let turn = all.split(1).ok_or(Error::Abandoned)?;
                works.push(store.bulk(turn, begin.clone(), End::IfDone, run));
            }
            try_join_all(works).await
        };
        self.read(move |tx| async move { lead(tx).await }.boxed()).await
    }

    pub(crate) async fn write_bulk<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let turn = turn(&self.bulk_writes).await?;
        self.bulk(turn, BEGIN_WRITE.to_owned(), End::Now, run).await
    }

    async fn short<T, E, F>(&self, begin: &'static str, end: End, run: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let session = self.session().await?;
        // A task of its own: a caller that goes away must not leave a connection inside a
        // transaction, and what was begun is either committed or rolled back.
        let work = tokio::spawn(transact(session, begin, end, run));
        work.await.map_err(|_| Error::Abandoned)?
    }

    /// Work of many rows has a thread, lest it keep those that the requests share, and a connection that
    /// this thread drives: rows that another one receives for it, 8 KiB at a time, cost more in waking
    /// each other than in being read. Nobody waits for the thread when the process ends.
    async fn bulk<T, E, F>(
        &self,
        turn: impl Send + 'static,
        begin: String,
        end: End,
        run: F,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (access, address) = (self.access.clone(), Arc::clone(&self.address));
        let idle = self.idle.clone();
        let (answer, answered) = oneshot::channel();
        let work = move || {
            let done = idle.take().map_or_else(|| Own::new(&access), Ok).map_err(E::from);
            let done = done.and_then(|own| {
                let done = own.run(&address, &begin, end, run)?;
                idle.leave(own);
                Ok(done)
            });
            drop(turn);
            // A caller that went away does not want to know.
            let _ = answer.send(done);
        };
        let thread = std::thread::Builder::new().name("postgres-bulk".to_owned()).spawn(work);
        thread.map_err(|error| Error::Connection(format!("no thread for it: {error}")))?;
        answered.await.map_err(|_| Error::Abandoned)?
    }
}

/// A turn of bulk work.
async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    Arc::clone(of).acquire_owned().await.map_err(|_| Error::Abandoned)
}

const BEGIN_READ: &str = "begin isolation level repeatable read read only";
const BEGIN_WRITE: &str = "begin";

/// Connections to the database, made as they are needed.
fn pool(access: &Access, size: usize) -> Result<Pool, Error> {
    let recycle = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(access.config.clone(), access.tls.clone(), recycle);
    // Who waits for a lock too long gives the connection back: others may need it to let go.
    let settings = Hook::async_fn(|client, _| {
        Box::pin(async move {
            let settings = format!("{LOCK_TIMEOUT}; {NO_HELPERS}");
            client.batch_execute(&settings).await.map_err(HookError::Backend)
        })
    });
    let pool = Pool::builder(manager).max_size(size).post_create(settings).build();
    pool.map_err(|error| Error::Connection(error.to_string()))
}

/// Runs a closure in a transaction of this connection.
async fn transact<T, E, F>(session: Session, begin: &str, end: End, run: F) -> Result<T, E>
where
    E: From<Error>,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
{
    let client = Arc::clone(&session.client);
    let mut tx = Tx(Connection::Postgres(session));
    // The first query follows `begin` on the wire without waiting for its answer: a round trip less
    // in every transaction.
    let begun = client.batch_execute(begin);
    // A panic must not give the connection back with the transaction open: whoever got it next would
    // commit the rest.
    let run = AssertUnwindSafe(async { run(&mut tx).await }).catch_unwind();
    let (begun, result) = join(begun, run).await;
    let result = result.unwrap_or_else(|_| Err(Error::Abandoned.into()));
    drop(tx);
    let ended = match (end, begun) {
        (_, Err(error)) => Err(error),
        // Its connection ends with it. What the server still sends would have to be waited for.
        (End::IfDone, Ok(())) if result.is_err() => Ok(()),
        // Whoever gets the connection next is behind it on the wire.
        (End::Later, Ok(())) => client.batch_execute("commit").now_or_never().unwrap_or(Ok(())),
        (End::Now | End::IfDone, Ok(())) => {
            let end = if result.is_ok() { "commit" } else { "rollback" };
            client.batch_execute(end).await
        }
    };
    if ended.is_err() {
        // The connection may still be inside the transaction: do not give it back.
        drop(Arc::into_inner(client).map(Object::take));
    }
    let value = result?;
    ended.map_err(Error::from)?;
    Ok(value)
}

/// When a transaction's end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Before the caller is answered: what it wrote is on disk.
    Now,
    /// Not at all: it only read.
    Later,
    /// As [`End::Now`] if the closure is content; otherwise it only read on a connection of its own, and
    /// both are dropped.
    IfDone,
}

/// Creates the database that the address names, through the server's `postgres` database.
async fn create_database(access: Access) -> Result<(), Error> {
    let name = access.config.get_dbname().unwrap_or_default().to_owned();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Error::Connection("the address names no database".to_owned()));
    }
    let mut server = access.config;
    server.dbname("postgres");
    let (client, connection) = server.connect(access.tls).await?;
    let driver = tokio::spawn(connection);
    let sql = format!("create database \"{name}\" template template0 encoding 'UTF8'");
    let made = client.batch_execute(&sql).await;
    driver.abort();
    Ok(made?)
}

/// One connection, inside a transaction.
pub(crate) struct Session {
    client: Arc<Object>,
    /// Rows that went into each table at once.
    grown: BTreeMap<&'static str, usize>,
}

impl Session {
    async fn of(pool: &Pool, address: &Address) -> Result<Self, Error> {
        let client = pool.get().await.map_err(|error| address.refusal(error))?;
        Ok(Self { client: Arc::new(client), grown: BTreeMap::new() })
    }

    pub(crate) async fn for_each<E: From<Error>>(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(&mut Row) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let statement = self.prepare(sql).await.map_err(Error::from)?;
        let params = params.iter().map(as_sql);
        let rows = self.client.query_raw(&statement, params).await.map_err(Error::from)?;
        let mut rows = pin!(rows);
        let kinds: Vec<Wire> =
            statement.columns().iter().map(|column| Wire::of(column.type_())).collect();
        let mut slot = Row::default();
        while let Some(row) = rows.next().await {
            let row = row.map_err(Error::from)?;
            slot.0.clear();
            slot.0.reserve(kinds.len());
            for (i, kind) in kinds.iter().enumerate() {
                slot.0.push(kind.read(&row, i)?);
            }
            if each(&mut slot)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// A statement, prepared once for each connection. Conditions come and go with what users ask for:
    /// when there are many, all are let go, here and on the server, and those in use come back.
    async fn prepare(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if self.client.statement_cache.size() >= STATEMENTS_KEPT {
            self.client.statement_cache.clear();
        }
        self.client.prepare_cached(sql).await
    }

    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Error> {
        Ok(self.client.batch_execute(sql).await?)
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        if params.is_empty() {
            // Data definition, and `set`: not worth a cached statement.
            return Ok(self.client.execute(sql, &[]).await?);
        }
        let statement = self.prepare(sql).await?;
        let params = params.iter().map(as_sql);
        Ok(self.client.execute_raw(&statement, params).await?)
    }

    pub(crate) async fn execute_patiently(&mut self, sql: &str) -> Result<u64, Error> {
        self.batch("set local lock_timeout = 0").await?;
        let changed = self.execute(sql, &[]).await?;
        self.batch(LOCK_TIMEOUT).await?;
        Ok(changed)
    }

    pub(crate) async fn insert_rows(
        &mut self,
        table: &Table,
        rows: &[Vec<Value>],
    ) -> Result<(), Error> {
        *self.grown.entry(table.name).or_default() += rows.len();
        self.copy(table.name, &table.column_list(), &kinds(table), rows).await
    }

    /// Takes out which tables so many rows or more went into.
    pub(crate) fn take_grown(&mut self, least: usize) -> Vec<&'static str> {
        let grown = std::mem::take(&mut self.grown).into_iter();
        grown.filter(|(_, rows)| *rows >= least).map(|(table, _)| table).collect()
    }

    /// Forgets what went into a table.
    pub(crate) fn forget_grown(&mut self, table: &str) {
        self.grown.remove(table);
    }

    /// Many rows go through a temporary table: one COPY and one statement. Few are not worth one.
    pub(crate) async fn upsert_rows(
        &mut self,
        table: &Table,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        if rows.len() <= FEW_ROWS {
            let mut written = 0;
            let sql = table.insert_sql() + &table.on_conflict_sql();
            for row in rows {
                written += self.execute(&sql, row).await?;
            }
            return Ok(written);
        }
        *self.grown.entry(table.name).or_default() += rows.len();
        let staging = format!("upsert_{}", table.name);
        let create = format!(
            "create temporary table if not exists {staging} (like {}) on commit drop",
            table.name
        );
        self.client.batch_execute(&create).await?;
        self.client.batch_execute(&format!("truncate {staging}")).await?;
        let columns = table.column_list();
        self.copy(&staging, &columns, &kinds(table), rows).await?;
        let merge = format!(
            "insert into {0} ({columns}) select {columns} from {staging}{1}",
            table.name,
            table.on_conflict_sql()
        );
        Ok(self.client.execute(&merge, &[]).await?)
    }

    /// Sends rows into these columns of a table, whose types are given in the same order.
    pub(crate) async fn copy(
        &mut self,
        into: &str,
        columns: &str,
        kinds: &[Type],
        rows: &[Vec<Value>],
    ) -> Result<(), Error> {
        let sql = format!("copy {into} ({columns}) from stdin (format binary)");
        let mut sink = pin!(self.client.copy_in::<_, Bytes>(&sql).await?);
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        chunk.put_slice(COPY_HEADER);
        for row in rows {
            put_row(&mut chunk, kinds, row)?;
            if chunk.len() >= CHUNK_BYTES {
                let full = std::mem::replace(&mut chunk, BytesMut::with_capacity(CHUNK_BYTES));
                sink.feed(full.freeze()).await?;
            }
        }
        chunk.put_i16(COPY_END);
        sink.send(chunk.freeze()).await?;
        sink.as_mut().finish().await?;
        Ok(())
    }
}

/// The format of binary COPY: <https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4>. The
/// driver's own writer sends 4 KiB at a time and asks each cell for its type: a tenth of an import.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_END: i16 = -1;
const COPY_NULL: i32 = -1;
const CHUNK_BYTES: usize = 64 * 1024;

fn kinds(table: &Table) -> Vec<Type> {
    table.columns.iter().map(|column| column.kind).collect()
}

fn put_row(out: &mut BytesMut, kinds: &[Type], row: &[Value]) -> Result<(), Error> {
    let count = i16::try_from(kinds.len()).ok().filter(|_| kinds.len() == row.len());
    out.put_i16(count.ok_or(Error::Column { index: row.len(), wanted: "a value per column" })?);
    for (index, (kind, value)) in kinds.iter().zip(row).enumerate() {
        let mut bytes = |bytes: &[u8]| {
            let length = i32::try_from(bytes.len());
            out.put_i32(length.map_err(|_| Error::Column { index, wanted: "less than 2 GiB" })?);
            out.put_slice(bytes);
            Ok::<_, Error>(())
        };
        match (value, kind) {
            (Value::Null, _) => out.put_i32(COPY_NULL),
            (Value::Int(i), Type::Int) => bytes(&i.to_be_bytes())?,
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
            (Value::Int(i), Type::Real) => bytes(&(*i as f64).to_be_bytes())?,
            (Value::Real(x), Type::Real) => bytes(&x.to_be_bytes())?,
            (Value::Text(s), Type::Text) => bytes(s.as_bytes())?,
            (Value::Blob(b), Type::Blob) => bytes(b)?,
            _ => return Err(Error::Column { index, wanted: "a value of the column's type" }),
        }
    }
    Ok(())
}

/// Rows that are written one by one.
const FEW_ROWS: usize = 10;

/// A function, not a closure: the `Send` of a future that holds a closure over references is beyond
/// the compiler.
fn as_sql(value: &Value) -> &(dyn ToSql + Sync) {
    value
}

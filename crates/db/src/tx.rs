//! A transaction on either engine.

use std::ops::ControlFlow;

use futures_util::{FutureExt, future::BoxFuture};

use crate::{Error, Row, Type, Value, postgres, sqlite};

/// The engine behind a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL, or Citus.
    Postgres,
}

impl Engine {
    /// Every engine, for tests that run on each.
    pub const BOTH: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];
}

/// How long work waits for a lock that can be done later.
const BRIEF_LOCK_TIMEOUT: &str = "set local lock_timeout = '100ms'";

/// A table as the bulk paths see it: the columns in the order of the values.
#[derive(Clone, Debug)]
pub struct Table {
    /// The table's name.
    pub name: &'static str,
    /// Its columns, in the order in which values are given.
    pub columns: Vec<Column>,
    /// The columns of the primary key.
    pub key: &'static [&'static str],
}

/// A column of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
}

/// The column that counts how often a row was written.
const VERSION: &str = "version";

/// An open transaction. Every method borrows it exclusively, so that a closure over it can move
/// between threads with either engine.
pub struct Tx(pub(crate) Connection);

pub(crate) enum Connection {
    Sqlite(sqlite::Session),
    Postgres(postgres::Session),
}

// The futures are boxed: their `Send` is then a fact about a named type, where the compiler otherwise
// proves it anew through every layer of a transaction's closure, and fails at some lifetimes.
impl Tx {
    /// All rows of a query.
    pub fn query<'a>(
        &'a mut self,
        sql: &'a str,
        params: &'a [Value],
    ) -> BoxFuture<'a, Result<Vec<Row>, Error>> {
        async move {
            let mut rows = Vec::new();
            self.for_each(sql, params, |row| {
                rows.push(std::mem::take(row));
                Ok::<_, Error>(ControlFlow::Continue(()))
            })
            .await?;
            Ok(rows)
        }
        .boxed()
    }

    /// The only row of a query, if there is one.
    pub async fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// The only row of a query that must have one.
    pub async fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, Error> {
        self.query_opt(sql, params).await?.ok_or(Error::NoRow)
    }

    /// Hands the rows of a query to `each` one by one, in constant memory; `each` may take the row
    /// out of its slot, and stops the query with `Break`.
    pub fn for_each<'a, E: From<Error> + Send + 'a>(
        &'a mut self,
        sql: &'a str,
        params: &'a [Value],
        each: impl FnMut(&mut Row) -> Result<ControlFlow<()>, E> + Send + 'a,
    ) -> BoxFuture<'a, Result<(), E>> {
        async move {
            match &mut self.0 {
                Connection::Sqlite(session) => session.for_each(sql, params, each),
                Connection::Postgres(session) => session.for_each(sql, params, each).await,
            }
        }
        .boxed()
    }

    /// Hands on the number and the text of each row of `rest` (from … where …), neither of them null, in no
    /// order: for many rows that have few texts. PostgreSQL gathers the numbers of a text, since to send a row
    /// takes it longer than to find it; SQLite sends nothing, and would have to sort.
    pub async fn for_each_pair(
        &mut self,
        (number, text): (&str, &str),
        rest: &str,
        params: &[Value],
        mut each: impl FnMut(i64, &str) + Send,
    ) -> Result<(), Error> {
        let sql = match self.engine() {
            Engine::Sqlite => format!("select {text}, {number} {rest}"),
            Engine::Postgres => {
                format!("select {text}, string_agg(int8send({number}), '') {rest} group by {text}")
            }
        };
        self.for_each(&sql, params, |row| {
            let text = row.text(0)?;
            match row.value(1)? {
                Value::Blob(numbers) => {
                    let (numbers, _) = numbers.as_chunks();
                    numbers.iter().for_each(|number| each(i64::from_be_bytes(*number), text));
                }
                _ => each(row.int(1)?, text),
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
        .await
    }

    /// Runs a statement; returns the number of rows it changed.
    pub fn execute<'a>(
        &'a mut self,
        sql: &'a str,
        params: &'a [Value],
    ) -> BoxFuture<'a, Result<u64, Error>> {
        async move {
            match &mut self.0 {
                Connection::Sqlite(session) => session.execute(sql, params),
                Connection::Postgres(session) => session.execute(sql, params).await,
            }
        }
        .boxed()
    }

    /// Lets this transaction give up with [`Error::Busy`] at once where others hold what it wants, not only after a
    /// while: for work that can be done later. On SQLite the turn to write is the only lock.
    pub async fn wait_briefly(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(session) => session.batch(BRIEF_LOCK_TIMEOUT).await,
        }
    }

    /// Runs a statement that waits for others' locks until it gets them: for work that takes turns and
    /// may take long. Any other gives up with [`Error::Busy`]. On SQLite the turn to write is the
    /// only lock, and the transaction has it.
    pub async fn execute_patiently(&mut self, sql: &str) -> Result<u64, Error> {
        match &mut self.0 {
            Connection::Sqlite(session) => session.execute(sql, &[]),
            Connection::Postgres(session) => session.execute_patiently(sql).await,
        }
    }

    /// Inserts many rows the engine's fastest way (prepared batch, binary COPY). A row that breaks
    /// a constraint fails them all.
    pub fn insert_rows<'a>(
        &'a mut self,
        table: &'a Table,
        rows: &'a [Vec<Value>],
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            match &mut self.0 {
                _ if rows.is_empty() => Ok(()),
                Connection::Sqlite(session) => session.insert_rows(table, rows),
                Connection::Postgres(session) => session.insert_rows(table, rows).await,
            }
        }
        .boxed()
    }

    /// Inserts many rows, or replaces those whose key is there already. A table with a column
    /// `version` is guarded by it: the row that is replaced must be the version before, or
    /// [`Error::Changed`] says that somebody else was faster.
    pub fn upsert_rows<'a>(
        &'a mut self,
        table: &'a Table,
        rows: &'a [Vec<Value>],
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let written = match &mut self.0 {
                _ if rows.is_empty() => Ok(0),
                Connection::Sqlite(session) => session.upsert_rows(table, rows),
                Connection::Postgres(session) => session.upsert_rows(table, rows).await,
            }?;
            // A row that the guard held back was not written.
            if u64::try_from(rows.len()).is_ok_and(|wanted| wanted == written) {
                Ok(())
            } else {
                Err(Error::Changed)
            }
        }
        .boxed()
    }

    /// True if the database has a table of this name.
    pub async fn has_table(&mut self, name: &str) -> Result<bool, Error> {
        let sql = match self.engine() {
            Engine::Sqlite => "select 1 from sqlite_master where type = 'table' and name = $1",
            Engine::Postgres => {
                "select 1::bigint from pg_tables where tablename = $1
                 and schemaname = current_schema()"
            }
        };
        Ok(self.query_opt(sql, &[name.into()]).await?.is_some())
    }

    /// Which engine runs this transaction.
    pub fn engine(&self) -> Engine {
        match self.0 {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }
}

impl Table {
    /// `insert into name (columns) values ($1, …)`.
    pub(crate) fn insert_sql(&self) -> String {
        let marks: Vec<String> = (1..=self.columns.len()).map(|i| format!("${i}")).collect();
        format!("insert into {} ({}) values ({})", self.name, self.column_list(), marks.join(", "))
    }

    /// ` on conflict (key) do update set …`.
    pub(crate) fn on_conflict_sql(&self) -> String {
        let sets: Vec<String> = self
            .columns
            .iter()
            .filter(|column| !self.key.contains(&column.name))
            .map(|column| format!("{0} = excluded.{0}", column.name))
            .collect();
        let guard = match self.columns.iter().any(|column| column.name == VERSION) {
            true => format!(" where {}.{VERSION} = excluded.{VERSION} - 1", self.name),
            false => String::new(),
        };
        format!(" on conflict ({}) do update set {}{guard}", self.key.join(", "), sets.join(", "))
    }

    pub(crate) fn column_list(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        names.join(", ")
    }
}

//! The tables of a database as its catalogue has them, and their rows: for work that is about all of them,
//! whatever they are.
//!
//! Names come from a catalogue, never from users; they are quoted all the same.

use std::ops::ControlFlow;

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Deserialize, Serialize};

use crate::{
    Engine, Error, Migration, Row, SchemaState, Tx, Type, Value, migrate, sqlite, tx::Connection,
};

/// A table, its names known only at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTable {
    /// The table's name.
    pub name: String,
    /// Its columns, in the order of the catalogue.
    pub columns: Vec<StoredColumn>,
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
}

/// A column of a [`StoredTable`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoredColumn {
    /// The column's name.
    pub name: String,
    /// Its type.
    pub kind: Type,
}

/// Names, but that of the table of migrations. What an extension of PostgreSQL brought is its own.
const SQLITE_NAMES: &str = "
    select name from sqlite_master
    where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name <> $1 order by name";
const POSTGRES_NAMES: &str = "
    select c.relname from pg_class c
    where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
      and c.relkind in ('r', 'p') and c.relname <> $1
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass
                                                and d.objid = c.oid and d.deptype = 'e')
    order by c.relname collate \"C\"";

/// Name, type and place in the primary key (0: none) of each column.
const SQLITE_COLUMNS: &str = "select name, lower(type), pk from pragma_table_info($1) order by cid";
const POSTGRES_COLUMNS: &str = "
    select a.attname, format_type(a.atttypid, a.atttypmod),
           coalesce(array_position(i.indkey::smallint[], a.attnum) + 1, 0)::bigint
    from pg_attribute a
    left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
    where a.attnum > 0 and not a.attisdropped
      and a.attrelid = (select oid from pg_class where relname = $1 and relkind in ('r', 'p')
          and relnamespace = (select oid from pg_namespace where nspname = current_schema()))
    order by a.attnum";

/// Which table refers to which.
const SQLITE_REFERENCES: &str = "
    select m.name, r.\"table\" from sqlite_master m, pragma_foreign_key_list(m.name) r
    where m.type = 'table'";

impl Tx {
    /// The names of the database's tables, but that of the table of migrations.
    pub async fn table_names(&mut self) -> Result<Vec<String>, Error> {
        let sql = match self.engine() {
            Engine::Sqlite => SQLITE_NAMES,
            Engine::Postgres => POSTGRES_NAMES,
        };
        let rows = self.query(sql, &[migrate::APPLIED.into()]).await?;
        rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
    }

    /// A table as it stands in the database; none if there is no such table.
    pub async fn stored_table(&mut self, name: &str) -> Result<Option<StoredTable>, Error> {
        let sql = match self.engine() {
            Engine::Sqlite => SQLITE_COLUMNS,
            Engine::Postgres => POSTGRES_COLUMNS,
        };
        let (mut columns, mut key) = (Vec::new(), Vec::new());
        for row in self.query(sql, &[name.into()]).await? {
            let (column, found, place) = (row.text(0)?, row.text(1)?, row.int(2)?);
            let kind = match found {
                "bigint" => Type::Int,
                "double precision" => Type::Real,
                "text" => Type::Text,
                "bytea" => Type::Blob,
                other => {
                    let (column, found) = (format!("{name}.{column}"), other.to_owned());
                    return Err(Error::UnknownType { column, found });
                }
            };
            columns.push(StoredColumn { name: column.to_owned(), kind });
            if place > 0 {
                key.push((place, column.to_owned()));
            }
        }
        key.sort();
        let key = key.into_iter().map(|(_, column)| column).collect();
        let table = StoredTable { name: name.to_owned(), columns, key };
        Ok(Some(table).filter(|table| !table.columns.is_empty()))
    }

    /// Hands on every row of a table, in no particular order, its cells in the order of the columns.
    pub fn each_stored_row<'a, E: From<Error> + Send + 'a>(
        &'a mut self,
        table: &'a StoredTable,
        each: impl FnMut(&mut Row) -> Result<ControlFlow<()>, E> + Send + 'a,
    ) -> BoxFuture<'a, Result<(), E>> {
        let sql = format!("select {} from {}", table.column_list(), quoted(&table.name));
        async move { self.for_each(&sql, &[], each).await }.boxed()
    }

    /// Inserts rows as [`Tx::insert_rows`] does, their cells in the order of the columns.
    pub async fn insert_stored_rows(
        &mut self,
        table: &StoredTable,
        rows: &[Vec<Value>],
    ) -> Result<(), Error> {
        let (name, columns) = (quoted(&table.name), table.column_list());
        match &mut self.0 {
            _ if rows.is_empty() => Ok(()),
            Connection::Sqlite(session) => {
                let marks: Vec<String> =
                    (1..=table.columns.len()).map(|i| format!("${i}")).collect();
                let marks = marks.join(", ");
                let sql = format!("insert into {name} ({columns}) values ({marks})");
                session.run_rows(&sql, rows).map(drop)
            }
            Connection::Postgres(session) => {
                let kinds: Vec<Type> = table.columns.iter().map(|column| column.kind).collect();
                session.copy(&name, &columns, &kinds, rows).await
            }
        }
    }

    /// Makes the tables of `wanted` in a database that holds nothing. One that was migrated and never
    /// used holds nothing: its tables go first. `known` are all migrations of the program.
    ///
    /// Errors: [`Error::NotEmpty`] names a table that holds something, or is not ours.
    pub async fn make_anew(
        &mut self,
        known: &'static [Migration],
        wanted: &'static [Migration],
    ) -> Result<(), Error> {
        let found = match migrate::state(self, known).await? {
            SchemaState::Empty => 0,
            SchemaState::Older { found } => found,
            SchemaState::Current => known.last().map_or(0, |migration| migration.number),
        };
        let count = known.iter().take_while(|migration| migration.number <= found).count();
        let ours = tables_of(known.get(..count).unwrap_or_default())?;
        for name in self.table_names().await? {
            let is_ours = ours.iter().any(|table| table.name == name);
            if !is_ours || self.has_rows(&name).await? {
                return Err(Error::NotEmpty(name));
            }
        }
        let ours = ours.iter().rev().map(|table| table.name.as_str());
        for name in ours.chain([migrate::APPLIED]) {
            self.execute(&format!("drop table if exists {}", quoted(name)), &[]).await?;
        }
        self.migrate(wanted).await.map(drop)
    }

    /// True if the table has rows. Nobody else gives it any until the transaction ends.
    async fn has_rows(&mut self, table: &str) -> Result<bool, Error> {
        let table = quoted(table);
        self.lock_table(&table).await?;
        let sql = format!("select 1 from {table} limit 1");
        Ok(self.query_opt(&sql, &[]).await?.is_some())
    }
}

impl StoredTable {
    /// True if both have the same name, columns and key, in whatever order the columns stand: what was
    /// added later stands behind what was there.
    pub fn is_like(&self, other: &Self) -> bool {
        let sorted = |table: &Self| {
            let mut columns = table.columns.clone();
            columns.sort();
            columns
        };
        (&self.name, &self.key) == (&other.name, &other.key) && sorted(self) == sorted(other)
    }

    fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        names.join(", ")
    }
}

/// The tables that these migrations make, whatever refers to another behind it.
pub fn tables_of(migrations: &'static [Migration]) -> Result<Vec<StoredTable>, Error> {
    sqlite::in_memory(|tx| {
        async move {
            tx.migrate(migrations).await?;
            let mut tables = Vec::new();
            for name in tx.table_names().await? {
                tables.extend(tx.stored_table(&name).await?);
            }
            let references = tx.query(SQLITE_REFERENCES, &[]).await?;
            let pair = |row: &Row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
            let references: Vec<(String, String)> =
                references.iter().map(pair).collect::<Result<_, Error>>()?;
            Ok(in_order(tables, &references))
        }
        .boxed()
    })
}

/// Puts what is referred to first, otherwise by name. What refers to each other in a circle comes last.
fn in_order(mut tables: Vec<StoredTable>, references: &[(String, String)]) -> Vec<StoredTable> {
    let mut ordered: Vec<StoredTable> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |table: &StoredTable| {
            let mut others =
                references.iter().filter(|(from, to)| *from == table.name && from != to);
            others.any(|(_, to)| tables.iter().any(|waiting| waiting.name == *to))
        };
        let next = tables.iter().position(|table| !waits(table)).unwrap_or_default();
        ordered.push(tables.remove(next));
    }
    ordered
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

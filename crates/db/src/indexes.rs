//! Setting aside a table's indexes while many rows go in.
//!
//! An index that is filled row by row, in the order in which the rows come, touches a random page for
//! each of them; one that is made at the end is sorted once. Into an empty table this is worth several
//! times the rate, and the larger the table the more.

use crate::{Engine, Error, Tx, tx::Connection};

/// Indexes that were dropped and wait to be made again.
#[derive(Debug, Default)]
#[must_use = "indexes that are not resumed are gone when the transaction commits"]
pub struct Suspended {
    tables: Vec<String>,
    definitions: Vec<String>,
}

/// What drops each index and what makes it again. A primary key stays where SQLite has it in the table
/// itself, and where a foreign key needs it.
const SQLITE: &str = "
    select 'drop index ' || name, sql from sqlite_master
    where type = 'index' and tbl_name = $1 and sql is not null order by name";
const POSTGRES: &str = "
    select format('alter table %I drop constraint %I', $1::text, conname),
           format('alter table %I add constraint %I %s', $1::text, conname,
                  pg_get_constraintdef(oid))
    from pg_constraint c where conrelid = to_regclass($1::text) and contype in ('p', 'u')
      and not exists (select from pg_constraint r where r.contype = 'f' and r.conindid = c.conindid)
    union all
    select format('drop index %I', indexname), indexdef from pg_indexes
    where schemaname = current_schema() and tablename = $1::text
      and not exists (select from pg_constraint where conindid = to_regclass(indexname))
    order by 1";

/// The columns by which rows are looked for, as a list in parentheses; the planner need not know others.
const INDEXED: &str = "
    select '(' || string_agg(distinct quote_ident(attname), ', ') || ')'
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
    where i.indrelid = to_regclass($1::text)";

/// So many rows in one transaction change how a table is best read.
const MANY_ROWS: usize = 1_000;

impl Tx {
    /// Drops the indexes of these tables; a row that breaks a unique one is found when they are made
    /// again. A rollback brings them back. On PostgreSQL nobody else can read the tables until the
    /// transaction ends: meant for tables that are still empty.
    pub async fn suspend_indexes(&mut self, tables: &[&str]) -> Result<Suspended, Error> {
        let sql = match self.engine() {
            Engine::Sqlite => SQLITE,
            Engine::Postgres => POSTGRES,
        };
        let mut suspended = Suspended::default();
        for table in tables {
            suspended.tables.push((*table).to_owned());
            for row in self.query(sql, &[(*table).into()]).await? {
                self.execute(row.text(0)?, &[]).await?;
                suspended.definitions.push(row.text(1)?.to_owned());
            }
        }
        Ok(suspended)
    }

    /// Makes the indexes again, and tells PostgreSQL's planner what the tables hold now.
    pub async fn resume_indexes(&mut self, suspended: Suspended) -> Result<(), Error> {
        for definition in &suspended.definitions {
            self.execute(definition, &[]).await?;
        }
        self.tell_planner(suspended.tables.iter().map(String::as_str)).await
    }

    /// Tells PostgreSQL's planner of the tables that this transaction put many rows into: until the server's own
    /// rounds come by, a minute later, it takes them for what they were, and chooses any index.
    pub async fn tell_planner_what_grew(&mut self) -> Result<(), Error> {
        let grown = match &mut self.0 {
            Connection::Sqlite(_) => return Ok(()),
            Connection::Postgres(session) => session.take_grown(MANY_ROWS),
        };
        self.tell_planner(grown).await
    }

    async fn tell_planner<'t>(
        &mut self,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), Error> {
        if self.engine() == Engine::Sqlite {
            return Ok(());
        }
        // A rough idea is enough to begin with; the server's own rounds refine it.
        self.execute("set local default_statistics_target = 10", &[]).await?;
        for table in tables {
            let columns = self.query_one(INDEXED, &[table.into()]).await?;
            let columns = columns.opt_text(0)?.unwrap_or_default();
            self.execute(&format!("analyze {table}{columns}"), &[]).await?;
            if let Connection::Postgres(session) = &mut self.0 {
                session.forget_grown(table);
            }
        }
        Ok(())
    }

    /// Asks for the rows of this transaction's queries in the order of an index where there is one,
    /// rather than sorted: they come at once and need no room, however many there are.
    pub async fn prefer_streams(&mut self) -> Result<(), Error> {
        const PLAN: &str = "set local enable_sort = off; set local enable_hashjoin = off; \
                            set local enable_mergejoin = off";
        self.plan(PLAN).await
    }

    /// Lets PostgreSQL plan each query of this transaction for the values it is given, and from an index.
    /// A statement used often is otherwise planned once for any value: right for a key, but a range of
    /// names or villages is then taken for a fixed share of the table. And where a few rows of many are
    /// asked for, it reads the table until it has them, which is long if they all lie at its end.
    /// Costs part of a millisecond a query.
    pub async fn plan_by_values(&mut self) -> Result<(), Error> {
        const PLAN: &str = "set local plan_cache_mode = force_custom_plan; \
                            set local enable_seqscan = off";
        self.plan(PLAN).await
    }

    /// Tells PostgreSQL how to plan; SQLite has but one way.
    async fn plan(&mut self, settings: &str) -> Result<(), Error> {
        match &mut self.0 {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(session) => session.batch(settings).await,
        }
    }

    /// Keeps all other transactions from writing to a table until this one ends. On SQLite they are
    /// kept away already.
    pub async fn lock_table(&mut self, table: &str) -> Result<(), Error> {
        if self.engine() == Engine::Postgres {
            self.execute(&format!("lock table {table} in exclusive mode"), &[]).await?;
        }
        Ok(())
    }
}

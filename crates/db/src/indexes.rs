//! Setting aside a table's indexes while many rows go in.
//!
//! An index that is filled row by row, in the order in which the rows come, touches a random page for
//! each of them; one that is made at the end is sorted once. Into an empty table this is worth several
//! times the rate, and the larger the table the more.

use crate::{Engine, Error, Tx};

/// Indexes that were dropped and wait to be made again.
#[derive(Debug, Default)]
#[must_use = "indexes that are not resumed are gone when the transaction commits"]
pub struct Suspended(Vec<String>);

impl Tx {
    /// Drops the indexes of these tables that only serve reading; unique ones and primary keys stay.
    /// A rollback brings them back. On PostgreSQL nobody else can read the tables until the
    /// transaction ends: meant for tables that are still empty.
    pub async fn suspend_indexes(&mut self, tables: &[&str]) -> Result<Suspended, Error> {
        let sql = match self.engine() {
            Engine::Sqlite => {
                "select name, sql from sqlite_master
                 where type = 'index' and tbl_name = $1 and sql not like 'create unique%'
                 order by name"
            }
            Engine::Postgres => {
                "select indexname, indexdef from pg_indexes
                 where schemaname = current_schema() and tablename = $1
                   and indexdef not like 'CREATE UNIQUE%'
                 order by indexname"
            }
        };
        let mut suspended = Suspended::default();
        for table in tables {
            for row in self.query(sql, &[(*table).into()]).await? {
                self.execute(&format!("drop index {}", row.text(0)?), &[]).await?;
                suspended.0.push(row.text(1)?.to_owned());
            }
        }
        Ok(suspended)
    }

    /// Makes the indexes again.
    pub async fn resume_indexes(&mut self, suspended: Suspended) -> Result<(), Error> {
        for definition in &suspended.0 {
            self.execute(definition, &[]).await?;
        }
        Ok(())
    }
}

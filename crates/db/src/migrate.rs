//! Numbered migrations, one text for both engines.
//!
//! A migration is plain SQL in the common subset, statements separated by a line that ends in `;`.
//! Two spellings are translated: `text` becomes `text collate "C"` on PostgreSQL (so that both
//! engines order as bytes), and the mark `/* clustered */` becomes `without rowid` on SQLite (for
//! narrow tables looked up by their key alone).
//!
//! Each is applied once, in order, and remembered with a hash of its text. Expand and contract:
//! a release only adds; what it stops using is dropped by a later one.

use serde::{Deserialize, Serialize};

use crate::{Engine, Error, Row, Tx, Value};

/// The table that remembers what was applied.
pub(crate) const APPLIED: &str = "schema_migrations";

/// One step of the schema.
#[derive(Debug)]
pub struct Migration {
    /// Position, from 1 without gaps.
    pub number: i64,
    /// What it does, in snake case.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

impl Migration {
    /// What a database remembers of it.
    pub fn applied(&self) -> Applied {
        let (name, hash) = (self.name.to_owned(), fingerprint(self.sql));
        Applied { number: self.number, name, hash }
    }
}

/// A migration that was applied, as a database remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The hash of its text.
    pub hash: String,
}

/// The database's schema beside the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// No migration was ever applied.
    Empty,
    /// Some are still to be applied.
    Older {
        /// The newest in the database.
        found: i64,
    },
    /// Up to date.
    Current,
}

const CREATE: &str = "create table if not exists schema_migrations (
    number bigint primary key, name text not null, hash text not null)";

pub(crate) async fn state(
    tx: &mut Tx,
    migrations: &'static [Migration],
) -> Result<SchemaState, Error> {
    let known = migrations.last().map_or(0, |m| m.number);
    let mut found = 0;
    for applied in tx.applied_migrations().await? {
        found = applied.number;
        if let Some(mine) = migrations.iter().find(|m| m.number == found)
            && fingerprint(mine.sql) != applied.hash
        {
            return Err(Error::ChangedMigration(found));
        }
    }
    match found {
        0 => Ok(SchemaState::Empty),
        _ if found > known => Err(Error::NewerSchema { found, known }),
        _ if found < known => Ok(SchemaState::Older { found }),
        _ => Ok(SchemaState::Current),
    }
}

pub(crate) async fn run(
    tx: &mut Tx,
    engine: Engine,
    migrations: &'static [Migration],
) -> Result<usize, Error> {
    let applied = match state(tx, migrations).await? {
        SchemaState::Current => return Ok(0),
        SchemaState::Empty => 0,
        SchemaState::Older { found } => found,
    };
    tx.execute(&translate(CREATE, engine), &[]).await?;
    let mut count = 0;
    for migration in migrations.iter().filter(|m| m.number > applied) {
        for statement in statements(migration.sql) {
            tx.execute(&translate(&statement, engine), &[]).await?;
        }
        let params: [Value; 3] =
            [migration.number.into(), migration.name.into(), fingerprint(migration.sql).into()];
        tx.execute(
            "insert into schema_migrations (number, name, hash) values ($1, $2, $3)",
            &params,
        )
        .await?;
        count += 1;
    }
    Ok(count)
}

impl Tx {
    /// The migrations that the database remembers, in their order; none where there is no schema.
    pub async fn applied_migrations(&mut self) -> Result<Vec<Applied>, Error> {
        if !self.has_table(APPLIED).await? {
            return Ok(Vec::new());
        }
        let sql = "select number, name, hash from schema_migrations order by number";
        let rows = self.query(sql, &[]).await?;
        let text = |row: &Row, i| row.text(i).map(str::to_owned);
        let applied = |row| {
            Ok(Applied { number: Row::int(row, 0)?, name: text(row, 1)?, hash: text(row, 2)? })
        };
        rows.iter().map(applied).collect()
    }

    /// As [`crate::Db::migrate`], as a part of this transaction.
    pub async fn migrate(&mut self, migrations: &'static [Migration]) -> Result<usize, Error> {
        let engine = self.engine();
        run(self, engine, migrations).await
    }
}

/// Splits at lines that end in `;` and drops comment lines.
fn statements(sql: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut statement = String::new();
    for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let line = line.split_once(" -- ").map_or(line, |(code, _)| code).trim_end();
        match line.strip_suffix(';') {
            Some(end) => {
                statement.push_str(end);
                all.push(std::mem::take(&mut statement));
            }
            None => {
                statement.push_str(line);
                statement.push('\n');
            }
        }
    }
    if !statement.trim().is_empty() {
        all.push(statement);
    }
    all
}

fn translate(statement: &str, engine: Engine) -> String {
    match engine {
        Engine::Sqlite => statement.replace("/* clustered */", "without rowid"),
        Engine::Postgres => statement.replace(" text", " text collate \"C\""),
    }
}

/// FNV-1a over the text without white space: a guard against edits, not against attackers.
fn fingerprint(sql: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in sql.bytes().filter(|b| !b.is_ascii_whitespace()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_with_a_semicolon_at_the_end_of_a_line() {
        let sql = "-- head\ncreate table a (\n  b text -- why; not\n);\ncreate index c on a (b);\n";
        let all = statements(sql);
        assert_eq!(all.len(), 2);
        assert!(all[0].starts_with("create table a (\n  b text\n)"));
        assert_eq!(translate(&all[0], Engine::Postgres).matches("collate").count(), 1);
    }
}

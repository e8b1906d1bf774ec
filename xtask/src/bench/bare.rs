//! The yardstick of imports: the same files, loaded by the engine's shell into bare tables.

use std::{path::Path, time::Instant};

use anyhow::{Context, ensure};

use super::{
    product::Imported,
    store::{Database, Engine},
};

/// The files that are loaded, a table each.
const TABLES: [&str; 3] = ["households", "persons", "incomes"];

/// Keys that must be unique, as an import must find out about each row.
const UNIQUE: [&str; 3] = [
    "households (\"户编号\")",
    "incomes (\"户编号\", \"年度\")",
    "persons (\"证件号码\") where \"证件号码\" <> ''",
];

/// What households and persons are looked up by.
const LOOK_UP: [&str; 4] = [
    "households (\"行政村代码\")",
    "households (\"户主姓名\")",
    "persons (\"户编号\")",
    "persons (\"姓名\")",
];

/// The page cache that the product gives its writing connection.
const SQLITE_CACHE_KIB: u32 = 32 * 1024;

/// Which indexes the tables have while they are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indexes {
    Unique,
    UniqueAndLookUp,
}

/// What the yardstick is, for those who read the figures.
pub(super) fn described(engine: Engine) -> String {
    let (unique, look_up) = (UNIQUE.join("; "), LOOK_UP.join("; "));
    let how = match engine {
        Engine::Sqlite => format!(
            "sqlite3 -batch FILE: .import --csv in one transaction, rollback journal, synchronous \
             full, page cache {SQLITE_CACHE_KIB} KiB as the product's writer has"
        ),
        Engine::Postgres => "psql: \\copy in one transaction, into an empty database of the same \
                             throw-away server (fsync off for both)"
            .to_owned(),
    };
    format!(
        "Bare tables on {}: {how}; the same three files (households, persons, incomes; the \
         product also takes the areas), every column text.\n  Made before loading, unique: {unique}.\n  Made before loading, for \
         look-up: {look_up}.\n  `ratio` is against both kinds, `ratio_unique_only` against the \
         first.",
        engine.name()
    )
}

/// Loads the files of a sample into an empty database; seconds.
pub(super) fn load(
    database: &Database<'_>,
    engine: Engine,
    sample: &Path,
    indexes: Indexes,
) -> anyhow::Result<f64> {
    let mut headers = Vec::new();
    for table in TABLES {
        let file = sample.join(format!("{table}.csv"));
        let mut reader = csv::Reader::from_path(&file)?;
        headers.push(reader.headers()?.iter().map(str::to_owned).collect::<Vec<_>>());
    }
    let script = script(engine, &headers, indexes);
    let start = Instant::now();
    database.run(&script, sample)?;
    Ok(start.elapsed().as_secs_f64())
}

/// An error unless the tables have as many rows as the product imported: the shell goes on after a
/// row that breaks a unique key.
pub(super) fn check(database: &Database<'_>, imported: &Imported) -> anyhow::Result<()> {
    for table in TABLES {
        let counted = database.run(&format!("select count(*) from {table};"), Path::new("."))?;
        let rows = imported.rows_of(table);
        let says =
            || format!("{table}: {} rows in the bare table, {rows} imported", counted.trim());
        ensure!(counted.trim().parse::<u64>().with_context(says)? == rows, says());
    }
    Ok(())
}

fn script(engine: Engine, headers: &[Vec<String>], indexes: Indexes) -> String {
    let mut script = match engine {
        Engine::Sqlite => format!("pragma cache_size = -{SQLITE_CACHE_KIB};\nbegin;\n"),
        Engine::Postgres => "begin;\n".to_owned(),
    };
    for (table, header) in TABLES.iter().zip(headers) {
        let columns: Vec<String> = header.iter().map(|name| format!("\"{name}\" text")).collect();
        script.push_str(&format!("create table {table} ({});\n", columns.join(", ")));
    }
    for (number, index) in (1..).zip(UNIQUE) {
        script.push_str(&format!("create unique index unique_{number} on {index};\n"));
    }
    let look_up: &[&str] = if indexes == Indexes::UniqueAndLookUp { &LOOK_UP } else { &[] };
    for (number, index) in (1..).zip(look_up) {
        script.push_str(&format!("create index look_up_{number} on {index};\n"));
    }
    for table in TABLES {
        script.push_str(&match engine {
            Engine::Sqlite => format!(".import --csv --skip 1 {table}.csv {table}\n"),
            Engine::Postgres => {
                format!("\\copy {table} from '{table}.csv' with (format csv, header)\n")
            }
        });
    }
    script.push_str("commit;\n");
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_there_before_rows_are() {
        let headers = vec![vec!["户编号".to_owned(), "年度".to_owned()]; 3];
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let few = script(engine, &headers, Indexes::Unique);
            let all = script(engine, &headers, Indexes::UniqueAndLookUp);
            let count = |script: &str| script.matches("\ncreate index ").count();
            assert_eq!((count(&few), count(&all)), (0, LOOK_UP.len()));
            assert!(
                all.contains("create table incomes (\"户编号\" text, \"年度\" text);"),
                "{all}"
            );
            let loads = all.find("households.csv").unwrap();
            assert!(all.rfind("create ").unwrap() < loads, "{all}");
        }
    }
}

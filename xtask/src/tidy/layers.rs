//! Which layer may know what: the invariants of ARCHITECTURE.md that are visible in the text.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::{File, Finding, paths::paths, source::Source};

/// The folder of the slices.
const SLICES: &str = "crates/app/src/";

/// The crate that talks to the engines, and what they are called in code.
const STORE: &str = "crates/db/";
const DRIVERS: [&str; 3] = ["rusqlite", "tokio_postgres", "deadpool_postgres"];

/// The folders of the slices: what lies directly in `crates/app/src`.
pub(super) fn slices(files: &[File]) -> BTreeSet<String> {
    files.iter().filter_map(|file| slice_of(&file.path)).map(str::to_owned).collect()
}

/// Findings in a Rust file.
pub(super) fn check(file: &File, source: &Source, slices: &BTreeSet<String>) -> Vec<Finding> {
    let paths = paths(source);
    let mut findings = sql(file, source);
    findings.extend(http(file, source));
    findings.extend(drivers(file, source));
    findings.extend(pure(file, &paths));
    findings.extend(foreign_sql(file, &paths, slices));
    findings
}

/// Drivers in a manifest other than the store's; the workspace's own only states versions.
pub(super) fn check_manifest(file: &File) -> Vec<Finding> {
    if !file.path.starts_with("crates/") || file.path.starts_with(STORE) {
        return Vec::new();
    }
    let is_driver =
        |line: &str| DRIVERS.iter().any(|name| line.starts_with(&name.replace('_', "-")));
    let lines = (1..).zip(file.text.lines()).filter(|(_, line)| is_driver(line));
    lines.map(|(line, _)| file.finding(line, DRIVER_ADVICE)).collect()
}

fn slice_of(path: &str) -> Option<&str> {
    path.strip_prefix(SLICES)?.split_once('/').map(|(slice, _)| slice)
}

/// SQL stands in `sql.rs`, in the store, in migrations and in tests.
fn sql(file: &File, source: &Source) -> Vec<Finding> {
    let may = file.name() == "sql.rs" || file.path.contains("/sql/") || file.is_test();
    if may || !file.path.starts_with("crates/") || file.path.starts_with(STORE) {
        return Vec::new();
    }
    let pattern = r"(?i)^\s*(select\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s)";
    let Ok(statement) = Regex::new(pattern) else { return Vec::new() };
    let literals = source.literals.iter().filter(|literal| literal.line < source.tests);
    literals
        .filter(|literal| statement.is_match(&literal.text))
        .map(|literal| {
            file.finding(literal.line, "SQL: move the statement into the slice's sql.rs")
        })
        .collect()
}

/// The web framework stands in `api.rs` and `http/`.
fn http(file: &File, source: &Source) -> Vec<Finding> {
    let may = file.name() == "api.rs" || file.path.contains("/http/") || file.is_test();
    if may || !file.path.starts_with("crates/") {
        return Vec::new();
    }
    let advice = "axum: only api.rs and http/ speak HTTP; let ops.rs take and return plain types";
    let lines = source.product_lines().filter(|(_, line)| names(line, &["axum", "axum_server"]));
    lines.map(|(line, _)| file.finding(line, advice)).collect()
}

/// The engines' drivers stand in the store.
fn drivers(file: &File, source: &Source) -> Vec<Finding> {
    if file.path.starts_with(STORE) || file.path.starts_with(super::OWN) {
        return Vec::new();
    }
    let lines = source.lines().filter(|(_, line)| names(line, &DRIVERS));
    lines.map(|(line, _)| file.finding(line, DRIVER_ADVICE)).collect()
}

const DRIVER_ADVICE: &str = "a database driver: only crates/db knows the engines; use daohu_db";

/// `model.rs` decides; it neither reads nor writes.
fn pure(file: &File, paths: &[(usize, String)]) -> Vec<Finding> {
    const STORES: [&str; 2] = ["daohu_db::Db", "daohu_db::Tx"];
    if file.name() != "model.rs" {
        return Vec::new();
    }
    let is = |path: &str, whole: &str| {
        path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let reads = |path: &str| STORES.iter().any(|store| is(path, store));
    let found = paths.iter().filter(|(_, path)| reads(path));
    let advice = "model.rs is pure: load in ops.rs and pass the values in";
    found.map(|(line, _)| file.finding(*line, advice)).collect()
}

/// A slice reaches another through its `ops` and `model`.
fn foreign_sql(file: &File, paths: &[(usize, String)], slices: &BTreeSet<String>) -> Vec<Finding> {
    let Some(own) = slice_of(&file.path) else { return Vec::new() };
    let foreign = |path: &str| {
        let before = path.split("::").take_while(|part| *part != "sql").count();
        let names_sql = before < path.split("::").count();
        let owner = path.split("::").take(before).find(|part| slices.contains(*part));
        owner.filter(|owner| names_sql && *owner != own).map(str::to_owned)
    };
    let found = paths.iter().filter_map(|(line, path)| Some((*line, foreign(path)?)));
    found
        .map(|(line, owner)| {
            let advice = format!("SQL of the slice `{owner}`: call a function of its ops instead");
            file.finding(line, advice)
        })
        .collect()
}

/// True if one of these words stands in the line by itself.
fn names(line: &str, words: &[&str]) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::super::found;

    fn advice(path: &str, text: &str) -> Vec<String> {
        found(path, &format!("//! A.\n{text}\n"))
    }

    #[test]
    fn sql_has_its_place() {
        let text = "fn f() { run(\"\n  select a from b\"); }";
        let says = "2: SQL: move the statement into the slice's sql.rs";
        assert_eq!(advice("crates/app/src/a/ops.rs", text), [says]);
        for text in ["\"insert into a values\"", "\"UPDATE a SET b\"", "r#\"delete from a\"#"] {
            assert_eq!(advice("crates/app/src/a/ops.rs", text), [says], "{text}");
        }
        assert!(advice("crates/app/src/a/ops.rs", "\"selected\" // \"select a\"").is_empty());
        assert!(
            advice("crates/app/src/a/ops.rs", "#[cfg(test)]\nmod tests { \"select a\" }")
                .is_empty()
        );
        for path in ["crates/app/src/a/sql.rs", "crates/app/tests/it/a.rs", "crates/db/src/tx.rs"] {
            assert!(advice(path, text).is_empty(), "{path}");
        }
    }

    #[test]
    fn the_web_framework_has_its_place() {
        let text = "use axum::Router;";
        assert_eq!(advice("crates/app/src/a/ops.rs", text).len(), 1);
        assert_eq!(advice("crates/app/src/a/model.rs", text).len(), 1);
        assert_eq!(advice("crates/daohu/src/main.rs", "axum_server::bind()").len(), 1);
        assert!(advice("crates/app/src/a/api.rs", text).is_empty());
        assert!(advice("crates/app/src/http/app.rs", text).is_empty());
        assert!(advice("crates/app/src/a/mod.rs", "use utoipa_axum::routes;").is_empty());
    }

    #[test]
    fn drivers_have_their_place() {
        assert_eq!(advice("crates/app/src/a/sql.rs", "use rusqlite::Row;").len(), 1);
        assert!(advice("crates/db/src/sqlite.rs", "use rusqlite::Row;").is_empty());
        let manifest = "[dependencies]\ntokio-postgres.workspace = true\n";
        assert_eq!(found("crates/app/Cargo.toml", manifest).len(), 1);
        assert!(found("crates/db/Cargo.toml", manifest).is_empty());
        assert!(found("Cargo.toml", manifest).is_empty());
    }

    #[test]
    fn a_model_is_pure() {
        let says = ["2: model.rs is pure: load in ops.rs and pass the values in"];
        assert_eq!(advice("crates/app/src/a/model.rs", "use daohu_db::{Tx, Value};"), says);
        assert_eq!(advice("crates/app/src/a/model.rs", "fn f(db: &daohu_db::Db) {}"), says);
        assert!(advice("crates/app/src/a/model.rs", "use daohu_db::{DbUrl, Type};").is_empty());
        assert!(advice("crates/app/src/a/ops.rs", "use daohu_db::Tx;").is_empty());
    }

    #[test]
    fn sql_of_another_slice_is_out_of_reach() {
        let says = ["2: SQL of the slice `other`: call a function of its ops instead"];
        for text in [
            "use crate::{a, other::{model, sql}};",
            "use crate::other::sql as store;",
            "fn f() { crate::other::sql::get() }",
            "use super::super::other::sql::get;",
        ] {
            assert_eq!(advice("crates/app/src/a/ops.rs", text), says, "{text}");
        }
        assert!(
            advice("crates/app/src/a/ops.rs", "use super::sql; sql::get(); crate::a::sql::get();")
                .is_empty()
        );
        assert!(advice("crates/app/src/other/ops.rs", "use crate::other::sql;").is_empty());
        assert!(advice("crates/app/src/a/ops.rs", "use crate::other::model;").is_empty());
    }
}

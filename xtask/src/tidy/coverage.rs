//! `docs/coverage.tsv`: what is said to be tested has a test of that name.

use std::collections::BTreeSet;

use super::{File, Finding, layers, source::Source};

/// The table.
const TABLE: &str = "docs/coverage.tsv";

/// Its first line that is no comment.
const HEADER: &str = "row\tmechanism\tslice\ttests";

/// Findings in the table.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let Some(table) = files.iter().find(|file| file.path == TABLE) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut lines = (1..).zip(table.text.lines()).filter(|(_, line)| !line.starts_with('#'));
    if let Some((line, header)) = lines.next()
        && header != HEADER
    {
        findings.push(table.finding(line, format!("the header is {HEADER:?}")));
    }
    let slices = layers::slices(files);
    let mut last = "";
    for (number, line) in lines {
        let mut cells = line.split('\t');
        let row = cells.next().unwrap_or_default();
        if row <= last {
            findings.push(table.finding(number, format!("{row} is out of order, or stands twice")));
        }
        last = row;
        let problems = row_problems(files, &slices, cells.collect());
        findings.extend(problems.into_iter().map(|problem| table.finding(number, problem)));
    }
    findings
}

fn row_problems(files: &[File], slices: &BTreeSet<String>, cells: Vec<&str>) -> Vec<String> {
    let &[_, slice, tests] = cells.as_slice() else {
        return vec!["a row has four cells".to_owned()];
    };
    let mut problems = Vec::new();
    if !slices.contains(slice) {
        problems.push(format!("there is no slice `{slice}` in crates/app/src"));
    }
    if tests.trim().is_empty() {
        problems.push("name a test, or leave the row out until there is one".to_owned());
    }
    let missing = tests.split_whitespace().filter(|test| !exists(files, test));
    problems.extend(
        missing.map(|test| format!("there is no test {test}: write FILE::NAME, or take it out")),
    );
    problems
}

/// True if the file of `FILE::NAME` has a test function of that name.
fn exists(files: &[File], test: &str) -> bool {
    let Some((path, name)) = test.rsplit_once("::") else { return false };
    let Some(file) = files.iter().find(|file| file.path == path) else { return false };
    let source = Source::new(&file.text);
    let start = format!("fn {name}(");
    let mut is_test = false;
    for (_, line) in source.lines() {
        let line = line.trim();
        if line.starts_with("#[") {
            is_test |= line.contains("test]") || line.contains("test(");
        } else if line.trim_start_matches("async ").starts_with(&start) && is_test {
            return true;
        } else if !line.is_empty() {
            is_test = false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::{check, file};

    const TESTS: &str = "//! T.\n#[test]\nfn works() {}\n\n#[tokio::test]\n// Why.\nasync fn waits() {}\n\nfn helps() {}\n";

    fn found(rows: &str) -> Vec<String> {
        let table = format!("# About.\nrow\tmechanism\tslice\ttests\n{rows}");
        let files = [
            file("docs/coverage.tsv", &table),
            file("crates/app/src/areas/mod.rs", "//! A.\n"),
            file("crates/app/tests/it/a.rs", TESTS),
        ];
        check(&files).into_iter().map(|f| format!("{}: {}", f.line, f.advice)).collect()
    }

    #[test]
    fn named_tests_exist() {
        let both = "crates/app/tests/it/a.rs::works crates/app/tests/it/a.rs::waits";
        assert!(found(&format!("S001\ttree\tareas\t{both}\n")).is_empty());
        for test in ["crates/app/tests/it/a.rs::helps", "crates/app/tests/it/b.rs::works", "works"]
        {
            let says = format!("3: there is no test {test}: write FILE::NAME, or take it out");
            assert_eq!(found(&format!("S001\ttree\tareas\t{test}\n")), [says]);
        }
    }

    #[test]
    fn rows_are_whole_and_in_order() {
        let test = "crates/app/tests/it/a.rs::works";
        assert_eq!(found("S001\ttree\tareas\t\n").len(), 1);
        assert_eq!(found("S001\tareas\n").len(), 1);
        assert_eq!(found(&format!("S001\ttree\tforest\t{test}\n")).len(), 1);
        let row = |row: &str| format!("{row}\ttree\tareas\t{test}\n");
        assert_eq!(found(&format!("{}{}", row("S002"), row("S001"))).len(), 1);
        assert!(found(&format!("{}{}", row("S001"), row("S002"))).is_empty());
    }
}

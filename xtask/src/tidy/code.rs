//! How Rust files are written.

use regex_lite::Regex;

use super::{File, Finding, OWN, source::Source};

/// Lines that a file may have.
const LINES_MAX: usize = 600;
const TEST_LINES_MAX: usize = 800;

/// Files that were longer when the limit came, with the length that they must not exceed.
const LONGER: [(&str, usize); 0] = [];

/// What must not stand in code, and what to do instead.
const FORBIDDEN: [(&str, &str); 3] = [
    (r"#!?\[ignore", "an ignored test proves nothing: make it run, or delete it"),
    (r"#!?\[allow\(", "write #[expect(…, reason = \"…\")]: it tells when it is no longer needed"),
    (r"\b(todo|unimplemented|dbg)!", "finish it, or take it out"),
];

/// Findings in a Rust file.
pub(super) fn check(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings: Vec<Finding> = length(file).into_iter().collect();
    if !file.text.starts_with("//!") {
        findings
            .push(file.finding(1, "begin with `//!` and a sentence that says what the file is"));
    }
    if !file.path.starts_with(OWN) {
        findings.extend(forbidden(file, source));
    }
    findings
}

fn length(file: &File) -> Option<Finding> {
    let longer = LONGER.iter().find(|(path, _)| *path == file.path).map(|(_, lines)| *lines);
    let limit = if file.is_test() { TEST_LINES_MAX } else { LINES_MAX };
    let (lines, limit) = (file.text.lines().count(), longer.unwrap_or(limit));
    let advice =
        || format!("{lines} lines: cut the file where its subjects part ({limit} at most)");
    (lines > limit).then(|| file.finding(lines, advice()))
}

fn forbidden(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (pattern, advice) in FORBIDDEN {
        let Ok(pattern) = Regex::new(pattern) else { continue };
        let lines = source.lines().filter(|(_, line)| pattern.is_match(line));
        findings.extend(lines.map(|(line, _)| file.finding(line, advice)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;

    fn advice(text: &str) -> Vec<String> {
        found("crates/app/src/a/ops.rs", &format!("//! A.\n{text}\n"))
    }

    #[test]
    fn every_pattern_is_one() {
        for (pattern, _) in super::FORBIDDEN {
            assert!(regex_lite::Regex::new(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn files_are_short() {
        let lines = |count: usize| format!("//! A.\n{}", "a();\n".repeat(count - 1));
        assert!(found("crates/app/src/a.rs", &lines(600)).is_empty());
        assert_eq!(found("crates/app/src/a.rs", &lines(601)).len(), 1);
        assert!(found("crates/app/tests/a.rs", &lines(800)).is_empty());
        assert_eq!(found("crates/app/tests/a.rs", &lines(801)).len(), 1);
    }

    #[test]
    fn files_say_what_they_are() {
        let says = ["1: begin with `//!` and a sentence that says what the file is"];
        assert_eq!(found("crates/a/src/lib.rs", "use std::fs;\n"), says);
    }

    #[test]
    fn what_is_forbidden_is_found_in_code_alone() {
        assert_eq!(advice("#[test]\n#[ignore]\nfn f() {}").len(), 1);
        assert_eq!(advice("#[allow(dead_code)]").len(), 1);
        assert_eq!(advice("#![allow(dead_code)]").len(), 1);
        for text in ["todo!()", "unimplemented!(\"x\")", "dbg!(x);"] {
            assert_eq!(advice(text), ["2: finish it, or take it out"], "{text}");
        }
        assert!(advice("// todo!()\nf(\"#[ignore]\"); #[expect(dead_code)]").is_empty());
    }
}

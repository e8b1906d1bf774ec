//! Counting tests in what the runners print.

use std::{fmt, ops::AddAssign};

/// Who runs the tests.
#[derive(Clone, Copy)]
pub(super) enum Runner {
    /// `cargo nextest run`
    Nextest,
    /// `cargo test`
    Cargo,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Totals {
    /// Adds what a line of output says, if it is this runner's summary. (Nextest repeats the output
    /// of tests that failed, and in it the summaries of the other.)
    pub(super) fn read(&mut self, runner: Runner, line: &str) {
        let line = without_colours(line);
        match runner {
            Runner::Nextest => {
                let counts = line.split_once("Summary [").map_or("", |(_, counts)| counts);
                *self += nextest(counts).unwrap_or_default();
            }
            Runner::Cargo => {
                let counts = line.strip_prefix("test result: ").unwrap_or_default();
                let count = |what| before(counts, what).unwrap_or(0);
                *self += Self { passed: count("passed"), failed: count("failed"), skipped: 0 };
            }
        }
    }
}

/// `5.3s] 120 tests run: 118 passed (2 slow), 2 failed, 1 skipped`. What neither passed nor was
/// skipped did not pass: failed, timed out, or never started.
fn nextest(counts: &str) -> Option<Totals> {
    let (_, counts) = counts.split_once(']')?;
    let run: u64 = counts.split_whitespace().next()?.split('/').next_back()?.parse().ok()?;
    let passed = before(counts, "passed").unwrap_or(0);
    let skipped = before(counts, "skipped").unwrap_or(0);
    Some(Totals { passed, failed: run.saturating_sub(passed), skipped })
}

/// The number that stands before this word.
fn before(text: &str, what: &str) -> Option<u64> {
    let clean = |word: &str| word.trim_matches([',', ';', ':']).to_owned();
    let words: Vec<String> = text.split_whitespace().map(clean).collect();
    let at = words.iter().position(|word| word == what)?;
    words.get(at.checked_sub(1)?)?.parse().ok()
}

fn without_colours(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut parts = line.split("\u{1b}[");
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    text
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} not asked for", self.skipped) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(runner: Runner, lines: &[&str]) -> String {
        let mut totals = Totals::default();
        lines.iter().for_each(|line| totals.read(runner, line));
        totals.to_string()
    }

    #[test]
    fn nextest_says_it_in_one_line() {
        let line = "     Summary [   5.301s] 120 tests run: 117 passed (2 slow), 2 failed, 1 timed out, 4 skipped";
        assert_eq!(read(Runner::Nextest, &[line]), "117 passed, 3 failed, 4 not asked for");
        assert_eq!(
            read(Runner::Nextest, &["     Summary [   0.1s] 1 test run: 1 passed, 0 skipped"]),
            "1 passed, 0 failed"
        );
        let cut = "     Summary [   0.1s] 3/9 tests run: 2 passed, 1 failed, 0 skipped";
        assert_eq!(read(Runner::Nextest, &[cut]), "2 passed, 7 failed");
    }

    #[test]
    fn colours_do_not_hide_it() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m7\u{1b}[0m tests run: \u{1b}[1m7\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped";
        assert_eq!(read(Runner::Nextest, &[line]), "7 passed, 0 failed");
    }

    #[test]
    fn nextest_repeats_what_failed_tests_printed() {
        let line = "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured";
        assert_eq!(read(Runner::Nextest, &[line]), "0 passed, 0 failed");
    }

    #[test]
    fn cargo_says_it_once_per_binary() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            "test totals::tests::cargo ... ok",
        ];
        assert_eq!(read(Runner::Cargo, &lines), "15 passed, 1 failed");
    }
}

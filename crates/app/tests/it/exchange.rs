//! Imports and exports on both engines.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use daohu_app::{
    Lang,
    exchange::{
        Outcome,
        export::{ExportOptions, Format, export},
        import::{Blank, ImportOptions, OnError, Summary, import},
    },
    jobs::{Progress, Ticket},
    journal::Act,
    sheet::{Masking, Sheet},
};
use daohu_base::{Actor, AreaCode, Scope};
use daohu_db::{Engine, FutureExt};

use crate::{harness::TestApp, seed};

impl TestApp {
    pub async fn import(&self, paths: &[PathBuf], options: ImportOptions) -> Summary {
        let act = Act::new(Actor::command("test"), &*self.context.clock, "import test");
        import(&self.context, act, paths.to_vec(), options, Ticket::default()).await.unwrap()
    }

    /// Exports all sheets of an area in full as the owner of the store; gives the files and the rows.
    pub async fn export_to(&self, folder: &Path, area: &str) -> (Vec<PathBuf>, u64) {
        let options = ExportOptions {
            area: AreaCode::parse(area).unwrap(),
            scope: Scope::all(),
            sheets: Sheet::ALL.to_vec(),
            masking: Masking::Full,
            reason: None,
            format: Format::Csv,
            out: folder.to_owned(),
            is_watched: true,
        };
        let progress = Arc::new(Progress::default());
        let done = export(&self.context, self.act(), options, Arc::clone(&progress)).await;
        let (files, rows) = done.unwrap();
        let rows = rows.iter().map(|(_, rows)| rows).sum();
        assert_eq!(progress.rows_total.load(Ordering::Relaxed), rows);
        (files, rows)
    }

    pub async fn count_rows(&self, table: &'static str) -> i64 {
        let sql = format!("select cast(count(*) as bigint) from {table}");
        let count = self
            .context
            .db
            .read(move |tx| async move { tx.query_one(&sql, &[]).await?.int(0) }.boxed());
        count.await.unwrap()
    }
}

pub fn options() -> ImportOptions {
    ImportOptions {
        on_error: OnError::RejectRow,
        blank: Blank::Keep,
        dry_run: false,
        lang: Lang::Zh,
        scope: Scope::all(),
        areas: Scope::all(),
        report: None,
        work_folder: None,
    }
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import")
}

/// `expected.tsv`: sheet and row, outcome, words that the message must have.
fn expected() -> Vec<((String, u64), String, String)> {
    let text = std::fs::read_to_string(fixture().join("expected.tsv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        ((cells[0].to_owned(), cells[1].parse().unwrap()), cells[2].to_owned(), cells[3].to_owned())
    };
    text.lines().skip(1).map(row).collect()
}

/// Each row's outcome: rows without notes are not in the summary and follow from the counts.
fn check(summary: &Summary, again: bool) {
    let mut wanted: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    for ((sheet, row), outcome, why) in expected() {
        let report = summary.problems.iter().find(|p| p.sheet == sheet && p.row == row);
        let rejected = report.is_some_and(|report| report.outcome == Outcome::Rejected);
        assert_eq!(rejected, outcome == "rejected", "{sheet} {row} {why}: {report:?}");
        if rejected {
            let column = why.split([':', '：']).next().unwrap();
            let note = &report.unwrap().notes[0];
            let named = note.column == column || why.starts_with("duplicate key");
            assert!(named, "{sheet} {row} names {column}: {note:?}");
            let code = match why.split(": ").nth(1).unwrap_or(&why) {
                "check character" | "month 13" => "cell.bad_id_number",
                "duplicate key in the file" => "row.duplicate_key",
                "户编号" | "the key of a person without a number" => "cell.required",
                "主要致贫原因" | "危房等级" => "cell.unknown_value",
                "住房面积" | "工资性收入" => "cell.not_a_number",
                "变动日期" => "cell.not_a_day",
                "年度" => "cell.not_a_year",
                "more than two decimals" => "cell.too_precise",
                "行政村代码" => "quality.R03",
                "lost precision" => "cell.lost_precision",
                "unknown household" => "quality.R03",
                "second current head" => "quality.R04",
                "its household was rejected" => "row.household_rejected",
                text if text.starts_with("held by") => "quality.R02",
                text => panic!("{sheet} {row}: no code is expected for {text}"),
            };
            assert_eq!(note.code, code, "{sheet} {row}");
            if code == "row.duplicate_key" {
                let twin = expected().into_iter().filter(|((other, _), ..)| *other == sheet);
                let mut twin = twin.filter(|((_, at), _, also)| *at != row && *also == why);
                let names = |at: u64| note.message.contains(&format!("第{at}行"));
                assert!(twin.any(|((_, at), ..)| names(at)), "{sheet} {row}: {note:?}");
                assert!(!names(row), "{sheet} {row}: {note:?}");
            }
            if code == "quality.R03" {
                let given = note.value.as_deref().unwrap();
                assert!(note.message.contains(given), "{sheet} {row}: {note:?}");
            }
        } else if let Some(rule) = why.split("warning ").nth(1) {
            let rule = format!("quality.{}", &rule[..3]);
            let notes = &report.unwrap().notes;
            assert!(notes.iter().any(|note| note.code == rule), "{sheet} {row}: {notes:?}");
        }
        let counts = wanted.entry(sheet).or_default();
        counts[0] += 1;
        counts[if rejected { 2 } else { 1 }] += 1;
    }
    for (sheet, [rows, good, bad]) in wanted {
        let counts = &summary.sheets[sheet.as_str()];
        let (created, unchanged) = if again { (0, good) } else { (good, 0) };
        assert_eq!(
            [counts.rows, counts.created, counts.unchanged, counts.rejected, counts.updated],
            [rows, created, unchanged, bad, 0],
            "{sheet}"
        );
    }
}

#[tokio::test]
async fn the_cases_give_exactly_their_outcomes_and_nothing_changes_the_second_time() {
    for engine in Engine::BOTH {
        let test = TestApp::new(engine).await;
        let first = test.import(&[fixture()], options()).await;
        assert!(first.committed);
        check(&first, false);
        let entries = test.count_rows("journal").await;
        check(&test.import(&[fixture()], options()).await, true);
        assert_eq!(test.count_rows("journal").await, entries, "{engine:?}: nothing changed");
    }
}

#[tokio::test]
async fn a_refused_row_aborts_the_whole_import_by_default() {
    for engine in Engine::BOTH {
        let test = TestApp::new(engine).await;
        for (on_error, dry_run) in [(OnError::Abort, false), (OnError::RejectRow, true)] {
            let summary =
                test.import(&[fixture()], ImportOptions { on_error, dry_run, ..options() }).await;
            assert!(!summary.committed);
            check(&summary, false);
            for table in ["areas", "households", "persons", "incomes", "journal", "serials"] {
                assert_eq!(test.count_rows(table).await, 0, "{engine:?} {table}");
            }
        }
    }
}

#[tokio::test]
async fn a_group_too_many_is_refused_with_its_row_only() {
    const GROUPS: usize = 99;
    for engine in Engine::BOTH {
        let test = TestApp::new(engine).await;
        seed::areas(&test).await;
        let mut text = "户编号,行政村代码,村民小组\n".to_owned();
        for i in 0..=GROUPS {
            text += &format!("G{i:03},990101100200,第{i}组\n");
        }
        // Groups that are there already, and another village, are as good as before.
        text += "G200,990101100200,第0组\nG201,990101100201,第0组\n";
        let summary = test.import_text("households.csv", &text).await;
        let counts = &summary.sheets["households"];
        assert_eq!((counts.created, counts.rejected), (GROUPS as u64 + 2, 1), "{engine:?}");
        let refused = &summary.problems[0];
        assert_eq!((refused.row, &*refused.notes[0].code), (101, "area.groups_full"));
        assert_eq!(refused.notes[0].column, "村民小组");
    }
}

//! What became of every row.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
    sync::Arc,
};

use daohu_db::Value;
use serde::{Deserialize, Serialize};

use super::spill::{Sorted, Spill};
use crate::{households::Merged, sheet::Sheet};

/// The outcome of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new record.
    Created,
    /// A record changed.
    Updated,
    /// The record says so already.
    Unchanged,
    /// Created or updated, but probably another record's duplicate.
    Suspected,
    /// Refused.
    Rejected,
}

impl Outcome {
    /// In words, for the report.
    pub const fn says(self, lang: crate::Lang) -> &'static str {
        use crate::Lang::{En, Zh};
        match (self, lang) {
            (Self::Created, Zh) => "新增",
            (Self::Created, En) => "created",
            (Self::Updated, Zh) => "更新",
            (Self::Updated, En) => "updated",
            (Self::Unchanged, Zh) => "无变化",
            (Self::Unchanged, En) => "unchanged",
            (Self::Suspected, Zh) => "疑似重复",
            (Self::Suspected, En) => "suspected",
            (Self::Rejected, Zh) => "拒绝",
            (Self::Rejected, En) => "rejected",
        }
    }
}

/// Something to say about a row: why it was refused, or what is doubtful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Note {
    /// The column's header.
    pub column: String,
    /// The value, unless it names a person.
    pub value: Option<String>,
    /// A stable dotted code.
    pub code: String,
    /// In words.
    pub message: String,
}

/// A row with something to say about it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RowReport {
    /// The sheet's name.
    pub sheet: String,
    /// The file's name.
    pub file: String,
    /// The row in the file; the header is 1.
    pub row: u64,
    /// Its outcome.
    pub outcome: Outcome,
    /// What there is to say.
    pub notes: Vec<Note>,
}

/// Counts of one sheet; outcomes add up to `rows`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "each name says what it counts")]
pub struct Counts {
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub suspected: u64,
    pub rejected: u64,
    pub warnings: u64,
    /// Cells put right without a doubt.
    pub cleaned: u64,
    /// Stored values that a blank erased.
    pub cleared: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.suspected += other.suspected;
        self.rejected += other.rejected;
        self.warnings += other.warnings;
        self.cleaned += other.cleaned;
        self.cleared += other.cleared;
    }
}

/// Where a row stands: the table in the order of reading, and the row in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) table: u16,
    pub(super) row: u64,
}

impl Place {
    /// Ten bytes that sort like the place.
    pub(super) fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        let (table, row) = (self.table.to_be_bytes(), self.row.to_be_bytes());
        bytes.iter_mut().zip(table.into_iter().chain(row)).for_each(|(to, from)| *to = from);
        bytes
    }
}

/// Rows reported in full in the summary; the report workbook has them all.
const PROBLEMS_MAX: usize = 1_000;
/// Memory for outcomes that wait for the report.
const SPILL_BYTES: usize = 16 << 20;

/// Collects outcomes while an import runs.
pub(super) struct Outcomes {
    tables: Vec<(&'static Sheet, String)>,
    counts: BTreeMap<&'static str, Counts>,
    problems: Vec<RowReport>,
    /// Every row's outcome, if the report wants them: this one's own, and those that were added.
    all: Option<Vec<Spill>>,
    /// The columns that a row erases, until it has its outcome.
    cleared: HashMap<Place, Vec<&'static str>>,
}

/// What an import did, row by row.
pub(super) struct Collected {
    pub(super) counts: BTreeMap<&'static str, Counts>,
    pub(super) problems: Vec<RowReport>,
    pub(super) all: Option<Sorted>,
}

impl Outcomes {
    /// For these tables; where there is a folder to sort in, every row's outcome is kept for the
    /// report workbook.
    pub(super) fn new(tables: Vec<(&'static Sheet, String)>, keep_all: Option<&Arc<Path>>) -> Self {
        let counts = tables.iter().map(|(sheet, _)| (sheet.name, Counts::default())).collect();
        // Each table that is read by itself takes its part.
        let bytes = SPILL_BYTES / tables.len().max(1);
        let all = keep_all.map(|folder| vec![Spill::new(bytes, folder)]);
        Self { tables, counts, problems: Vec::new(), all, cleared: HashMap::new() }
    }

    /// Adds what became of other rows of the same tables.
    pub(super) fn add(&mut self, other: Self) {
        for (sheet, more) in other.counts {
            self.counts.entry(sheet).or_default().add(&more);
        }
        for problem in other.problems {
            self.add_problem(problem);
        }
        if let (Some(all), Some(more)) = (&mut self.all, other.all) {
            all.extend(more);
        }
    }

    /// Notes what became of a row.
    pub(super) fn record(
        &mut self,
        place: Place,
        outcome: Outcome,
        notes: Vec<Note>,
    ) -> io::Result<()> {
        let Some((sheet, file)) = self.tables.get(usize::from(place.table)) else { return Ok(()) };
        let counts = self.counts.entry(sheet.name).or_default();
        counts.rows += 1;
        match outcome {
            Outcome::Created => counts.created += 1,
            Outcome::Updated => counts.updated += 1,
            Outcome::Unchanged => counts.unchanged += 1,
            Outcome::Suspected => counts.suspected += 1,
            Outcome::Rejected => counts.rejected += 1,
        }
        if outcome != Outcome::Rejected {
            counts.warnings += u64::try_from(notes.len()).unwrap_or_default();
        }
        if let Some(all) = self.all.as_mut().and_then(|all| all.first_mut()) {
            let cleared = self.cleared.remove(&place).unwrap_or_default();
            let value = (outcome, &notes, cleared);
            let value = postcard::to_allocvec(&value).map_err(io::Error::other)?;
            all.push(&place.to_bytes(), &value)?;
        }
        if !notes.is_empty() && (self.problems.len() < PROBLEMS_MAX || outcome == Outcome::Rejected)
        {
            let (sheet, file) = (sheet.name.to_owned(), file.clone());
            self.add_problem(RowReport { sheet, file, row: place.row, outcome, notes });
        }
        Ok(())
    }

    /// The name of a table's file.
    pub(super) fn file(&self, table: u16) -> Option<&str> {
        self.tables.get(usize::from(table)).map(|(_, file)| file.as_str())
    }

    /// Refused rows first: warnings give way to them when the list is full.
    fn add_problem(&mut self, problem: RowReport) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        } else if problem.outcome == Outcome::Rejected
            && let Some(warning) = self.problems.iter_mut().find(|p| p.outcome != Outcome::Rejected)
        {
            *warning = problem;
        }
    }

    /// Counts cells that were put right.
    pub(super) fn count_cleaned(&mut self, table: u16, cleaned: u64) {
        if let Some((sheet, _)) = self.tables.get(usize::from(table)) {
            self.counts.entry(sheet.name).or_default().cleaned += cleaned;
        }
    }

    /// Counts the stored values that blanks of a row erase; the report names their columns.
    pub(super) fn clear(&mut self, place: Place, merged: &Merged) {
        let Some((sheet, _)) = self.tables.get(usize::from(place.table)) else { return };
        self.counts.entry(sheet.name).or_default().cleared += merged.cleared;
        if merged.cleared > 0 && self.all.is_some() {
            let is_erased = |i: &&usize| merged.values.get(**i).is_some_and(Value::is_null);
            let columns = merged.changed.iter().filter(is_erased);
            let columns = columns.filter_map(|i| Some(sheet.columns.get(*i)?.header));
            self.cleared.insert(place, columns.collect());
        }
    }

    /// True if any row was refused.
    pub(super) fn any_rejected(&self) -> bool {
        self.counts.values().any(|counts| counts.rejected > 0)
    }

    /// The end of the import.
    pub(super) fn collect(mut self) -> io::Result<Collected> {
        let order = |p: &RowReport| {
            let sheet = Sheet::ALL.iter().position(|sheet| sheet.name == p.sheet);
            (sheet, p.file.clone(), p.row)
        };
        self.problems.sort_by_key(order);
        let all = self.all.map(Spill::merged).transpose()?;
        Ok(Collected { counts: self.counts, problems: self.problems, all })
    }
}

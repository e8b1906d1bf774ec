//! Rules about rows, as notes of an import: those that refuse a row return its note as an error; all
//! others only add notes.

use daohu_base::Day;
use daohu_db::Value;
use daohu_policy::Policy;

use crate::{
    Lang,
    exchange::outcome::Note,
    households::Marks,
    quality::{Checks, Finding},
    sheet::{CellError, PERSONS, Sheet},
};

/// Checks rows against the policy in force.
#[derive(Clone, Copy)]
pub(super) struct Checker<'p> {
    policy: &'p Policy,
    checks: Checks<'p>,
    pub(super) marks: Marks<'p>,
    pub(super) today: Day,
    pub(super) lang: Lang,
}

/// A note that a cell is refused.
pub(super) fn cell_note(
    sheet: &Sheet,
    i: usize,
    shown: Option<String>,
    error: &CellError,
    lang: Lang,
) -> Note {
    let header = sheet.columns.get(i).map_or("", |column| column.header);
    let says = error.says(lang);
    let message = match (&shown, lang) {
        (Some(value), Lang::Zh) => format!("“{header}”填的是 {value}，{says}"),
        (None, Lang::Zh) => format!("“{header}”{says}"),
        (Some(value), Lang::En) => format!("{header}: {value} {says}"),
        (None, Lang::En) => format!("{header} {says}"),
    };
    Note { column: header.to_owned(), value: shown, code: error.code().to_owned(), message }
}

impl<'p> Checker<'p> {
    pub(super) fn new(policy: &'p Policy, today: Day, lang: Lang) -> Self {
        let checks = Checks::new(policy, today);
        Self { policy, checks, marks: Marks::new(policy), today, lang }
    }

    /// The note of a rule; none where no pack has the rule.
    pub(super) fn note(&self, rule: &str, sheet: &Sheet, i: usize) -> Option<Note> {
        let rule = self.policy.rule(rule)?;
        let column = sheet.columns.get(i).map_or("", |column| column.header).to_owned();
        let message = format!("{} {}", rule.id, self.lang.pick(&rule.says, &rule.says_en));
        Some(Note { column, value: None, code: format!("quality.{}", rule.id), message })
    }

    /// Rules that refuse a person's row, and what follows from a good ID number: it gives the birth
    /// date. The note says which column is to blame.
    pub(super) fn accept_person(&self, values: &mut [Value]) -> Result<(), Note> {
        let refused = self.marks.accept_document(values, self.today);
        refused.map_err(|(i, error)| cell_note(&PERSONS, i, None, &error, self.lang))
    }

    /// The notes of what is doubtful.
    fn notes(&self, findings: impl IntoIterator<Item = Finding>) -> Vec<Note> {
        let note = |found: Finding| self.note(found.rule, found.sheet, found.column);
        findings.into_iter().filter_map(note).collect()
    }

    /// What is doubtful about a person's row. `born_cell`: the birth date of the row itself, not of its ID number.
    pub(super) fn doubt_person(&self, values: &[Value], born_cell: Option<&str>) -> Vec<Note> {
        self.notes(self.checks.person(values, born_cell))
    }

    /// What is doubtful about a household's row beside its current members.
    pub(super) fn doubt_household(&self, values: &[Value], members: &[&[Value]]) -> Vec<Note> {
        self.notes(self.checks.household(values, members))
    }

    /// What is doubtful about an income's row beside the household's members.
    pub(super) fn doubt_income(&self, values: &[Value], members: &[&[Value]]) -> Vec<Note> {
        self.notes(self.checks.income(values, members))
    }

    /// What is doubtful about the relations of current members, by their position.
    pub(super) fn doubt_family(&self, current: &[&[Value]]) -> Vec<(usize, Note)> {
        let found = self.checks.family(current).into_iter();
        found
            .flat_map(|(i, found)| self.notes([found]).into_iter().map(move |note| (i, note)))
            .collect()
    }

    /// What is doubtful about a household's years beside each other, by their position.
    pub(super) fn doubt_incomes(&self, village: &str, years: &[&[Value]]) -> Vec<(usize, Note)> {
        let found = self.checks.incomes(village, years).into_iter();
        found
            .flat_map(|(i, found)| self.notes([found]).into_iter().map(move |note| (i, note)))
            .collect()
    }
}

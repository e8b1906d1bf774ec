//! What is found of one household with all that hangs on it. Pure.

use std::collections::HashSet;

use daohu_db::Value;

use super::model::{Cells, Checks, Finding};
use crate::{
    households::{Home, PersonRow},
    sheet::{HOUSEHOLDS, INCOMES, PERSONS, household, person},
};

/// A record of a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Record {
    /// Not of a household.
    Area,
    Household,
    /// By id.
    Person(i64),
    /// By year.
    Income(i64),
}

/// The number of a household's records.
pub(super) fn records(home: &Home) -> usize {
    1 + home.persons.len() + home.incomes.len()
}

/// What is found, by record. `suspects` are persons who are probably another's duplicate; `is_answered`: a
/// cadre answers for the household.
pub(super) fn judge(
    checks: &Checks<'_>,
    home: &Home,
    (suspects, is_answered): (&HashSet<i64>, bool),
) -> Vec<(Record, Finding)> {
    let mut found = Vec::new();
    let current: Vec<&PersonRow> =
        home.persons.iter().filter(|person| person.is_current()).collect();
    let values: Vec<&[Value]> = current.iter().map(|person| &*person.0.values).collect();
    let all: Vec<&[Value]> = home.persons.iter().map(|person| &*person.0.values).collect();
    let mut add = |record: Record, findings: Vec<Finding>| {
        found.extend(findings.into_iter().map(|finding| (record, finding)));
    };
    add(Record::Household, checks.household(&home.household.0.values, &values));
    add(Record::Household, of_household(checks, (home, is_answered), &values));
    for person in &current {
        let record = Record::Person(person.id());
        let born = Cells(&person.0.values).text(person::BORN_ON);
        add(record, checks.person(&person.0.values, born));
        if suspects.contains(&person.id()) {
            add(record, Vec::from_iter(checks.finding("R32", &PERSONS, person::NAME)));
        }
    }
    for (i, finding) in checks.family(&values) {
        if let Some(person) = current.get(i) {
            add(Record::Person(person.id()), vec![finding]);
        }
    }
    let years: Vec<&[Value]> = home.incomes.iter().map(|income| &*income.0.values).collect();
    for income in &home.incomes {
        add(Record::Income(income.year()), checks.income(&income.0.values, &all));
    }
    for (i, finding) in checks.incomes(home.household.village(), &years) {
        if let Some(income) = home.incomes.get(i) {
            add(Record::Income(income.year()), vec![finding]);
        }
    }
    // A record breaks a rule once, however many of its columns are to blame.
    let mut once: Vec<(Record, &'static str)> = Vec::new();
    found.retain(|(record, finding)| {
        let is_new = !once.contains(&(*record, finding.rule));
        once.push((*record, finding.rule));
        is_new
    });
    found
}

/// What the household as a whole lacks.
fn of_household(
    checks: &Checks<'_>,
    (home, is_answered): (&Home, bool),
    current: &[&[Value]],
) -> Vec<Finding> {
    let cells = Cells(&home.household.0.values);
    let located = [household::LONGITUDE_DEG, household::LATITUDE_DEG];
    let is_located = located.iter().all(|i| cells.real(*i).is_some());
    let closed = checks.today.year() - 1;
    let has_year = home.incomes.iter().any(|income| income.year() == closed);
    let heads = current.iter().filter(|member| checks.is_head(member)).count();
    let doubts = [
        (!is_answered, "R30", &HOUSEHOLDS, household::NO),
        (!is_located, "R31", &HOUSEHOLDS, household::LONGITUDE_DEG),
        (!has_year, "R34", &INCOMES, crate::sheet::income::YEAR),
        (heads != 1, "R04", &PERSONS, person::RELATION),
    ];
    let held = doubts.into_iter().filter(|(holds, ..)| *holds);
    held.filter_map(|(_, rule, sheet, column)| checks.finding(rule, sheet, column)).collect()
}

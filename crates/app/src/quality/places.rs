//! What is found of areas themselves: poor villages that nobody leads, and populations that an incidence
//! cannot be computed of. Pure.

use std::collections::{BTreeMap, HashSet};

use super::model::{Checks, Finding};
use crate::{
    areas::{POOR_LEVELS, rows::AreaLine},
    households::{has_ended, rural_populations},
    sheet::{AREAS, area},
};

/// The rule about areas.
pub(super) const RULE: &str = "R33";

/// An area that breaks a rule.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) finding: Finding,
}

/// Counties, townships and villages in force whose rural population is neither known nor the sum of those
/// below.
pub(super) fn unpopulated(areas: &[(AreaLine, Option<i64>)], day: &str) -> Vec<String> {
    let populations = rural_populations(areas, day);
    let levels = POOR_LEVELS.map(|level| i64::from(level.list_code()));
    let is_unknown = |code: &str| {
        let known = populations.get(code).and_then(|(population, _)| *population);
        known.is_none_or(|population| population <= 0)
    };
    let told = areas.iter().map(|(area, _)| area).filter(|area| {
        levels.contains(&area.level) && !has_ended(area, day) && is_unknown(&area.code)
    });
    told.map(|area| area.code.clone()).collect()
}

/// What is found, by code, each area once. `leaderless` are poor villages, `poor` those of the unpopulated
/// that have registered poor.
pub(super) fn found(
    checks: &Checks<'_>,
    areas: &[(AreaLine, Option<i64>)],
    (leaderless, poor): (&[String], &HashSet<String>),
) -> Vec<Place> {
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    for code in poor {
        columns.insert(code, area::RURAL_POPULATION);
    }
    for code in leaderless {
        columns.insert(code, area::IS_POOR_VILLAGE);
    }
    let place = |(line, _): &(AreaLine, Option<i64>)| {
        let column = columns.get(line.code.as_str())?;
        let finding = checks.finding(RULE, &AREAS, *column)?;
        Some(Place { code: line.code.clone(), name: line.name.clone(), finding })
    };
    areas.iter().filter_map(place).collect()
}

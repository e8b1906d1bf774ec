//! What the findings of an area come to.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, AreaLevel};

use super::{
    judge::{Record, records},
    model::Finding,
};
use crate::households::Home;

/// Records and findings of an area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Households, persons and yearly incomes.
    pub(super) rows: i64,
    /// Those that nothing was found of.
    pub(super) clean: i64,
    /// Records that break a rule, by the rule.
    pub(super) hits: BTreeMap<&'static str, i64>,
}

impl Figures {
    /// The share of the records that nothing was found of; none where there are no records.
    pub(super) fn score(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a share with four decimals")]
        let share = |rows: i64| self.clean as f64 / rows as f64;
        (self.rows > 0).then(|| (share(self.rows) * 10_000.0).floor() / 10_000.0)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.clean += other.clean;
        for (rule, hits) in &other.hits {
            *self.hits.entry(rule).or_default() += hits;
        }
    }

    fn count(&mut self, home: &Home, found: &[(Record, Finding)]) {
        let rows = i64::try_from(records(home)).unwrap_or(i64::MAX);
        let soiled: BTreeSet<Record> = found.iter().map(|(record, _)| *record).collect();
        let once: BTreeSet<(&'static str, Record)> =
            found.iter().map(|(record, finding)| (finding.rule, *record)).collect();
        self.rows += rows;
        self.clean += rows - i64::try_from(soiled.len()).unwrap_or(rows);
        for (rule, _) in once {
            *self.hits.entry(rule).or_default() += 1;
        }
    }
}

/// Adds up findings by the areas directly below one; a village has none below.
pub(super) struct Tally {
    digits: usize,
    area: AreaCode,
    parts: BTreeMap<String, Figures>,
}

impl Tally {
    pub(super) fn new(area: &AreaCode) -> Self {
        let below = area.level().below().unwrap_or(AreaLevel::Village).min(AreaLevel::Village);
        Self { digits: below.digits(), area: area.clone(), parts: BTreeMap::new() }
    }

    /// Counts a household of the area with what was found of it.
    pub(super) fn count(&mut self, home: &Home, found: &[(Record, Finding)]) {
        let village = home.household.village();
        let part = village.get(..self.digits).unwrap_or(village);
        self.parts.entry(part.to_owned()).or_default().count(home, found);
    }

    /// The area and those directly below it, by code.
    pub(super) fn report(self) -> (Figures, Vec<(String, Figures)>) {
        let mut sum = Figures::default();
        self.parts.values().for_each(|part| sum.add(part));
        let own = self.area.to_string();
        (sum, self.parts.into_iter().filter(|(code, _)| *code != own).collect())
    }
}

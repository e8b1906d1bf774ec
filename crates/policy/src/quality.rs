//! Data-quality rules.

use std::collections::BTreeMap;

use daohu_base::Day;
use serde::Deserialize;

/// What a rule does to a row that breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The row is refused.
    Reject,
    /// The row goes in; the report says what is doubtful.
    Warn,
}

/// A rule with its words and bounds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `R01` …
    pub id: String,
    /// What it does.
    pub level: Level,
    /// In Chinese.
    pub says: String,
    /// In English.
    pub says_en: String,
    /// Where it comes from.
    pub source: String,
    /// The sheets, or other parts of the product, whose fields it looks at.
    pub needs: Vec<String>,
    /// The first day on which it holds.
    #[serde(default)]
    pub since: Option<String>,
    /// The last day on which it holds.
    #[serde(default)]
    pub until: Option<String>,
    /// The figures it compares with, by name.
    #[serde(default)]
    pub bounds: BTreeMap<String, i64>,
    /// The village roles that it asks for.
    #[serde(default)]
    pub village_roles: Vec<String>,
    /// What of it cannot be checked, and why, in Chinese; empty if all of it is.
    #[serde(default)]
    pub unchecked: String,
    /// The same in English.
    #[serde(default)]
    pub unchecked_en: String,
}

impl Rule {
    /// True if the rule holds on a day.
    pub fn is_in_force(&self, on: Day) -> bool {
        let day = |text: &Option<String>| text.as_deref().and_then(|day| Day::parse(day).ok());
        day(&self.since).is_none_or(|since| since <= on)
            && day(&self.until).is_none_or(|until| on <= until)
    }

    /// The figure of this name; none where a pack leaves it open, and then nothing is compared.
    pub fn bound(&self, name: &str) -> Option<i64> {
        self.bounds.get(name).copied()
    }

    /// True if the number is within `<name>_min` and `<name>_max`, as far as they are given.
    pub fn admits(&self, name: &str, number: i64) -> bool {
        self.bounds.iter().all(|(key, bound)| match key.strip_prefix(name) {
            Some("_min") => number >= *bound,
            Some("_max") => number <= *bound,
            _ => true,
        })
    }
}

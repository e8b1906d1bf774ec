//! Data-quality rules.

use std::collections::BTreeMap;

use daohu_base::Day;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a rule does to a row that breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The row is refused.
    Reject,
    /// The row goes in; the report says what is doubtful.
    Warn,
}

/// A rule with its words and bounds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub since: Option<Day>,
    /// The last day on which it holds.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Option<Day>,
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

/// What a figure may be; an end that no pack gives admits all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    min: Option<i64>,
    max: Option<i64>,
}

impl Bounds {
    /// True if the number is within both ends.
    pub fn admit(self, number: i64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }

    /// As [`Bounds::admit`], of a measure.
    #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
    pub fn admit_real(self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min as f64)
            && self.max.is_none_or(|max| number <= max as f64)
    }
}

impl Rule {
    /// True if the rule holds on a day.
    pub fn is_in_force(&self, on: Day) -> bool {
        self.since.is_none_or(|since| since <= on) && self.until.is_none_or(|until| on <= until)
    }

    /// The figure of this name; none where a pack leaves it open, and then nothing is compared.
    pub fn bound(&self, name: &str) -> Option<i64> {
        self.bounds.get(name).copied()
    }

    /// The figures `<name>_min` and `<name>_max`.
    pub fn bounds(&self, name: &str) -> Bounds {
        let [min, max] = ["min", "max"].map(|end| self.bound(&format!("{name}_{end}")));
        Bounds { min, max }
    }
}

//! What came out, in numbers. Pure.

use daohu_census::Outcome;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Lang;

/// What the guarantees of a day come to in an area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The area's code.
    pub area: String,
    /// The day.
    pub on: String,
    /// All households of the area.
    pub households: usize,
    /// Their members on record, those included who left.
    pub members: usize,
    /// Which packs said so.
    pub policy: String,
    /// Of each guarantee, in the order of the pack.
    pub rules: Vec<Counts>,
    /// Of all of them together.
    pub overall: OverallCounts,
    /// Of each class, in the order of the pack: met by those who belong to it.
    pub classes: Vec<Counts>,
    /// What there is to warn of: met where there is reason to.
    pub warnings: Vec<Counts>,
    /// Who has what certain households must have: met and unmet among them, unknown those of whom it is not known.
    pub coverages: Vec<CoverageCounts>,
    /// What it took to read the households.
    pub load_seconds: f64,
    /// What it took to ask them.
    pub assess_seconds: f64,
    /// What the census holds of them.
    pub census_bytes: usize,
}

/// How many households have a guarantee, lack it, or are not known to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RuleCounts)]
#[expect(missing_docs, reason = "they say what they are")]
pub struct Counts {
    pub rule: String,
    pub title: String,
    pub title_en: String,
    pub met: usize,
    pub unmet: usize,
    pub unknown: usize,
}

/// How far something reaches that certain households must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RuleCoverageCounts)]
pub struct CoverageCounts {
    /// Its id and titles, and of those who must have it: who has it, who has not, of whom it is not known.
    #[serde(flatten)]
    pub counts: Counts,
    /// Who must have it.
    pub among: usize,
    /// Of whom it is not known whether they must.
    pub among_unknown: usize,
}

/// How many households have all guarantees, lack one, or are not known to have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct OverallCounts {
    /// 达标
    pub met: usize,
    /// 未达标
    pub unmet: usize,
    /// 待核实
    pub unknown: usize,
}

impl OverallCounts {
    /// Counts a household.
    pub(super) fn add(&mut self, state: Outcome) {
        match state {
            Outcome::Met => self.met += 1,
            Outcome::Unmet => self.unmet += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::NotAsked => {}
        }
    }

    /// Counts those that were counted elsewhere.
    pub(super) fn join(&mut self, other: &Self) {
        self.met += other.met;
        self.unmet += other.unmet;
        self.unknown += other.unknown;
    }
}

/// What the state of a household is called.
pub(super) fn state(overall: Outcome) -> &'static str {
    in_words(overall.as_str(), Lang::Zh)
}

/// An outcome (`met` …) as people read it.
pub fn in_words(outcome: &str, lang: Lang) -> &str {
    match outcome {
        "met" => lang.pick("达标", "met"),
        "unmet" => lang.pick("未达标", "unmet"),
        "unknown" => lang.pick("待核实", "unknown"),
        other => other,
    }
}

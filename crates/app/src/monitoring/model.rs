//! What came out, in numbers. Pure.

use daohu_census::{Assessment, Outcome, Plan, Rule};
use daohu_policy::{BadPack, Expression, Guarantee, Policy, expr};
use serde::Serialize;

use super::fields::Fields;

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
    /// Of each guarantee, in the order of the pack.
    pub rules: Vec<Counts>,
    /// Of all of them together.
    pub overall: OverallCounts,
    /// What it took to read the households.
    pub load_seconds: f64,
    /// What it took to ask them.
    pub assess_seconds: f64,
    /// What the census holds of them.
    pub census_bytes: usize,
}

/// How many households have a guarantee, lack it, or are not known to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "they say what they are")]
pub struct Counts {
    pub rule: String,
    pub title: String,
    pub title_en: String,
    pub met: usize,
    pub unmet: usize,
    pub unknown: usize,
}

/// How many households have all guarantees, lack one, or are not known to have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OverallCounts {
    /// 达标
    pub met: usize,
    /// 未达标
    pub unmet: usize,
    /// 待核实
    pub unknown: usize,
}

/// What the state of a household is called.
pub(super) const fn state(overall: Outcome) -> &'static str {
    match overall {
        Outcome::Met => "达标",
        Outcome::Unmet => "未达标",
        Outcome::Unknown => "待核实",
    }
}

/// The guarantees as rules about the fields that there are; refused if one of them names what there is not.
pub(super) fn plan(
    policy: &Policy,
    guarantees: &[&Guarantee],
    fields: &Fields,
) -> Result<Plan, BadPack> {
    let list = |name: &str| policy.list(name);
    let rules = guarantees.iter().map(|guarantee| {
        let read = |part: &str, expression: &Expression| {
            let read = expr::compile(&expression.text, &fields.shape.vocabulary, &list);
            read.map_err(|error| expression.bad(&format!("{part} ({})", guarantee.id), &error))
        };
        let (unmet, met) = (read("unmet", &guarantee.unmet)?, read("met", &guarantee.met)?);
        Ok(Rule::new(&guarantee.id, unmet, met))
    });
    Ok(Plan { rules: rules.collect::<Result<_, BadPack>>()? })
}

/// Counts what came out: of each rule, and of all together.
pub(super) fn counts(
    guarantees: &[&Guarantee],
    assessment: &Assessment,
    households: usize,
) -> (Vec<Counts>, OverallCounts) {
    let of_rules = guarantees.iter().zip(&assessment.rules).map(|(guarantee, judged)| {
        let count = |wanted| judged.outcomes.iter().filter(|outcome| **outcome == wanted).count();
        Counts {
            rule: guarantee.id.clone(),
            title: guarantee.title.clone(),
            title_en: guarantee.title_en.clone(),
            met: count(Outcome::Met),
            unmet: count(Outcome::Unmet),
            unknown: count(Outcome::Unknown),
        }
    });
    let mut overall = OverallCounts::default();
    for nth in 0..households {
        match assessment.overall(nth) {
            Outcome::Met => overall.met += 1,
            Outcome::Unmet => overall.unmet += 1,
            Outcome::Unknown => overall.unknown += 1,
        }
    }
    (of_rules.collect(), overall)
}

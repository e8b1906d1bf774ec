//! How the next year of households is predicted, and from what.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::reading::check_once;

/// How predictions are learned and judged, and what they look at.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the pack says what each value is for")]
pub struct Prediction {
    pub source: String,
    pub knots: Vec<f64>,
    pub penalties: Vec<f64>,
    pub rows_max: usize,
    pub seed: u64,
    pub outcome_rows_min: usize,
    pub code_rows_min: usize,
    pub income_kept: [f64; 2],
    pub income_bounds: [f64; 2],
    pub income_parts: usize,
    pub standard_errors: f64,
    pub reliability_parts: usize,
    pub group_rows_min: usize,
    pub alarm_at: f64,
    pub reasons_shown: usize,
    /// What is looked at, in the order in which people are told.
    #[serde(rename = "feature")]
    pub features: Vec<PredictionFeature>,
}

/// What is looked at of a household at the end of a year.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionFeature {
    /// A stable name.
    pub id: String,
    /// What is worked out.
    pub of: DatedFact,
    /// For [`DatedFact::Members`]: of these ages, the first and the last.
    pub ages: Option<[i64; 2]>,
    /// The one question that it is looked at for; none for all.
    pub only: Option<Prospect>,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// Where its curve bends besides the quantiles, in its own unit.
    #[serde(default)]
    pub knots: Vec<f64>,
}

/// What is predicted of a household's next year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prospect {
    /// Its income is at or above the line.
    AboveLine,
    /// It exited, and its income is below the line again.
    BelowAgain,
}

/// What the program can work out of facts that have a date. There is no other: what is known as of now alone would tell a
/// past year of its future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatedFact {
    /// Net income a head above the line of the year and village, in yuan.
    OverLine,
    /// The same of the year before.
    OverLineBefore,
    /// The mean of the same over all years before.
    OverLineEarlier,
    /// By how much net income a head grew since the year before, in percent.
    Growth,
    /// Wages in all receipts, in percent.
    WageShare,
    /// Receipts of own production in all receipts, in percent.
    BusinessShare,
    /// Income of property in all receipts, in percent.
    PropertyShare,
    /// Transfers in all receipts, in percent.
    TransferShare,
    /// Medical expenses a head that the household paid itself, in yuan.
    MedicalSelfPaid,
    /// Members on 31 December, of some ages or of all.
    Members,
    /// The age of the head on 31 December.
    HeadAge,
    /// The sex of the head.
    HeadSex,
    /// Years since it was registered.
    YearsRegistered,
    /// Whether it has exited.
    HasExited,
    /// Years since it exited.
    YearsSinceExit,
}

impl Prediction {
    /// What is looked at for a question.
    pub fn features_of(&self, prospect: Prospect) -> impl Iterator<Item = &PredictionFeature> {
        self.features.iter().filter(move |own| own.only.is_none_or(|only| only == prospect))
    }

    /// Why the values cannot be used, if they cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_share = |at: &f64| (0.0..=1.0).contains(at);
        let ascends = |own: &[f64]| own.array_windows().all(|[one, next]| one < next);
        let are_shares = |own: &[f64]| own.iter().all(is_share) && ascends(own);
        let is_penalty = |own: &f64| own.is_finite() && *own > 0.0;
        let (quantiles, penalties, least, above) = (
            "0 到 1 之间，从小到大 | between 0 and 1, ascending",
            "一个以上的正数 | one or more, above 0",
            "1 或以上 | 1 or more",
            "大于 0 | above 0",
        );
        let counts = [
            ("rows_max", self.rows_max),
            ("outcome_rows_min", self.outcome_rows_min),
            ("code_rows_min", self.code_rows_min),
            ("income_parts", self.income_parts),
            ("reliability_parts", self.reliability_parts),
            ("group_rows_min", self.group_rows_min),
            ("reasons_shown", self.reasons_shown),
        ];
        let mut tests = vec![
            ("knots", self.knots.len() > 1 && are_shares(&self.knots), quantiles),
            (
                "penalties",
                !self.penalties.is_empty() && self.penalties.iter().all(is_penalty),
                penalties,
            ),
            ("income_kept", are_shares(&self.income_kept), quantiles),
            ("income_bounds", are_shares(&self.income_bounds), quantiles),
            (
                "standard_errors",
                self.standard_errors.is_finite() && self.standard_errors > 0.0,
                above,
            ),
            ("alarm_at", is_share(&self.alarm_at), quantiles),
        ];
        tests.extend(counts.map(|(name, count)| (name, count > 0, least)));
        match tests.into_iter().find(|(_, is_good, _)| !is_good) {
            Some((name, _, says)) => Err(format!("[prediction] {name}：{says}")),
            None => self.check_features(),
        }
    }

    fn check_features(&self) -> Result<(), String> {
        check_once(self.features.iter().map(|own| own.id.clone()))?;
        let over_line = |own: &&PredictionFeature| own.of == DatedFact::OverLine;
        let for_all = |own: &PredictionFeature| own.only.is_none();
        let mut lines = self.features.iter().filter(over_line);
        // The second baseline looks at it alone.
        if !lines.next().is_some_and(for_all) || lines.next().is_some() {
            let says = "[[prediction.feature]] of = \"over_line\"：须恰有一项，且不写 only | there must be exactly one, without `only`";
            return Err(says.to_owned());
        }
        for own in &self.features {
            let id = &own.id;
            let are_good = own.ages.is_none_or(|[first, last]| 0 <= first && first <= last);
            if !are_good || (own.ages.is_some() && own.of != DatedFact::Members) {
                return Err(format!(
                    "[[prediction.feature]] {id}：ages 只用于 members，从小到大 | ages are for members alone, the \
                     first before the last"
                ));
            }
            let are_numbers = own.knots.iter().all(|knot| knot.is_finite());
            if !are_numbers || !own.knots.array_windows().all(|[one, next]| one < next) {
                return Err(format!("[[prediction.feature]] {id}：knots 从小到大 | knots ascend"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    const PACK: &str = include_str!("../../../policies/national/prediction.toml");

    #[test]
    fn each_question_has_its_features() {
        let policy = Policy::embedded().unwrap();
        let ids = |prospect| -> Vec<&str> {
            policy.prediction().features_of(prospect).map(|own| own.id.as_str()).collect()
        };
        let (above, below) = (ids(Prospect::AboveLine), ids(Prospect::BelowAgain));
        assert!(above.contains(&"has_exited") && !above.contains(&"years_since_exit"));
        assert!(below.contains(&"years_since_exit") && !below.contains(&"has_exited"));
        assert!(above.contains(&"over_line") && below.contains(&"over_line"));
    }

    #[test]
    fn values_that_nothing_can_be_learned_with_are_refused_with_file_and_reason() {
        let over_line = "id = \"over_line\"\nof = \"over_line\"";
        for (good, bad, says) in [
            ("knots = [0.02, 0.1,", "knots = [0.1, 0.02,", "knots"),
            ("knots = [0.02, 0.1,", "knots = [0.02, 1.1,", "knots"),
            ("[0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]", "[0.5]", "knots"),
            ("[1.0, 10.0, 100.0]", "[]", "penalties"),
            ("[1.0, 10.0, 100.0]", "[1.0, 0.0]", "penalties"),
            ("[1.0, 10.0, 100.0]", "[1.0, nan]", "penalties"),
            ("income_kept = [0.005, 0.995]", "income_kept = [0.995, 0.005]", "income_kept"),
            ("income_bounds = [0.1, 0.9]", "income_bounds = [-0.1, 0.9]", "income_bounds"),
            ("rows_max = 100000", "rows_max = 0", "rows_max"),
            ("outcome_rows_min = 50", "outcome_rows_min = 0", "outcome_rows_min"),
            ("code_rows_min = 50", "code_rows_min = -1", "line"),
            ("standard_errors = 1.96", "standard_errors = 0.0", "standard_errors"),
            ("alarm_at = 0.5", "alarm_at = 50.0", "alarm_at"),
            ("group_rows_min = 100", "group_rows_min = 0", "group_rows_min"),
            ("reasons_shown = 3", "reasons_shown = 0", "reasons_shown"),
            ("of = \"head_age\"", "of = \"housing\"", "housing"),
            (over_line, "id = \"over_line\"\nof = \"growth\"", "over_line"),
            ("of = \"growth\"", "of = \"over_line\"", "over_line"),
            (over_line, "id = \"over_line\"\nonly = \"above_line\"\nof = \"over_line\"", "only"),
            ("ages = [6, 15]", "ages = [15, 6]", "school_age"),
            ("of = \"head_age\"", "of = \"head_age\"\nages = [1, 2]", "head_age"),
            ("id = \"head_age\"", "id = \"growth\"", "twice"),
            ("knots = [0.0]", "knots = [0.0, 0.0]", "over_line"),
        ] {
            assert!(PACK.contains(good), "{good}");
            let error = Policy::embedded_and([("x.toml", PACK.replacen(good, bad, 1).as_str())]);
            let error = error.unwrap_err();
            assert!(error.file == "x.toml" && error.reason.contains(says), "{bad}: {error}");
        }
        let of_area = format!("area = \"50\"\n{PACK}");
        let error = Policy::embedded_and([("x.toml", of_area.as_str())]).unwrap_err();
        assert!(error.reason.contains("[prediction]"), "{error}");
    }
}

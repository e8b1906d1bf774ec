//! What is said of households. Pure.

use daohu_base::Fen;
use daohu_census::predict::{Expected, Explanation, Language, Prediction, Shape, TooLittle};
use serde::Serialize;

/// Why nothing is predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// There is too little to learn from.
    TooLittle(TooLittle),
    /// The household was not registered by the end of the year, nobody lived there, or it had not exited.
    NotAsked,
}

impl From<TooLittle> for Silence {
    fn from(own: TooLittle) -> Self {
        Self::TooLittle(own)
    }
}

/// What is predicted of an area's households.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The area's code.
    pub area: String,
    /// The year at whose end it is predicted.
    pub year: i32,
    /// The year that is predicted.
    pub predicted_year: i32,
    /// What is predicted: `above_line` or `below_again`.
    pub prospect: &'static str,
    /// What that means, in both languages.
    pub meaning: [String; 2],
    /// Which packs it follows.
    pub policy: String,
    /// All households of the area.
    pub households: usize,
    /// Those that could be asked about at the end of the year.
    pub asked: usize,
    /// The years that were learned of.
    pub trained_on: Vec<i32>,
    /// How many households' years that was.
    pub rows_trained: usize,
    /// The penalty that was learned with.
    pub penalty: f64,
    /// The year that it was calibrated on; none if there was too little for that.
    pub calibrated_on: Option<i32>,
    /// The mean of the probabilities: the share that is to be expected in the state; none of nobody.
    pub expected_share: Option<f64>,
    /// The probability from which on a household counts as predicted to be in the state.
    pub alarm_at: f64,
    /// How many have at least that.
    pub at_or_above: usize,
    /// By township.
    pub townships: Vec<Line>,
    /// Of each household, by 户编号.
    #[serde(skip)]
    pub predictions: Vec<Predicted>,
}

/// What is predicted of a township's households.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Code and name.
    pub township: String,
    /// Those that could be asked about.
    pub asked: usize,
    /// The mean of their probabilities.
    pub expected_share: f64,
    /// How many have at least the probability that counts.
    pub at_or_above: usize,
}

/// What is predicted of a household.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predicted {
    /// 户编号
    pub household_no: String,
    /// The county that it is stored under.
    pub county: String,
    /// Code and name.
    pub township: String,
    /// The year that is predicted.
    pub predicted_year: i32,
    /// How likely the state is, from 0 to 1.
    pub probability: f64,
    /// The income a head to be expected; none where too few are known to learn from.
    pub expected_income_fen: Option<i64>,
    /// The lower bound, as the pack has it; none if no year could be held out for it.
    pub expected_income_low_fen: Option<i64>,
    /// The upper bound.
    pub expected_income_high_fen: Option<i64>,
    /// The strongest reasons in words.
    pub reasons: Vec<String>,
}

/// Why a household has its probability.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// What is predicted.
    #[serde(flatten)]
    pub predicted: Predicted,
    /// What the state is: `above_line` or `below_again`.
    pub prospect: &'static str,
    /// What that means, in both languages.
    pub meaning: [String; 2],
    /// The probability of the average household.
    pub average: f64,
    /// Its log-odds, which all reasons are added to.
    pub average_log_odds: f64,
    /// The household's: the sum.
    pub log_odds: f64,
    /// What each feature adds, the largest first.
    pub contributions: Vec<Reason>,
}

/// What a feature adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The feature's id.
    pub feature: String,
    /// Its value; none where it is not known.
    pub value: Option<f64>,
    /// What it adds to the log-odds of the average household.
    pub log_odds: f64,
    /// By how many percentage points that alone would move the average household.
    pub points: f64,
    /// In words.
    pub words: String,
}

impl Predicted {
    /// With the strongest reasons.
    pub(super) fn new(
        (no, county, township): (&str, &str, &str),
        predicted_year: i32,
        said: &Prediction,
        reasons: Vec<String>,
    ) -> Self {
        let bound = |nth: usize| {
            let bounds = said.income.as_ref().and_then(|own: &Expected| own.bounds_yuan)?;
            bounds.get(nth).copied().map(fen)
        };
        Self {
            household_no: no.to_owned(),
            county: county.to_owned(),
            township: township.to_owned(),
            predicted_year,
            probability: said.probability,
            expected_income_fen: said.income.map(|own| fen(own.yuan)),
            expected_income_low_fen: bound(0),
            expected_income_high_fen: bound(1),
            reasons,
        }
    }
}

/// All that a feature adds, in words.
pub(super) fn reasons(own: &Explanation, shape: &Shape, language: Language) -> Vec<Reason> {
    let reason = |own: &daohu_census::predict::Contribution| {
        Some(Reason {
            feature: shape.features.get(own.feature)?.id.clone(),
            value: own.value,
            log_odds: own.log_odds,
            points: own.points,
            words: own.words(shape, language)?,
        })
    };
    own.contributions.iter().filter_map(reason).collect()
}

/// An estimate in whole yuan, told in fen as all amounts are.
#[expect(clippy::cast_possible_truncation, reason = "whole yuan below 2^53")]
fn fen(yuan: f64) -> i64 {
    yuan.round() as i64 * 100
}

/// An expected income as a cell.
pub(super) fn in_yuan(fen: Option<i64>) -> String {
    fen.map_or_else(String::new, |fen| Fen(fen).to_string())
}

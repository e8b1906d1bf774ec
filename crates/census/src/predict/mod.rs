//! Prediction: how likely a household is to be in a state next year, and what income is to be expected.
//!
//! A [`Panel`] pairs what was known of a household at the end of a year with what was seen in the next one; a [`Model`]
//! is learned of it, scores households and tells why; a [`Backtest`] says how good that was in years which it had not
//! seen, beside two plain baselines; [`model_card`] writes it down. It advises and never decides.
//!
//! The learner is a logistic regression with a penalty over piecewise linear curves, one for each feature, by smartcore.
//! Curves are enough: on a made-up panel with thresholds and an interaction, boosted trees (forust) came out ahead of it by
//! 0.0006 of AUC, a random forest (smartcore) came out behind by 0.002 (`examples/learners.rs` shows the latter). And a curve can
//! be read out to the household: what it adds to the log-odds is that and nothing else, exactly. smartcore rather than linfa: the
//! same coefficients in the same time with a fourth of the crates; the boosting crates need a nightly compiler (perpetual)
//! or tell their licence as a file alone (forust).
//!
//! Architecture invariants: pure, and the same input gives the same bytes, on any number of threads. A model sees facts of
//! a year and outcomes of the next, which only [`PanelBuilder`] pairs; to score, it is handed [`Facts`] alone. What is not
//! known is a fact of its own. What rests on too few households is an error that says so, never a figure.

mod backtest;
mod baselines;
mod card;
mod curve;
mod figures;
mod groups;
mod income;
mod learn;
mod model;
mod panel;
mod words;

#[cfg(test)]
mod tests;

pub use backtest::{Backtest, Cohort, Scores, backtest};
pub use card::{About, model_card};
pub use figures::{Estimate, Figures, Gain, Gains, Part};
pub use groups::{GroupFigures, Groups};
pub use income::{Expected, IncomeFigures};
pub use learn::LEARNER;
pub use model::{Contribution, Explanation, Model, Prediction, Straight};
pub use panel::{
    Code, Dimension, Facts, Feature, Kind, Misfit, Outcomes, Panel, PanelBuilder, Shape, Told,
};
pub use words::Language;

/// How it is learned and judged; all of it comes from the policy pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where curves of numbers bend: quantiles of the training years, from 0 to 1.
    pub knots: Vec<f64>,
    /// What the square of a standardised coefficient may cost, in twice the log-likelihood: the inverse of the variance that
    /// coefficients are expected to have. The year held out chooses; where none is, it is the highest.
    pub penalties: Vec<f64>,
    /// Rows that a model is trained on at most; more are drawn from by the seed.
    pub rows_max: usize,
    /// What the draw depends on.
    pub seed: u64,
    /// Rows of each outcome that are needed to train, to calibrate, or to judge a cohort.
    pub outcome_rows_min: usize,
    /// Rows of a code that has a coefficient of its own; rarer ones are taken together.
    pub code_rows_min: usize,
    /// Quantiles between which incomes of training are kept, from 0 to 1: what lies outside is taken for the quantile.
    pub income_kept: [f64; 2],
    /// Quantiles of the errors that bound an expected income, from 0 to 1.
    pub income_bounds: [f64; 2],
    /// In how many parts, by the expected income, these errors are taken.
    pub income_parts: usize,
    /// Half the width of an interval, in standard errors.
    pub standard_errors: f64,
    /// In how many parts of equal size the table of reliability has the rows.
    pub reliability_parts: usize,
    /// Rows of a group that is shown, at least.
    pub group_rows_min: usize,
    /// Probability at or above which a household counts as predicted to be in the state.
    pub alarm_at: f64,
}

/// Why there is no figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLittle {
    /// There is no earlier year with outcomes.
    #[error("too little data: no earlier year of which the outcomes are known")]
    NoYears,
    /// Too few of one outcome.
    #[error(
        "too little data: {yes} households in the state and {no} not, {need} of each are needed"
    )]
    Rows {
        /// Rows in the state.
        yes: usize,
        /// Rows that are not.
        no: usize,
        /// Rows of each that are needed.
        need: usize,
    },
    /// The learner found no coefficients that it could stand by.
    #[error("too little data: the learner did not settle")]
    Unsettled,
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
fn number(count: usize) -> f64 {
    count as f64
}

/// One or nothing.
fn indicator(is_it: bool) -> f64 {
    f64::from(u8::from(is_it))
}

/// The value at this quantile of sorted numbers, by the nearest rank; none of none.
fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = (at.clamp(0.0, 1.0) * number(last)).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last place"
    )]
    sorted.get(rank as usize).copied()
}

//! How a feature becomes columns for the learner, and what the learner made of it: a curve.
//!
//! A number is spread over tents: at each knot one column is 1, between two knots two columns share 1, beyond the outer knots
//! nothing changes, so that an absurd value moves a score no further than the largest that was learned from. The first knot
//! has no column: it is what the others are compared with. An unknown number stands at the median and has a column of
//! its own besides, so that the penalty draws what is not known towards the household in the middle.

use super::{Feature, Kind, Settings, quantile};

/// The columns of a feature, as the training years have them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scale {
    /// At these knots, in order; what is not known stands at the typical value.
    Number { knots: Vec<f64>, typical: f64 },
    /// These codes have a column each; the most frequent and the rare ones have none.
    Codes(Vec<u16>),
}

/// Where the curve of a number bends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bend {
    /// At the quantiles of the settings and at its own knots.
    Everywhere,
    /// Nowhere between the outer quantiles.
    Nowhere,
}

/// What a feature adds to a score.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    scale: Scale,
    /// Of each column, in the units of the score.
    coefficients: Vec<f64>,
    /// The mean over the training rows.
    mean: f64,
}

impl Scale {
    /// Learned of a feature's values in the training rows.
    pub(super) fn learn(
        feature: &Feature,
        values: impl Iterator<Item = f32>,
        bend: Bend,
        settings: &Settings,
    ) -> Self {
        let mut known: Vec<f64> = values.filter(|value| !value.is_nan()).map(f64::from).collect();
        known.sort_unstable_by(f64::total_cmp);
        if let Kind::Code(codes) = &feature.kind {
            let codes = codes.iter().map(|code| code.code);
            return Self::Codes(kept_codes(&known, codes, settings.code_rows_min));
        }
        let (low, high) = (known.first().copied(), known.last().copied());
        let is_inside = |knot: &f64| low.is_some_and(|low| *knot > low) && high > Some(*knot);
        let own = feature.knots.iter().copied().filter(is_inside);
        let at = settings.knots.iter().filter_map(|at| quantile(&known, *at));
        let mut knots: Vec<f64> = own.chain(at).collect();
        knots.sort_unstable_by(f64::total_cmp);
        knots.dedup();
        if bend == Bend::Nowhere && knots.len() > 2 {
            knots.drain(1..knots.len() - 1);
        }
        Self::Number { knots, typical: quantile(&known, 0.5).unwrap_or_default() }
    }

    /// How many columns there are; the last says that the feature is not known.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Number { knots, .. } => knots.len().saturating_sub(1) + 1,
            Self::Codes(codes) => codes.len() + 1,
        }
    }

    /// Puts what stands in a value's columns behind the rest: the place of a column, counted from the first of the feature,
    /// and the number there. All others hold nothing.
    pub(super) fn spread(&self, value: f32, mut put: impl FnMut(usize, f64)) {
        match self {
            Self::Number { knots, typical } => {
                let known = if value.is_nan() { *typical } else { f64::from(value) };
                let (before, share) = between(knots, known);
                // The first knot has no column.
                if let Some(column) = before.checked_sub(1).filter(|_| share < 1.0) {
                    put(column, 1.0 - share);
                }
                if share > 0.0 {
                    put(before, share);
                }
            }
            Self::Codes(codes) => {
                if let Some(column) = codes.iter().position(|code| is_code(*code, value)) {
                    put(column, 1.0);
                }
            }
        }
        if value.is_nan() {
            put(self.width() - 1, 1.0);
        }
    }
}

impl Curve {
    /// With the learner's coefficients of its columns, and the means of these.
    pub(super) fn new(scale: Scale, coefficients: &[f64], means: &[f64]) -> Self {
        let mean = coefficients.iter().zip(means).map(|(coefficient, mean)| coefficient * mean);
        Self { scale, coefficients: coefficients.to_vec(), mean: mean.sum() }
    }

    /// What a value adds to the score, compared with the mean.
    pub(super) fn at(&self, value: f32) -> f64 {
        let mut added = -self.mean;
        self.scale.spread(value, |column, share| {
            added += share * self.coefficients.get(column).copied().unwrap_or_default();
        });
        added
    }
}

/// The knot at or before a value, and how far it is from there to the next, from 0 to 1.
fn between(knots: &[f64], value: f64) -> (usize, f64) {
    let before = knots.partition_point(|knot| *knot <= value).saturating_sub(1);
    match (knots.get(before), knots.get(before + 1)) {
        (Some(low), Some(high)) => (before, ((value - low) / (high - low)).max(0.0)),
        _ => (before, 0.0),
    }
}

fn is_code(code: u16, value: f32) -> bool {
    (f32::from(code) - value).abs() < 0.5
}

/// Codes with enough rows, but the most frequent.
fn kept_codes(known: &[f64], codes: impl Iterator<Item = u16>, rows_min: usize) -> Vec<u16> {
    let count = |code: u16| {
        let of = |edge: f64| known.partition_point(|value| *value < f64::from(code) + edge);
        of(0.5) - of(-0.5)
    };
    let mut kept: Vec<(u16, usize)> = codes.map(|code| (code, count(code))).collect();
    kept.sort_unstable();
    kept.dedup();
    let rare = known.len() - kept.iter().map(|(_, rows)| *rows).sum::<usize>().min(known.len());
    let most = kept.iter().map(|(_, rows)| *rows).max().unwrap_or_default().max(rare);
    let reference = kept.iter().position(|(_, rows)| *rows == most);
    let others = kept.iter().enumerate().filter(|(place, _)| Some(*place) != reference);
    others.filter(|(_, (_, rows))| *rows >= rows_min.max(1)).map(|(_, (code, _))| *code).collect()
}

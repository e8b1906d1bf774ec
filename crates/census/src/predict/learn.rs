//! The learner: smartcore's logistic and ridge regression over standardised columns.

use smartcore::{
    linalg::basic::{
        arrays::{Array, Array2},
        matrix::DenseMatrix,
    },
    linear::{
        logistic_regression::{LogisticRegression, LogisticRegressionParameters},
        ridge_regression::{RidgeRegression, RidgeRegressionParameters},
    },
};

use super::{
    Facts, Settings, TooLittle,
    curve::{Bend, Curve, Scale, moments},
    indicator, number,
};

/// The library that learns, with its version.
pub const LEARNER: &str = "smartcore 0.7.0";

/// How far from nothing the mean slope of what is minimised may be, in log-likelihood for a standard deviation of a column:
/// what is farther was given up on the way.
const SLOPE_MAX: f64 = 1e-5;

/// A column that differs by less than this is taken for constant.
const DEVIATION_MIN: f64 = 1e-9;

/// The columns of the training rows, standardised.
pub(super) struct Design {
    matrix: DenseMatrix<f64>,
    scales: Vec<Scale>,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

/// A score as the sum of curves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sum {
    /// The score of a household whose curves are all at their means.
    pub(super) base: f64,
    /// By feature.
    pub(super) curves: Vec<Curve>,
}

impl Design {
    /// The columns of some features in these rows.
    pub(super) fn new(
        facts: &Facts,
        features: &[usize],
        rows: &[usize],
        bend: Bend,
        settings: &Settings,
    ) -> Result<Self, TooLittle> {
        let scale = |feature: &usize| {
            let values = rows.iter().map(|row| facts.value(*feature, *row));
            let shape = facts.shape.features.get(*feature)?;
            Some(Scale::learn(shape, values, bend, settings))
        };
        let scales: Vec<Scale> = features.iter().filter_map(scale).collect();
        let width = scales.iter().map(Scale::width).sum::<usize>();
        let mut cells = Vec::with_capacity(width * rows.len());
        for row in rows {
            for (scale, feature) in scales.iter().zip(features) {
                scale.spread(facts.value(*feature, *row), &mut cells);
            }
        }
        let (means, mut deviations) = moments(&cells, width);
        deviations.iter_mut().filter(|own| **own < DEVIATION_MIN).for_each(|own| *own = 1.0);
        for row in cells.chunks_exact_mut(width.max(1)) {
            for ((cell, mean), deviation) in row.iter_mut().zip(&means).zip(&deviations) {
                *cell = (*cell - mean) / deviation;
            }
        }
        let matrix = DenseMatrix::new(rows.len(), width, cells, false).map_err(unsettled)?;
        Ok(Self { matrix, scales, means, deviations })
    }

    /// The log-odds of the state.
    pub(super) fn logistic(&self, states: &[u32], penalty: f64) -> Result<Sum, TooLittle> {
        let parameters = LogisticRegressionParameters::default().with_alpha(penalty);
        let states = states.to_vec();
        let learned =
            LogisticRegression::fit(&self.matrix, &states, parameters).map_err(unsettled)?;
        let coefficients: Vec<f64> = learned.coefficients().iterator(0).copied().collect();
        let base = learned.intercept().iterator(0).copied().next().unwrap_or(f64::NAN);
        let slope = self.slope(&coefficients, base, &states, penalty);
        // Not a number is no slope that is small enough.
        if slope < SLOPE_MAX {
            Ok(self.sum(base, &coefficients))
        } else {
            Err(unsettled(format!("slope {slope:.1e}")))
        }
    }

    /// The expected amount.
    pub(super) fn ridge(&self, amounts: &[f64], penalty: f64) -> Result<Sum, TooLittle> {
        let parameters =
            RidgeRegressionParameters::default().with_alpha(penalty).with_normalize(false);
        let base = amounts.iter().sum::<f64>() / number(amounts.len()).max(1.0);
        let centred: Vec<f64> = amounts.iter().map(|amount| amount - base).collect();
        let learned =
            RidgeRegression::fit(&self.matrix, &centred, parameters).map_err(unsettled)?;
        let coefficients: Vec<f64> = learned.coefficients().iterator(0).copied().collect();
        if coefficients.iter().all(|own| own.is_finite()) {
            Ok(self.sum(base, &coefficients))
        } else {
            Err(unsettled("coefficients without bound"))
        }
    }

    /// The largest slope of what is minimised, by the row.
    fn slope(&self, coefficients: &[f64], base: f64, states: &[u32], penalty: f64) -> f64 {
        let mut slopes: Vec<f64> = coefficients.iter().map(|own| own * penalty).collect();
        let mut base_slope = 0.0;
        for (row, state) in self.matrix.row_iter().zip(states) {
            let cells = || row.iterator(0).zip(coefficients);
            let score = base + cells().map(|(cell, coefficient)| cell * coefficient).sum::<f64>();
            let miss = sigmoid(score) - f64::from(*state);
            base_slope += miss;
            slopes.iter_mut().zip(row.iterator(0)).for_each(|(slope, cell)| *slope += miss * cell);
        }
        // `f64::max` would lose what is not a number.
        let larger = |most: f64, own: f64| if own.abs() <= most { most } else { own.abs() };
        slopes.into_iter().fold(larger(0.0, base_slope), larger) / number(states.len()).max(1.0)
    }

    fn sum(&self, base: f64, coefficients: &[f64]) -> Sum {
        let mut columns = coefficients.iter().zip(&self.deviations).zip(&self.means);
        let curves = self.scales.iter().map(|scale| {
            let own = columns.by_ref().take(scale.width());
            let own = own.map(|((coefficient, deviation), mean)| (coefficient / deviation, *mean));
            let (coefficients, means): (Vec<f64>, Vec<f64>) = own.unzip();
            Curve::new(scale.clone(), &coefficients, &means)
        });
        Sum { base, curves: curves.collect() }
    }
}

/// The probability of log-odds.
pub(super) fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The log-odds of a probability, which is held off from 0 and 1 by a millionth.
pub(super) fn logit(probability: f64) -> f64 {
    const EDGE: f64 = 1e-6;
    let held = probability.clamp(EDGE, 1.0 - EDGE);
    (held / (1.0 - held)).ln()
}

fn unsettled(reason: impl ToString) -> TooLittle {
    TooLittle::Unsettled(reason.to_string())
}

/// These rows, or as many of them as may be, drawn by the seed: whichever order households came in, the same are drawn.
pub(super) fn drawn(facts: &Facts, rows: Vec<usize>, settings: &Settings) -> Vec<usize> {
    if rows.len() <= settings.rows_max {
        return rows;
    }
    let lot = |row: &usize| {
        let (household, year) = facts.row(*row).unwrap_or_default();
        let own = mixed(settings.seed ^ household.cast_unsigned());
        mixed(own ^ u64::from(year.cast_unsigned()))
    };
    let mut lots: Vec<(u64, usize)> = rows.iter().map(|row| (lot(row), *row)).collect();
    if settings.rows_max < lots.len() {
        lots.select_nth_unstable(settings.rows_max);
    }
    let mut kept: Vec<usize> =
        lots.into_iter().take(settings.rows_max).map(|(_, row)| row).collect();
    kept.sort_unstable();
    kept
}

/// A number scattered over all numbers (splitmix64).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// A straight line in log-odds through one number, without a penalty: what calibrates, and what calibration is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    pub(super) intercept: f64,
    pub(super) slope: f64,
    /// Standard errors of the two.
    pub(super) errors: [f64; 2],
}

/// The line by Newton's method; none if the outcomes are parted by the number, or all the same.
pub(super) fn straight(points: impl Iterator<Item = (f64, bool)> + Clone) -> Option<Fit> {
    const STEPS_MAX: usize = 60;
    const STEP_MIN: f64 = 1e-10;
    /// Beyond this a line says that the outcomes are parted.
    const SLOPE_MAX: f64 = 1e4;
    let (mut intercept, mut slope) = (0.0, 0.0);
    for _ in 0..STEPS_MAX {
        let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
        for (x, is_it) in points.clone() {
            let p = sigmoid(intercept + slope * x);
            let (miss, weight) = (indicator(is_it) - p, p * (1.0 - p));
            g = [g[0] + miss, g[1] + miss * x];
            h = [h[0] + weight, h[1] + weight * x, h[2] + weight * x * x];
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        let steps =
            [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
        let size = steps[0].abs().max(steps[1].abs());
        if !(steps[0] + steps[1]).is_finite() {
            return None;
        }
        // A long step is cut, so that the next one does not begin where all is 0 or 1.
        let cut = if size > 2.0 { 2.0 / size } else { 1.0 };
        intercept += cut * steps[0];
        slope += cut * steps[1];
        if size < STEP_MIN {
            let errors = [(h[2] / determinant).sqrt(), (h[0] / determinant).sqrt()];
            let is_bound = slope.abs() < SLOPE_MAX && errors.iter().all(|own| own.is_finite());
            return is_bound.then_some(Fit { intercept, slope, errors });
        }
    }
    None
}

//! The learner: smartcore's L-BFGS over standardised columns.
//!
//! It is what smartcore's own logistic regression is made of, and finds the same coefficients (`tests/learning.rs`). That one sums
//! the loss over the rows and goes on until its slope is 1e-8, which no sum of many rows reaches, and reads every cell of columns
//! that hold nothing mostly: 80 000 rows of a panel took 24 s. Here the loss is a mean, and only what stands in a row is read.

use smartcore::optimization::{
    FunctionOrder,
    first_order::{FirstOrderOptimizer, lbfgs::LBFGS},
    line_search::Backtracking,
};

use super::{
    Facts, Settings, TooLittle,
    curve::{Bend, Curve, Scale},
    indicator, number,
};

/// The library that learns, with its version.
pub const LEARNER: &str = "smartcore 0.7.0";

/// The slope of what is minimised at which it is settled: of the mean loss, for a standard deviation of a column.
const SLOPE_SETTLED: f64 = 1e-7;

/// The slope beyond which a learner that stopped was given up on the way.
const SLOPE_MAX: f64 = 1e-5;

/// Steps after which the learner stops.
const STEPS_MAX: usize = 2000;

/// A column that differs by less than this is taken for constant.
const DEVIATION_MIN: f64 = 1e-9;

/// The columns of the training rows.
pub(super) struct Design {
    scales: Vec<Scale>,
    /// What stands in the rows, one behind the other: column and number, in standard deviations.
    cells: Vec<(u32, f64)>,
    /// Where each row ends.
    ends: Vec<usize>,
    /// Of each column, in its own unit.
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

/// What a row's score costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// −ln of the probability of what came, the score being log-odds.
    Logistic,
    /// Half the square of what it misses by.
    Square,
}

impl Loss {
    fn of(self, score: f64, target: f64) -> f64 {
        match self {
            // ln(1 + e^score) that does not overflow.
            Self::Logistic => score.max(0.0) + (-score.abs()).exp().ln_1p() - target * score,
            Self::Square => (score - target).powi(2) / 2.0,
        }
    }

    /// How it rises with the score.
    fn slope(self, score: f64, target: f64) -> f64 {
        match self {
            Self::Logistic => sigmoid(score) - target,
            Self::Square => score - target,
        }
    }
}

impl Design {
    /// The columns of some features in these rows.
    pub(super) fn new(
        facts: &Facts,
        features: &[usize],
        rows: &[usize],
        bend: Bend,
        settings: &Settings,
    ) -> Self {
        let scale = |feature: &usize| {
            let values = rows.iter().map(|row| facts.value(*feature, *row));
            let shape = facts.shape.features.get(*feature)?;
            Some(Scale::learn(shape, values, bend, settings))
        };
        let scales: Vec<Scale> = features.iter().filter_map(scale).collect();
        let width = scales.iter().map(Scale::width).sum::<usize>();
        let (mut cells, mut ends) = (Vec::new(), Vec::with_capacity(rows.len()));
        for row in rows {
            let mut first = 0;
            for (scale, feature) in scales.iter().zip(features) {
                scale.spread(facts.value(*feature, *row), |column, value| {
                    cells.push((u32::try_from(first + column).unwrap_or(u32::MAX), value));
                });
                first += scale.width();
            }
            ends.push(cells.len());
        }
        let (means, deviations) = moments(&cells, rows.len(), width);
        for (column, value) in &mut cells {
            *value /= at(&deviations, *column);
        }
        Self { scales, cells, ends, means, deviations }
    }

    /// The log-odds of the state: targets are 1 or 0.
    pub(super) fn logistic(&self, states: &[f64], penalty: f64) -> Result<Sum, TooLittle> {
        let mut learned = self.minimised(Loss::Logistic, states, penalty)?;
        let base = learned.pop().unwrap_or_default();
        Ok(self.sum(base, &learned))
    }

    /// The expected amount.
    pub(super) fn ridge(&self, amounts: &[f64], penalty: f64) -> Result<Sum, TooLittle> {
        let count = number(amounts.len()).max(1.0);
        let mean = amounts.iter().sum::<f64>() / count;
        let square = amounts.iter().map(|amount| (amount - mean).powi(2)).sum::<f64>() / count;
        // In standard deviations, so that slopes have the size that they are judged by.
        let unit = if square > 0.0 { square.sqrt() } else { 1.0 };
        let targets: Vec<f64> = amounts.iter().map(|amount| (amount - mean) / unit).collect();
        let mut learned = self.minimised(Loss::Square, &targets, penalty)?;
        let base = mean + unit * learned.pop().unwrap_or_default();
        learned.iter_mut().for_each(|own| *own *= unit);
        Ok(self.sum(base, &learned))
    }

    /// The coefficients of the columns in standard deviations, and behind them the base.
    fn minimised(&self, loss: Loss, targets: &[f64], penalty: f64) -> Result<Vec<f64>, TooLittle> {
        let share = penalty / number(targets.len()).max(1.0);
        let cost = |learned: &Vec<f64>| self.cost(loss, targets, share, learned);
        let slopes = |out: &mut Vec<f64>, learned: &Vec<f64>| {
            self.slopes(loss, targets, share, learned, out);
        };
        let search = Backtracking { order: FunctionOrder::THIRD, ..Default::default() };
        let learner = LBFGS { max_iter: STEPS_MAX, g_atol: SLOPE_SETTLED, ..Default::default() };
        let nothing = vec![0.0; self.means.len() + 1];
        let learned = learner.optimize(&cost, &slopes, &nothing, &search).x;
        let mut left = nothing;
        slopes(&mut left, &learned);
        // What is not a number is no slope that is small enough.
        if left.iter().all(|slope| slope.abs() < SLOPE_MAX) {
            Ok(learned)
        } else {
            Err(TooLittle::Unsettled)
        }
    }

    /// The mean loss with the penalty.
    fn cost(&self, loss: Loss, targets: &[f64], share: f64, learned: &[f64]) -> f64 {
        let base = self.base(learned);
        let rows = self.rows().zip(targets);
        let sum: f64 = rows.map(|(row, target)| loss.of(base + score(row, learned), *target)).sum();
        let squares: f64 = learned.iter().take(self.means.len()).map(|own| own * own).sum();
        sum / number(targets.len()).max(1.0) + share * squares / 2.0
    }

    fn slopes(&self, loss: Loss, targets: &[f64], share: f64, learned: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.resize(learned.len(), 0.0);
        let (base, count) = (self.base(learned), number(targets.len()).max(1.0));
        let mut all = 0.0;
        for (row, target) in self.rows().zip(targets) {
            let slope = loss.slope(base + score(row, learned), *target) / count;
            all += slope;
            for (column, value) in row {
                if let Some(own) = place(*column).and_then(|column| out.get_mut(column)) {
                    *own += slope * value;
                }
            }
        }
        let columns = self.means.iter().zip(&self.deviations).zip(learned);
        for (own, ((mean, deviation), learned)) in out.iter_mut().zip(columns) {
            *own += share * learned - all * mean / deviation;
        }
        if let Some(own) = out.last_mut() {
            *own = all;
        }
    }

    /// The score of a row in which nothing stands: columns count from their means.
    fn base(&self, learned: &[f64]) -> f64 {
        let columns = learned.iter().zip(&self.means).zip(&self.deviations);
        let means = columns.map(|((own, mean), deviation)| own * mean / deviation);
        learned.last().copied().unwrap_or_default() - means.sum::<f64>()
    }

    fn rows(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let rows = starts.zip(&self.ends);
        rows.map(|(start, end)| self.cells.get(start..*end).unwrap_or_default())
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

fn score(row: &[(u32, f64)], learned: &[f64]) -> f64 {
    row.iter().map(|(column, value)| at(learned, *column) * value).sum()
}

fn at(numbers: &[f64], column: u32) -> f64 {
    place(column).and_then(|column| numbers.get(column)).copied().unwrap_or_default()
}

fn place(column: u32) -> Option<usize> {
    usize::try_from(column).ok()
}

/// The mean of each column, and its standard deviation; of a constant one, 1.
fn moments(cells: &[(u32, f64)], rows: usize, width: usize) -> (Vec<f64>, Vec<f64>) {
    let count = number(rows).max(1.0);
    let summed = |of: &dyn Fn(u32, f64) -> f64| {
        let mut sums = vec![0.0; width];
        for (column, value) in cells {
            if let Some(sum) = place(*column).and_then(|column| sums.get_mut(column)) {
                *sum += of(*column, *value);
            }
        }
        sums
    };
    // Divided once, so that the mean of ones is one.
    let mut means = summed(&|_, value| value);
    means.iter_mut().for_each(|mean| *mean /= count);
    let filled = summed(&|_, _| 1.0);
    let squares = summed(&|column, value| (value - at(&means, column)).powi(2));
    let columns = means.iter().zip(filled).zip(squares);
    let deviations = columns.map(|((mean, filled), square)| {
        let variance = (square + (count - filled) * mean * mean) / count;
        let deviation = variance.sqrt();
        if deviation < DEVIATION_MIN { 1.0 } else { deviation }
    });
    let deviations = deviations.collect();
    (means, deviations)
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

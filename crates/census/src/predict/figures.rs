//! How good probabilities were: ranking, distance, calibration, each with an interval.

use super::{
    Settings, indicator,
    learn::{logit, straight},
    number,
};

/// A figure and the interval that it is known to lie in, as wide as the settings say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// By how much the model is better than a baseline; below nothing, it is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gain {
    /// The whole interval lies above nothing.
    Better(Estimate),
    /// The whole interval lies below nothing.
    Worse(Estimate),
    /// The interval holds nothing: this may be chance.
    Undecided(Estimate),
}

/// How good one set of probabilities was.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The mean probability, from 0 to 1.
    pub predicted: f64,
    /// How often a household in the state had a higher probability than one that was not, ties half; 0.5 is chance.
    pub auc: Estimate,
    /// The mean square of what probabilities missed by; 0 is best.
    pub brier: Estimate,
    /// The mean of −ln of the probability of what came; 0 is best.
    pub log_loss: Estimate,
    /// By how much true log-odds rise with the predicted: 1 is best, below 1 they are too far apart. None if the outcomes are
    /// parted by the prediction, or all predictions are the same.
    pub slope: Option<Estimate>,
    /// True log-odds where the predicted are 0: 0 is best.
    pub intercept: Option<Estimate>,
}

/// Rows of like probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// How many.
    pub rows: usize,
    /// The mean probability.
    pub predicted: f64,
    /// The share in the state.
    pub observed: Estimate,
}

/// Two sets of probabilities of the same rows, compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gains {
    /// Of AUC.
    pub auc: Gain,
    /// Of the Brier score: by how much it is lower.
    pub brier: Gain,
    /// Of the log loss: by how much it is lower.
    pub log_loss: Gain,
}

impl Estimate {
    /// With a standard error.
    pub(super) fn new(value: f64, error: f64, standard_errors: f64) -> Self {
        let half = error * standard_errors;
        Self { value, low: value - half, high: value + half }
    }
}

impl Gain {
    /// What an estimated difference says.
    pub fn of(difference: Estimate) -> Self {
        if difference.low > 0.0 {
            Self::Better(difference)
        } else if difference.high < 0.0 {
            Self::Worse(difference)
        } else {
            Self::Undecided(difference)
        }
    }

    /// The difference.
    pub fn difference(&self) -> Estimate {
        match self {
            Self::Better(own) | Self::Worse(own) | Self::Undecided(own) => *own,
        }
    }
}

/// The mean of numbers.
pub(super) fn mean(
    values: impl ExactSizeIterator<Item = f64> + Clone,
    standard_errors: f64,
) -> Estimate {
    let count = number(values.len());
    let mean = values.clone().sum::<f64>() / count.max(1.0);
    let squares = values.map(|value| (value - mean).powi(2)).sum::<f64>();
    let error = (squares / (count - 1.0).max(1.0) / count.max(1.0)).sqrt();
    Estimate::new(mean, error, standard_errors)
}

/// How probabilities rank the rows: of each row, the share of rows of the other outcome that it is ranked rightly against,
/// ties half (DeLong 1988; the ranks after Sun and Xu 2014).
pub(super) struct Ranking<'s> {
    states: &'s [bool],
    right: Vec<f64>,
}

impl<'s> Ranking<'s> {
    pub(super) fn new(probabilities: &[f64], states: &'s [bool]) -> Self {
        let mut sorted: Vec<(f64, bool, usize)> = probabilities
            .iter()
            .zip(states)
            .enumerate()
            .map(|(row, (probability, state))| (*probability, *state, row))
            .collect();
        sorted.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let all =
            [false, true].map(|state| number(states.iter().filter(|own| **own == state).count()));
        let mut right = vec![0.0; states.len()];
        // Rows of each outcome with a lower probability.
        let mut lower = [0.0, 0.0];
        for ties in sorted.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
            let tied_yes = number(ties.iter().filter(|(_, state, _)| *state).count());
            let tied = [number(ties.len()) - tied_yes, tied_yes];
            for (_, state, row) in ties {
                let share = if *state {
                    (lower[0] + tied[0] / 2.0) / all[0]
                } else {
                    1.0 - (lower[1] + tied[1] / 2.0) / all[1]
                };
                if let Some(own) = right.get_mut(*row) {
                    *own = share;
                }
            }
            lower = [lower[0] + tied[0], lower[1] + tied[1]];
        }
        Self { states, right }
    }

    /// The area under the curve.
    pub(super) fn auc(&self, standard_errors: f64) -> Estimate {
        by_outcome(self.states, &self.right, standard_errors)
    }

    /// By how much another ranking's area is smaller; chance moves both together.
    fn gain(&self, other: &Self, standard_errors: f64) -> Gain {
        let pairs = self.right.iter().zip(&other.right);
        let differences: Vec<f64> = pairs.map(|(own, other)| own - other).collect();
        Gain::of(by_outcome(self.states, &differences, standard_errors))
    }
}

/// The mean over the rows in the state, with the variances of both outcomes' rows.
fn by_outcome(states: &[bool], values: &[f64], standard_errors: f64) -> Estimate {
    let part = |state: bool| -> Vec<f64> {
        let own = states.iter().zip(values).filter(|(own, _)| **own == state);
        own.map(|(_, value)| *value).collect()
    };
    let means = [true, false].map(|state| mean(part(state).into_iter(), 1.0));
    let error = means.iter().map(|own| (own.high - own.value).powi(2)).sum::<f64>().sqrt();
    Estimate::new(means[0].value, error, standard_errors)
}

/// How good the probabilities were.
pub(super) fn figures(probabilities: &[f64], states: &[bool], settings: &Settings) -> Figures {
    let errors = settings.standard_errors;
    let scores = probabilities.iter().map(|probability| logit(*probability));
    let line = straight(scores.zip(states.iter().copied()));
    let estimate = |value: f64, error: f64| Estimate::new(value, error, errors);
    Figures {
        predicted: probabilities.iter().sum::<f64>() / number(probabilities.len()).max(1.0),
        auc: Ranking::new(probabilities, states).auc(errors),
        brier: mean(each(probabilities, states, square), errors),
        log_loss: mean(each(probabilities, states, surprise), errors),
        slope: line.map(|line| estimate(line.slope, line.errors[1])),
        intercept: line.map(|line| estimate(line.intercept, line.errors[0])),
    }
}

/// How much better the first probabilities are than the others.
pub(super) fn gains(own: &[f64], others: &[f64], states: &[bool], standard_errors: f64) -> Gains {
    let (ranking, other) = (Ranking::new(own, states), Ranking::new(others, states));
    let lower = |loss: fn(f64, bool) -> f64| {
        let own: Vec<f64> = each(own, states, loss).collect();
        let pairs = each(others, states, loss).zip(&own);
        Gain::of(mean(pairs.map(|(other, own)| other - own), standard_errors))
    };
    Gains {
        auc: ranking.gain(&other, standard_errors),
        brier: lower(square),
        log_loss: lower(surprise),
    }
}

fn each<'v>(
    probabilities: &'v [f64],
    states: &'v [bool],
    loss: fn(f64, bool) -> f64,
) -> impl ExactSizeIterator<Item = f64> + Clone + 'v {
    probabilities.iter().zip(states).map(move |(probability, state)| loss(*probability, *state))
}

fn square(probability: f64, state: bool) -> f64 {
    (probability - indicator(state)).powi(2)
}

/// −ln of the probability of what came.
pub(super) fn surprise(probability: f64, state: bool) -> f64 {
    let odds = logit(probability);
    // ln(1 + e^−odds) of what came.
    (if state { -odds } else { odds }).exp().ln_1p()
}

/// The rows by their probability in parts of equal size, from the lowest.
pub(super) fn reliability(
    probabilities: &[f64],
    states: &[bool],
    settings: &Settings,
) -> Vec<Part> {
    let mut sorted: Vec<(f64, bool)> =
        probabilities.iter().copied().zip(states.iter().copied()).collect();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let parts = settings.reliability_parts.max(1);
    let edge = |part: usize| part * sorted.len() / parts;
    let rows = (0..parts).filter_map(|part| sorted.get(edge(part)..edge(part + 1)));
    let part = |rows: &[(f64, bool)]| Part {
        rows: rows.len(),
        predicted: rows.iter().map(|(probability, _)| probability).sum::<f64>()
            / number(rows.len()),
        observed: mean(rows.iter().map(|(_, state)| indicator(*state)), settings.standard_errors),
    };
    rows.filter(|rows| !rows.is_empty()).map(part).collect()
}

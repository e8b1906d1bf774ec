//! A model: learned of earlier years, calibrated on a later one, asked about households.

use std::{num::NonZero, thread};

use super::{
    Expected, Facts, Outcomes, Panel, Settings, TooLittle,
    curve::{Bend, Curve},
    figures::surprise,
    income::Incomes,
    indicator,
    learn::{Design, Fit, Sum, drawn, sigmoid, straight},
    number,
};

/// What a model says of a household's next year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// How likely the state is, from 0 to 1.
    pub probability: f64,
    /// Net income a head; none where too few incomes were known to learn from.
    pub income: Option<Expected>,
}

/// Why a household has its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The log-odds of the average household.
    pub base: f64,
    /// The household's log-odds: the base and all contributions.
    pub log_odds: f64,
    /// What each feature adds, the largest first; features of the same size in their order.
    pub contributions: Vec<Contribution>,
}

/// What a feature adds to a household's log-odds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contribution {
    /// The feature's place.
    pub feature: usize,
    /// Its value; none where it is not known.
    pub value: Option<f64>,
    /// What it adds to the log-odds, compared with the average household.
    pub log_odds: f64,
    /// By how much the average household's probability would change by this alone, in percentage points. These do not add
    /// up; the log-odds do.
    pub points: f64,
}

/// How calibrated log-odds follow from those of the learner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Straight {
    /// Log-odds where the learner has none.
    pub intercept: f64,
    /// By how much they rise with the learner's.
    pub slope: f64,
}

/// A model of a state of the next year.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    sum: Sum,
    incomes: Option<Incomes>,
    /// The years that it was learned of, in order.
    trained_on: Vec<i32>,
    /// How many rows of them.
    rows: usize,
    penalty: f64,
    /// The year that it was calibrated on, and how.
    calibration: Option<(i32, Straight)>,
}

impl Model {
    /// Learns of the years before this one, whose outcomes are known by the end of it.
    ///
    /// The last of them calibrates and is not learned of, if both outcomes are frequent enough in it and before it;
    /// otherwise nothing is calibrated and there is no interval of income. Calibration is a straight line in log-odds, not
    /// a staircase, so that contributions still add up.
    pub fn train(panel: &Panel, before: i32, settings: &Settings) -> Result<Self, TooLittle> {
        let years = panel.years();
        let earlier: Vec<i32> = years.into_iter().filter(|year| *year < before).collect();
        let (last, rest) = earlier.split_last().ok_or(TooLittle::NoYears)?;
        let rows = |years: &[i32]| panel.rows(|year| years.contains(&year));
        let has_enough = |rows: &[usize]| enough(panel.outcomes(), rows, settings);
        let held_out = rows(&[*last]);
        let is_held_out = has_enough(&held_out).is_ok() && has_enough(&rows(rest)).is_ok();
        let trained_on = if is_held_out { rest } else { &earlier };
        let rows = drawn(panel.facts(), rows(trained_on), settings);
        has_enough(&rows)?;
        let (facts, outcomes) = (panel.facts(), panel.outcomes());
        let features: Vec<usize> = (0..facts.shape.features.len()).collect();
        let design = Design::new(facts, &features, &rows, Bend::Everywhere, settings);
        let targets = states(outcomes, &rows);
        let held_out = if is_held_out { held_out } else { Vec::new() };
        let learned = |penalty: f64| -> Result<Learned, TooLittle> {
            let sum = design.logistic(&targets, penalty)?;
            let straight = calibrated(&sum, facts, outcomes, &held_out);
            Ok(Learned { penalty, sum, straight })
        };
        let Learned { penalty, sum, straight } = chosen(settings, is_held_out, learned)?;
        let incomes = Incomes::train(panel, &rows, &held_out, penalty, settings);
        Ok(Self {
            sum,
            incomes,
            trained_on: trained_on.to_vec(),
            rows: rows.len(),
            penalty,
            calibration: straight.map(|(straight, _)| (*last, straight)),
        })
    }

    /// The years that it was learned of, in order.
    pub fn trained_on(&self) -> &[i32] {
        &self.trained_on
    }

    /// How many rows it was learned of.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Which of the penalties it was learned with.
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// The year that it was calibrated on, and how; none if there was too little for that.
    pub fn calibration(&self) -> Option<(i32, Straight)> {
        self.calibration
    }

    /// What it says of these rows, on so many threads; a row that is not there is one of which nothing is known.
    pub fn predict(
        &self,
        facts: &Facts,
        rows: &[usize],
        threads: NonZero<usize>,
    ) -> Vec<Prediction> {
        let mut said = vec![Prediction { probability: 0.0, income: None }; rows.len()];
        let share = rows.len().div_ceil(threads.get()).max(1);
        thread::scope(|scope| {
            let mut work = said.chunks_mut(share).zip(rows.chunks(share)).map(|(said, rows)| {
                move || {
                    for (row, said) in rows.iter().zip(said) {
                        said.probability = sigmoid(self.log_odds(facts, *row));
                        said.income = self.incomes.as_ref().map(|own| own.expected(facts, *row));
                    }
                }
            });
            // One of them here.
            let own = work.next();
            work.for_each(|work| drop(scope.spawn(work)));
            own.into_iter().for_each(|work| work());
        });
        said
    }

    /// Why a row's household has its probability.
    pub fn explain(&self, facts: &Facts, row: usize) -> Explanation {
        let Straight { intercept, slope } = self.straight();
        let base = intercept + slope * self.sum.base;
        let average = sigmoid(base);
        let contribution = |(feature, curve): (usize, &Curve)| {
            let value = facts.value(feature, row);
            let log_odds = slope * curve.at(value);
            let points = 100.0 * (sigmoid(base + log_odds) - average);
            let value = (!value.is_nan()).then_some(f64::from(value));
            Contribution { feature, value, log_odds, points }
        };
        let mut contributions: Vec<Contribution> =
            self.sum.curves.iter().enumerate().map(contribution).collect();
        contributions.sort_by(|one, other| other.log_odds.abs().total_cmp(&one.log_odds.abs()));
        Explanation { base, log_odds: self.log_odds(facts, row), contributions }
    }

    fn straight(&self) -> Straight {
        let plain = Straight { intercept: 0.0, slope: 1.0 };
        self.calibration.map_or(plain, |(_, straight)| straight)
    }

    /// Calibrated.
    pub(super) fn log_odds(&self, facts: &Facts, row: usize) -> f64 {
        let Straight { intercept, slope } = self.straight();
        intercept + slope * self.sum.of(facts, row)
    }
}

impl Sum {
    /// The score of a row; curves are those of the first features.
    pub(super) fn of(&self, facts: &Facts, row: usize) -> f64 {
        let curves = self.curves.iter().enumerate();
        self.base + curves.map(|(feature, curve)| curve.at(facts.value(feature, row))).sum::<f64>()
    }
}

/// The states of rows, as the learner wants them.
pub(super) fn states(outcomes: &Outcomes, rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|row| indicator(outcomes.state(*row) == Some(true))).collect()
}

/// An error that tells if either outcome is too rare in these rows.
pub(super) fn enough(
    outcomes: &Outcomes,
    rows: &[usize],
    settings: &Settings,
) -> Result<(), TooLittle> {
    let yes = rows.iter().filter(|row| outcomes.state(**row) == Some(true)).count();
    let no = rows.iter().filter(|row| outcomes.state(**row) == Some(false)).count();
    let need = settings.outcome_rows_min.max(1);
    if yes.min(no) < need { Err(TooLittle::Rows { yes, no, need }) } else { Ok(()) }
}

/// What was learned with a penalty; the line that calibrates it, and what the held-out year then costs.
struct Learned {
    penalty: f64,
    sum: Sum,
    straight: Option<(Straight, f64)>,
}

/// What was learned with the penalty that the year held out costs least with; the highest where it does not say. Of the
/// same cost, the higher.
fn chosen(
    settings: &Settings,
    is_held_out: bool,
    learned: impl Fn(f64) -> Result<Learned, TooLittle>,
) -> Result<Learned, TooLittle> {
    let mut penalties = settings.penalties.clone();
    penalties.sort_unstable_by(|one, other| other.total_cmp(one));
    if !is_held_out {
        penalties.truncate(1);
    }
    let mut best: Option<Learned> = None;
    for penalty in penalties {
        let own = learned(penalty)?;
        let cost = |of: &Learned| of.straight.map_or(f64::INFINITY, |(_, cost)| cost);
        if best.as_ref().is_none_or(|best| cost(&own) < cost(best)) {
            best = Some(own);
        }
    }
    best.ok_or(TooLittle::Unsettled)
}

/// The line from the learner's log-odds to calibrated ones, and the mean of −ln of the probability of what came.
fn calibrated(
    sum: &Sum,
    facts: &Facts,
    outcomes: &Outcomes,
    rows: &[usize],
) -> Option<(Straight, f64)> {
    let score = |row: &usize| (sum.of(facts, *row), outcomes.state(*row) == Some(true));
    let scores: Vec<(f64, bool)> = rows.iter().map(score).collect();
    let Fit { intercept, slope, .. } = straight(scores.iter().copied())?;
    let said = scores.iter().map(|(score, state)| (sigmoid(intercept + slope * score), *state));
    let cost: f64 = said.map(|(probability, state)| surprise(probability, state)).sum();
    Some((Straight { intercept, slope }, cost / number(rows.len()).max(1.0)))
}

/// The share of these rows that are in the state.
pub(super) fn share(outcomes: &Outcomes, rows: &[usize]) -> f64 {
    let yes = rows.iter().filter(|row| outcomes.state(**row) == Some(true)).count();
    number(yes) / number(rows.len()).max(1.0)
}

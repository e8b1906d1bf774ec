//! The income of the next year: what is to be expected, and between which bounds.

use super::{
    Facts, Gain, Panel, Settings,
    curve::Bend,
    figures::{Estimate, mean},
    indicator,
    learn::{Design, Sum},
    number, quantile,
};

/// An income that is to be expected, a head and year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// In yuan.
    pub yuan: f64,
    /// Between these, in yuan, it was as often as the settings say in the year that was held out; none if none was.
    pub bounds_yuan: Option<[f64; 2]>,
}

/// How good expected incomes were in a year.
#[derive(Clone, Debug, PartialEq)]
pub struct IncomeFigures {
    /// Rows whose income of both years is known.
    pub rows: usize,
    /// How far off it was, in yuan.
    pub error_yuan: Estimate,
    /// How far off last year's income was, in yuan.
    pub error_last_yuan: Estimate,
    /// By how much it is nearer than last year's income, in yuan.
    pub gain: Gain,
    /// By how much it was too high (negative: too low) on average, in yuan.
    pub excess_yuan: Estimate,
    /// The share of incomes within the bounds; none if there are no bounds.
    pub within: Option<Estimate>,
}

/// A model of income.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Incomes {
    sum: Sum,
    /// By the expected income in yuan up to which they hold, in order: what is to be added for either bound.
    parts: Vec<(f64, [f64; 2])>,
}

impl Incomes {
    /// Learned of the rows whose outcome is known; none if these are too few.
    pub(super) fn train(
        panel: &Panel,
        rows: &[usize],
        held_out: &[usize],
        penalty: f64,
        settings: &Settings,
    ) -> Option<Self> {
        let (facts, outcomes) = (panel.facts(), panel.outcomes());
        let known = |rows: &[usize]| -> Vec<(usize, f64)> {
            let rows = rows.iter().map(|row| (*row, outcomes.income(*row)));
            rows.filter(|(_, income)| !income.is_nan()).collect()
        };
        let (rows, mut amounts): (Vec<usize>, Vec<f64>) = known(rows).into_iter().unzip();
        if rows.len() < settings.outcome_rows_min.max(1) {
            return None;
        }
        let mut sorted = amounts.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let [low, high] = settings.income_kept.map(|at| quantile(&sorted, at));
        let (low, high) = (low?, high?);
        let kept = |amount: f64| amount.max(low).min(high);
        amounts.iter_mut().for_each(|amount| *amount = kept(*amount));
        let features: Vec<usize> = (0..facts.shape.features.len()).collect();
        let design = Design::new(facts, &features, &rows, Bend::Everywhere, settings);
        let mut sum = design.ridge(&amounts, penalty).ok()?;
        let held_out = known(held_out);
        if held_out.len() < settings.outcome_rows_min.max(1) {
            return Some(Self { sum, parts: Vec::new() });
        }
        // Incomes rise from year to year: the level is that of the year held out.
        let misses = held_out.iter().map(|(row, amount)| kept(*amount) - sum.of(facts, *row));
        sum.base += misses.sum::<f64>() / number(held_out.len());
        let said = |(row, amount): &(usize, f64)| {
            let expected = sum.of(facts, *row);
            (expected, amount - expected)
        };
        let mut errors: Vec<(f64, f64)> = held_out.iter().map(said).collect();
        errors.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let share = errors.len().div_ceil(settings.income_parts.max(1)).max(1);
        let parts = errors.chunks(share).filter_map(|part| bounds(part, settings));
        Some(Self { parts: parts.collect(), sum })
    }

    /// What a row's household may expect.
    pub(super) fn expected(&self, facts: &Facts, row: usize) -> Expected {
        let yuan = self.sum.of(facts, row);
        let part = self.parts.partition_point(|(up_to, _)| *up_to < yuan);
        let part = self.parts.get(part).or(self.parts.last());
        Expected { yuan, bounds_yuan: part.map(|(_, added)| added.map(|added| yuan + added)) }
    }
}

/// The bounds of a part, and the expected income up to which they hold.
fn bounds(part: &[(f64, f64)], settings: &Settings) -> Option<(f64, [f64; 2])> {
    let mut errors: Vec<f64> = part.iter().map(|(_, error)| *error).collect();
    errors.sort_unstable_by(f64::total_cmp);
    let [low, high] = settings.income_bounds.map(|at| quantile(&errors, at));
    Some((part.last()?.0, [low?, high?]))
}

/// Compares what was expected of rows with what came; none if it is known of too few.
pub(super) fn judge(
    panel: &Panel,
    rows: &[usize],
    expected: &[Option<Expected>],
    settings: &Settings,
) -> Option<IncomeFigures> {
    let came = |(row, expected): (&usize, &Option<Expected>)| {
        let (last, came) = (panel.facts().income(*row), panel.outcomes().income(*row));
        let expected = (*expected)?;
        (!last.is_nan() && !came.is_nan()).then_some((expected, last, came))
    };
    let known: Vec<(Expected, f64, f64)> = rows.iter().zip(expected).filter_map(came).collect();
    if known.len() < settings.outcome_rows_min.max(2) {
        return None;
    }
    let of = |value: &dyn Fn(&(Expected, f64, f64)) -> f64| {
        mean(known.iter().map(value), settings.standard_errors)
    };
    let has_bounds = known.iter().all(|(expected, ..)| expected.bounds_yuan.is_some());
    let is_within = |(expected, _, came): &(Expected, f64, f64)| {
        let within = expected.bounds_yuan.map(|[low, high]| low <= *came && *came <= high);
        indicator(within == Some(true))
    };
    Some(IncomeFigures {
        rows: known.len(),
        error_yuan: of(&|(expected, _, came)| (expected.yuan - came).abs()),
        error_last_yuan: of(&|(_, last, came)| (last - came).abs()),
        gain: Gain::of(of(&|(expected, last, came)| {
            (last - came).abs() - (expected.yuan - came).abs()
        })),
        excess_yuan: of(&|(expected, _, came)| expected.yuan - came),
        within: has_bounds.then(|| of(&is_within)),
    })
}

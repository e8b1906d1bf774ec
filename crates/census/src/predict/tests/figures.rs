//! Figures against examples worked out by hand.

use super::{near, settings};
use crate::predict::{
    Gain,
    figures::{Ranking, figures, gains, reliability},
    learn::straight,
    quantile,
};

/// Probabilities and outcomes: ten rows at each of two probabilities, so many of them in the state.
fn two_steps(low: (f64, usize), high: (f64, usize)) -> (Vec<f64>, Vec<bool>) {
    let rows = |(probability, yes): (f64, usize)| (0..10).map(move |row| (probability, row < yes));
    rows(low).chain(rows(high)).unzip()
}

#[test]
fn ranking_counts_pairs_ties_half() {
    // Of four pairs three are right and one is tied. The shares are 3/4 and 1 in either outcome: a variance of 1/32 for two rows.
    let probabilities = [0.1, 0.4, 0.4, 0.8];
    let states = [false, false, true, true];
    let auc = Ranking::new(&probabilities, &states).auc(1.96);
    near(auc.value, 0.875, 1e-12);
    near(auc.high - auc.value, 1.96 * (1.0_f64 / 32.0).sqrt(), 1e-12);
    let turned: Vec<bool> = states.iter().map(|state| !state).collect();
    near(Ranking::new(&probabilities, &turned).auc(1.96).value, 0.125, 1e-12);
    near(Ranking::new(&[0.3; 4], &states).auc(1.96).value, 0.5, 1e-12);
}

#[test]
fn distances_are_those_of_the_formula() {
    let own = figures(&[0.2, 0.7], &[false, true], &settings());
    near(own.brier.value, 0.065, 1e-12);
    near(own.log_loss.value, -(0.8_f64.ln() + 0.7_f64.ln()) / 2.0, 1e-12);
    near(own.predicted, 0.45, 1e-12);
    // Two squares, 0.04 and 0.09: their standard deviation is 0.05/√2, the error of the mean 0.025.
    near(own.brier.high - own.brier.value, 1.96 * 0.025, 1e-12);
    assert_eq!(own.slope, None, "the outcomes are parted");
}

#[test]
fn certainties_that_were_wrong_cost_much_but_not_without_bound() {
    let own = figures(&[0.0, 1.0], &[true, false], &settings());
    near(own.log_loss.value, 1e6_f64.ln(), 1e-3);
    near(own.auc.value, 0.0, 1e-12);
}

#[test]
fn calibration_is_that_of_two_steps() {
    let (probabilities, states) = two_steps((0.2, 2), (0.8, 8));
    let own = figures(&probabilities, &states, &settings());
    near(own.slope.unwrap().value, 1.0, 1e-9);
    near(own.intercept.unwrap().value, 0.0, 1e-9);
    let (probabilities, states) = two_steps((0.2, 4), (0.8, 6));
    let own = figures(&probabilities, &states, &settings());
    near(own.slope.unwrap().value, (0.6_f64 / 0.4).ln() / (0.8_f64 / 0.2).ln(), 1e-9);
    let (probabilities, states) = two_steps((0.2, 4), (0.8, 9));
    let slope = (9.0_f64.ln() - (0.4_f64 / 0.6).ln()) / (2.0 * 4.0_f64.ln());
    let own = figures(&probabilities, &states, &settings());
    near(own.slope.unwrap().value, slope, 1e-9);
    near(own.intercept.unwrap().value, (9.0_f64.ln() + (0.4_f64 / 0.6).ln()) / 2.0, 1e-9);
    // A saturated line: the variance of each step's log-odds is 1/np(1−p), the slope is their difference by 2 ln 4.
    let error = (1.0_f64 / 2.4 + 1.0 / 0.9).sqrt() / (2.0 * 4.0_f64.ln());
    near(own.slope.unwrap().high - slope, 1.96 * error, 1e-9);
}

#[test]
fn no_line_goes_through_what_is_parted_or_all_the_same() {
    let parted = [(0.0, false), (1.0, false), (2.0, true), (3.0, true)];
    assert!(straight(parted.into_iter()).is_none());
    assert!(straight([(1.0, false), (1.0, true)].into_iter()).is_none());
    assert!(straight([(1.0, true), (2.0, true)].into_iter()).is_none());
    assert!(straight(std::iter::empty()).is_none());
}

#[test]
fn a_gain_is_one_only_beyond_chance() {
    let (own, states) = two_steps((0.1, 1), (0.9, 9));
    let even = vec![0.5; states.len()];
    let better = gains(&own, &even, &states, 1.96);
    assert!(matches!(better.auc, Gain::Better(own) if (own.value - 0.4).abs() < 1e-12));
    // 0.25 − 0.09.
    assert!(matches!(better.brier, Gain::Better(own) if (own.value - 0.16).abs() < 1e-12));
    let worse = gains(&even, &own, &states, 1.96);
    assert!(matches!(worse.auc, Gain::Worse(own) if (own.value + 0.4).abs() < 1e-12));
    assert!(matches!(worse.log_loss, Gain::Worse(_)));
    let same = gains(&own, &own, &states, 1.96);
    assert!(matches!(same.auc, Gain::Undecided(own) if own.value.abs() < 1e-12));
    let few = gains(&[0.4, 0.6, 0.3, 0.5], &[0.5; 4], &[false, true, true, false], 1.96);
    assert!(matches!(few.auc, Gain::Undecided(_)), "{:?}", few.auc);
}

#[test]
fn reliability_has_parts_of_equal_size() {
    let probabilities: Vec<f64> = (0..25).rev().map(|nth| f64::from(nth) / 25.0).collect();
    let states: Vec<bool> = probabilities.iter().map(|own| *own >= 0.5).collect();
    let parts = reliability(&probabilities, &states, &settings());
    assert_eq!(parts.len(), 10);
    assert_eq!(parts.iter().map(|part| part.rows).sum::<usize>(), 25);
    assert!(parts.iter().all(|part| (2..=3).contains(&part.rows)));
    near(parts[0].predicted, 0.02, 1e-12);
    near(parts[0].observed.value, 0.0, 1e-12);
    near(parts[9].observed.value, 1.0, 1e-12);
    assert!(reliability(&[], &[], &settings()).is_empty());
    assert_eq!(reliability(&[0.5], &[true], &settings()).len(), 1);
}

#[test]
fn quantiles_are_values_that_there_are() {
    assert_eq!(quantile(&[], 0.5), None);
    assert_eq!(quantile(&[1.0, 2.0, 9.0], 0.5), Some(2.0));
    assert_eq!(quantile(&[1.0, 2.0, 9.0], 1.0), Some(9.0));
    assert_eq!(quantile(&[1.0, 2.0, 9.0], -1.0), Some(1.0));
}

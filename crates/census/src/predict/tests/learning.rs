//! What the model learns, and what it must not have seen.

use proptest::prelude::*;
use smartcore::{
    linalg::basic::{arrays::Array, matrix::DenseMatrix},
    linear::{
        logistic_regression::{LogisticRegression, LogisticRegressionParameters},
        ridge_regression::{RidgeRegression, RidgeRegressionParameters},
    },
};

use super::{Year, feature, near, panel, settings, shape, threads, told, truth, world};
use crate::predict::{
    Kind, Misfit, Model, Panel, Settings, TooLittle, backtest,
    curve::{Bend, Scale},
    learn::{Design, drawn, sigmoid},
    model::states,
};

fn trained(panel: &Panel, before: i32) -> Model {
    Model::train(panel, before, &settings()).unwrap()
}

/// The log-odds of a household of these facts, calibrated.
fn log_odds(model: &Model, facts: [Option<f64>; 4]) -> f64 {
    let mut year = world(1, 0).remove(0);
    year.facts = facts.to_vec();
    model.explain(panel(&[year]).facts(), 0).log_odds
}

#[test]
fn the_truth_of_a_made_up_world_is_found() {
    let model = trained(&panel(&world(6000, 1)), 2014);
    assert_eq!((model.trained_on(), model.rows()), (&[2010, 2011, 2012][..], 18_000));
    let typical = [0.0, 1.0, 0.0, 3.0];
    let middle = log_odds(&model, typical.map(Some));
    near(middle, truth(&typical), 0.15);
    for (place, value) in
        [(0, -1500.0), (0, 1500.0), (1, 0.0), (1, 3.0), (2, 1.0), (3, 1.0), (3, 2.0)]
    {
        let mut facts = typical;
        facts[place] = value;
        let learned = log_odds(&model, facts.map(Some)) - middle;
        near(learned, truth(&facts) - truth(&typical), 0.2);
    }
    let (year, line) = model.calibration().unwrap();
    assert_eq!(year, 2013);
    near(line.slope, 1.0, 0.08);
    near(line.intercept, 0.0, 0.08);
}

#[test]
fn it_is_calibrated_and_better_than_both_baselines() {
    let backtest = backtest(&panel(&world(3000, 2)), &settings(), threads(2));
    let years: Vec<i32> = backtest.cohorts.iter().map(|cohort| cohort.year).collect();
    assert_eq!(years, [2010, 2011, 2012, 2013, 2014]);
    assert_eq!(backtest.cohorts[0].scores, Err(TooLittle::NoYears));
    for cohort in &backtest.cohorts[2..] {
        let scores = cohort.scores.as_ref().unwrap();
        assert_eq!(scores.calibrated_on, Some(cohort.year - 1));
        assert_eq!(scores.trained_on, (2010..cohort.year - 1).collect::<Vec<_>>());
        let slope = scores.model.slope.unwrap();
        assert!(slope.low < 1.0 && 1.0 < slope.high + 0.05, "{slope:?}");
        near(slope.value, 1.0, 0.12);
        near(scores.model.predicted, scores.observed, 0.03);
        for gain in [scores.over_last_state, scores.over_income_alone] {
            assert!(gain.auc.difference().low > 0.0 && gain.brier.difference().low > 0.0);
        }
        let income = scores.income.as_ref().unwrap();
        near(income.within.unwrap().value, 0.8, 0.04);
        near(income.excess_yuan.value, 0.0, 40.0);
        assert!(income.gain.difference().low > 0.0);
    }
    let first = backtest.cohorts[1].scores.as_ref().unwrap();
    assert_eq!((first.calibrated_on, &first.trained_on[..]), (None, &[2010][..]));
    assert_eq!(first.income.as_ref().unwrap().within, None);
}

#[test]
fn outcomes_by_lot_cannot_be_predicted() {
    let mut years = world(2000, 3);
    let mut chance = super::Chance(9);
    years.iter_mut().for_each(|year| year.state = Some(chance.next() < 0.5));
    for cohort in &backtest(&panel(&years), &settings(), threads(2)).cohorts[1..] {
        let auc = cohort.scores.as_ref().unwrap().model.auc;
        near(auc.value, 0.5, 0.04);
    }
}

#[test]
fn nothing_later_reaches_a_model() {
    let years = world(400, 4);
    let altered = |from: i32| {
        let mut years = years.clone();
        for own in years.iter_mut().filter(|own| own.year >= from) {
            own.state = own.state.map(|state| !state);
            own.income = own.income.map(|income| income * 3.0 - 1.0);
            own.facts.iter_mut().for_each(|fact| *fact = fact.map(|fact| fact + 1.0));
        }
        panel(&years)
    };
    let model = trained(&panel(&years), 2013);
    assert_eq!(model, trained(&altered(2014), 2013));
    assert_ne!(model, trained(&altered(2013), 2013), "the states of 2013 are the outcomes of 2012");
    // Nor a score: what is said at the end of 2014 is the same whatever came in 2015.
    let (own, other) = (panel(&years), altered(2015));
    let rows = own.facts().rows_of(2014);
    let said = model.predict(own.facts(), &rows, threads(1));
    assert_eq!(said, model.predict(other.facts(), &rows, threads(1)));
}

#[test]
fn an_outcome_is_that_of_the_year_after_and_of_the_same_household() {
    let year = |household: i64, year: i32, state: bool| {
        let own = world(1, 0).remove(0);
        Year { household, year, state: Some(state), income: Some(f64::from(year)), ..own }
    };
    let rows =
        [year(1, 2010, false), year(1, 2011, true), year(1, 2013, true), year(2, 2014, true)];
    let own = panel(&rows);
    let seen: Vec<Option<bool>> = (0..4).map(|row| own.outcomes().state(row)).collect();
    assert_eq!(seen, [Some(true), None, None, None]);
    near(own.outcomes().income(0), 2011.0, 0.0);
    assert_eq!(own.years(), [2010]);
    // Who is not asked about has no row, but still an outcome for the year before.
    let mut exits = rows[..2].to_vec();
    exits[1].is_asked = false;
    let own = panel(&exits);
    assert_eq!((own.facts().rows(), own.outcomes().state(0)), (1, Some(true)));
    for order in
        [[year(1, 2011, true), year(1, 2010, true)], [year(1, 2010, true), year(1, 2010, true)]]
    {
        assert_eq!(told(&order).unwrap_err(), Misfit::Order);
    }
    let mut many = year(1, 2010, true);
    many.facts.push(Some(1.0));
    assert_eq!(told(&[many]).unwrap_err(), Misfit::Many);
}

#[test]
fn the_same_input_gives_the_same_bytes_on_any_number_of_threads() {
    let years = world(700, 5);
    let bytes = |own: &Panel, count: usize| {
        let model = trained(own, 2015);
        let rows = own.facts().rows_of(2015);
        let said = model.predict(own.facts(), &rows, threads(count));
        format!("{model:?} {said:?} {:?}", backtest(own, &settings(), threads(count)))
    };
    let own = panel(&years);
    let first = bytes(&own, 1);
    assert!(first == bytes(&panel(&years), 1));
    assert!(first == bytes(&own, 3));
}

#[test]
fn a_draw_takes_the_same_households_in_any_order() {
    let few = Settings { rows_max: 500, ..settings() };
    let drawn_of = |years: &[Year], settings: &Settings| {
        let own = panel(years);
        let rows = drawn(own.facts(), own.rows(|_| true), settings);
        let mut drawn: Vec<(i64, i32)> =
            rows.iter().filter_map(|row| own.facts().row(*row)).collect();
        drawn.sort_unstable();
        drawn
    };
    let years = world(300, 6);
    let mut turned: Vec<Vec<Year>> = years.chunks(6).map(<[Year]>::to_vec).collect();
    turned.reverse();
    let first = drawn_of(&years, &few);
    assert_eq!(first.len(), 500);
    assert_eq!(first, drawn_of(&turned.concat(), &few));
    assert_ne!(first, drawn_of(&years, &Settings { seed: 1, ..few.clone() }));
    let model = Model::train(&panel(&years), 2015, &few).unwrap();
    assert_eq!(model.rows(), 500);
}

#[test]
fn what_is_not_known_is_a_fact_of_its_own() {
    // Nobody is in the state whose able members are not known, half of the others are.
    let mut years = world(1000, 7);
    let mut chance = super::Chance(8);
    for place in 0..years.len() {
        let is_unknown = chance.next() < 0.3;
        years[place].facts[1] = (!is_unknown).then_some(1.0);
        if let Some(next) = years.get_mut(place + 1).filter(|next| next.year > 2010) {
            next.state = Some(!is_unknown && chance.next() < 0.5);
        }
    }
    let model = trained(&panel(&years), 2015);
    let [known, unknown] = [Some(1.0), None]
        .map(|able| sigmoid(log_odds(&model, [Some(0.0), able, Some(0.0), Some(3.0)])));
    near(known, 0.5, 0.06);
    assert!(unknown < 0.05, "{unknown}");
}

#[test]
fn what_was_never_known_or_never_unknown_adds_nothing() {
    let mut years = world(500, 16);
    for own in &mut years {
        own.facts[1] = own.facts[1].filter(|_| own.year > 2012);
        own.facts[2] = own.facts[2].or(Some(0.0));
    }
    let model = trained(&panel(&years), 2013);
    let of =
        |able: Option<f64>, ill: Option<f64>| log_odds(&model, [Some(0.0), able, ill, Some(3.0)]);
    near(of(Some(3.0), Some(0.0)), of(None, Some(0.0)), 1e-9);
    near(of(None, None), of(None, Some(0.0)), 1e-9);
    assert!(of(None, Some(1.0)) < of(None, Some(0.0)) - 0.5);
}

#[test]
fn absurd_values_and_new_codes_move_no_further_than_learned_ones() {
    let model = trained(&panel(&world(800, 8)), 2015);
    let of = |over: f64| log_odds(&model, [Some(over), Some(1.0), Some(0.0), Some(3.0)]);
    near(of(1e12), of(2990.0), 1e-9);
    near(of(-1e12), of(-2990.0), 1e-9);
    for cause in [0.0, 9.0, 1e9, -1.0] {
        let own = log_odds(&model, [Some(0.0), Some(1.0), Some(0.0), Some(cause)]);
        assert!(own.is_finite());
    }
    let nothing = log_odds(&model, [None; 4]);
    let absurd = [f64::INFINITY, f64::NAN, f64::NEG_INFINITY, 1e300].map(Some);
    near(log_odds(&model, absurd), nothing, 1e-9);
    // A row that is not there.
    let none = model.predict(panel(&[]).facts(), &[7], threads(4));
    near(none[0].probability, sigmoid(nothing), 1e-12);
}

#[test]
fn curves_say_what_the_columns_say() {
    let own = panel(&world(500, 11));
    let (facts, rows) = (own.facts(), own.rows(|_| true));
    let design = Design::new(facts, &[0, 1, 2, 3], &rows, Bend::Everywhere, &settings());
    let sum = design.logistic(&states(own.outcomes(), &rows), 1.0).unwrap();
    // The mean of what curves add over the training rows is nothing: they are told relative to it.
    for feature in 0..4 {
        let added = rows.iter().map(|row| sum.curves[feature].at(facts.value(feature, *row)));
        near(added.sum::<f64>() / 2500.0, 0.0, 1e-9);
    }
}

#[test]
fn coefficients_are_those_of_the_librarys_own_regressions() {
    let own = panel(&world(100, 15));
    let (facts, rows) = (own.facts(), own.rows(|_| true));
    let design = Design::new(facts, &[0, 1, 2, 3], &rows, Bend::Everywhere, &settings());
    let yes = states(own.outcomes(), &rows);
    let amounts: Vec<f64> = rows.iter().map(|row| own.outcomes().income(*row)).collect();
    let sums = [design.logistic(&yes, 3.0).unwrap(), design.ridge(&amounts, 3.0).unwrap()];
    // The columns once more, dense and standardised plainly.
    let scales: Vec<Scale> = (0..4)
        .map(|place| {
            let values = rows.iter().map(|row| facts.value(place, *row));
            Scale::learn(&facts.shape().features[place], values, Bend::Everywhere, &settings())
        })
        .collect();
    let width: usize = scales.iter().map(Scale::width).sum();
    let mut cells = vec![0.0; width * rows.len()];
    for (row, cells) in rows.iter().zip(cells.chunks_mut(width)) {
        let mut first = 0;
        for (place, scale) in scales.iter().enumerate() {
            scale.spread(facts.value(place, *row), |column, share| cells[first + column] = share);
            first += scale.width();
        }
    }
    let count = rows.len() as f64;
    for column in 0..width {
        let places = || (column..cells.len()).step_by(width);
        let mean = places().map(|place| cells[place]).sum::<f64>() / count;
        let square = places().map(|place| (cells[place] - mean).powi(2)).sum::<f64>() / count;
        for place in places().collect::<Vec<_>>() {
            cells[place] = if square > 0.0 { (cells[place] - mean) / square.sqrt() } else { 0.0 };
        }
    }
    let matrix = DenseMatrix::new(rows.len(), width, cells.clone(), false).unwrap();
    let parameters = LogisticRegressionParameters::default().with_alpha(3.0);
    let states: Vec<u32> = yes.iter().map(|yes| u32::from(*yes > 0.5)).collect();
    let logistic = LogisticRegression::fit(&matrix, &states, parameters).unwrap();
    let mean = amounts.iter().sum::<f64>() / count;
    let centred: Vec<f64> = amounts.iter().map(|amount| amount - mean).collect();
    let parameters = RidgeRegressionParameters::default().with_alpha(3.0).with_normalize(false);
    let ridge = RidgeRegression::fit(&matrix, &centred, parameters).unwrap();
    let theirs = [
        (
            logistic.coefficients().iterator(0).copied().collect::<Vec<f64>>(),
            *logistic.intercept().get((0, 0)),
            1e-5,
        ),
        (ridge.coefficients().iterator(0).copied().collect(), mean, 0.05),
    ];
    for (sum, (coefficients, base, by)) in sums.iter().zip(theirs) {
        near(sum.base, base, by);
        for (row, cells) in rows.iter().zip(cells.chunks(width)) {
            let score: f64 = cells.iter().zip(&coefficients).map(|(cell, own)| cell * own).sum();
            near(sum.of(facts, *row), base + score, 10.0 * by);
        }
    }
}

#[test]
fn scales_bend_where_they_are_told() {
    let over = feature("over", ["", ""], Kind::YuanAbove, &[0.0, 50.0, 1e9]);
    let values = || (-4..=4_i8).map(f32::from);
    let learned = |bend: Bend| Scale::learn(&over, values(), bend, &settings());
    let knots = |scale: Scale| match scale {
        Scale::Number { knots, .. } => knots,
        Scale::Codes(_) => Vec::new(),
    };
    assert_eq!(knots(learned(Bend::Nowhere)), [-4.0, 4.0]);
    assert_eq!(knots(learned(Bend::Everywhere)), [-4.0, -3.0, -2.0, 0.0, 2.0, 3.0, 4.0]);
    let columns = |value: f32| {
        let mut columns = Vec::new();
        learned(Bend::Everywhere).spread(value, |column, share| columns.push((column, share)));
        columns
    };
    assert_eq!(columns(-0.5), [(1, 0.25), (2, 0.75)]);
    assert_eq!(columns(-2.0), [(1, 1.0)]);
    assert_eq!(columns(-3.75), [(0, 0.25)]);
    assert_eq!(columns(1e9), [(5, 1.0)]);
    assert_eq!(columns(f32::NAN), [(2, 1.0), (6, 1.0)]);
    let nothing = Scale::learn(&over, [f32::NAN].into_iter(), Bend::Everywhere, &settings());
    assert_eq!(nothing.width(), 1);
}

proptest! {
    #[test]
    fn contributions_add_up_to_the_probability(
        facts in prop::array::uniform4(prop::option::of(-5000.0..5000.0_f64)),
        seed in 0..4_u64,
    ) {
        let model = trained(&panel(&world(150, seed)), 2015);
        let mut year = world(1, 0).remove(0);
        year.facts = facts.to_vec();
        let own = panel(&[year]);
        let explanation = model.explain(own.facts(), 0);
        let added: f64 = explanation.contributions.iter().map(|own| own.log_odds).sum();
        prop_assert!((explanation.base + added - explanation.log_odds).abs() < 1e-9);
        let said = model.predict(own.facts(), &[0], threads(1))[0];
        prop_assert!((sigmoid(explanation.log_odds) - said.probability).abs() < 1e-12);
        let sizes: Vec<f64> = explanation.contributions.iter().map(|own| own.log_odds.abs()).collect();
        prop_assert!(sizes.is_sorted_by(|one, other| one >= other));
        for own in &explanation.contributions {
            let alone = sigmoid(explanation.base + own.log_odds) - explanation.average();
            prop_assert!((own.points - 100.0 * alone).abs() < 1e-9);
        }
    }
}

#[test]
fn the_year_held_out_chooses_the_penalty() {
    let chosen = |years: &[Year], before: i32, penalties: &[f64]| {
        let own = Settings { penalties: penalties.to_vec(), ..settings() };
        Model::train(&panel(years), before, &own).unwrap().penalty()
    };
    // Much to learn from is not held back; a year alone has none to ask.
    let years = world(2000, 17);
    near(chosen(&years, 2014, &[1.0, 1e5, 10.0]), 1.0, 9.0);
    near(chosen(&years, 2011, &[1.0, 1e5, 10.0]), 1e5, 0.0);
    let none = Settings { penalties: Vec::new(), ..settings() };
    assert_eq!(Model::train(&panel(&years), 2014, &none).unwrap_err(), TooLittle::Unsettled);
}

#[test]
fn rare_codes_have_no_column() {
    let cause = &shape().features[3];
    let values = [(1.0, 100), (2.0, 60), (3.0, 5)];
    let values = values.into_iter().flat_map(|(code, rows)| std::iter::repeat_n(code, rows));
    let scale = Scale::learn(cause, values, Bend::Everywhere, &settings());
    assert_eq!(scale, Scale::Codes(vec![2]));
}

#[test]
fn incomes_have_the_level_of_the_year_held_out() {
    let mut years = world(1500, 18);
    for own in &mut years {
        own.income = own.income.map(|income| income + 300.0 * f64::from(own.year - 2010));
    }
    // What rose since then is missed, what rose before is not.
    for cohort in &backtest(&panel(&years), &settings(), threads(2)).cohorts[2..] {
        let scores = cohort.scores.as_ref().unwrap();
        near(scores.income.as_ref().unwrap().excess_yuan.value, -300.0, 40.0);
    }
}

#[test]
fn incomes_that_vary_more_have_wider_bounds() {
    let mut years = world(1500, 19);
    for own in &mut years {
        own.income = own.income.map(|income| income + 3.0 * (income - 3000.0).max(0.0));
    }
    let own = panel(&years);
    let said = trained(&own, 2015).predict(own.facts(), &own.facts().rows_of(2015), threads(1));
    let mut expected: Vec<_> = said.into_iter().filter_map(|said| said.income).collect();
    expected.sort_by(|one, other| one.yuan.total_cmp(&other.yuan));
    let width = |place: usize| {
        let [low, high] = expected[place].bounds_yuan.unwrap();
        high - low
    };
    assert!(width(1499) > 2.0 * width(0), "{} {}", width(1499), width(0));
}

//! Baselines, groups, and when there is too little to say.

use super::{Year, near, panel, settings, threads, world};
use crate::predict::{
    Backtest, Model, Panel, Settings, TooLittle, backtest,
    baselines::{IncomeAlone, LastState},
    groups::groups,
};

/// Six households of two years: state and income compared with the line, then the next state.
fn six() -> Panel {
    let rows = [
        (Some(true), 0.0, true),
        (Some(true), 0.0, false),
        (Some(true), 1000.0, true),
        (Some(false), 1000.0, true),
        (Some(false), 1000.0, false),
        (None, 0.0, false),
    ];
    let mut years = Vec::new();
    for (household, (state, over, next)) in (1..).zip(rows) {
        let own = world(1, 0).remove(0);
        let facts = vec![Some(over)];
        years.push(Year { household, state, facts, ..own.clone() });
        years.push(Year { household, year: 2011, state: Some(next), ..own });
    }
    panel(&years)
}

#[test]
fn baselines_are_those_worked_out_by_hand() {
    let own = six();
    let rows = own.rows(|_| true);
    assert_eq!(rows.len(), 6);
    // Of three who were in the state two are, of two who were not one is, of the one of whom it was not known none.
    let last = LastState::train(&own, &rows);
    let by_state = [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 0.5, 0.5, 0.0];
    for (row, by_hand) in rows.iter().zip(by_state) {
        near(last.probability(&own, *row), by_hand, 1e-12);
    }
    // A line through two incomes says what is frequent at each: one of three at 0, two of three at 1000.
    let free = Settings { penalties: vec![0.0], outcome_rows_min: 1, ..settings() };
    let income = IncomeAlone::train(&own, &rows, &free).unwrap();
    for (row, over) in rows.iter().zip([0, 0, 1, 1, 1, 0]) {
        near(income.probability(&own, *row), f64::from(1 + over) / 3.0, 1e-5);
    }
    // Of whom nothing like it was seen, the frequency of all is said.
    let known = LastState::train(&own, &rows[..5]);
    near(known.probability(&own, rows[5]), 3.0 / 5.0, 1e-12);
}

#[test]
fn groups_are_told_apart_and_small_ones_hidden() {
    let mut years = world(400, 12);
    years
        .iter_mut()
        .filter(|own| own.household == 3)
        .for_each(|own| own.groups[0] = "小乡".to_owned());
    let own = panel(&years);
    let rows = own.facts().rows_of(2014);
    let states: Vec<bool> = rows.iter().map(|row| own.outcomes().state(*row).unwrap()).collect();
    // A judge that is right of women and always says yes of men.
    let sex = &own.facts().labels[1];
    let women = own.facts().names[1].iter().position(|name| name == "女").unwrap();
    let is_woman = |row: usize| sex[row] as usize == women;
    let said: Vec<f64> = rows
        .iter()
        .zip(&states)
        .map(|(row, state)| if is_woman(*row) { f64::from(u8::from(*state)) } else { 1.0 })
        .collect();
    let few = Settings { group_rows_min: 50, outcome_rows_min: 10, ..settings() };
    let found = groups(own.facts(), &rows, &said, &states, &few);
    let names: Vec<&str> = found[0].shown.iter().map(|group| group.name.as_str()).collect();
    assert_eq!((names, found[0].hidden), (vec!["乡0", "乡1", "乡2", "乡3"], 1));
    assert_eq!(found[0].shown.iter().map(|group| group.rows).sum::<usize>(), 399);
    let [women, men] = &found[1].shown[..] else { panic!("{:?}", found[1]) };
    assert_eq!(
        (women.name.as_str(), women.rows, men.name.as_str(), men.rows),
        ("女", 80, "男", 320)
    );
    near(women.excess.value, 0.0, 0.0);
    near(women.auc.unwrap().value, 1.0, 0.0);
    near(men.excess.value, 1.0 - men.observed, 1e-12);
    near(men.auc.unwrap().value, 0.5, 1e-12);
    near(men.false_alarms.unwrap().value, 1.0, 0.0);
    near(men.misses.unwrap().value, 0.0, 0.0);
    near(women.false_alarms.unwrap().value, 0.0, 0.0);
    assert!(
        groups(own.facts(), &rows, &said, &states, &Settings { outcome_rows_min: 1000, ..few })
            .iter()
            .flat_map(|own| &own.shown)
            .all(|group| group.auc.is_none() && group.misses.is_none())
    );
}

fn all_too_little(backtest: &Backtest) -> bool {
    backtest.cohorts.iter().all(|cohort| cohort.scores.is_err())
}

#[test]
fn too_little_is_said_and_no_figure() {
    let nobody = backtest(&panel(&[]), &settings(), threads(2));
    assert!(nobody.cohorts.is_empty());
    assert_eq!(Model::train(&panel(&[]), 2015, &settings()).unwrap_err(), TooLittle::NoYears);
    // Twenty households have fewer than fifty of an outcome in a year.
    let few = backtest(&panel(&world(20, 1)), &settings(), threads(2));
    assert!(few.cohorts.len() == 5 && all_too_little(&few));
    let Err(reason) = &few.cohorts[4].scores else { panic!() };
    assert!(reason.to_string().starts_with("too little data: "), "{reason}");
    // All in the state.
    let mut same = world(300, 1);
    same.iter_mut().for_each(|own| own.state = Some(true));
    let own = panel(&same);
    assert!(all_too_little(&backtest(&own, &settings(), threads(2))));
    let none = TooLittle::Rows { yes: 1500, no: 0, need: 50 };
    assert_eq!(Model::train(&own, 2015, &settings()).unwrap_err(), none);
    let loose = Settings { outcome_rows_min: 0, ..settings() };
    assert!(Model::train(&own, 2015, &loose).is_err(), "one of each at least");
}

#[test]
fn a_cohort_that_is_all_the_same_is_not_judged_but_the_others_are() {
    let mut years = world(400, 13);
    years.iter_mut().filter(|own| own.year == 2013).for_each(|own| own.state = Some(false));
    let backtest = backtest(&panel(&years), &settings(), threads(1));
    let judged: Vec<i32> =
        backtest.cohorts.iter().filter(|own| own.scores.is_ok()).map(|own| own.year).collect();
    assert_eq!(judged, [2011, 2013, 2014]);
    // Nor does it calibrate.
    assert_eq!(backtest.cohorts[3].scores.as_ref().unwrap().calibrated_on, None);
}

#[test]
fn incomes_that_nobody_knows_are_not_expected() {
    let mut years = world(300, 14);
    years.iter_mut().for_each(|own| own.income = None);
    let own = panel(&years);
    let model = Model::train(&own, 2015, &settings()).unwrap();
    assert_eq!(model.predict(own.facts(), &[0], threads(1))[0].income, None);
    let backtest = backtest(&own, &settings(), threads(1));
    assert!(backtest.cohorts[3].scores.as_ref().unwrap().income.is_none());
}

//! How good the model would have been: each year is predicted from earlier ones alone.

use std::num::NonZero;

use super::{
    Figures, Groups, Model, Panel, Part, Settings, TooLittle,
    baselines::{IncomeAlone, LastState},
    figures::{Gains, figures, gains, reliability},
    groups::groups,
    income::{IncomeFigures, judge},
    model::{enough, share},
};

/// How good the model would have been in each year.
#[derive(Clone, Debug, PartialEq)]
pub struct Backtest {
    /// By year; the first year has nothing before it.
    pub cohorts: Vec<Cohort>,
}

/// The households of a year, whose next year was predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    /// The year at whose end it was predicted.
    pub year: i32,
    /// Rows whose outcome is known.
    pub rows: usize,
    /// How good that was, or why it cannot be told.
    pub scores: Result<Scores, TooLittle>,
}

/// How good the model was for a cohort, and the baselines.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The years that the model was learned of, in order.
    pub trained_on: Vec<i32>,
    /// How many rows of them.
    pub rows_trained: usize,
    /// The year that it was calibrated on; none if there was too little for that.
    pub calibrated_on: Option<i32>,
    /// Which of the penalties it was learned with.
    pub penalty: f64,
    /// The share of the cohort that was in the state.
    pub observed: f64,
    /// Of the model.
    pub model: Figures,
    /// Of the frequency of the state by last year's state.
    pub last_state: Figures,
    /// Of a logistic regression on income alone.
    pub income_alone: Figures,
    /// How much better the model is than last year's state.
    pub over_last_state: Gains,
    /// How much better the model is than income alone.
    pub over_income_alone: Gains,
    /// The model's probabilities and what came.
    pub reliability: Vec<Part>,
    /// By dimension.
    pub groups: Vec<Groups>,
    /// Of expected incomes; none if too few are known.
    pub income: Option<IncomeFigures>,
}

/// Predicts each year from those before it, whose outcomes were known by its end, and compares with what came.
pub fn backtest(panel: &Panel, settings: &Settings, threads: NonZero<usize>) -> Backtest {
    let cohort = |year: i32| {
        let rows = panel.rows(|own| own == year);
        let scores = scores(panel, year, &rows, settings, threads);
        Cohort { year, rows: rows.len(), scores }
    };
    Backtest { cohorts: panel.years().into_iter().map(cohort).collect() }
}

fn scores(
    panel: &Panel,
    year: i32,
    rows: &[usize],
    settings: &Settings,
    threads: NonZero<usize>,
) -> Result<Scores, TooLittle> {
    let model = Model::train(panel, year, settings)?;
    enough(panel.outcomes(), rows, settings)?;
    let earlier = panel.rows(|own| own < year);
    let last_state = LastState::train(panel, &earlier);
    let income_alone = IncomeAlone::train(panel, &earlier, settings)?;
    let said = model.predict(panel.facts(), rows, threads);
    let own: Vec<f64> = said.iter().map(|said| said.probability).collect();
    let expected: Vec<_> = said.iter().map(|said| said.income).collect();
    let by_state: Vec<f64> = rows.iter().map(|row| last_state.probability(panel, *row)).collect();
    let by_income: Vec<f64> =
        rows.iter().map(|row| income_alone.probability(panel, *row)).collect();
    let came = rows.iter().map(|row| panel.outcomes().state(*row) == Some(true));
    let came: Vec<bool> = came.collect();
    let errors = settings.standard_errors;
    Ok(Scores {
        trained_on: model.trained_on().to_vec(),
        rows_trained: model.rows(),
        calibrated_on: model.calibration().map(|(year, _)| year),
        penalty: model.penalty(),
        observed: share(panel.outcomes(), rows),
        model: figures(&own, &came, settings),
        last_state: figures(&by_state, &came, settings),
        income_alone: figures(&by_income, &came, settings),
        over_last_state: gains(&own, &by_state, &came, errors),
        over_income_alone: gains(&own, &by_income, &came, errors),
        reliability: reliability(&own, &came, settings),
        groups: groups(panel.facts(), rows, &own, &came, settings),
        income: judge(panel, rows, &expected, settings),
    })
}

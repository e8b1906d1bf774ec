//! A backtest as programs are told. Pure.

use daohu_census::predict::{
    Backtest, Cohort, Estimate, Figures, Gain, Gains, GroupFigures, IncomeFigures, Part, Scores,
    Shape,
};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// How good predictions would have been of a year's households.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToldCohort {
    /// The year at whose end it was predicted.
    pub year: i32,
    /// Rows whose outcome is known.
    pub rows: usize,
    /// Why it cannot be told, if it cannot.
    pub too_little: Option<String>,
    /// How good it was.
    pub scores: Option<ToldScores>,
}

/// How good it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as `daohu_census::predict::Scores` says of them")]
pub struct ToldScores {
    pub trained_on: Vec<i32>,
    pub rows_trained: usize,
    pub calibrated_on: Option<i32>,
    pub penalty: f64,
    pub observed: f64,
    /// The model, last year's state, income alone.
    pub methods: [ToldMethod; 3],
    /// Over last year's state, over income alone.
    pub gains: [ToldGain; 2],
    pub reliability: Vec<Json>,
    /// By dimension.
    pub groups: Vec<Json>,
    pub income: Option<Json>,
}

/// How good one set of probabilities was; intervals are those of the pack.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as `daohu_census::predict::Figures` says of them")]
pub struct ToldMethod {
    pub method: &'static str,
    pub predicted: f64,
    pub auc: [f64; 3],
    pub brier: [f64; 3],
    pub log_loss: [f64; 3],
    pub slope: Option<[f64; 3]>,
    pub intercept: Option<[f64; 3]>,
}

/// How much better the model is than a baseline: `better`, `worse` or `undecided`, and the difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as `daohu_census::predict::Gains` says of them")]
pub struct ToldGain {
    pub over: &'static str,
    pub auc: (&'static str, [f64; 3]),
    pub brier: (&'static str, [f64; 3]),
    pub log_loss: (&'static str, [f64; 3]),
}

pub(super) fn cohorts(of: &Backtest, shape: &Shape) -> Vec<ToldCohort> {
    let cohort = |Cohort { year, rows, scores: own }: &Cohort| ToldCohort {
        year: *year,
        rows: *rows,
        too_little: own.as_ref().err().map(ToString::to_string),
        scores: own.as_ref().ok().map(|own| scores(own, shape)),
    };
    of.cohorts.iter().map(cohort).collect()
}

fn scores(own: &Scores, shape: &Shape) -> ToldScores {
    let dimension = |groups: &daohu_census::predict::Groups| {
        let id = shape.dimensions.get(groups.dimension).map(|own| own.id.as_str());
        let shown: Vec<Json> = groups.shown.iter().map(group).collect();
        json!({ "dimension": id, "shown": shown, "hidden": groups.hidden })
    };
    ToldScores {
        trained_on: own.trained_on.clone(),
        rows_trained: own.rows_trained,
        calibrated_on: own.calibrated_on,
        penalty: own.penalty,
        observed: own.observed,
        methods: [
            method("model", &own.model),
            method("last_state", &own.last_state),
            method("income_alone", &own.income_alone),
        ],
        gains: [
            gains("last_state", &own.over_last_state),
            gains("income_alone", &own.over_income_alone),
        ],
        reliability: own.reliability.iter().map(part).collect(),
        groups: own.groups.iter().map(dimension).collect(),
        income: own.income.as_ref().map(income),
    }
}

/// The figure, and the ends of its interval.
fn ends(own: &Estimate) -> [f64; 3] {
    [own.value, own.low, own.high]
}

fn method(method: &'static str, own: &Figures) -> ToldMethod {
    ToldMethod {
        method,
        predicted: own.predicted,
        auc: ends(&own.auc),
        brier: ends(&own.brier),
        log_loss: ends(&own.log_loss),
        slope: own.slope.as_ref().map(ends),
        intercept: own.intercept.as_ref().map(ends),
    }
}

fn gains(over: &'static str, own: &Gains) -> ToldGain {
    ToldGain { over, auc: gain(own.auc), brier: gain(own.brier), log_loss: gain(own.log_loss) }
}

fn gain(own: Gain) -> (&'static str, [f64; 3]) {
    let word = match own {
        Gain::Better(_) => "better",
        Gain::Worse(_) => "worse",
        Gain::Undecided(_) => "undecided",
    };
    (word, ends(&own.difference()))
}

fn part(own: &Part) -> Json {
    json!({ "rows": own.rows, "predicted": own.predicted, "observed": ends(&own.observed) })
}

fn group(own: &GroupFigures) -> Json {
    let optional = |own: &Option<Estimate>| own.as_ref().map(ends);
    json!({
        "group": own.name, "rows": own.rows, "observed": own.observed, "predicted": own.predicted,
        "excess": ends(&own.excess), "auc": optional(&own.auc),
        "false_alarms": optional(&own.false_alarms), "misses": optional(&own.misses),
    })
}

fn income(own: &IncomeFigures) -> Json {
    json!({
        "rows": own.rows, "error_yuan": ends(&own.error_yuan), "error_last_yuan": ends(&own.error_last_yuan),
        "gain_yuan": gain(own.gain), "excess_yuan": ends(&own.excess_yuan),
        "within": own.within.as_ref().map(ends),
    })
}

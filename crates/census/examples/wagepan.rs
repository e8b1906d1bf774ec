//! Prediction on a public panel of men and their wages: `wagepan CSV [SHARE] [ROWS_MIN]`, the CSV by `xtask/yardsticks/wagepan.py`;
//! `cargo xtask published` does both.
//!
//! The line of a year is a share (0.6) of the median hourly wage of the years up to it, and it is predicted who earns at
//! least the line in the next year. Of each outcome ROWS_MIN (20) men are needed. All years are printed, those too
//! in which the model loses.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "for work on the learner, not for users"
)]

use std::{env, fs, num::NonZero};

use daohu_census::predict::{
    Code, Cohort, Dimension, Estimate, Feature, Figures, Gain, Gains, Kind, Panel, PanelBuilder,
    Settings, Shape, Told, backtest,
};

/// A man's year: the columns by name, in the order of [`COLUMNS`].
type Row = Vec<f64>;

const COLUMNS: &str = "nr,year,lwage,hours,educ,exper,union,married,poorhlth,black,hisp,south,rur,\
occ1,occ2,occ3,occ4,occ5,occ6,occ7,occ8,occ9";

/// As the proposed pack has it, but for the rows of each outcome.
fn settings(outcome_rows_min: usize) -> Settings {
    Settings {
        knots: vec![0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98],
        penalties: vec![1.0, 10.0, 100.0],
        rows_max: 100_000,
        seed: 20_151_231,
        outcome_rows_min,
        code_rows_min: 50,
        income_kept: [0.005, 0.995],
        income_bounds: [0.1, 0.9],
        income_parts: 5,
        standard_errors: 1.96,
        reliability_parts: 10,
        group_rows_min: 50,
        alarm_at: 0.5,
    }
}

fn shape() -> Shape {
    let feature = |(id, kind): (&str, Kind), knots: &[f64]| Feature {
        id: id.to_owned(),
        title: id.to_owned(),
        title_en: id.to_owned(),
        kind,
        knots: knots.to_vec(),
    };
    let code = |code: u16| Code {
        code,
        title: format!("职业{code}"),
        title_en: format!("occupation {code}"),
    };
    let mut features = vec![feature(("over_line", Kind::YuanAbove), &[0.0])];
    let counts = ["change", "mean_before", "years_above", "hours", "educ", "exper"];
    features.extend(counts.map(|id| feature((id, Kind::Count), &[])));
    let flags = ["union", "married", "poorhlth", "south", "rur"];
    features.extend(flags.map(|id| feature((id, Kind::Flag), &[])));
    features.push(feature(("occupation", Kind::Code((1..=9).map(code).collect())), &[]));
    let dimension =
        |id: &str| Dimension { id: id.to_owned(), title: id.to_owned(), title_en: id.to_owned() };
    Shape { features, dimensions: ["ethnic", "schooling"].map(dimension).to_vec(), income: 0 }
}

fn column(row: &Row, name: &str) -> f64 {
    row[COLUMNS.split(',').position(|own| own == name).unwrap()]
}

fn wage(row: &Row) -> f64 {
    column(row, "lwage").exp()
}

/// The panel of the years up to the one after `last`, with the line of `last`.
fn panel(rows: &[Row], last: f64, line: f64) -> Panel {
    let mut builder = PanelBuilder::new(shape());
    for man in rows.chunk_by(|one, other| one[0].to_bits() == other[0].to_bits()) {
        let mut before: Vec<f64> = Vec::new();
        for row in man.iter().filter(|row| row[1] <= last + 1.0) {
            let wage = wage(row);
            let mean = before.iter().sum::<f64>() / before.len().max(1) as f64;
            let above = before.iter().filter(|wage| **wage >= line).count() as f64;
            let known = |value: f64| (!before.is_empty()).then_some(value);
            let change = before.last().map(|last| wage - last);
            let mut facts =
                vec![Some(wage - line), change, known(mean), known(above / before.len() as f64)];
            let names = ["hours", "educ", "exper", "union", "married", "poorhlth", "south", "rur"];
            facts.extend(names.map(|name| Some(column(row, name))));
            let occupation = (1..=9).find(|nth| column(row, &format!("occ{nth}")) > 0.5);
            facts.push(occupation.map(f64::from));
            let ethnic = if column(row, "black") > 0.5 {
                "black"
            } else if column(row, "hisp") > 0.5 {
                "hispanic"
            } else {
                "other"
            };
            let schooling = if column(row, "educ") < 12.0 { "under 12" } else { "12 or more" };
            let told = Told {
                year: row[1] as i32,
                is_asked: true,
                state: Some(wage >= line),
                income_yuan: Some(wage),
                facts: &facts,
                groups: &[ethnic, schooling],
            };
            builder.tell(row[0] as i64, &told).unwrap();
            before.push(wage);
        }
    }
    builder.finish()
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |nth: usize, otherwise: f64| {
        arguments.get(nth).map_or(otherwise, |text| text.parse().unwrap())
    };
    let text = fs::read_to_string(&arguments[0]).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(COLUMNS), "these are other columns");
    let cells = |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect();
    let rows: Vec<Row> = lines.map(cells).collect();
    let (share, settings) = (number(1, 0.6), settings(number(2, 20.0) as usize));
    println!(
        "line: {share} of the median wage up to the year; intervals of 95 %; + is the model's gain"
    );
    for year in 1981..=1986 {
        let last = f64::from(year);
        let mut known: Vec<f64> = rows.iter().filter(|row| row[1] <= last).map(wage).collect();
        known.sort_by(f64::total_cmp);
        let line = share * known[known.len() / 2];
        let panel = panel(&rows, last, line);
        let backtest = backtest(&panel, &settings, NonZero::<usize>::MIN);
        print(backtest.cohorts.last().unwrap(), line);
    }
}

fn print(cohort: &Cohort, line: f64) {
    println!("\n{} → {}: {} men, line {line:.2}", cohort.year, cohort.year + 1, cohort.rows);
    let scores = match &cohort.scores {
        Ok(scores) => scores,
        Err(reason) => return println!("  {reason}"),
    };
    println!(
        "  trained on {:?} ({} rows), calibrated on {:?}, penalty {}, {:.3} at or above",
        scores.trained_on,
        scores.rows_trained,
        scores.calibrated_on,
        scores.penalty,
        scores.observed
    );
    let own = |name: &str, own: &Figures| {
        println!(
            "  {name:12} AUC {} Brier {} log loss {:.4} slope {} intercept {}",
            estimate(&own.auc),
            estimate(&own.brier),
            own.log_loss.value,
            own.slope.as_ref().map_or("—".to_owned(), estimate),
            own.intercept.as_ref().map_or("—".to_owned(), estimate)
        );
    };
    own("model", &scores.model);
    own("last state", &scores.last_state);
    own("income alone", &scores.income_alone);
    let gain = |name: &str, own: &Gains| {
        let [auc, brier, loss] = [own.auc, own.brier, own.log_loss].map(|own| verdict(&own));
        println!("  over {name:12} AUC {auc} Brier {brier} log loss {loss}");
    };
    gain("last state", &scores.over_last_state);
    gain("income alone", &scores.over_income_alone);
    if let Some(own) = &scores.income {
        println!(
            "  wage: off by {}, last year's {}, gain {}, within 10–90 % bounds {}",
            estimate(&own.error_yuan),
            estimate(&own.error_last_yuan),
            verdict(&own.gain),
            own.within.as_ref().map_or("—".to_owned(), estimate)
        );
    }
    for group in scores.groups.iter().flat_map(|own| &own.shown) {
        println!(
            "  {:10} {:3} rows, observed {:.3}, predicted {:.3}, excess {}",
            group.name,
            group.rows,
            group.observed,
            group.predicted,
            estimate(&group.excess)
        );
    }
}

fn estimate(own: &Estimate) -> String {
    format!("{:.3} [{:.3}, {:.3}]", own.value, own.low, own.high)
}

fn verdict(gain: &Gain) -> String {
    let word = match gain {
        Gain::Better(_) => "better",
        Gain::Worse(_) => "WORSE",
        Gain::Undecided(_) => "undecided",
    };
    format!("{:+.4} {word}", gain.difference().value)
}

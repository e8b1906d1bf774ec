//! The learner beside a random forest on a made-up panel, and how long it takes: `learners [HOUSEHOLDS] [ROWS_MAX] [FOREST]`.
//!
//! The panel has what curves cannot say (illness weighs more where few can work). With FOREST, a forest of the same library is
//! trained on the same facts for the last year; it has no calibration and no contributions. For work on the learner.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "for work on the learner, not for users"
)]

use std::{env, num::NonZero, time::Instant};

use daohu_census::predict::{
    Feature, Kind, Model, Panel, PanelBuilder, Settings, Shape, Told, backtest,
};
use smartcore::{
    ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters},
    linalg::basic::matrix::DenseMatrix,
};

const THREADS: NonZero<usize> = NonZero::new(2).unwrap();
const FIRST: i32 = 2010;
const LAST: i32 = 2015;
const LINE_YUAN: f64 = 2800.0;
const NAMES: [&str; 12] =
    ["over", "change", "able", "schooling", "age", "ill", "land", "a", "b", "c", "d", "e"];

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around 0 with a standard deviation of 1.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.share().max(1e-300).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

/// The panel, and its facts and outcomes by year once more for the forest.
type Rows = Vec<(i32, Vec<f64>, bool)>;

fn panel(households: i64, with_rows: bool) -> (Panel, Rows) {
    let kind = |name: &&str| if *name == "ill" { Kind::Flag } else { Kind::Count };
    let feature = |name: &&str| Feature {
        id: (*name).to_owned(),
        title: (*name).to_owned(),
        title_en: (*name).to_owned(),
        kind: kind(name),
        knots: Vec::new(),
    };
    let features = NAMES.iter().map(feature).collect();
    let mut builder = PanelBuilder::new(Shape { features, dimensions: Vec::new(), income: 0 });
    let (mut rows, mut random) = (Vec::new(), Random(7));
    for household in 0..households {
        let base = 0.45 * random.normal();
        let able = (random.share() * 4.0).floor();
        let schooling = (random.share() * 3.0).floor();
        let age = 30.0 + 50.0 * random.share();
        let (mut is_ill, mut luck) = (random.share() < 0.2, 0.3 * random.normal());
        let mut last: Option<(f64, Vec<f64>)> = None;
        for year in FIRST..=LAST {
            is_ill = random.share() < if is_ill { 0.7 } else { 0.08 };
            luck = 0.6 * luck + 0.25 * random.normal();
            let illness = if is_ill && able < 2.0 {
                0.5
            } else if is_ill {
                0.15
            } else {
                0.0
            };
            let old = if age > 65.0 { 0.2 } else { 0.0 };
            let growth = 0.05 * f64::from(year - FIRST);
            let log = base + luck + growth + 0.12 * able - 0.05 * schooling - illness - old;
            let income = 3000.0 * log.exp();
            let change = last.as_ref().map_or(f64::NAN, |(before, _)| income - before);
            let ill = f64::from(u8::from(is_ill));
            let mut facts = vec![income - LINE_YUAN, change, able, schooling, age, ill];
            facts.resize_with(NAMES.len(), || random.share() * 10.0);
            for fact in &mut facts[1..] {
                if random.share() < 0.08 {
                    *fact = f64::NAN;
                }
            }
            let is_above = income >= LINE_YUAN;
            if let Some((_, facts)) = last.take().filter(|_| with_rows) {
                rows.push((year - 1, facts, is_above));
            }
            let known: Vec<Option<f64>> =
                facts.iter().map(|fact| (!fact.is_nan()).then_some(*fact)).collect();
            let told = Told {
                year,
                is_asked: true,
                state: Some(is_above),
                income_yuan: Some(income),
                facts: &known,
                groups: &[],
            };
            builder.tell(household, &told).unwrap();
            last = Some((income, facts));
        }
    }
    (builder.finish(), rows)
}

fn main() {
    let arguments: Vec<i64> = env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let given = |nth: usize, otherwise: i64| arguments.get(nth).copied().unwrap_or(otherwise);
    let (households, with_forest) = (given(0, 20_000), given(2, 0) > 0);
    let settings = Settings {
        knots: vec![0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98],
        penalties: vec![1.0, 10.0, 100.0],
        rows_max: usize::try_from(given(1, 100_000)).unwrap(),
        seed: 20_151_231,
        outcome_rows_min: 50,
        code_rows_min: 50,
        income_kept: [0.005, 0.995],
        income_bounds: [0.1, 0.9],
        income_parts: 5,
        standard_errors: 1.96,
        reliability_parts: 10,
        group_rows_min: 100,
        alarm_at: 0.5,
    };
    let timed = |what: &str, from: Instant| {
        println!("{what}: {:.2} s", from.elapsed().as_secs_f64());
    };
    let start = Instant::now();
    let (panel, rows) = panel(households, with_forest);
    timed("made up and told", start);
    let start = Instant::now();
    let model = Model::train(&panel, LAST, &settings).unwrap();
    timed(&format!("trained on {} rows", model.rows()), start);
    let last = panel.facts().rows_of(LAST);
    let start = Instant::now();
    let said = model.predict(panel.facts(), &last, THREADS);
    timed(&format!("{} households scored", said.len()), start);
    let start = Instant::now();
    let backtest = backtest(&panel, &settings, THREADS);
    timed("backtest of all years", start);
    for cohort in &backtest.cohorts {
        match &cohort.scores {
            Ok(scores) => println!(
                "{}: AUC {:.4} Brier {:.4} slope {:.3} | last state {:.4} {:.4} | income alone {:.4} {:.4}",
                cohort.year,
                scores.model.auc.value,
                scores.model.brier.value,
                scores.model.slope.map_or(f64::NAN, |slope| slope.value),
                scores.last_state.auc.value,
                scores.last_state.brier.value,
                scores.income_alone.auc.value,
                scores.income_alone.brier.value
            ),
            Err(reason) => println!("{}: {reason}", cohort.year),
        }
    }
    if with_forest {
        forest(&rows);
    }
}

/// A forest for the last year, trained on all before it.
fn forest(rows: &Rows) {
    let start = Instant::now();
    let (train, test): (Vec<_>, Vec<_>) = rows.iter().partition(|(year, ..)| *year < LAST - 1);
    let matrix = |rows: &[&(i32, Vec<f64>, bool)]| {
        let known = |fact: &f64| if fact.is_nan() { -1e4 } else { *fact };
        let cells = rows.iter().flat_map(|(_, facts, _)| facts.iter().map(known)).collect();
        DenseMatrix::new(rows.len(), NAMES.len(), cells, false).unwrap()
    };
    let states: Vec<f64> = train.iter().map(|(.., state)| f64::from(u8::from(*state))).collect();
    let parameters = RandomForestRegressorParameters::default()
        .with_n_trees(100)
        .with_min_samples_leaf(20)
        .with_m(4)
        .with_seed(7);
    let forest = RandomForestRegressor::fit(&matrix(&train), &states, parameters).unwrap();
    let said: Vec<f64> = forest.predict(&matrix(&test)).unwrap();
    let mut pairs: Vec<(f64, bool)> = said.into_iter().zip(test.iter().map(|row| row.2)).collect();
    let brier: f64 =
        pairs.iter().map(|(said, came)| (said - f64::from(u8::from(*came))).powi(2)).sum();
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut no, mut right) = (0.0, 0.0);
    for ties in pairs.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let yes = ties.iter().filter(|(_, came)| *came).count() as f64;
        let tied = ties.len() as f64 - yes;
        right += yes * (no + tied / 2.0);
        no += tied;
    }
    let (all, seconds) = (pairs.len() as f64, start.elapsed().as_secs_f64());
    println!(
        "forest {}: AUC {:.4} Brier {:.4}, {seconds:.1} s",
        LAST - 1,
        right / (no * (all - no)),
        brier / all
    );
}

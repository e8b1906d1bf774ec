//! One line for each household: what it has, lacks, or is not known to have.

use std::path::Path;

use daohu_base::Fen;
use daohu_census::{Assessment, Plan};

use super::{load::Loaded, model::state};
use crate::{Error, exchange::Partial};

/// The columns before those of the rules, and the one behind them.
const BEFORE: [&str; 5] = ["户编号", "年度", "家庭人口", "人均纯收入", "贫困标准"];
const BEHIND: &str = "总体状态";

/// The year of income, and the line of a village in it.
pub(super) type Lines<'l> = (i64, &'l dyn Fn(&str) -> Option<f64>);

/// Writes the households by 户编号.
pub(super) fn write(
    path: &Path,
    (loaded, plan, assessment): (&Loaded, &Plan, &Assessment),
    (year, line_fen): Lines<'_>,
) -> Result<(), Error> {
    let file = Partial::create(path)?;
    let mut csv = csv::Writer::from_writer(file.temporary.as_file().try_clone()?);
    let ids = plan.ids.iter().map(String::as_str);
    csv.write_record(BEFORE.into_iter().chain(ids).chain([BEHIND])).map_err(unwritten)?;
    let mut order: Vec<usize> = (0..loaded.census.households()).collect();
    order.sort_by_key(|nth| loaded.numbers.get(*nth));
    for nth in order {
        let income = loaded.census.income_of(nth, year);
        let number = |number: Option<i64>| number.map_or_else(String::new, |n| n.to_string());
        let per_head = income.fen.map_or_else(String::new, |fen| Fen(fen).with_decimals());
        let line = loaded.census.village_of(nth).and_then(line_fen);
        let line = line.map_or_else(String::new, |fen| whole(fen).to_string());
        csv.write_field(loaded.numbers.get(nth).map_or("", String::as_str)).map_err(unwritten)?;
        for cell in [number(Some(year)), number(income.sharing), per_head, line] {
            csv.write_field(cell).map_err(unwritten)?;
        }
        for rule in &assessment.rules {
            let outcome = rule.outcomes.get(nth).map_or("", |outcome| outcome.as_str());
            csv.write_field(outcome).map_err(unwritten)?;
        }
        csv.write_field(state(assessment.overall(nth))).map_err(unwritten)?;
        csv.write_record(None::<&[u8]>).map_err(unwritten)?;
    }
    csv.flush()?;
    file.finish()?;
    Ok(())
}

fn unwritten(error: csv::Error) -> Error {
    Error::File(std::io::Error::other(error))
}

/// An amount of a pack in whole fen.
#[expect(clippy::cast_possible_truncation, reason = "whole fen below 2^53")]
fn whole(fen: f64) -> Fen {
    Fen(fen as i64)
}

//! One line for each household: what it has, lacks, or is not known to have.

use std::path::Path;

use daohu_base::Fen;
use daohu_census::{Assessment, Plan};

use super::{load::Loaded, model::state};
use crate::{Error, exchange::Partial};

/// The columns before those of the rules, and the one behind them.
const BEFORE: [&str; 5] = ["户编号", "年度", "家庭人口", "人均纯收入", "贫困标准"];
const BEHIND: &str = "总体状态";

/// The year of income, and the line of each village in it.
pub(super) type Lines<'l> = (i64, &'l [Option<i64>]);

/// Writes the households by 户编号.
pub(super) fn write(
    path: &Path,
    (loaded, plan, assessment): (&Loaded, &Plan, &Assessment),
    (year, lines_fen): Lines<'_>,
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
        let village = loaded.census.village_places().get(nth);
        let village = village.and_then(|village| usize::try_from(*village).ok());
        let line = village.and_then(|village| *lines_fen.get(village)?);
        let line = line.map_or_else(String::new, |fen| Fen(fen).to_string());
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

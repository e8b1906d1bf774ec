//! One line for each household: its probability, the income to be expected, and why.

use std::path::Path;

use super::model::{Report, in_yuan};
use crate::{Error, Lang, exchange::Partial};

/// The columns before the reasons.
const COLUMNS: [&str; 6] = ["户编号", "预测年度", "概率", "预期人均纯收入", "预期下限", "预期上限"];

/// Writes the households by 户编号; so many reasons each.
pub(super) fn write(path: &Path, report: &Report, reasons: usize) -> Result<(), Error> {
    let file = Partial::create(path)?;
    let mut csv = csv::Writer::from_writer(file.temporary.as_file().try_clone()?);
    let titles = (1..=reasons).map(|nth| format!("理由{nth}"));
    let header: Vec<String> = COLUMNS.into_iter().map(str::to_owned).chain(titles).collect();
    csv.write_record(header).map_err(unwritten)?;
    for own in &report.predictions {
        let mut cells = vec![
            own.household_no.clone(),
            own.predicted_year.to_string(),
            format!("{:.4}", own.probability),
            in_yuan(own.expected_income_fen),
            in_yuan(own.expected_income_low_fen),
            in_yuan(own.expected_income_high_fen),
        ];
        cells.extend((0..reasons).map(|nth| own.reasons.get(nth).cloned().unwrap_or_default()));
        csv.write_record(cells).map_err(unwritten)?;
    }
    csv.flush()?;
    file.finish()?;
    Ok(())
}

fn unwritten(error: csv::Error) -> Error {
    Error::File(std::io::Error::other(error))
}

/// The language that words are told in.
pub(super) fn language(lang: Lang) -> daohu_census::predict::Language {
    match lang {
        Lang::Zh => daohu_census::predict::Language::Chinese,
        Lang::En => daohu_census::predict::Language::English,
    }
}

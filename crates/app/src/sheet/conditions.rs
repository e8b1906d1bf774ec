//! Filters of lists: what a column may be, read as cells of the sheet are read.

use daohu_db::{Filter, Value};
use daohu_policy::Policy;

use super::{Kind, Raw, Reader, Sheet, field_error};
use crate::{Error, FieldError, Lang};

/// What a filter calls the rows where a column is not known. No code, year or flag is written so.
const UNKNOWN: &str = "unknown";

/// A column and the values that it may have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    column: &'static str,
    values: Vec<Value>,
    /// Several codes stand in one cell: one of them is looked for.
    is_one_of_several: bool,
}

impl Condition {
    /// Adds the condition to those of a statement.
    pub(crate) fn add_to(&self, filter: &mut Filter) {
        if self.is_one_of_several {
            filter.and_one_of(self.column, self.values.iter().cloned());
        } else {
            filter.and_in(self.column, self.values.iter().cloned());
        }
    }
}

/// Reads filters as cells of the sheet are read: several values of one are separated by commas.
pub(crate) fn conditions(
    policy: &Policy,
    sheet: &'static Sheet,
    wanted: impl IntoIterator<Item = (usize, Option<String>)>,
    lang: Lang,
) -> Result<Vec<Condition>, Error> {
    let reader = Reader::new(sheet, policy);
    let mut conditions = Vec::new();
    let mut wrong: Vec<FieldError> = Vec::new();
    for (i, text) in wanted {
        let (Some(text), Some(column)) = (text, sheet.columns.get(i)) else { continue };
        let mut values = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part == UNKNOWN && !column.required {
                values.push(Value::Null);
                continue;
            }
            match reader.read(i, Raw::Text(part)) {
                Ok((value, _)) => values.push(value),
                Err(error) => wrong.push(field_error(column, Some(part), &error, lang)),
            }
        }
        if !values.is_empty() {
            let is_one_of_several = matches!(column.kind, Kind::Codes(..));
            conditions.push(Condition { column: column.name, values, is_one_of_several });
        }
    }
    if wrong.is_empty() { Ok(conditions) } else { Err(Error::Invalid(wrong)) }
}

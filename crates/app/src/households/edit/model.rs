//! What a request says about a record.

use daohu_db::Value;
use daohu_policy::Policy;
use serde_json::{Map, Value as Json};

use crate::{
    Error, FieldError, Lang,
    sheet::{Kind, Raw, Reader, Sheet, field_error, from_json},
};

/// Columns and their new values.
pub(super) type Changes = Vec<(usize, Value)>;

/// A field that is wrong; the words come from the catalogue.
pub(super) fn wrong(column: &str, code: &'static str) -> FieldError {
    FieldError { column: column.to_owned(), value: None, code, message: String::new() }
}

/// One field is wrong.
pub(super) fn refused(column: &str, code: &'static str) -> Error {
    Error::Invalid(vec![wrong(column, code)])
}

/// Reads the fields of a request as cells of the sheet: null clears. All that is wrong is told.
/// `fixed` columns do not belong into the request.
pub(super) fn read(
    sheet: &'static Sheet,
    policy: &Policy,
    body: &Map<String, Json>,
    fixed: &[usize],
    lang: Lang,
) -> Result<Changes, Error> {
    let reader = Reader::new(sheet, policy);
    let mut changes = Changes::new();
    let mut errors = Vec::new();
    for (name, json) in body {
        let position = sheet.columns.iter().position(|column| column.name == name);
        let position = position.filter(|i| !fixed.contains(i));
        let Some((i, column)) = position.and_then(|i| Some((i, sheet.columns.get(i)?))) else {
            errors.push(wrong(name, "request.field_unknown"));
            continue;
        };
        let Some(text) = from_json(column, json) else {
            errors.push(wrong(name, "request.field_type"));
            continue;
        };
        let raw = if text.is_empty() { Raw::Empty } else { Raw::Text(&text) };
        match reader.read(i, raw) {
            Ok((value, _)) => changes.push((i, value)),
            Err(error) => {
                // An amount is sent in fen; what was sent is what is repeated.
                let shown = if column.kind == Kind::Yuan { json.to_string() } else { text };
                errors.push(field_error(column, Some(&shown), &error, lang));
            }
        }
    }
    if errors.is_empty() { Ok(changes) } else { Err(Error::Invalid(errors)) }
}

/// Lays changes over values.
pub(super) fn lay(values: &mut [Value], changes: &Changes) {
    for (i, value) in changes {
        if let Some(slot) = values.get_mut(*i) {
            slot.clone_from(value);
        }
    }
}

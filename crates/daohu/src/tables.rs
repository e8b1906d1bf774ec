//! Reports as people read them: what programs get as JSON, in lines and columns, in one language.

use daohu_app::{Lang, sheet::Sheet};
use daohu_policy::Policy;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::output::{Failure, NONE, aligned, line};

/// A column: where its cells are in a row's object (`area/households`), and its head in both languages.
pub(crate) type Column = (&'static str, &'static str, &'static str);

/// A report as the object that programs get.
pub(crate) fn object(report: &impl Serialize) -> Result<Json, Failure> {
    Ok(serde_json::to_value(report).map_err(std::io::Error::other)?)
}

/// The value at a place of an object; null where there is none.
pub(crate) fn at<'j>(json: &'j Json, place: &str) -> &'j Json {
    json.pointer(&format!("/{place}")).unwrap_or(&Json::Null)
}

/// A value as a cell of a table.
pub(crate) fn cell(json: &Json) -> String {
    match json {
        Json::Null => NONE.to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(parts) => parts.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A share as a percentage of two places.
pub(crate) fn percent(share: &Json) -> String {
    share.as_f64().map_or_else(|| NONE.to_owned(), |share| format!("{:.2}%", share * 100.0))
}

/// Rows of objects as a table; `score` is a share.
pub(crate) fn print_table(rows: &Json, columns: &[Column], lang: Lang) -> Result<(), Failure> {
    let head = columns.iter().map(|(_, zh, en)| lang.pick(zh, en).to_owned()).collect();
    let row = |row: &Json| {
        let cells = columns.iter().map(|(place, ..)| match *place {
            "score" => percent(at(row, place)),
            place => cell(at(row, place)),
        });
        cells.collect::<Vec<_>>()
    };
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    print_rows(std::iter::once(head).chain(rows.iter().map(row)).collect())
}

/// Rows below a head.
pub(crate) fn print_rows(rows: Vec<Vec<String>>) -> Result<(), Failure> {
    aligned(&rows).into_iter().try_for_each(line)
}

/// What is known of a record: each column's title and value, in the order of the form.
pub(crate) fn known(
    sheet: &Sheet,
    record: &Map<String, Json>,
    policy: &Policy,
    lang: Lang,
) -> Vec<(String, String)> {
    let columns = sheet.columns.iter().filter_map(|column| {
        let json = record.get(column.name)?;
        let value = daohu_app::sheet::in_words(column, json, policy, lang)?;
        // Amounts are told in yuan.
        let name = column.name.strip_suffix("_fen").unwrap_or(column.name);
        Some((lang.pick(column.header, name).to_owned(), value))
    });
    columns.filter(|(_, value)| !value.is_empty()).collect()
}

//! Records as JSON: for the API (numbers masked, codes as two digits) and for the journal.

use std::fmt::Write;

use daohu_db::Value;
use serde_json::{Map, Value as Json};
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};

use super::{Column, Kind, Layout, Masking, Record, Sheet, print::masked};

/// The API's object of a record: every column, unknown ones null.
pub fn to_json(sheet: &Sheet, values: &[Value], masking: Masking) -> Map<String, Json> {
    let field = |(column, value): (&Column, &Value)| {
        (column.name.to_owned(), json_value(column.kind, value, masking))
    };
    sheet.columns.iter().zip(values).map(field).collect()
}

fn json_value(kind: Kind, value: &Value, masking: Masking) -> Json {
    match (kind, value) {
        (_, Value::Null | Value::Blob(_)) => Json::Null,
        (Kind::Flag, Value::Int(flag)) => Json::Bool(*flag != 0),
        (Kind::Code(_), Value::Int(code)) => Json::String(format!("{code:02}")),
        (Kind::Codes(..), Value::Text(codes)) => codes.split(' ').map(Json::from).collect(),
        (Kind::Secret(secret), Value::Text(number)) if masking == Masking::Masked => {
            Json::String(masked(secret, number))
        }
        (_, Value::Int(number)) => Json::from(*number),
        (_, Value::Real(number)) => Json::from(*number),
        (_, Value::Text(text)) => Json::from(text.as_str()),
    }
}

/// The value that a field of a request stands for; the error says what was expected.
/// Texts are as in a cell, so the caller reads them with a [`super::Reader`].
pub fn from_json(column: &Column, json: &Json) -> Option<String> {
    match (column.kind, json) {
        (_, Json::Null) => Some(String::new()),
        (Kind::Flag, Json::Bool(flag)) => Some(if *flag { "true" } else { "false" }.to_owned()),
        (Kind::Yuan, Json::Number(fen)) => fen.as_i64().map(|fen| daohu_base::Fen(fen).to_string()),
        (Kind::Codes(..), Json::Array(codes)) => {
            let codes: Option<Vec<&str>> = codes.iter().map(Json::as_str).collect();
            codes.map(|codes| codes.join("、"))
        }
        // JSON may write 0.0000001 as 1e-7, which is not what people type into cells.
        (Kind::Quantity(..), Json::Number(number)) => number.as_f64().map(|n| n.to_string()),
        (Kind::Count(_) | Kind::Year, Json::Number(number)) => Some(number.to_string()),
        (Kind::Quantity(..) | Kind::Count(_) | Kind::Year | Kind::Flag | Kind::Yuan, _) => None,
        (_, Json::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The journal's object of a stored row: its key columns and what it knows, in a fixed order,
/// numbers in full (the journal is encrypted). Equal rows give equal texts.
pub fn to_journal(layout: &Layout, record: &Record) -> String {
    let lead = layout.lead_names().zip(&record.lead);
    let own = layout.own_columns().filter_map(|i| {
        let column = layout.sheet.columns.get(i)?;
        Some((column.name, record.values.get(i)?))
    });
    object(lead.chain(own))
}

/// The journal's object of some columns of a row: what an update replaced.
pub fn journal_of(layout: &Layout, values: &[Value], columns: &[usize]) -> String {
    object(columns.iter().filter_map(|i| {
        let column = layout.sheet.columns.get(*i)?;
        Some((column.name, values.get(*i)?))
    }))
}

fn object<'a>(fields: impl Iterator<Item = (&'static str, &'a Value)>) -> String {
    let mut out = String::with_capacity(512);
    out.push('{');
    for (name, value) in fields {
        if value.is_null() {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        match value {
            Value::Null | Value::Blob(_) => out.push_str("null"),
            Value::Int(number) => out.push_str(itoa::Buffer::new().format(*number)),
            // Writing to a String cannot fail.
            Value::Real(number) => drop(write!(out, "{number}")),
            Value::Text(text) => quoted(text, &mut out),
        }
    }
    out.push('}');
    out
}

/// Appends a JSON string.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c < ' ' => drop(write!(out, "\\u{:04x}", u32::from(c))),
                c => out.push(c),
            }
        }
    }
    out.push('"');
}

/// A journal's object of a row as the API shows it: numbers masked, codes as two digits. What is no
/// column of the sheet stays as it is.
pub(crate) fn shown_journal(sheet: &Sheet, object: Map<String, Json>) -> Map<String, Json> {
    let shown = |(name, json): (String, Json)| {
        let column = sheet.columns.iter().find(|column| column.name == name);
        let json = match (column, &json) {
            (Some(column), Json::String(text)) => {
                json_value(column.kind, &text.as_str().into(), Masking::Masked)
            }
            (Some(column), Json::Number(number)) => match number.as_i64() {
                Some(number) => json_value(column.kind, &number.into(), Masking::Masked),
                None => json,
            },
            _ => json,
        };
        (name, json)
    };
    object.into_iter().map(shown).collect()
}

/// The OpenAPI schema of a record's fields.
pub fn schema(sheet: &Sheet) -> ObjectBuilder {
    sheet
        .columns
        .iter()
        .fold(ObjectBuilder::new(), |object, column| object.property(column.name, property(column)))
}

fn property(column: &Column) -> Schema {
    let doc = format!("{}. {}", column.header, column.doc);
    let nullable = |one: Type| match column.required {
        true => SchemaType::Type(one),
        false => SchemaType::Array(vec![one, Type::Null]),
    };
    let object = |one: Type| ObjectBuilder::new().schema_type(nullable(one));
    let known = |format: KnownFormat| Some(SchemaFormat::KnownFormat(format));
    let code = || object(Type::String).pattern(Some("^[0-9]{2}$"));
    match column.kind {
        Kind::Flag => object(Type::Boolean),
        Kind::Code(_) => code(),
        Kind::Codes(..) => {
            let items = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]{2}$"));
            let array = ArrayBuilder::new().items(items).schema_type(nullable(Type::Array));
            return array.description(Some(doc)).build().into();
        }
        Kind::Yuan | Kind::Count(_) | Kind::Year => {
            object(Type::Integer).format(known(KnownFormat::Int64))
        }
        Kind::Quantity(..) => object(Type::Number).format(known(KnownFormat::Double)),
        Kind::Day => object(Type::String).format(known(KnownFormat::Date)),
        Kind::Text(_)
        | Kind::Key
        | Kind::Area(_)
        | Kind::Group
        | Kind::Period
        | Kind::Secret(_) => object(Type::String),
    }
    .description(Some(doc))
    .build()
    .into()
}
/// The columns in which two records differ.
pub(crate) fn differing(before: &[Value], after: &[Value]) -> Vec<usize> {
    let pairs = before.iter().zip(after).enumerate();
    pairs.filter(|(_, (before, after))| before != after).map(|(i, _)| i).collect()
}

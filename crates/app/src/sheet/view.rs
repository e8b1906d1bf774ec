//! A stored record as the API shows it: key columns, the sheet's columns and the standard columns in
//! one flat object, numbers masked; and what OpenAPI says of it.

use daohu_base::Timestamp;
use daohu_db::Value;
use serde_json::{Map, Value as Json};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};

use super::{Layout, Masking, Record, Sheet, schema, to_json};

/// The object of a record.
pub(crate) fn object(layout: &Layout, record: &Record) -> Map<String, Json> {
    let mut object = to_json(layout.sheet, &record.values, Masking::Masked);
    for (name, value) in layout.lead_names().zip(&record.lead) {
        let json = match value {
            Value::Int(number) => Json::from(*number),
            Value::Text(text) => Json::from(text.as_str()),
            _ => Json::Null,
        };
        object.insert(name.to_owned(), json);
    }
    let meta = &record.meta;
    let at = |ms: i64| Json::from(Timestamp(ms).to_string());
    object.insert("created_at".to_owned(), at(meta.created_at));
    object.insert("created_by".to_owned(), meta.created_by.as_str().into());
    object.insert("updated_at".to_owned(), at(meta.updated_at));
    object.insert("version".to_owned(), meta.version.into());
    object
}

/// A whole number.
pub(crate) fn integer() -> Object {
    let int64 = SchemaFormat::KnownFormat(KnownFormat::Int64);
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(int64)).build()
}

/// A whole number, or nothing.
pub(crate) fn integer_if_any() -> Object {
    let mut schema = integer();
    schema.schema_type = SchemaType::Array(vec![Type::Integer, Type::Null]);
    schema
}

/// A text.
pub(crate) fn text() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}

fn instant() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build()
}

/// The sheet's fields without those that stand elsewhere; none is required in a change.
pub(crate) fn change_of(sheet: &Sheet, without: &[&str]) -> ObjectBuilder {
    let Object { properties, .. } = schema(sheet).build();
    let fields = properties.into_iter().filter(|(name, _)| !without.contains(&name.as_str()));
    fields.fold(ObjectBuilder::new(), |object, (name, field)| object.property(name, field))
}

/// The sheet's fields, as a new record has them.
pub(crate) fn new_of(sheet: &Sheet) -> ObjectBuilder {
    let required = sheet.columns.iter().filter(|column| column.required);
    required.fold(schema(sheet), |object, column| object.required(column.name))
}

/// The schema of what [`object`] gives, without the key columns after the county.
pub(crate) fn framed(sheet: &Sheet) -> ObjectBuilder {
    schema(sheet)
        .property("county", text())
        .property("created_at", instant())
        .property("created_by", text())
        .property("updated_at", instant())
        .property("version", integer())
}

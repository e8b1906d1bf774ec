//! Records as the API shows them: key columns, the sheet's columns and the standard columns in one
//! flat object, numbers masked.

use std::borrow::Cow;

use daohu_base::Timestamp;
use daohu_db::Value;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

use super::model::{HouseholdRow, IncomeRow, PersonRow, layouts};
use crate::sheet::{HOUSEHOLDS, INCOMES, Layout, Masking, PERSONS, Record, Sheet, schema, to_json};

/// A household.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HouseholdView(pub(crate) Map<String, Json>);
/// A person with the membership in force, or the last one.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PersonView(pub(crate) Map<String, Json>);
/// A household's income of one year.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct IncomeView(pub(crate) Map<String, Json>);

impl From<&HouseholdRow> for HouseholdView {
    fn from(row: &HouseholdRow) -> Self {
        Self(object(&layouts::HOUSEHOLD, &row.0))
    }
}

impl PersonView {
    /// The person as a member of the household with this number.
    pub(crate) fn of(row: &PersonRow, household_no: &str) -> Self {
        let mut object = object(&layouts::PERSON, &row.0);
        object.insert("household_no".to_owned(), household_no.into());
        object.insert("is_current".to_owned(), row.is_current().into());
        Self(object)
    }
}

impl IncomeView {
    /// The income of the household with this number.
    pub(crate) fn of(row: &IncomeRow, household_no: &str) -> Self {
        let mut object = object(&layouts::INCOME, &row.0);
        object.insert("household_no".to_owned(), household_no.into());
        Self(object)
    }
}

fn object(layout: &Layout, record: &Record) -> Map<String, Json> {
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

fn integer() -> Object {
    let int64 = SchemaFormat::KnownFormat(KnownFormat::Int64);
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(int64)).build()
}

fn text() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}

fn instant() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build()
}

fn framed(sheet: &Sheet) -> ObjectBuilder {
    schema(sheet)
        .property("county", text())
        .property("created_at", instant())
        .property("created_by", text())
        .property("updated_at", instant())
        .property("version", integer())
}

impl PartialSchema for HouseholdView {
    fn schema() -> RefOr<Schema> {
        framed(&HOUSEHOLDS).property("id", integer()).into()
    }
}

impl PartialSchema for PersonView {
    fn schema() -> RefOr<Schema> {
        let flag = ObjectBuilder::new().schema_type(Type::Boolean);
        framed(&PERSONS)
            .property("id", integer())
            .property("household", integer())
            .property("village", text())
            .property("is_current", flag)
            .into()
    }
}

impl PartialSchema for IncomeView {
    fn schema() -> RefOr<Schema> {
        framed(&INCOMES).property("household", integer()).into()
    }
}

impl ToSchema for HouseholdView {
    fn name() -> Cow<'static, str> {
        "HouseholdView".into()
    }
}

impl ToSchema for PersonView {
    fn name() -> Cow<'static, str> {
        "PersonView".into()
    }
}

impl ToSchema for IncomeView {
    fn name() -> Cow<'static, str> {
        "IncomeView".into()
    }
}

/// What may be changed of a household.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct ChangeHousehold(pub(crate) Map<String, Json>);
/// What may be changed of a person.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct ChangePerson(pub(crate) Map<String, Json>);
/// The income of a year: what is absent is not known.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct PutIncome(pub(crate) Map<String, Json>);

/// The sheet's fields without those that stand elsewhere; none is required in a change.
fn change_of(sheet: &Sheet, without: &[&str]) -> RefOr<Schema> {
    let Object { properties, .. } = schema(sheet).build();
    let fields = properties.into_iter().filter(|(name, _)| !without.contains(&name.as_str()));
    fields.fold(ObjectBuilder::new(), |object, (name, field)| object.property(name, field)).into()
}

impl PartialSchema for ChangeHousehold {
    fn schema() -> RefOr<Schema> {
        change_of(&HOUSEHOLDS, &[])
    }
}

impl PartialSchema for ChangePerson {
    fn schema() -> RefOr<Schema> {
        change_of(&PERSONS, &["household_no"])
    }
}

impl PartialSchema for PutIncome {
    fn schema() -> RefOr<Schema> {
        change_of(&INCOMES, &["household_no", "year"])
    }
}

impl ToSchema for ChangeHousehold {
    fn name() -> Cow<'static, str> {
        "ChangeHousehold".into()
    }
}

impl ToSchema for ChangePerson {
    fn name() -> Cow<'static, str> {
        "ChangePerson".into()
    }
}

impl ToSchema for PutIncome {
    fn name() -> Cow<'static, str> {
        "PutIncome".into()
    }
}

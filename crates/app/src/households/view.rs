//! Records as the API shows them: key columns, the sheet's columns and the standard columns in one
//! flat object, numbers masked.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, SchemaType, Type},
    },
};

use super::model::{HouseholdRow, IncomeRow, PersonRow, layouts};
use crate::sheet::{HOUSEHOLDS, INCOMES, PERSONS, change_of, framed, integer, object, text};

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
        object.insert("merged_into".to_owned(), row.merged_into().into());
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

impl PartialSchema for HouseholdView {
    fn schema() -> RefOr<Schema> {
        framed(&HOUSEHOLDS).property("id", integer()).into()
    }
}

impl PartialSchema for PersonView {
    fn schema() -> RefOr<Schema> {
        let flag = ObjectBuilder::new().schema_type(Type::Boolean);
        let optional = SchemaType::Array(vec![Type::Integer, Type::Null]);
        let merged_into = ObjectBuilder::new()
            .schema_type(optional)
            .format(integer().format)
            .description(Some("The record of the same person that stays, if this one was merged."));
        framed(&PERSONS)
            .property("id", integer())
            .property("household", integer())
            .property("village", text())
            .property("is_current", flag)
            .property("merged_into", merged_into)
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

impl PartialSchema for ChangeHousehold {
    fn schema() -> RefOr<Schema> {
        change_of(&HOUSEHOLDS, &[]).into()
    }
}

impl PartialSchema for ChangePerson {
    fn schema() -> RefOr<Schema> {
        change_of(&PERSONS, &["household_no"]).into()
    }
}

impl PartialSchema for PutIncome {
    fn schema() -> RefOr<Schema> {
        change_of(&INCOMES, &["household_no", "year"]).into()
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

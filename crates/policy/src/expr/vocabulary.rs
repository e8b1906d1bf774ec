//! The fields that expressions may name.

use schemars::JsonSchema;
use serde::Deserialize;

use super::tree::{FieldRef, Level};

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// 是 or 否.
    Flag,
    /// One value of the code list of this name.
    Code(String),
    /// Several values of the code list of this name.
    Codes(String),
    /// A number.
    Number(Unit),
    /// A calendar day.
    Day,
    /// A text, of which expressions may ask only whether it is known.
    Text,
}

/// What a number counts: numbers of different units are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Yuan in expressions, fen where it is stored.
    Yuan,
    /// Persons, months: what can be counted.
    Plain,
    /// 亩, square metres: what can be measured, as the field's name says.
    Quantity,
    /// A calendar year.
    Year,
    /// Completed years of life.
    Age,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// As expressions name it.
    pub name: String,
    /// As people know it.
    pub title: String,
    /// What it holds.
    pub kind: FieldKind,
}

/// The fields of a household and of its members, each at its place.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Of the household, with what is derived of it.
    pub household: Vec<Field>,
    /// Of each member.
    pub member: Vec<Field>,
}

impl Vocabulary {
    /// The fields of a level.
    pub fn of(&self, level: Level) -> &[Field] {
        match level {
            Level::Household => &self.household,
            Level::Member => &self.member,
        }
    }

    /// A field that a checked expression names.
    pub fn field(&self, field: FieldRef) -> Option<&Field> {
        self.of(field.level).get(field.place)
    }

    /// The field of this name.
    pub(super) fn find(&self, level: Level, name: &str) -> Option<(FieldRef, &Field)> {
        let found = self.of(level).iter().enumerate().find(|(_, field)| field.name == name);
        found.map(|(place, field)| (FieldRef { level, place }, field))
    }

    /// The name that was probably meant.
    pub(super) fn nearest(&self, level: Level, name: &str) -> Option<&str> {
        let names = self.of(level).iter().map(|field| field.name.as_str());
        let distances = names.map(|known| (strsim::damerau_levenshtein(known, name), known));
        // Half of the letters at most are others.
        distances.filter(|(letters, _)| letters * 2 <= name.len()).min().map(|(_, known)| known)
    }
}

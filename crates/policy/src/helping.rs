//! Who helps: how much one cadre answers for, and who every poor village must have.

use schemars::JsonSchema;
use serde::Deserialize;

/// Figures that coverage is judged by.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct Helping {
    pub source: String,
    pub households_per_cadre_max: i64,
    pub persons_per_village_min: i64,
    pub persons_source: String,
}

/// Somebody whom every poor village must have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VillageRole {
    /// The identifier that reports use.
    pub name: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// What it is.
    pub by: Helper,
    /// Marks of 干部角色, one of which the cadre bears; any cadre, where there are none.
    pub roles: Vec<String>,
    /// Where a cadre is bound to.
    pub at: Vec<Bond>,
    /// Where it comes from.
    pub source: String,
}

/// What helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as the list 主体类型 has them")]
pub enum Helper {
    Cadre,
    Organisation,
    Team,
}

/// How a helper belongs to a village.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bond {
    /// A pairing with the village.
    Village,
    /// A pairing with its township.
    Township,
    /// A pairing with a household there.
    Household,
    /// As a member of its team.
    Team,
}

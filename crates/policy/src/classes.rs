//! Classes that poor households are helped by.

use schemars::JsonSchema;
use serde::Deserialize;

/// A class of households: all conditions that are given must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HouseholdClass {
    /// The identifier that reports use.
    pub name: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// One of its causes of poverty bears one of these marks.
    #[serde(default)]
    pub causes: Vec<String>,
    /// Farmland and forest together, at least.
    pub land_mu_min: Option<f64>,
    /// Members who are able to work, at least.
    pub able_members_min: Option<usize>,
    /// Members who are able to work, at most.
    pub able_members_max: Option<usize>,
    /// Whether it has a line of production, or a member with work.
    pub is_occupied: Option<bool>,
    /// Where it comes from.
    pub source: String,
}

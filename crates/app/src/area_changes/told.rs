//! What a change did, or would do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::FollowedGrant;

/// What a change of areas did, or would do.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = AreaChangeTold)]
pub struct Told {
    /// Of the change; none if nothing was stored.
    pub id: Option<String>,
    /// False if it was only tried.
    pub committed: bool,
    /// The codes that ended, with their names.
    pub ended: BTreeMap<String, String>,
    /// The codes that began, with their names.
    pub begun: BTreeMap<String, String>,
    /// The codes that go on under another name, with the new one.
    pub renamed: BTreeMap<String, String>,
    /// Households that lie in another village now.
    pub households: u64,
    /// Persons who belong, or belonged last, to them.
    pub persons: u64,
    /// Records of who helps that were ended and begun anew.
    pub helpers: u64,
    /// Organisations and cadres whose area has another code.
    pub offices: u64,
    /// Grants in areas that ended.
    pub grants: Vec<FollowedGrant>,
    /// What is to be done besides.
    #[serde(default)]
    pub notes: Vec<AreaNote>,
}

/// What a change leaves to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AreaNote {
    /// `area_change.population_unknown`
    pub code: String,
    /// The areas that it is about.
    pub areas: Vec<String>,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl AreaNote {
    /// Of areas that were made of parts, or that lost or gained parts: whose share of the population nobody told.
    pub(super) fn population_unknown(areas: Vec<String>) -> Self {
        Self {
            code: "area_change.population_unknown".to_owned(),
            areas,
            zh: "这些区划的乡村人口未知，算不出贫困发生率：请导入行政区划表，填写乡村人口".to_owned(),
            en: "the rural population of these areas is not known, and no incidence can be computed: import \
                 the sheet of areas with it"
                .to_owned(),
        }
    }
}

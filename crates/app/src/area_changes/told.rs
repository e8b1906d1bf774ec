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
}

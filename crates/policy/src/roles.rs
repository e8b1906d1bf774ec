//! Roles: which rights an office gives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A right that an endpoint asks for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Right {
    /// See households, persons and incomes, numbers masked.
    #[serde(rename = "registry.read")]
    RegistryRead,
    /// Change single records.
    #[serde(rename = "registry.write")]
    RegistryWrite,
    /// Import spreadsheets. A villagers' group that a household names and the village has not is made.
    #[serde(rename = "registry.import")]
    RegistryImport,
    /// Change the tree of areas beyond such groups: import a sheet of areas.
    #[serde(rename = "areas.write")]
    AreasWrite,
    /// Export what is shown, numbers masked.
    #[serde(rename = "registry.export")]
    RegistryExport,
    /// See a full ID, phone or bank number, for a stated reason.
    #[serde(rename = "registry.reveal")]
    RegistryReveal,
    /// See accounts and grants.
    #[serde(rename = "accounts.read")]
    AccountsRead,
    /// Create, lock and reset accounts.
    #[serde(rename = "accounts.manage")]
    AccountsManage,
    /// Give and take roles.
    #[serde(rename = "grants.manage")]
    GrantsManage,
    /// Take the second factor from a user who lost it.
    #[serde(rename = "second_factors.reset")]
    SecondFactorsReset,
    /// Read the journal and verify it.
    #[serde(rename = "journal.read")]
    JournalRead,
    /// See who looked at which household.
    #[serde(rename = "accesses.read")]
    AccessesRead,
    /// Publish policy packs, for areas that lie inside.
    #[serde(rename = "policies.publish")]
    PoliciesPublish,
    /// See the state of the system.
    #[serde(rename = "system.read")]
    SystemRead,
}

/// A role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The identifier that grants name.
    pub name: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// True if nobody may hold it beside another role.
    #[serde(default)]
    pub exclusive: bool,
    /// True if whoever holds it signs in with a second factor.
    #[serde(default)]
    pub needs_second_factor: bool,
    /// What it allows.
    pub rights: Vec<Right>,
    /// Where it comes from.
    #[serde(default)]
    pub source: Option<String>,
}

impl Role {
    /// True if the role gives the right.
    pub fn allows(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }
}

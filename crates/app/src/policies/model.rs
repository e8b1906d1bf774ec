//! Packs and their publications. Pure.

use daohu_policy::{BadPack, Files, Policy};
use serde::Serialize;

use crate::{Error, FieldError, monitoring, registers};

/// What the program carries, as a publication.
pub(super) const SHIPPED: &str = "shipped";
/// The longest name of a pack.
const NAME_MAX: usize = 64;

/// Files under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// As publications name it.
    pub name: String,
    /// Names and texts, in the order in which they are read.
    pub files: Vec<(String, String)>,
}

/// A pack as it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Publication {
    /// In the order of publication.
    pub id: i64,
    /// The pack's name.
    pub pack: String,
    /// JSON: pairs of name and text; none of a pack that was withdrawn.
    pub files: String,
    /// Of the whole policy after it.
    pub version: String,
    /// Why, as whoever published it wrote.
    pub note: String,
    /// In milliseconds since 1970.
    pub published_at: i64,
    /// Who.
    pub published_by: String,
}

impl Publication {
    /// Its files; none of a pack that was withdrawn.
    pub fn files(&self) -> Vec<(String, String)> {
        serde_json::from_str(&self.files).unwrap_or_default()
    }

    /// The pack with its files; none of one that was withdrawn.
    pub(super) fn pack(&self) -> Result<Option<Pack>, BadPack> {
        let files: Vec<(String, String)> = serde_json::from_str(&self.files)
            .map_err(|error| BadPack { file: self.pack.clone(), reason: error.to_string() })?;
        Ok((!files.is_empty()).then(|| Pack { name: self.pack.clone(), files }))
    }
}

impl Pack {
    /// The files as they are stored.
    pub(super) fn stored(&self) -> String {
        serde_json::json!(self.files).to_string()
    }

    fn texts(&self) -> Files<'_> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
    }

    /// Refuses a name that cannot be one.
    pub(super) fn check_name(&self) -> Result<(), Error> {
        let is_legal = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let length = self.name.chars().count();
        if self.name == SHIPPED
            || length == 0
            || length > NAME_MAX
            || !self.name.chars().all(is_legal)
        {
            return Err(Error::Invalid(vec![FieldError {
                column: "pack".to_owned(),
                code: "policy.bad_name",
                ..FieldError::default()
            }]));
        }
        Ok(())
    }
}

/// The policy that these packs come to over what the program carries, as far as it can be read.
pub fn read(packs: &[Pack]) -> Result<Policy, Vec<BadPack>> {
    let texts: Vec<Files<'_>> = packs.iter().map(Pack::texts).collect();
    Policy::embedded_under(&texts).map_err(|bad| vec![bad])
}

/// All that is wrong with a policy that can be read: it asks for what there is not.
pub fn faults(policy: &Policy) -> Vec<BadPack> {
    let mut found = monitoring::check(policy);
    found.extend(registers::check_policy(policy).err());
    found
}

/// As [`read`], if nothing is wrong with it; otherwise all that is.
pub(super) fn check(packs: &[Pack]) -> Result<Policy, Vec<BadPack>> {
    let policy = read(packs)?;
    let found = faults(&policy);
    if found.is_empty() { Ok(policy) } else { Err(found) }
}

/// What the program carries, as it is stored.
pub(super) fn shipped() -> Pack {
    let files = Policy::shipped().iter().map(|(name, text)| ((*name).into(), (*text).into()));
    Pack { name: SHIPPED.to_owned(), files: files.collect() }
}

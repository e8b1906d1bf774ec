//! What an access is, and which of them are one.

use std::net::IpAddr;

use daohu_base::{Actor, AreaCode, Timestamp};
use sha2::{Digest, Sha256};

/// What was looked at.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// The household's record.
    Household,
    /// Everything about it, on whatever day.
    Dossier,
    /// Its members.
    Members,
    /// Its yearly incomes.
    Incomes,
    /// Who changed it.
    Journal,
    /// Where its facts come from.
    Sources,
    /// Who looked at it.
    Accesses,
    /// A member's record.
    Person,
    /// The households that a member belonged to.
    Memberships,
    /// The household's numbers, or a member's, in full.
    Numbers,
    /// An export of the area that it lies in.
    Export,
}

impl What {
    /// As stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Dossier => "dossier",
            Self::Members => "members",
            Self::Incomes => "incomes",
            Self::Journal => "journal",
            Self::Sources => "sources",
            Self::Accesses => "accesses",
            Self::Person => "person",
            Self::Memberships => "memberships",
            Self::Numbers => "numbers",
            Self::Export => "export",
        }
    }
}

/// Who looks, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Who, under which grants.
    pub(crate) actor: Actor,
    /// None for what the server does without a caller.
    pub(crate) address: Option<IpAddr>,
    /// When.
    pub(crate) at: Timestamp,
}

/// Whose record it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// Under which the household is stored.
    pub(crate) county: &'a str,
    /// The household's id.
    pub(crate) household: i64,
    /// The member, if it was one's record.
    pub(crate) person: Option<i64>,
}

impl<'a> Seen<'a> {
    /// A household's.
    pub(crate) const fn household(county: &'a str, household: i64) -> Self {
        Self { county, household, person: None }
    }

    /// A member's.
    pub(crate) const fn person(county: &'a str, household: i64, person: i64) -> Self {
        Self { county, household, person: Some(person) }
    }
}

/// Accesses of one period, by one user, of one thing: a row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(super) county: String,
    /// 0 for all households of an area.
    pub(super) household: i64,
    pub(super) mark: i64,
    pub(super) at: i64,
    pub(super) last_at: i64,
    pub(super) times: i64,
    pub(super) actor: String,
    pub(super) authority: String,
    pub(super) what: String,
    pub(super) person: Option<i64>,
    pub(super) area: Option<String>,
    pub(super) address: Option<String>,
}

impl Access {
    /// A look at a household.
    pub(crate) fn of(visitor: &Visitor, what: What, seen: Seen<'_>, repeat_ms: i64) -> Self {
        let Seen { county, household, person } = seen;
        Self::new(visitor, what, (county, household), (person, None), repeat_ms)
    }

    /// An export of all households of an area: each is one by itself.
    pub(crate) fn export(visitor: &Visitor, area: &AreaCode) -> Self {
        let about = (None, Some(area.to_string()));
        Self::new(visitor, What::Export, (&area.county(), 0), about, 1)
    }

    fn new(
        visitor: &Visitor,
        what: What,
        (county, household): (&str, i64),
        (person, area): (Option<i64>, Option<String>),
        repeat_ms: i64,
    ) -> Self {
        let Visitor { actor, address, at } = visitor;
        let mut access = Self {
            county: county.to_owned(),
            household,
            mark: 0,
            at: at.0,
            last_at: at.0,
            times: 1,
            actor: actor.name.clone(),
            authority: actor.authority.clone(),
            what: what.as_str().to_owned(),
            person,
            area,
            address: address.map(|address| address.to_string()),
        };
        access.mark = access.hash(at.0.div_euclid(repeat_ms.max(1)));
        access
    }

    /// What tells rows apart: all that is not counted.
    fn hash(&self, period: i64) -> i64 {
        let mut hash = Sha256::new();
        for number in [period, self.household, self.person.unwrap_or_default()] {
            hash.update(number.to_be_bytes());
        }
        let [area, address] = [&self.area, &self.address].map(|text| text.as_deref().unwrap_or(""));
        for text in [&self.county, &*self.actor, &self.authority, &self.what, area, address] {
            // Lengths stand before the texts: no two lists of them give the same stream.
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        let bytes: [u8; 8] = hash.finalize().first_chunk().copied().unwrap_or_default();
        i64::from_be_bytes(bytes)
    }

    /// Names the row.
    pub(super) fn key(&self) -> (String, i64, i64) {
        (self.county.clone(), self.household, self.mark)
    }

    /// Counts another row of the same key.
    pub(super) fn add(&mut self, other: &Self) {
        self.times = self.times.saturating_add(other.times);
        self.at = self.at.min(other.at);
        self.last_at = self.last_at.max(other.last_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(at: i64) -> Visitor {
        let actor = Actor { name: "li.na".into(), authority: "cadre@990101".into() };
        Visitor { actor, address: Some(IpAddr::from([198, 51, 100, 7])), at: Timestamp(at) }
    }

    #[test]
    fn a_repeat_is_one_with_the_first_and_what_differs_is_not() {
        const PERIOD: i64 = 600_000;
        let seen = Seen { county: "990101", household: 7, person: None };
        let of = |visitor: &Visitor, what, seen| Access::of(visitor, what, seen, PERIOD);
        let first = of(&visitor(PERIOD), What::Dossier, seen);
        let mut again = of(&visitor(2 * PERIOD - 1), What::Dossier, seen);
        assert_eq!(first.key(), again.key());
        again.add(&first);
        assert_eq!((again.at, again.last_at, again.times), (PERIOD, 2 * PERIOD - 1, 2));

        let mut elsewhere = visitor(PERIOD);
        elsewhere.address = None;
        let mut other_grant = visitor(PERIOD);
        other_grant.actor.authority.push('1');
        let mut other_user = visitor(PERIOD);
        other_user.actor.name.push('1');
        for other in [
            of(&visitor(2 * PERIOD), What::Dossier, seen),
            of(&elsewhere, What::Dossier, seen),
            of(&other_grant, What::Dossier, seen),
            of(&other_user, What::Dossier, seen),
            of(&visitor(PERIOD), What::Household, seen),
            of(&visitor(PERIOD), What::Dossier, Seen { household: 8, ..seen }),
            of(&visitor(PERIOD), What::Dossier, Seen { person: Some(8), ..seen }),
            of(&visitor(PERIOD), What::Dossier, Seen { county: "990102", ..seen }),
        ] {
            assert_ne!(other.mark, first.mark, "{other:?}");
        }
    }
}

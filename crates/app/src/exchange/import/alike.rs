//! Probable duplicates (R32): persons of other households of the township whose names sound alike and who
//! were born on the same day.
//!
//! What the store has is found by an index entry for each row, however large the registry. Rows of one
//! import are not stored yet: those that have something in common are noted before any is decided.

use std::collections::{HashMap, HashSet};

use daohu_base::AreaLevel;
use daohu_db::{Tx, Value};

use super::{
    decide::{Decided, Decider, Home, Member},
    group::{Existing, Group, village_of},
};
use crate::{
    Error,
    exchange::{
        outcome::{Note, Outcome},
        spill::Sorted,
    },
    households::{
        Derived, Marks, alike,
        rows::{self, Alike},
    },
    keys::Keys,
    sheet::{PERSONS, person},
};

/// A row of this import that may be another's duplicate.
struct Candidate {
    township: String,
    household_no: String,
    identity: Option<[u8; 16]>,
}

/// Rows of this import that have something in common with another household's, by that.
#[derive(Default)]
pub(super) struct Candidates(HashMap<i64, Vec<Candidate>>);

/// What several 户编号 have in common, and they.
pub(super) fn repeated(alikes: &mut Sorted) -> Result<(Candidates, HashSet<String>), Error> {
    let mut candidates = Candidates::default();
    let mut homes = HashSet::new();
    let mut last: Option<([u8; 8], String)> = None;
    while let Some((key, no)) = alikes.next()? {
        let Some(alike) = key.first_chunk::<8>().copied() else { continue };
        let no = String::from_utf8_lossy(&no).into_owned();
        if let Some((before, before_no)) = last.take()
            && before == alike
            && before_no != no
        {
            candidates.0.entry(i64::from_be_bytes(alike)).or_default();
            homes.extend([before_no, no.clone()]);
        }
        last = Some((alike, no));
    }
    Ok((candidates, homes))
}

impl Candidates {
    /// Notes the rows of a group that have something in common with others.
    pub(super) fn note(
        &mut self,
        group: &Group,
        existing: &Existing,
        (marks, keys): (Marks<'_>, &Keys),
    ) {
        let new = group.households.iter().filter(|row| !row.is_dead).filter_map(village_of);
        let mut villages = new.map(|village| village.to_string());
        let mut stored = existing.households.get(&group.no).into_iter().flatten();
        let village = villages.next().or_else(|| stored.next().map(|row| row.village().to_owned()));
        let Some(township) = village.as_deref().and_then(township_of) else { return };
        for row in group.persons.iter().filter(|row| !row.is_dead) {
            let Some(noted) = alike(&row.values).and_then(|alike| self.0.get_mut(&alike)) else {
                continue;
            };
            let derived = Derived::of(marks, keys, &row.values);
            if derived.is_current {
                let (township, household_no) = (township.to_owned(), group.no.clone());
                noted.push(Candidate { township, household_no, identity: derived.identity });
            }
        }
    }
}

fn township_of(village: &str) -> Option<&str> {
    village.get(..AreaLevel::Township.digits())
}

/// Those in the store who are alike persons of these groups, by county and what they have in common.
pub(super) async fn load(
    tx: &mut Tx,
    groups: &[Group],
    existing: &Existing,
) -> Result<HashMap<(String, i64), Vec<Alike>>, Error> {
    let mut wanted: HashMap<String, HashSet<i64>> = HashMap::new();
    for group in groups {
        let new = group.households.iter().filter_map(village_of).map(|village| village.county());
        let stored = existing.households.get(&group.no).into_iter().flatten();
        let counties: HashSet<String> =
            new.chain(stored.map(|row| row.county().to_owned())).collect();
        let persons = group.persons.iter().filter(|row| !row.is_dead);
        let alikes: Vec<i64> = persons.filter_map(|row| alike(&row.values)).collect();
        for county in counties {
            wanted.entry(county).or_default().extend(&alikes);
        }
    }
    let mut found: HashMap<(String, i64), Vec<Alike>> = HashMap::new();
    for (county, alikes) in wanted {
        for alike in rows::with_alike(tx, &county, alikes).await? {
            found.entry((county.clone(), alike.alike)).or_default().push(alike);
        }
    }
    Ok(found)
}

impl Decider<'_> {
    /// Suspects the rows of a household that made or changed a person who is alike another's.
    pub(super) fn suspect(
        &self,
        existing: &Existing,
        home: &Home,
        members: &[Member],
        decided: &mut [Decided],
    ) {
        for member in members.iter().filter(|member| member.is_current) {
            let Some(decided) = member.decided.and_then(|row| decided.get_mut(row)) else {
                continue;
            };
            if !matches!(decided.outcome, Outcome::Created | Outcome::Updated) {
                continue;
            }
            if let Some(no) = self.alike_of(existing, home, &member.values)
                && let Some(note) = self.suspicion(&no)
            {
                decided.outcome = Outcome::Suspected;
                decided.notes.push(note);
            }
        }
    }

    /// The number of a household that has somebody alike.
    fn alike_of(&self, existing: &Existing, home: &Home, values: &[Value]) -> Option<String> {
        if existing.alike.is_empty() && self.candidates.0.is_empty() {
            return None;
        }
        let alike = alike(values)?;
        let stored = existing.alike.get(&(home.county.clone(), alike));
        let noted = self.candidates.0.get(&alike);
        if stored.is_none() && noted.is_none() {
            return None;
        }
        let township = township_of(&home.village)?;
        let identity = Derived::of(self.checker.marks, self.author.keys, values).identity;
        let own = identity.and_then(|identity| existing.holders.get(&identity));
        let mut stored = stored.into_iter().flatten();
        let other = stored.find(|other| {
            let is_same = own.is_some_and(|holder| holder.person == other.person);
            other.household != home.id && !is_same && other.village.starts_with(township)
        });
        if let Some(other) = other {
            return Some(other.household_no.clone());
        }
        let mut noted = noted.into_iter().flatten();
        let other = noted.find(|other| {
            let is_same = other.identity.is_some() && other.identity == identity;
            other.household_no != home.no && !is_same && other.township == township
        });
        other.map(|other| other.household_no.clone())
    }

    /// The note of R32, with the household that has the other; none where no pack has the rule.
    fn suspicion(&self, no: &str) -> Option<Note> {
        let mut note = self.checker.note("R32", &PERSONS, person::NAME)?;
        note.message += &match self.checker.lang {
            crate::Lang::Zh => format!("（户编号：{no}）"),
            crate::Lang::En => format!(" (household {no})"),
        };
        Some(note)
    }
}

//! Probable duplicates (R32): persons of other households of the township whose names sound alike and who
//! were born on the same day.
//!
//! What the store has is found by an index entry for each row, however large the registry. Rows of one
//! import are not stored yet: those that have something in common are noted before any is decided.

use std::collections::{HashMap, HashSet};

use daohu_db::{Tx, Value};

use super::{
    decide::{Decided, Decider, Home, Member, Said},
    group::{Existing, Group, village_of},
};
use crate::{
    Error,
    exchange::{
        outcome::{Note, Outcome},
        spill::Sorted,
    },
    households::{
        Derived, Marks, PersonRow,
        rows::{self, Alike},
    },
    keys::Keys,
    quality::Cells,
    sheet::{PERSONS, person},
    suspects::{self, Different, Who, township},
};

/// A row of this import that may be another's duplicate.
struct Candidate {
    township: String,
    household_no: String,
    identity: Option<[u8; 16]>,
    /// The person, if the store knows him.
    person: Option<i64>,
    name: String,
    born_on: Option<String>,
}

impl Candidate {
    /// Who he is, if the store knows him.
    fn who(&self) -> Option<Who<'_>> {
        Some(Who {
            person: self.person?,
            name: &self.name,
            born_on: self.born_on.as_deref(),
            identity: self.identity.as_ref().map(<[u8; 16]>::as_slice),
        })
    }
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
        let Some(township) = village.as_deref().map(township) else { return };
        let mut homes = existing.households.get(&group.no).into_iter().flatten();
        let members = homes.next().map_or(&[][..], |home| existing.persons_of(home.id()));
        for row in group.persons.iter().filter(|row| !row.is_dead) {
            let Some(noted) = row.alike.and_then(|alike| self.0.get_mut(&alike)) else { continue };
            let derived = Derived::of(marks, keys, &row.values);
            if derived.is_current {
                let cells = Cells(&row.values);
                let name = cells.text(person::NAME).unwrap_or_default();
                let is_he = |member: &&PersonRow| match (member.identity(), derived.identity) {
                    (Some(stored), Some(identity)) => stored == identity,
                    _ => member.alike() == row.alike && member.text(person::NAME) == Some(name),
                };
                noted.push(Candidate {
                    township: township.to_owned(),
                    household_no: group.no.clone(),
                    identity: derived.identity,
                    person: members.iter().find(is_he).map(PersonRow::id),
                    name: name.to_owned(),
                    born_on: cells.text(person::BORN_ON).map(str::to_owned),
                });
            }
        }
    }
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
        let alikes: Vec<i64> = persons.filter_map(|row| row.alike).collect();
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

/// Those whom persons of these groups were told apart from.
pub(super) async fn load_different(
    tx: &mut Tx,
    groups: &[Group],
    alike: &HashMap<(String, i64), Vec<Alike>>,
) -> Result<Different, Error> {
    let mut homes: HashMap<i64, HashSet<&str>> = HashMap::new();
    for group in groups {
        for alike in group.persons.iter().filter_map(|row| row.alike) {
            homes.entry(alike).or_default().insert(&group.no);
        }
    }
    let mut others: HashMap<&str, HashSet<i64>> = HashMap::new();
    for ((county, value), alike) in alike {
        let Some(homes) = homes.get(value) else { continue };
        // Nearly everybody is alike the own record alone.
        let is_elsewhere = |other: &Alike| !homes.contains(&*other.household_no);
        if homes.len() > 1 || alike.iter().any(is_elsewhere) {
            others.entry(county).or_default().extend(alike.iter().map(|other| other.person));
        }
    }
    let mut different = Different::default();
    for (county, persons) in others {
        let persons: Vec<i64> = persons.into_iter().collect();
        different.join(suspects::rows::different_among(tx, county, &persons).await?);
    }
    Ok(different)
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
            let Some(said) = member.decided else { continue };
            let Some(decided) = decided.get_mut(said.decided) else { continue };
            if !matches!(decided.outcome, Outcome::Created | Outcome::Updated) {
                continue;
            }
            if let Some(other) = self.alike_of(existing, home, &member.values, said)
                && let Some(note) = self.suspicion(other.as_deref())
            {
                decided.outcome = Outcome::Suspected;
                decided.notes.push(note);
            }
        }
    }

    /// The number of a household that has somebody alike; nothing of one that lies where the importer sees nothing,
    /// but that there is one.
    fn alike_of(
        &self,
        existing: &Existing,
        home: &Home,
        values: &[Value],
        said: Said,
    ) -> Option<Option<String>> {
        let alike = said.alike?;
        let stored = existing.alike.get(&(home.county.clone(), alike));
        let noted = self.candidates.0.get(&alike);
        if stored.is_none() && noted.is_none() {
            return None;
        }
        let township = township(&home.village);
        let identity = Derived::of(self.checker.marks, self.author.keys, values).identity;
        let own = identity.and_then(|identity| existing.holders.get(&identity));
        let cells = Cells(values);
        let who = said.person.map(|person| Who {
            person,
            name: cells.text(person::NAME).unwrap_or_default(),
            born_on: cells.text(person::BORN_ON),
            identity: identity.as_ref().map(<[u8; 16]>::as_slice),
        });
        let is_told_apart = |other: Option<Who<'_>>| match (who, other) {
            (Some(who), Some(other)) => existing.different.holds(who, other),
            _ => false,
        };
        let stored = stored.into_iter().flatten().filter(|other| {
            let is_same = own.is_some_and(|holder| holder.person == other.person);
            // By number: in a trial a new household has an id that another one may have.
            other.household_no != home.no
                && !is_same
                && other.village.starts_with(township)
                && !is_told_apart(Some(Who::of(other)))
        });
        let (seen, hidden): (Vec<&Alike>, Vec<&Alike>) =
            stored.partition(|other| self.scope.covers(&other.village));
        if let Some(other) = seen.first() {
            return Some(Some(other.household_no.clone()));
        }
        let mut noted = noted.into_iter().flatten();
        let other = noted.find(|other| {
            let is_same = other.identity.is_some() && other.identity == identity;
            other.household_no != home.no
                && !is_same
                && other.township == township
                && !is_told_apart(other.who())
        });
        match other {
            Some(other) => Some(Some(other.household_no.clone())),
            None => (!hidden.is_empty()).then_some(None),
        }
    }

    /// The note of R32, with the household that has the other, if it may be told; none where no pack has the rule.
    fn suspicion(&self, no: Option<&str>) -> Option<Note> {
        let mut note = self.checker.note("R32", &PERSONS, person::NAME)?;
        if let Some(no) = no {
            note.message += &match self.checker.lang {
                crate::Lang::Zh => format!("（户编号：{no}）"),
                crate::Lang::En => format!(" (household {no})"),
            };
        }
        Some(note)
    }
}

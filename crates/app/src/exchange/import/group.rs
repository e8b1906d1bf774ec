//! A household's rows together, and what the store knows of it.

use std::collections::{HashMap, HashSet};

use daohu_base::AreaCode;
use daohu_db::{Tx, Value};

use super::{
    alike,
    registers::Stored,
    stage::{Row, split_key},
};
use crate::{
    Error,
    exchange::spill::Sorted,
    households::{
        Derived, HouseholdRow, IncomeRow, Marks, PersonRow,
        rows::{self, Alike, Holder, PastMembership},
    },
    keys::Keys,
    quality::Cells,
    registers,
    sheet::{HOUSEHOLDS, INCOMES, PAIRINGS, PERSONS, Record, household, person},
    suspects::Different,
};

/// All rows of one 户编号.
#[derive(Default)]
pub(super) struct Group {
    pub(super) no: String,
    pub(super) households: Vec<Row>,
    pub(super) persons: Vec<Row>,
    pub(super) incomes: Vec<Row>,
    /// Rows of 结对 that help the household.
    pub(super) pairings: Vec<Row>,
}

impl Group {
    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        let all = [&self.households, &self.persons, &self.incomes, &self.pairings];
        all.into_iter().map(Vec::len).sum()
    }
}

/// Households looked up together.
const GROUPS: usize = 200;

/// Hands out groups in the order of 户编号.
pub(super) struct Groups {
    rows: Sorted,
    next: Option<(Vec<u8>, Vec<u8>)>,
}

impl Groups {
    pub(super) fn new(mut rows: Sorted) -> Result<Self, Error> {
        rows.rewind()?;
        let next = rows.next()?;
        Ok(Self { rows, next })
    }

    /// Starts again.
    pub(super) fn rewind(&mut self) -> Result<(), Error> {
        self.rows.rewind()?;
        self.next = self.rows.next()?;
        Ok(())
    }

    /// The next groups, of those that are `wanted`; none at the end.
    pub(super) fn batch(&mut self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Group>, Error> {
        let mut groups: Vec<Group> = Vec::new();
        while let Some((key, value)) = self.next.take() {
            let Some((no, sheet)) = split_key(&key) else { continue };
            let no = std::str::from_utf8(no).unwrap_or_default();
            let goes_on = groups.last().is_some_and(|group| group.no == no);
            if !goes_on && groups.len() == GROUPS {
                self.next = Some((key, value));
                return Ok(groups);
            }
            if !wanted(no) {
                self.next = self.rows.next()?;
                continue;
            }
            if !goes_on {
                groups.push(Group { no: no.to_owned(), ..Group::default() });
            }
            let row: Row = postcard::from_bytes(&value).map_err(std::io::Error::other)?;
            if let Some(group) = groups.last_mut() {
                match sheet.name {
                    name if name == HOUSEHOLDS.name => group.households.push(row),
                    name if name == PERSONS.name => group.persons.push(row),
                    name if name == INCOMES.name => group.incomes.push(row),
                    name if name == PAIRINGS.name => group.pairings.push(row),
                    _ => {}
                }
            }
            self.next = self.rows.next()?;
        }
        Ok(groups)
    }
}

/// What the store knows of some groups.
#[derive(Default)]
pub(super) struct Existing {
    pub(super) households: HashMap<String, Vec<HouseholdRow>>,
    pub(super) persons: HashMap<i64, Vec<PersonRow>>,
    pub(super) past: HashMap<i64, Vec<PastMembership>>,
    pub(super) incomes: HashMap<i64, Vec<IncomeRow>>,
    /// By household.
    pub(super) pairings: HashMap<i64, Vec<Record>>,
    /// Who helps, as rows of 结对 name them.
    pub(super) named: Stored,
    pub(super) holders: HashMap<[u8; 16], Holder>,
    /// Who is alike persons of these groups, by county and what they have in common.
    pub(super) alike: HashMap<(String, i64), Vec<Alike>>,
    /// Those of them who were judged to be other persons.
    pub(super) different: Different,
    /// The persons whose records stay, of those that were merged, and those elsewhere who hold numbers.
    pub(super) kept: HashMap<i64, Alike>,
    /// Persons whose number stands in these groups, of households that do not.
    movers: HashMap<i64, PersonRow>,
}

impl Existing {
    /// Looks the groups up in a registry that has households.
    pub(super) async fn load(
        tx: &mut Tx,
        keys: &Keys,
        marks: Marks<'_>,
        groups: &[Group],
    ) -> Result<Self, Error> {
        let mut existing = Self::default();
        let numbers = groups.iter().map(|group| group.no.clone());
        let mut by_county: HashMap<String, Vec<i64>> = HashMap::new();
        for row in rows::by_numbers(tx, keys, numbers).await? {
            by_county.entry(row.county().to_owned()).or_default().push(row.id());
            existing.households.entry(row.no().to_owned()).or_default().push(row);
        }
        for (county, ids) in &by_county {
            for row in rows::persons_of(tx, keys, county, ids).await? {
                existing.persons.entry(row.household()).or_default().push(row);
            }
            for row in rows::incomes_of(tx, keys, county, ids).await? {
                existing.incomes.entry(row.household()).or_default().push(row);
            }
            // Whoever imports no pairings need not look for them.
            if groups.iter().any(|group| !group.pairings.is_empty()) {
                for row in registers::rows::pairings_of(tx, keys, county, ids).await? {
                    let household = registers::household_of(&row).unwrap_or_default();
                    existing.pairings.entry(household).or_default().push(row);
                }
            }
            for row in rows::past_memberships_of(tx, county, ids).await? {
                existing.past.entry(row.household).or_default().push(row);
            }
        }
        existing.load_holders(tx, keys, marks, groups).await?;
        existing.alike = alike::load(tx, groups, &existing).await?;
        existing.different = alike::load_different(tx, groups, &existing.alike).await?;
        existing.load_kept(tx).await?;
        Ok(existing)
    }

    /// Where those are whose records stay, of the merged ones that rows may be about, and who holds numbers in
    /// households that these groups do not name.
    async fn load_kept(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let mut kept: HashMap<String, Vec<i64>> = HashMap::new();
        for row in self.persons.values().flatten().chain(self.movers.values()) {
            if let Some(into) = row.merged_into() {
                kept.entry(row.county().to_owned()).or_default().push(into);
            }
        }
        let elsewhere = self
            .holders
            .values()
            .filter(|holder| holder.is_current && !self.persons.contains_key(&holder.household));
        for holder in elsewhere {
            kept.entry(holder.county.clone()).or_default().push(holder.person);
        }
        for (county, ids) in kept {
            let found = rows::those(tx, &county, ids).await?.into_iter();
            self.kept.extend(found.map(|kept| (kept.person, kept)));
        }
        Ok(())
    }

    /// Who holds the number of a row.
    pub(super) fn holder_of(&self, derived: &Derived) -> Option<i64> {
        self.holders.get(&derived.identity?).map(|holder| holder.person)
    }

    /// True if the number is that of a member of this household whose record was merged.
    pub(super) fn is_merged(&self, household: i64, identity: Option<&[u8; 16]>) -> bool {
        let mut members = self.persons_of(household).iter();
        members.any(|member| {
            member.merged_into().is_some()
                && member.identity() == identity.map(<[u8; 16]>::as_slice)
        })
    }

    async fn load_holders(
        &mut self,
        tx: &mut Tx,
        keys: &Keys,
        marks: Marks<'_>,
        groups: &[Group],
    ) -> Result<(), Error> {
        let rows = groups.iter().flat_map(|group| &group.persons).filter(|row| !row.is_dead);
        let identities: Vec<[u8; 16]> = rows
            .map(|row| Derived::of(marks, keys, &row.values))
            .filter(|derived| derived.is_unique)
            .filter_map(|derived| derived.identity)
            .collect();
        let wanted = identities.clone();
        for (identity, holder) in rows::holders(tx, identities).await? {
            self.load_person(tx, keys, &holder.county, holder.household, holder.person).await?;
            self.holders.insert(identity, holder);
        }
        self.load_returning(tx, keys, &wanted).await
    }

    /// Loads those who may come back to a household that they belonged to before.
    async fn load_returning(
        &mut self,
        tx: &mut Tx,
        keys: &Keys,
        wanted: &[[u8; 16]],
    ) -> Result<(), Error> {
        let wanted: HashSet<&[u8]> = wanted.iter().map(<[u8; 16]>::as_slice).collect();
        let homes = self.households.values().flatten();
        let homes = homes.map(|row| (row.county().to_owned(), row.id()));
        let mut returning = Vec::new();
        for (county, household) in homes {
            let past = self.past_of(household).iter();
            let past = past.filter(|past| wanted.contains(past.identity.as_slice()));
            returning.extend(past.map(|past| (county.clone(), past.household, past.person)));
        }
        for (county, household, person) in returning {
            self.load_person(tx, keys, &county, household, person).await?;
        }
        Ok(())
    }

    async fn load_person(
        &mut self,
        tx: &mut Tx,
        keys: &Keys,
        county: &str,
        household: i64,
        person: i64,
    ) -> Result<(), Error> {
        if self.person(household, person).is_none()
            && let Some(row) = rows::person(tx, keys, county, person).await?
        {
            self.movers.insert(person, row);
        }
        Ok(())
    }

    /// A person whose number stands in these groups, who belongs to this household or is on the way.
    pub(super) fn person(&self, household: i64, person: i64) -> Option<&PersonRow> {
        let here = self.persons_of(household).iter().find(|row| row.id() == person);
        here.or_else(|| self.movers.get(&person))
    }

    pub(super) fn persons_of(&self, household: i64) -> &[PersonRow] {
        self.persons.get(&household).map_or(&[], Vec::as_slice)
    }

    pub(super) fn past_of(&self, household: i64) -> &[PastMembership] {
        self.past.get(&household).map_or(&[], Vec::as_slice)
    }

    pub(super) fn pairings_of(&self, household: i64) -> &[Record] {
        self.pairings.get(&household).map_or(&[], Vec::as_slice)
    }

    pub(super) fn incomes_of(&self, household: i64) -> &[IncomeRow] {
        self.incomes.get(&household).map_or(&[], Vec::as_slice)
    }
}

/// The village of a row of 户.
pub(super) fn village_of(row: &Row) -> Option<AreaCode> {
    Cells(&row.values).text(household::VILLAGE).and_then(|code| AreaCode::parse(code).ok())
}

/// The key of a person within the household: the number, or name and birth date.
pub(super) fn person_key(values: &[Value]) -> Option<String> {
    let cells = Cells(values);
    let number = cells.text(person::ID_NUMBER).map(|number| format!("#{number}"));
    number
        .or_else(|| Some(format!("{}@{}", cells.text(person::NAME)?, cells.text(person::BORN_ON)?)))
}

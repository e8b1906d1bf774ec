//! Households go where their village goes.

use std::collections::HashSet;

use daohu_base::{AreaCode, Scope};
use daohu_db::{Tx, Value};

use super::{carry::Carrier, sql};
use crate::{
    Error, FieldError, crosscheck,
    households::{Home, layouts, rows},
    jobs::Progress,
    journal::Action,
    registers::{self, Register},
    sheet::{PAIRINGS, Record, household},
    suspects, warnings,
};

/// Households read at once.
const HOMES: i64 = 200;
/// What stands in the way is named up to here.
const NAMED_MAX: usize = 100;

impl Carrier<'_> {
    /// Moves the households of the villages that go somewhere.
    ///
    /// Errors: households that no part of a split takes; numbers that another county has already.
    pub(super) async fn homes(&mut self, tx: &mut Tx, progress: &Progress) -> Result<(), Error> {
        let mut villages: Vec<AreaCode> = self
            .plan
            .targets
            .keys()
            .filter(|code| code.level() == daohu_base::AreaLevel::Village)
            .cloned()
            .collect();
        // First what goes on: whoever comes into it from another village must not be sent on.
        villages.sort_by_key(|village| self.plan.ends(village));
        let (mut left, mut taken) = (Vec::new(), Vec::new());
        let mut moved: HashSet<i64> = HashSet::new();
        for village in villages {
            let scope = Scope::of([village.clone()]);
            let mut after = (String::new(), 0);
            loop {
                let mut homes =
                    rows::next_homes(tx, self.keys, &scope, (&after.0, after.1), HOMES).await?;
                let Some(last) = homes.last() else { break };
                after = (last.household.county().to_owned(), last.household.id());
                for home in &homes {
                    self.wanted.remove(&(village.clone(), home.household.no().to_owned()));
                }
                // Who came from another village of the same change goes no further.
                homes.retain(|home| moved.insert(home.household.id()));
                progress.add(homes.len())?;
                self.move_homes(tx, &village, homes, (&mut left, &mut taken)).await?;
                self.breathe(tx).await?;
            }
        }
        let unknown = std::mem::take(&mut self.wanted).into_iter().map(|(_, no)| no).collect();
        let faults = |numbers: Vec<String>, code: &'static str| {
            numbers.into_iter().take(NAMED_MAX).map(move |no| FieldError {
                column: "households".to_owned(),
                value: Some(no),
                code,
                ..FieldError::default()
            })
        };
        let faults: Vec<FieldError> = faults(left, "area_change.household_left")
            .chain(faults(taken, "area_change.number_taken"))
            .chain(faults(unknown, "area_change.no_household"))
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    async fn move_homes(
        &mut self,
        tx: &mut Tx,
        village: &AreaCode,
        homes: Vec<Home>,
        (left, taken): (&mut Vec<String>, &mut Vec<String>),
    ) -> Result<(), Error> {
        let mut by_county: std::collections::BTreeMap<String, Vec<Home>> = Default::default();
        for mut home in homes {
            let group = home.household.text(household::GROUP_CODE);
            let group = group.and_then(|group| AreaCode::parse(group).ok());
            let to = self.plan.target_of(village, home.household.no(), group.as_ref()).cloned();
            let Some(to) = to else {
                left.push(home.household.no().to_owned());
                continue;
            };
            if to == *village {
                continue;
            }
            self.told.households += 1;
            self.told.persons += u64::try_from(home.persons.len()).unwrap_or_default();
            let group = group.and_then(|group| self.plan.group_in(self.tree, &group, &to));
            self.former.push(vec![
                to.county().into(),
                home.household.id().into(),
                self.change.into(),
                village.as_str().into(),
                self.last_day().to_string().into(),
            ]);
            if to.county() == home.household.county() {
                self.move_inside(home, &to, group)?;
            } else {
                let record = &mut home.household.0;
                record.set(household::VILLAGE, to.as_str());
                record.set(household::GROUP_CODE, group.map(|group| group.to_string()));
                by_county.entry(to.county()).or_default().push(home);
            }
        }
        for (county, homes) in by_county {
            let numbers: Vec<String> =
                homes.iter().map(|home| home.household.no().to_owned()).collect();
            taken.extend(sql::taken(tx, &county, &numbers).await?);
            if taken.is_empty() {
                self.move_out(tx, &county, homes).await?;
            }
        }
        Ok(())
    }

    /// A household of the same county: its village and its members'.
    fn move_inside(
        &mut self,
        home: Home,
        to: &AreaCode,
        group: Option<AreaCode>,
    ) -> Result<(), Error> {
        let Home { household: mut row, persons, incomes: _ } = home;
        let (county, id) = (row.county().to_owned(), row.id());
        let before = row.0.values.clone();
        row.0.set(household::VILLAGE, to.as_str());
        row.0.set(household::GROUP_CODE, group.map(|group| group.to_string()));
        let table = (&*layouts::HOUSEHOLD, "household", id.to_string());
        self.batch.update(table, (&county, Action::Updated), &before, row.0)?;
        for mut person in persons {
            let before = person.0.values.clone();
            let table = (&*layouts::PERSON, "person", person.id().to_string());
            person.settle(&county, id, to.as_str());
            self.batch.update(table, (&county, Action::Updated), &before, person.0)?;
        }
        Ok(())
    }

    /// Households that go to another county, with all that hangs on them: their rows are written there
    /// and taken out here, and the journals of both say so.
    async fn move_out(&mut self, tx: &mut Tx, county: &str, homes: Vec<Home>) -> Result<(), Error> {
        let Some(old) = homes.first().map(|home| home.household.county().to_owned()) else {
            return Ok(());
        };
        let ids: Vec<i64> = homes.iter().map(|home| home.household.id()).collect();
        let (mut identities, mut members): (Vec<Value>, Vec<i64>) = Default::default();
        for Home { household: row, persons, incomes } in homes {
            let (id, village) = (row.id(), row.village().to_owned());
            let key = id.to_string();
            self.move_record(&layouts::HOUSEHOLD, "household", key, county, row.0)?;
            for mut person in persons {
                members.push(person.id());
                identities.extend(person.identity().map(|identity| identity.to_vec().into()));
                let key = person.id().to_string();
                self.depart(&old, "person", key.clone());
                person.settle(county, id, &village);
                self.settled(&layouts::PERSON, "person", key, county, person.0)?;
            }
            for income in incomes {
                let key = format!("{id}/{}", income.year());
                self.move_record(&layouts::INCOME, "income", key, county, income.0)?;
            }
        }
        let pairings = registers::rows::pairings_of(tx, self.keys, &old, &ids).await?;
        if let Some(register) = Register::of(&PAIRINGS) {
            for pairing in pairings {
                let key = register.key_of(&pairing.values);
                self.move_record(register.layout(), register.kind, key, county, pairing)?;
            }
        }
        for past in rows::past_memberships_of(tx, &old, &ids).await? {
            let key = format!("{}/{}", past.household, past.person);
            self.depart(&old, "membership", key.clone());
            self.arrive(county, "membership", key, past.to_journal(county));
        }
        let counties = (old.as_str(), county);
        let judgements = suspects::rows::move_judgements(tx, counties, &members).await?;
        self.moved(counties, suspects::JUDGEMENT, judgements);
        let leads = crosscheck::rows::move_leads(tx, self.keys, counties, &ids).await?;
        self.moved(counties, crosscheck::LEAD, leads);
        let warned = warnings::rows::move_warnings(tx, counties, &ids).await?;
        self.moved(counties, warnings::WARNING, warned);
        sql::move_memberships(tx, counties, &ids).await?;
        sql::move_former(tx, counties, &ids).await?;
        sql::move_holders(tx, counties, (identities, &members)).await?;
        Ok(sql::leave(tx, &old, &ids).await?)
    }

    /// These records were written in another county: each by its key, with what the journal has to say of it there.
    fn moved(
        &mut self,
        (old, county): (&str, &str),
        kind: &'static str,
        moved: Vec<(String, String)>,
    ) {
        for (key, after) in moved {
            self.depart(old, kind, key.clone());
            self.arrive(county, kind, key, after);
        }
    }

    fn move_record(
        &mut self,
        layout: &'static crate::sheet::Layout,
        kind: &'static str,
        key: String,
        county: &str,
        mut record: Record,
    ) -> Result<(), Error> {
        let old = record.county().to_owned();
        self.depart(&old, kind, key.clone());
        if let Some(lead) = record.lead.first_mut() {
            *lead = county.into();
        }
        self.settled(layout, kind, key, county, record)
    }

    /// The record as it is in its new county.
    fn settled(
        &mut self,
        layout: &'static crate::sheet::Layout,
        kind: &'static str,
        key: String,
        county: &str,
        mut record: Record,
    ) -> Result<(), Error> {
        record.meta.updated_at = self.at;
        record.meta.version += 1;
        self.batch.add((layout, kind, key), county, Action::Moved, &record)
    }
}

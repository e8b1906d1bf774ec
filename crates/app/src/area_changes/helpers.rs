//! Helpers and offices of areas that end.

use std::collections::{BTreeSet, HashSet};

use daohu_base::AreaCode;
use daohu_db::{Tx, Value};

use super::carry::Carrier;
use crate::{
    Error,
    journal::Action,
    registers::{self, Register},
    sheet::{CADRES, ORGANISATIONS, PAIRINGS, Record, TEAMS, cadre, organisation, pairing, team},
};

/// The columns of a register that say how long somebody helps and why no longer.
struct Term {
    starts_on: usize,
    ends_on: usize,
    end_reason: usize,
}

const PAIRING: Term = Term {
    starts_on: pairing::STARTS_ON,
    ends_on: pairing::ENDS_ON,
    end_reason: pairing::END_REASON,
};
const TEAM: Term =
    Term { starts_on: team::STARTS_ON, ends_on: team::ENDS_ON, end_reason: team::END_REASON };

impl Term {
    /// Who helps what, whenever.
    fn relation(&self, values: &[Value]) -> Vec<Value> {
        let times = [self.starts_on, self.ends_on, self.end_reason];
        let kept = values.iter().enumerate().filter(|(i, _)| !times.contains(i));
        kept.map(|(_, value)| value.clone()).collect()
    }
}

impl Carrier<'_> {
    /// Who helps an area that ended helps what followed it: the record ends, for this reason, and another
    /// begins. A team goes to one place: its members cannot be in two.
    pub(super) async fn helpers(&mut self, tx: &mut Tx) -> Result<(), Error> {
        for (sheet, term) in [(&PAIRINGS, PAIRING), (&TEAMS, TEAM)] {
            let Some(register) = Register::of(sheet) else { continue };
            let open = self.open_helpers(tx, register, &term).await?;
            let (leave, stay): (Vec<Record>, Vec<Record>) = open.into_iter().partition(|record| {
                register.area_of(&record.values).is_some_and(|area| self.plan.ends(&area))
            });
            let mut known: HashSet<Vec<String>> = HashSet::new();
            let relation = |values: &[Value]| -> Vec<String> {
                term.relation(values).iter().map(|value| format!("{value:?}")).collect()
            };
            known.extend(stay.iter().map(|record| relation(&record.values)));
            for record in leave {
                let Some(from) = register.area_of(&record.values) else { continue };
                let to: Vec<AreaCode> = match std::ptr::eq(sheet, &raw const TEAMS) {
                    true => self.plan.heir(&from).cloned().into_iter().collect(),
                    false => {
                        let targets = self.plan.targets.get(&from).into_iter().flatten();
                        targets.map(|target| target.to.clone()).collect()
                    }
                };
                let is_team = std::ptr::eq(sheet, &raw const TEAMS);
                let stays = |to: &&AreaCode| to.county() == record.county();
                if let Some(to) = to.first().filter(stays)
                    && is_team
                    && self.begins_later(&term, &record)
                {
                    self.send(register, record, to)?;
                    continue;
                }
                let next: Vec<Record> = to
                    .iter()
                    .map(|to| self.next_term(register, &term, &record, to))
                    .filter(|next| known.insert(relation(&next.values)))
                    .collect();
                self.end_term(register, &term, record)?;
                for next in next {
                    let key = register.key_of(&next.values);
                    let table = (register.layout(), register.kind, key);
                    let county = next.county().to_owned();
                    self.batch.add(table, &county, Action::Created, &next)?;
                }
                self.told.helpers += 1;
                self.breathe(tx).await?;
            }
        }
        Ok(())
    }

    /// True if it begins with the new codes, or later.
    fn begins_later(&self, term: &Term, record: &Record) -> bool {
        let begun = record.values.get(term.starts_on).and_then(Value::as_text);
        begun.is_some_and(|begun| begun >= self.on.to_string().as_str())
    }

    /// A member who had not begun in the old village begins in the new one of the county; the key has no village.
    fn send(
        &mut self,
        register: &'static Register,
        mut record: Record,
        to: &AreaCode,
    ) -> Result<(), Error> {
        let (before, county) = (record.values.clone(), record.county().to_owned());
        record.set(register.area, to.as_str());
        let table = (register.layout(), register.kind, register.key_of(&before));
        self.told.helpers += 1;
        self.batch.update(table, (&county, Action::Updated), &before, record)
    }

    /// Those who help an area that ends or takes another in, and go on to on the day.
    async fn open_helpers(
        &self,
        tx: &mut Tx,
        register: &'static Register,
        term: &Term,
    ) -> Result<Vec<Record>, Error> {
        let targets = self.plan.targets.values().flatten().map(|target| target.to.clone());
        let areas: BTreeSet<AreaCode> = targets.chain(self.plan.ended().cloned()).collect();
        let mut found = registers::rows::of_areas(tx, self.keys, register, &areas).await?;
        let on = self.on.to_string();
        found.retain(|record| {
            let end = record.values.get(term.ends_on).and_then(Value::as_text);
            end.is_none_or(|end| end >= on.as_str())
        });
        Ok(found)
    }

    /// The record by which somebody goes on to help, where the area lies now.
    fn next_term(
        &self,
        register: &Register,
        term: &Term,
        record: &Record,
        to: &AreaCode,
    ) -> Record {
        let on = self.on.to_string();
        let begun = record.values.get(term.starts_on).and_then(Value::as_text).unwrap_or_default();
        let starts_on = on.as_str().max(begun).to_owned();
        let mut next = Record { meta: self.batch.meta(), ..record.clone() };
        if let Some(county) = next.lead.first_mut() {
            *county = to.county().into();
        }
        next.set(register.area, to.as_str());
        next.set(term.starts_on, starts_on);
        next
    }

    /// Ends a record on the last day of the old codes; one that had not begun, on its first.
    fn end_term(
        &mut self,
        register: &'static Register,
        term: &Term,
        record: Record,
    ) -> Result<(), Error> {
        let before = record.values.clone();
        let begun = before.get(term.starts_on).and_then(Value::as_text).unwrap_or_default();
        let last_day = self.last_day().to_string();
        let ends_on = last_day.as_str().max(begun).to_owned();
        let reasons = self.policy.list("结对结束原因");
        let reason = reasons.and_then(|list| list.marked("area_change"));
        let mut record = record;
        record.set(term.ends_on, ends_on);
        record.set(term.end_reason, reason);
        let table = (register.layout(), register.kind, register.key_of(&before));
        let county = record.county().to_owned();
        self.batch.update(table, (&county, Action::Updated), &before, record)
    }

    /// Organisations and cadres of an area that ended are those of its heir.
    pub(super) async fn offices(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let ended: BTreeSet<AreaCode> = self.plan.ended().cloned().collect();
        for (sheet, area) in [(&ORGANISATIONS, organisation::AREA), (&CADRES, cadre::AREA)] {
            let Some(register) = Register::of(sheet) else { continue };
            for mut record in registers::rows::of_areas(tx, self.keys, register, &ended).await? {
                let from = register.area_of(&record.values);
                let Some(to) = from.as_ref().and_then(|from| self.plan.heir(from)) else {
                    continue;
                };
                let (before, to) = (record.values.clone(), to.to_string());
                record.set(area, to);
                let table = (register.layout(), register.kind, register.key_of(&before));
                let county = record.county().to_owned();
                self.batch.update(table, (&county, Action::Updated), &before, record)?;
                self.told.offices += 1;
                self.breathe(tx).await?;
            }
        }
        Ok(())
    }
}

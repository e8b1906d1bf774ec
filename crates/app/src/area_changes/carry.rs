//! What a change of areas writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use daohu_base::{AreaCode, Day};
use daohu_db::{Tx, Value};
use daohu_policy::Policy;

use super::{
    model::{Plan, Tree},
    ops::KIND,
    sql::{self, Stored},
    told::{AreaNote, Told},
};
use crate::{
    Error,
    areas::AREA,
    journal::{Act, Action, NO_COUNTY},
    keys::Keys,
    quality::Cells,
    sheet::{Batch, Record, area},
};

/// Carries a plan out in a transaction.
pub(super) struct Carrier<'a> {
    pub(super) keys: &'a Keys,
    pub(super) policy: &'a Policy,
    pub(super) on: Day,
    pub(super) change: &'a str,
    pub(super) tree: &'a Tree,
    pub(super) plan: Plan,
    pub(super) told: Told,
    pub(super) batch: Batch<'a>,
    /// The instant of the act.
    pub(super) at: i64,
    pub(super) former: Vec<Vec<Value>>,
    /// Households that lines name, each with its village, and that were not met yet.
    pub(super) wanted: BTreeSet<(AreaCode, String)>,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(
        (keys, policy): (&'a Arc<Keys>, &'a Policy),
        act: &'a Act,
        (on, change): (Day, &'a str),
        tree: &'a Tree,
        plan: Plan,
    ) -> Self {
        let (told, former) = Default::default();
        let wanted = plan.named_households();
        let (keys, batch, at) = (keys.as_ref(), Batch::new(keys, act), act.at.0);
        Self { keys, policy, on, change, tree, plan, told, batch, at, former, wanted }
    }

    /// The last day of the old codes.
    pub(super) fn last_day(&self) -> Day {
        Day::from_epoch_days(self.on.epoch_days() - 1)
    }

    /// A record that a county has no more.
    pub(super) fn depart(&mut self, county: &str, kind: &'static str, key: String) {
        self.batch.note(county, kind, key, (Action::Moved, None, None));
    }

    /// A record that came from another county, and is written already.
    pub(super) fn arrive(&mut self, county: &str, kind: &'static str, key: String, after: String) {
        self.batch.note(county, kind, key, (Action::Moved, None, Some(after)));
    }

    /// The change itself, in the journal of no county.
    pub(super) fn note(&mut self, stored: &Stored) {
        let (key, after) = (stored.id.clone(), Some(stored.to_journal()));
        self.batch.note(NO_COUNTY, KIND, key, (Action::Created, None, after));
    }

    /// Writes what has come together, if it is enough.
    pub(super) async fn breathe(&mut self, tx: &mut Tx) -> Result<(), Error> {
        tx.insert_rows(&sql::former_villages(), &std::mem::take(&mut self.former)).await?;
        self.batch.breathe(tx).await
    }

    /// Writes the rest; gives what was done.
    pub(super) async fn end(mut self, tx: &mut Tx) -> Result<(Told, Plan), Error> {
        self.breathe(tx).await?;
        self.batch.end(tx).await?;
        Ok((self.told, self.plan))
    }

    /// Areas end, begin, and get other names.
    pub(super) async fn areas(&mut self, tx: &mut Tx, stored: &[Record]) -> Result<(), Error> {
        let by_code: BTreeMap<AreaCode, &Record> =
            stored.iter().filter_map(|record| Some((code_of(record)?, record))).collect();
        let mut now: BTreeMap<AreaCode, Record> = BTreeMap::new();
        let last_day = self.last_day().to_string();
        for code in self.plan.ended() {
            let Some(record) = by_code.get(code) else { continue };
            let record = now.entry(code.clone()).or_insert_with(|| (*record).clone());
            record.set(area::ENDS_ON, last_day.as_str());
            self.told.ended.insert(
                code.to_string(),
                Cells(&record.values).text(area::NAME).unwrap_or_default().to_owned(),
            );
        }
        for (code, name) in &self.plan.renamed {
            let Some(record) = by_code.get(code) else { continue };
            let record = now.entry(code.clone()).or_insert_with(|| (*record).clone());
            record.set(area::NAME, name.as_str());
            self.told.renamed.insert(code.to_string(), name.clone());
        }
        let values = |code: &AreaCode| by_code.get(code).map(|record| record.values.as_slice());
        for (code, values) in self.plan.populations(&values) {
            let Some(record) = by_code.get(&code) else { continue };
            let record = now.entry(code).or_insert_with(|| (*record).clone());
            for (i, value) in values {
                record.set(i, value);
            }
        }
        let population =
            |record: &Record| record.values.get(area::RURAL_POPULATION).and_then(Value::as_int);
        let was_known =
            |code: &AreaCode| by_code.get(code).is_some_and(|r| population(r).is_some());
        let mut unknown: BTreeSet<String> = BTreeSet::new();
        for (code, record) in now {
            if population(&record).is_none() && was_known(&code) {
                unknown.insert(code.to_string());
            }
            let (before, key) = (by_code.get(&code), code.to_string());
            let Some(before) = before.filter(|before| before.values != record.values) else {
                continue;
            };
            let county = code.county();
            let named = (&*AREA, "area", key);
            self.batch.update(named, (&county, Action::Updated), &before.values, record)?;
        }
        for (code, new) in self.plan.new.clone() {
            let mut record = Record {
                lead: Vec::new(),
                values: new.facts(&values),
                derived: Vec::new(),
                meta: self.batch.meta(),
            };
            if population(&record).is_none() && new.sources.iter().any(was_known) {
                unknown.insert(code.to_string());
            }
            record.set(area::CODE, code.as_str());
            record.set(area::NAME, new.name.as_str());
            record.set(area::LEVEL, i64::from(code.level().list_code()));
            record.set(area::STARTS_ON, self.on.to_string());
            record.set(area::ENDS_ON, Value::Null);
            record.set(area::PREDECESSOR, new.sources.first().map(AreaCode::as_str));
            self.told.begun.insert(code.to_string(), new.name);
            let (table, county) = ((&*AREA, "area", code.to_string()), code.county());
            self.batch.add(table, &county, Action::Created, &record)?;
            self.breathe(tx).await?;
        }
        if !unknown.is_empty() {
            let note = AreaNote::population_unknown(unknown.into_iter().collect());
            self.told.notes.push(note);
        }
        Ok(())
    }
}

/// The code of a stored area.
fn code_of(record: &Record) -> Option<AreaCode> {
    AreaCode::parse(Cells(&record.values).text(area::CODE)?).ok()
}

//! What a change writes: rows of many tables and their journal entries, in batches.

use std::{collections::BTreeMap, sync::Arc};

use daohu_base::{AreaCode, Day};
use daohu_db::{Tx, Value};
use daohu_policy::Policy;

use super::{
    model::{Plan, Tree},
    ops::KIND,
    sql::{self, Stored},
    told::Told,
};
use crate::{
    Error,
    areas::AREA,
    journal::{self, Act, Action, Change, Draft, NO_COUNTY},
    keys::Keys,
    sheet::{Layout, Meta, Record, Sheet, area, differing, journal_of, to_journal},
};

/// Rows written in one go: bounds the memory.
const BATCH_ROWS: usize = 2_000;

/// Carries a plan out in a transaction.
pub(super) struct Carrier<'a> {
    pub(super) keys: &'a Keys,
    pub(super) policy: &'a Policy,
    pub(super) act: &'a Act,
    pub(super) on: Day,
    pub(super) change: &'a str,
    pub(super) tree: &'a Tree,
    pub(super) plan: Plan,
    pub(super) told: Told,
    pub(super) former: Vec<Vec<Value>>,
    rows: [Rows; Sheet::COUNT],
    changes: Vec<Change>,
    /// Of the first of the changes, counted over the whole act.
    position: i64,
    journal: journal::Bulk,
}

#[derive(Default)]
struct Rows {
    layout: Option<&'static Layout>,
    new: Vec<Vec<Value>>,
    changed: Vec<Vec<Value>>,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(
        (keys, policy): (&'a Arc<Keys>, &'a Policy),
        act: &'a Act,
        (on, change): (Day, &'a str),
        tree: &'a Tree,
        plan: Plan,
    ) -> Self {
        let (told, former, rows, changes, journal) = Default::default();
        let (keys, position) = (keys.as_ref(), 0);
        Self {
            keys,
            policy,
            act,
            on,
            change,
            tree,
            plan,
            told,
            former,
            rows,
            changes,
            position,
            journal,
        }
    }

    /// The last day of the old codes.
    pub(super) fn last_day(&self) -> Day {
        Day::from_epoch_days(self.on.epoch_days() - 1)
    }

    fn rows(&mut self, layout: &'static Layout) -> Option<&mut Rows> {
        let rows = self.rows.get_mut(layout.sheet.order())?;
        rows.layout = Some(layout);
        Some(rows)
    }

    /// A record that is new: `Created`, or `Moved` where it comes from another county.
    pub(super) fn add(
        &mut self,
        (layout, kind, key): (&'static Layout, &'static str, String),
        county: &str,
        action: Action,
        record: &Record,
    ) -> Result<(), Error> {
        let row = layout.to_row(self.keys, record)?;
        if let Some(rows) = self.rows(layout) {
            rows.new.push(row);
        }
        let after = Some(to_journal(layout, record));
        let county = county.to_owned();
        self.changes.push(Change { county, kind, record: key, action, before: None, after });
        Ok(())
    }

    /// A record that is not what it was.
    pub(super) fn update(
        &mut self,
        (layout, kind, key): (&'static Layout, &'static str, String),
        county: &str,
        before: &[Value],
        mut record: Record,
    ) -> Result<(), Error> {
        record.meta.updated_at = self.act.at.0;
        record.meta.version += 1;
        let row = layout.to_row(self.keys, &record)?;
        if let Some(rows) = self.rows(layout) {
            rows.changed.push(row);
        }
        let before = Some(journal_of(layout, before, &differing(before, &record.values)));
        let (county, after) = (county.to_owned(), Some(to_journal(layout, &record)));
        let action = Action::Updated;
        self.changes.push(Change { county, kind, record: key, action, before, after });
        Ok(())
    }

    /// A record that a county has no more.
    pub(super) fn depart(&mut self, county: &str, kind: &'static str, key: String) {
        let (county, action) = (county.to_owned(), Action::Moved);
        let (before, after) = (None, None);
        self.changes.push(Change { county, kind, record: key, action, before, after });
    }

    /// An entry about rows that were written already.
    pub(super) fn arrive(&mut self, county: &str, kind: &'static str, key: String, after: String) {
        let (county, action, before) = (county.to_owned(), Action::Moved, None);
        let after = Some(after);
        self.changes.push(Change { county, kind, record: key, action, before, after });
    }

    /// The change itself, in the journal of no county.
    pub(super) fn note(&mut self, stored: &Stored) {
        let (county, action, before) = (NO_COUNTY.to_owned(), Action::Created, None);
        let (kind, record, after) = (KIND, stored.id.clone(), Some(stored.to_journal()));
        self.changes.push(Change { county, kind, record, action, before, after });
    }

    /// What others changed as part of it.
    pub(super) fn add_changes(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
    }

    /// The standard columns of a new row.
    pub(super) fn meta(&self) -> Meta {
        let (at, by) = (self.act.at.0, self.act.actor.name.clone());
        Meta { created_at: at, created_by: by, updated_at: at, version: 1 }
    }

    /// Writes what has come together, if it is enough.
    pub(super) async fn flush(&mut self, tx: &mut Tx, enough: usize) -> Result<(), Error> {
        if self.changes.is_empty() || self.changes.len() < enough {
            return Ok(());
        }
        for rows in &mut self.rows {
            let Rows { layout: Some(layout), new, changed } = std::mem::take(rows) else {
                continue;
            };
            tx.insert_rows(&layout.table, &new).await?;
            tx.upsert_rows(&layout.table, &changed).await?;
        }
        tx.insert_rows(&sql::former_villages(), &std::mem::take(&mut self.former)).await?;
        let changes = std::mem::take(&mut self.changes);
        let written = i64::try_from(changes.len()).unwrap_or_default();
        let draft = Draft { act: self.act.clone(), position: self.position, changes };
        self.position += written;
        self.journal.lock_for(tx, &draft).await?;
        self.journal.link(self.keys, draft)?.insert(tx).await
    }

    /// As [`Carrier::flush`], between records.
    pub(super) async fn breathe(&mut self, tx: &mut Tx) -> Result<(), Error> {
        self.flush(tx, BATCH_ROWS).await
    }

    /// Writes the rest; gives what was done.
    pub(super) async fn end(mut self, tx: &mut Tx) -> Result<(Told, Plan), Error> {
        self.flush(tx, 1).await?;
        self.journal.finish(tx, self.act.at).await?;
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
            set(record, area::ENDS_ON, last_day.as_str());
            self.told.ended.insert(code.to_string(), text(record, area::NAME));
        }
        for (code, name) in &self.plan.renamed {
            let Some(record) = by_code.get(code) else { continue };
            let record = now.entry(code.clone()).or_insert_with(|| (*record).clone());
            set(record, area::NAME, name.as_str());
            self.told.renamed.insert(code.to_string(), name.clone());
        }
        let values = |code: &AreaCode| by_code.get(code).map(|record| record.values.as_slice());
        for (code, values) in self.plan.populations(&values) {
            let Some(record) = by_code.get(&code) else { continue };
            let record = now.entry(code).or_insert_with(|| (*record).clone());
            for (i, value) in values {
                set(record, i, value);
            }
        }
        for (code, record) in now {
            let (before, key) = (by_code.get(&code), code.to_string());
            let Some(before) = before.filter(|before| before.values != record.values) else {
                continue;
            };
            let county = code.county();
            self.update((&AREA, "area", key), &county, &before.values, record)?;
        }
        for (code, new) in self.plan.new.clone() {
            let mut record = Record {
                lead: Vec::new(),
                values: new.facts(&values),
                derived: Vec::new(),
                meta: self.meta(),
            };
            set(&mut record, area::CODE, code.as_str());
            set(&mut record, area::NAME, new.name.as_str());
            set(&mut record, area::LEVEL, i64::from(code.level().list_code()));
            set(&mut record, area::STARTS_ON, self.on.to_string());
            set(&mut record, area::ENDS_ON, Value::Null);
            set(&mut record, area::PREDECESSOR, new.sources.first().map(AreaCode::as_str));
            self.told.begun.insert(code.to_string(), new.name);
            let (table, county) = ((&*AREA, "area", code.to_string()), code.county());
            self.add(table, &county, Action::Created, &record)?;
            self.breathe(tx).await?;
        }
        Ok(())
    }
}

/// The code of a stored area.
fn code_of(record: &Record) -> Option<AreaCode> {
    AreaCode::parse(record.values.get(area::CODE)?.as_text()?).ok()
}

fn text(record: &Record, i: usize) -> String {
    record.values.get(i).and_then(Value::as_text).unwrap_or_default().to_owned()
}

/// Puts a value into a column of a record.
pub(super) fn set(record: &mut Record, i: usize, value: impl Into<Value>) {
    if let Some(slot) = record.values.get_mut(i) {
        *slot = value.into();
    }
}

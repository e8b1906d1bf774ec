//! Records of many tables and their journal entries, written in batches: for acts of many rows that are no import.

use daohu_db::{Tx, Value};

use super::{Layout, Meta, Record, Sheet, differing, journal_of, to_journal};
use crate::{
    Error,
    journal::{self, Act, Action, Change, Draft},
    keys::Keys,
};

/// Rows written in one go: bounds the memory.
const BATCH_ROWS: usize = 2_000;

/// What is to be written, and what the journal gets of it. The entries are sealed by the act's own transaction.
pub(crate) struct Batch<'a> {
    keys: &'a Keys,
    act: &'a Act,
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

/// A record as the journal names it: how it lies, its kind, its key.
pub(crate) type Named = (&'static Layout, &'static str, String);

impl<'a> Batch<'a> {
    pub(crate) fn new(keys: &'a Keys, act: &'a Act) -> Self {
        let (rows, changes, journal) = Default::default();
        Self { keys, act, rows, changes, position: 0, journal }
    }

    fn rows(&mut self, layout: &'static Layout) -> Option<&mut Rows> {
        let rows = self.rows.get_mut(layout.sheet.order())?;
        rows.layout = Some(layout);
        Some(rows)
    }

    /// The standard columns of a new row.
    pub(crate) fn meta(&self) -> Meta {
        let (at, by) = (self.act.at.0, self.act.actor.name.clone());
        Meta { created_at: at, created_by: by, updated_at: at, version: 1 }
    }

    /// A record that was not there.
    pub(crate) fn add(
        &mut self,
        (layout, kind, key): Named,
        county: &str,
        action: Action,
        record: &Record,
    ) -> Result<(), Error> {
        let row = layout.to_row(self.keys, record)?;
        if let Some(rows) = self.rows(layout) {
            rows.new.push(row);
        }
        let after = Some(to_journal(layout, record));
        self.note(county, kind, key, (action, None, after));
        Ok(())
    }

    /// A record that is not what it was.
    pub(crate) fn update(
        &mut self,
        (layout, kind, key): Named,
        (county, action): (&str, Action),
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
        let after = Some(to_journal(layout, &record));
        self.note(county, kind, key, (action, before, after));
        Ok(())
    }

    /// An entry about rows that are written elsewhere.
    pub(crate) fn note(
        &mut self,
        county: &str,
        kind: &'static str,
        record: String,
        (action, before, after): (Action, Option<String>, Option<String>),
    ) {
        let county = county.to_owned();
        self.changes.push(Change { county, kind, record, action, before, after });
    }

    /// What others changed as part of the act.
    pub(crate) fn add_changes(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
    }

    /// Writes what has come together, if it is enough.
    pub(crate) async fn breathe(&mut self, tx: &mut Tx) -> Result<(), Error> {
        if self.changes.len() < BATCH_ROWS {
            return Ok(());
        }
        self.flush(tx).await
    }

    /// Writes what has come together.
    pub(crate) async fn flush(&mut self, tx: &mut Tx) -> Result<(), Error> {
        if self.changes.is_empty() {
            return Ok(());
        }
        for rows in &mut self.rows {
            let Rows { layout: Some(layout), new, changed } = std::mem::take(rows) else {
                continue;
            };
            tx.insert_rows(&layout.table, &new).await?;
            tx.upsert_rows(&layout.table, &changed).await?;
        }
        let changes = std::mem::take(&mut self.changes);
        let written = i64::try_from(changes.len()).unwrap_or_default();
        let draft = Draft { act: self.act.clone(), position: self.position, changes };
        self.position += written;
        self.journal.lock_for(tx, &draft).await?;
        self.journal.link(self.keys, draft)?.insert(tx).await
    }

    /// Writes the rest, and adds it to the root chain.
    pub(crate) async fn end(mut self, tx: &mut Tx) -> Result<(), Error> {
        self.flush(tx).await?;
        self.journal.finish(tx, self.act.at).await?;
        Ok(())
    }
}

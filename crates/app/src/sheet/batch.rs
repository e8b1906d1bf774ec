//! Records of many tables and their journal entries, written in batches: for imports, and for other acts of many
//! rows.

use daohu_db::{Tx, Value};

use super::{Layout, Meta, Record, Sheet, differing, journal_of, sql, to_journal};
use crate::{
    Error,
    journal::{self, Act, Action, Change, Draft},
    keys::Keys,
};

/// A record as the journal names it: how it lies, its kind, its key.
pub(crate) type Named = (&'static Layout, &'static str, String);

/// Rows to be written in one go, with what the journal gets of them.
#[derive(Default)]
pub(crate) struct Records {
    /// By the order of the sheets.
    rows: [Rows; Sheet::COUNT],
    changes: Vec<Change>,
    /// Of the first of the changes, counted over the whole act.
    position: i64,
}

#[derive(Default)]
struct Rows {
    layout: Option<&'static Layout>,
    new: Vec<Vec<Value>>,
    changed: Vec<Vec<Value>>,
    gone: Vec<Record>,
}

impl Records {
    /// Empty, counting on where another ended, with room for as many changes.
    pub(crate) fn after(other: &Self) -> Self {
        let room = other.changes.len();
        let position = other.position + i64::try_from(room).unwrap_or_default();
        Self { position, changes: Vec::with_capacity(room), ..Self::default() }
    }

    /// The number of journaled changes: it grows with every record that is written.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    fn rows(&mut self, layout: &'static Layout) -> Option<&mut Rows> {
        let rows = self.rows.get_mut(layout.sheet.order())?;
        rows.layout = Some(layout);
        Some(rows)
    }

    /// Adds a record that was not there.
    pub(crate) fn add(
        &mut self,
        keys: &Keys,
        (layout, kind, key): Named,
        (county, action): (&str, Action),
        record: &Record,
    ) -> Result<(), Error> {
        let row = layout.to_row(keys, record)?;
        if let Some(rows) = self.rows(layout) {
            rows.new.push(row);
        }
        let after = Some(to_journal(layout, record));
        self.note(county, kind, key, (action, None, after));
        Ok(())
    }

    /// Adds a record that is not what it was; `stored` are the values before, `changed` the columns that
    /// differ.
    pub(crate) fn update(
        &mut self,
        (keys, act): (&Keys, &Act),
        (layout, kind, key): Named,
        (county, action): (&str, Action),
        record: &mut Record,
        (stored, changed): (&[Value], &[usize]),
    ) -> Result<(), Error> {
        record.meta.updated_at = act.at.0;
        record.meta.version += 1;
        let row = layout.to_row(keys, record)?;
        if let Some(rows) = self.rows(layout) {
            rows.changed.push(row);
        }
        let before = Some(journal_of(layout, stored, changed));
        let after = Some(to_journal(layout, record));
        self.note(county, kind, key, (action, before, after));
        Ok(())
    }

    /// Adds a record that is to be taken away.
    fn remove(&mut self, (layout, kind, key): Named, at: (&str, Action), record: Record) {
        let before = Some(to_journal(layout, &record));
        if let Some(rows) = self.rows(layout) {
            rows.gone.push(record);
        }
        let (county, action) = at;
        self.note(county, kind, key, (action, before, None));
    }

    /// Adds an entry about rows that are written elsewhere.
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

    /// Takes out what the journal gets.
    pub(crate) fn take_draft(&mut self, act: &Act) -> Draft {
        let changes = std::mem::take(&mut self.changes);
        Draft { act: act.clone(), position: self.position, changes }
    }

    /// Writes the rows, in the order of the sheets.
    pub(crate) async fn write(self, tx: &mut Tx) -> Result<(), Error> {
        for rows in self.rows {
            if let Rows { layout: Some(layout), new, changed, gone } = rows {
                sql::remove(tx, layout, &gone).await?;
                tx.insert_rows(&layout.table, &new).await?;
                tx.upsert_rows(&layout.table, &changed).await?;
            }
        }
        Ok(())
    }
}

/// Rows written in one go: bounds the memory.
const BATCH_ROWS: usize = 2_000;

/// Records of an act that reads and writes in one transaction, which seals its own entries.
pub(crate) struct Batch<'a> {
    keys: &'a Keys,
    act: &'a Act,
    records: Records,
    journal: journal::Bulk,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(keys: &'a Keys, act: &'a Act) -> Self {
        let (records, journal) = Default::default();
        Self { keys, act, records, journal }
    }

    /// The standard columns of a new row.
    pub(crate) fn meta(&self) -> Meta {
        Meta::new(self.act)
    }

    /// A record that was not there.
    pub(crate) fn add(
        &mut self,
        named: Named,
        county: &str,
        action: Action,
        record: &Record,
    ) -> Result<(), Error> {
        self.records.add(self.keys, named, (county, action), record)
    }

    /// A record that is not what it was.
    pub(crate) fn update(
        &mut self,
        named: Named,
        at: (&str, Action),
        before: &[Value],
        mut record: Record,
    ) -> Result<(), Error> {
        let changed = differing(before, &record.values);
        let by = (self.keys, self.act);
        self.records.update(by, named, at, &mut record, (before, &changed))
    }

    /// A record that is taken away.
    pub(crate) fn remove(&mut self, named: Named, at: (&str, Action), record: Record) {
        self.records.remove(named, at, record);
    }

    /// An entry about rows that are written elsewhere.
    pub(crate) fn note(
        &mut self,
        county: &str,
        kind: &'static str,
        record: String,
        what: (Action, Option<String>, Option<String>),
    ) {
        self.records.note(county, kind, record, what);
    }

    /// What others changed as part of the act.
    pub(crate) fn add_changes(&mut self, changes: Vec<Change>) {
        self.records.changes.extend(changes);
    }

    /// Writes what has come together, if it is enough.
    pub(crate) async fn breathe(&mut self, tx: &mut Tx) -> Result<(), Error> {
        if self.records.len() < BATCH_ROWS { Ok(()) } else { self.flush(tx).await }
    }

    /// Writes what has come together.
    pub(crate) async fn flush(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let next = Records::after(&self.records);
        let mut records = std::mem::replace(&mut self.records, next);
        let draft = records.take_draft(self.act);
        self.journal.lock_for(tx, &draft).await?;
        records.write(tx).await?;
        self.journal.link(self.keys, draft)?.insert(tx).await
    }

    /// Writes the rest, and adds it to the root chain.
    pub(crate) async fn end(mut self, tx: &mut Tx) -> Result<(), Error> {
        self.flush(tx).await?;
        self.journal.finish(tx, self.act.at).await?;
        Ok(())
    }
}

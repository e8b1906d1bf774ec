//! What an import writes: rows of each table and their journal entries, in batches.

use daohu_db::{Column, Table, Tx, Type, Value};

use super::relied::{Claim, Relied};
use crate::{
    Error, areas,
    households::{self, layouts},
    journal::{Act, Action, Change, Draft},
    keys::Keys,
    registers::Register,
    sheet::{AREAS, Layout, Meta, Record, Sheet, journal_of, to_journal},
};

/// Rows to write in one go.
#[derive(Default)]
pub(super) struct Writes {
    /// By the order of the sheets.
    rows: [Rows; Sheet::COUNT],
    memberships: Vec<Vec<Value>>,
    claims: Vec<Claim>,
    pub(super) relied: Relied,
    changes: Vec<Change>,
    /// Of the first of the changes, counted over the whole import.
    position: i64,
}

#[derive(Default)]
struct Rows {
    new: Vec<Vec<Value>>,
    changed: Vec<Vec<Value>>,
}

/// Which table a record belongs to.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Area,
    Household,
    Person,
    Income,
    Of(&'static Register),
}

impl Kind {
    fn layout(self) -> &'static Layout {
        match self {
            Self::Area => &areas::AREA,
            Self::Household => &layouts::HOUSEHOLD,
            Self::Person => &layouts::PERSON,
            Self::Income => &layouts::INCOME,
            Self::Of(register) => register.layout(),
        }
    }

    /// The journal's name of the kind.
    const fn name(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Household => "household",
            Self::Person => "person",
            Self::Income => "income",
            Self::Of(register) => register.kind,
        }
    }
}

/// Who writes: everything that is the same for all rows of an import.
pub(super) struct Author<'a> {
    pub(super) keys: &'a Keys,
    pub(super) act: &'a Act,
}

impl Author<'_> {
    /// The standard columns of a new row.
    pub(super) fn meta(&self) -> Meta {
        let (at, by) = (self.act.at.0, self.act.actor.name.clone());
        Meta { created_at: at, created_by: by, updated_at: at, version: 1 }
    }
}

impl Writes {
    /// An empty batch that goes on counting where another ended, with room for as many changes.
    pub(super) fn after(other: &Self) -> Self {
        let room = other.changes.len();
        let position = other.position + i64::try_from(room).unwrap_or_default();
        Self { position, changes: Vec::with_capacity(room), ..Self::default() }
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.changes.len() + self.claims.len()
    }

    /// Adds a new record.
    pub(super) fn create(
        &mut self,
        author: &Author<'_>,
        kind: Kind,
        county: &str,
        key: String,
        record: &Record,
    ) -> Result<(), Error> {
        let layout = kind.layout();
        let row = layout.to_row(author.keys, record)?;
        if let Some(rows) = self.rows.get_mut(layout.sheet.order()) {
            rows.new.push(row);
        }
        let after = Some(to_journal(layout, record));
        self.journal(kind.name(), county, key, Action::Created, (None, after));
        Ok(())
    }

    /// Adds a changed record; `stored` are the values before, `changed` the columns that differ.
    #[expect(clippy::too_many_arguments, reason = "a change is a record beside what it was")]
    pub(super) fn update(
        &mut self,
        author: &Author<'_>,
        kind: Kind,
        county: &str,
        key: String,
        record: &mut Record,
        stored: &[Value],
        changed: &[usize],
    ) -> Result<(), Error> {
        record.meta.updated_at = author.act.at.0;
        record.meta.version += 1;
        let layout = kind.layout();
        let row = layout.to_row(author.keys, record)?;
        if let Some(rows) = self.rows.get_mut(layout.sheet.order()) {
            rows.changed.push(row);
        }
        let before = Some(journal_of(layout, stored, changed));
        let after = Some(to_journal(layout, record));
        self.journal(kind.name(), county, key, Action::Updated, (before, after));
        Ok(())
    }

    /// Adds an earlier membership, new or changed.
    pub(super) fn past_membership(
        &mut self,
        author: &Author<'_>,
        county: &str,
        past: &crate::households::rows::PastMembership,
    ) {
        let meta = author.meta();
        let version = past.version + 1;
        self.memberships.push(vec![
            county.into(),
            past.household.into(),
            past.person.into(),
            past.identity.clone().into(),
            past.relation.into(),
            past.change_kind.into(),
            past.change_on.clone().into(),
            meta.created_at.into(),
            meta.created_by.into(),
            meta.updated_at.into(),
            version.into(),
        ]);
        let key = format!("{}/{}", past.household, past.person);
        let action = if version == 1 { Action::Created } else { Action::Updated };
        let after = Some(past.to_journal(county));
        self.journal("membership", county, key, action, (None, after));
    }

    /// Says who holds an ID number from now on.
    pub(super) fn claim(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    /// The number of journaled changes: it grows with every record that is written.
    pub(super) fn records(&self) -> usize {
        self.changes.len()
    }

    fn journal(
        &mut self,
        kind: &'static str,
        county: &str,
        record: String,
        action: Action,
        (before, after): (Option<String>, Option<String>),
    ) {
        let county = county.to_owned();
        self.changes.push(Change { county, kind, record, action, before, after });
    }

    /// Takes out who holds which number, to be written sorted at the end.
    pub(super) fn take_claims(&mut self) -> Vec<Claim> {
        std::mem::take(&mut self.claims)
    }

    /// Takes out what the journal gets.
    pub(super) fn take_draft(&mut self, act: &Act) -> Draft {
        let changes = std::mem::take(&mut self.changes);
        Draft { act: act.clone(), position: self.position, changes }
    }

    /// Writes everything but the claims and the journal.
    pub(super) async fn apply(self, tx: &mut Tx) -> Result<(), Error> {
        self.relied.check(tx).await?;
        for (sheet, rows) in Sheet::ALL.into_iter().zip(self.rows) {
            if let Some(table) = table_of(sheet) {
                tx.insert_rows(table, &rows.new).await?;
                tx.upsert_rows(table, &rows.changed).await?;
            }
        }
        Ok(tx.upsert_rows(&memberships(), &self.memberships).await?)
    }
}

/// The table of a sheet.
fn table_of(sheet: &'static Sheet) -> Option<&'static Table> {
    let area = (sheet.name == AREAS.name).then(|| &*areas::AREA);
    let registered = Register::of(sheet).map(Register::layout);
    let layout = area.or(registered).or_else(|| households::rows::layout(sheet));
    layout.map(|layout| &layout.table)
}

fn memberships() -> Table {
    use Type::{Blob, Int, Text};
    let columns = [
        ("county", Text),
        ("household", Int),
        ("person", Int),
        ("identity", Blob),
        ("relation", Int),
        ("change_kind", Int),
        ("change_on", Text),
        ("created_at", Int),
        ("created_by", Text),
        ("updated_at", Int),
        ("version", Int),
    ];
    let columns = columns.into_iter().map(|(name, kind)| Column { name, kind }).collect();
    Table { name: "memberships", columns, key: &["county", "household", "person"] }
}

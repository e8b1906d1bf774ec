//! What an import writes: rows of each table and their journal entries, in batches.

use daohu_db::{Column, Table, Tx, Type, Value};

use super::relied::{Claim, Relied};
use crate::{
    Error, areas,
    households::layouts,
    journal::{Act, Action, Draft},
    keys::Keys,
    registers::Register,
    sheet::{Layout, Meta, Record, Records},
};

/// Rows to write in one go.
#[derive(Default)]
pub(super) struct Writes {
    records: Records,
    memberships: Vec<Vec<Value>>,
    claims: Vec<Claim>,
    pub(super) relied: Relied,
}

/// Which table a record of an import belongs to.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Area,
    Household,
    Person,
    Income,
    Of(&'static Register),
}

impl Kind {
    /// As the journal names it; none for what is no row of a sheet.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "area" => Some(Self::Area),
            "household" => Some(Self::Household),
            "person" => Some(Self::Person),
            "income" => Some(Self::Income),
            other => Register::of_kind(other).map(Self::Of),
        }
    }

    /// How its rows lie.
    pub(crate) fn layout(self) -> &'static Layout {
        match self {
            Self::Area => &areas::AREA,
            Self::Household => &layouts::HOUSEHOLD,
            Self::Person => &layouts::PERSON,
            Self::Income => &layouts::INCOME,
            Self::Of(register) => register.layout(),
        }
    }

    /// The journal's name of the kind.
    pub(crate) const fn name(self) -> &'static str {
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
        Meta::new(self.act)
    }
}

impl Writes {
    /// An empty batch that goes on counting where another ended, with room for as many changes.
    pub(super) fn after(other: &Self) -> Self {
        Self { records: Records::after(&other.records), ..Self::default() }
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.records.len() + self.claims.len()
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
        let named = (kind.layout(), kind.name(), key);
        self.records.add(author.keys, named, (county, Action::Created), record)
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
        let (by, named) = ((author.keys, author.act), (kind.layout(), kind.name(), key));
        self.records.update(by, named, (county, Action::Updated), record, (stored, changed))
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
        self.records.note(county, "membership", key, (action, None, after));
    }

    /// Says who holds an ID number from now on.
    pub(super) fn claim(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    /// The number of journaled changes: it grows with every record that is written.
    pub(super) fn records(&self) -> usize {
        self.records.len()
    }

    /// Takes out who holds which number, to be written sorted at the end.
    pub(super) fn take_claims(&mut self) -> Vec<Claim> {
        std::mem::take(&mut self.claims)
    }

    /// Takes out what the journal gets.
    pub(super) fn take_draft(&mut self, act: &Act) -> Draft {
        self.records.take_draft(act)
    }

    /// Writes everything but the claims and the journal.
    pub(super) async fn apply(self, tx: &mut Tx) -> Result<(), Error> {
        self.relied.check(tx).await?;
        self.records.write(tx).await?;
        Ok(tx.upsert_rows(&memberships(), &self.memberships).await?)
    }
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

//! How records of a sheet lie in their table.
//!
//! A row is: leading key columns · the sheet's plain columns · columns derived for search · the
//! sealed numbers, if the sheet has any · who wrote it and when.

use daohu_db::{Column as DbColumn, Error as DbError, Row, Table, Type, Value};
use serde::{Deserialize, Serialize};

use super::{Kind, Sheet};
use crate::{Error, journal::Act, keys::Keys};

/// A sheet's table.
#[derive(Debug)]
pub struct Layout {
    /// The sheet.
    pub sheet: &'static Sheet,
    /// The table, for the bulk paths.
    pub table: Table,
    lead: usize,
    plain: Vec<usize>,
    secret: Vec<usize>,
    derived: usize,
    elsewhere: &'static [usize],
}

/// Who wrote a row, when, and how often it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the standard columns of every table")]
pub struct Meta {
    pub created_at: i64,
    pub created_by: String,
    pub updated_at: i64,
    pub version: i64,
}

impl Meta {
    /// Of a row that an act makes.
    pub(crate) fn new(act: &Act) -> Self {
        let (at, by) = (act.at.0, act.actor.name.clone());
        Self { created_at: at, created_by: by, updated_at: at, version: 1 }
    }

    /// Of a row whose standard columns were not read.
    pub(super) fn unread() -> Self {
        Self { created_at: 0, created_by: String::new(), updated_at: 0, version: 0 }
    }
}

/// A row of a sheet's table.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The leading key columns.
    pub lead: Vec<Value>,
    /// The values in the order of the sheet's columns, numbers in full.
    pub values: Vec<Value>,
    /// The derived columns.
    pub derived: Vec<Value>,
    /// The standard columns.
    pub meta: Meta,
}

impl Record {
    /// Puts a value into a column of the sheet.
    pub(crate) fn set(&mut self, i: usize, value: impl Into<Value>) {
        if let Some(slot) = self.values.get_mut(i) {
            *slot = value.into();
        }
    }

    /// The six digits that a row of households, persons or incomes is stored under.
    pub(crate) fn county(&self) -> &str {
        self.lead.first().and_then(Value::as_text).unwrap_or_default()
    }
}

/// What a column of a table holds of a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The nth key column.
    Lead(usize),
    /// A column of the sheet.
    Value(usize),
    /// The nth derived column.
    Derived(usize),
    /// The sealed numbers.
    Sealed,
    /// One of the standard columns.
    Meta,
}

/// Takes rows of [`Layout::select_values`] out of their slot, one by one; an error ends the query.
pub(crate) type EachRow<'a> = &'a mut (dyn FnMut(&mut Row) -> Result<(), Error> + Send);

/// The key columns that sealed numbers are bound to.
const BOUND: usize = 2;
/// Bytes of what they are bound to, mostly: it is put together for each row that is opened.
const CONTEXT: usize = 48;

#[derive(Serialize, Deserialize)]
struct Secrets(Vec<Option<String>>);

const META: [(&str, Type); 4] = [
    ("created_at", Type::Int),
    ("created_by", Type::Text),
    ("updated_at", Type::Int),
    ("version", Type::Int),
];

impl Layout {
    /// The layout of a sheet whose table begins with `lead`, ends its own columns with `derived`
    /// and leaves out the columns at `elsewhere`.
    pub fn new(
        sheet: &'static Sheet,
        key: &'static [&'static str],
        lead: &[(&'static str, Type)],
        derived: &[(&'static str, Type)],
        elsewhere: &'static [usize],
    ) -> Self {
        let of = |wanted: bool| {
            let kind = |i: &usize| sheet.columns.get(*i).map(|column| column.kind);
            let is_secret = move |i: &usize| matches!(kind(i), Some(Kind::Secret(_)));
            (0..sheet.columns.len())
                .filter(|i| !elsewhere.contains(i))
                .filter(move |i| is_secret(i) == wanted)
                .collect::<Vec<usize>>()
        };
        let (plain, secret) = (of(false), of(true));
        let plain_columns = plain
            .iter()
            .filter_map(|i| sheet.columns.get(*i))
            .map(|column| (column.name, column.kind.stored()));
        let sealed = (!secret.is_empty()).then_some(("sealed", Type::Blob));
        let columns = lead
            .iter()
            .copied()
            .chain(plain_columns)
            .chain(derived.iter().copied())
            .chain(sealed)
            .chain(META)
            .map(|(name, kind)| DbColumn { name, kind })
            .collect();
        let table = Table { name: sheet.name, columns, key };
        let (lead, derived) = (lead.len(), derived.len());
        Self { sheet, table, lead, plain, secret, derived, elsewhere }
    }

    /// The columns in the order of a row, each behind `prefix` (`h.` or nothing).
    pub fn select(&self, prefix: &str) -> String {
        let names: Vec<String> =
            self.table.columns.iter().map(|column| format!("{prefix}{}", column.name)).collect();
        names.join(", ")
    }

    /// The columns of the table, each with what it holds of a record.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'static str, Place)> {
        let lead = (0..self.lead).map(Place::Lead);
        let plain = self.plain.iter().copied().map(Place::Value);
        let derived = (0..self.derived).map(Place::Derived);
        let sealed = (!self.secret.is_empty()).then_some(Place::Sealed);
        let places = lead.chain(plain).chain(derived).chain(sealed);
        let names = self.table.columns.iter().map(|column| column.name);
        names.zip(places.chain(std::iter::repeat(Place::Meta)))
    }

    /// How many key columns, values and derived columns a record has.
    pub(super) fn widths(&self) -> (usize, usize, usize) {
        (self.lead, self.sheet.columns.len(), self.derived)
    }

    /// The columns of the table that [`Layout::read_values`] needs.
    fn value_columns(&self) -> impl Iterator<Item = &DbColumn> {
        let columns = &self.table.columns;
        let bound = columns.iter().take(self.lead.min(BOUND));
        let plain = columns.iter().skip(self.lead).take(self.plain.len());
        let sealed = columns.iter().skip(self.lead + self.plain.len() + self.derived);
        bound.chain(plain).chain(sealed.take(usize::from(!self.secret.is_empty())))
    }

    /// The columns that [`Layout::read_values`] needs, each as `name` writes it; behind them come those
    /// that lie in other tables, which the caller adds.
    pub(crate) fn select_values(&self, name: impl Fn(&str) -> String) -> String {
        self.value_columns().map(|column| name(column.name)).collect::<Vec<_>>().join(", ")
    }

    /// How many columns a row of [`Layout::select_values`] has, with those of other tables.
    pub(crate) fn values_width(&self) -> usize {
        self.value_columns().count() + self.elsewhere.len()
    }

    /// Takes the values of a row of [`Layout::select_values`] over into `values`, in the order of the
    /// sheet's columns, numbers in full.
    pub(crate) fn read_values(
        &self,
        keys: &Keys,
        row: &mut [Value],
        values: &mut Vec<Value>,
    ) -> Result<(), Error> {
        values.clear();
        values.resize(self.sheet.columns.len(), Value::Null);
        let (bound, rest) = row.split_at_mut_checked(self.lead.min(BOUND)).ok_or(DbError::NoRow)?;
        let mut cells = rest.iter_mut().map(std::mem::take);
        fill(&self.plain, &mut cells, values);
        if !self.secret.is_empty()
            && let Some(Value::Blob(sealed)) = cells.next()
        {
            self.open(keys, bound, &sealed, values)?;
        }
        fill(self.elsewhere, &mut cells, values);
        Ok(())
    }

    /// The names of the leading key columns.
    pub fn lead_names(&self) -> impl Iterator<Item = &'static str> {
        self.table.columns.iter().take(self.lead).map(|column| column.name)
    }

    /// The sheet's columns that the table itself holds, sealed ones last.
    pub fn own_columns(&self) -> impl Iterator<Item = usize> {
        self.plain.iter().chain(&self.secret).copied()
    }

    /// The key of a record, in the order of the table's.
    pub(crate) fn key_of(&self, record: &Record) -> Vec<Value> {
        let named = |name: &&str| {
            let lead = self.lead_names().position(|column| column == *name);
            let own = self.sheet.columns.iter().position(|column| column.name == *name);
            let value = match lead {
                Some(i) => record.lead.get(i),
                None => own.and_then(|i| record.values.get(i)),
            };
            value.cloned().unwrap_or_default()
        };
        self.table.key.iter().map(named).collect()
    }

    /// The number of columns of a row.
    pub fn width(&self) -> usize {
        self.table.columns.len()
    }

    /// The row of a record; its numbers are sealed for the key `lead` and `tail`.
    pub fn to_row(&self, keys: &Keys, record: &Record) -> Result<Vec<Value>, Error> {
        let mut row = Vec::with_capacity(self.width());
        row.extend_from_slice(&record.lead);
        row.extend(self.plain.iter().map(|i| record.values.get(*i).cloned().unwrap_or_default()));
        row.extend_from_slice(&record.derived);
        if !self.secret.is_empty() {
            row.push(self.seal(keys, record)?);
        }
        let meta = &record.meta;
        row.extend([
            meta.created_at.into(),
            meta.created_by.as_str().into(),
            meta.updated_at.into(),
            meta.version.into(),
        ]);
        Ok(row)
    }

    /// The record's numbers, sealed together; null if it has none.
    pub(crate) fn seal(&self, keys: &Keys, record: &Record) -> Result<Value, Error> {
        let text = |i: &usize| record.values.get(*i).and_then(Value::as_text).map(str::to_owned);
        let secrets: Vec<Option<String>> = self.secret.iter().map(text).collect();
        if secrets.iter().all(Option::is_none) {
            return Ok(Value::Null);
        }
        // A Vec of options always encodes.
        let plain = postcard::to_allocvec(&Secrets(secrets)).unwrap_or_default();
        Ok(keys.seal(&self.context(&record.lead, &record.values), &plain)?.into())
    }

    /// The record of a row that [`Layout::select`] gave; columns after it are left alone.
    pub fn from_row(&self, keys: &Keys, row: &mut Row) -> Result<Record, Error> {
        let mut cells = std::mem::take(&mut row.0).into_iter();
        let lead: Vec<Value> = cells.by_ref().take(self.lead).collect();
        let mut values = vec![Value::Null; self.sheet.columns.len()];
        fill(&self.plain, &mut cells, &mut values);
        let derived: Vec<Value> = cells.by_ref().take(self.derived).collect();
        if !self.secret.is_empty()
            && let Some(Value::Blob(sealed)) = cells.next()
        {
            self.open(keys, &lead, &sealed, &mut values)?;
        }
        let rest: Vec<Value> = cells.collect();
        let meta = Row(rest);
        let meta = Meta {
            created_at: meta.int(0)?,
            created_by: meta.text(1)?.to_owned(),
            updated_at: meta.int(2)?,
            version: meta.int(3)?,
        };
        Ok(Record { lead, values, derived, meta })
    }

    /// Puts sealed numbers into their columns.
    pub(super) fn open(
        &self,
        keys: &Keys,
        lead: &[Value],
        sealed: &[u8],
        values: &mut [Value],
    ) -> Result<(), Error> {
        let plain = keys.open(&self.context(lead, values), sealed)?;
        let Secrets(secrets) =
            postcard::from_bytes(&plain).map_err(|_| crate::keys::KeyError::Sealed)?;
        for (i, secret) in self.secret.iter().zip(secrets) {
            if let Some(slot) = values.get_mut(*i) {
                *slot = secret.into();
            }
        }
        Ok(())
    }

    /// What sealed numbers are bound to: the table and the first two columns of the key. Where only one
    /// of them leads, the other is the sheet's first column.
    fn context(&self, lead: &[Value], values: &[Value]) -> String {
        let mut context = String::with_capacity(CONTEXT);
        context.push_str(self.sheet.name);
        for part in [lead.first(), lead.get(1).or(values.first())] {
            context.push('/');
            match part {
                Some(Value::Text(text)) => context.push_str(text),
                Some(Value::Int(number)) => context.push_str(&number.to_string()),
                _ => {}
            }
        }
        context
    }
}

/// Puts the next cells into the slots of these columns.
fn fill(columns: &[usize], cells: &mut impl Iterator<Item = Value>, values: &mut [Value]) {
    // The columns first: behind the last of them no cell is taken.
    for (i, cell) in columns.iter().zip(cells) {
        if let Some(slot) = values.get_mut(*i) {
            *slot = cell;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{areas::AREA, households::layouts};

    #[test]
    fn what_sealed_numbers_are_bound_to_stays_as_it_is_stored() {
        let lead = ["990101".into(), 7.into(), 8.into()];
        assert_eq!(layouts::PERSON.context(&lead, &[]), "persons/990101/7");
        assert_eq!(AREA.context(&[], &["99".into()]), "areas//99");
    }

    #[test]
    fn what_is_selected_for_its_values_is_read_as_they_are() {
        let keys = Keys::generate().unwrap();
        let layouts: [&Layout; 4] =
            [&AREA, &layouts::HOUSEHOLD, &layouts::PERSON, &layouts::INCOME];
        for layout in layouts {
            let selected = layout.select_values(str::to_owned);
            let selected: Vec<&str> = selected.split(", ").collect();
            let width = selected.len() + layout.elsewhere.len();
            assert_eq!(layout.values_width(), width, "{}", layout.sheet.name);
            let meta =
                Meta { created_at: 1, created_by: "a".to_owned(), updated_at: 2, version: 3 };
            let record = Record {
                lead: (0..layout.lead).map(|i| format!("k{i}").into()).collect(),
                values: (0..layout.sheet.columns.len()).map(|i| format!("v{i}").into()).collect(),
                derived: (0..layout.derived).map(|i| format!("d{i}").into()).collect(),
                meta,
            };
            let row = layout.to_row(&keys, &record).unwrap();
            let cell = |name: &&str| {
                let columns = layout.table.columns.iter();
                columns.zip(&row).find(|(c, _)| c.name == *name).map(|(_, v)| v.clone()).unwrap()
            };
            let mut cells: Vec<Value> = selected.iter().map(cell).collect();
            cells.extend(layout.elsewhere.iter().map(|i| record.values[*i].clone()));
            let mut values = Vec::new();
            layout.read_values(&keys, &mut cells, &mut values).unwrap();
            assert_eq!(values, record.values, "{}", layout.sheet.name);
        }
    }
}

//! Some columns of a sheet's table.

use daohu_db::{Error as DbError, Row, Value};

use super::{
    Kind, Meta, Record,
    layout::{Layout, Place},
};
use crate::{Error, keys::Keys};

/// The first key column of households, persons and incomes.
const COUNTY: &str = "county";

/// Columns of a layout, for those who look at many rows and at little of each: these are read much sooner than
/// whole ones.
pub(crate) struct Selection {
    layout: &'static Layout,
    pub(super) columns: String,
    /// None of a whole row.
    places: Option<Vec<Place>>,
    has_county: bool,
}

impl Selection {
    /// All columns.
    pub(crate) fn whole(layout: &'static Layout) -> Self {
        Self { layout, columns: layout.select(""), places: None, has_county: true }
    }

    /// These key columns, these columns of the sheet, and the first so many of the derived ones; all numbers if one
    /// of them is wanted, since they are sealed together. The county is known, and is not read.
    pub(crate) fn of(
        layout: &'static Layout,
        (keys, wanted, derived): (&[&str], &[usize], usize),
    ) -> Self {
        let is_number = |column: &usize| {
            let column = layout.sheet.columns.get(*column);
            column.is_some_and(|column| matches!(column.kind, Kind::Secret(_)))
        };
        let is_read = |name: &str, place: &Place| match place {
            Place::Lead(_) => name != COUNTY && keys.contains(&name),
            Place::Value(column) => wanted.contains(column),
            Place::Derived(nth) => *nth < derived,
            Place::Sealed => wanted.iter().any(is_number),
            Place::Meta => false,
        };
        let read = layout.places().filter(|(name, place)| is_read(name, place));
        let (columns, places): (Vec<&str>, Vec<Place>) = read.unzip();
        let has_county = keys.contains(&COUNTY);
        Self { layout, columns: columns.join(", "), places: Some(places), has_county }
    }

    /// The record of a row of these columns, stored under a county; all else is null. Nobody can write it back: it has
    /// no version. A whole row says its county itself.
    pub(super) fn record(&self, keys: &Keys, county: &str, row: &mut Row) -> Result<Record, Error> {
        let Some(places) = &self.places else { return self.layout.from_row(keys, row) };
        let (lead, values, derived) = self.layout.widths();
        let mut record = Record {
            lead: vec![Value::Null; lead],
            values: vec![Value::Null; values],
            derived: vec![Value::Null; derived],
            meta: Meta::unread(),
        };
        if row.0.len() != places.len() {
            return Err(DbError::NoRow.into());
        }
        if let Some(first) = record.lead.first_mut().filter(|_| self.has_county) {
            *first = county.into();
        }
        let mut sealed = Value::Null;
        for (place, cell) in places.iter().zip(row.0.drain(..)) {
            let slot = match *place {
                Place::Lead(i) => record.lead.get_mut(i),
                Place::Value(i) => record.values.get_mut(i),
                Place::Derived(i) => record.derived.get_mut(i),
                Place::Sealed => Some(&mut sealed),
                Place::Meta => None,
            };
            if let Some(slot) = slot {
                *slot = cell;
            }
        }
        if let Value::Blob(sealed) = sealed {
            self.layout.open(keys, &record.lead, &sealed, &mut record.values)?;
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{households::layouts, sheet::person};

    #[test]
    fn what_is_selected_stands_where_a_whole_record_has_it_and_the_rest_is_null() {
        let keys = Keys::generate().unwrap();
        let layout: &'static Layout = &layouts::PERSON;
        let (lead, values, derived) = layout.widths();
        let record = Record {
            lead: (0..lead).map(|i| format!("k{i}").into()).collect(),
            values: (0..values).map(|i| format!("v{i}").into()).collect(),
            derived: (0..derived).map(|i| format!("d{i}").into()).collect(),
            meta: Meta { version: 3, ..Meta::unread() },
        };
        let whole = layout.to_row(&keys, &record).unwrap();
        let wanted = [person::NAME, person::HEALTH, person::PHONE];
        let selection = Selection::of(layout, (&["county", "id"], &wanted, 1));
        let cell = |name: &str| {
            let place = layout.table.columns.iter().position(|column| column.name == name);
            whole[place.unwrap()].clone()
        };
        let mut row = Row(selection.columns.split(", ").map(cell).collect());
        let read = selection.record(&keys, "k0", &mut row).unwrap();

        assert_eq!(read.lead, ["k0".into(), "k1".into(), Value::Null, Value::Null]);
        let secret = [person::ID_NUMBER, person::PHONE];
        for (i, value) in read.values.iter().enumerate() {
            let is_read = [person::NAME, person::HEALTH].contains(&i) || secret.contains(&i);
            let expected = if is_read { record.values[i].clone() } else { Value::Null };
            assert_eq!(*value, expected, "{i}");
        }
        assert_eq!(read.derived[0], record.derived[0]);
        assert!(read.derived[1..].iter().all(Value::is_null));
        assert!(selection.record(&keys, "k0", &mut Row(vec![Value::Null])).is_err());
        let plain = Selection::of(layout, (&["id"], &wanted[..2], 0));
        assert_eq!(plain.columns, "id, name, health");
    }
}

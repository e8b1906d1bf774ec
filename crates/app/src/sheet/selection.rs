//! Some columns of a sheet's table.

use daohu_db::{Error as DbError, Row, Value};

use super::{
    Meta, Record,
    layout::{Layout, Place},
};
use crate::{Error, keys::Keys};

/// Columns of a layout, for those who look at many rows and at little of each: these are read much sooner than
/// whole ones.
pub(crate) struct Selection {
    layout: &'static Layout,
    pub(super) columns: String,
    /// None of a whole row.
    places: Option<Vec<Place>>,
}

impl Selection {
    /// All columns.
    pub(crate) fn whole(layout: &'static Layout) -> Self {
        Self { layout, columns: layout.select(""), places: None }
    }

    /// The key columns, these columns of the sheet, the first so many of the derived ones, and the sealed numbers.
    pub(crate) fn of(layout: &'static Layout, wanted: &[usize], derived: usize) -> Self {
        let is_read = |place: &Place| match place {
            Place::Lead(_) | Place::Sealed => true,
            Place::Value(column) => wanted.contains(column),
            Place::Derived(nth) => *nth < derived,
            Place::Meta => false,
        };
        let read = layout.places().filter(|(_, place)| is_read(place));
        let (columns, places): (Vec<&str>, Vec<Place>) = read.unzip();
        Self { layout, columns: columns.join(", "), places: Some(places) }
    }

    /// The record of a row of these columns; all else is null. Nobody can write it back: it has no version.
    pub(super) fn record(&self, keys: &Keys, row: &mut Row) -> Result<Record, Error> {
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
        let selection = Selection::of(layout, &[person::NAME, person::HEALTH], 1);
        let cell = |name: &str| {
            let place = layout.table.columns.iter().position(|column| column.name == name);
            whole[place.unwrap()].clone()
        };
        let mut row = Row(selection.columns.split(", ").map(cell).collect());
        let read = selection.record(&keys, &mut row).unwrap();

        assert_eq!(read.lead, record.lead);
        let secret = [person::ID_NUMBER, person::PHONE];
        for (i, value) in read.values.iter().enumerate() {
            let is_read = [person::NAME, person::HEALTH].contains(&i) || secret.contains(&i);
            let expected = if is_read { record.values[i].clone() } else { Value::Null };
            assert_eq!(*value, expected, "{i}");
        }
        assert_eq!(read.derived[0], record.derived[0]);
        assert!(read.derived[1..].iter().all(Value::is_null));
        assert!(selection.record(&keys, &mut Row(vec![Value::Null])).is_err());
    }
}

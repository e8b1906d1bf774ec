//! Records as the journal has them, back again.

use daohu_db::{Type, Value};
use serde_json::{Map, Value as Json};

use crate::{
    Lang,
    exchange::import::Kind,
    households::{Derived, Marks, initials},
    keys::Keys,
    sheet::{HOUSEHOLDS, Layout, PERSONS, Record, household},
};

/// The record that the journal's object tells of. What is not in the object was not known. Who wrote it and
/// how often it changed comes from the present row.
pub(super) fn restored(
    layout: &Layout,
    after: &Map<String, Json>,
    now: &Record,
    (marks, keys): (Marks<'_>, &Keys),
) -> Record {
    let lead = layout.table.columns.iter().zip(&now.lead);
    let lead = lead.map(|(column, _)| value(column.kind, after.get(column.name))).collect();
    let mut values = vec![Value::Null; layout.sheet.columns.len()];
    for i in layout.own_columns() {
        if let (Some(slot), Some(column)) = (values.get_mut(i), layout.sheet.columns.get(i)) {
            *slot = value(column.kind.stored(), after.get(column.name));
        }
    }
    let derived = derived(layout, &values, now, (marks, keys));
    Record { lead, values, derived, meta: now.meta.clone() }
}

/// What people call records of this kind of the journal.
pub fn kind_title(kind: &str, lang: Lang) -> Option<&'static str> {
    Some(match kind {
        "membership" => lang.pick("曾属户", "former membership"),
        "judgement" => lang.pick("疑似重复的判断", "judgement of suspects"),
        "grant" => lang.pick("授权", "role of a user"),
        kind => {
            let sheet = Kind::named(kind)?.layout().sheet;
            lang.pick(sheet.title, Kind::named(kind)?.name())
        }
    })
}

fn derived(
    layout: &Layout,
    values: &[Value],
    now: &Record,
    (marks, keys): (Marks<'_>, &Keys),
) -> Vec<Value> {
    if std::ptr::eq(layout.sheet, &raw const HOUSEHOLDS) {
        let head = values.get(household::HEAD_NAME).and_then(Value::as_text);
        return vec![head.map(initials).into()];
    }
    if std::ptr::eq(layout.sheet, &raw const PERSONS) {
        let merged_into = now.derived.last().and_then(Value::as_int);
        let alike = crate::households::alike(values);
        return Derived::of(marks, keys, values).columns(values, alike, merged_into);
    }
    now.derived.clone()
}

fn value(kind: Type, json: Option<&Json>) -> Value {
    match (kind, json) {
        (Type::Int, Some(Json::Number(number))) => number.as_i64().into(),
        // A whole quantity is written without a point.
        (Type::Real, Some(Json::Number(number))) => number.as_f64().into(),
        (Type::Text, Some(Json::String(text))) => text.as_str().into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use daohu_policy::Policy;

    use super::*;
    use crate::sheet::{Meta, to_journal};

    #[test]
    fn what_the_journal_has_is_the_record_again() {
        let (keys, policy) = (Keys::generate().unwrap(), Policy::embedded().unwrap());
        for kind in ["area", "household", "person", "income", "pairing", "cadre", "village"] {
            let layout = Kind::named(kind).unwrap().layout();
            let sample = |kind: Type, i: usize| match kind {
                Type::Int => Value::from(i64::try_from(i).unwrap()),
                Type::Real => Value::from(2.0),
                _ => Value::from(format!("1990-01-{i:02}")),
            };
            let lead = layout.lead_names().count();
            let columns = layout.table.columns.iter().enumerate();
            let mut values = vec![Value::Null; layout.sheet.columns.len()];
            for i in layout.own_columns().filter(|i| i % 3 != 1) {
                values[i] = sample(layout.sheet.columns[i].kind.stored(), i);
            }
            let meta = Meta { created_at: 1, created_by: "a".into(), updated_at: 2, version: 3 };
            let mut record = Record {
                lead: columns.take(lead).map(|(i, column)| sample(column.kind, i)).collect(),
                values,
                derived: Vec::new(),
                meta,
            };
            let marks = Marks::new(&policy);
            record.derived = derived(layout, &record.values, &record, (marks, &keys));
            let after = serde_json::from_str(&to_journal(layout, &record)).unwrap();
            let now = Record { values: Vec::new(), ..record.clone() };
            assert_eq!(restored(layout, &after, &now, (marks, &keys)), record, "{kind}");
        }
    }
}

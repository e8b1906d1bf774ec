//! Changing single records: fields of a request are read as the cells of a spreadsheet are, and every
//! change goes into the journal as one of an import does.

use std::sync::Arc;

use daohu_base::{Scope, Timestamp};
use daohu_db::{Tx, Value};
use daohu_policy::Policy;
use serde_json::{Map, Value as Json};

use super::{
    CellError, Kind, Layout, Meta, Raw, Reader, Record, Sheet, differing, field_error, from_json,
    journal_of, sql, to_journal,
};
use crate::{
    Context, Error, FieldError, Lang,
    journal::{self, Act, Action, Change},
    keys::Keys,
};

/// Columns and their new values.
pub(crate) type Changes = Vec<(usize, Value)>;

/// One field is wrong; the words come from the catalogue.
pub(crate) fn refused(column: &str, code: &'static str) -> Error {
    Error::Invalid(vec![wrong(column, code)])
}

fn wrong(column: &str, code: &'static str) -> FieldError {
    FieldError { column: column.to_owned(), value: None, code, ..FieldError::default() }
}

/// Reads the fields of a request as cells of the sheet: null clears. All that is wrong is told.
/// `fixed` columns do not belong into the request.
pub(crate) fn read(
    sheet: &'static Sheet,
    policy: &Policy,
    body: &Map<String, Json>,
    fixed: &[usize],
    lang: Lang,
) -> Result<Changes, Error> {
    let (changes, errors) = read_all(sheet, policy, body, fixed, lang);
    if errors.is_empty() { Ok(changes) } else { Err(Error::Invalid(errors)) }
}

/// Reads the fields of a new record; those that every record has must be there. `fixed` columns do not belong into
/// the request.
pub(crate) fn read_new(
    sheet: &'static Sheet,
    policy: &Policy,
    body: &Map<String, Json>,
    fixed: &[usize],
    lang: Lang,
) -> Result<Vec<Value>, Error> {
    let (changes, mut errors) = read_all(sheet, policy, body, fixed, lang);
    let open = sheet.columns.iter().enumerate().filter(|(i, _)| !fixed.contains(i));
    let missing = open.filter(|(_, column)| column.required && !body.contains_key(column.name));
    let missing = missing.map(|(_, column)| field_error(column, None, &CellError::Required, lang));
    errors.extend(missing);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let mut values = vec![Value::Null; sheet.columns.len()];
    lay(&mut values, &changes);
    Ok(values)
}

fn read_all(
    sheet: &'static Sheet,
    policy: &Policy,
    body: &Map<String, Json>,
    fixed: &[usize],
    lang: Lang,
) -> (Changes, Vec<FieldError>) {
    let reader = Reader::new(sheet, policy);
    let mut changes = Changes::new();
    let mut errors = Vec::new();
    for (name, json) in body {
        let position = sheet.columns.iter().position(|column| column.name == name);
        let position = position.filter(|i| !fixed.contains(i));
        let Some((i, column)) = position.and_then(|i| Some((i, sheet.columns.get(i)?))) else {
            errors.push(wrong(name, "request.field_unknown"));
            continue;
        };
        let Some(text) = from_json(column, json) else {
            errors.push(wrong(name, "request.field_type"));
            continue;
        };
        let raw = if text.is_empty() { Raw::Empty } else { Raw::Text(&text) };
        match reader.read(i, raw) {
            Ok((value, _)) => changes.push((i, value)),
            Err(error) => {
                // An amount is sent in fen; what was sent is what is repeated.
                let shown = if column.kind == Kind::Yuan { json.to_string() } else { text };
                errors.push(field_error(column, Some(&shown), &error, lang));
            }
        }
    }
    (changes, errors)
}

/// Lays changes over values.
pub(crate) fn lay(values: &mut [Value], changes: &Changes) {
    for (i, value) in changes {
        if let Some(slot) = values.get_mut(*i) {
            slot.clone_from(value);
        }
    }
}

/// The version that a change was made on must be the present one.
pub(crate) fn check_version(
    what: &'static str,
    record: &Record,
    version: i64,
) -> Result<(), Error> {
    let current = record.meta.version;
    if current == version { Ok(()) } else { Err(Error::Stale { what, current }) }
}

/// What a change is made with.
pub(crate) struct Frame {
    pub(crate) keys: Arc<Keys>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) act: Act,
    pub(crate) scope: Scope,
    pub(crate) lang: Lang,
}

impl Frame {
    pub(crate) fn new(context: &Context, act: Act, scope: Scope, lang: Lang) -> Self {
        let (keys, policy) = (context.keys.clone(), context.policy.clone());
        Self { keys, policy, act, scope, lang }
    }

    /// Puts the act behind what the records say of their last change: before the first of them is
    /// written.
    pub(crate) fn follow<'r>(&mut self, records: impl IntoIterator<Item = &'r Record>) {
        let last = records.into_iter().map(|record| record.meta.updated_at).max();
        self.act.follow(Timestamp(last.unwrap_or_default()));
    }

    /// Writes a new record; gives its journal entry. A key that is there already is a violation.
    pub(crate) async fn create(
        &self,
        tx: &mut Tx,
        (layout, kind, key): (&Layout, &'static str, String),
        (lead, values): (Vec<Value>, Vec<Value>),
    ) -> Result<(Record, Change), Error> {
        let (at, by) = (self.act.at.0, self.act.actor.name.clone());
        let meta = Meta { created_at: at, created_by: by, updated_at: at, version: 1 };
        let record = Record { lead, values, derived: Vec::new(), meta };
        let row = layout.to_row(&self.keys, &record)?;
        tx.insert_rows(&layout.table, &[row]).await?;
        let (county, after) = (record.county().to_owned(), Some(to_journal(layout, &record)));
        let action = Action::Created;
        let entry = Change { county, kind, record: key, action, before: None, after };
        Ok((record, entry))
    }

    /// Writes a changed record; gives its journal entry.
    pub(crate) async fn save(
        &self,
        tx: &mut Tx,
        (layout, kind, key): (&Layout, &'static str, String),
        before: &[Value],
        record: &mut Record,
    ) -> Result<Change, Error> {
        record.meta.updated_at = self.act.at.0;
        record.meta.version += 1;
        sql::save(tx, &self.keys, layout, record).await?;
        let changed = differing(before, &record.values);
        Ok(Change {
            county: record.county().to_owned(),
            kind,
            record: key,
            action: Action::Updated,
            before: Some(journal_of(layout, before, &changed)),
            after: Some(to_journal(layout, record)),
        })
    }

    /// Appends the entries to the journal.
    pub(crate) async fn record(&self, tx: &mut Tx, changes: Vec<Change>) -> Result<(), Error> {
        journal::record(tx, &self.keys, &self.act, changes).await
    }
}

//! What stands in the way of undoing an import.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::Scope;
use daohu_db::Tx;
use serde_json::Value as Json;

use super::{references::Naming, sql};
use crate::{
    Error, FieldError, Referrer,
    households::rows,
    journal::{self, Span},
    keys::Keys,
};

/// What stands in the way is named up to here.
const NAMED_MAX: usize = 100;
/// Of each, so many of those that refer to it.
pub(super) const NAMING_MAX: usize = 5;

/// Records that stand in the way, each once: kind, county, key, why; and what refers to them.
#[derive(Default)]
pub(super) struct Faults(BTreeMap<(String, String, String, &'static str), BTreeSet<Naming>>);

impl Faults {
    pub(super) fn add(&mut self, kind: &str, county: &str, record: &str, code: &'static str) {
        self.add_named(kind, (county, record), code, Vec::new());
    }

    /// The same, with what refers to it.
    pub(super) fn add_named(
        &mut self,
        kind: &str,
        (county, record): (&str, &str),
        code: &'static str,
        naming: Vec<Naming>,
    ) {
        let key = (kind.to_owned(), county.to_owned(), record.to_owned(), code);
        if !self.are_enough() || self.0.contains_key(&key) {
            let named = self.0.entry(key).or_default();
            let room = NAMING_MAX.saturating_sub(named.len());
            named.extend(naming.into_iter().take(room));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn are_enough(&self) -> bool {
        self.0.len() >= NAMED_MAX
    }

    /// The error that names them as people do: households, their members and incomes by 户编号; of what lies outside
    /// the scope only that there is something.
    pub(super) async fn told(
        self,
        tx: &mut Tx,
        keys: &Keys,
        (spans, scope): (&[Span], &Scope),
    ) -> Result<Error, Error> {
        let mut fields: Vec<FieldError> = Vec::new();
        for ((kind, county, record, code), naming) in self.0 {
            let value = shown(tx, keys, (spans, scope), (&kind, &county, record)).await?;
            let mut by = Vec::new();
            for naming in naming {
                let referrer = referrer(tx, keys, (spans, scope), naming).await?;
                if !by.contains(&referrer) {
                    by.push(referrer);
                }
            }
            let fault = FieldError { column: kind, value, code, by, ..FieldError::default() };
            if !fields.contains(&fault) {
                fields.push(fault);
            }
        }
        Ok(Error::InTheWay("import.in_the_way", fields))
    }
}

/// What refers to a record, as people name it; of what lies outside the scope no more than its kind.
async fn referrer(
    tx: &mut Tx,
    keys: &Keys,
    within: (&[Span], &Scope),
    (kind, county, record): Naming,
) -> Result<Referrer, Error> {
    let record = match kind {
        "household" | "income" => shown(tx, keys, within, (kind, &county, record)).await?,
        "person" | "membership" => {
            let person = record.rsplit('/').next().unwrap_or_default().to_owned();
            let no = shown(tx, keys, within, (kind, &county, record)).await?;
            no.map(|no| format!("{no}/{person}"))
        }
        "grant" => None,
        // Where an area is named that another follows, who may change areas knows both; what belongs to no area is
        // for who may see all.
        _ => {
            let scope = within.1;
            let is_shown = scope.ranges().is_none() || county.is_empty() || scope.covers(&county);
            Some(record).filter(|_| is_shown)
        }
    };
    Ok(Referrer { kind: kind.to_owned(), record })
}

async fn shown(
    tx: &mut Tx,
    keys: &Keys,
    (spans, scope): (&[Span], &Scope),
    (kind, county, record): (&str, &str, String),
) -> Result<Option<String>, Error> {
    let (first, rest) = record.split_once('/').unwrap_or((&record, ""));
    let Ok(id) = first.parse::<i64>() else { return Ok(Some(record)) };
    let household = match kind {
        "household" | "income" | "membership" => Some(id),
        "person" => match sql::home_of(tx, county, id).await? {
            Some(home) => Some(home),
            None => int(state(tx, keys, spans, (kind, county, id)).await?, "household"),
        },
        _ => return Ok(Some(record)),
    };
    let Some(household) = household else { return Ok(Some(record)) };
    let no = match rows::place_of(tx, county, household).await? {
        Some((_, village)) if !scope.covers(&village) => return Ok(None),
        Some((no, _)) => Some(no),
        // The import had made it: it was inside.
        None => state(tx, keys, spans, ("household", county, household))
            .await?
            .and_then(|state| state.get("no").and_then(Json::as_str).map(str::to_owned)),
    };
    Ok(Some(match (no, kind) {
        (Some(no), "income") => format!("{no}/{rest}"),
        (Some(no), _) => no,
        (None, _) => record,
    }))
}

/// What the import had made of a record that is taken away by now.
async fn state(
    tx: &mut Tx,
    keys: &Keys,
    spans: &[Span],
    (kind, county, id): (&str, &str, i64),
) -> Result<Option<serde_json::Map<String, Json>>, Error> {
    let Some(span) = spans.iter().find(|span| span.county == county) else { return Ok(None) };
    let named = [(kind.to_owned(), id.to_string())];
    let mut states = journal::states_before(tx, keys, county, &named, span.last + 1).await?;
    let [name] = named;
    Ok(states.remove(&name))
}

fn int(state: Option<serde_json::Map<String, Json>>, name: &str) -> Option<i64> {
    state?.get(name).and_then(Json::as_i64)
}

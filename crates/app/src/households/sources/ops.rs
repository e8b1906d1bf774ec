//! Reading where facts come from.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{Day, Scope, Timestamp};
use daohu_db::{FutureExt, Tx};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::model::{Written, last_written};
use crate::{
    Context, Error, area_changes,
    households::{
        model::HouseholdRow,
        ops::{Dossier, dossier_of, find, members_then, until},
        record::ops as record,
        sql as rows,
    },
    journal::{self, Action, Entry},
    keys::Keys,
    registers,
};

/// Entries of one record that are looked at first, the latest of them; twice as many, where they do not tell all.
const ENTRIES: i64 = 200;
/// Entries of one record that are looked at in the end: more than anybody makes. The answer says so where it is not whole.
const ENTRIES_MAX: i64 = 25_600;

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Source {
    /// When it was written.
    #[schema(format = DateTime)]
    at: String,
    /// The user, or `system`.
    actor: String,
    /// The grant that allowed it.
    authority: String,
    /// `api`, an import with its job, or a command.
    source: String,
    /// The entry's place in the county's chain; null while it waits to be sealed.
    sequence: Option<i64>,
    #[serde(skip)]
    on: Day,
}

/// Where the columns of one record come from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RecordSources {
    /// `household`, `person`, `income` or `pairing`.
    kind: String,
    /// The record's key within its kind, as in the journal.
    record: String,
    /// False if older entries were not looked at: a column that is not listed was written by one of them.
    is_whole: bool,
    /// Who wrote each column last. One that was never known is not listed.
    columns: BTreeMap<String, Source>,
}

/// Where the facts of a household come from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Sources {
    /// The household's id.
    id: i64,
    /// The six digits it is stored under.
    pub(super) county: String,
    /// True if each of the records is.
    is_whole: bool,
    /// The household, its members, its incomes and who helps it.
    records: Vec<RecordSources>,
}

impl Source {
    /// The day of the instant, in China.
    pub fn day(&self) -> Day {
        self.on
    }

    /// The user, or `system`.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// `api`, an import with its job, or a command.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl From<(Option<i64>, &Entry)> for Source {
    fn from((sequence, entry): (Option<i64>, &Entry)) -> Self {
        Self {
            at: Timestamp(entry.at).to_string(),
            on: Timestamp(entry.at).day(),
            actor: entry.actor.clone(),
            authority: entry.authority.clone(),
            source: entry.source.clone(),
            sequence,
        }
    }
}

/// Of each column of a household's records, who wrote it last, on a day or until now.
pub(super) async fn sources(
    context: &Context,
    scope: Scope,
    id: i64,
    as_of: Option<Day>,
) -> Result<Sources, Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let home = record::household(tx, &keys, &scope, id).await?;
        sources_of(tx, &keys, &home, as_of).await
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// How a household is named.
#[derive(Clone, Debug)]
pub enum Named {
    /// By its id.
    Id(i64),
    /// By its number: `NO`, or `COUNTY/NO`.
    No(String),
}

/// A household with where its facts come from; on a past day, as the journal tells it.
pub(crate) async fn with_sources(
    context: &Context,
    scope: Scope,
    named: Named,
    as_of: Option<Day>,
) -> Result<(Dossier, Sources), Error> {
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let row = match named {
            Named::Id(id) => record::household(tx, &keys, &scope, id).await?,
            Named::No(no) => find(tx, &keys, &scope, &no).await?,
        };
        let dossier = dossier_of(tx, (&keys, &policy, &scope), &row, as_of).await?;
        Ok((dossier, sources_of(tx, &keys, &row, as_of).await?))
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// What the journal tells of a household's past.
pub(crate) struct Past {
    /// The household as it is now.
    pub(crate) dossier: Dossier,
    /// The days in China on which it, somebody who belongs or belonged to it, or an income of it was written, in their order.
    pub(crate) days: Vec<Day>,
    /// The household's own record as it stood at the end of each day on which it was written.
    pub(crate) states: Vec<(Day, Map<String, Json>)>,
}

/// When a household was written, as the journal tells it; what was undone was not.
pub(crate) async fn past_of(context: &Context, scope: Scope, named: Named) -> Result<Past, Error> {
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let home = match named {
            Named::Id(id) => record::household(tx, &keys, &scope, id).await?,
            Named::No(no) => find(tx, &keys, &scope, &no).await?,
        };
        let (id, county) = (home.id(), home.county().to_owned());
        let counties = area_changes::rows::counties_before(tx, &county).await?;
        let own = id.to_string();
        let mut days = days_of(tx, &counties, ("household", &own)).await?;
        let mut states = Vec::new();
        for day in &days {
            let of = ("household", own.as_str());
            let state = journal::state_in(tx, &keys, &counties, of, until(Some(*day))).await?;
            states.extend(state.map(|(_, state)| (*day, state)));
        }
        let mut persons: BTreeSet<i64> =
            rows::persons_of(tx, &keys, &county, &[id]).await?.iter().map(|own| own.id()).collect();
        let past = rows::past_memberships_of(tx, &county, &[id]).await?;
        persons.extend(past.iter().map(|own| own.person));
        for person in persons {
            days.extend(days_of(tx, &counties, ("person", &person.to_string())).await?);
        }
        for income in rows::incomes_of(tx, &keys, &county, &[id]).await? {
            let record = format!("{id}/{}", income.year());
            days.extend(days_of(tx, &counties, ("income", &record)).await?);
        }
        let dossier = dossier_of(tx, (&keys, &policy, &scope), &home, None).await?;
        Ok::<_, Error>(Past { dossier, days: days.into_iter().collect(), states })
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// The days on which a record was written.
async fn days_of(
    tx: &mut Tx,
    counties: &[String],
    record: (&str, &str),
) -> Result<BTreeSet<Day>, Error> {
    let entries = journal::history_in(tx, counties, record, until(None), ENTRIES_MAX).await?;
    let entries = journal::without_undone(entries);
    Ok(entries.iter().map(|(_, entry)| Timestamp(entry.at).day()).collect())
}

async fn sources_of(
    tx: &mut Tx,
    keys: &Keys,
    home: &HouseholdRow,
    as_of: Option<Day>,
) -> Result<Sources, Error> {
    let (id, county) = (home.id(), home.county().to_owned());
    let counties = area_changes::rows::counties_before(tx, &county).await?;
    let mut keys_of = vec![("household", id.to_string())];
    for (person, _) in members_then(tx, keys, (&counties, id), until(as_of)).await? {
        keys_of.push(("person", person.to_string()));
    }
    for income in rows::incomes_of(tx, keys, &county, &[id]).await? {
        keys_of.push(("income", format!("{id}/{}", income.year())));
    }
    for pairing in registers::rows::pairings_of(tx, keys, &county, &[id]).await? {
        keys_of.push((registers::PAIRING, registers::pairing_key(&pairing)));
    }
    let mut records = Vec::new();
    for (kind, record) in keys_of {
        records.extend(record_sources(tx, keys, &counties, (kind, &record), as_of).await?);
    }
    if records.is_empty() {
        return Err(Error::NotFound("household"));
    }
    let is_whole = records.iter().all(|record| record.is_whole);
    Ok(Sources { id, county, is_whole, records })
}

impl Sources {
    /// Who wrote a column last: of a person, or of the household itself.
    pub(crate) fn of(&self, person: Option<i64>, column: &str) -> Option<Source> {
        let (kind, record) = match person {
            Some(person) => ("person", person.to_string()),
            None => ("household", self.id.to_string()),
        };
        let mut records = self.records.iter();
        let own = records.find(|own| own.kind == kind && own.record == record)?;
        own.columns.get(column).cloned()
    }
}

/// Where the columns of a record come from; none if on that day it was not there yet.
async fn record_sources(
    tx: &mut Tx,
    keys: &Keys,
    counties: &[String],
    (kind, record): (&str, &str),
    as_of: Option<Day>,
) -> Result<Option<RecordSources>, Error> {
    let mut limit = ENTRIES;
    loop {
        let entries =
            journal::history_in(tx, counties, (kind, record), until(as_of), limit).await?;
        let is_all = i64::try_from(entries.len()).is_ok_and(|count| count < limit);
        let entries = journal::without_undone(entries);
        if entries.is_empty() && is_all {
            return Ok(None);
        }
        let (columns, is_whole) = written(keys, &entries)?;
        if is_whole || is_all || limit >= ENTRIES_MAX {
            let (kind, record) = (kind.to_owned(), record.to_owned());
            return Ok(Some(RecordSources { kind, record, is_whole, columns }));
        }
        limit *= 2;
    }
}

fn written(
    keys: &Keys,
    entries: &[(Option<i64>, Entry)],
) -> Result<(BTreeMap<String, Source>, bool), Error> {
    let mut after: Vec<Map<String, Json>> = Vec::new();
    let mut written = Vec::new();
    for entry in entries {
        // That a record went to another county says nothing of what is in it.
        if let Some(state) = journal::after_of(&entry.1.open(keys)?) {
            after.push(state);
            written.push(entry);
        }
    }
    let entries = written;
    let first = entries.last().map(|(_, entry)| entry.action.as_str());
    let is_all = first == Some(Action::Created.as_str());
    let Written { columns, is_whole } = last_written(&after, is_all);
    let source = |(name, i): (String, usize)| {
        let (sequence, entry) = *entries.get(i)?;
        Some((name, Source::from((*sequence, entry))))
    };
    // Of a record whose entries were not looked at nothing is known.
    let is_whole = is_whole && !entries.is_empty();
    Ok((columns.into_iter().filter_map(source).collect(), is_whole))
}

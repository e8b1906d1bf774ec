//! What happened to a household, as the journal tells it to who may see that household.

use std::collections::HashMap;

use daohu_base::Scope;
use daohu_db::{FutureExt, Tx};
use serde_json::{Map, Value as Json};

use super::ops::{household, village_in};
use crate::{
    Context, Error, area_changes,
    households::sql as rows,
    journal::{self, Entry},
    keys::Keys,
    registers,
    sheet::{HOUSEHOLDS, INCOMES, PAIRINGS, PERSONS, shown_journal},
};

/// An entry with its body, as it is shown.
pub(super) struct Told {
    pub(super) entry: Entry,
    pub(super) before: Option<Map<String, Json>>,
    pub(super) after: Option<Map<String, Json>>,
}

impl Told {
    /// Where the list goes on.
    pub(super) fn mark(&self) -> (i64, i64, i64) {
        mark(&self.entry)
    }

    fn open(keys: &Keys, entry: Entry) -> Result<Self, Error> {
        let body = entry.open(keys)?;
        let mut body: Map<String, Json> = serde_json::from_slice(&body).unwrap_or_default();
        let sheet = match entry.kind.as_str() {
            PERSON => &PERSONS,
            "income" => &INCOMES,
            registers::PAIRING => &PAIRINGS,
            _ => &HOUSEHOLDS,
        };
        let mut take = |name: &str| match body.remove(name) {
            Some(Json::Object(object)) => Some(shown_journal(sheet, object)),
            _ => None,
        };
        let (before, after) = (take("before"), take("after"));
        Ok(Self { entry, before, after })
    }

    /// The household that a person belongs to afterwards.
    fn household(&self) -> Option<i64> {
        self.after.as_ref()?.get("household")?.as_i64()
    }
}

const PERSON: &str = "person";
const PERSON_REVEAL: &str = "person_reveal";

fn mark(entry: &Entry) -> (i64, i64, i64) {
    (entry.at, entry.stamp, entry.position)
}

/// What happened to a household, its members, its incomes and its helpers, latest first, beside the
/// household's county. Of a member's time in a household outside the scope it is told that something was written, when and
/// by whom, and not what.
pub(super) async fn story(
    context: &Context,
    scope: Scope,
    id: i64,
    after: Option<(i64, i64, i64)>,
    limit: i64,
) -> Result<(String, Vec<Told>), Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let home = household(tx, &keys, &scope, id).await?;
        let county = home.county();
        let mut records: Vec<(&str, String)> =
            ["household", "household_reveal"].map(|kind| (kind, id.to_string())).into();
        for person in rows::persons_of(tx, &keys, county, &[id]).await? {
            let of = |kind| (kind, person.id().to_string());
            records.extend([PERSON, PERSON_REVEAL].map(of));
        }
        for income in rows::incomes_of(tx, &keys, county, &[id]).await? {
            records.push(("income", format!("{id}/{}", income.year())));
        }
        for pairing in registers::rows::pairings_of(tx, &keys, county, &[id]).await? {
            records.push((registers::PAIRING, registers::pairing_key(&pairing)));
        }
        let counties = area_changes::rows::counties_before(tx, county).await?;
        let of_county =
            |county| records.iter().map(move |(kind, record)| (county, *kind, record.as_str()));
        let records: Vec<_> =
            counties.iter().flat_map(|county| of_county(county.as_str())).collect();
        // Not from now on: a server whose clock is ahead may have written.
        let before = after.unwrap_or((i64::MAX, i64::MAX, i64::MAX));
        let entries = journal::latest_of(tx, &records, before, limit).await?;
        let told: Result<Vec<Told>, Error> =
            entries.into_iter().map(|entry| Told::open(&keys, entry)).collect();
        let mut told = told?;
        let seen = HashMap::from([(id, true)]);
        let around = area_changes::rows::counties_around(tx, county).await?;
        let mut teller = Teller {
            keys: &keys,
            scope: &scope,
            counties: &counties,
            around: &around,
            seen,
            homes: HashMap::new(),
        };
        // The first of them first: each entry says where the person was when the next was written.
        for one in told.iter_mut().rev() {
            teller.withhold(tx, one).await?;
        }
        Ok((county.to_owned(), told))
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// What takes out of entries what they say of households outside the scope.
struct Teller<'a> {
    keys: &'a Keys,
    scope: &'a Scope,
    /// The household's, and those that rows of it came from.
    counties: &'a [String],
    /// Where households that persons belonged to may lie by now.
    around: &'a [String],
    /// Households that persons belonged to: true if the caller may see them.
    seen: HashMap<i64, bool>,
    /// Where each person belonged after the entry that was looked at last.
    homes: HashMap<String, Option<i64>>,
}

impl Teller<'_> {
    async fn withhold(&mut self, tx: &mut Tx, told: &mut Told) -> Result<(), Error> {
        let kind = told.entry.kind.as_str();
        if !matches!(kind, PERSON | PERSON_REVEAL) {
            return Ok(());
        }
        let was = match self.homes.get(&told.entry.record) {
            Some(home) => *home,
            None => self.home_before(tx, &told.entry).await?,
        };
        let is = if kind == PERSON { told.household() } else { was };
        self.homes.insert(told.entry.record.clone(), is);
        if !self.is_seen(tx, was).await? {
            told.before = None;
        }
        if !self.is_seen(tx, is).await? {
            told.after = None;
        }
        Ok(())
    }

    /// Where a person belonged when an entry was written; none if nobody knew the person.
    async fn home_before(&self, tx: &mut Tx, entry: &Entry) -> Result<Option<i64>, Error> {
        let counties = self.counties.iter().map(String::as_str);
        let records: Vec<_> =
            counties.map(|county| (county, PERSON, entry.record.as_str())).collect();
        let last = journal::latest_of(tx, &records, mark(entry), 1).await?.pop();
        let last = last.map(|last| Told::open(self.keys, last)).transpose()?;
        Ok(last.and_then(|last| last.household()))
    }

    async fn is_seen(&mut self, tx: &mut Tx, household: Option<i64>) -> Result<bool, Error> {
        let Some(id) = household else { return Ok(false) };
        if let Some(is_seen) = self.seen.get(&id) {
            return Ok(*is_seen);
        }
        let village = village_in(tx, self.around, "household", &id.to_string()).await?;
        let is_seen = village.is_some_and(|village| self.scope.covers(&village));
        self.seen.insert(id, is_seen);
        Ok(is_seen)
    }
}

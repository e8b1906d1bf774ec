//! Appending and sealing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use daohu_base::Timestamp;
use daohu_db::{Engine, Error as DbError, FutureExt, Suspended, Tx};
use serde_json::{Map, Value as Json};

use super::{
    model::{Act, Action, Change, Draft, Entry, HeadPosition, Link, Position, RecordRef, Root},
    sql,
};
use crate::{
    Error,
    keys::{KeyError, Keys, hex},
};

/// Entries moved at once: bounds the memory.
const SEAL_BATCH: i64 = 1_000;
/// Entries that are tried with keys that may be the wrong ones.
const LOOKED_AT: i64 = 20;

/// Appends the changes of one transaction, unsealed.
pub async fn record(
    tx: &mut Tx,
    keys: &Keys,
    act: &Act,
    changes: Vec<Change>,
) -> Result<(), Error> {
    let draft = Draft { act: act.clone(), position: 0, changes };
    Ok(sql::append(tx, draft.entries(keys)?).await?)
}

/// Seals what waits in one county; returns how many entries. A transaction seals one county only: it
/// never waits for a head while it holds another, as an import does.
async fn seal(tx: &mut Tx, county: &str, at: Timestamp) -> Result<usize, Error> {
    let mut bulk = Bulk::default();
    let sealed = bulk.lock(tx, county).await?;
    bulk.finish(tx, at).await?;
    Ok(sealed)
}

/// Appends sealed entries directly, holding the heads of their counties until the transaction ends.
#[derive(Default)]
pub struct Bulk {
    heads: BTreeMap<String, Head>,
}

struct Head {
    sequence: i64,
    chain: Link,
    moved: bool,
    /// The place before the first entry of the transaction's own.
    begun: i64,
}

/// The entries that a transaction sealed of its own in a county's chain: one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Six digits, or [`super::NO_COUNTY`].
    pub county: String,
    /// The place of the first.
    pub first: i64,
    /// The place of the last.
    pub last: i64,
}

/// Keeps everybody else from sealing until the transaction ends, and makes the journal's indexes
/// afterwards: for an import into a registry that was empty.
pub async fn fill(tx: &mut Tx) -> Result<Suspended, Error> {
    // In the order of the sealer, which takes a head before it inserts: neither waits for the other.
    tx.lock_table("journal_heads").await?;
    Ok(tx.suspend_indexes(&["journal"]).await?)
}

/// Entries with their places, ready to be inserted.
pub struct Linked(Vec<sql::Sealed>);

impl Bulk {
    /// Locks a county's head. What waits there is sealed first: it was written before.
    async fn lock(&mut self, tx: &mut Tx, county: &str) -> Result<usize, Error> {
        if self.heads.contains_key(county) {
            return Ok(0);
        }
        let (sequence, chain) = sql::lock_head(tx, county).await?;
        self.heads
            .insert(county.to_owned(), Head { sequence, chain, moved: false, begun: sequence });
        let mut sealed = 0;
        loop {
            let waiting = sql::pending_of(tx, county, SEAL_BATCH).await?;
            if waiting.is_empty() {
                if let Some(head) = self.heads.get_mut(county) {
                    head.begun = head.sequence;
                }
                return Ok(sealed);
            }
            for entry in &waiting {
                sql::drop_pending(tx, entry).await?;
            }
            sealed += waiting.len();
            self.link_entries(waiting)?.insert(tx).await?;
        }
    }

    /// Locks the heads of the counties of a draft: what [`Bulk::link`] needs.
    pub async fn lock_for(&mut self, tx: &mut Tx, draft: &Draft) -> Result<(), Error> {
        let counties = draft.changes.iter().map(|change| change.county.as_str());
        let counties: BTreeSet<&str> = counties.collect();
        for county in counties {
            self.lock(tx, county).await?;
        }
        Ok(())
    }

    /// Gives the changes of a draft the next places, in this order. Only computes: an import does it
    /// beside its other writes.
    ///
    /// Errors: a county whose head is not locked.
    pub fn link(&mut self, keys: &Keys, draft: Draft) -> Result<Linked, Error> {
        self.link_entries(draft.entries(keys)?)
    }

    fn link_entries(&mut self, entries: Vec<Entry>) -> Result<Linked, Error> {
        let mut sealed = Vec::with_capacity(entries.len());
        for entry in entries {
            // Without its head an entry would be lost, and with it a change: nothing is written.
            let head = self.heads.get_mut(&entry.county).ok_or(daohu_db::Error::NoRow)?;
            head.sequence += 1;
            head.chain = entry.link(&head.chain, head.sequence);
            head.moved = true;
            sealed.push(sql::Sealed { sequence: head.sequence, chain: head.chain, entry });
        }
        Ok(Linked(sealed))
    }

    /// Writes the heads back and adds them to the root chain. Gives where the transaction's own entries are.
    pub async fn finish(self, tx: &mut Tx, at: Timestamp) -> Result<Vec<Span>, Error> {
        let moved: Vec<_> = self.heads.into_iter().filter(|(_, head)| head.moved).collect();
        let span = |(county, head): &(String, Head)| {
            let county = county.clone();
            Span { county, first: head.begun + 1, last: head.sequence }
        };
        let spans = moved.iter().map(span).filter(|span| span.first <= span.last).collect();
        if moved.is_empty() {
            return Ok(spans);
        }
        let (mut number, mut chain) = sql::lock_root(tx).await?;
        for (county, head) in moved {
            sql::set_head(tx, &county, head.sequence, &head.chain).await?;
            number += 1;
            let (sequence, head) = (head.sequence, head.chain);
            let root = Root { number, at: at.0, county, sequence, head };
            chain = root.link(&chain);
            sql::insert_root(tx, &root, &chain).await?;
        }
        Ok(spans)
    }
}

impl Linked {
    /// Writes them.
    pub async fn insert(self, tx: &mut Tx) -> Result<(), Error> {
        Ok(sql::insert_sealed(tx, self.0).await?)
    }
}

/// Seals everything that waits, but for counties whose chain somebody holds: an import does until it is stored, and
/// seals what had waited there itself. Tells how many entries.
pub async fn seal_all(context: &crate::Context) -> Result<usize, Error> {
    let waiting = async |tx: &mut Tx| sql::counties_pending(tx).await;
    let counties = context.db.read(move |tx| async move { waiting(tx).await }.boxed()).await?;
    let (mut total, engine) = (0, context.db.engine());
    for county in counties {
        let at = context.clock.now();
        let work = async move |tx: &mut Tx| {
            tx.wait_briefly().await?;
            seal(tx, &county, at).await
        };
        match context.db.write(move |tx| async move { work(tx).await }.boxed()).await {
            Ok(sealed) => total += sealed,
            Err(Error::Store(DbError::Busy)) if engine == Engine::Postgres => {}
            // The store is one, and so is its lock.
            Err(Error::Store(DbError::Busy)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// True if these are the keys of this database, as far as can be seen: they open an entry of its journal.
/// One that was altered must not make them look wrong.
async fn fits(tx: &mut Tx, keys: &Keys) -> Result<bool, Error> {
    let some = sql::some(tx, LOOKED_AT).await?;
    Ok(some.is_empty() || some.iter().any(|entry| entry.open(keys).is_ok()))
}

/// An error if these are not the keys of this database, as far as can be seen.
pub async fn check_keys(tx: &mut Tx, keys: &Keys) -> Result<(), Error> {
    if fits(tx, keys).await? { Ok(()) } else { Err(KeyError::Sealed.into()) }
}

/// True if these are the keys of a database, as far as can be seen.
pub async fn opens(db: &daohu_db::Db, keys: &Arc<Keys>) -> Result<bool, Error> {
    let keys = Arc::clone(keys);
    db.read(move |tx| async move { fits(tx, &keys).await }.boxed()).await
}

/// How far the journal has come.
pub async fn position(tx: &mut Tx) -> Result<Position, Error> {
    let head = |(county, sequence, chain): (String, i64, Link)| {
        let chain = hex(&chain);
        HeadPosition { county, sequence, chain }
    };
    let heads = sql::heads(tx).await?.into_iter().map(head).collect();
    let (root, chain) = sql::last_root(tx).await?;
    Ok(Position { root, root_chain: hex(&chain), heads })
}

/// How many entries a county has, those that wait to be sealed among them: it moves with whatever is written of the
/// county.
pub(crate) async fn sequence(tx: &mut Tx, county: &str) -> Result<i64, Error> {
    Ok(sql::sequence(tx, county).await? + sql::count_waiting(tx, county).await?)
}

/// How often a record was written up to an instant, and the JSON text `{"before": …, "after": …}` of the
/// last time; none if it was not there yet.
pub async fn state_at(
    tx: &mut Tx,
    keys: &Keys,
    record: RecordRef<'_>,
    until: Timestamp,
) -> Result<Option<(i64, Vec<u8>)>, Error> {
    let Some((_, last)) = sql::last_entry(tx, record, until.0).await? else { return Ok(None) };
    let version = sql::count_entries(tx, record, until.0).await?;
    Ok(Some((version, last.open(keys)?)))
}

/// As [`state_at`], of a record that may have lain in other counties: the present one first. The version
/// goes on where the record went from one to the other.
pub async fn state_in(
    tx: &mut Tx,
    keys: &Keys,
    counties: &[String],
    (kind, record): (&str, &str),
    until: Timestamp,
) -> Result<Option<(i64, Map<String, Json>)>, Error> {
    let (mut version, mut state) = (0, None);
    for county in counties {
        let Some((entries, body)) = state_at(tx, keys, (county, kind, record), until).await? else {
            continue;
        };
        // That it went and that it came is one change.
        version += if version == 0 { entries } else { entries - 1 };
        state = state.or_else(|| after_of(&body));
    }
    Ok(state.map(|state| (version, state)))
}

/// The entries that wrote a record up to an instant, the latest first, at most so many, of one that may have lain in
/// other counties: the present one first.
pub async fn history_in(
    tx: &mut Tx,
    counties: &[String],
    (kind, record): (&str, &str),
    until: Timestamp,
    limit: i64,
) -> Result<Vec<(Option<i64>, Entry)>, Error> {
    let mut found = Vec::new();
    for county in counties {
        let rest = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(limit));
        found.extend(history(tx, (county, kind, record), until, rest).await?);
    }
    Ok(found)
}

/// Entries of one record, the latest first, as if what was undone had not been: without the entry that took one back,
/// and without that one.
pub(crate) fn without_undone(entries: Vec<(Option<i64>, Entry)>) -> Vec<(Option<i64>, Entry)> {
    let (mut kept, mut taken_back) = (Vec::with_capacity(entries.len()), 0_u32);
    for (sequence, entry) in entries {
        if entry.action == Action::Undone.as_str() {
            taken_back += 1;
        } else if taken_back > 0 {
            taken_back -= 1;
        } else {
            kept.push((sequence, entry));
        }
    }
    kept
}

/// The entries that wrote a record up to an instant, the latest first, at most so many; each with its place in the
/// chain, none while it waits to be sealed.
async fn history(
    tx: &mut Tx,
    record: RecordRef<'_>,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<(Option<i64>, Entry)>, Error> {
    Ok(sql::history(tx, record, until.0, limit).await?)
}

/// The sealed entries of a span, in pages from the last to the first.
pub(crate) async fn page_of(
    tx: &mut Tx,
    span: &Span,
    limit: i64,
) -> Result<Vec<(i64, Entry)>, Error> {
    let from = span.first.max(span.last - limit + 1);
    let mut sealed = sql::sealed_between(tx, &span.county, from, span.last).await?;
    sealed.sort_by_key(|sealed| std::cmp::Reverse(sealed.sequence));
    Ok(sealed.into_iter().map(|sealed| (sealed.sequence, sealed.entry)).collect())
}

/// What records of a county (kind and key) were before a place in its chain; those that were not there are left
/// out.
pub(crate) async fn states_before(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    records: &[(String, String)],
    sequence: i64,
) -> Result<HashMap<(String, String), Map<String, Json>>, Error> {
    let mut found = HashMap::new();
    for entry in sql::entries_before(tx, county, records, sequence).await? {
        if let Some(after) = after_of(&entry.open(keys)?) {
            found.insert((entry.kind, entry.record), after);
        }
    }
    Ok(found)
}

/// When the last entry of a span was written.
pub(crate) async fn ended_at(tx: &mut Tx, span: &Span) -> Result<Timestamp, Error> {
    let last = Span { first: span.last, ..span.clone() };
    let entries = page_of(tx, &last, 1).await?;
    Ok(entries.first().map_or(Timestamp(0), |(_, entry)| Timestamp(entry.at)))
}

/// Those of these records of a county that were written behind a place in its chain.
pub(crate) async fn written_since(
    tx: &mut Tx,
    county: &str,
    records: &[(String, String)],
    last: i64,
) -> Result<Vec<(String, String)>, Error> {
    Ok(sql::written_since(tx, county, records, last).await?)
}

/// What a record was after an entry, of the entry's body.
pub(crate) fn after_of(body: &[u8]) -> Option<Map<String, Json>> {
    let mut body: Map<String, Json> = serde_json::from_slice(body).ok()?;
    match body.remove("after")? {
        Json::Object(after) => Some(after),
        _ => None,
    }
}

/// The latest entries of several records together before a mark of instant, stamp and position, the
/// latest first, at most so many: however long a history is, a page of it is in memory.
pub async fn latest_of(
    tx: &mut Tx,
    records: &[RecordRef<'_>],
    before: (i64, i64, i64),
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut latest: Vec<Entry> = Vec::new();
    for record in records {
        latest.extend(sql::latest_of(tx, *record, before, limit).await?);
        latest.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.stamp, entry.position)));
        latest.truncate(most);
    }
    Ok(latest)
}

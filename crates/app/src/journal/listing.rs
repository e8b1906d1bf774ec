//! Lists of the journal, latest first.

use daohu_base::{AreaCode, Scope};
use daohu_db::{FutureExt, Tx};

use super::{
    model::Entry,
    sql::{self, Wanted},
};
use crate::{Context, Error, area_changes, households, registers};

/// Entries looked at for one page, when most of them lie outside the scope or are of another kind.
const LOOKED_AT_MAX: usize = 2_000;
/// Entries fetched at once.
const BATCH: i64 = 200;

/// Where a list goes on: the place in the chain, if it is sealed; stamp and position.
pub(super) type Mark = (Option<i64>, i64, i64);

/// What is wanted of the journal.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// Six digits; `000000` for what belongs to no county.
    pub(super) county: String,
    /// `household`, `user` …
    pub(super) kind: Option<String>,
    /// The record's key.
    pub(super) record: Option<String>,
}

/// Whose view of the journal it is.
#[derive(Clone, Debug)]
pub(super) enum View {
    /// An auditor of the system: all entries, without what they say.
    Administrators,
    /// Somebody with an area: entries of records in it.
    Within(Scope),
}

/// An entry with what it says, where that may be seen.
pub(super) struct Line {
    pub(super) mark: Mark,
    pub(super) entry: Entry,
    pub(super) body: Option<Vec<u8>>,
}

/// A page of the journal; the mark is there if there may be more.
pub(super) async fn list(
    context: &Context,
    view: View,
    query: Query,
    after: Option<Mark>,
    limit: usize,
) -> Result<(Vec<Line>, Option<Mark>), Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        // Where rows of the county are now: asked for once, not for each entry.
        let counties = area_changes::rows::counties_after(tx, &query.county).await?;
        let sees_all = sees_all(tx, &view, &counties).await?;
        let (mut after, mut lines, mut looked_at) = (after, Vec::new(), 0);
        loop {
            let some = batch(tx, &query, after).await?;
            let is_end = some.is_empty();
            for (mark, entry) in some {
                looked_at += 1;
                after = Some(mark);
                let is_wanted = query.kind.as_ref().is_none_or(|kind| *kind == entry.kind);
                if is_wanted && (sees_all || is_visible(tx, &view, &counties, &entry).await?) {
                    let shows = matches!(view, View::Within(_));
                    let body = if shows { Some(entry.open(&keys)?) } else { None };
                    lines.push(Line { mark, entry, body });
                }
                if lines.len() == limit || looked_at == LOOKED_AT_MAX {
                    return Ok((lines, after));
                }
            }
            if is_end {
                return Ok((lines, None));
            }
        }
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// The next entries: those that wait to be sealed, then the chain from its end.
async fn batch(
    tx: &mut Tx,
    query: &Query,
    after: Option<Mark>,
) -> Result<Vec<(Mark, Entry)>, Error> {
    let record = query.record.as_deref();
    // Without a record no index knows the kind: a rare one would be looked for through all the county.
    let kind = query.kind.as_deref().filter(|_| record.is_some());
    let wanted = Wanted { county: &query.county, kind, record };
    let (sequence, pending) = match after {
        Some((Some(sequence), ..)) => (Some(sequence), None),
        Some((None, stamp, position)) => (None, Some((stamp, position))),
        None => (None, None),
    };
    if sequence.is_none() {
        let entries = sql::latest_pending(tx, &wanted, pending, BATCH).await?;
        if !entries.is_empty() {
            let mark = |entry: &Entry| (None, entry.stamp, entry.position);
            return Ok(entries.into_iter().map(|entry| (mark(&entry), entry)).collect());
        }
    }
    let entries = sql::latest_sealed(tx, &wanted, sequence, pending, BATCH).await?;
    let line =
        |(sequence, entry): (i64, Entry)| ((Some(sequence), entry.stamp, entry.position), entry);
    Ok(entries.into_iter().map(line).collect())
}

/// True if all of a county's journal may be seen: by who has the county, or what it became as a whole. `counties` are
/// itself, and those that rows of its went to.
///
/// Errors: none of them has to do with the scope.
async fn sees_all(tx: &mut Tx, view: &View, counties: &[String]) -> Result<bool, Error> {
    let View::Within(scope) = view else { return Ok(true) };
    let touches = |county: &String| AreaCode::parse(county).is_ok_and(|area| scope.touches(&area));
    let county = counties.first().filter(|_| counties.iter().any(touches));
    let county = county.ok_or(Error::NotFound("county"))?;
    let heirs = area_changes::rows::county_heirs(tx, county).await?;
    Ok(heirs.iter().any(|heir| scope.covers(heir)))
}

async fn is_visible(
    tx: &mut Tx,
    view: &View,
    counties: &[String],
    entry: &Entry,
) -> Result<bool, Error> {
    let View::Within(scope) = view else { return Ok(true) };
    if matches!(entry.kind.as_str(), "area" | "export") {
        return Ok(scope.covers(&entry.record));
    }
    let (county, kind, record) = (&entry.county, &entry.kind, &entry.record);
    let area = match households::village_in(tx, counties, kind, record).await? {
        None => registers::area_of(tx, county, kind, record).await?,
        village => village,
    };
    Ok(area.is_some_and(|area| scope.covers(&area)))
}

//! What was written since one looked last: how a picture of the data that is kept in memory stays that of the store.
//!
//! Entries become visible when they are committed, and get their place in the chain later, in whatever order the sealer finds
//! them. Therefore a reader stands behind a sealed entry, and remembers which of those that waited it has seen.

mod sql;

use std::collections::{BTreeMap, BTreeSet};

use daohu_db::Tx;
use serde::{Deserialize, Serialize};

use super::sql::{chain_at, heads};
use crate::Error;

/// Where a reader stands in the journal of a county.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The last sealed entry that was seen; 0 for none.
    sequence: i64,
    /// The chain there: a database that was put back from a backup has another.
    chain: [u8; 32],
    /// What waited to be sealed, by stamp and position.
    waited: BTreeSet<(i64, i64)>,
}

/// What was written in a county behind a mark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) county: String,
    pub(crate) records: Records,
    /// Where the reader stands then.
    pub(crate) mark: Mark,
}

/// Records that were written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Records {
    /// By kind and key, each once.
    These(BTreeSet<(String, String)>),
    /// So many, or the journal is another one: all must be read anew.
    Any,
}

/// Records of these kinds that were written behind the marks of their counties, counties where nothing was left out; of more than
/// so many of one county it is not told which.
pub(crate) async fn written_behind(
    tx: &mut Tx,
    marks: &BTreeMap<String, Mark>,
    (kinds, most): (&[&str], usize),
) -> Result<Vec<Written>, Error> {
    let mut now = now(tx, kinds).await?;
    // A journal that is gone altogether.
    for county in marks.keys() {
        now.entry(county.clone()).or_default();
    }
    let mut written = Vec::new();
    let start = Mark::default();
    for (county, now) in now {
        let mark = marks.get(&county).unwrap_or(&start);
        if mark.sequence == now.sequence
            && mark.chain == now.chain
            && mark.waited.iter().eq(now.waiting.keys())
        {
            continue;
        }
        let records = now.records(tx, (&county, mark), (kinds, most)).await?;
        written.push(Written { county, records, mark: now.mark() });
    }
    Ok(written)
}

/// Where who has read all records of these kinds stands in the journals of all counties.
pub(crate) async fn marks(tx: &mut Tx, kinds: &[&str]) -> Result<BTreeMap<String, Mark>, Error> {
    let now = now(tx, kinds).await?;
    Ok(now.into_iter().map(|(county, now)| (county, now.mark())).collect())
}

/// How far the journals of all counties are.
async fn now(tx: &mut Tx, kinds: &[&str]) -> Result<BTreeMap<String, Now>, Error> {
    let mut now: BTreeMap<String, Now> = BTreeMap::new();
    for (county, sequence, chain) in heads(tx).await? {
        now.insert(county, Now { sequence, chain, ..Now::default() });
    }
    for line in sql::waiting(tx, kinds).await? {
        let own = now.entry(line.county).or_default();
        own.waiting.insert(line.entry, (line.kind, line.record));
    }
    Ok(now)
}

/// How far the journal of a county is.
#[derive(Default)]
struct Now {
    sequence: i64,
    chain: [u8; 32],
    waiting: BTreeMap<(i64, i64), (String, String)>,
}

impl Now {
    fn mark(self) -> Mark {
        let waited = self.waiting.into_keys().collect();
        Mark { sequence: self.sequence, chain: self.chain, waited }
    }

    async fn records(
        &self,
        tx: &mut Tx,
        (county, mark): (&str, &Mark),
        (kinds, most): (&[&str], usize),
    ) -> Result<Records, Error> {
        if mark.sequence > 0 && chain_at(tx, county, mark.sequence).await? != Some(mark.chain) {
            return Ok(Records::Any);
        }
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let sealed = sql::sealed(tx, (county, mark.sequence), kinds, limit).await?;
        if sealed.len() > most {
            return Ok(Records::Any);
        }
        let sealed = sealed.into_iter().map(|line| (line.entry, (line.kind, line.record)));
        let waiting = self.waiting.iter().map(|(entry, record)| (*entry, record.clone()));
        let new = sealed.chain(waiting).filter(|(entry, _)| !mark.waited.contains(entry));
        Ok(Records::These(new.map(|(_, record)| record).collect()))
    }
}

//! Verifying: is the journal what was sealed, and are the rows what it says?

use std::ops::ControlFlow;

use daohu_base::Timestamp;
use daohu_db::{BoxFuture, FutureExt, Tx};
use serde::Serialize;

use super::{
    model::{Link, Problem, Root, START},
    sql,
};
use crate::{
    Error,
    keys::{Keys, hex, unhex},
};

/// Faults that a verdict names; all are counted. Somebody who looks at more looks at the whole.
const NAMED_MAX: usize = 100;
/// Roots and records read at once: however long the journal is, so much of it is in memory.
const BATCH: i64 = 1_000;
/// How far out of place an entry is looked for before it is called altered.
const REORDER_WINDOW: i64 = 1_000;

/// What a verification found.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Verdict {
    /// True if nothing is wrong.
    pub ok: bool,
    /// Entries in the store.
    pub entries: u64,
    /// Of them sealed.
    pub sealed: u64,
    /// The first thing that is wrong.
    pub first_bad: Option<Bad>,
    /// How many things are wrong.
    pub bad: u64,
    /// The first hundred of them.
    pub named: Vec<Bad>,
    /// The signed end of the root chain, to be kept elsewhere and verified against later.
    pub checkpoint: Option<String>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Bad {
    /// The county whose chain it is.
    pub county: String,
    /// The entry's place in it.
    pub sequence: i64,
    /// What is wrong.
    pub problem: Problem,
    /// The record concerned, where it is known: `household 990102000000001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Of a record of a household: its county and 户编号, as far as the row is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub household: Option<String>,
}

impl Bad {
    fn new(county: &str, sequence: i64, problem: Problem, record: Option<String>) -> Self {
        Self { county: county.to_owned(), sequence, problem, record, household: None }
    }
}

impl Verdict {
    fn add(&mut self, bad: Bad) {
        self.bad += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(bad);
        }
    }
}

/// Gives the present row of a record as the journal would write it; none if there is no row.
pub type Current = for<'t> fn(
    &'t mut Tx,
    &'t Keys,
    &'t str,
    &'t str,
) -> BoxFuture<'t, Result<Option<String>, Error>>;

/// Gives the county and 户编号 of the household that a record belongs to, where its row is there.
pub type HouseholdOf =
    for<'t> fn(&'t mut Tx, &'t str, &'t str) -> BoxFuture<'t, Result<Option<String>, Error>>;

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The chains.
    Chains,
    /// Also every row, beside its last entry.
    Rows,
}

/// A kind of record that a deep look compares with the rows.
#[derive(Clone, Copy)]
pub struct Watched {
    /// The journal's name of the kind.
    pub kind: &'static str,
    /// The table that holds its rows.
    pub table: &'static str,
    /// Reads a row.
    pub current: Current,
    /// Whose it is, for records of households.
    pub household: Option<HouseholdOf>,
}

/// Verifies chains, roots and, if given, a checkpoint; if asked to, also that every row of the kinds
/// that are watched is what its last entry says. Reads only.
pub async fn verify(
    tx: &mut Tx,
    keys: &Keys,
    checkpoint: Option<&str>,
    (depth, watched): (Depth, &[Watched]),
) -> Result<Verdict, Error> {
    let mut verdict = Verdict::default();
    let mut heads = Vec::new();
    for (county, sequence, chain) in sql::heads(tx).await? {
        let end = verify_county(tx, &county, &mut verdict).await?;
        if (end.sequence, end.chain) != (sequence, chain) {
            // A good chain that ends early was cut; one that is broken was named already.
            if end.is_whole && end.sequence < sequence {
                verdict.add(Bad::new(&county, end.sequence + 1, Problem::Cut, None));
            } else if end.is_whole {
                verdict.add(Bad::new(&county, sequence, Problem::Altered, None));
            }
        }
        heads.push(county);
    }
    for county in sql::counties_sealed(tx).await? {
        if !heads.contains(&county) {
            verdict.add(Bad::new(&county, 1, Problem::Altered, None));
        }
    }
    let checkpoint = checkpoint.map(|text| Checkpoint::parse(keys, text));
    let last = verify_roots(tx, checkpoint.as_ref(), &mut verdict).await?;
    if depth == Depth::Rows {
        compare_rows(tx, keys, watched, &mut verdict).await?;
    }
    let pending = sql::count_pending(tx).await?;
    verdict.entries = verdict.sealed + pending;
    for bad in &mut verdict.named {
        name_household(tx, watched, bad).await?;
    }
    verdict.ok = verdict.bad == 0;
    verdict.first_bad = verdict.named.first().cloned();
    verdict.checkpoint = last.map(|(root, chain)| sign(keys, &root, &chain));
    Ok(verdict)
}

/// Adds what people know a household by.
async fn name_household(tx: &mut Tx, watched: &[Watched], bad: &mut Bad) -> Result<(), Error> {
    let named = bad.record.as_deref().and_then(|record| record.split_once(' '));
    let Some((kind, record)) = named else { return Ok(()) };
    let watched = watched.iter().find(|watched| watched.kind == kind);
    if let Some(household) = watched.and_then(|watched| watched.household) {
        bad.household = household(tx, &bad.county, record).await?;
    }
    Ok(())
}

/// The end of a county's chain as the entries give it.
struct End {
    sequence: i64,
    chain: Link,
    is_whole: bool,
}

async fn verify_county(tx: &mut Tx, county: &str, verdict: &mut Verdict) -> Result<End, Error> {
    let mut end = End { sequence: 0, chain: START, is_whole: true };
    // Those that are named, with the chain before them; the others count.
    let mut faults: Vec<(Bad, Link)> = Vec::new();
    let room = NAMED_MAX.saturating_sub(verdict.named.len());
    let (mut sealed, mut unnamed) = (0, 0);
    sql::each_sealed(tx, county, &mut |stored| {
        sealed += 1;
        let sql::Sealed { entry, sequence, chain } = stored;
        let fault = if sequence != end.sequence + 1 {
            Some((end.sequence + 1, Problem::Removed, None))
        } else if entry.link(&end.chain, sequence) != chain {
            let record = format!("{} {}", entry.kind, entry.record);
            Some((sequence, Problem::Altered, Some(record)))
        } else {
            None
        };
        if let Some((sequence, problem, record)) = fault {
            end.is_whole = false;
            match faults.len() < room {
                true => faults.push((Bad::new(county, sequence, problem, record), end.chain)),
                false => unnamed += 1,
            }
        }
        // Go on from what is stored: what follows may be whole, and other faults are counted too.
        end.sequence = sequence;
        end.chain = chain;
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    verdict.sealed += sealed;
    for (mut fault, previous) in faults {
        if fault.problem == Problem::Altered
            && stands_elsewhere(tx, county, fault.sequence, &previous).await?
        {
            fault.problem = Problem::Reordered;
        }
        verdict.add(fault);
    }
    verdict.bad += unnamed;
    Ok(end)
}

/// True if the entry that was sealed at this place stands at another nearby.
async fn stands_elsewhere(
    tx: &mut Tx,
    county: &str,
    sequence: i64,
    previous: &Link,
) -> Result<bool, Error> {
    let Some(sealed) = sql::chain_at(tx, county, sequence).await? else { return Ok(false) };
    let (from, to) = (sequence - REORDER_WINDOW, sequence + REORDER_WINDOW);
    let near = sql::sealed_between(tx, county, from, to).await?;
    // The place alone may have been swapped, or the chain with it.
    let was_here = |near: &sql::Sealed| {
        let link = near.entry.link(previous, sequence);
        link == sealed || link == near.chain
    };
    Ok(near.iter().any(was_here))
}

/// Verifies the root chain and that it goes through the checkpoint; gives its end.
async fn verify_roots(
    tx: &mut Tx,
    checkpoint: Option<&Checkpoint>,
    verdict: &mut Verdict,
) -> Result<Option<(Root, Link)>, Error> {
    let mut last: Option<(Root, Link)> = None;
    let mut then = None;
    let mut count = 0;
    loop {
        let after = last.as_ref().map_or(i64::MIN, |(root, _)| root.number);
        let batch = sql::roots(tx, after, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        for (root, chain) in batch {
            count += 1;
            let previous = last.as_ref().map_or(START, |(_, chain)| *chain);
            let head = sql::chain_at(tx, &root.county, root.sequence).await?;
            let problem = if root.number != count {
                Some(Problem::Removed)
            } else if root.link(&previous) != chain {
                Some(Problem::Altered)
            } else if head.is_none() {
                Some(Problem::Cut)
            } else {
                head.filter(|head| *head != root.head).map(|_| Problem::Altered)
            };
            if let Some(problem) = problem {
                let record = Some(format!("root {}", root.number));
                verdict.add(Bad::new(&root.county, root.sequence, problem, record));
            }
            if checkpoint.is_some_and(|checkpoint| checkpoint.number() == Some(root.number)) {
                then = Some(chain);
            }
            last = Some((root, chain));
        }
    }
    if let Some(bad) = checkpoint.and_then(|checkpoint| checkpoint.compare(then)) {
        verdict.add(bad);
    }
    Ok(last)
}

/// `daohu1:<number>:<at>:<chain>:<signature>`.
fn sign(keys: &Keys, root: &Root, chain: &Link) -> String {
    let text = format!("daohu1:{}:{}:{}", root.number, Timestamp(root.at).0, hex(chain));
    let signature = keys.sign(&text);
    format!("{text}:{signature}")
}

/// A checkpoint from elsewhere: the number of a root and the chain there; nothing of one that was not
/// signed with these keys.
struct Checkpoint(Option<(i64, Link)>);

impl Checkpoint {
    fn parse(keys: &Keys, text: &str) -> Self {
        let parsed = text.trim().rsplit_once(':').filter(|(text, s)| keys.verify(text, s));
        Self(parsed.and_then(|(text, _)| {
            let mut parts = text.split(':').skip(1);
            Some((parts.next()?.parse().ok()?, unhex(parts.nth(1)?)?))
        }))
    }

    fn number(&self) -> Option<i64> {
        self.0.map(|(number, _)| number)
    }

    /// What is wrong, given the chain that stands at its number now.
    fn compare(&self, now: Option<Link>) -> Option<Bad> {
        let (problem, sequence) = match (self.0, now) {
            (None, _) => (Problem::ForgedCheckpoint, 0),
            (Some((number, _)), None) => (Problem::Cut, number),
            (Some((number, chain)), Some(now)) if now != chain => (Problem::Altered, number),
            _ => return None,
        };
        let record = Some("checkpoint".to_owned());
        Some(Bad::new(sql::ROOT, sequence, problem, record))
    }
}

/// Compares every record of the kinds that are watched with its last entry, and looks for rows without
/// any.
async fn compare_rows(
    tx: &mut Tx,
    keys: &Keys,
    watched: &[Watched],
    verdict: &mut Verdict,
) -> Result<(), Error> {
    let mut counts = vec![0; watched.len()];
    let mut after = Default::default();
    loop {
        let (record, county, kind): &(String, String, String) = &after;
        let records = sql::records(tx, (record, county, kind), BATCH).await?;
        let Some(last) = records.last() else { break };
        after = last.clone();
        for (record, county, kind) in &records {
            let kinds = watched.iter().zip(&mut counts);
            for (watched, count) in kinds.filter(|(watched, _)| watched.kind == kind) {
                match compare_row(tx, keys, *watched, (county, record)).await? {
                    Compared::Gone => {}
                    Compared::Same => *count += 1,
                    Compared::Bad(bad) => {
                        *count += 1;
                        verdict.add(bad);
                    }
                }
            }
        }
    }
    for (watched, count) in watched.iter().zip(counts) {
        if sql::count_rows(tx, watched.table).await? > count {
            verdict.add(Bad::new("", 0, Problem::RowUnknown, Some(watched.table.to_owned())));
        }
    }
    Ok(())
}

/// What came of a record beside its last entry.
enum Compared {
    Same,
    /// The journal says that there is none any more, and there is none.
    Gone,
    Bad(Bad),
}

/// The `after` of a record that is not there any more.
const NOTHING: &str = "null";

async fn compare_row(
    tx: &mut Tx,
    keys: &Keys,
    watched: Watched,
    (county, record): (&str, &str),
) -> Result<Compared, Error> {
    let last = sql::last_entry(tx, (county, watched.kind, record), i64::MAX).await?;
    let Some((sequence, entry)) = last else { return Ok(Compared::Same) };
    let after = entry.open(keys).ok().and_then(|body| after_of(&body));
    let now = (watched.current)(tx, keys, county, record).await;
    let problem = match (after, now) {
        (None, _) => Problem::Altered,
        // A sealed number that does not open was put there by somebody without the keys.
        (_, Err(Error::Key(_))) => Problem::RowDiffers,
        (_, Err(error)) => return Err(error),
        (Some(after), Ok(None)) if after == NOTHING => return Ok(Compared::Gone),
        (Some(_), Ok(None)) => Problem::RowMissing,
        (Some(after), Ok(Some(now))) if after == now => return Ok(Compared::Same),
        _ => Problem::RowDiffers,
    };
    let record = Some(format!("{} {record}", watched.kind));
    Ok(Compared::Bad(Bad::new(county, sequence, problem, record)))
}

/// The text of `after` in `{"before":…,"after":…}`: always the last field.
fn after_of(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        after: &'a serde_json::value::RawValue,
    }
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    Some(body.after.get().to_owned())
}

/// Verifies in one reading transaction.
pub async fn verify_store(
    context: &crate::Context,
    checkpoint: Option<String>,
    depth: Depth,
    watched: Vec<Watched>,
) -> Result<Verdict, Error> {
    let keys = context.keys.clone();
    let read = context.db.read_bulk(move |tx| {
        async move { verify(tx, &keys, checkpoint.as_deref(), (depth, &watched)).await }.boxed()
    });
    read.await
}

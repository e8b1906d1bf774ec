//! Looking at a pair, and judging it.

use daohu_base::Scope;
use daohu_db::{BoxFuture, FutureExt, Tx};

use super::{
    model::{Ground, Judgement, Verdict, Who, are_suspected, present, print},
    sql,
};
use crate::{
    Context, Error,
    households::{self, HouseholdRow, PersonRow, rows},
    journal::{Action, Change, Watched},
    keys::Keys,
    sheet::{Frame, Meta, refused},
};

/// Two persons, the smaller id first, and what was judged of them.
pub(super) struct Pair {
    pub(super) one: Side,
    pub(super) other: Side,
    pub(super) judgement: Option<Judgement>,
}

/// A person with the household.
pub(super) struct Side {
    pub(super) row: PersonRow,
    pub(super) home: HouseholdRow,
}

impl Pair {
    pub(super) fn county(&self) -> &str {
        self.one.row.county()
    }

    pub(super) fn ground(&self) -> Ground {
        let [one, other] = self.who();
        Ground::of(one.name, other.name)
    }

    /// Counts how often one of the two or what was judged of them changed.
    pub(super) fn version(&self) -> i64 {
        version([&self.one.row, &self.other.row], self.judgement.as_ref())
    }

    /// What is judged of it now.
    pub(super) fn verdict(&self) -> Verdict {
        let [one, other] = self.who();
        present(self.judgement.as_ref(), one, other)
    }

    fn who(&self) -> [Who<'_>; 2] {
        [&self.one, &self.other].map(|side| Who::of_row(&side.row))
    }
}

/// As [`Pair::version`].
pub(super) fn version(persons: [&PersonRow; 2], judgement: Option<&Judgement>) -> i64 {
    let persons: i64 = persons.iter().map(|row| row.0.meta.version).sum();
    persons + judgement.map_or(0, |judgement| judgement.meta.version)
}

/// Two persons, both inside the scope, who are suspected to be one or were judged. They are of one county; those who
/// are merged may lie in two, where areas changed since.
pub(super) async fn pair(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    (one, other): (i64, i64),
) -> Result<Pair, Error> {
    let missing = || Error::NotFound("suspects");
    let (first, second) = (one.min(other), one.max(other));
    let (row, home) = households::person(tx, keys, scope, first).await?;
    let one = Side { row, home };
    let (row, home) = households::person(tx, keys, scope, second).await?;
    let other = Side { row, home };
    // What was judged lies with the smaller id.
    let judgement = sql::one(tx, one.row.county(), (first, second)).await?;
    let is_of_one_county = one.row.county() == other.row.county();
    let is_pair = match &judgement {
        None => first != second && are_suspected(&one.row, &other.row),
        Some(judgement) => is_of_one_county || judgement.verdict == Verdict::Merged,
    };
    if is_pair { Ok(Pair { one, other, judgement }) } else { Err(missing()) }
}

/// As [`pair`], both households locked until the transaction ends, if it is the version that the caller
/// read.
pub(super) async fn locked_pair(
    tx: &mut Tx,
    frame: &Frame,
    ids: (i64, i64),
    version: i64,
) -> Result<Pair, Error> {
    let read = pair(tx, &frame.keys, &frame.scope, ids).await?;
    // In one order, so that of two who lock the same households neither waits for the other.
    let mut homes = [&read.one, &read.other].map(|side| (side.home.county(), side.home.id()));
    homes.sort_unstable();
    for (county, home) in homes {
        rows::lock(tx, county, home).await?;
    }
    let pair = pair(tx, &frame.keys, &frame.scope, ids).await?;
    let current = pair.version();
    if current == version { Ok(pair) } else { Err(Error::Stale { what: "suspects", current }) }
}

/// The reason as it is kept, if it says enough.
pub(super) fn check_reason(context: &Context, reason: &str) -> Result<String, Error> {
    let codes = ["suspect.reason_too_short", "suspect.reason_too_long"];
    households::check_reason_of(context, reason, codes)
}

/// One pair.
pub(super) async fn get(context: &Context, scope: Scope, ids: (i64, i64)) -> Result<Pair, Error> {
    let keys = context.keys.clone();
    let read = context.db.read(move |tx| async move { pair(tx, &keys, &scope, ids).await }.boxed());
    read.await
}

/// Says that two are different persons, or one, or neither.
pub(super) async fn judge(
    context: &Context,
    mut frame: Frame,
    (ids, version): ((i64, i64), i64),
    verdict: Verdict,
    reason: &str,
) -> Result<Pair, Error> {
    let reason = check_reason(context, reason)?;
    let work = async move |tx: &mut Tx| {
        let mut pair = locked_pair(tx, &frame, ids, version).await?;
        match (pair.verdict(), verdict) {
            (Verdict::Merged, _) => return Err(Error::Refused("suspect.is_merged")),
            (_, Verdict::Merged) => return Err(refused("verdict", "suspect.bad_verdict")),
            _ => {}
        }
        frame.follow([&pair.one.row.0, &pair.other.row.0]);
        let judged = judged(&frame, &pair, verdict, reason);
        let entry = save(tx, &mut frame, &mut pair, judged).await?;
        frame.record(tx, vec![entry]).await?;
        Ok(pair)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// What is judged of a pair from now on, without a merge.
pub(super) fn judged(frame: &Frame, pair: &Pair, verdict: Verdict, reason: String) -> Judgement {
    let [one, other] = pair.who();
    let new = Meta { version: 0, ..Meta::new(&frame.act) };
    Judgement {
        county: pair.county().to_owned(),
        person: one.person,
        other: other.person,
        verdict,
        reason,
        print: print(one, other),
        merge: None,
        meta: pair.judgement.as_ref().map_or(new, |judgement| judgement.meta.clone()),
    }
}

/// Writes what is judged of a pair; gives its journal entry.
pub(super) async fn save(
    tx: &mut Tx,
    frame: &mut Frame,
    pair: &mut Pair,
    mut judged: Judgement,
) -> Result<Change, Error> {
    judged.meta.updated_at = frame.act.at.0;
    judged.meta.version += 1;
    sql::save(tx, &judged).await?;
    let before = pair.judgement.as_ref().map(Judgement::to_journal);
    let entry = Change {
        county: judged.county.clone(),
        kind: JUDGEMENT,
        record: judged.key(),
        action: if before.is_none() { Action::Created } else { Action::Updated },
        before,
        after: Some(judged.to_journal()),
    };
    pair.judgement = Some(judged);
    Ok(entry)
}

/// What the journal calls a judgement.
pub(crate) const JUDGEMENT: &str = "judgement";

/// The kind of records that `journal verify --deep` compares with their rows.
pub fn watched() -> Vec<Watched> {
    vec![Watched { kind: JUDGEMENT, table: "judgements", current, household: None }]
}

fn current<'t>(
    tx: &'t mut Tx,
    _: &'t Keys,
    county: &'t str,
    record: &'t str,
) -> BoxFuture<'t, Result<Option<String>, Error>> {
    async move {
        let Some((person, other)) = record.split_once('/') else { return Ok(None) };
        let ids = (person.parse().unwrap_or_default(), other.parse().unwrap_or_default());
        Ok(sql::one(tx, county, ids).await?.as_ref().map(Judgement::to_journal))
    }
    .boxed()
}

//! Merging two records of one person, and undoing it.

use std::cmp::Reverse;

use daohu_base::Timestamp;
use daohu_db::{FutureExt, Tx};
use serde_json::{Map, Value as Json};

use super::{
    model::{self, Merge, Verdict},
    ops::{Pair, Side, check_reason, judged, locked_pair, save},
};
use crate::{
    Context, Error, area_changes,
    households::{self, Derived, Marks, PersonRow, layouts, rows},
    journal::{self, Change, Entry},
    sheet::{Frame, person, refused, to_journal},
};

/// Merges two records of one person: that of `keep` stays, in its household; the other one leaves its own.
pub(super) async fn merge(
    context: &Context,
    mut frame: Frame,
    (ids, version): ((i64, i64), i64),
    keep: i64,
    reason: &str,
) -> Result<Pair, Error> {
    let reason = check_reason(context, reason)?;
    let list = frame.policy.list("变动类型");
    let change = list.and_then(|list| list.marked("merged"));
    let change = change.ok_or(Error::Refused("suspect.no_change_kind"))?;
    let work = async move |tx: &mut Tx| {
        let mut pair = locked_pair(tx, &frame, ids, version).await?;
        check_merge(tx, &frame, &pair, keep).await?;
        frame.follow([&pair.one.row.0, &pair.other.row.0]);
        let today = frame.act.at.day().to_string();
        let policy = frame.policy.clone();
        let marks = Marks::new(&policy);
        let (kept, ended) = sides(&mut pair, keep);
        let stored = (kept.row.clone(), ended.row.clone());
        let with = (marks, &*frame.keys);
        let before = model::merge(with, &mut kept.row, &mut ended.row, (change, today));
        // The number is let go before the other takes it.
        hold(tx, &frame, &ended.row, "keep").await?;
        hold(tx, &frame, &kept.row, "keep").await?;
        let mut entries = write(tx, &frame, &stored.1, &mut ended.row).await?;
        entries.extend(write(tx, &frame, &stored.0, &mut kept.row).await?);
        let merge = Merge {
            kept: keep,
            kept_version: kept.row.0.meta.version,
            ended_version: ended.row.0.meta.version,
            before,
        };
        let mut judged = judged(&frame, &pair, Verdict::Merged, reason);
        judged.merge = Some(merge);
        entries.push(save(tx, &mut frame, &mut pair, judged).await?);
        frame.record(tx, entries).await?;
        Ok(pair)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// The record that stays, and the other one.
fn sides(pair: &mut Pair, keep: i64) -> (&mut Side, &mut Side) {
    let Pair { one, other, .. } = pair;
    if one.row.id() == keep { (one, other) } else { (other, one) }
}

async fn check_merge(tx: &mut Tx, frame: &Frame, pair: &Pair, keep: i64) -> Result<(), Error> {
    let (one, other) = (&pair.one, &pair.other);
    let ended = match keep {
        keep if keep == one.row.id() => other,
        keep if keep == other.row.id() => one,
        _ => return Err(refused("keep", "suspect.keep_unknown")),
    };
    match pair.verdict() {
        Verdict::Merged => return Err(Error::Refused("suspect.is_merged")),
        Verdict::Different => return Err(Error::Refused("suspect.is_different")),
        Verdict::Open | Verdict::Same => {}
    }
    if !one.row.is_current() || !other.row.is_current() {
        return Err(Error::Refused("suspect.not_current"));
    }
    if one.home.id() == other.home.id() {
        return Err(Error::Refused("suspect.one_household"));
    }
    // A household whose head ended needs another head first; one without members is as after a death.
    let marks = Marks::new(&frame.policy);
    let is_head = marks.is_head(ended.row.int(person::RELATION));
    if is_head && others(tx, frame, ended).await?.iter().any(PersonRow::is_current) {
        return Err(Error::Refused("suspect.head_ends"));
    }
    Ok(())
}

/// The other members of a person's household, present and gone.
async fn others(tx: &mut Tx, frame: &Frame, side: &Side) -> Result<Vec<PersonRow>, Error> {
    let (county, home, own) = (side.row.county(), side.home.id(), side.row.id());
    let mut members = rows::persons_of(tx, &frame.keys, county, &[home]).await?;
    members.retain(|member| member.id() != own);
    Ok(members)
}

/// Says who holds the record's number from now on; `column` is to blame where somebody else does.
async fn hold(tx: &mut Tx, frame: &Frame, row: &PersonRow, column: &str) -> Result<(), Error> {
    let derived = Derived::of(Marks::new(&frame.policy), &frame.keys, &row.0.values);
    households::hold_number(tx, row, &derived, column).await
}

/// Writes a record, if it is another than was stored.
async fn write(
    tx: &mut Tx,
    frame: &Frame,
    stored: &PersonRow,
    row: &mut PersonRow,
) -> Result<Vec<Change>, Error> {
    if row.0.values == stored.0.values {
        return Ok(Vec::new());
    }
    let table = (&*layouts::PERSON, "person", row.id().to_string());
    Ok(vec![frame.save(tx, table, &stored.0.values, &mut row.0).await?])
}

/// What a change of areas writes of a person: where the household lies.
const PLACE: [&str; 2] = ["county", "village"];

/// True if a record says what it said when it was that version: who only went where the village went was written
/// anew, and nobody changed anything of the person.
async fn is_unchanged(
    tx: &mut Tx,
    frame: &Frame,
    row: &PersonRow,
    version: i64,
) -> Result<bool, Error> {
    let behind = row.0.meta.version - version;
    if behind == 0 {
        return Ok(true);
    }
    let counties = area_changes::rows::counties_before(tx, row.county()).await?;
    let (id, until) = (row.id().to_string(), Timestamp(i64::MAX));
    // That it went and that it came are two entries of one version.
    let limit = 2 * (behind + 1) * i64::try_from(counties.len()).unwrap_or(1);
    let found = journal::history_in(tx, &counties, ("person", &id), until, limit).await?;
    let mut entries: Vec<Entry> = found.into_iter().map(|(_, entry)| entry).collect();
    entries.sort_by_key(|entry| Reverse((entry.at, entry.stamp, entry.position)));
    let mut states = Vec::new();
    for entry in entries {
        states.extend(journal::after_of(&entry.open(&frame.keys)?));
    }
    let now = serde_json::from_str(&to_journal(&layouts::PERSON, &row.0)).unwrap_or_default();
    let fact = |mut fields: Map<String, Json>| {
        PLACE.iter().for_each(|name| drop(fields.remove(*name)));
        fields
    };
    let then = usize::try_from(behind).ok().and_then(|nth| states.into_iter().nth(nth));
    Ok(then.is_some_and(|then| fact(then) == fact(now)))
}

/// Undoes a merge: both records say again what they said before, if nobody changed one since. Where areas changed since,
/// they may lie elsewhere, and in two counties.
pub(super) async fn undo(
    context: &Context,
    mut frame: Frame,
    (ids, version): ((i64, i64), i64),
    reason: &str,
) -> Result<Pair, Error> {
    let reason = check_reason(context, reason)?;
    let work = async move |tx: &mut Tx| {
        let mut pair = locked_pair(tx, &frame, ids, version).await?;
        let merge = pair.judgement.as_ref().and_then(|judgement| judgement.merge.clone());
        let merge = merge.ok_or(Error::Refused("suspect.not_merged"))?;
        frame.follow([&pair.one.row.0, &pair.other.row.0]);
        let policy = frame.policy.clone();
        let marks = Marks::new(&policy);
        let (kept, ended) = sides(&mut pair, merge.kept);
        for (side, version, column) in
            [(&kept, merge.kept_version, "kept"), (&ended, merge.ended_version, "ended")]
        {
            if !is_unchanged(tx, &frame, &side.row, version).await? {
                return Err(refused(column, "suspect.changed_since"));
            }
        }
        let is_head = |row: &PersonRow| marks.is_head(row.int(person::RELATION));
        let others = others(tx, &frame, ended).await?;
        if is_head(&ended.row) && others.iter().any(|row| row.is_current() && is_head(row)) {
            return Err(refused("ended", "person.second_head"));
        }
        let stored = (kept.row.clone(), ended.row.clone());
        // The number goes back: who has it lets go of it first.
        release(tx, &stored.0, &merge).await?;
        let with = (marks, &*frame.keys);
        model::unmerge(with, &mut kept.row, &mut ended.row, &merge.before);
        hold(tx, &frame, &ended.row, "ended").await?;
        let mut entries = write(tx, &frame, &stored.0, &mut kept.row).await?;
        entries.extend(write(tx, &frame, &stored.1, &mut ended.row).await?);
        let judged = judged(&frame, &pair, Verdict::Open, reason);
        entries.push(save(tx, &mut frame, &mut pair, judged).await?);
        frame.record(tx, entries).await?;
        Ok(pair)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Lets the kept record's number go, if it came with the merge.
async fn release(tx: &mut Tx, kept: &PersonRow, merge: &Merge) -> Result<(), Error> {
    let Some(identity) = kept.identity().filter(|_| merge.before.document.is_some()) else {
        return Ok(());
    };
    let ids = (kept.id(), kept.household());
    rows::hold(tx, identity, kept.county(), ids, false).await?;
    Ok(())
}

//! Lists of pairs.
//!
//! Pairs that are suspected are read from the index of what persons have in common, a few hundred values
//! of it at once; judged ones from the judgements.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use daohu_base::{AreaCode, Scope};
use daohu_db::{FutureExt, Tx};

use super::{
    model::{Ground, Judgement, Verdict, Who, are_suspects, pairs, present},
    sql,
};
use crate::{
    Context, Error, area_changes,
    households::{
        PersonRow,
        rows::{self, Alike},
    },
};

/// Values that several persons have in common, or judgements, that are read together.
const BATCH: i64 = 200;

/// Which pairs are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Both persons lie in it.
    pub(super) scope: Scope,
    /// One of them lies in it.
    pub(super) area: Option<AreaCode>,
    /// None for all that are suspected: nothing was judged of them, or that they are one.
    pub(super) verdict: Option<Verdict>,
    pub(super) ground: Option<Ground>,
}

impl Wanted {
    /// The area whose counties are looked at.
    fn place(&self) -> Scope {
        self.area.as_ref().map_or_else(|| self.scope.clone(), |area| Scope::of([area.clone()]))
    }

    fn takes(&self, place: &Scope, pair: &Pair) -> bool {
        let villages = [&pair.one.village, &pair.other.village];
        villages.iter().all(|village| self.scope.covers(village))
            && villages.iter().any(|village| place.covers(village))
            && self.ground.is_none_or(|ground| ground == pair.ground())
    }
}

/// Two persons, the smaller id first, and what was judged of them.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) county: String,
    pub(super) one: Alike,
    pub(super) other: Alike,
    pub(super) judgement: Option<Judgement>,
}

/// Where a list goes on: county, what the pair has in common (0 for judged ones), the two ids.
pub(super) type Mark = (String, i64, i64, i64);

impl Pair {
    pub(super) fn ground(&self) -> Ground {
        Ground::of(&self.one.name, &self.other.name)
    }

    /// What is judged of it now.
    pub(super) fn verdict(&self) -> Verdict {
        present(self.judgement.as_ref(), Who::of(&self.one), Who::of(&self.other))
    }
}

/// Reads the pairs of a list, batch by batch.
struct Reader {
    wanted: Wanted,
    place: Scope,
    /// The counties where what was judged of somebody there may lie, once it is known.
    around: Option<Scope>,
    after: Mark,
}

impl Reader {
    fn new(wanted: Wanted, after: Option<Mark>) -> Self {
        let after = after.unwrap_or_else(|| (String::new(), i64::MIN, 0, 0));
        Self { place: wanted.place(), around: None, wanted, after }
    }

    /// The next pairs with their marks, perhaps none; nothing at the end.
    async fn next(&mut self, tx: &mut Tx) -> Result<Option<Vec<(Mark, Pair)>>, Error> {
        let mut found = match self.wanted.verdict {
            None | Some(Verdict::Open) => self.suspected(tx).await?,
            Some(verdict) => self.judged(tx, verdict).await?,
        };
        if let Some(pairs) = &mut found {
            pairs.retain(|(_, pair)| self.wanted.takes(&self.place, pair));
        }
        Ok(found)
    }

    async fn suspected(&mut self, tx: &mut Tx) -> Result<Option<Vec<(Mark, Pair)>>, Error> {
        let (county, from, person, other) = self.after.clone();
        let is_past = county.is_empty() || person == i64::MAX;
        let alikes =
            if is_past { Vec::new() } else { rows::alikes(tx, &county, from, BATCH).await? };
        let Some(last) = alikes.last().copied() else {
            let next = rows::next_county(tx, &self.place, &county).await?;
            let Some(next) = next else { return Ok(None) };
            self.after = (next, i64::MIN, 0, 0);
            return Ok(Some(Vec::new()));
        };
        let mut members = rows::with_alike(tx, &county, alikes).await?;
        members.sort_unstable_by_key(|member| (member.alike, member.person));
        let ids: Vec<i64> = members.iter().map(|member| member.person).collect();
        let mut judged: HashMap<(i64, i64), Judgement> = HashMap::new();
        for judgement in sql::of_persons(tx, &county, ("person", &ids)).await? {
            judged.insert((judgement.person, judgement.other), judgement);
        }
        let wanted = self.wanted.verdict;
        let mut found = Vec::new();
        for (one, two) in pairs(&members) {
            let mark = (one.alike, one.person, two.person);
            if mark <= (from, person, other) || !are_suspects(one, two) {
                continue;
            }
            let judgement = judged.remove(&(one.person, two.person));
            let (one, two) = (one.clone(), two.clone());
            let pair = Pair { county: county.clone(), one, other: two, judgement };
            let is_wanted = match pair.verdict() {
                Verdict::Open => true,
                Verdict::Same => wanted.is_none(),
                Verdict::Different | Verdict::Merged => false,
            };
            if is_wanted {
                found.push(((county.clone(), mark.0, mark.1, mark.2), pair));
            }
        }
        self.after = match last.checked_add(1) {
            Some(next) => (county, next, 0, 0),
            None => (county, last, i64::MAX, i64::MAX),
        };
        Ok(Some(found))
    }

    async fn judged(
        &mut self,
        tx: &mut Tx,
        verdict: Verdict,
    ) -> Result<Option<Vec<(Mark, Pair)>>, Error> {
        // It lies with the smaller id, and the other person may lie elsewhere by now.
        let around = match self.around.take() {
            Some(around) => around,
            None => area_changes::rows::around(tx, &self.place).await?,
        };
        let around = self.around.insert(around);
        let (county, _, person, other) = &self.after;
        let after = (county.as_str(), *person, *other);
        let mut judgements = sql::next(tx, around, verdict, after, BATCH).await?;
        let Some(county) = judgements.first().map(|first| first.county.clone()) else {
            return Ok(None);
        };
        judgements.retain(|judgement| judgement.county == county);
        let ids = judgements.iter().flat_map(|j| [j.person, j.other]);
        let persons = those(tx, &county, ids.collect()).await?;
        let mut found = Vec::new();
        for judgement in judgements {
            let mark = (county.clone(), 0, judgement.person, judgement.other);
            self.after = mark.clone();
            let (one, other) = (persons.get(&judgement.person), persons.get(&judgement.other));
            let (Some(one), Some(other)) = (one.cloned(), other.cloned()) else { continue };
            let is_of_one_county = one.county() == other.county();
            let is_wanted = match verdict {
                // It may have to be undone, wherever the two are.
                Verdict::Merged => true,
                // Who is to be merged and has left meanwhile waits for nothing any more.
                Verdict::Same => is_of_one_county && one.is_current && other.is_current,
                Verdict::Open | Verdict::Different => is_of_one_county,
            };
            let pair = Pair { county: county.clone(), one, other, judgement: Some(judgement) };
            if is_wanted && pair.verdict() == verdict {
                found.push((mark, pair));
            }
        }
        Ok(Some(found))
    }
}

/// Persons of whom something was judged in a county, by id. Of merged ones one may have gone elsewhere since, with its
/// village.
async fn those(
    tx: &mut Tx,
    county: &str,
    mut ids: HashSet<i64>,
) -> Result<HashMap<i64, Alike>, Error> {
    let mut found: HashMap<i64, Alike> = HashMap::new();
    let mut counties = vec![county.to_owned()];
    let mut nth = 0;
    while let Some(here) = counties.get(nth).filter(|_| !ids.is_empty()).cloned() {
        for alike in rows::those(tx, &here, ids.iter().copied()).await? {
            ids.remove(&alike.person);
            found.insert(alike.person, alike);
        }
        if nth == 0 && !ids.is_empty() {
            counties = area_changes::rows::counties_around(tx, county).await?;
        }
        nth += 1;
    }
    Ok(found)
}

/// A pair with the two records.
pub(super) struct Listed {
    pub(super) pair: Pair,
    pub(super) persons: [PersonRow; 2],
}

/// Batches that a page takes at most: where hardly anybody is alike, or much lies elsewhere, it ends before it is full.
const BATCHES_OF_PAGE: usize = 20;

/// The next pairs of a list, and where it goes on; nothing at its end. A page may be shorter than asked for, and yet
/// not be the last.
pub(super) async fn list(
    context: &Context,
    wanted: Wanted,
    after: Option<Mark>,
    limit: usize,
) -> Result<(Vec<Listed>, Option<Mark>), Error> {
    let keys = Arc::clone(&context.keys);
    let work = async move |tx: &mut Tx| {
        let mut reader = Reader::new(wanted, after);
        let (mut found, mut left) = (Vec::new(), BATCHES_OF_PAGE);
        let next = loop {
            if found.len() > limit {
                found.truncate(limit);
                break found.last().map(|(mark, _): &(Mark, Pair)| mark.clone());
            }
            if left == 0 {
                break Some(reader.after);
            }
            left -= 1;
            match reader.next(tx).await? {
                Some(some) => found.extend(some),
                None => break None,
            }
        };
        let mut ids: HashMap<String, Vec<i64>> = HashMap::new();
        for side in found.iter().flat_map(|(_, pair)| [&pair.one, &pair.other]) {
            ids.entry(side.county().to_owned()).or_default().push(side.person);
        }
        let mut persons: HashMap<i64, PersonRow> = HashMap::new();
        for (county, ids) in ids {
            let rows = rows::persons(tx, &keys, &county, ids).await?.into_iter();
            persons.extend(rows.map(|row| (row.id(), row)));
        }
        let with_rows = |(_, pair): (Mark, Pair)| {
            let row = |alike: &Alike| persons.get(&alike.person).cloned();
            let persons = [row(&pair.one)?, row(&pair.other)?];
            Some(Listed { pair, persons })
        };
        Ok((found.into_iter().filter_map(with_rows).collect(), next))
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// How many pairs a list has.
pub(super) async fn count(context: &Context, wanted: Wanted) -> Result<i64, Error> {
    let work = async move |tx: &mut Tx| {
        let mut reader = Reader::new(wanted, None);
        let mut count = 0;
        while let Some(some) = reader.next(tx).await? {
            count += some.len();
        }
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

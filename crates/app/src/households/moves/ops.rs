//! Reading who belonged where, as the journal tells it.

use std::{cmp::Reverse, collections::HashMap};

use daohu_base::{Day, Scope, Timestamp};
use daohu_db::{FutureExt, Tx};
use daohu_policy::Policy;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::{
    model::{ELSEWHERE, How, Kind, Move, Past, Stay, Told, judge, moves, stays, together},
    sql,
};
use crate::{
    Context, Error, area_changes,
    households::{Marks, ops::until, record::ops as record, sql as households},
    journal,
    keys::Keys,
};

/// Entries of one record that are looked at; of a longer history the latest.
const ENTRIES_MAX: i64 = 200;
/// Persons whose history is read for one answer: what a household's moves come to is not judged beyond.
const PERSONS_MAX: usize = 300;

/// Members who came from, or went to, another household together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Link {
    /// The other household's id; null where it lies outside the caller's area: of what is on record there nothing is
    /// told, and who went on one day stands together, wherever each went.
    household: Option<i64>,
    /// Its 户编号.
    household_no: Option<String>,
    /// The day, as it was told, or else when it came on record.
    #[schema(format = Date)]
    on: String,
    /// `split`: several went together to a household that had nobody before. `merged`: nobody was left behind. Null if
    /// neither, or if the other household is not told of.
    kind: Option<Kind>,
    /// Who went.
    members: Vec<Mover>,
}

/// Who went, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Mover {
    /// The person's id.
    id: i64,
    /// The person's name, on that day or now.
    name: Option<String>,
    /// How the household before was left, in words of 变动类型.
    left_reason: Option<String>,
    #[schema(format = Date)]
    left_on: Option<String>,
    /// How the other was joined.
    joined_reason: Option<String>,
    #[schema(format = Date)]
    joined_on: Option<String>,
    /// When it came on record.
    #[schema(format = DateTime)]
    recorded_at: String,
}

/// A time during which a person belonged to a household.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Membership {
    /// The household's id; null outside the caller's area: that the person was elsewhere is all that is told.
    household: Option<i64>,
    /// Its 户编号.
    household_no: Option<String>,
    /// 与户主关系, two digits.
    relation: Option<String>,
    /// True if the person belongs to it, on that day or now.
    is_current: Option<bool>,
    /// How it was joined, in words of 变动类型; null who was there from the first.
    joined_reason: Option<String>,
    #[schema(format = Date)]
    joined_on: Option<String>,
    /// When it came on record.
    #[schema(format = DateTime)]
    recorded_at: Option<String>,
    /// How it was left.
    left_reason: Option<String>,
    #[schema(format = Date)]
    left_on: Option<String>,
    /// When that came on record.
    #[schema(format = DateTime)]
    left_recorded_at: Option<String>,
}

/// What histories are read with, and what was read of them.
pub(in crate::households) struct Reader<'a> {
    keys: &'a Keys,
    policy: &'a Policy,
    scope: &'a Scope,
    /// Where those who were together once may be now, and were before.
    counties: &'a [String],
    until: Timestamp,
    known: HashMap<i64, History>,
}

/// Where a person belonged when, and under which names, the last name last.
#[derive(Clone, Default)]
struct History {
    stays: Vec<Stay>,
    names: Vec<(i64, String)>,
}

impl History {
    /// The last name, of all or of those that stood in one household.
    fn name(&self, household: Option<i64>) -> Option<String> {
        let stood = |of: i64| household.is_none_or(|household| household == of);
        self.names.iter().rev().find(|(of, _)| stood(*of)).map(|(_, name)| name.clone())
    }
}

impl<'a> Reader<'a> {
    /// Of a county and those around it ([`area_changes::rows::counties_around`]), up to an instant.
    pub(in crate::households) fn new(
        (keys, policy, scope): (&'a Keys, &'a Policy, &'a Scope),
        counties: &'a [String],
        until: Timestamp,
    ) -> Self {
        Self { keys, policy, scope, counties, until, known: HashMap::new() }
    }

    /// Whom a household's members came from, and to whom they went: the latest first.
    pub(in crate::households) async fn links(
        &mut self,
        tx: &mut Tx,
        household: i64,
    ) -> Result<(Vec<Link>, Vec<Link>), Error> {
        let mut all = Vec::new();
        for person in sql::movers(tx, self.counties, household).await? {
            let history = self.history(tx, person).await?;
            all.extend(moves(person, &history.stays));
        }
        all.retain(|one| one.from.household == household || one.to.household == household);
        let mut told = Vec::new();
        for one in all {
            let is_away = one.from.household == household;
            let other = if is_away { one.to.household } else { one.from.household };
            let is_seen = self.shown(tx, other).await?.0.is_some();
            told.push(if is_seen { one } else { one.seen_from(household) });
        }
        let (mut came, mut went) = (Vec::new(), Vec::new());
        for group in together(told).into_iter().rev() {
            let Some(first) = group.first() else { continue };
            let (from, to) = (first.from.household, first.to.household);
            let is_away = from == household;
            let other = if is_away { to } else { from };
            let kind = match other {
                ELSEWHERE => None,
                _ => {
                    let left = self.all_of(tx, from).await?;
                    let joined = self.all_of(tx, to).await?;
                    left.zip(joined).and_then(|(left, joined)| judge(&group, &left, &joined))
                }
            };
            // Elsewhere the person may have another name since.
            let named = (other == ELSEWHERE).then_some(household);
            let members = group.iter().map(|one| self.mover(one, named)).collect();
            let (id, household_no) = self.shown(tx, other).await?;
            let link = Link { household: id, household_no, on: first.day(), kind, members };
            if is_away { went.push(link) } else { came.push(link) }
        }
        Ok((came, went))
    }

    /// The households that a person belonged to, the first of them first.
    async fn memberships(&mut self, tx: &mut Tx, person: i64) -> Result<Vec<Membership>, Error> {
        let mut memberships: Vec<Membership> = Vec::new();
        for stay in self.history(tx, person).await?.stays {
            let (household, household_no) = self.shown(tx, stay.household).await?;
            if household.is_none() {
                // Nor is it told how many others there were.
                if memberships.last().is_none_or(|last| last.household.is_some()) {
                    memberships.push(Membership::default());
                }
                continue;
            }
            let (left_at, left) = stay.ended.unzip();
            let left = left.unwrap_or_default();
            memberships.push(Membership {
                household,
                household_no,
                relation: stay.relation.map(|code| format!("{code:02}")),
                is_current: Some(left_at.is_none()),
                joined_reason: self.reason(&stay.joined),
                joined_on: stay.joined.on,
                recorded_at: Some(Timestamp(stay.began_at).to_string()),
                left_reason: self.reason(&left),
                left_on: left.on,
                left_recorded_at: left_at.map(|at| Timestamp(at).to_string()),
            });
        }
        Ok(memberships)
    }

    /// The stays of everybody who ever belonged to a household; none if they are too many to be read.
    async fn all_of(
        &mut self,
        tx: &mut Tx,
        household: i64,
    ) -> Result<Option<Vec<Vec<Stay>>>, Error> {
        let persons = sql::persons_ever(tx, self.counties, household).await?;
        let new = persons.iter().filter(|person| !self.known.contains_key(person)).count();
        if self.known.len() + new > PERSONS_MAX {
            return Ok(None);
        }
        let mut all = Vec::new();
        for person in persons {
            all.push(self.history(tx, person).await?.stays);
        }
        Ok(Some(all))
    }

    async fn history(&mut self, tx: &mut Tx, person: i64) -> Result<History, Error> {
        if let Some(known) = self.known.get(&person) {
            return Ok(known.clone());
        }
        let mut told = Vec::new();
        let mut names = Vec::new();
        for (at, after) in self.states(tx, "person", &person.to_string()).await? {
            let change = how_of(&after);
            let household = int(&after, "household").unwrap_or_default();
            names.extend(text(&after, "name").map(|name| (household, name)));
            told.push(Told {
                at,
                household,
                relation: int(&after, "relation"),
                leaves: Marks::new(self.policy).leaves(change.kind),
                change,
            });
        }
        let mut pasts = Vec::new();
        for household in sql::households_left(tx, self.counties, person).await? {
            let key = format!("{household}/{person}");
            let states = self.states(tx, "membership", &key).await?;
            if let (Some((at, _)), Some((_, last))) = (states.first(), states.last()) {
                let (relation, change) = (int(last, "relation"), how_of(last));
                pasts.push(Past { at: *at, household, relation, change });
            }
        }
        let history = History { stays: stays(&told, pasts), names };
        self.known.insert(person, history.clone());
        Ok(history)
    }

    /// What a record was after each of its entries, the oldest first.
    async fn states(
        &self,
        tx: &mut Tx,
        kind: &str,
        record: &str,
    ) -> Result<Vec<(i64, Map<String, Json>)>, Error> {
        let mut entries = Vec::new();
        for county in self.counties {
            let of = (std::slice::from_ref(county), (kind, record));
            entries.extend(journal::history_in(tx, of.0, of.1, self.until, ENTRIES_MAX).await?);
        }
        // In whichever county they were written.
        entries.sort_by_key(|(_, entry)| Reverse((entry.at, entry.stamp, entry.position)));
        entries.truncate(usize::try_from(ENTRIES_MAX).unwrap_or(usize::MAX));
        let mut states = Vec::new();
        for (_, entry) in journal::without_undone(entries) {
            let after = journal::after_of(&entry.open(self.keys)?);
            states.extend(after.map(|after| (entry.at, after)));
        }
        states.reverse();
        Ok(states)
    }

    /// Id and number of a household, if it lies in the caller's area.
    async fn shown(
        &self,
        tx: &mut Tx,
        household: i64,
    ) -> Result<(Option<i64>, Option<String>), Error> {
        for county in self.counties {
            if let Some((no, village)) = households::place_of(tx, county, household).await? {
                let is_seen = self.scope.covers(&village);
                return Ok(is_seen.then_some((household, no)).unzip());
            }
        }
        Ok((None, None))
    }

    /// Who went; with the name that stood in a household, if one is given.
    fn mover(&self, one: &Move, household: Option<i64>) -> Mover {
        let left = one.from.ended.as_ref().map(|(_, left)| left.clone()).unwrap_or_default();
        Mover {
            id: one.person,
            name: self.known.get(&one.person).and_then(|history| history.name(household)),
            left_reason: self.reason(&left),
            left_on: left.on,
            joined_reason: self.reason(&one.to.joined),
            joined_on: one.to.joined.on.clone(),
            recorded_at: Timestamp(one.to.began_at).to_string(),
        }
    }

    fn reason(&self, how: &How) -> Option<String> {
        let code = how.kind.and_then(|code| u8::try_from(code).ok())?;
        self.policy.list("变动类型")?.name_of(code).map(str::to_owned)
    }
}

fn int(after: &Map<String, Json>, name: &str) -> Option<i64> {
    after.get(name).and_then(Json::as_i64)
}

fn text(after: &Map<String, Json>, name: &str) -> Option<String> {
    after.get(name).and_then(Json::as_str).map(str::to_owned)
}

fn how_of(after: &Map<String, Json>) -> How {
    How { kind: int(after, "change_kind"), on: text(after, "change_on") }
}

/// The households that a person belonged to, on a day or until now; beside them the household that the record is
/// kept with.
pub(super) async fn memberships(
    context: &Context,
    scope: Scope,
    id: i64,
    as_of: Option<Day>,
) -> Result<((String, i64), Vec<Membership>), Error> {
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let (_, home) = record::person(tx, &keys, &scope, id).await?;
        let counties = area_changes::rows::counties_around(tx, home.county()).await?;
        let mut reader = Reader::new((&keys, &policy, &scope), &counties, until(as_of));
        let memberships = reader.memberships(tx, id).await?;
        if memberships.is_empty() {
            // On that day nobody knew of the person.
            return Err(Error::NotFound("person"));
        }
        Ok(((home.county().to_owned(), home.id()), memberships))
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

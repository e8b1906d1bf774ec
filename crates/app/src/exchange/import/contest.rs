//! ID numbers that several rows of an import want.
//!
//! A person may leave one household and join another in the same files, in whatever order the rows
//! come. So numbers that stand more than once are settled before any household is decided.

use std::collections::{HashMap, HashSet};

use daohu_base::Scope;

use super::{
    check::Checker,
    group::{Existing, Group, person_key, village_of},
    members::{is_about, named_twice},
    stage::Row,
};
use crate::{
    Error,
    areas::Tree,
    exchange::{outcome::Place, spill::Sorted},
    households::Derived,
    keys::Keys,
};

/// What is settled about one number.
#[derive(Clone, Debug, Default)]
pub(super) struct Contest {
    /// The first good row by which its person is a current member, with the household's county.
    pub(super) winner: Option<(Place, String)>,
    /// The household that the number stands in by that row.
    pub(super) winner_no: String,
    /// A good row by which its person leaves a household that the store knows.
    pub(super) leaves: Option<i64>,
    /// A good row by which its person leaves, whether the store knows the household or not.
    pub(super) leaver: Option<Place>,
    /// The person's id, once a row has given it one.
    pub(super) person: Option<i64>,
    /// The person whose record a row by which the person leaves has made.
    pub(super) recorded: Option<i64>,
}

/// Contested numbers by blind index.
pub(super) type Contests = HashMap<[u8; 16], Contest>;

/// The contested numbers and the 户编号 they stand in.
pub(super) fn contested(numbers: &mut Sorted) -> Result<(Contests, HashSet<String>), Error> {
    let mut contests = Contests::new();
    let mut homes = HashSet::new();
    let mut last: Option<([u8; 16], String)> = None;
    while let Some((key, no)) = numbers.next()? {
        let Some(identity) = key.first_chunk::<16>().copied() else { continue };
        let no = String::from_utf8_lossy(&no).into_owned();
        if let Some((before, before_no)) = last.take()
            && before == identity
        {
            contests.entry(identity).or_default();
            homes.extend([before_no, no.clone()]);
        }
        last = Some((identity, no));
    }
    Ok((contests, homes))
}

/// Settles the contests that a group's rows take part in.
pub(super) fn settle(
    contests: &mut Contests,
    group: &Group,
    existing: &Existing,
    (tree, scope, checker, keys): (&Tree, &Scope, Checker<'_>, &Keys),
) {
    let stored = existing.households.get(&group.no).into_iter().flatten();
    let stored: Vec<_> = stored.filter(|row| scope.covers(row.village())).collect();
    let new = group.households.iter().filter(|row| !row.is_dead).filter_map(village_of);
    let new = new.filter(|village| tree.is_open_village(village) && scope.contains(village));
    let mut counties: Vec<String> = new.map(|village| village.county()).collect();
    counties.extend(stored.iter().map(|row| row.county().to_owned()));
    counties.sort();
    counties.dedup();
    let [county] = counties.as_slice() else { return };
    let home = stored.iter().find(|row| row.county() == county).map(|row| row.id());
    let id = home.unwrap_or_default();
    let twice = named_twice(group, existing, id, (checker.marks, keys));
    for row in group.persons.iter().filter(|row| !row.is_dead && is_single(group, row)) {
        let derived = Derived::of(checker.marks, keys, &row.values);
        let Some(contest) = derived.identity.and_then(|id| contests.get_mut(&id)) else { continue };
        // Refused with the other row: nobody may count on it. And a merged record left long ago, with its
        // number.
        if is_about(&twice, existing, id, (row, &derived))
            || existing.is_merged(id, derived.identity.as_ref())
        {
            continue;
        }
        if !derived.is_current {
            contest.leaves = home.or(contest.leaves);
            contest.leaver = Some(row.place);
        } else if contest.winner.as_ref().is_none_or(|(place, _)| row.place < *place) {
            contest.winner = Some((row.place, county.clone()));
            contest.winner_no.clone_from(&group.no);
        }
    }
}

/// True if the row's key stands once in the group.
pub(super) fn is_single(group: &Group, row: &Row) -> bool {
    person_key(&row.values).is_some() && of_key(group, row).count() == 1
}

/// The rows of the group with this row's key, itself among them.
pub(super) fn of_key<'g>(group: &'g Group, row: &Row) -> impl Iterator<Item = &'g Row> {
    let key = person_key(&row.values);
    group.persons.iter().filter(move |other| person_key(&other.values) == key)
}

//! Where a person belonged when, and what that says of households.

use std::collections::BTreeMap;

use daohu_base::Timestamp;

/// How somebody joined or left: a code of 变动类型 and the day, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct How {
    pub(super) kind: Option<i64>,
    pub(super) on: Option<String>,
}

/// What an entry of the journal says of where a person belonged from then on.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) at: i64,
    pub(super) household: i64,
    pub(super) relation: Option<i64>,
    pub(super) change: How,
    /// The change is one by which a person leaves.
    pub(super) leaves: bool,
}

/// What is on record of a membership that ended because the person belongs elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) at: i64,
    pub(super) household: i64,
    pub(super) relation: Option<i64>,
    pub(super) change: How,
}

/// A time during which a person belonged to a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) household: i64,
    pub(super) relation: Option<i64>,
    /// When it was first on record.
    pub(super) began_at: i64,
    pub(super) joined: How,
    /// When it was on record that the person had left, and how.
    pub(super) ended: Option<(i64, How)>,
}

impl Stay {
    fn of(told: &Told) -> Self {
        let mut stay = Self {
            household: told.household,
            relation: told.relation,
            began_at: told.at,
            joined: How::default(),
            ended: None,
        };
        stay.change(told);
        stay
    }

    /// Takes in what is said of the same membership.
    fn change(&mut self, told: &Told) {
        self.relation = told.relation;
        match (told.leaves, &mut self.ended) {
            (true, Some((_, left))) => *left = told.change.clone(),
            (true, none) => *none = Some((told.at, told.change.clone())),
            // The new household's row says how it was joined; a blank later on takes nothing back.
            (false, _) if told.change != How::default() => self.joined = told.change.clone(),
            (false, _) => {}
        }
    }

    /// True if the person no longer belonged there after a day, or an instant at which that was on record.
    fn is_over(&self, at: i64, day: &str) -> bool {
        self.ended.as_ref().is_some_and(|(ended_at, left)| {
            *ended_at <= at || left.on.as_deref().is_some_and(|on| on <= day)
        })
    }
}

/// The stays of a person, the first of them first: of the person's entries, the oldest first, and the memberships
/// that ended by moving on.
pub(super) fn stays(told: &[Told], pasts: Vec<Past>) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for told in told {
        match stays.last_mut() {
            Some(last) if last.household == told.household => {
                // Who had left and belongs there again stays anew.
                let is_back = last.ended.is_some() && !told.leaves;
                if is_back { stays.push(Stay::of(told)) } else { last.change(told) }
            }
            Some(last) => {
                last.ended.get_or_insert_with(|| (told.at, How::default()));
                stays.push(Stay::of(told));
            }
            None => stays.push(Stay::of(told)),
        }
    }
    for past in pasts {
        let count = stays.len();
        let is_of = |(i, stay): &(usize, &mut Stay)| {
            // The record is there still, or again: the membership tells of an earlier time.
            stay.household == past.household && i + 1 < count
        };
        let found = stays.iter_mut().enumerate().rev().find(is_of);
        if let Some((_, stay)) = found {
            let ended_at = stay.ended.as_ref().map_or(past.at, |(at, _)| *at);
            stay.ended = Some((ended_at, past.change));
        } else if stays.last().is_none_or(|last| last.household != past.household) {
            // The record never was there: who was first seen leaving.
            let ended = Some((past.at, past.change));
            let Past { at, household, relation, .. } = past;
            let stay = Stay { household, relation, began_at: at, joined: How::default(), ended };
            let place = stays.iter().position(|other| other.began_at >= at).unwrap_or(0);
            stays.insert(place, stay);
        }
    }
    stays
}

/// A person going from one household to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) person: i64,
    pub(super) from: Stay,
    pub(super) to: Stay,
}

impl Move {
    /// The day it happened: as it was told, or else when it came on record.
    pub(super) fn day(&self) -> String {
        let left = self.from.ended.as_ref().and_then(|(_, left)| left.on.clone());
        left.or_else(|| self.to.joined.on.clone())
            .unwrap_or_else(|| Timestamp(self.to.began_at).day().to_string())
    }
}

/// Stands for every household that the reader may not see.
pub(super) const ELSEWHERE: i64 = 0;

impl Move {
    /// As it is told to who may see this household and not the other: what is on record of the stay here, and of the
    /// other that it was elsewhere.
    pub(super) fn seen_from(self, household: i64) -> Self {
        let elsewhere = |at: i64| Stay {
            household: ELSEWHERE,
            relation: None,
            began_at: at,
            joined: How::default(),
            ended: None,
        };
        let Self { person, from, to } = self;
        if from.household == household {
            let left_at = from.ended.as_ref().map_or(from.began_at, |(at, _)| *at);
            return Self { person, from, to: elsewhere(left_at) };
        }
        Self { person, from: elsewhere(to.began_at), to }
    }
}

/// The moves of a person.
pub(super) fn moves(person: i64, stays: &[Stay]) -> Vec<Move> {
    let pairs = stays.array_windows().filter(|[from, to]| from.household != to.household);
    pairs.map(|[from, to]| Move { person, from: from.clone(), to: to.clone() }).collect()
}

/// Those who went together: between the same households, on the same day. The first of them first.
pub(super) fn together(moves: Vec<Move>) -> Vec<Vec<Move>> {
    let mut groups: BTreeMap<(String, i64, i64), Vec<Move>> = BTreeMap::new();
    for one in moves {
        let key = (one.day(), one.from.household, one.to.household);
        groups.entry(key).or_default().push(one);
    }
    groups.into_values().collect()
}

/// What a move of several comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// 分户: several went together to a household that had nobody before.
    Split,
    /// 并户: nobody was left behind.
    Merged,
}

/// What those who went together made of the two households, of the stays of all who ever belonged to the one they left
/// and to the one they joined.
pub(super) fn judge(group: &[Move], left: &[Vec<Stay>], joined: &[Vec<Stay>]) -> Option<Kind> {
    let first = group.first()?;
    let (from, to, day) = (first.from.household, first.to.household, first.day());
    let began = group.iter().map(|one| one.to.began_at);
    let (earliest, latest) = (began.clone().min()?, began.max()?);
    let remains = |stay: &&Stay| {
        stay.household == from && stay.began_at <= latest && !stay.is_over(latest, &day)
    };
    let was_there = |stay: &&Stay| stay.household == to && stay.began_at < earliest;
    if !left.iter().flatten().any(|stay| remains(&stay)) {
        return Some(Kind::Merged);
    }
    let is_new = !joined.iter().flatten().any(|stay| was_there(&stay));
    (group.len() > 1 && is_new).then_some(Kind::Split)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    const A: i64 = 1;
    const B: i64 = 2;
    const C: i64 = 3;
    const OUT: i64 = 10;
    const SPLIT_OFF: i64 = 14;
    const DIED: i64 = 8;
    const IN: i64 = 3;

    fn how(kind: i64) -> How {
        How { kind: (kind > 0).then_some(kind), on: None }
    }

    fn told(at: i64, household: i64, kind: i64) -> Told {
        let leaves = [OUT, SPLIT_OFF, DIED].contains(&kind);
        Told { at, household, relation: None, change: how(kind), leaves }
    }

    fn past(at: i64, household: i64, kind: i64) -> Past {
        Past { at, household, relation: None, change: how(kind) }
    }

    /// Household, how joined and how left, of each stay.
    fn brief(told: &[Told], pasts: Vec<Past>) -> Vec<(i64, Option<i64>, Option<Option<i64>>)> {
        let brief = |stay: &Stay| {
            let left = stay.ended.as_ref().map(|(_, left)| left.kind);
            (stay.household, stay.joined.kind, left)
        };
        stays(told, pasts).iter().map(brief).collect()
    }

    #[test]
    fn a_person_stays_in_one_household_after_the_other() {
        // Leaves and joins in one import: how it was left stands in the membership alone.
        let entries = [told(1, A, 0), told(5, B, IN)];
        let expected = [(A, None, Some(Some(SPLIT_OFF))), (B, Some(IN), None)];
        assert_eq!(brief(&entries, vec![past(5, A, SPLIT_OFF)]), expected);
        // In two imports, put right later on.
        let entries = [told(1, A, 0), told(3, A, OUT), told(5, B, IN), told(6, B, 0)];
        let put_right = vec![past(9, A, SPLIT_OFF)];
        assert_eq!(brief(&entries, put_right), expected);
        // There and back.
        let entries = [told(1, A, 0), told(5, B, IN), told(7, A, IN)];
        let pasts = vec![past(5, A, SPLIT_OFF), past(7, B, OUT)];
        let back =
            [(A, None, Some(Some(SPLIT_OFF))), (B, Some(IN), Some(Some(OUT))), (A, Some(IN), None)];
        assert_eq!(brief(&entries, pasts), back);
        // Gone, and back in the same household.
        let entries = [told(1, A, 0), told(3, A, OUT), told(5, A, IN)];
        assert_eq!(brief(&entries, vec![]), [(A, None, Some(Some(OUT))), (A, Some(IN), None)]);
        // First seen leaving one household and joining another.
        let entries = [told(5, B, IN)];
        assert_eq!(brief(&entries, vec![past(5, A, SPLIT_OFF)]), expected);
    }

    /// A person who was in A and went to B at an instant; to nowhere else.
    fn went(at: i64) -> Vec<Stay> {
        stays(&[told(1, A, 0), told(at, B, IN)], vec![past(at, A, SPLIT_OFF)])
    }

    fn stayed(household: i64, at: i64) -> Vec<Stay> {
        stays(&[told(at, household, 0)], vec![])
    }

    fn judged(left: &[Vec<Stay>], joined: &[Vec<Stay>]) -> Vec<Option<Kind>> {
        let mut all = left.to_vec();
        all.extend(joined.iter().filter(|stays| !left.contains(stays)).cloned());
        let all = (0..).zip(&all).flat_map(|(person, stays)| moves(person, stays)).collect();
        together(all).iter().map(|group| judge(group, left, joined)).collect()
    }

    #[test]
    fn nobody_left_is_merged_and_several_to_nobody_is_split() {
        const DAY_MS: i64 = 86_400_000;
        let day = 100 * DAY_MS;
        let (one, head) = (went(day), stayed(A, 1));
        // One goes, the head stays: neither.
        assert_eq!(judged(&[one.clone(), head.clone()], from_ref(&one)), [None]);
        // Two go together to a household that had nobody.
        let two = [one.clone(), one.clone()];
        let left = [&two[..], from_ref(&head)].concat();
        assert_eq!(judged(&left, &two), [Some(Kind::Split)]);
        // It had somebody.
        let joined = [&two[..], &[stayed(B, 1)]].concat();
        assert_eq!(judged(&left, &joined), [None]);
        // One was entered there in the same import: born there, or from elsewhere.
        let joined = [&two[..], &[stayed(B, day)]].concat();
        assert_eq!(judged(&left, &joined), [Some(Kind::Split)]);
        // All go; who had died does not stay behind, who died later did.
        let dead = |at| stays(&[told(1, A, 0), told(at, A, DIED)], vec![]);
        let joined = [one.clone(), stayed(B, 1)];
        assert_eq!(judged(&[one.clone(), dead(day - 1)], &joined), [Some(Kind::Merged)]);
        assert_eq!(judged(&[one.clone(), dead(day + 1)], &joined), [None]);
        // On two days: only who went last left nobody.
        let later = went(day + DAY_MS);
        let joined = [one.clone(), later.clone(), stayed(B, 1)];
        assert_eq!(judged(&[one, later], &joined), [None, Some(Kind::Merged)]);
    }

    #[test]
    fn of_a_household_that_is_not_ones_own_nothing_is_told() {
        // Left on record at 3, joined another household at 5, on a day that stands there.
        let mut joined = told(5, B, IN);
        joined.change.on = Some("1970-01-09".into());
        joined.relation = Some(2);
        let stays = stays(&[told(1, A, 0), told(3, A, OUT), joined], vec![]);
        let one = moves(1, &stays).remove(0);
        let away = one.clone().seen_from(A);
        assert_eq!((&away.from, away.day()), (&one.from, "1970-01-01".to_owned()));
        assert_eq!((away.to.household, away.to.began_at), (ELSEWHERE, 3));
        assert_eq!((away.to.relation, away.to.joined), (None, How::default()));
        let here = one.clone().seen_from(B);
        assert_eq!((&here.to, here.day()), (&one.to, "1970-01-09".to_owned()));
        assert_eq!((here.from.household, here.from.ended), (ELSEWHERE, None));
    }

    #[test]
    fn the_day_is_the_one_told_before_that_of_the_record() {
        let mut one = moves(1, &went(0)).remove(0);
        assert_eq!(one.day(), "1970-01-01");
        one.to.joined.on = Some("1969-05-01".into());
        assert_eq!(one.day(), "1969-05-01");
        one.from.ended = Some((0, How { kind: None, on: Some("1969-04-30".into()) }));
        assert_eq!(one.day(), "1969-04-30");
        assert_eq!(moves(1, &stayed(C, 1)), []);
    }
}

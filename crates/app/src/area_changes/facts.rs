//! What is known of areas after a change: numbers are added up where all of them are known, and are not known
//! where a part of an area went, whose share nobody told.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, AreaLevel};
use daohu_db::Value;

use super::model::{New, Plan};
use crate::sheet::{AREAS, area};

/// The numbers of an area that are sums of those of its parts.
const SUMS: [usize; 2] = [area::RURAL_HOUSEHOLDS, area::RURAL_POPULATION];
/// What parts have in common, or nothing.
const COMMON: [usize; 4] =
    [area::KIND, area::IS_POOR_COUNTY, area::IS_POOR_TOWNSHIP, area::IS_POOR_VILLAGE];

/// Values of stored areas.
pub(super) type Values<'a> = &'a dyn Fn(&AreaCode) -> Option<&'a [Value]>;

fn number(values: Values<'_>, code: &AreaCode, i: usize) -> Option<i64> {
    values(code)?.get(i)?.as_int()
}

/// Adds up; nothing if one of them is not known.
fn sum(numbers: impl IntoIterator<Item = Option<i64>>) -> Option<i64> {
    numbers.into_iter().try_fold(0_i64, |sum, number| sum.checked_add(number?))
}

impl New {
    /// What is known of it from its sources.
    pub(super) fn facts(&self, values: Values<'_>) -> Vec<Value> {
        if let ([only], true) = (self.sources.as_slice(), self.is_whole) {
            return values(only).map(<[Value]>::to_vec).unwrap_or_default();
        }
        let mut facts = vec![Value::Null; AREAS.columns.len()];
        for i in COMMON {
            let mut all = self.sources.iter().map(|source| values(source).and_then(|v| v.get(i)));
            let first = all.next().flatten();
            if let (Some(slot), Some(first)) = (facts.get_mut(i), first)
                && all.all(|other| other == Some(first))
            {
                *slot = first.clone();
            }
        }
        for i in SUMS.into_iter().filter(|_| self.is_whole) {
            if let Some(slot) = facts.get_mut(i) {
                *slot = sum(self.sources.iter().map(|source| number(values, source, i))).into();
            }
        }
        facts
    }
}

impl Plan {
    /// The numbers of areas that go on with more or less in them than before.
    pub(super) fn populations(&self, values: Values<'_>) -> Vec<(AreaCode, Vec<(usize, Value)>)> {
        let mut found: BTreeMap<AreaCode, Vec<(usize, Value)>> = BTreeMap::new();
        for i in SUMS {
            for (code, number) in self.sums(values, i) {
                found.entry(code).or_default().push((i, number.into()));
            }
        }
        found.into_iter().collect()
    }

    fn sums(&self, values: Values<'_>, i: usize) -> BTreeMap<AreaCode, Option<i64>> {
        let mut sources: BTreeMap<&AreaCode, BTreeSet<&AreaCode>> = BTreeMap::new();
        let mut shifts: BTreeMap<AreaCode, Vec<Option<i64>>> = BTreeMap::new();
        for (from, targets) in &self.targets {
            if from.level() == AreaLevel::Group {
                continue;
            }
            for target in targets {
                sources.entry(&target.to).or_default().insert(from);
                let moved = number(values, from, i).filter(|_| self.is_whole(from));
                for (area, is_gain) in self.shifted(from, &target.to) {
                    let moved = if is_gain { moved } else { moved.map(|moved| -moved) };
                    shifts.entry(area).or_default().push(moved);
                }
            }
        }
        let mut found = BTreeMap::new();
        for (to, mut sources) in sources {
            if self.new.contains_key(to) {
                continue;
            }
            if !self.targets.contains_key(to) {
                sources.insert(to);
            }
            let numbers = sources.iter().map(|code| number(values, code, i));
            let all = match sources.iter().all(|code| self.is_whole(code)) {
                true => sum(numbers),
                false => None,
            };
            found.insert(to.clone(), all);
        }
        for (area, moved) in shifts {
            let all = sum(moved.into_iter().chain([number(values, &area, i)]));
            // What takes others in and loses or gains parts besides: nobody told how much is left.
            found.entry(area).and_modify(|known| *known = None).or_insert(all);
        }
        found
    }

    /// The areas above that lose and gain what goes from one place to another, where they go on themselves and
    /// it does not go with one that is above it.
    fn shifted(&self, from: &AreaCode, to: &AreaCode) -> Vec<(AreaCode, bool)> {
        let above = |code: &AreaCode| std::iter::successors(code.parent(), AreaCode::parent);
        let goes_along = |parent: &AreaCode| {
            let along = self.targets.get(parent).map(Vec::as_slice);
            matches!(along, Some([target]) if Some(&target.to) == to.parent().as_ref())
        };
        if from.parent().is_some_and(|parent| goes_along(&parent)) {
            return Vec::new();
        }
        let stays = |code: &AreaCode| !self.ends(code) && !self.new.contains_key(code);
        let losing = above(from).filter(|area| !area.contains(to)).map(|area| (area, false));
        let gaining = above(to).filter(|area| !area.contains(from)).map(|area| (area, true));
        losing.chain(gaining).filter(|(area, _)| stays(area)).collect()
    }
}

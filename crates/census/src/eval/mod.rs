//! Asking rules of many households at once.
//!
//! Some thousand households are taken together: each part of a test is then one pass over short arrays, which stay in
//! the processor's nearest memory and take many at a step.

mod lanes;
mod numbers;
mod packed;

use std::{num::NonZero, ops::Range, thread};

use daohu_base::Day;
use daohu_policy::expr::{FieldRef, Level, Number};

use self::{
    lanes::Lanes,
    packed::{Packed, Part, Parts, Room},
};
use crate::{
    Shape,
    columns::{Census, YES},
    rules::{Outcome, Plan},
};

/// Households that are taken together: their members' lanes fill a part of the nearest memory.
const BLOCK: usize = 1024;

/// What is asked beside the rules.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// What the rules' fields are, whose stored columns are those of the census ([`Census::has_columns_of`]): packs that
    /// are only tried may derive other fields than those under which the census was built.
    pub shape: &'q Shape,
    /// The day on which members, ages and the year of income are looked at.
    pub on: Day,
    /// Where each village of the census lies among the plan's places, as [`Census::places`] tells it.
    pub places: &'q [u16],
    /// What is added to the net income a head of each household of the census in the day's year, in fen: a transfer that is
    /// thought of. Nothing, where there is none.
    pub added_fen: &'q [i64],
}

/// What the rules say of some households, in the census' order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The place in the census of the first household.
    pub from: usize,
    /// For each rule of the plan, in its order.
    pub rules: Vec<Judged>,
}

/// What one rule says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// For each household.
    pub outcomes: Vec<Outcome>,
    /// For each household that is not met, the place among the rule's parts of the first that is to blame: of
    /// [`Rule::unmet`](crate::Rule::unmet) where it is unmet, of [`Rule::met`](crate::Rule::met) where it is not known.
    pub reasons: Vec<u8>,
}

impl Assessment {
    /// What all rules together say of the nth of these households: unmet if one is, otherwise unknown if one is.
    pub fn overall(&self, nth: usize) -> Outcome {
        let own = self.rules.iter().filter_map(|rule| rule.outcomes.get(nth));
        own.fold(Outcome::Met, |all, own| all.or_worse(*own))
    }

    /// What some of the rules, by their places in the plan, together say of each of these households.
    pub fn overalls(&self, keep: impl Fn(usize) -> bool) -> Vec<Outcome> {
        const UNMET: u8 = 2;
        const UNKNOWN: u8 = 1;
        let households = self.rules.first().map_or(0, |rule| rule.outcomes.len());
        let mut found = vec![0; households];
        // Rule by rule, without a choice in the loop.
        for (_, rule) in self.rules.iter().enumerate().filter(|(nth, _)| keep(*nth)) {
            for (found, own) in found.iter_mut().zip(&rule.outcomes) {
                *found |= u8::from(*own == Outcome::Unmet) * UNMET;
                *found |= u8::from(*own == Outcome::Unknown) * UNKNOWN;
            }
        }
        let told = |found: u8| match found {
            0 => Outcome::Met,
            UNKNOWN => Outcome::Unknown,
            _ => Outcome::Unmet,
        };
        found.into_iter().map(told).collect()
    }

    /// Writes over what is said of as many households as `one` has, from this place in the census on: for households that
    /// changed, asked alone. Both are of the same plan; what is not in this assessment is left out.
    pub fn put(&mut self, at: usize, one: &Self) {
        for (own, new) in self.rules.iter_mut().zip(&one.rules) {
            let skipped = self.from.saturating_sub(at);
            let start = at.saturating_sub(self.from);
            let outcomes = own.outcomes.iter_mut().skip(start);
            outcomes.zip(new.outcomes.iter().skip(skipped)).for_each(|(own, new)| *own = *new);
            let reasons = own.reasons.iter_mut().skip(start);
            reasons.zip(new.reasons.iter().skip(skipped)).for_each(|(own, new)| *own = *new);
        }
    }
}

/// Asks the rules of the households at these places, on so many threads.
pub fn assess(
    census: &Census,
    plan: &Plan,
    question: Question<'_>,
    households: Range<usize>,
    threads: NonZero<usize>,
) -> Assessment {
    let from = households.start.min(census.households());
    let end = households.end.clamp(from, census.households());
    let share = (end - from).div_ceil(threads.get()).max(1);
    let mut rules: Vec<Judged> = plan.ids.iter().map(|_| Judged::empty(end - from)).collect();
    // Each thread writes its own part of every rule's arrays.
    let mut parts: Vec<Vec<Slot<'_>>> = Vec::new();
    for judged in &mut rules {
        let outcomes = judged.outcomes.chunks_mut(share);
        for (nth, slot) in outcomes.zip(judged.reasons.chunks_mut(share)).enumerate() {
            match parts.get_mut(nth) {
                Some(part) => part.push(slot),
                None => parts.push(vec![slot]),
            }
        }
    }
    let starts = (from..end).step_by(share);
    let packed: Vec<Packed<'_>> = plan.places.iter().map(Packed::of).collect();
    thread::scope(|scope| {
        let mut work = starts.zip(parts).map(|(start, slots)| {
            let lanes = Lanes::new(census, question);
            let packed = &packed[..];
            move || judge(lanes, (packed, question.places), start, slots)
        });
        // One of them here.
        let own = work.next();
        work.for_each(|work| drop(scope.spawn(work)));
        own.into_iter().for_each(|work| work());
    });
    Assessment { from, rules }
}

impl Census {
    /// The number that a household's field of a shape has on a day, with the amounts of its place; none if it is not known, or
    /// is no number of the household.
    pub fn number_of(
        &self,
        shape: &Shape,
        nth: usize,
        field: FieldRef,
        on: Day,
        amounts: &[Option<f64>],
    ) -> Option<f64> {
        if field.level != Level::Household || nth >= self.households() {
            return None;
        }
        let question = Question { shape, on, places: &[], added_fen: &[] };
        let mut lanes = Lanes::new(self, question);
        lanes.amounts = amounts;
        lanes.enter(nth..nth + 1);
        let mut out = Vec::new();
        lanes.number(&Number::Field(field), Level::Household, &mut out);
        out.first().copied().filter(|number| !number.is_nan())
    }
}

/// Where a thread writes what a rule says: outcomes and reasons.
type Slot<'s> = (&'s mut [Outcome], &'s mut [u8]);

/// Asks the rules of the households from `start` on, as many as the slots have room for.
fn judge<'c>(
    mut lanes: Lanes<'c>,
    (packed, places): (&[Packed<'c>], &[u16]),
    start: usize,
    mut slots: Vec<Slot<'_>>,
) {
    let count = slots.first().map_or(0, |(outcomes, _)| outcomes.len());
    let mut judge = Judge::default();
    for from in (0..count).step_by(BLOCK) {
        let end = (from + BLOCK).min(count);
        let block = start + from..start + end;
        judge.find_places(lanes.census.homes_in.get(block.clone()), places);
        lanes.enter(block);
        for nth in 0..judge.here.len() {
            let place = judge.here.get(nth).copied().unwrap_or_default();
            let Some(packed) = packed.get(usize::from(place)) else { continue };
            lanes.amounts = packed.amounts;
            packed.words(&mut lanes, &mut judge.room);
            for (rule, (outcomes, reasons)) in packed.rules.iter().zip(&mut slots) {
                if let (Some(rule), Some(outcomes), Some(reasons)) =
                    (rule, outcomes.get_mut(from..end), reasons.get_mut(from..end))
                {
                    judge.ask(&mut lanes, (packed, rule), place, (outcomes, reasons));
                }
            }
        }
    }
}

/// Room for one rule's lanes.
#[derive(Default)]
struct Judge {
    room: Room,
    part: Vec<u8>,
    unmet: Vec<u8>,
    met: Vec<u8>,
    /// Of the first part that is to blame.
    blamed: Vec<u8>,
    missing: Vec<u8>,
    /// The places of a block's households, each once.
    here: Vec<u16>,
    /// The place of each of them, where they are not all in one.
    of_each: Vec<u16>,
}

impl Judge {
    /// Looks where the households of a block live, which is in one place as a rule.
    fn find_places(&mut self, villages: Option<&[u32]>, places: &[u16]) {
        let village = |village: &u32| usize::try_from(*village).unwrap_or(usize::MAX);
        let place = |own: &u32| places.get(village(own)).copied().unwrap_or_default();
        self.of_each.clear();
        self.of_each.extend(villages.unwrap_or_default().iter().map(place));
        self.here.clear();
        let Some(first) = self.of_each.first() else { return };
        self.here.push(*first);
        for place in &self.of_each {
            if !self.here.contains(place) {
                self.here.push(*place);
            }
        }
    }

    fn ask(
        &mut self,
        lanes: &mut Lanes<'_>,
        (packed, rule): (&Packed<'_>, &Parts<'_>),
        place: u16,
        (outcomes, reasons): Slot<'_>,
    ) {
        let count = outcomes.len();
        for lanes in [&mut self.unmet, &mut self.met, &mut self.blamed, &mut self.missing] {
            lanes.clear();
            lanes.resize(count, 0);
        }
        let Self { room, part, unmet, met, blamed, missing, .. } = self;
        let mut each = |parts: &[Part<'_>], blames_yes: bool, all: &mut [u8], first: &mut [u8]| {
            // From the last part to the first, so that the first has the last word.
            for (nth, own) in parts.iter().enumerate().rev() {
                let nth = u8::try_from(nth).unwrap_or(u8::MAX);
                packed.said(own, lanes, room, part);
                for ((part, all), first) in part.iter().zip(&mut *all).zip(&mut *first) {
                    let is_it = if (*part == YES) == blames_yes { 0xFF } else { 0 };
                    *all |= is_it;
                    *first = (nth & is_it) | (*first & !is_it);
                }
            }
        };
        each(&rule.unmet, true, unmet, blamed);
        each(&rule.met, false, met, missing);
        let said = self.unmet.iter().zip(&self.met).zip(self.blamed.iter().zip(&self.missing));
        let is_one = self.here.len() == 1;
        let slots = outcomes.iter_mut().zip(reasons).zip(&self.of_each);
        for (((unmet, fails), (blamed, missing)), ((outcome, reason), own)) in said.zip(slots) {
            if !is_one && *own != place {
                continue;
            }
            *outcome = match (*unmet != 0, *fails != 0) {
                (true, _) => Outcome::Unmet,
                (false, false) => Outcome::Met,
                (false, true) => Outcome::Unknown,
            };
            *reason = (*blamed & *unmet) | (*missing & *fails & !*unmet);
        }
    }
}

impl Judged {
    fn empty(count: usize) -> Self {
        Self { outcomes: vec![Outcome::NotAsked; count], reasons: vec![0; count] }
    }
}

//! What members say, brought home once for all rules.
//!
//! Each test of members takes two bits of a word that each member has; the words of a household's members are joined by one
//! `|`. Households have few members: a loop over each is left at a place that no processor foresees, so there is one loop in
//! all instead of one for each test.

use daohu_policy::expr::{Comparison, Level, Number, Test};

use super::lanes::{Lanes, inverted};
use crate::{
    columns::{NO, UNKNOWN, YES},
    rules::{Place, Rule},
};

/// Tests that one word has room for.
const SLOTS: usize = 16;

/// The parts of the rules of a place, those about members with their place in the word.
pub(super) struct Packed<'p> {
    /// None of a rule that is not asked at this place.
    pub(super) rules: Vec<Option<Parts<'p>>>,
    pub(super) amounts: &'p [Option<f64>],
    /// What each member is asked, by the place in the word.
    tests: Vec<Asked<'p>>,
}

/// The parts of a rule.
pub(super) struct Parts<'p> {
    pub(super) unmet: Vec<Part<'p>>,
    pub(super) met: Vec<Part<'p>>,
}

/// A part of a rule.
pub(super) enum Part<'p> {
    /// Of the household, or of members where no word has room.
    Whole(&'p Test),
    /// At this place of the word.
    Slot(usize, Quantifier),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Quantifier {
    Someone,
    /// Kept as: nobody of whom it does not hold.
    Everyone,
}

/// A test of a member; nothing asks only who is there.
type Asked<'p> = (Option<&'p Test>, Quantifier);

impl<'p> Packed<'p> {
    pub(super) fn of(place: &'p Place) -> Self {
        let mut tests = Vec::new();
        let mut part = |test: &'p Test| match asked(test) {
            Some(asked) => match tests.iter().position(|own| *own == asked) {
                Some(place) => Part::Slot(place, asked.1),
                None if tests.len() < SLOTS => {
                    tests.push(asked);
                    Part::Slot(tests.len() - 1, asked.1)
                }
                None => Part::Whole(test),
            },
            None => Part::Whole(test),
        };
        let mut parts = |rule: &'p Rule| Parts {
            unmet: rule.unmet.iter().map(&mut part).collect(),
            met: rule.met.iter().map(&mut part).collect(),
        };
        let rules = place.rules.iter().map(|rule| rule.as_ref().map(&mut parts)).collect();
        Self { rules, amounts: &place.amounts, tests }
    }

    /// The words of the households, by place.
    pub(super) fn words(&self, lanes: &mut Lanes<'_>, room: &mut Room) {
        if self.tests.is_empty() {
            return;
        }
        room.members.clear();
        room.members.resize(lanes.members.len(), 0);
        for (place, (test, quantifier)) in self.tests.iter().enumerate() {
            match test {
                Some(test) => lanes.test(test, Level::Member, &mut room.lanes),
                None => lanes.test(&Test::Is(true), Level::Member, &mut room.lanes),
            }
            let shift = 2 * place;
            let words = room.members.iter_mut().zip(room.lanes.iter().zip(&lanes.present));
            match quantifier {
                Quantifier::Someone => words.for_each(|(word, (lane, present))| {
                    *word |= bits(lane & present) << shift;
                }),
                Quantifier::Everyone => words.for_each(|(word, (lane, present))| {
                    *word |= bits(inverted(*lane) & present) << shift;
                }),
            }
        }
        lanes.of_each(&room.members, &mut room.households, 0, |all, word| all | word);
    }

    /// What a part says of the households.
    pub(super) fn said(
        &self,
        part: &Part<'_>,
        lanes: &mut Lanes<'_>,
        room: &Room,
        out: &mut Vec<u8>,
    ) {
        match part {
            Part::Whole(test) => lanes.household_test(test, out),
            Part::Slot(place, quantifier) => {
                let shift = 2 * place;
                out.clear();
                let said = room.households.iter().map(|word| lane(word >> shift));
                match quantifier {
                    Quantifier::Someone => out.extend(said),
                    Quantifier::Everyone => out.extend(said.map(inverted)),
                }
            }
        }
    }
}

/// What of a part the members can be asked; none where the household must be.
fn asked(test: &Test) -> Option<Asked<'_>> {
    match test {
        Test::Someone(test) => Some((Some(&**test), Quantifier::Someone)),
        Test::Everyone(test) => Some((Some(&**test), Quantifier::Everyone)),
        Test::Compare(Comparison::Greater, Number::Members, Number::Constant(0.0)) => {
            Some((None, Quantifier::Someone))
        }
        _ => None,
    }
}

/// Two bits: not no, and yes.
fn bits(lane: u8) -> u32 {
    u32::from((lane & 1) | ((lane >> 3) & 2))
}

/// The lane of two bits.
fn lane(word: u32) -> u8 {
    let not_no = if word & 1 == 0 { NO } else { UNKNOWN };
    let yes = if word & 2 == 0 { NO } else { YES };
    not_no | yes
}

/// Room that is used again.
#[derive(Default)]
pub(super) struct Room {
    lanes: Vec<u8>,
    members: Vec<u32>,
    households: Vec<u32>,
}

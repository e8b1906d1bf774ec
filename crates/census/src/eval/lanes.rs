//! Tests of some households and of their members, all at once.

use std::ops::Range;

use daohu_policy::{
    CodeSet,
    expr::{Comparison, FieldRef, Level, Number, Test},
};

use super::Question;
use crate::{
    Derived, Shape, Source,
    columns::{Census, Column, NO, NO_CODE, NO_FEN, NO_INT, NO_SET, UNKNOWN, YES, Year},
};

/// Codes that are looked for one by one; of more a table is made.
const CODES_COMPARED: usize = 4;

/// Some households with their members.
pub(super) struct Lanes<'c> {
    pub(super) census: &'c Census,
    shape: &'c Shape,
    /// The day, as packed.
    pub(super) on: i32,
    /// The income of the day's year, if there is any, and of the one before.
    pub(super) year: Option<&'c Year>,
    pub(super) year_before: Option<&'c Year>,
    /// What is added to the income a head of the day's year.
    pub(super) added_fen: &'c [i64],
    /// What rules compare with where these households live.
    pub(super) amounts: &'c [Option<f64>],
    pub(super) households: Range<usize>,
    pub(super) members: Range<usize>,
    /// Who is a member on the day.
    pub(super) present: Vec<u8>,
    /// Room that was used before.
    spare: Vec<Vec<u8>>,
    pub(super) spare_numbers: Vec<Vec<f64>>,
}

/// True or not, of two numbers that are known.
const fn lane(holds: bool) -> u8 {
    if holds { YES } else { NO }
}

/// What Kleene's logic makes of *not*.
pub(super) const fn inverted(lane: u8) -> u8 {
    !lane.rotate_left(4)
}

impl<'c> Lanes<'c> {
    pub(super) fn new(census: &'c Census, question: Question<'c>) -> Self {
        let Question { shape, on, added_fen, .. } = question;
        let year = |year: i64| i32::try_from(year).ok().and_then(|year| census.years.get(&year));
        let (year, year_before) = (year(on.year()), year(on.year() - 1));
        let (present, spare, spare_numbers) = Default::default();
        let (households, members) = (0..0, 0..0);
        let on = on.packed();
        let amounts = &[][..];
        Self {
            census,
            shape,
            on,
            year,
            year_before,
            added_fen,
            amounts,
            households,
            members,
            present,
            spare,
            spare_numbers,
        }
    }

    /// Goes to the households at these places.
    pub(super) fn enter(&mut self, households: Range<usize>) {
        let starts = self.census.members_from.get(households.start..=households.end);
        let starts = starts.unwrap_or_default();
        let place = |start: &u32| usize::try_from(*start).unwrap_or(usize::MAX);
        let first = starts.first().map_or(0, place);
        self.members = first..starts.last().map_or(0, place);
        self.households = households;
        self.present.clear();
        let gone = self.census.gone_on.get(self.members.clone()).unwrap_or_default();
        self.present.extend(gone.iter().map(|gone| lane(*gone > self.on)));
    }

    /// Where a field comes from, and its array if it has one.
    pub(super) fn source(&self, field: FieldRef) -> Option<(Source, Option<&'c Column>)> {
        self.census.source(self.shape, field)
    }

    /// The birth dates of all members.
    pub(super) fn born_on(&self) -> Option<&'c Column> {
        self.census.member.get(self.shape.born_on)
    }

    pub(super) fn count(&self, level: Level) -> usize {
        match level {
            Level::Household => self.households.len(),
            Level::Member => self.members.len(),
        }
    }

    /// The part of a field's array that belongs to these.
    pub(super) fn part<'a, T>(&self, level: Level, all: &'a [T]) -> &'a [T] {
        let range = match level {
            Level::Household => self.households.clone(),
            Level::Member => self.members.clone(),
        };
        all.get(range).unwrap_or_default()
    }

    /// A test of the households.
    pub(super) fn household_test(&mut self, test: &Test, out: &mut Vec<u8>) {
        self.test(test, Level::Household, out);
    }

    pub(super) fn test(&mut self, test: &Test, level: Level, out: &mut Vec<u8>) {
        match test {
            Test::Is(is) => fill(out, self.count(level), lane(*is)),
            Test::Flag(field) => match self.source(*field) {
                Some((_, Some(Column::Flag(lanes)))) => {
                    out.clear();
                    out.extend_from_slice(self.part(field.level, lanes));
                }
                _ => fill(out, self.count(level), UNKNOWN),
            },
            Test::Known(field) => self.known(*field, out),
            Test::OneOf(field, codes) => self.one_of(*field, *codes, out),
            Test::HasAny(field, codes) => self.has_any(*field, *codes, out),
            Test::Compare(how, one, other) => self.compare(*how, (one, other), level, out),
            Test::Not(test) => {
                self.test(test, level, out);
                out.iter_mut().for_each(|lane| *lane = inverted(*lane));
            }
            Test::All(parts) => self.joined(parts, (level, YES), |all, part| *all &= part, out),
            Test::Any(parts) => self.joined(parts, (level, NO), |all, part| *all |= part, out),
            Test::Someone(test) => {
                let mut of = self.spare.pop().unwrap_or_default();
                self.test(test, Level::Member, &mut of);
                of.iter_mut().zip(&self.present).for_each(|(lane, present)| *lane &= present);
                self.of_each(&of, out, NO, |all, lane| all | lane);
                self.spare.push(of);
            }
            Test::Everyone(test) => {
                let mut of = self.spare.pop().unwrap_or_default();
                self.test(test, Level::Member, &mut of);
                of.iter_mut().zip(&self.present).for_each(|(lane, present)| *lane |= !present);
                self.of_each(&of, out, YES, |all, lane| all & lane);
                self.spare.push(of);
            }
            Test::Decided(test) => {
                self.test(test, level, out);
                out.iter_mut().for_each(|own| *own = lane(*own != UNKNOWN));
            }
            Test::Judged(unmet, met) => {
                self.test(unmet, level, out);
                let mut met_lanes = self.spare.pop().unwrap_or_default();
                self.test(met, level, &mut met_lanes);
                out.iter_mut().zip(&met_lanes).for_each(|(unmet, met)| {
                    *unmet = match (*unmet, *met) {
                        (YES, _) => NO,
                        (_, YES) => YES,
                        _ => UNKNOWN,
                    };
                });
                self.spare.push(met_lanes);
            }
        }
    }

    /// What the members' lanes of each household come to; `none` where it has no member.
    pub(super) fn of_each<L: Copy, T: Copy>(
        &self,
        of: &[L],
        out: &mut Vec<T>,
        none: T,
        join: impl Fn(T, L) -> T,
    ) {
        out.clear();
        out.resize(self.households.len(), none);
        let homes = self.part(Level::Member, &self.census.homes);
        let (mut last, mut all) = (u32::MAX, none);
        // Households have few members: a loop over each would be left at a place that nobody can foresee.
        for (lane, home) in of.iter().zip(homes) {
            all = join(if *home == last { all } else { none }, *lane);
            last = *home;
            let place = usize::try_from(*home).unwrap_or(usize::MAX) - self.households.start;
            if let Some(slot) = out.get_mut(place) {
                *slot = all;
            }
        }
    }

    fn joined(
        &mut self,
        parts: &[Test],
        (level, none): (Level, u8),
        join: impl Fn(&mut u8, u8),
        out: &mut Vec<u8>,
    ) {
        let Some((first, others)) = parts.split_first() else {
            return fill(out, self.count(level), none);
        };
        self.test(first, level, out);
        let mut part = self.spare.pop().unwrap_or_default();
        for other in others {
            self.test(other, level, &mut part);
            out.iter_mut().zip(&part).for_each(|(all, part)| join(all, *part));
        }
        self.spare.push(part);
    }

    fn known(&mut self, field: FieldRef, out: &mut Vec<u8>) {
        out.clear();
        let level = field.level;
        match self.source(field) {
            Some((_, Some(column))) => match column {
                Column::Flag(lanes) => {
                    out.extend(self.part(level, lanes).iter().map(|own| lane(*own != UNKNOWN)));
                }
                Column::Known(lanes) => out.extend_from_slice(self.part(level, lanes)),
                Column::Code(codes) => {
                    out.extend(self.part(level, codes).iter().map(|code| lane(*code != NO_CODE)));
                }
                Column::Codes(sets) => {
                    out.extend(self.part(level, &sets.nths).iter().map(|nth| lane(*nth != NO_SET)));
                }
                Column::Int(numbers) => {
                    out.extend(self.part(level, numbers).iter().map(|own| lane(*own != NO_INT)));
                }
                Column::Fen(amounts) => {
                    out.extend(self.part(level, amounts).iter().map(|own| lane(*own != NO_FEN)));
                }
                Column::Real(numbers) => {
                    out.extend(self.part(level, numbers).iter().map(|own| lane(!own.is_nan())));
                }
            },
            _ => {
                let mut numbers = self.spare_numbers.pop().unwrap_or_default();
                self.number(&Number::Field(field), level, &mut numbers);
                out.extend(numbers.iter().map(|number| lane(!number.is_nan())));
                self.spare_numbers.push(numbers);
            }
        }
    }

    fn one_of(&self, field: FieldRef, codes: CodeSet, out: &mut Vec<u8>) {
        let Some((_, Some(Column::Code(own)))) = self.source(field) else {
            return fill(out, self.count(field.level), UNKNOWN);
        };
        let own = self.part(field.level, own);
        out.clear();
        let known = |code: u8, is_one: u8| if code == NO_CODE { UNKNOWN } else { is_one };
        if codes.iter().count() > CODES_COMPARED {
            out.extend(
                own.iter().map(|code| known(*code, lane(codes.has(Some(i64::from(*code)))))),
            );
            return;
        }
        out.extend(own.iter().map(|code| known(*code, NO)));
        for wanted in codes.iter() {
            out.iter_mut().zip(own).for_each(|(out, code)| *out |= lane(*code == wanted));
        }
    }

    fn has_any(&self, field: FieldRef, codes: CodeSet, out: &mut Vec<u8>) {
        let Some((_, Some(Column::Codes(sets)))) = self.source(field) else {
            return fill(out, self.count(field.level), UNKNOWN);
        };
        let meets = |set: &CodeSet| lane(set.iter().any(|code| codes.has(Some(i64::from(code)))));
        let mut said: Vec<u8> = sets.sets.iter().map(meets).collect();
        if let Some(unknown) = said.get_mut(usize::from(NO_SET)) {
            *unknown = UNKNOWN;
        }
        let said = |nth: &u16| said.get(usize::from(*nth)).copied().unwrap_or(UNKNOWN);
        out.clear();
        out.extend(self.part(field.level, &sets.nths).iter().map(said));
    }

    fn compare(
        &mut self,
        how: Comparison,
        (one, other): (&Number, &Number),
        level: Level,
        out: &mut Vec<u8>,
    ) {
        match (one, other) {
            (Number::Field(field), Number::Constant(bound))
                if self.compared(how, *field, *bound, out) => {}
            (Number::Constant(bound), Number::Field(field))
                if self.compared(how.turned(), *field, *bound, out) => {}
            _ => {
                let mut left = self.spare_numbers.pop().unwrap_or_default();
                let mut right = self.spare_numbers.pop().unwrap_or_default();
                self.number(one, level, &mut left);
                self.number(other, level, &mut right);
                out.clear();
                let pairs = left.iter().zip(&right);
                out.extend(pairs.map(|(one, other)| {
                    let is_known = !one.is_nan() && !other.is_nan();
                    if is_known { lane(how.holds(*one, *other)) } else { UNKNOWN }
                }));
                self.spare_numbers.extend([left, right]);
            }
        }
    }

    /// Compares whole numbers with one that is written down, as they are stored; false if they are none.
    fn compared(&self, how: Comparison, field: FieldRef, bound: f64, out: &mut Vec<u8>) -> bool {
        let Some(bound) = whole(bound) else { return false };
        match self.source(field) {
            Some((_, Some(Column::Int(numbers)))) => {
                ints(how, self.part(field.level, numbers), bound, out);
                true
            }
            Some((Source::Derived(Derived::Age), _)) => {
                let born = self.born_on();
                let Some(Column::Int(born)) = born else { return false };
                self.ages(how, self.part(field.level, born), bound, out)
            }
            _ => false,
        }
    }

    /// Compares ages: who is so old was born on a day or before.
    fn ages(&self, how: Comparison, born: &[i32], years: i32, out: &mut Vec<u8>) -> bool {
        // So many years old on the day is who was born on this day or before it, as packed.
        let day = |years: i32| years.checked_mul(10_000).map(|years| self.on - years);
        let (Some(day), Some(next)) = (day(years), years.checked_add(1).and_then(day)) else {
            return false;
        };
        match how {
            Comparison::GreaterOrEqual => ints(Comparison::LessOrEqual, born, day, out),
            Comparison::Less => ints(Comparison::Greater, born, day, out),
            Comparison::Greater => ints(Comparison::LessOrEqual, born, next, out),
            Comparison::LessOrEqual => ints(Comparison::Greater, born, next, out),
            Comparison::Equal | Comparison::NotEqual => return false,
        }
        true
    }
}

/// A whole number, if it is one that can be stored.
#[expect(clippy::cast_possible_truncation, reason = "it is compared with what it was")]
#[expect(clippy::float_cmp, reason = "a whole number is exactly itself")]
fn whole(number: f64) -> Option<i32> {
    let whole = number as i32;
    (f64::from(whole) == number && whole != NO_INT).then_some(whole)
}

/// Compares whole numbers with one.
fn ints(how: Comparison, numbers: &[i32], bound: i32, out: &mut Vec<u8>) {
    /// One loop for each comparison: without a choice in it, it takes many numbers at a step.
    fn each(numbers: &[i32], out: &mut [u8], holds: impl Fn(i32) -> bool) {
        for (out, own) in out.iter_mut().zip(numbers) {
            let unknown = if *own == NO_INT { 0xFF } else { 0 };
            *out = (lane(holds(*own)) & !unknown) | (UNKNOWN & unknown);
        }
    }
    fill(out, numbers.len(), NO);
    match how {
        Comparison::Equal => each(numbers, out, |own| own == bound),
        Comparison::NotEqual => each(numbers, out, |own| own != bound),
        Comparison::Less => each(numbers, out, |own| own < bound),
        Comparison::LessOrEqual => each(numbers, out, |own| own <= bound),
        Comparison::Greater => each(numbers, out, |own| own > bound),
        Comparison::GreaterOrEqual => each(numbers, out, |own| own >= bound),
    }
}

fn fill(out: &mut Vec<u8>, count: usize, lane: u8) {
    out.clear();
    out.resize(count, lane);
}

//! Whether a test can hold of any household at all: one that cannot was written by mistake.
//!
//! Looks for values of the fields, each by itself, of which the test is true. What it does not follow (several members at
//! once, sums of fields) it takes for possible: so a test is refused only if nothing can make it true.

use super::tree::{Comparison, FieldRef, Number, Test};
use crate::CodeSet;

/// So many attempts, and then the test is taken for possible.
const STEPS_MAX: usize = 20_000;

/// True if no household is such that the test holds of it.
pub fn is_never_true(test: &Test) -> bool {
    let mut steps = STEPS_MAX;
    !is_possible(vec![(test, true)], Known::default(), &mut steps)
}

/// What is asked of the fields so far.
#[derive(Clone, Default)]
struct Known<'t> {
    flags: Vec<(FieldRef, bool)>,
    /// Fields that must be known, and such that must not.
    known: Vec<(FieldRef, bool)>,
    /// Codes that are left, and whether they are those or all others.
    codes: Vec<(FieldRef, CodeSet, bool)>,
    numbers: Vec<(&'t Number, Span)>,
    /// How two numbers may compare: less, equal, greater.
    pairs: Vec<(&'t Number, &'t Number, [bool; 3])>,
}

/// From a number on, to a number; with the ends, or without.
#[derive(Clone, Copy)]
struct Span {
    from: (f64, bool),
    to: (f64, bool),
}

impl Span {
    const ALL: Self = Self { from: (f64::NEG_INFINITY, true), to: (f64::INFINITY, true) };

    /// What numbers may be at all: there are not fewer than no members, and nobody is younger than newborn.
    fn of(number: &Number) -> Self {
        match number {
            Number::Members | Number::Count(_) => Self { from: (0.0, true), ..Self::ALL },
            _ => Self::ALL,
        }
    }

    fn is_empty(self) -> bool {
        let ((from, with_from), (to, with_to)) = (self.from, self.to);
        from > to || (from >= to && !(with_from && with_to))
    }

    fn after(mut self, from: f64, with: bool) -> Self {
        if from > self.from.0 || (from >= self.from.0 && !with) {
            self.from = (from, with);
        }
        self
    }

    fn before(mut self, to: f64, with: bool) -> Self {
        if to < self.to.0 || (to <= self.to.0 && !with) {
            self.to = (to, with);
        }
        self
    }
}

/// True if all goals can be reached together: of each, that it holds, or that it does not.
fn is_possible<'t>(
    mut goals: Vec<(&'t Test, bool)>,
    mut known: Known<'t>,
    steps: &mut usize,
) -> bool {
    while let Some((test, holds)) = goals.pop() {
        let Some(left) = steps.checked_sub(1) else { return true };
        *steps = left;
        let is_still_possible = match test {
            Test::Is(is) => *is == holds,
            Test::Not(test) => {
                goals.push((test, !holds));
                true
            }
            Test::All(parts) | Test::Any(parts) => {
                if matches!(test, Test::All(_)) != holds {
                    let mut ways = parts.iter();
                    return ways.any(|part| {
                        let goals = goals.iter().copied().chain([(part, holds)]).collect();
                        is_possible(goals, known.clone(), steps)
                    });
                }
                goals.extend(parts.iter().map(|part| (part, holds)));
                true
            }
            Test::Someone(of) if holds => is_possible(vec![(of, true)], Known::default(), steps),
            Test::Everyone(of) if !holds => is_possible(vec![(of, false)], Known::default(), steps),
            // Of nobody, or of somebody of whom too little is known.
            Test::Someone(_) | Test::Everyone(_) | Test::Decided(_) => true,
            Test::Judged(unmet, met) => {
                goals.push(if holds { (met, true) } else { (unmet, true) });
                true
            }
            atom => known.add(atom, holds),
        };
        if !is_still_possible {
            return false;
        }
    }
    true
}

impl<'t> Known<'t> {
    /// Takes it that an atom holds, or that its opposite does; false if that cannot be.
    fn add(&mut self, atom: &'t Test, holds: bool) -> bool {
        match atom {
            Test::Flag(field) => {
                self.is_known(*field, true) && {
                    self.flags.push((*field, holds));
                    !self.flags.contains(&(*field, !holds))
                }
            }
            Test::Known(field) => self.is_known(*field, holds),
            Test::OneOf(field, codes) => {
                self.is_known(*field, true) && {
                    self.codes.push((*field, *codes, holds));
                    self.is_code_left(*field)
                }
            }
            Test::HasAny(field, codes) => {
                self.is_known(*field, true) && !(holds && codes.iter().next().is_none())
            }
            Test::Compare(how, one, other) => {
                self.compare(if holds { *how } else { how.opposite() }, one, other)
            }
            _ => true,
        }
    }

    fn is_known(&mut self, field: FieldRef, is_known: bool) -> bool {
        self.known.push((field, is_known));
        !self.known.contains(&(field, !is_known))
    }

    /// True if one code at least is among all that are asked for, and among none of those excluded.
    fn is_code_left(&self, field: FieldRef) -> bool {
        let own = || self.codes.iter().filter(move |(of, ..)| *of == field);
        let Some((_, first, _)) = own().find(|(.., is_one_of)| *is_one_of) else { return true };
        let fits = |code: u8| own().all(|(_, set, is_in)| set.has(Some(code.into())) == *is_in);
        first.iter().any(fits)
    }

    fn compare(&mut self, how: Comparison, one: &'t Number, other: &'t Number) -> bool {
        for number in [one, other] {
            if let Number::Field(field) = number
                && !self.is_known(*field, true)
            {
                return false;
            }
        }
        match (one, other) {
            (Number::Constant(one), Number::Constant(other)) => how.holds(*one, *other),
            (number, Number::Constant(constant)) => self.narrow(number, how, *constant),
            (Number::Constant(constant), number) => self.narrow(number, how.turned(), *constant),
            (one, other) if one == other => how.holds(0.0, 0.0),
            (one, other) => self.relate(how, one, other),
        }
    }

    fn narrow(&mut self, number: &'t Number, how: Comparison, constant: f64) -> bool {
        let at = self.numbers.iter().position(|(own, _)| *own == number).unwrap_or_else(|| {
            self.numbers.push((number, Span::of(number)));
            self.numbers.len() - 1
        });
        let Some((_, span)) = self.numbers.get_mut(at) else { return true };
        *span = match how {
            Comparison::Equal => span.after(constant, true).before(constant, true),
            // All but one of many.
            Comparison::NotEqual => *span,
            Comparison::Less => span.before(constant, false),
            Comparison::LessOrEqual => span.before(constant, true),
            Comparison::Greater => span.after(constant, false),
            Comparison::GreaterOrEqual => span.after(constant, true),
        };
        !span.is_empty()
    }

    fn relate(&mut self, how: Comparison, one: &'t Number, other: &'t Number) -> bool {
        let is_turned =
            self.pairs.iter().any(|(first, second, _)| (*first, *second) == (other, one));
        let (one, other, how) =
            if is_turned { (other, one, how.turned()) } else { (one, other, how) };
        let ways = [(0.0, 1.0), (0.0, 0.0), (1.0, 0.0)].map(|(a, b)| how.holds(a, b));
        let same = |pair: &&mut (&Number, &Number, [bool; 3])| (pair.0, pair.1) == (one, other);
        if let Some((.., left)) = self.pairs.iter_mut().find(same) {
            left.iter_mut().zip(ways).for_each(|(left, way)| *left &= way);
            return left.contains(&true);
        }
        self.pairs.push((one, other, ways));
        true
    }
}

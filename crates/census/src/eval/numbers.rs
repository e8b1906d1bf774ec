//! Numbers of some households and of their members, all at once; NaN is what is not known.

use daohu_policy::expr::{FieldRef, Level, Number};

use super::lanes::Lanes;
use crate::{
    Derived, Source,
    columns::{Column, NO_FEN, NO_INT, YES, Year},
};

fn int(number: i32) -> f64 {
    if number == NO_INT { f64::NAN } else { f64::from(number) }
}

#[expect(clippy::cast_precision_loss, reason = "amounts stay below 2^53 fen")]
fn stored_fen(amount: i64) -> f64 {
    if amount == NO_FEN { f64::NAN } else { amount as f64 }
}

/// One more, if it holds of a member.
fn counted(count: f64, lane: u8) -> f64 {
    count + f64::from(u8::from(lane == YES))
}

impl Lanes<'_> {
    pub(super) fn number(&mut self, number: &Number, level: Level, out: &mut Vec<f64>) {
        match number {
            Number::Constant(constant) => {
                let count = self.count(level);
                out.clear();
                out.resize(count, *constant);
            }
            Number::Field(field) => self.field(*field, out),
            Number::Members => {
                self.of_each(&self.present, out, 0.0, counted);
            }
            Number::Count(test) => {
                let mut of = Vec::new();
                self.test(test, Level::Member, &mut of);
                of.iter_mut().zip(&self.present).for_each(|(lane, present)| *lane &= present);
                self.of_each(&of, out, 0.0, counted);
            }
            Number::Sum(one, other) => self.both(one, other, level, |a, b| a + b, out),
            Number::Difference(one, other) => self.both(one, other, level, |a, b| a - b, out),
            Number::Product(one, other) => self.both(one, other, level, |a, b| a * b, out),
            Number::Quotient(one, other) => {
                let quotient = |a: f64, b: f64| if b == 0.0 { f64::NAN } else { a / b };
                self.both(one, other, level, quotient, out);
            }
        }
    }

    fn both(
        &mut self,
        one: &Number,
        other: &Number,
        level: Level,
        join: impl Fn(f64, f64) -> f64,
        out: &mut Vec<f64>,
    ) {
        self.number(one, level, out);
        let mut right = self.spare_numbers.pop().unwrap_or_default();
        self.number(other, level, &mut right);
        out.iter_mut().zip(&right).for_each(|(own, other)| *own = join(*own, *other));
        self.spare_numbers.push(right);
    }

    fn field(&self, field: FieldRef, out: &mut Vec<f64>) {
        let level = field.level;
        out.clear();
        match self.source(field) {
            Some((_, Some(Column::Int(numbers)))) => {
                out.extend(self.part(level, numbers).iter().map(|number| int(*number)));
            }
            Some((_, Some(Column::Fen(amounts)))) => {
                out.extend(self.part(level, amounts).iter().map(|amount| stored_fen(*amount)));
            }
            Some((_, Some(Column::Real(numbers)))) => {
                out.extend_from_slice(self.part(level, numbers));
            }
            Some((Source::Derived(Derived::Age), _)) => self.ages_into(out),
            Some((Source::Derived(Derived::IncomePerHead), _)) => {
                self.incomes_into(self.year, out);
                let added = self.part(Level::Household, self.added_fen);
                out.iter_mut().zip(added).for_each(|(own, added)| *own += stored_fen(*added));
            }
            Some((Source::Derived(Derived::IncomePerHeadBefore), _)) => {
                self.incomes_into(self.year_before, out);
            }
            Some((Source::Derived(Derived::Sharing), _)) => {
                let sharing = self.year.map_or(&[][..], |year| &year.sharing);
                out.extend(self.part(Level::Household, sharing).iter().map(|own| int(*own)));
                out.resize(self.households.len(), f64::NAN);
            }
            Some((Source::Derived(Derived::OfYear(nth)), _)) => {
                match self.year.and_then(|year| year.amounts.get(nth)) {
                    Some(amounts) => amounts.copy(self.households.clone(), out),
                    None => out.resize(self.households.len(), f64::NAN),
                }
            }
            Some((Source::Derived(Derived::Amount(nth)), _)) => {
                let amount = self.amounts.get(nth).copied().flatten();
                out.resize(self.count(level), amount.unwrap_or(f64::NAN));
            }
            _ => out.resize(self.count(level), f64::NAN),
        }
    }

    fn ages_into(&self, out: &mut Vec<f64>) {
        let Some(Column::Int(born)) = self.born_on() else {
            return out.resize(self.members.len(), f64::NAN);
        };
        let age = |born: &i32| match *born {
            NO_INT => f64::NAN,
            born => f64::from((self.on - born).div_euclid(10_000)),
        };
        out.extend(self.part(Level::Member, born).iter().map(age));
    }

    fn incomes_into(&self, year: Option<&Year>, out: &mut Vec<f64>) {
        let Some(year) = year else {
            return out.resize(self.households.len(), f64::NAN);
        };
        let own = self.part(Level::Household, &year.per_head_fen);
        out.extend(own.iter().map(|fen| stored_fen(*fen)));
    }
}

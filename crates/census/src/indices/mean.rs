//! Average income, and how it grows.

use super::{
    Headcount, Unknown,
    asked::{Asked, Groups, Tally},
    incomes::{Incomes, Persons, is_amount},
    quotient,
};

/// An amount in fen, and the persons who have it together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    /// Of whom both is known.
    pub counted: Headcount,
    /// Of whom it is not.
    pub unknown: Unknown,
    /// What these persons have together, in fen.
    pub total_fen: i128,
}

impl Mean {
    /// What each has on average, in fen, halves away from zero; none of nobody.
    pub fn fen(&self) -> Option<i64> {
        let persons = i128::from(self.counted.persons);
        let size = self.total_fen.unsigned_abs().checked_mul(2)?;
        let size = i128::try_from(size).ok()?.checked_add(persons)?.checked_div(2 * persons)?;
        i64::try_from(size * self.total_fen.signum()).ok()
    }

    /// By how much the average is above an earlier one, as a share of it: 0.153 is a growth of 15.3 %. None of nobody, and none
    /// where there was nothing that can grow.
    pub fn growth_since(&self, earlier: &Self) -> Option<f64> {
        let now = self.total_fen.checked_mul(earlier.counted.persons.into())?;
        let then = earlier.total_fen.checked_mul(self.counted.persons.into())?;
        if then <= 0 || earlier.counted.persons == 0 {
            return None;
        }
        quotient(now.checked_sub(then)?, then)
    }

    fn take(&mut self, persons: u64, fen: i128) {
        self.counted.take(persons);
        self.total_fen = self.total_fen.saturating_add(fen);
    }
}

impl Tally for Mean {
    fn join(&mut self, other: &Self) {
        self.counted.join(other.counted);
        self.unknown.join(other.unknown);
        self.total_fen = self.total_fen.saturating_add(other.total_fen);
    }
}

/// Income a head. Of each household it is the income a head that is told of it, in whole fen, times who shared it.
pub fn mean(incomes: Incomes<'_>, asked: Asked<'_>) -> Mean {
    asked.tally(incomes.persons().households(), Mean::default, income(incomes))
}

/// Income a head in each group.
pub fn mean_by(incomes: Incomes<'_>, asked: Asked<'_>, groups: Groups<'_>) -> Vec<Mean> {
    asked.tally_by(incomes.persons().households(), groups, Mean::default, income(incomes))
}

/// What persons have on average of something that households have: one kind of income, say, or what one project brought.
/// `fen` is each household's amount as a whole, [`Incomes::UNKNOWN_FEN`] where it is not known.
pub fn mean_of_amounts(fen: &[i64], persons: Persons<'_>, asked: Asked<'_>) -> Mean {
    asked.tally(persons.households(), Mean::default, amount(fen, persons))
}

/// The same in each group.
pub fn mean_of_amounts_by(
    fen: &[i64],
    persons: Persons<'_>,
    asked: Asked<'_>,
    groups: Groups<'_>,
) -> Vec<Mean> {
    asked.tally_by(persons.households(), groups, Mean::default, amount(fen, persons))
}

fn income<'a>(incomes: Incomes<'a>) -> impl Fn(&mut Mean, usize) + Sync + 'a {
    move |own, nth| match incomes.both(nth) {
        Some((fen, persons)) => own.take(persons, i128::from(fen) * i128::from(persons)),
        None => own.unknown.take(incomes.persons().of(nth)),
    }
}

fn amount<'a>(fen: &'a [i64], persons: Persons<'a>) -> impl Fn(&mut Mean, usize) + Sync + 'a {
    move |own, nth| {
        let persons = persons.of(nth);
        let fen = fen.get(nth).copied().filter(|fen| is_amount(*fen));
        match fen.zip(persons) {
            Some((fen, persons)) => own.take(persons, fen.into()),
            None => own.unknown.take(persons),
        }
    }
}

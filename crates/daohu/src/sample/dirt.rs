//! Spoils rows the way spreadsheets and hurried hands do, and knows what an import must make of
//! them.
//!
//! Invariants: a row is spoiled once; a spoiled row is either `Cleaned` (accepted after cleaning)
//! or rejected, never in between; a row that is not spoiled is never rejected because of another
//! one, except through its household, which the caller counts.

use super::dice::{Dice, whole};
use super::dirt_kinds::{Defect, HOUSEHOLD, INCOME, Kinds, PERSON};
use super::sheet::{Row, Sheet};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Clean,
    Cleaned,
    Rejected,
    /// The row has to be written twice, and both copies are rejected.
    Twice,
}

impl Fate {
    pub(super) fn is_rejected(self) -> bool {
        matches!(self, Self::Rejected | Self::Twice)
    }
}

/// What a defect has to know about the rows around its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings {
    /// The head's row of the household is written and stands, so a second head is one too many.
    pub(super) head_stands: bool,
}

/// Spoils a share of the rows.
pub(super) struct Dirt {
    dice: Dice,
    /// Rows in a million.
    share: u32,
}

const MILLION: u32 = 1_000_000;
/// Of the spoiled rows, per mille that can be cleaned; and of the others, that are doubled.
const CLEANABLE: u32 = 650;
const DOUBLED: u32 = 60;

impl Dirt {
    pub(super) fn new(dice: Dice, share: f64) -> Self {
        let share = whole(share * f64::from(MILLION));
        Self { dice, share: u32::try_from(share).unwrap_or(0) }
    }

    /// Spoils the row, or leaves it as it is.
    pub(super) fn spoil(&mut self, sheet: Sheet, row: &mut Row, around: Surroundings) -> Fate {
        if self.share == 0 || self.dice.below(MILLION) >= self.share {
            return Fate::Clean;
        }
        let kinds: &Kinds = match sheet {
            Sheet::Households => &HOUSEHOLD,
            Sheet::Persons => &PERSON,
            Sheet::Incomes => &INCOME,
            _ => return Fate::Clean,
        };
        if self.dice.chance(CLEANABLE) {
            self.apply(kinds.cleanable, row, around);
            return Fate::Cleaned;
        }
        if self.dice.chance(DOUBLED) {
            return Fate::Twice;
        }
        self.apply(kinds.rejectable, row, around);
        Fate::Rejected
    }

    /// Tries the defects from a random one on, until one fits; the last of each list always does.
    fn apply(&mut self, defects: &[Defect], row: &mut Row, around: Surroundings) {
        let count = u32::try_from(defects.len()).unwrap_or(0);
        let start = usize::try_from(self.dice.below(count)).unwrap_or(0);
        let (before, from) = defects.split_at_checked(start).unwrap_or_default();
        for defect in from.iter().chain(before) {
            if defect(row, &mut self.dice, around) {
                return;
            }
        }
    }
}

//! When helping begins, and when it passes to another.

use super::calendar::Day;
use super::dice::Dice;

/// Cadres were sent in 2014 and 2015; of a sample that ends before, in its last year.
const FIRST_YEAR: i32 = 2014;
const LAST_YEAR: i32 = 2015;

/// Days between a beginning and the change of helpers: at least, and more by lot.
const BEFORE_CHANGE: i32 = 30;
const CHANGE_SPAN: u32 = 60;

/// The days on which helping may begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    first: Day,
    last: Day,
}

impl Term {
    /// Of a sample whose last year this is.
    pub(super) fn new(year: i32) -> Self {
        Self { first: Day::new(FIRST_YEAR, 3, 1), last: Day::new(year.min(LAST_YEAR), 10, 31) }
    }

    /// A day by lot.
    pub(super) fn begin(self, dice: &mut Dice) -> Day {
        self.first.plus(dice.between(0, self.last.since(self.first)))
    }

    /// A day by lot that leaves time for a change within the term.
    pub(super) fn begin_early(self, dice: &mut Dice) -> Day {
        let room = BEFORE_CHANGE.saturating_add_unsigned(CHANGE_SPAN);
        self.first.plus(dice.between(0, self.last.since(self.first) - room))
    }

    /// The last day of what began on this day.
    pub(super) fn change(dice: &mut Dice, began: Day) -> Day {
        began.plus(BEFORE_CHANGE.saturating_add_unsigned(dice.below(CHANGE_SPAN)))
    }
}

//! Who went from which state to which between two years.

use super::{
    Headcount,
    asked::{Asked, Groups, Tally},
    incomes::Persons,
};

/// How many went from which state to which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    states: u8,
    /// Row by row, one for each earlier state and one for those whose was not known, each with as many cells.
    cells: Vec<Headcount>,
    /// Of how many households the number of persons is not known: they are counted as households alone.
    pub unnumbered: u64,
}

impl Flows {
    fn empty(states: u8) -> Self {
        let width = usize::from(states) + 1;
        Self { states, cells: vec![Headcount::default(); width * width], unnumbered: 0 }
    }

    /// How many went from one state to another; none is a state that is not known.
    pub fn between(&self, before: Option<u8>, after: Option<u8>) -> Headcount {
        self.cells.get(self.cell(before, after)).copied().unwrap_or_default()
    }

    /// How many were in a state before.
    pub fn before(&self, state: Option<u8>) -> Headcount {
        self.sum(|after| self.between(state, after))
    }

    /// How many are in a state after.
    pub fn after(&self, state: Option<u8>) -> Headcount {
        self.sum(|before| self.between(before, state))
    }

    fn sum(&self, cell: impl Fn(Option<u8>) -> Headcount) -> Headcount {
        let mut sum = cell(None);
        (0..self.states).for_each(|state| sum.join(cell(Some(state))));
        sum
    }

    fn cell(&self, before: Option<u8>, after: Option<u8>) -> usize {
        let place = |state: Option<u8>| {
            usize::from(state.filter(|state| *state < self.states).unwrap_or(self.states))
        };
        place(before) * (usize::from(self.states) + 1) + place(after)
    }

    fn take(&mut self, before: Option<u8>, after: Option<u8>, persons: Option<u64>) {
        let cell = self.cell(before, after);
        self.unnumbered += u64::from(persons.is_none());
        if let Some(cell) = self.cells.get_mut(cell) {
            cell.take(persons.unwrap_or_default());
        }
    }
}

impl Tally for Flows {
    fn join(&mut self, other: &Self) {
        self.cells.iter_mut().zip(&other.cells).for_each(|(own, other)| own.join(*other));
        self.unnumbered += other.unnumbered;
    }
}

/// Counts who went from which state to which. States are numbered from 0; `before` and `after` say that of each household, none
/// where it is not known, and another number counts as not known.
pub fn flows(
    states: u8,
    before: impl Fn(usize) -> Option<u8> + Sync,
    after: impl Fn(usize) -> Option<u8> + Sync,
    persons: Persons<'_>,
    asked: Asked<'_>,
) -> Flows {
    let take = |own: &mut Flows, nth| own.take(before(nth), after(nth), persons.of(nth));
    asked.tally(persons.households(), || Flows::empty(states), take)
}

/// The same in each group.
pub fn flows_by(
    states: u8,
    before: impl Fn(usize) -> Option<u8> + Sync,
    after: impl Fn(usize) -> Option<u8> + Sync,
    persons: Persons<'_>,
    asked: Asked<'_>,
    groups: Groups<'_>,
) -> Vec<Flows> {
    let take = |own: &mut Flows, nth| own.take(before(nth), after(nth), persons.of(nth));
    asked.tally_by(persons.households(), groups, || Flows::empty(states), take)
}

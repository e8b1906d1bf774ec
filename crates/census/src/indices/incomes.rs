//! What households had in a year, and below what they are poor.

use super::asked::place;
use crate::columns::NO_FEN;

/// Amounts that a figure can take in lie below 2 to this power, in fen a head, on both sides of zero: squares of them then have
/// room in a sum. It is 700 thousand million yuan; what is larger is not known to be an income.
pub(super) const BELOW_BITS: u32 = 46;

/// How many persons each household has.
#[derive(Clone, Copy, Debug)]
pub struct Persons<'a> {
    /// From the household at this place on.
    from: usize,
    of_household: &'a [i32],
    households: usize,
}

impl<'a> Persons<'a> {
    /// Of each household; a negative number is not known.
    pub fn new(of_household: &'a [i32]) -> Self {
        Self::from(0, of_household)
    }

    /// The same from the household at a place on: of those before it, it is not known.
    pub fn from(place: usize, of_household: &'a [i32]) -> Self {
        Self { from: place, of_household, households: place + of_household.len() }
    }

    /// The same for so many households: of those at the end that the slice does not have, it is not known.
    pub(crate) fn among(of_household: &'a [i32], households: usize) -> Self {
        Self { from: 0, of_household, households }
    }

    /// How many households there are.
    pub fn households(&self) -> usize {
        self.households
    }

    /// The persons of a household.
    pub fn of(&self, household: usize) -> Option<u64> {
        let own = self.of_household.get(household.checked_sub(self.from)?)?;
        u64::try_from(*own).ok()
    }
}

/// The income of each household in a year.
#[derive(Clone, Copy, Debug)]
pub struct Incomes<'a> {
    per_head_fen: &'a [i64],
    persons: Persons<'a>,
}

impl<'a> Incomes<'a> {
    /// What stands for an income that is not known.
    pub const UNKNOWN_FEN: i64 = NO_FEN;

    /// Net income a head in fen, [`Incomes::UNKNOWN_FEN`] where it is not known, and who shared it.
    pub fn new(per_head_fen: &'a [i64], sharing: Persons<'a>) -> Self {
        let households = sharing.households.max(per_head_fen.len());
        Self { per_head_fen, persons: Persons { households, ..sharing } }
    }

    /// The same with so many fen a head more for each household.
    pub fn with(&self, added_fen: &[i64]) -> Raised {
        let added = added_fen.iter().copied().chain(std::iter::repeat(0));
        let own = self.per_head_fen.iter().zip(added);
        Raised(
            own.map(|(own, added)| if *own == NO_FEN { NO_FEN } else { own.saturating_add(added) })
                .collect(),
        )
    }

    /// Who shared the income.
    pub fn persons(&self) -> Persons<'a> {
        self.persons
    }

    /// Net income a head of a household, in fen.
    pub fn of(&self, household: usize) -> Option<i64> {
        self.per_head_fen.get(household).copied().filter(|fen| is_amount(*fen))
    }

    /// Income a head and persons of a household, if both are known.
    pub(super) fn both(&self, household: usize) -> Option<(i64, u64)> {
        self.of(household).zip(self.persons.of(household))
    }

    /// True if a household is poor: its income a head is below the line.
    pub fn is_poor(&self, lines: Lines<'_>, household: usize) -> Option<bool> {
        Some(self.of(household)? < lines.of(household)?)
    }
}

/// Incomes a head that are thought of.
#[derive(Clone, Debug)]
pub struct Raised(Vec<i64>);

impl Raised {
    /// As incomes of those who share them.
    pub fn incomes<'a>(&'a self, sharing: Persons<'a>) -> Incomes<'a> {
        Incomes::new(&self.0, sharing)
    }
}

/// True if it is an amount that a figure can take in.
pub(super) fn is_amount(fen: i64) -> bool {
    fen.unsigned_abs() >> BELOW_BITS == 0
}

/// The poverty line of each household, in fen a head and year.
#[derive(Clone, Copy, Debug)]
pub enum Lines<'a> {
    /// One for all.
    Same(i64),
    /// That of its village, by the village's place ([`Census::village_places`](crate::Census::village_places)); none where
    /// no pack has it.
    OfVillages(&'a [u32], &'a [Option<i64>]),
    /// Its own; what is not above zero is none.
    Each(&'a [i64]),
}

impl Lines<'_> {
    /// The line of a household.
    pub fn of(&self, household: usize) -> Option<i64> {
        let line = match self {
            Self::Same(line) => Some(*line),
            Self::OfVillages(villages, lines) => {
                villages.get(household).and_then(|village| *lines.get(place(*village))?)
            }
            Self::Each(lines) => lines.get(household).copied(),
        };
        line.filter(|line| *line > 0 && is_amount(*line))
    }
}

//! How many have how much.

use super::{
    Headcount, Unknown,
    asked::{Asked, Groups, Tally},
    incomes::Incomes,
};

/// Bands of income a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bands {
    bounds: Vec<i64>,
}

/// The bounds of bands do not ascend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bound {0} of the bands is not above the one before it")]
pub struct NotAscending(pub usize);

impl Bands {
    /// The bands between these bounds in fen, one below the first and one from the last on. A bound belongs to the band above
    /// it, as who has exactly the line is not poor.
    pub fn new(bounds: Vec<i64>) -> Result<Self, NotAscending> {
        let pairs = bounds.iter().zip(bounds.iter().skip(1));
        match (1..).zip(pairs).find(|(_, (one, next))| one >= next) {
            Some((nth, _)) => Err(NotAscending(nth)),
            None => Ok(Self { bounds }),
        }
    }

    fn band(&self, fen: i64) -> usize {
        self.bounds.partition_point(|bound| *bound <= fen)
    }
}

/// How many have how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// In each band, one more than there are bounds.
    pub bands: Vec<Headcount>,
    /// Of whom too little is known.
    pub unknown: Unknown,
}

impl Distribution {
    fn empty(bands: &Bands) -> Self {
        let bands = vec![Headcount::default(); bands.bounds.len() + 1];
        Self { bands, unknown: Unknown::default() }
    }
}

impl Tally for Distribution {
    fn join(&mut self, other: &Self) {
        self.bands.iter_mut().zip(&other.bands).for_each(|(own, other)| own.join(*other));
        self.unknown.join(other.unknown);
    }
}

/// Asks how many have how much.
pub fn distribution(incomes: Incomes<'_>, bands: &Bands, asked: Asked<'_>) -> Distribution {
    let households = incomes.persons().households();
    asked.tally(households, || Distribution::empty(bands), into_band(incomes, bands))
}

/// The same in each group.
pub fn distribution_by(
    incomes: Incomes<'_>,
    bands: &Bands,
    asked: Asked<'_>,
    groups: Groups<'_>,
) -> Vec<Distribution> {
    let households = incomes.persons().households();
    asked.tally_by(households, groups, || Distribution::empty(bands), into_band(incomes, bands))
}

fn into_band<'a>(
    incomes: Incomes<'a>,
    bands: &'a Bands,
) -> impl Fn(&mut Distribution, usize) + Sync + 'a {
    move |own, nth| match incomes.both(nth) {
        Some((fen, persons)) => {
            if let Some(band) = own.bands.get_mut(bands.band(fen)) {
                band.take(persons);
            }
        }
        None => own.unknown.take(incomes.persons().of(nth)),
    }
}

//! Who lacks several things at once: the measure of Alkire and Foster.

use super::{
    Headcount, Rate, Unknown,
    asked::{Asked, Groups, Tally},
    incomes::Persons,
    quotient,
};
use crate::{Assessment, Outcome};

/// How much each dimension weighs, and from which weight on one is poor.
///
/// S. Alkire and J. Foster, *Counting and multidimensional poverty measurement*, Journal of Public Economics 95, 2011. Weights are
/// whole numbers and count by their share in the sum of all, so that whether somebody reaches the cutoff is never a
/// matter of rounding: of ten indicators that weigh 1/6 four times and 1/18 six times, 3 and 1, with 6 of 18 for a third.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    weights: Vec<u32>,
    total: u64,
    cutoff: u64,
}

/// Why something is not a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMeasure {
    /// There is no dimension, or there are more than 64.
    #[error("{0} dimensions: there must be 1 to 64")]
    Dimensions(usize),
    /// A dimension weighs nothing.
    #[error("dimension {0} weighs nothing")]
    Weightless(usize),
    /// Nobody or everybody would be poor.
    #[error("the cutoff {cutoff} is not between 1 and {total}, the sum of the weights")]
    Cutoff {
        /// What was given.
        cutoff: u64,
        /// The sum of the weights.
        total: u64,
    },
    /// There are not as many answers as weights.
    #[error("{weights} weights for {dimensions} dimensions")]
    Unequal {
        /// How many weights there are.
        weights: usize,
        /// How many dimensions there are.
        dimensions: usize,
    },
}

impl Measure {
    /// A measure of these weights; poor is who lacks dimensions that together weigh the cutoff or more.
    pub fn new(weights: Vec<u32>, cutoff: u64) -> Result<Self, BadMeasure> {
        if weights.is_empty() || weights.len() > 64 {
            return Err(BadMeasure::Dimensions(weights.len()));
        }
        if let Some(nth) = weights.iter().position(|weight| *weight == 0) {
            return Err(BadMeasure::Weightless(nth));
        }
        let total = weights.iter().copied().map(u64::from).sum();
        if !(1..=total).contains(&cutoff) {
            return Err(BadMeasure::Cutoff { cutoff, total });
        }
        Ok(Self { weights, total, cutoff })
    }
}

/// What is known of each household in each dimension of a measure.
#[derive(Clone, Debug)]
pub struct Deprivations<'a> {
    measure: &'a Measure,
    from: usize,
    outcomes: Vec<&'a [Outcome]>,
}

impl<'a> Deprivations<'a> {
    /// One slice for each dimension, from the household at the place `from` on: [`Outcome::Unmet`] is deprived. Of households
    /// beyond the slices nothing is known.
    pub fn new(
        measure: &'a Measure,
        from: usize,
        outcomes: Vec<&'a [Outcome]>,
    ) -> Result<Self, BadMeasure> {
        let (weights, dimensions) = (measure.weights.len(), outcomes.len());
        if weights != dimensions {
            return Err(BadMeasure::Unequal { weights, dimensions });
        }
        Ok(Self { measure, from, outcomes })
    }

    /// All rules of a plan are the dimensions, in its order.
    pub fn of(measure: &'a Measure, assessment: &'a Assessment) -> Result<Self, BadMeasure> {
        let outcomes = assessment.rules.iter().map(|rule| &rule.outcomes[..]).collect();
        Self::new(measure, assessment.from, outcomes)
    }

    /// What a household lacks and what is not known of it.
    fn score(&self, nth: usize) -> Score {
        let (mut lacks, mut doubts) = (0_u64, 0_u64);
        let nth = nth.checked_sub(self.from);
        for (bit, outcomes) in self.outcomes.iter().enumerate() {
            let outcome = nth.and_then(|nth| outcomes.get(nth)).unwrap_or(&Outcome::Unknown);
            lacks |= u64::from(*outcome == Outcome::Unmet) << bit;
            doubts |= u64::from(*outcome == Outcome::Unknown) << bit;
        }
        Score { lacked: self.weight(lacks), doubtful: self.weight(doubts), lacks, doubts }
    }

    /// The weight of the dimensions whose bits are set.
    fn weight(&self, bits: u64) -> u64 {
        let weights = places(bits).filter_map(|nth| self.measure.weights.get(nth));
        weights.copied().map(u64::from).sum()
    }
}

/// The places of the bits that are set: most households lack little, so that few are looked at.
fn places(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = usize::try_from(bits.trailing_zeros()).ok().filter(|_| bits != 0)?;
        bits &= bits - 1;
        Some(place)
    })
}

/// What a household lacks.
struct Score {
    /// Weight of what it lacks.
    lacked: u64,
    /// Weight of what is not known.
    doubtful: u64,
    /// A bit for each dimension that it lacks.
    lacks: u64,
    /// A bit for each that is not known.
    doubts: u64,
}

/// Who lacks several things at once.
///
/// A household is poor if what it is known to lack reaches the cutoff, and not poor if it would not reach it though it lacked
/// all that is not known besides; otherwise, or if the number of its persons is not known, it is in
/// [`Multidimensional::unknown`] and nowhere else. So nobody is left out whose case is clear, neither of the poor nor of the rest.
/// Of a poor household only what it is known to lack is counted: where [`Dimension::unknown`] is not zero, A and M0 may be
/// higher than told, never lower.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multidimensional {
    /// Who is known to be poor or not.
    pub counted: Headcount,
    /// Who is poor.
    pub poor: Headcount,
    /// Of whom it is not known.
    pub unknown: Unknown,
    /// The dimensions, in their order.
    pub dimensions: Vec<Dimension>,
    /// Sum of all weights.
    total: u64,
    /// Weights of what poor persons lack, summed over them.
    lacked: u128,
}

/// One dimension, among those who are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dimension {
    /// What it weighs.
    pub weight: u32,
    /// Who lacks it, poor or not.
    pub deprived: Headcount,
    /// Who lacks it and is poor.
    pub censored: Headcount,
    /// Of whom it is not known.
    pub unknown: Headcount,
}

impl Multidimensional {
    fn empty(measure: &Measure) -> Self {
        let dimension = |weight: &u32| Dimension { weight: *weight, ..Dimension::default() };
        let dimensions = measure.weights.iter().map(dimension).collect();
        Self { dimensions, total: measure.total, ..Self::default() }
    }

    /// H, incidence: the poor among those who are counted.
    pub fn incidence(&self) -> Rate {
        Rate { persons: self.poor.persons, among: self.counted.persons }
    }

    /// A, intensity: the share of all dimensions that a poor person lacks on average, by weight. None if nobody is poor.
    pub fn intensity(&self) -> Option<f64> {
        self.lacked_among(self.poor)
    }

    /// M0, the adjusted headcount: H times A.
    pub fn m0(&self) -> Option<f64> {
        self.lacked_among(self.counted)
    }

    fn lacked_among(&self, persons: Headcount) -> Option<f64> {
        let of = i128::from(persons.persons).checked_mul(self.total.into())?;
        quotient(i128::try_from(self.lacked).ok()?, of)
    }

    /// Who lacks a dimension among those of whom it is known.
    pub fn deprived(&self, dimension: &Dimension) -> Rate {
        let among = self.counted.persons - dimension.unknown.persons;
        Rate { persons: dimension.deprived.persons, among }
    }

    /// Who lacks a dimension and is poor, among all who are counted.
    pub fn censored(&self, dimension: &Dimension) -> Rate {
        Rate { persons: dimension.censored.persons, among: self.counted.persons }
    }

    /// How much of M0 is from a dimension; all together make 1. None if nobody is poor.
    pub fn contribution(&self, dimension: &Dimension) -> Option<f64> {
        let own = u128::from(dimension.weight) * u128::from(dimension.censored.persons);
        quotient(i128::try_from(own).ok()?, i128::try_from(self.lacked).ok()?)
    }

    /// The group's share of the persons who are counted in the whole.
    pub fn population_share(&self, whole: &Self) -> Option<f64> {
        quotient(self.counted.persons.into(), whole.counted.persons.into())
    }

    /// How much of the whole's M0 is from a group; all groups together make 1. None if nobody is poor.
    pub fn contribution_to(&self, whole: &Self) -> Option<f64> {
        quotient(i128::try_from(self.lacked).ok()?, i128::try_from(whole.lacked).ok()?)
    }

    fn take(&mut self, cutoff: u64, score: &Score, persons: Option<u64>) {
        let is_poor = score.lacked >= cutoff;
        let is_clear = is_poor || score.lacked + score.doubtful < cutoff;
        let Some(persons) = persons.filter(|_| is_clear) else {
            return self.unknown.take(persons);
        };
        self.counted.take(persons);
        if is_poor {
            self.poor.take(persons);
            self.lacked += u128::from(score.lacked) * u128::from(persons);
        }
        for nth in places(score.lacks) {
            if let Some(dimension) = self.dimensions.get_mut(nth) {
                dimension.deprived.take(persons);
                if is_poor {
                    dimension.censored.take(persons);
                }
            }
        }
        for nth in places(score.doubts) {
            if let Some(dimension) = self.dimensions.get_mut(nth) {
                dimension.unknown.take(persons);
            }
        }
    }
}

impl Tally for Multidimensional {
    fn join(&mut self, other: &Self) {
        self.counted.join(other.counted);
        self.poor.join(other.poor);
        self.unknown.join(other.unknown);
        self.lacked += other.lacked;
        for (own, other) in self.dimensions.iter_mut().zip(&other.dimensions) {
            own.deprived.join(other.deprived);
            own.censored.join(other.censored);
            own.unknown.join(other.unknown);
        }
    }
}

/// Asks who lacks several things at once.
pub fn multidimensional(
    lacking: &Deprivations<'_>,
    persons: Persons<'_>,
    asked: Asked<'_>,
) -> Multidimensional {
    let cutoff = lacking.measure.cutoff;
    let empty = || Multidimensional::empty(lacking.measure);
    asked.tally(persons.households(), empty, |own: &mut Multidimensional, nth| {
        own.take(cutoff, &lacking.score(nth), persons.of(nth));
    })
}

/// The same in each group.
pub fn multidimensional_by(
    lacking: &Deprivations<'_>,
    persons: Persons<'_>,
    asked: Asked<'_>,
    groups: Groups<'_>,
) -> Vec<Multidimensional> {
    let cutoff = lacking.measure.cutoff;
    let empty = || Multidimensional::empty(lacking.measure);
    asked.tally_by(persons.households(), groups, empty, |own: &mut Multidimensional, nth| {
        own.take(cutoff, &lacking.score(nth), persons.of(nth));
    })
}

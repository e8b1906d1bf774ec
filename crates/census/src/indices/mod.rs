//! Figures of many households at once: how many are poor and how deeply, how unequal incomes are, what they are poor of
//! and from, and who went from which state to which.
//!
//! Architecture invariants: pure, over arrays that a [`Census`](crate::Census) has. Every household counts with its
//! persons. Sums are sums of whole numbers, divided once at the end: neither the order of households nor the number of
//! threads changes an answer. What is not known is in no denominator; it is counted by itself.

mod asked;
mod causes;
mod distribution;
mod flows;
mod incomes;
mod ladder;
mod mean;
mod multidimensional;
mod poverty;

#[cfg(test)]
mod tests;

pub use asked::{Asked, Chosen, Groups, Tally};
pub(crate) use causes::Kept;
pub use causes::{Causes, Codes, causes_by};
pub use distribution::{Bands, Distribution, NotAscending, distribution, distribution_by};
pub use flows::{Flows, flows, flows_by};
pub use incomes::{Incomes, Lines, Persons, Raised};
pub use ladder::{AtRisk, HalfFen, Ladder, Part};
pub use mean::{Mean, mean, mean_by, mean_of_amounts, mean_of_amounts_by};
pub use multidimensional::{
    BadMeasure, Deprivations, Dimension, Measure, Multidimensional, multidimensional,
    multidimensional_by,
};
pub use poverty::{Fgt, Poverty, poverty, poverty_by};

/// Households and the persons in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headcount {
    /// Households.
    pub households: u64,
    /// Their persons; of a household whose number is not known, none.
    pub persons: u64,
}

impl Headcount {
    /// One household more, with so many persons.
    fn take(&mut self, persons: u64) {
        self.households += 1;
        self.persons += persons;
    }

    fn join(&mut self, other: Self) {
        self.households += other.households;
        self.persons += other.persons;
    }
}

/// Households of which too little is known to take part in a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// How many there are.
    pub households: u64,
    /// The persons of those whose number is known.
    pub persons: u64,
    /// How many of them have a number of persons that is not known.
    pub unnumbered: u64,
}

impl Unknown {
    /// One household more, with its persons where their number is known.
    fn take(&mut self, persons: Option<u64>) {
        self.households += 1;
        self.persons += persons.unwrap_or_default();
        self.unnumbered += u64::from(persons.is_none());
    }

    fn join(&mut self, other: Self) {
        self.households += other.households;
        self.persons += other.persons;
        self.unnumbered += other.unnumbered;
    }
}

/// Some persons among others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Who are looked for.
    pub persons: u64,
    /// Among whom.
    pub among: u64,
}

impl Rate {
    /// The share, 1 for all; none of nobody.
    pub fn share(self) -> Option<f64> {
        quotient(self.persons.into(), self.among.into())
    }
}

/// The number nearest to a sum.
#[expect(clippy::cast_precision_loss, reason = "figures are told to few digits")]
fn real(sum: i128) -> f64 {
    sum as f64
}

/// A share; none of nothing.
fn quotient(sum: i128, of: i128) -> Option<f64> {
    (of != 0).then(|| real(sum) / real(of))
}

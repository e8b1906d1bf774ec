//! Checked expressions.

use crate::CodeSet;

/// Whom a field describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The household.
    Household,
    /// Each of its members.
    Member,
}

/// A field by its place in the [`Vocabulary`](super::Vocabulary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldRef {
    /// Whom it describes.
    pub level: Level,
    /// Among the fields of the level.
    pub place: usize,
}

/// A test of a household, or within [`Test::Someone`] and [`Test::Everyone`] of one of its members.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Known beforehand.
    Is(bool),
    /// The field says 是.
    Flag(FieldRef),
    /// The field is known.
    Known(FieldRef),
    /// The field's code is one of these.
    OneOf(FieldRef, CodeSet),
    /// One of the field's codes is one of these.
    HasAny(FieldRef, CodeSet),
    /// The numbers compare so.
    Compare(Comparison, Number, Number),
    /// The test does not hold.
    Not(Box<Self>),
    /// All hold; of none, true.
    All(Vec<Self>),
    /// One holds at least; of none, false.
    Any(Vec<Self>),
    /// It holds of a member.
    Someone(Box<Self>),
    /// It holds of every member; of none, true.
    Everyone(Box<Self>),
    /// It is known whether the test holds.
    Decided(Box<Self>),
    /// Not if the first holds, otherwise true if the second does, otherwise unknown: a guarantee, that it is met.
    Judged(Box<Self>, Box<Self>),
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A number of a household or member; unknown if a part of it is, or if it is divided by nothing. Amounts are in fen,
/// days are year × 10,000 + month × 100 + day.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// Written down.
    Constant(f64),
    /// Of a field.
    Field(FieldRef),
    /// How many members of the household there are.
    Members,
    /// How many members the test holds of; of whom it is unknown counts as not.
    Count(Box<Test>),
    /// The sum.
    Sum(Box<Self>, Box<Self>),
    /// The first without the second.
    Difference(Box<Self>, Box<Self>),
    /// The product.
    Product(Box<Self>, Box<Self>),
    /// The first by the second.
    Quotient(Box<Self>, Box<Self>),
}

impl Comparison {
    /// What holds of the numbers in the other order.
    pub fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// What holds of the same two numbers where this does not.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// True if it holds of two numbers.
    #[expect(clippy::float_cmp, reason = "numbers that were written down alike are alike")]
    pub fn holds(self, one: f64, other: f64) -> bool {
        match self {
            Self::Equal => one == other,
            Self::NotEqual => one != other,
            Self::Less => one < other,
            Self::LessOrEqual => one <= other,
            Self::Greater => one > other,
            Self::GreaterOrEqual => one >= other,
        }
    }
}

//! What can go wrong: a request that cannot be met, or a sink that fails.

use super::YEARS;

/// Why no sample, or not all of it, was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The code is not among the areas handed in.
    #[error("area {0} is not in the area list")]
    UnknownPlace(String),
    /// The province has no county among the areas handed in.
    #[error("area {0} has no county in the area list")]
    NoCounty(String),
    /// Registration and poverty line are known for some years only.
    #[error("year {0} is outside {first}-{last}", first = YEARS.start(), last = YEARS.end())]
    Year(u16),
    /// A share is a number from 0 to 1.
    #[error("dirty must be between 0 and 1, not {0}")]
    Dirty(f64),
    /// Household numbers have eight digits behind the county code.
    #[error("{0} households are too many for one county")]
    TooManyHouseholds(u64),
    /// The made-up ID numbers of one birth date, sex and county are used up.
    #[error("no ID number is left for a birth date in county {0}")]
    NumbersUsedUp(String),
    /// A row of the area list is not usable.
    #[error("area list: {0}")]
    Areas(String),
    /// Reading or writing CSV failed.
    #[error("CSV: {0}")]
    Csv(#[from] csv::Error),
    /// Creating or flushing a file failed.
    #[error("file: {0}")]
    Io(#[from] std::io::Error),
}

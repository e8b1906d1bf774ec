//! Calendar days by number, so that drawing and comparing them is integer arithmetic.

use std::fmt;

/// A day of the Gregorian calendar, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i32);

const DAYS_IN_400_YEARS: i32 = 146_097;
/// Days from 0000-03-01, where the computation starts, to 1970-01-01.
const EPOCH: i32 = 719_468;

impl Day {
    /// The day of a valid date. Years start in March here, which puts the leap day last.
    pub(super) fn new(year: i32, month: i32, day: i32) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Self(era * DAYS_IN_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH)
    }

    /// 31 December.
    pub(super) fn year_end(year: i32) -> Self {
        Self::new(year, 12, 31)
    }

    /// The day `offset` days later.
    pub(super) fn plus(self, offset: i32) -> Self {
        Self(self.0 + offset)
    }

    /// Days from the other day to this one.
    pub(super) fn since(self, other: Self) -> i32 {
        self.0 - other.0
    }

    /// Year, month and day.
    pub(super) fn parts(self) -> (i32, i32, i32) {
        let shifted = self.0 + EPOCH;
        let era = shifted.div_euclid(DAYS_IN_400_YEARS);
        let of_era = shifted.rem_euclid(DAYS_IN_400_YEARS);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        (year_of_era + era * 400 + i32::from(month <= 2), month, day)
    }

    /// The year.
    pub(super) fn year(self) -> i32 {
        self.parts().0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn days_survive_the_round_trip() {
        let mut day = Day::new(1899, 12, 31);
        let mut text = String::new();
        while day < Day::new(2021, 1, 1) {
            let next = day.plus(1);
            let (y, m, d) = next.parts();
            assert_eq!(Day::new(y, m, d), next);
            assert!(next.to_string() > text);
            text = next.to_string();
            day = next;
        }
        assert_eq!(Day::new(2016, 2, 28).plus(1).to_string(), "2016-02-29");
        assert_eq!(Day::new(1900, 2, 28).plus(1).to_string(), "1900-03-01");
        assert_eq!(Day::new(1970, 1, 1).since(Day::new(1969, 12, 31)), 1);
    }
}

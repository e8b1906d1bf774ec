//! How households are watched.

use daohu_base::Day;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::BadPack;

/// What screens and warnings look at.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    /// Which year's income is looked at.
    pub income_year: IncomeYear,
    /// The month and day on which a year's accounts of households close.
    accounts_close: (i64, i64),
    /// Where it comes from.
    pub source: String,
}

/// Which year's income is looked at on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncomeYear {
    /// That of the day.
    OfDate,
    /// The last one whose accounts are closed.
    LatestClosed,
}

impl Monitoring {
    /// The day that screens and warnings look at when it is `today`: itself, or the end of the last closed year.
    pub fn looked_at(&self, today: Day) -> Day {
        let closes = |year| Day::new(year, self.accounts_close.0, self.accounts_close.1);
        let year = match self.income_year {
            IncomeYear::OfDate => return today,
            IncomeYear::LatestClosed if closes(today.year()).is_some_and(|end| end < today) => {
                today.year()
            }
            IncomeYear::LatestClosed => today.year() - 1,
        };
        Day::new(year, 12, 31).map_or(today, |end| end.min(today))
    }

    /// The first day on which a year is looked at: the one after its accounts closed.
    pub fn opens(&self, year: i64) -> Option<Day> {
        match self.income_year {
            IncomeYear::OfDate => Day::new(year, 1, 1),
            IncomeYear::LatestClosed => {
                Day::new(year, self.accounts_close.0, self.accounts_close.1)?.next()
            }
        }
    }

    /// Refuses a day that no year has.
    pub(crate) fn check(&self, file: &str) -> Result<(), BadPack> {
        let (month, day) = self.accounts_close;
        // A common year has not the last of February of a leap year.
        match Day::new(2001, month, day) {
            Some(_) => Ok(()),
            None => Err(BadPack {
                file: file.to_owned(),
                reason: "accounts_close：写 [月, 日] | a month and a day".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_looked_at_once_its_accounts_are_closed() {
        let of = |income_year, today: &str| {
            let own = Monitoring { income_year, accounts_close: (9, 30), source: String::new() };
            own.looked_at(Day::parse(today).unwrap()).to_string()
        };
        for (today, looked_at) in [
            ("2016-01-01", "2015-12-31"),
            ("2016-09-30", "2015-12-31"),
            ("2016-10-01", "2016-10-01"),
            ("2016-12-31", "2016-12-31"),
            ("2017-01-01", "2016-12-31"),
        ] {
            assert_eq!(of(IncomeYear::LatestClosed, today), looked_at, "{today}");
            assert_eq!(of(IncomeYear::OfDate, today), today);
        }
    }
}

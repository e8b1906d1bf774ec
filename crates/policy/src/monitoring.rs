//! How households are watched.

use daohu_base::Day;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::BadPack;

/// Before the next accounts close, those of a year are gathered.
const GATHER_DAYS_MAX: i64 = 366;

/// What screens and warnings look at.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    /// Which year's income is looked at.
    pub income_year: IncomeYear,
    /// The month and day on which a year's accounts of households close.
    accounts_close: (i64, i64),
    /// Days after it in which the accounts are gathered; only then a year is looked at, since until then hardly any income is known.
    #[serde(default)]
    #[schemars(range(min = 0, max = 366))]
    gather_days: i64,
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
        if self.income_year == IncomeYear::OfDate {
            return today;
        }
        let is_open = |year: &i64| self.opens(*year).is_some_and(|first| first <= today);
        // Accounts are gathered within a year.
        let year = [today.year(), today.year() - 1].into_iter().find(is_open);
        let end = Day::new(year.unwrap_or(today.year() - 2), 12, 31);
        end.map_or(today, |end| end.min(today))
    }

    /// The first day on which a year is looked at: the one after its accounts were gathered.
    pub fn opens(&self, year: i64) -> Option<Day> {
        match self.income_year {
            IncomeYear::OfDate => Day::new(year, 1, 1),
            IncomeYear::LatestClosed => {
                let closes = Day::new(year, self.accounts_close.0, self.accounts_close.1)?;
                Some(Day::from_epoch_days(closes.epoch_days() + self.gather_days + 1))
            }
        }
    }

    /// Refuses a day that no year has.
    pub(crate) fn check(&self, file: &str) -> Result<(), BadPack> {
        if !(0..=GATHER_DAYS_MAX).contains(&self.gather_days) {
            return Err(BadPack {
                file: file.to_owned(),
                reason: format!("gather_days：0 至 {GATHER_DAYS_MAX} | 0 to {GATHER_DAYS_MAX}"),
            });
        }
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
        let of = |income_year, gather_days, today: &str| {
            let source = String::new();
            let own = Monitoring { income_year, accounts_close: (9, 30), gather_days, source };
            own.looked_at(Day::parse(today).unwrap()).to_string()
        };
        for (today, looked_at) in [
            ("2016-01-01", "2015-12-31"),
            ("2016-09-30", "2015-12-31"),
            ("2016-10-01", "2016-10-01"),
            ("2016-12-31", "2016-12-31"),
            ("2017-01-01", "2016-12-31"),
        ] {
            assert_eq!(of(IncomeYear::LatestClosed, 0, today), looked_at, "{today}");
            assert_eq!(of(IncomeYear::OfDate, 0, today), today);
        }
        for (gather_days, today, looked_at) in [
            (92, "2016-12-31", "2015-12-31"),
            (92, "2017-01-01", "2016-12-31"),
            (91, "2016-12-31", "2016-12-31"),
            (366, "2017-01-01", "2015-12-31"),
            (366, "2016-09-30", "2014-12-31"),
        ] {
            assert_eq!(of(IncomeYear::LatestClosed, gather_days, today), looked_at, "{today}");
            assert_eq!(of(IncomeYear::OfDate, gather_days, today), today);
        }
    }
}

//! Calendar days.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A calendar day, stored and sent as `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

/// The text is not a day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a day: write YYYY-MM-DD")]
pub struct BadDay;

/// Excel's day 1 is 1900-01-01 and its calendar has a 1900-02-29 that never was; from March 1900 on
/// its serial numbers count days since this date.
const EXCEL_EPOCH: Date = jiff::civil::date(1899, 12, 30);
const UNIX_EPOCH: Date = jiff::civil::date(1970, 1, 1);

impl Day {
    /// A day from its parts; none if the calendar has no such day.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let (y, m, d) = (year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
        Date::new(y, m, d).ok().map(Self)
    }

    /// Reads `YYYY-MM-DD`, `YYYY/M/D` or `YYYYMMDD`.
    pub fn parse(text: &str) -> Result<Self, BadDay> {
        // As days are stored: nearly all that are read.
        if let &[a, b, c, d, b'-', e, f, b'-', g, h] = text.as_bytes() {
            let number = |digits: &[u8]| {
                let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(*byte - b'0'));
                digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
            };
            let day = (number(&[a, b, c, d]), number(&[e, f]), number(&[g, h]));
            let (Some(year), Some(month), Some(day)) = day else { return Err(BadDay) };
            return Self::new(year, month, day).ok_or(BadDay);
        }
        let number = |part: &str, max_len: usize| -> Option<i64> {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if digits && part.len() <= max_len { part.parse().ok() } else { None }
        };
        let parts = if text.len() == 8 && text.is_ascii() {
            (text.get(..4), text.get(4..6), text.get(6..))
        } else {
            let mut parts = text.splitn(3, if text.contains('/') { '/' } else { '-' });
            (parts.next(), parts.next(), parts.next())
        };
        // An eight-character text may also be 2015/1/2: fall through to the separators.
        let read = |parts: (Option<&str>, Option<&str>, Option<&str>)| {
            let year = parts.0.filter(|y| y.len() == 4)?;
            Self::new(number(year, 4)?, number(parts.1?, 2)?, number(parts.2?, 2)?)
        };
        if let Some(day) = read(parts) {
            return Ok(day);
        }
        let mut parts = text.splitn(3, if text.contains('/') { '/' } else { '-' });
        read((parts.next(), parts.next(), parts.next())).ok_or(BadDay)
    }

    /// The day of an Excel serial number; the time of day is dropped.
    pub fn from_excel(serial: f64) -> Option<Self> {
        // 61 is 1900-03-01: below it Excel's own numbering is off by one.
        if !(61.0..=2_958_465.0).contains(&serial) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked to be within Excel's range")]
        let days = serial.floor() as i64;
        EXCEL_EPOCH.checked_add(jiff::Span::new().days(days)).ok().map(Self)
    }

    /// The day `days` after 1970-01-01 (clamped to the calendar's range).
    pub fn from_epoch_days(days: i64) -> Self {
        let days = days.clamp(-700_000, 2_900_000);
        Self(UNIX_EPOCH.saturating_add(jiff::Span::new().days(days)))
    }

    /// Days since 1970-01-01.
    pub fn epoch_days(self) -> i64 {
        let span = self.0.since(UNIX_EPOCH).unwrap_or_default();
        i64::from(span.get_days())
    }

    /// The day after it; none behind the calendar's last.
    pub fn next(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// The year.
    pub fn year(self) -> i64 {
        i64::from(self.0.year())
    }

    /// The month, 1 to 12.
    pub fn month(self) -> i64 {
        i64::from(self.0.month())
    }

    /// The day of the month, 1 to 31.
    pub fn day_of_month(self) -> i64 {
        i64::from(self.0.day())
    }

    /// Year × 10,000 + month × 100 + day: in the order of the calendar, and the difference of two by 10,000 is an age.
    pub fn packed(self) -> i32 {
        i32::from(self.0.year()) * 10_000
            + i32::from(self.0.month()) * 100
            + i32::from(self.0.day())
    }

    /// Completed years between this birth date and `on`; negative before the birth.
    pub fn age_years(self, on: Day) -> i64 {
        let had_birthday = (on.month(), on.day_of_month()) >= (self.month(), self.day_of_month());
        on.year() - self.year() - i64::from(!had_birthday)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Day {
    type Error = BadDay;
    fn try_from(text: String) -> Result<Self, BadDay> {
        Self::parse(&text)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_write_them() {
        for (text, expected) in [
            ("2015-12-31", Some("2015-12-31")),
            ("2015/1/2", Some("2015-01-02")),
            ("2015/12/31", Some("2015-12-31")),
            ("20151231", Some("2015-12-31")),
            ("2015-1-2", Some("2015-01-02")),
            ("2015-02-30", None),
            ("2015-13-01", None),
            ("15-01-02", None),
            ("2015.1.2", None),
            ("2015年", None),
            ("", None),
        ] {
            assert_eq!(Day::parse(text).ok().map(|d| d.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn excel_serials_are_days() {
        assert_eq!(Day::from_excel(42369.0).unwrap().to_string(), "2015-12-31");
        assert_eq!(Day::from_excel(42369.75).unwrap().to_string(), "2015-12-31");
        assert_eq!(Day::from_excel(1.0), None);
    }

    #[test]
    fn ages_count_completed_years() {
        let born = Day::parse("2004-02-29").unwrap();
        for (on, age) in
            [("2015-02-28", 10), ("2015-03-01", 11), ("2004-02-29", 0), ("2003-01-01", -2)]
        {
            assert_eq!(born.age_years(Day::parse(on).unwrap()), age, "{on}");
        }
        assert_eq!(Day::from_epoch_days(born.epoch_days()), born);
        assert_eq!(Day::parse("1970-01-02").unwrap().epoch_days(), 1);
    }
}

//! Instants, and the clock as a parameter.

use std::{fmt, time::SystemTime};

use serde::{Deserialize, Serialize};

use crate::Day;

/// A UTC instant in milliseconds since 1970. Finer digits are dropped at creation, because the two
/// database engines keep different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// China Standard Time is UTC+8 all year round.
const SHANGHAI_OFFSET_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// The calendar day in Asia/Shanghai.
    pub fn day(self) -> Day {
        Day::from_epoch_days((self.0.saturating_add(SHANGHAI_OFFSET_MS)).div_euclid(DAY_MS))
    }

    /// The first instant of a day in Asia/Shanghai.
    pub fn start_of(day: Day) -> Self {
        Self(day.epoch_days().saturating_mul(DAY_MS).saturating_sub(SHANGHAI_OFFSET_MS))
    }

    /// The first instant after a day in Asia/Shanghai.
    pub fn end_of(day: Day) -> Self {
        Self::start_of(day).plus_days(1)
    }

    /// The instant `ms` milliseconds later.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The instant `days` times 24 hours later.
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_ms(days.saturating_mul(DAY_MS))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: `2026-11-22T01:02:03.004Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = Day::from_epoch_days(self.0.div_euclid(DAY_MS));
        let ms = self.0.rem_euclid(DAY_MS);
        let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{day}T{h:02}:{m:02}:{s:02}.{:03}Z", ms % 1000)
    }
}

/// Where the time comes from. Tests pass their own.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_in_utc_and_falls_on_a_chinese_day() {
        let at = Timestamp(1_451_577_599_999);
        assert_eq!(at.to_string(), "2015-12-31T15:59:59.999Z");
        assert_eq!(at.day().to_string(), "2015-12-31");
        assert_eq!(at.plus_ms(1).day().to_string(), "2016-01-01");
    }
}

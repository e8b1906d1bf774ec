//! What a point is, and when one is taken. Pure.

use std::collections::BTreeMap;

use daohu_base::Day;

/// Days that one answer tells of: a year and the days around it.
pub(super) const DAYS_MAX: i64 = 400;

/// What the records of an area came to on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) on: String,
    pub(super) rows: i64,
    pub(super) clean: i64,
    /// Records that break a rule, by the rule.
    pub(super) hits: BTreeMap<String, i64>,
}

/// The last time that a county was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) on: String,
    /// Where its journal stood.
    pub(super) sequence: i64,
}

/// True if a county is to be judged: not on a day that has its point, nor while nothing was written since.
pub(super) fn is_due(last: Option<&Last>, today: &str, sequence: i64) -> bool {
    last.is_none_or(|last| last.on.as_str() < today && last.sequence != sequence)
}

/// As many days as may be, up to one.
pub(super) fn last_days(until: Day) -> (Day, Day) {
    (Day::from_epoch_days(until.epoch_days() + 1 - DAYS_MAX), until)
}

/// The days that are asked for: up to today, and as many as may be, unless something else is said. None where
/// they are too many or end before they begin.
pub(super) fn period(from: Option<Day>, until: Option<Day>, today: Day) -> Option<(Day, Day)> {
    let (first, until) = last_days(until.unwrap_or(today));
    let from = from.unwrap_or(first);
    (first <= from && from <= until).then_some((from, until))
}

/// The last day whose points are past their time.
pub(super) fn last_forgotten(today: Day, kept_days: i64) -> Day {
    Day::from_epoch_days(today.epoch_days().saturating_sub(kept_days))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn a_county_is_judged_once_a_day_and_only_when_something_was_written() {
        let last = |on: &str, sequence| Some(Last { on: on.to_owned(), sequence });
        let is_due = |last: Option<Last>, sequence| is_due(last.as_ref(), "2020-11-22", sequence);
        assert!(is_due(None, 0));
        assert!(is_due(last("2020-11-21", 7), 8));
        assert!(!is_due(last("2020-11-21", 7), 7));
        assert!(!is_due(last("2020-11-22", 7), 8));
        // A clock that was put back.
        assert!(!is_due(last("2020-11-23", 7), 8));
    }

    #[test]
    fn a_period_has_as_many_days_as_may_be_and_no_more() {
        let today = day("2020-11-22");
        let (from, until) = (day("2019-10-20"), day("2020-11-22"));
        assert_eq!(period(None, None, today), Some((from, until)));
        assert_eq!(until.epoch_days() - from.epoch_days() + 1, DAYS_MAX);
        assert_eq!(period(Some(from), None, today), Some((from, until)));
        assert_eq!(period(Some(day("2019-10-19")), None, today), None);
        assert_eq!(period(Some(day("2020-11-23")), None, today), None);
        let past = (day("2015-01-01"), day("2015-01-01"));
        assert_eq!(period(Some(past.0), Some(past.1), today), Some(past));
    }
}

//! What a point is, and when one is taken. Pure.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Of a sum of counties.
    pub(super) parts: Option<Parts>,
}

/// What a sum of counties is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Counties that are in it.
    pub(super) counties: i64,
    /// Counties that had no point yet.
    pub(super) without: i64,
    /// The day of the oldest point in it.
    pub(super) oldest_on: Option<String>,
}

/// The first and the last day of a county, as far as they are known.
pub(super) type Life<'a> = (Option<&'a str>, Option<&'a str>);

/// The points of several counties, added up day by day. A county counts with its last point, until it ends: who took
/// its households in has them in points of its own from then on.
pub(super) struct Sums {
    days: Vec<(Point, Parts)>,
    /// The days on which a county has a point.
    told: BTreeSet<String>,
}

impl Sums {
    /// Of a period.
    pub(super) fn new((from, until): (Day, Day)) -> Self {
        let sum = |days| {
            let on = Day::from_epoch_days(days).to_string();
            let point = Point { on, rows: 0, clean: 0, hits: BTreeMap::new(), parts: None };
            (point, Parts::default())
        };
        let days = (from.epoch_days()..=until.epoch_days()).map(sum).collect();
        Self { days, told: BTreeSet::new() }
    }

    /// Adds a county by its points, by day; the first may be from before the period.
    pub(super) fn add(&mut self, points: &[Point], (starts_on, ends_on): Life<'_>) {
        let (mut last, mut rest) = (None, points.iter().peekable());
        for (sum, parts) in &mut self.days {
            let day = sum.on.as_str();
            while let Some(point) = rest.next_if(|point| point.on.as_str() <= day) {
                last = Some(point);
            }
            if ends_on.is_some_and(|end| end < day) {
                break;
            }
            let Some(point) = last else {
                parts.without += i64::from(starts_on.is_none_or(|start| start <= day));
                continue;
            };
            if point.on == day {
                self.told.insert(point.on.clone());
            }
            sum.rows += point.rows;
            sum.clean += point.clean;
            for (rule, hits) in &point.hits {
                *sum.hits.entry(rule.clone()).or_default() += hits;
            }
            parts.counties += 1;
            if parts.oldest_on.as_ref().is_none_or(|oldest| point.on < *oldest) {
                parts.oldest_on = Some(point.on.clone());
            }
        }
    }

    /// A point of each day on which a county has one.
    pub(super) fn points(self) -> Vec<Point> {
        let told = self.days.into_iter().filter(|(sum, _)| self.told.contains(&sum.on));
        told.map(|(sum, parts)| Point { parts: Some(parts), ..sum }).collect()
    }
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
    fn a_county_counts_with_its_last_point_until_it_ends() {
        let point = |on: &str, rows| {
            let hits = BTreeMap::from([("R13".to_owned(), rows)]);
            Point { on: on.to_owned(), rows, clean: 1, hits, parts: None }
        };
        let mut sums = Sums::new((day("2020-11-20"), day("2020-11-24")));
        // From before the period; one that ends within it, and was not judged any more; one that is not judged yet.
        sums.add(&[point("2020-10-01", 1), point("2020-11-23", 2)], (None, None));
        sums.add(&[point("2020-11-21", 10)], (None, Some("2020-11-22")));
        sums.add(&[], (Some("2020-11-23"), None));
        let told: Vec<_> = sums.points().into_iter().collect();
        let parts = |counties, without, oldest: &str| {
            Some(Parts { counties, without, oldest_on: Some(oldest.to_owned()) })
        };
        let of = |nth: usize| (told[nth].on.as_str(), told[nth].rows, told[nth].hits["R13"]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!((of(0), of(1)), (("2020-11-21", 11, 11), ("2020-11-23", 2, 2)));
        assert_eq!(told[0].parts, parts(2, 0, "2020-10-01"));
        assert_eq!(told[1].parts, parts(1, 1, "2020-11-23"));
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

//! What a point is, and when one is taken. Pure.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::Day;

use crate::quality::report::Figures;

/// Days that one answer tells of: a year and the days around it.
pub(super) const DAYS_MAX: i64 = 400;

/// What the records of an area came to on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) on: String,
    /// The day on which it was taken, which may be an earlier one; of a sum, that of the oldest point in it.
    pub(super) taken_on: Option<String>,
    pub(super) rows: i64,
    pub(super) clean: i64,
    /// Records that break a rule, by the rule.
    pub(super) hits: BTreeMap<String, i64>,
    /// Of a sum of counties.
    pub(super) parts: Option<Parts>,
}

impl Point {
    /// True if it says that there is nothing.
    fn is_empty(&self) -> bool {
        self.rows == 0 && self.hits.is_empty()
    }

    fn says(&self, figures: &Figures) -> bool {
        let hits = figures.hits.iter().map(|(rule, hits)| (*rule, *hits));
        (self.rows, self.clean) == (figures.rows, figures.clean)
            && self.hits.iter().map(|(rule, hits)| (rule.as_str(), *hits)).eq(hits)
    }
}

/// What a sum of counties is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Counties that are in it.
    pub(super) counties: i64,
    /// Counties that had no point yet.
    pub(super) without: i64,
}

/// The first and the last day of a county, as far as they are known.
pub(super) type Life<'a> = (Option<&'a str>, Option<&'a str>);

/// The points of several counties, added up day by day. A county counts with its last point, until it ends: who took
/// its households in has them in points of its own from then on.
pub(super) struct Sums {
    days: Vec<(Point, Parts)>,
    /// The days on which a county has a point, or is in it no more.
    told: BTreeSet<String>,
}

impl Sums {
    /// Of a period.
    pub(super) fn new((from, until): (Day, Day)) -> Self {
        let sum = |days| {
            let on = Day::from_epoch_days(days).to_string();
            let hits = BTreeMap::new();
            let point = Point { on, taken_on: None, rows: 0, clean: 0, hits, parts: None };
            (point, Parts::default())
        };
        let days = (from.epoch_days()..=until.epoch_days()).map(sum).collect();
        Self { days, told: BTreeSet::new() }
    }

    /// Adds a county by its points, by day; the first may be from before the period.
    pub(super) fn add(&mut self, points: &[Point], (starts_on, ends_on): Life<'_>) {
        let (mut last, mut rest, mut is_in) = (None, points.iter().peekable(), false);
        for (sum, parts) in &mut self.days {
            let day = sum.on.as_str();
            while let Some(point) = rest.next_if(|point| point.on.as_str() <= day) {
                last = Some(point);
            }
            if ends_on.is_some_and(|end| end < day) {
                if is_in {
                    self.told.insert(day.to_owned());
                }
                break;
            }
            let Some(point) = last else {
                parts.without += i64::from(starts_on.is_none_or(|start| start <= day));
                continue;
            };
            // The first day of the period is told as well, by the points that were taken before it.
            if point.on == day || !is_in {
                self.told.insert(day.to_owned());
            }
            is_in = true;
            sum.rows += point.rows;
            sum.clean += point.clean;
            for (rule, hits) in &point.hits {
                *sum.hits.entry(rule.clone()).or_default() += hits;
            }
            parts.counties += 1;
            if sum.taken_on.as_ref().is_none_or(|oldest| point.on < *oldest) {
                sum.taken_on = Some(point.on.clone());
            }
        }
    }

    /// A point of the first day on which there is any, and of each on which the sum is another.
    pub(super) fn points(self) -> Vec<Point> {
        let told = self.days.into_iter().filter(|(sum, _)| self.told.contains(&sum.on));
        told.map(|(sum, parts)| Point { parts: Some(parts), ..sum }).collect()
    }
}

/// The last time that a county was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) on: String,
    /// How many entries its journal had.
    pub(super) sequence: i64,
    pub(super) rows: i64,
}

/// True if a county is to be judged: not on a day that has its point, nor while nothing was written since, unless
/// what was found then is soon past its time.
pub(super) fn is_due(last: Option<&Last>, (today, kept_days): (Day, i64), sequence: i64) -> bool {
    let (today, old) = (today.to_string(), last_renewed(today, kept_days).to_string());
    last.is_none_or(|last| last.on < today && (last.sequence != sequence || last.on <= old))
}

/// True if a picture of a county, taken on this day when its journal had so many entries, is older than what is
/// stored already.
pub(super) fn is_late(last: Option<&Last>, on: &str, sequence: i64) -> bool {
    last.is_some_and(|last| last.on.as_str() > on || last.sequence > sequence)
}

/// What of a county's figures is stored: its own, those of areas of which the last point says something else or
/// is soon past its time, and nothing where an area had something and is not among them any more.
pub(super) fn to_store(
    county: &str,
    mut figures: BTreeMap<String, Figures>,
    (lasts, old): (&BTreeMap<String, Point>, Day),
) -> BTreeMap<String, Figures> {
    let old = old.to_string();
    let gone = |(area, last): &(&String, &Point)| !last.is_empty() && !figures.contains_key(*area);
    let gone: Vec<String> = lasts.iter().filter(gone).map(|(area, _)| area.clone()).collect();
    let is_said = |area: &str, figures: &Figures| {
        lasts.get(area).is_some_and(|last| last.on > old && last.says(figures))
    };
    figures.retain(|area, figures| area == county || !is_said(area, figures));
    for area in gone.into_iter().chain([county.to_owned()]) {
        figures.entry(area).or_default();
    }
    figures
}

/// Points as they are told: one from before the period says how its first day was.
pub(super) fn told_from(from: Day, mut points: Vec<Point>) -> Vec<Point> {
    if let Some(first) = points.first_mut() {
        first.on = std::mem::take(&mut first.on).max(from.to_string());
    }
    points
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

/// The last day whose points are stored anew, though they still say what is: half of their time is over, so that
/// none ends that nothing has followed.
pub(super) fn last_renewed(today: Day, kept_days: i64) -> Day {
    Day::from_epoch_days(today.epoch_days().saturating_sub(kept_days / 2))
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
        let last = |on: &str, sequence| Some(Last { on: on.to_owned(), sequence, rows: 1 });
        let today = (day("2020-11-22"), 800);
        let is_due = |last: Option<Last>, sequence| is_due(last.as_ref(), today, sequence);
        assert!(is_due(None, 0));
        assert!(is_due(last("2020-11-21", 7), 8));
        assert!(!is_due(last("2020-11-21", 7), 7));
        assert!(!is_due(last("2020-11-22", 7), 8));
        // A clock that was put back.
        assert!(!is_due(last("2020-11-23", 7), 8));
        // Four hundred days later, half of the time that points are kept.
        assert!(is_due(last("2019-10-19", 7), 7));
        assert!(!is_due(last("2019-10-20", 7), 7));
        // What was seen before the last that is stored comes too late.
        let is_late = |last: Option<Last>, sequence| is_late(last.as_ref(), "2020-11-22", sequence);
        assert!(!is_late(None, 0) && !is_late(last("2020-11-22", 7), 7));
        assert!(is_late(last("2020-11-22", 8), 7) && is_late(last("2020-11-23", 7), 7));
    }

    #[test]
    fn only_what_is_not_said_yet_is_stored() {
        let figures = |rows, hits| {
            let hits = if hits > 0 { BTreeMap::from([("R13", hits)]) } else { BTreeMap::new() };
            Figures { rows, clean: rows - hits.values().sum::<i64>(), hits }
        };
        let point = |on: &str, Figures { rows, clean, hits }| {
            let hits = hits.into_iter().map(|(rule, hits)| (rule.to_owned(), hits)).collect();
            Point { on: on.to_owned(), taken_on: None, rows, clean, hits, parts: None }
        };
        let named = |areas: &[(&str, Figures)]| -> BTreeMap<String, Figures> {
            areas.iter().map(|(area, figures)| ((*area).to_owned(), figures.clone())).collect()
        };
        let was = [
            ("990101", "2020-11-21", figures(9, 1)),
            ("same", "2020-11-21", figures(4, 1)),
            ("old", "2019-10-19", figures(4, 1)),
            ("worse", "2020-11-21", figures(4, 0)),
            ("ended", "2020-11-21", figures(3, 0)),
            ("ended long ago", "2020-11-21", figures(0, 0)),
        ];
        let was = was.map(|(area, on, figures)| (area.to_owned(), point(on, figures))).into();
        let is = [
            ("990101", figures(9, 1)),
            ("same", figures(4, 1)),
            ("old", figures(4, 1)),
            ("worse", figures(4, 1)),
            ("new", figures(0, 0)),
        ];
        let old = last_renewed(day("2020-11-22"), 800);
        let stored = to_store("990101", named(&is), (&was, old));
        let [county, _, aged, worse, new] = is;
        let gone = ("ended", figures(0, 0));
        assert_eq!(stored, named(&[county, aged, worse, new, gone]));
        // A county that ended has a point of its own too.
        assert_eq!(
            to_store("x", named(&[]), (&BTreeMap::new(), old)),
            named(&[("x", figures(0, 0))])
        );
    }

    #[test]
    fn a_county_counts_with_its_last_point_until_it_ends() {
        let point = |on: &str, rows| {
            let hits = BTreeMap::from([("R13".to_owned(), rows)]);
            let taken_on = Some(on.to_owned());
            Point { on: on.to_owned(), taken_on, rows, clean: 1, hits, parts: None }
        };
        let mut sums = Sums::new((day("2020-11-20"), day("2020-11-25")));
        // From before the period; one that ends within it, and was not judged any more; one that is not judged yet.
        sums.add(&[point("2020-10-01", 1), point("2020-11-24", 2)], (None, None));
        sums.add(&[point("2020-11-21", 10)], (None, Some("2020-11-22")));
        sums.add(&[], (Some("2020-11-23"), None));
        // The first day, the point, the end, the other point.
        let told: Vec<_> = sums.points().into_iter().collect();
        let of = |point: &Point| {
            let Parts { counties, without } = point.parts.unwrap();
            let taken_on = point.taken_on.clone().unwrap();
            (point.on.clone(), point.rows, point.hits["R13"], (counties, without), taken_on)
        };
        let expected = [
            ("2020-11-20", 1, (1, 1), "2020-10-01"),
            ("2020-11-21", 11, (2, 0), "2020-10-01"),
            ("2020-11-23", 1, (1, 1), "2020-10-01"),
            ("2020-11-24", 2, (1, 1), "2020-11-24"),
        ];
        let expected = expected.map(|(on, rows, parts, taken_on)| {
            (on.to_owned(), rows, rows, parts, taken_on.to_owned())
        });
        assert_eq!(told.iter().map(of).collect::<Vec<_>>(), expected);
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

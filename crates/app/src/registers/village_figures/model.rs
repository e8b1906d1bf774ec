//! What is counted of villages, and how it adds up.

use std::{
    collections::{BTreeMap, HashMap},
    ops::AddAssign,
    sync::LazyLock,
};

use daohu_base::{AreaCode, AreaLevel};
use daohu_db::Value;
use daohu_policy::Policy;

use super::checklist::model::{Checked, Checklist};
use crate::{
    areas::rows::AreaLine,
    registers::coverage::model::is_in_force,
    sheet::{Column, Kind, Record, VILLAGES, indicator, target},
};

/// How the values of a column are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// Villages that have it, and that have it not.
    Flag,
    /// Villages with each code of a list; one that names several is in each.
    List,
    /// The sum, and how many villages told theirs.
    Sum,
}

/// A column that is counted.
pub(super) struct Counted {
    /// Its place in 村.
    place: usize,
    pub(super) column: &'static Column,
    pub(super) counting: Counting,
}

/// The columns of 村 that are counted: the key and texts are not.
pub(super) static COUNTED: LazyLock<Vec<Counted>> = LazyLock::new(|| {
    let counted = |(place, column): (usize, &'static Column)| {
        let counting = match column.kind {
            Kind::Flag => Counting::Flag,
            Kind::Code(_) | Kind::Codes(..) => Counting::List,
            Kind::Count(_) | Kind::Yuan => Counting::Sum,
            _ => return None,
        };
        Some(Counted { place, column, counting })
    };
    VILLAGES.columns.iter().enumerate().filter_map(counted).collect()
});

/// What villages told of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ColumnCount {
    pub(super) told: i64,
    pub(super) unknown: i64,
    /// Villages by what they told: 1 and 0 of what one has or has not, else codes.
    pub(super) by_value: BTreeMap<i64, i64>,
    /// Of a number; nothing keeps amounts of money from being more than 64 bits hold together.
    pub(super) sum: i128,
}

/// Villages, and what they told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// With a record of the year.
    pub(super) recorded: i64,
    /// In force then, without a record.
    pub(super) unrecorded: i64,
    /// By [`COUNTED`].
    pub(super) columns: Vec<ColumnCount>,
    /// What of the checklist they meet.
    pub(super) checked: Checked,
}

/// What is told of the villages of an area in a year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) all: Group,
    /// Those that are poor ones now.
    pub(super) poor: Group,
}

/// The villages of an area and of those directly below it.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) year: i64,
    pub(super) area: Counts,
    /// By code.
    pub(super) children: Vec<(String, Counts)>,
    /// The area in the years before that a village told of.
    pub(super) before: Vec<(i64, Counts)>,
}

/// What an area was to reach in a year, and what its statistics of the year say that it reached.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Goal {
    pub(super) year: i64,
    /// The code of 计划指标.
    pub(super) indicator: i64,
    pub(super) target: f64,
    /// The figure of the year that bears the name of the code.
    pub(super) reached: Option<f64>,
}

/// Adds up the years of an area's villages by the areas directly below it; a village has none below.
pub(super) struct Tally<'a> {
    area: &'a AreaCode,
    /// How long the codes of the parts are.
    digits: usize,
    today: &'a str,
    checklist: Checklist<'a>,
    villages: HashMap<&'a str, &'a AreaLine>,
    /// By year, then by part.
    years: BTreeMap<i64, BTreeMap<String, Counts>>,
}

impl Default for Group {
    fn default() -> Self {
        let columns = vec![ColumnCount::default(); COUNTED.len()];
        Self { recorded: 0, unrecorded: 0, columns, checked: Checked::default() }
    }
}

impl AddAssign<&Group> for Group {
    fn add_assign(&mut self, other: &Self) {
        self.recorded += other.recorded;
        self.unrecorded += other.unrecorded;
        self.checked += &other.checked;
        for (mine, theirs) in self.columns.iter_mut().zip(&other.columns) {
            mine.told += theirs.told;
            mine.unknown += theirs.unknown;
            mine.sum += theirs.sum;
            for (value, villages) in &theirs.by_value {
                *mine.by_value.entry(*value).or_default() += villages;
            }
        }
    }
}

impl ColumnCount {
    fn count(&mut self, counting: Counting, value: &Value) {
        let mut one = |value| *self.by_value.entry(value).or_default() += 1;
        match (counting, value) {
            (Counting::Sum, Value::Int(number)) => self.sum += i128::from(*number),
            (_, Value::Int(value)) => one(*value),
            (_, Value::Text(codes)) => {
                codes.split(' ').filter_map(|code| code.parse().ok()).for_each(one)
            }
            _ => {
                self.unknown += 1;
                return;
            }
        }
        self.told += 1;
    }
}

impl Counts {
    fn groups(&mut self, is_poor: bool) -> impl Iterator<Item = &mut Group> {
        [Some(&mut self.all), is_poor.then_some(&mut self.poor)].into_iter().flatten()
    }

    fn sum<'c>(parts: impl IntoIterator<Item = &'c Counts>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.all += &part.all;
            sum.poor += &part.poor;
        }
        sum
    }
}

/// True if a village is a poor one.
pub(super) fn is_poor(village: &AreaLine) -> bool {
    let [_, _, village] = village.is_poor;
    village == Some(true)
}

/// The day that a year's villages are counted on: its last, or today if that is earlier.
fn day_of(year: i64, today: &str) -> String {
    let end = format!("{year:04}-12-31");
    if end.as_str() < today { end } else { today.to_owned() }
}

/// Tells the villages among areas that count in a year.
pub(super) fn counts_in(year: i64, today: &str) -> impl Fn(&AreaLine) -> bool + use<> {
    let (day, level) = (day_of(year, today), i64::from(AreaLevel::Village.list_code()));
    move |area| area.level == level && is_in_force(area, &day)
}

impl<'a> Tally<'a> {
    pub(super) fn new(
        area: &'a AreaCode,
        areas: &'a [AreaLine],
        today: &'a str,
        checklist: Checklist<'a>,
    ) -> Self {
        let level =
            area.level().below().map_or(AreaLevel::Village, |level| level.min(AreaLevel::Village));
        let villages = areas.iter().map(|area| (area.code.as_str(), area)).collect();
        let digits = level.digits();
        Self { area, digits, today, checklist, villages, years: BTreeMap::new() }
    }

    /// Counts what a village told of a year: the values of 村.
    pub(super) fn count(&mut self, village: &str, year: i64, values: &[Value]) {
        let outcomes = self.checklist.outcomes(year, values);
        let line = self.villages.get(village);
        let is_poor = line.is_some_and(|line| is_poor(line));
        let was_there = line.is_some_and(|line| counts_in(year, self.today)(line));
        for group in self.part(village, year).groups(is_poor) {
            group.recorded += 1;
            // In the end each that was there is added.
            group.unrecorded -= i64::from(was_there);
            group.checked.count(&outcomes);
            for (counted, column) in COUNTED.iter().zip(&mut group.columns) {
                column.count(counted.counting, values.get(counted.place).unwrap_or(&Value::Null));
            }
        }
    }

    /// The part of a year that a code lies in: an area directly below, or the area itself.
    fn part(&mut self, code: &str, year: i64) -> &mut Counts {
        let part = code.get(..self.digits).unwrap_or(code);
        self.years.entry(year).or_default().entry(part.to_owned()).or_default()
    }

    /// What was counted of a year, of the last one that a village told of if none is asked for, and of those
    /// before.
    pub(super) fn report(mut self, year: Option<i64>) -> Report {
        let this_year = || self.today.get(..4).and_then(|year| year.parse().ok());
        let last = year.or_else(|| self.years.keys().next_back().copied()).or_else(this_year);
        let year = last.unwrap_or_default();
        self.years.entry(year).or_default();
        let years: Vec<i64> = self.years.keys().copied().collect();
        let villages = std::mem::take(&mut self.villages);
        for year in years {
            let counts = counts_in(year, self.today);
            for village in villages.values().filter(|village| counts(village)) {
                let groups = self.part(&village.code, year).groups(is_poor(village));
                groups.for_each(|group| group.unrecorded += 1);
            }
        }
        let parts = self.years.remove(&year).unwrap_or_default();
        let area = Counts::sum(parts.values());
        let children = parts.into_iter().filter(|(code, _)| code != self.area.as_str()).collect();
        let before =
            self.years.into_iter().map(|(year, parts)| (year, Counts::sum(parts.values())));
        Report { year, area, children, before: before.collect() }
    }
}

/// Targets, each beside the figure of the same year and name, by year.
pub(super) fn goals(policy: &Policy, targets: &[Record], indicators: &[Record]) -> Vec<Goal> {
    let list = policy.list("计划指标");
    let goal = |record: &Record| {
        let value = |i: usize| record.values.get(i);
        let year = value(target::YEAR)?.as_int()?;
        let code = value(target::INDICATOR)?.as_int()?;
        let name = list.and_then(|list| list.name_of(u8::try_from(code).ok()?));
        let is_of = |record: &&Record| {
            let text = |i: usize| record.values.get(i).and_then(Value::as_text);
            text(indicator::PERIOD) == Some(&year.to_string()) && text(indicator::INDICATOR) == name
        };
        let figure = indicators.iter().find(is_of).filter(|_| name.is_some());
        let reached = figure.and_then(|record| real(record.values.get(indicator::FIGURE)?));
        let target = real(value(target::TARGET)?)?;
        Some(Goal { year, indicator: code, target, reached })
    };
    let mut goals: Vec<Goal> = targets.iter().filter_map(goal).collect();
    goals.sort_by_key(|goal| (goal.year, goal.indicator));
    goals
}

fn real(value: &Value) -> Option<f64> {
    if let Value::Real(number) = value { Some(*number) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_columns_but_the_key_and_texts_are_counted() {
        let is_counted =
            |column: &&Column| COUNTED.iter().any(|one| one.column.name == column.name);
        let left = VILLAGES.columns.iter().filter(|column| !is_counted(column));
        let left: Vec<&str> = left.map(|column| column.name).collect();
        assert_eq!(left, ["village", "year", "main_industry"]);
    }
}

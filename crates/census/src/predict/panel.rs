//! What was known of households year by year, and what was seen in the year after.

use std::collections::BTreeMap;

/// Which features and groups there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// What the learner may look at.
    pub features: Vec<Feature>,
    /// What it is judged for bias by. It does not look at these.
    pub dimensions: Vec<Dimension>,
    /// The place among the features of the income that the second baseline looks at alone.
    pub income: usize,
}

/// A thing that is known of a household at the end of a year.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// A stable name.
    pub id: String,
    /// What it is called in Chinese.
    pub title: String,
    /// What it is called in English.
    pub title_en: String,
    /// What its numbers mean.
    pub kind: Kind,
    /// Where its curve bends besides the quantiles, in its own unit: the line, the age of retirement.
    pub knots: Vec<f64>,
}

/// What the numbers of a feature mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An amount in yuan.
    Yuan,
    /// An amount in yuan above something (negative: below) that the title ends with.
    YuanAbove,
    /// How many or how much, in the unit that the title tells.
    Count,
    /// 1 yes, 0 no.
    Flag,
    /// One of these codes.
    Code(Vec<Code>),
}

/// A code with its titles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: u16,
    /// What it is called in Chinese.
    pub title: String,
    /// What it is called in English.
    pub title_en: String,
}

/// A way to group households.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// A stable name.
    pub id: String,
    /// What it is called in Chinese.
    pub title: String,
    /// What it is called in English.
    pub title_en: String,
}

/// What was known of a household at the end of a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told<'a> {
    /// The year.
    pub year: i32,
    /// True if the next year is asked about: whether the household belongs to the population, as the exited do for relapse.
    pub is_asked: bool,
    /// Whether it was in the state that is predicted.
    pub state: Option<bool>,
    /// Net income a head, in yuan.
    pub income_yuan: Option<f64>,
    /// The features, in their order; those beyond the end are not known.
    pub facts: &'a [Option<f64>],
    /// The group of each dimension, in their order; those beyond the end are the empty name.
    pub groups: &'a [&'a str],
}

/// Why a household's year was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It came after a later one.
    #[error("years of a household are told one after the other, earlier ones first")]
    Order,
    /// There are more facts or groups than the shape has.
    #[error("more facts or groups were told than there are features or dimensions")]
    Many,
}

/// What was known at the end of years, a row for each household and year that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub(super) shape: Shape,
    pub(super) households: Vec<i64>,
    pub(super) years: Vec<i32>,
    pub(super) states: Vec<Option<bool>>,
    /// In yuan; NaN where it is not known.
    pub(super) incomes: Vec<f32>,
    /// By feature; NaN where it is not known.
    pub(super) columns: Vec<Vec<f32>>,
    /// By dimension, the place among [`Facts::names`].
    pub(super) labels: Vec<Vec<u32>>,
    pub(super) names: Vec<Vec<String>>,
}

/// What was seen in the year after, of the same rows. There is no way from it to a score:
///
/// ```compile_fail
/// use daohu_census::predict::{Model, Panel};
/// fn leak(model: &Model, panel: &Panel) {
///     model.predict(panel.outcomes(), &[0], std::num::NonZero::<usize>::MIN);
/// }
/// ```
///
/// while facts may be scored:
///
/// ```
/// use daohu_census::predict::{Model, Panel};
/// fn score(model: &Model, panel: &Panel) {
///     model.predict(panel.facts(), &[0], std::num::NonZero::<usize>::MIN);
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    pub(super) states: Vec<Option<bool>>,
    /// In yuan; NaN where it is not known.
    pub(super) incomes: Vec<f32>,
}

/// Facts of years, and the outcomes of the years after.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    facts: Facts,
    outcomes: Outcomes,
}

impl Facts {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.years.len()
    }

    /// The places of a year's rows.
    pub fn rows_of(&self, year: i32) -> Vec<usize> {
        let rows = self.years.iter().enumerate();
        rows.filter(|(_, own)| **own == year).map(|(row, _)| row).collect()
    }

    /// The household and year of a row.
    pub fn row(&self, row: usize) -> Option<(i64, i32)> {
        Some((*self.households.get(row)?, *self.years.get(row)?))
    }

    /// Which features and groups there are.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// A feature of a row; NaN where it is not known.
    pub(super) fn value(&self, feature: usize, row: usize) -> f32 {
        let column = self.columns.get(feature);
        column.and_then(|column| column.get(row)).copied().unwrap_or(f32::NAN)
    }

    /// Whether a row's household was in the state in its own year.
    pub(super) fn state(&self, row: usize) -> Option<bool> {
        self.states.get(row).copied().flatten()
    }

    /// A row's income of its own year, in yuan; NaN where it is not known.
    pub(super) fn income(&self, row: usize) -> f64 {
        self.incomes.get(row).copied().map_or(f64::NAN, f64::from)
    }
}

impl Outcomes {
    pub(super) fn state(&self, row: usize) -> Option<bool> {
        self.states.get(row).copied().flatten()
    }

    /// In yuan; NaN where it is not known.
    pub(super) fn income(&self, row: usize) -> f64 {
        self.incomes.get(row).copied().map_or(f64::NAN, f64::from)
    }
}

impl Panel {
    /// What was known.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What was seen in the years after.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// The years of which the outcome is known of some row, in order.
    pub fn years(&self) -> Vec<i32> {
        let rows = self.facts.years.iter().zip(&self.outcomes.states);
        let mut years: Vec<i32> =
            rows.filter(|(_, state)| state.is_some()).map(|(year, _)| *year).collect();
        years.sort_unstable();
        years.dedup();
        years
    }

    /// The rows of years that this holds of, whose outcome is known.
    pub(super) fn rows(&self, is_it: impl Fn(i32) -> bool) -> Vec<usize> {
        let rows = self.facts.years.iter().zip(&self.outcomes.states).enumerate();
        let known = rows.filter(|(_, (year, state))| state.is_some() && is_it(**year));
        known.map(|(row, _)| row).collect()
    }
}

/// Puts a panel together: households one after the other, the years of each in their order.
///
/// The outcome of a year is what is told of the next one: nobody hands it in, so nobody can hand in another year's.
#[derive(Clone, Debug)]
pub struct PanelBuilder {
    panel: Panel,
    places: Vec<BTreeMap<String, u32>>,
    /// The household and year told last, and its row if it has one.
    last: Option<(i64, i32, Option<usize>)>,
}

impl PanelBuilder {
    /// With no households yet.
    pub fn new(shape: Shape) -> Self {
        let facts = Facts {
            households: Vec::new(),
            years: Vec::new(),
            states: Vec::new(),
            incomes: Vec::new(),
            columns: vec![Vec::new(); shape.features.len()],
            labels: vec![Vec::new(); shape.dimensions.len()],
            names: vec![Vec::new(); shape.dimensions.len()],
            shape,
        };
        let places = vec![BTreeMap::new(); facts.labels.len()];
        Self { panel: Panel { facts, outcomes: Outcomes::default() }, places, last: None }
    }

    /// What was known of a household at the end of a year.
    pub fn tell(&mut self, household: i64, told: &Told<'_>) -> Result<(), Misfit> {
        let facts = &mut self.panel.facts;
        if told.facts.len() > facts.columns.len() || told.groups.len() > facts.labels.len() {
            return Err(Misfit::Many);
        }
        let outcomes = &mut self.panel.outcomes;
        if let Some((_, year, row)) = self.last.filter(|(last, ..)| *last == household) {
            if year >= told.year {
                return Err(Misfit::Order);
            }
            let is_next = year.checked_add(1) == Some(told.year);
            if let Some(row) = row.filter(|_| is_next) {
                set(&mut outcomes.states, row, told.state);
                set(&mut outcomes.incomes, row, stored(told.income_yuan));
            }
        }
        self.last = Some((household, told.year, told.is_asked.then_some(facts.rows())));
        if !told.is_asked {
            return Ok(());
        }
        facts.households.push(household);
        facts.years.push(told.year);
        facts.states.push(told.state);
        facts.incomes.push(stored(told.income_yuan));
        outcomes.states.push(None);
        outcomes.incomes.push(f32::NAN);
        let values = told.facts.iter().copied().chain(std::iter::repeat(None));
        facts.columns.iter_mut().zip(values).for_each(|(column, value)| column.push(stored(value)));
        let groups = told.groups.iter().copied().chain(std::iter::repeat(""));
        let labels = facts.labels.iter_mut().zip(&mut facts.names).zip(&mut self.places);
        for (((labels, names), places), group) in labels.zip(groups) {
            labels.push(place(group, names, places));
        }
        Ok(())
    }

    /// The panel of what was told.
    pub fn finish(self) -> Panel {
        self.panel
    }
}

fn set<T>(values: &mut [T], place: usize, value: T) {
    if let Some(own) = values.get_mut(place) {
        *own = value;
    }
}

/// As it is kept: what is no number is not known.
#[expect(clippy::cast_possible_truncation, reason = "seven digits are enough to learn from")]
fn stored(value: Option<f64>) -> f32 {
    value.map(|value| value as f32).filter(|value| value.is_finite()).unwrap_or(f32::NAN)
}

/// The place of a name, which is added if it is new.
fn place(name: &str, names: &mut Vec<String>, places: &mut BTreeMap<String, u32>) -> u32 {
    if let Some(place) = places.get(name) {
        return *place;
    }
    let place = u32::try_from(names.len()).unwrap_or(u32::MAX);
    names.push(name.to_owned());
    places.insert(name.to_owned(), place);
    place
}

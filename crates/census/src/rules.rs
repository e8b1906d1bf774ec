//! Rules as they are asked.

use daohu_policy::expr::Test;

/// What a rule says of a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It is not as it must be.
    Unmet = 0,
    /// It is as it must be.
    Met = 1,
    /// Too little is known.
    Unknown = 2,
    /// Where the household lives there is no such rule.
    NotAsked = 3,
}

impl Outcome {
    /// What two rules together say: unmet if one is, otherwise unknown if one is.
    pub const fn or_worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unmet, _) | (_, Self::Unmet) => Self::Unmet,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Met,
        }
    }

    /// As statuses are written: `unmet`, `met`, `unknown`, and nothing where it is not asked.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unmet => "unmet",
            Self::Met => "met",
            Self::Unknown => "unknown",
            Self::NotAsked => "",
        }
    }
}

/// A rule: unmet if a test of the first kind holds, otherwise met if all of the second do, otherwise unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `income` …
    pub id: String,
    /// What makes it unmet, one test for each reason.
    pub(crate) unmet: Vec<Test>,
    /// What must hold so that it is met, one test for each reason why it may not be known.
    pub(crate) met: Vec<Test>,
}

impl Rule {
    /// The rule of two checked expressions, in their parts: each part is a reason of its own.
    pub fn new(id: &str, unmet: Test, met: Test) -> Self {
        Self { id: id.to_owned(), unmet: alternatives(unmet), met: conditions(met) }
    }

    /// The parts of what makes it unmet: a reason is the place of one.
    pub fn unmet(&self) -> &[Test] {
        &self.unmet
    }

    /// The parts of what must hold so that it is met.
    pub fn met(&self) -> &[Test] {
        &self.met
    }
}

/// Tests of which one must hold: someone of whom one or the other holds is someone of whom the one holds, or someone of
/// whom the other does.
fn alternatives(test: Test) -> Vec<Test> {
    match test {
        Test::Any(parts) => parts.into_iter().flat_map(alternatives).collect(),
        Test::Someone(of) => match *of {
            Test::Any(parts) => {
                parts.into_iter().map(|part| Test::Someone(Box::new(part))).collect()
            }
            of => vec![Test::Someone(Box::new(of))],
        },
        test => vec![test],
    }
}

/// Tests of which all must hold.
fn conditions(test: Test) -> Vec<Test> {
    match test {
        Test::All(parts) => parts.into_iter().flat_map(conditions).collect(),
        Test::Everyone(of) => match *of {
            Test::All(parts) => {
                parts.into_iter().map(|part| Test::Everyone(Box::new(part))).collect()
            }
            of => vec![Test::Everyone(Box::new(of))],
        },
        test => vec![test],
    }
}

/// The rules of a day, in their order, for all places where they differ.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What the rules are called, those included that are not asked everywhere.
    pub ids: Vec<String>,
    /// What holds at each place.
    pub places: Vec<Place>,
}

/// What holds in the areas for which packs say the same.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The rule for each of [`Plan::ids`]; none where it is not asked.
    pub rules: Vec<Option<Rule>>,
    /// The amounts that rules compare with, by [`Derived::Amount`](crate::Derived::Amount), money in fen.
    pub amounts: Vec<Option<f64>>,
}

impl Plan {
    /// Rules that are the same everywhere.
    pub fn everywhere(rules: Vec<Rule>, amounts: Vec<Option<f64>>) -> Self {
        let ids = rules.iter().map(|rule| rule.id.clone()).collect();
        let rules = rules.into_iter().map(Some).collect();
        Self { ids, places: vec![Place { rules, amounts }] }
    }

    /// Some of the rules alone, by their places in the plan.
    pub fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept = |nth: &usize| keep(*nth);
        let place = |place: &Place| Place {
            rules: (0..)
                .zip(&place.rules)
                .filter(|(nth, _)| kept(nth))
                .map(|own| own.1.clone())
                .collect(),
            amounts: place.amounts.clone(),
        };
        Self {
            ids: (0..)
                .zip(&self.ids)
                .filter(|(nth, _)| kept(nth))
                .map(|own| own.1.clone())
                .collect(),
            places: self.places.iter().map(place).collect(),
        }
    }

    /// The nth rule at a place, if it is asked there.
    pub fn rule(&self, place: u16, nth: usize) -> Option<&Rule> {
        self.places.get(usize::from(place))?.rules.get(nth)?.as_ref()
    }
}

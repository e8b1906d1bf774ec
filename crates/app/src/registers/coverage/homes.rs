//! The households of a county and who answers for them. Pure.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

/// Names that come again and again, each by its number, from 0.
#[derive(Default)]
struct Names {
    numbers: FxHashMap<String, usize>,
    names: Vec<String>,
    last: usize,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        // Mostly it is the one before.
        if self.names.get(self.last).is_none_or(|last| last != name) {
            self.last = self.numbers.get(name).copied().unwrap_or(self.names.len());
            if self.last == self.names.len() {
                self.numbers.insert(name.to_owned(), self.last);
                self.names.push(name.to_owned());
            }
        }
        self.last
    }
}

/// The households of a county, each in its village.
#[derive(Default)]
pub(super) struct Homes {
    /// In any order.
    homes: Vec<(i64, usize)>,
    villages: Names,
}

impl Homes {
    pub(super) fn add(&mut self, household: i64, village: &str) {
        self.homes.push((household, self.villages.number(village)));
    }
}

/// Who answers for the households of a county, by number, and which roles they have.
#[derive(Default)]
pub(super) struct Answers {
    answers: Vec<(i64, usize)>,
    cadres: Names,
    pub(super) roles: HashMap<String, String>,
}

impl Answers {
    pub(super) fn add(&mut self, household: i64, cadre: &str) {
        self.answers.push((household, self.cadres.number(cadre)));
    }

    pub(super) fn cadres(&self) -> &[String] {
        &self.cadres.names
    }
}

/// How many households there are, and for how many of them somebody answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) households: i64,
    pub(super) answered: i64,
}

/// What the households of a county come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Each village once, in the order in which they came.
    pub(super) villages: Vec<(String, Answered)>,
    /// The cadres who answer for any, and for how many.
    pub(super) cadres: Vec<(String, i64)>,
    /// Which cadre answers for households of which village, by their places above.
    pub(super) at: Vec<(usize, usize)>,
}

impl Sums {
    pub(super) fn new(homes: Homes, answers: Answers) -> Self {
        let Homes { mut homes, villages } = homes;
        let Answers { mut answers, cadres, .. } = answers;
        homes.sort_unstable();
        answers.sort_unstable();
        // Several rows of one pair are one.
        answers.dedup();
        let mut sums = Self {
            villages: villages.names.into_iter().map(|name| (name, Answered::default())).collect(),
            cadres: cadres.names.into_iter().map(|name| (name, 0)).collect(),
            at: Vec::new(),
        };
        let mut answers = answers.into_iter().peekable();
        for (id, village) in homes {
            // Of households that are not asked for.
            while answers.next_if(|(household, _)| *household < id).is_some() {}
            let mut answered = 0;
            while let Some((_, cadre)) = answers.next_if(|(household, _)| *household == id) {
                if let Some((_, households)) = sums.cadres.get_mut(cadre) {
                    *households += 1;
                }
                sums.at.push((cadre, village));
                answered = 1;
            }
            if let Some((_, sum)) = sums.villages.get_mut(village) {
                sum.households += 1;
                sum.answered += answered;
            }
        }
        sums.at.sort_unstable();
        sums.at.dedup();
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_counts_once_and_each_who_answers_for_it() {
        let (mut homes, mut answers) = (Homes::default(), Answers::default());
        for (id, village) in [(7, "b"), (3, "a"), (5, "b"), (9, "a")] {
            homes.add(id, village);
        }
        // Of 4 and 8 nobody asked; 7 has the same cadre twice, and another.
        for (id, cadre) in [(9, "y"), (7, "x"), (4, "z"), (7, "x"), (8, "x"), (7, "y"), (3, "x")] {
            answers.add(id, cadre);
        }
        let sums = Sums::new(homes, answers);

        let of = |households, answered| Answered { households, answered };
        assert_eq!(sums.villages, [("b".into(), of(2, 1)), ("a".into(), of(2, 2))]);
        assert_eq!(sums.cadres, [("y".into(), 2), ("x".into(), 2), ("z".into(), 0)]);
        assert_eq!(sums.at, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    }
}

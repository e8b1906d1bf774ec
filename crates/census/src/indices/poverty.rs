//! How many persons are poor, how far below the line, and how unequally so.

use std::collections::BTreeMap;

use super::{
    Headcount, Rate, Unknown,
    asked::{Asked, Groups, Tally},
    incomes::{Incomes, Lines},
    quotient, real,
};

/// Who is poor, and what they lack.
///
/// A household whose income, line or number of persons is not known is in [`Poverty::unknown`] and nowhere else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poverty {
    /// Of whom all is known.
    pub counted: Headcount,
    /// Who of these has less than the line.
    pub poor: Headcount,
    /// Who of these has an income below zero: costs were higher than what came in.
    pub below_zero: Headcount,
    /// Of whom too little is known.
    pub unknown: Unknown,
    /// What the poor lack, by line.
    gaps: BTreeMap<i64, Gaps>,
}

/// What the poor below one line lack, summed over persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gaps {
    fen: i128,
    square: i128,
}

/// The indices of Foster, Greer and Thorbecke, 1 where all have nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fgt {
    /// Incidence: the share of persons who are poor.
    pub p0: f64,
    /// Depth: what persons lack on average, as a share of the line; who is not poor lacks nothing.
    pub p1: f64,
    /// Severity: the same with squares of the shares, so that who lacks much counts more.
    pub p2: f64,
}

impl Poverty {
    /// The indices among the persons of whom all is known; none if there are none.
    pub fn fgt(&self) -> Option<Fgt> {
        self.fgt_among(self.counted.persons)
    }

    /// The indices among so many persons, of whom those who were not asked count as not poor.
    ///
    /// As J. Foster, J. Greer and E. Thorbecke define them (*A Class of Decomposable Poverty Measures*, Econometrica 52,
    /// 1984): the share is (line − income) ÷ line, and nothing is cut off. So an income below zero has a share above one,
    /// and P2 may then be above P1, and P1 above P0; R's `convey::svyfgt` does the same. Who has less than zero is counted
    /// in [`Poverty::below_zero`], so that a reader sees where figures come from. With exactly the line one is not poor.
    pub fn fgt_among(&self, persons: u64) -> Option<Fgt> {
        let p0 = self.incidence(persons).share()?;
        let mut sums = (0.0, 0.0);
        for (line, gaps) in &self.gaps {
            let line = i128::from(*line);
            sums.0 += quotient(gaps.fen, line)?;
            sums.1 += quotient(gaps.square, line * line)?;
        }
        let persons = real(persons.into());
        Some(Fgt { p0, p1: sums.0 / persons, p2: sums.1 / persons })
    }

    /// 贫困发生率: the poor among a population that is given, as a rule all rural persons and not only who is registered.
    pub fn incidence(&self, population: u64) -> Rate {
        Rate { persons: self.poor.persons, among: population }
    }

    /// What all the poor together lack to have the line, in fen a year.
    pub fn gap_fen(&self) -> i128 {
        self.gaps.values().map(|gaps| gaps.fen).fold(0, i128::saturating_add)
    }
}

/// Asks who is poor.
pub fn poverty(incomes: Incomes<'_>, lines: Lines<'_>, asked: Asked<'_>) -> Poverty {
    let households = incomes.persons().households();
    let take = |own: &mut Running, nth| own.take(incomes, lines, nth);
    asked.tally(households, Running::default, take).finish()
}

/// Asks who is poor in each group.
pub fn poverty_by(
    incomes: Incomes<'_>,
    lines: Lines<'_>,
    asked: Asked<'_>,
    groups: Groups<'_>,
) -> Vec<Poverty> {
    let households = incomes.persons().households();
    let take = |own: &mut Running, nth| own.take(incomes, lines, nth);
    let all = asked.tally_by(households, groups, Running::default, take);
    all.into_iter().map(Running::finish).collect()
}

/// A sum that grows: what is below the last line that was met stands apart, since neighbours have the same line.
#[derive(Default)]
struct Running {
    all: Poverty,
    line: i64,
    gaps: Gaps,
}

impl Running {
    fn take(&mut self, incomes: Incomes<'_>, lines: Lines<'_>, nth: usize) {
        let (Some((fen, persons)), Some(line)) = (incomes.both(nth), lines.of(nth)) else {
            return self.all.unknown.take(incomes.persons().of(nth));
        };
        self.all.counted.take(persons);
        if fen < 0 {
            self.all.below_zero.take(persons);
        }
        if fen < line {
            self.all.poor.take(persons);
            if line != self.line {
                self.keep();
                self.line = line;
            }
            let gap = i128::from(line - fen);
            let persons = i128::from(persons);
            self.gaps.join(Gaps { fen: gap * persons, square: gap * gap * persons });
        }
    }

    /// Puts what is below the last line to the rest.
    fn keep(&mut self) {
        let gaps = std::mem::take(&mut self.gaps);
        if gaps != Gaps::default() {
            self.all.gaps.entry(self.line).or_default().join(gaps);
        }
    }

    fn finish(mut self) -> Poverty {
        self.keep();
        self.all
    }
}

impl Gaps {
    fn join(&mut self, other: Self) {
        self.fen = self.fen.saturating_add(other.fen);
        self.square = self.square.saturating_add(other.square);
    }
}

impl Tally for Poverty {
    fn join(&mut self, other: &Self) {
        self.counted.join(other.counted);
        self.poor.join(other.poor);
        self.below_zero.join(other.below_zero);
        self.unknown.join(other.unknown);
        for (line, gaps) in &other.gaps {
            self.gaps.entry(*line).or_default().join(*gaps);
        }
    }
}

impl Tally for Running {
    fn join(&mut self, other: &Self) {
        self.all.join(&other.all);
        if other.gaps != Gaps::default() {
            self.all.gaps.entry(other.line).or_default().join(other.gaps);
        }
    }
}

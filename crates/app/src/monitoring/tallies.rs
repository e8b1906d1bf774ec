//! How many households of each village stand how, by all rules: what figures of areas are the sums of.

use std::ops::Range;

use daohu_base::Day;
use daohu_census::{Assessment, Census, Outcome, Question, assess};

use super::{
    counties::{Sum, Villages},
    model::{Counts, CoverageCounts, OverallCounts},
    picture::threads,
    rulebook::{Asked, Book, Rulebook},
};

/// How many households met, unmet and unknown, by rule in the order of its plan.
type Ruled = Vec<[usize; 3]>;

/// How some households stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) households: usize,
    pub(super) overall: OverallCounts,
    guarantees: Ruled,
    classes: Ruled,
    warnings: Ruled,
    among: Ruled,
    coverages: Ruled,
}

fn add(sum: &mut Ruled, other: &Ruled) {
    sum.resize(sum.len().max(other.len()), [0; 3]);
    for (own, other) in sum.iter_mut().zip(other) {
        own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
    }
}

impl Sum for Tally {
    fn add(&mut self, other: &Self) {
        self.households += other.households;
        self.overall.join(&other.overall);
        add(&mut self.guarantees, &other.guarantees);
        add(&mut self.classes, &other.classes);
        add(&mut self.warnings, &other.warnings);
        add(&mut self.among, &other.among);
        add(&mut self.coverages, &other.coverages);
    }
}

impl Tally {
    pub(super) fn guarantees(&self, rulebook: &Rulebook) -> Vec<Counts> {
        counts(&rulebook.guarantees, &self.guarantees)
    }

    pub(super) fn classes(&self, rulebook: &Rulebook) -> Vec<Counts> {
        counts(&rulebook.classes, &self.classes)
    }

    pub(super) fn warnings(&self, rulebook: &Rulebook) -> Vec<Counts> {
        counts(&rulebook.warnings, &self.warnings)
    }

    /// Who must have something, and who of them has it.
    pub(super) fn coverages(&self, rulebook: &Rulebook) -> Vec<CoverageCounts> {
        let has = counts(&rulebook.coverages, &self.coverages);
        let told = has.into_iter().zip(counts(&rulebook.among, &self.among));
        let reach = |(has, among): (Counts, Counts)| CoverageCounts {
            among: among.met,
            among_unknown: among.unknown,
            // Who need not have it is not asked further.
            counts: Counts { unknown: among.met.saturating_sub(has.met + has.unmet), ..has },
        };
        told.map(reach).collect()
    }
}

/// With what the rules are called.
fn counts(asked: &Asked, ruled: &Ruled) -> Vec<Counts> {
    let nothing = [0; 3];
    let of_rule = |(nth, head): (usize, &daohu_policy::Head)| {
        let [met, unmet, unknown] = *ruled.get(nth).unwrap_or(&nothing);
        let (title, title_en) = (head.title.clone(), head.title_en.clone());
        Counts { rule: head.id.clone(), title, title_en, met, unmet, unknown }
    };
    asked.heads.iter().enumerate().map(of_rule).collect()
}

/// Where an outcome is counted.
const fn slot(outcome: Outcome) -> Option<usize> {
    match outcome {
        Outcome::Met => Some(0),
        Outcome::Unmet => Some(1),
        Outcome::Unknown => Some(2),
        Outcome::NotAsked => None,
    }
}

/// Asks all rules of a book of the households of a span, and counts them by village; the guarantees may have been asked before.
pub(super) fn by_village(
    census: &Census,
    (book, on): (&Book, Day),
    span: Range<usize>,
    guarantees: Option<&Assessment>,
) -> Vec<(String, Tally)> {
    let rules = &book.rules;
    let known = Villages::of(census, span.clone());
    let places = known.spread(census, 0, |village| rules.place_of(village));
    let ask = |asked: &Asked| {
        let shape = &book.fields.shape;
        let question = Question { shape, on, places: &places, added_fen: &[] };
        assess(census, &asked.plan, question, span.clone(), threads())
    };
    let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let number = |village: &u32| known.numbers.get(place(*village)).copied().unwrap_or(u32::MAX);
    let everywhere = census.village_places().get(span.clone()).unwrap_or_default();
    let villages: Vec<u32> = everywhere.iter().map(number).collect();
    let mut tallies = vec![Tally::default(); known.places.len()];
    for village in &villages {
        if let Some(own) = tallies.get_mut(place(*village)) {
            own.households += 1;
        }
    }
    let mut count = |assessment: &Assessment, of: fn(&mut Tally) -> &mut Ruled| {
        let mut ruled: Ruled = vec![[0; 3]; tallies.len()];
        for (nth, judged) in assessment.rules.iter().enumerate() {
            ruled.fill([0; 3]);
            for (village, outcome) in villages.iter().zip(&judged.outcomes) {
                let own = ruled.get_mut(place(*village)).zip(slot(*outcome));
                if let Some(count) = own.and_then(|(own, slot)| own.get_mut(slot)) {
                    *count += 1;
                }
            }
            for (tally, own) in tallies.iter_mut().zip(&ruled) {
                let all = of(tally);
                all.resize(nth, [0; 3]);
                all.push(*own);
            }
        }
    };
    let asked;
    let guarantees = match guarantees {
        Some(own) => own,
        None => {
            asked = ask(&rules.guarantees);
            &asked
        }
    };
    count(guarantees, |own| &mut own.guarantees);
    count(&ask(&rules.classes), |own| &mut own.classes);
    count(&ask(&rules.warnings), |own| &mut own.warnings);
    count(&ask(&rules.among), |own| &mut own.among);
    count(&ask(&rules.coverages), |own| &mut own.coverages);
    let overall = guarantees.overalls(|_| true);
    for (nth, village) in villages.iter().enumerate() {
        if let Some(own) = tallies.get_mut(place(*village)) {
            own.overall.add(overall.get(nth).copied().unwrap_or(Outcome::Met));
        }
    }
    known.with(census, tallies)
}

//! What must hold of the figures, whatever the households are.

use proptest::prelude::*;

use super::{super::asked::place, *};
use crate::Outcome;

const GROUPS: usize = 4;
const STATES: u8 = 3;
/// More than are sorted by comparing: made of few by repeating them.
const MANY: usize = 5000;

/// A made-up household: income, persons, line, group, what it lacks, states of two years.
#[derive(Clone, Copy, Debug)]
struct Home {
    fen: i64,
    persons: i32,
    line: i64,
    group: u32,
    lacks: [Outcome; 3],
    states: [Option<u8>; 2],
}

/// The same by columns.
struct Columns {
    fen: Vec<i64>,
    persons: Vec<i32>,
    lines: Vec<i64>,
    groups: Vec<u32>,
    lacks: Vec<Vec<Outcome>>,
    states: [Vec<Option<u8>>; 2],
}

impl Columns {
    fn of(homes: &[Home]) -> Self {
        let lacks = (0..3).map(|nth| homes.iter().map(|home| home.lacks[nth]).collect());
        Self {
            fen: homes.iter().map(|home| home.fen).collect(),
            persons: homes.iter().map(|home| home.persons).collect(),
            lines: homes.iter().map(|home| home.line).collect(),
            groups: homes.iter().map(|home| home.group).collect(),
            lacks: lacks.collect(),
            states: [0, 1].map(|year| homes.iter().map(|home| home.states[year]).collect()),
        }
    }

    fn incomes(&self) -> Incomes<'_> {
        Incomes::new(&self.fen, self.persons())
    }

    fn persons(&self) -> Persons<'_> {
        Persons::new(&self.persons)
    }

    fn groups(&self) -> Groups<'_> {
        Groups::of(&self.groups, GROUPS)
    }

    fn lacking<'a>(&'a self, measure: &'a Measure) -> Deprivations<'a> {
        Deprivations::new(measure, 0, self.lacks.iter().map(|own| &own[..]).collect()).unwrap()
    }

    fn state(&self, year: usize) -> impl Fn(usize) -> Option<u8> + Sync {
        move |nth| self.states[year].get(nth).copied().flatten()
    }

    /// All figures of some of them.
    fn figures(&self, asked: Asked<'_>) -> Figures {
        let ladder = Ladder::of(self.incomes(), asked);
        let bands = Bands::new(vec![0, 50, 100]).unwrap();
        Figures {
            poverty: poverty(self.incomes(), Lines::Each(&self.lines), asked),
            mean: mean(self.incomes(), asked),
            distribution: distribution(self.incomes(), &bands, asked),
            lacking: multidimensional(&self.lacking(&measure()), self.persons(), asked),
            flows: flows(STATES, self.state(0), self.state(1), self.persons(), asked),
            gini: ladder.gini().map(f64::to_bits),
            middle: ladder.at_risk(Part { part: 3, of: 5 }),
            fifths: (0..=5).map(|part| ladder.quantile(Part { part, of: 5 })).collect(),
            unknown: ladder.unknown,
        }
    }
}

#[derive(Debug, PartialEq)]
struct Figures {
    poverty: Poverty,
    mean: Mean,
    distribution: Distribution,
    lacking: Multidimensional,
    flows: Flows,
    gini: Option<u64>,
    middle: Option<AtRisk>,
    fifths: Vec<Option<HalfFen>>,
    unknown: Unknown,
}

fn measure() -> Measure {
    Measure::new(vec![3, 2, 1], 3).unwrap()
}

fn home(lowest: i64) -> impl Strategy<Value = Home> {
    let fen = prop_oneof![1 => Just(Incomes::UNKNOWN_FEN), 8 => lowest..150, 1 => lowest << 20..1 << 26, 1 => 0..1_i64 << 45];
    // Weights of a survey come seldom, since they have a way of their own.
    let persons = prop_oneof![10 => Just(-1), 100 => 0..7, 10 => 0..1000, 1 => 1000..200_000];
    let line = prop::sample::select(vec![0, 80, 100, 100, 120]);
    let outcome =
        || prop::sample::select(vec![Outcome::Unmet, Outcome::Met, Outcome::Met, Outcome::Unknown]);
    let state = || prop::option::of(0..STATES);
    let lacks = [outcome(), outcome(), outcome()];
    (fen, persons, line, 0..5_u32, lacks, [state(), state()]).prop_map(
        |(fen, persons, line, group, lacks, states)| Home {
            fen,
            persons,
            line,
            group,
            lacks,
            states,
        },
    )
}

fn homes(lowest: i64) -> impl Strategy<Value = Vec<Home>> {
    prop::collection::vec(home(lowest), 1..40)
}

/// The same households once more, so often that there are many.
fn many(homes: &[Home]) -> Vec<Home> {
    homes.iter().cycle().take(MANY / homes.len() * homes.len()).copied().collect()
}

fn sum<T: super::super::asked::Tally>(parts: Vec<T>) -> T {
    let joined = parts.into_iter().reduce(|mut all, part| {
        all.join(&part);
        all
    });
    joined.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn neither_order_nor_threads_nor_the_way_of_choosing_change_a_figure(
        homes in homes(-50),
        seed in any::<u32>(),
        threads in 1..5_usize,
        is_many in prop::bool::weighted(0.04),
    ) {
        let homes = if is_many { many(&homes) } else { homes };
        let mut turned = homes.clone();
        // Some other order.
        turned.sort_by_key(|home| (i64::from(home.persons) ^ home.fen).wrapping_mul(i64::from(seed) << 20 | 1));
        turned.rotate_left(place(seed) % homes.len());
        let columns = Columns::of(&homes);
        let whole = columns.figures(all(1));
        prop_assert_eq!(&whole, &Columns::of(&turned).figures(all(threads)));
        // Some of them: chosen by a slice of bool, as a list, and as if there were no others.
        let is_chosen: Vec<bool> = (0..homes.len()).map(|nth| seed >> (nth % 32) & 1 == 1).collect();
        let places: Vec<u32> = (0..).zip(&is_chosen).filter(|(_, is)| **is).map(|(nth, _)| nth).collect();
        let alone: Vec<Home> = places.iter().map(|nth| homes[place(*nth)]).collect();
        let some = Columns::of(&alone).figures(all(1));
        for chosen in [Chosen::Where(&is_chosen), Chosen::Places(&places)] {
            prop_assert_eq!(&some, &columns.figures(Asked { chosen, ..all(threads) }));
        }
        let (from, end) = (homes.len() / 3, homes.len() / 2);
        let between = columns.figures(Asked { chosen: Chosen::Between(from, end), ..all(threads) });
        prop_assert_eq!(between, Columns::of(&homes[from..end]).figures(all(1)));
    }

    #[test]
    fn groups_add_up_to_the_whole(homes in homes(-50), threads in 1..4_usize) {
        let columns = Columns::of(&homes);
        // Who is in no group is in no sum.
        let grouped: Vec<bool> = homes.iter().map(|home| place(home.group) < GROUPS).collect();
        let asked = Asked { chosen: Chosen::Where(&grouped), ..all(1) };
        let whole = columns.figures(asked);
        let (incomes, groups, asked) = (columns.incomes(), columns.groups(), all(threads));
        let bands = Bands::new(vec![0, 50, 100]).unwrap();
        prop_assert_eq!(&whole.mean, &sum(mean_by(incomes, asked, groups)));
        prop_assert_eq!(&whole.distribution, &sum(distribution_by(incomes, &bands, asked, groups)));
        let (from, to) = (columns.state(0), columns.state(1));
        let flows = flows_by(STATES, from, to, columns.persons(), asked, groups);
        prop_assert_eq!(&whole.flows, &sum(flows));
        // FGT: each group counts with its share of the persons.
        let parts = poverty_by(incomes, Lines::Each(&columns.lines), asked, groups);
        prop_assert_eq!(&whole.poverty, &sum(parts.clone()));
        prop_assert_eq!(parts.iter().map(Poverty::gap_fen).sum::<i128>(), whole.poverty.gap_fen());
        let persons = whole.poverty.counted.persons;
        if let Some(fgt) = whole.poverty.fgt() {
            let of = |figure: fn(Fgt) -> f64| parts.iter().filter_map(|part| {
                let share = part.counted.persons as f64 / persons as f64;
                Some(figure(part.fgt()?) * share)
            }).sum::<f64>();
            for (told, summed) in [
                (fgt.p0, of(|fgt| fgt.p0)), (fgt.p1, of(|fgt| fgt.p1)), (fgt.p2, of(|fgt| fgt.p2)),
            ] {
                prop_assert!(near(told, summed, 1e-12), "{} {}", told, summed);
            }
        }
        let measure = measure();
        let parts = multidimensional_by(&columns.lacking(&measure), columns.persons(), asked, groups);
        if whole.lacking.m0().is_some_and(|m0| m0 > 0.0) {
            let shares = parts.iter().filter_map(|part| part.population_share(&whole.lacking));
            prop_assert!(near(shares.sum(), 1.0, 1e-12));
            let shares = parts.iter().filter_map(|part| part.contribution_to(&whole.lacking));
            prop_assert!(near(shares.sum(), 1.0, 1e-12));
            let weighed = parts.iter().filter_map(|part| {
                Some(part.m0()? * part.population_share(&whole.lacking)?)
            });
            prop_assert!(near(weighed.sum(), whole.lacking.m0().unwrap(), 1e-12));
        }
        prop_assert_eq!(whole.lacking, sum(parts));
    }

    #[test]
    fn poverty_is_between_nothing_and_all_and_its_severity_is_the_least(homes in homes(0)) {
        let figures = Columns::of(&homes).figures(all(1));
        let Some(fgt) = figures.poverty.fgt() else { return Ok(()) };
        prop_assert!(0.0 <= fgt.p2 && fgt.p2 <= fgt.p1 + 1e-15 && fgt.p1 <= fgt.p0 + 1e-15, "{:?}", fgt);
        prop_assert!(fgt.p0 <= 1.0);
        // Among more persons it is less, in proportion.
        let persons = figures.poverty.counted.persons;
        let twice = figures.poverty.fgt_among(2 * persons).unwrap();
        prop_assert!(near(2.0 * twice.p1, fgt.p1, 1e-15));
        prop_assert_eq!(figures.poverty.below_zero, Headcount::default());
    }

    #[test]
    fn inequality_is_none_among_equals_and_less_than_one(homes in homes(0), fen in 1..1000_i64) {
        let columns = Columns::of(&homes);
        let ladder = Ladder::of(columns.incomes(), all(2));
        if let Some(gini) = ladder.gini() {
            prop_assert!((0.0..1.0).contains(&gini), "{}", gini);
        }
        let same = vec![fen; homes.len()];
        let ladder = Ladder::of(Incomes::new(&same, columns.persons()), all(2));
        prop_assert!(ladder.gini().is_none_or(|gini| gini == 0.0));
        prop_assert_eq!(ladder.gini().is_some(), ladder.persons() > 0);
    }

    /// Half of the sum of all distances between two persons, by their number and what they have together.
    #[test]
    fn inequality_is_the_mean_distance_of_two_persons(homes in homes(-50)) {
        let columns = Columns::of(&homes);
        let incomes = columns.incomes();
        let own = || (0..homes.len()).filter_map(|nth| incomes.of(nth).zip(incomes.persons().of(nth)));
        let distance: i128 = own().flat_map(|one| own().map(move |other| (one, other)))
            .map(|((one, some), (other, others))| i128::from(one.abs_diff(other)) * i128::from(some) * i128::from(others))
            .sum();
        let persons: i128 = own().map(|(_, persons)| i128::from(persons)).sum();
        let total: i128 = own().map(|(fen, persons)| i128::from(fen) * i128::from(persons)).sum();
        let told = Ladder::of(incomes, all(2)).gini();
        prop_assert_eq!(told.is_some(), total > 0);
        if let Some(told) = told {
            let wanted = distance as f64 / (2 * persons * total) as f64;
            prop_assert!(near(told, wanted, 1e-12), "{} {}", told, wanted);
        }
    }

    #[test]
    fn a_population_twice_over_has_the_same_figures(homes in homes(-50), times in 2..5_usize) {
        let once = Columns::of(&homes).figures(all(1));
        let more = Columns::of(&homes.repeat(times)).figures(all(2));
        // The same but for the last digit: larger sums are rounded to other numbers.
        let ginis = [once.gini, more.gini].map(|gini| gini.map_or(-1.0, f64::from_bits));
        prop_assert!(near(ginis[0], ginis[1], 1e-15), "{:?}", ginis);
        prop_assert_eq!((&once.middle.map(|own| own.median), &once.fifths), (&more.middle.map(|own| own.median), &more.fifths));
        let shares = |figures: &Figures| {
            let fgt = figures.poverty.fgt();
            let lacking = (figures.lacking.m0(), figures.lacking.intensity());
            (fgt.map(|fgt| (fgt.p0, fgt.p1, fgt.p2)), lacking, figures.mean.fen())
        };
        let ((once, lacks, own), (more, lacked, owned)) = (shares(&once), shares(&more));
        prop_assert_eq!((once.is_some(), lacks.0.is_some(), own), (more.is_some(), lacked.0.is_some(), owned));
        let same = |one: Option<f64>, other: Option<f64>| near(one.unwrap_or(0.0), other.unwrap_or(0.0), 1e-12);
        prop_assert!(same(lacks.0, lacked.0) && same(lacks.1, lacked.1));
        prop_assert!(same(once.map(|own| own.0), more.map(|own| own.0)));
        prop_assert!(same(once.map(|own| own.1), more.map(|own| own.1)));
        prop_assert!(same(once.map(|own| own.2), more.map(|own| own.2)));
    }

    #[test]
    fn what_is_lacking_adds_up(homes in homes(0)) {
        let told = Columns::of(&homes).figures(all(2)).lacking;
        let (Some(m0), Some(intensity)) = (told.m0(), told.intensity()) else { return Ok(()) };
        let incidence = told.incidence().share().unwrap();
        prop_assert!(near(m0, incidence * intensity, 1e-12));
        // M0 is the sum of the censored headcounts by weight, and so are its parts.
        let weighed: f64 = told.dimensions.iter()
            .map(|own| f64::from(own.weight) / 6.0 * told.censored(own).share().unwrap()).sum();
        prop_assert!(near(m0, weighed, 1e-12), "{} {}", m0, weighed);
        let contributions: f64 = told.dimensions.iter().filter_map(|own| told.contribution(own)).sum();
        prop_assert!(near(contributions, 1.0, 1e-12));
        for own in &told.dimensions {
            prop_assert!(own.censored.persons <= own.deprived.persons);
        }
    }
}

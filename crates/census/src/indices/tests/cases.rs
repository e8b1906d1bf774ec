//! What is counted where, at the edges.

use daohu_policy::{
    CodeSet,
    expr::{Field, FieldKind, FieldRef, Level, Vocabulary},
};

use super::*;
use crate::{Builder, Cell, Census, Earned, Outcome, Shape, Source};

const UNKNOWN: i64 = Incomes::UNKNOWN_FEN;

fn part(part: u32, of: u32) -> Part {
    Part { part, of }
}

fn heads(households: u64, persons: u64) -> Headcount {
    Headcount { households, persons }
}

#[test]
fn who_has_exactly_the_line_is_not_poor_and_what_is_not_known_stands_apart() {
    let fen = [99, 100, UNKNOWN, 50, 50, -100];
    let persons = [2, 3, 4, -1, 5, 1];
    let lines = [100, 100, 100, 100, 0, 100];
    let incomes = Incomes::new(&fen, Persons::new(&persons));
    let told = poverty(incomes, Lines::Each(&lines), all(1));
    assert_eq!(told.counted, heads(3, 6));
    assert_eq!(told.poor, heads(2, 3));
    assert_eq!(told.below_zero, heads(1, 1));
    assert_eq!(told.unknown, Unknown { households: 3, persons: 9, unnumbered: 1 });
    assert_eq!(told.gap_fen(), 2 + 200);
    // An income of minus the line lacks twice the line.
    let fgt = told.fgt().unwrap();
    assert!(near(fgt.p1, (0.01 * 2.0 + 2.0) / 6.0, 1e-15), "{fgt:?}");
    assert!(near(fgt.p2, (0.0001 * 2.0 + 4.0) / 6.0, 1e-15), "{fgt:?}");
    // The denominator is given, and both stand in the answer.
    assert_eq!(told.incidence(300), Rate { persons: 3, among: 300 });
    assert_eq!(told.incidence(300).share(), Some(0.01));
    assert_eq!((told.incidence(0).share(), told.fgt_among(0)), (None, None));
}

#[test]
fn lines_are_those_of_villages() {
    let (fen, persons, villages) = ([90; 4], [1; 4], [0, 1, 2, 3]);
    let incomes = Incomes::new(&fen, Persons::new(&persons));
    let lines = [Some(100), Some(80), None];
    let told = poverty(incomes, Lines::OfVillages(&villages, &lines), all(1));
    assert_eq!((told.counted, told.poor, told.unknown.households), (heads(2, 2), heads(1, 1), 2));
    assert!(near(told.fgt().unwrap().p1, 0.05, 1e-15));
    assert_eq!(incomes.is_poor(Lines::Same(91), 0), Some(true));
    assert_eq!(incomes.is_poor(Lines::Same(90), 0), Some(false));
    assert_eq!(incomes.is_poor(Lines::Same(0), 0), None);
}

#[test]
fn an_average_is_rounded_half_away_from_zero_and_grows() {
    let mean = |fen: &[i64], persons: &[i32]| {
        super::mean(Incomes::new(fen, Persons::new(persons)), all(1))
    };
    assert_eq!(mean(&[1, 2], &[1, 1]).fen(), Some(2));
    assert_eq!(mean(&[-1, -2], &[1, 1]).fen(), Some(-2));
    assert_eq!(mean(&[1, 2, UNKNOWN], &[2, 1, 9]).fen(), Some(1));
    assert_eq!(mean(&[], &[]).fen(), None);
    // The farmers of one of the five published texts: 8 096 yuan are 15.3 % more than 7 021.68 were.
    let (before, now) = (mean(&[702_168], &[3]), mean(&[809_600], &[5]));
    assert!(near(now.growth_since(&before).unwrap(), 0.153, 1e-6));
    assert_eq!(now.growth_since(&mean(&[0], &[3])), None);
    assert_eq!(now.growth_since(&mean(&[-5], &[3])), None);
    assert_eq!(mean(&[], &[]).growth_since(&before), None);
    // Of one kind: each household has an amount as a whole.
    let kind = mean_of_amounts(&[300, UNKNOWN, 50], Persons::new(&[3, 2, -1]), all(1));
    assert_eq!((kind.fen(), kind.counted), (Some(100), heads(1, 3)));
    assert_eq!(kind.unknown, Unknown { households: 2, persons: 2, unnumbered: 1 });
}

#[test]
fn quantiles_are_as_laeken_has_them() {
    let (fen, persons) = ([30, 10, 20, 40], [1, 1, 1, 1]);
    let ladder = Ladder::of(Incomes::new(&fen, Persons::new(&persons)), all(1));
    // The half is reached exactly at 20: the mean of 20 and 30.
    assert_eq!(ladder.quantile(part(1, 2)), Some(HalfFen(50)));
    assert_eq!(ladder.quantile(part(1, 3)), Some(HalfFen(40)));
    assert_eq!(ladder.quantile(part(0, 1)), Some(HalfFen(20)));
    assert_eq!(ladder.quantile(part(1, 1)), Some(HalfFen(80)));
    assert_eq!((ladder.quantile(part(2, 1)), ladder.quantile(part(0, 0))), (None, None));
    assert!(near(HalfFen(51).fen(), 25.5, 0.0));
    // Weights: 10 alone has more than half.
    let ladder = Ladder::of(Incomes::new(&fen, Persons::new(&[1, 5, 0, -1])), all(1));
    assert_eq!(ladder.quantile(part(1, 2)), Some(HalfFen(20)));
    assert_eq!((ladder.persons(), ladder.unknown.households), (6, 1));
    // Less than 3 of 5 of 50: 30 itself is not.
    let fen = [29, 30, 50, 60, 70];
    let ladder = Ladder::of(Incomes::new(&fen, Persons::new(&[1; 5])), all(1));
    let told = ladder.at_risk(part(3, 5)).unwrap();
    assert_eq!(told, AtRisk { median: HalfFen(100), rate: Rate { persons: 1, among: 5 } });
    let nobody = Ladder::of(Incomes::new(&[], Persons::new(&[])), all(2));
    assert_eq!((nobody.gini(), nobody.at_risk(part(3, 5))), (None, None));
}

#[test]
fn many_incomes_are_put_in_order_by_their_digits() {
    // Of 1, 2 … n persons' incomes the coefficient is (n − 1) ÷ 3n. They come as the multiples of a number leave remainders of a prime.
    let (prime, step) = (10_007, 4001);
    let fen: Vec<i64> = (1..prime).map(|nth| nth * 5003 % prime * step).collect();
    let persons = alone(fen.len());
    for threads in [1, 2, 3] {
        let ladder = Ladder::of(Incomes::new(&fen, Persons::new(&persons)), all(threads));
        assert!(near(ladder.gini().unwrap(), 10_005.0 / (3.0 * 10_006.0), 1e-15));
        assert_eq!(ladder.quantile(part(1, 2)), Some(HalfFen((5003 + 5004) * step)));
    }
}

#[test]
fn a_sum_that_has_no_room_is_not_told() {
    let fen = [1, (1 << 46) - 1, 1 << 46];
    let ladder = Ladder::of(Incomes::new(&fen, Persons::new(&[i32::MAX; 3])), all(1));
    assert_eq!((ladder.persons(), ladder.unknown.households), (2 * 2_147_483_647, 1));
    assert!(near(ladder.gini().unwrap(), 0.5, 1e-9));
    // So many persons that their square times an income is more than 127 bits say.
    for (fen, is_told) in [((1 << 45) - 1, true), (1 << 45, false)] {
        let (fen, persons) = (vec![fen; 512], vec![i32::MAX; 512]);
        let ladder = Ladder::of(Incomes::new(&fen, Persons::new(&persons)), all(1));
        assert_eq!(ladder.gini().is_some(), is_told);
    }
}

#[test]
fn bands_begin_at_their_bounds() {
    assert_eq!(Bands::new(vec![1, 2, 2]), Err(NotAscending(2)));
    let bands = Bands::new(vec![100, 200]).unwrap();
    let fen = [99, 100, 199, 200, UNKNOWN];
    let told = distribution(Incomes::new(&fen, Persons::new(&[1, 2, 3, 4, 5])), &bands, all(1));
    assert_eq!(told.bands, [heads(1, 1), heads(2, 5), heads(1, 4)]);
    assert_eq!(told.unknown, Unknown { households: 1, persons: 5, unnumbered: 0 });
}

#[test]
fn a_measure_is_refused_if_it_is_none() {
    assert_eq!(Measure::new(vec![], 1), Err(BadMeasure::Dimensions(0)));
    assert_eq!(Measure::new(vec![1; 65], 1), Err(BadMeasure::Dimensions(65)));
    assert_eq!(Measure::new(vec![1, 0], 1), Err(BadMeasure::Weightless(1)));
    for cutoff in [0, 4] {
        let refused = Err(BadMeasure::Cutoff { cutoff, total: 3 });
        assert_eq!(Measure::new(vec![1, 2], cutoff), refused);
    }
    let measure = Measure::new(vec![1, 2], 3).unwrap();
    let unequal = BadMeasure::Unequal { weights: 2, dimensions: 1 };
    assert_eq!(Deprivations::new(&measure, 0, vec![&[]]).err(), Some(unequal));
}

#[test]
fn who_is_clearly_poor_or_not_is_counted_though_something_is_not_known() {
    use Outcome::{Met as M, Unknown as U, Unmet as X};
    let measure = Measure::new(vec![1, 1, 2], 2).unwrap();
    // Poor whatever U is; not poor whatever U is; not clear; not clear; poor, but how many they are is not known.
    let outcomes: [[Outcome; 5]; 3] = [[X, M, U, X, X], [U, U, M, M, X], [X, M, U, U, M]];
    let slices = outcomes.iter().map(|own| &own[..]).collect();
    // The first household is beyond what was asked.
    let lacking = Deprivations::new(&measure, 1, slices).unwrap();
    let persons = Persons::new(&[10, 1, 2, 3, 4, -1]);
    let told = multidimensional(&lacking, persons, all(1));
    assert_eq!((told.counted, told.poor), (heads(2, 3), heads(1, 1)));
    assert_eq!(told.unknown, Unknown { households: 4, persons: 17, unnumbered: 1 });
    let second = told.dimensions[1];
    assert_eq!((second.deprived, second.unknown), (heads(0, 0), heads(2, 3)));
    assert_eq!(told.deprived(&second).share(), None);
    let third = told.dimensions[2];
    assert_eq!(
        (told.deprived(&third), told.censored(&third).persons),
        (Rate { persons: 1, among: 3 }, 1)
    );
    assert_eq!(told.intensity(), Some(0.75));
}

/// Three households in two villages: a cause of each, and others; what they earned in 2015, and who left.
fn census() -> Census {
    let field = |kind: FieldKind| Field { name: String::new(), title: String::new(), kind };
    let list = String::new;
    let shape = Shape {
        vocabulary: Vocabulary {
            household: vec![field(FieldKind::Code(list())), field(FieldKind::Codes(list()))],
            member: vec![
                field(FieldKind::Day),
                field(FieldKind::Code(list())),
                field(FieldKind::Day),
            ],
        },
        household: vec![Source::Stored(0), Source::Stored(1)],
        member: (0..3).map(Source::Stored).collect(),
        born_on: 0,
        change: (1, 2, CodeSet::from_iter([8])),
    };
    let mut builder = Builder::new(shape);
    let cells = [
        ("a", [Cell::Int(1), Cell::Text("02 03")]),
        ("b", [Cell::Int(9), Cell::Text("02")]),
        ("a", [Cell::Unknown, Cell::Unknown]),
    ];
    for (id, (village, cells)) in (1..).zip(cells) {
        builder.household(id, village, &cells).unwrap();
        for left_on in ["2014-06-30", "2016-06-30"] {
            let born = Cell::Text("1990-01-01");
            builder.member(&[born, Cell::Int(8), Cell::Text(left_on)]).unwrap();
        }
        if id < 3 {
            let earned =
                Earned { kinds_fen: [Some(400); 4], cost_fen: None, sharing: Some(id + 1) };
            builder.year(2015, &earned);
        }
    }
    builder.finish()
}

#[test]
fn causes_are_counted_by_area() {
    let census = census();
    let code = |place| census.codes(census.shape(), FieldRef { level: Level::Household, place });
    let (main, others) = (code(0).unwrap(), code(1).unwrap());
    let member = FieldRef { level: Level::Member, place: 1 };
    assert!(census.codes(census.shape(), member).is_none());
    let listed = CodeSet::from_iter([1, 2]);
    let groups = Groups::of(census.village_places(), 2);
    let persons = census.incomes(2015).persons();
    let told = causes_by(main, listed, persons, all(2), groups);
    assert_eq!(told[0].by_code, [heads(1, 2), heads(0, 0)]);
    assert_eq!((told[0].known, told[0].unknown.unnumbered), (heads(1, 2), 1));
    assert_eq!((told[1].others, told[1].known), (heads(1, 3), heads(1, 3)));
    // Both villages belong to one township.
    let township = Groups::through(census.village_places(), &[0, 0], 1);
    let members =
        census.members_on(daohu_base::Day::parse("2015-12-31").unwrap(), 0..census.households());
    assert_eq!(members, [1, 1, 1]);
    let told = causes_by(others, listed, Persons::new(&members), all(1), township);
    assert_eq!(told[0].by_code, [heads(0, 0), heads(2, 2)]);
    assert_eq!((told[0].others, told[0].known), (heads(1, 1), heads(2, 2)));
    assert_eq!(told[0].unknown, Unknown { households: 1, persons: 1, unnumbered: 0 });
}

#[test]
fn a_census_lends_its_incomes() {
    let census = census();
    let incomes = census.incomes(2015);
    assert_eq!([0, 1, 2, 3].map(|nth| incomes.of(nth)), [Some(800), Some(533), None, None]);
    let told = mean(incomes, all(2));
    assert_eq!((told.total_fen, told.counted), (800 * 2 + 533 * 3, heads(2, 5)));
    // Of a year that nobody told of nothing is known, of all households.
    let told = mean(census.incomes(1999), all(2));
    assert_eq!(told.unknown, Unknown { households: 3, persons: 0, unnumbered: 3 });
}

#[test]
fn flows_are_counted_from_state_to_state() {
    let (before, after) = ([0, 0, 1, 9, 1], [1, 0, 1, 1, 9]);
    let persons = Persons::new(&[1, 2, 3, 4, -1]);
    let state = |own: &[u8; 5], nth: usize| own.get(nth).copied().filter(|state| *state != 9);
    let told = flows(2, |nth| state(&before, nth), |nth| state(&after, nth), persons, all(2));
    assert_eq!(told.between(Some(0), Some(1)), heads(1, 1));
    assert_eq!(told.between(Some(1), Some(0)), heads(0, 0));
    assert_eq!(told.between(None, Some(1)), heads(1, 4));
    assert_eq!((told.before(Some(0)), told.after(Some(1))), (heads(2, 3), heads(3, 8)));
    assert_eq!((told.between(Some(1), None), told.unnumbered), (heads(1, 0), 1));
    // A number that is no state is not known.
    let told = flows(1, |nth| Some(before[nth]), |_| Some(0), persons, all(1));
    assert_eq!(told.before(None), heads(3, 7));
}

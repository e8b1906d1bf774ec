//! Worked examples from the literature: see `cases/README.md`.

use super::*;
use crate::Outcome;

/// Digits that stand in the files.
const WITHIN: f64 = 6e-10;

/// The rows of a file as its columns, without the line of titles.
fn rows(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    file.lines().skip(1).map(|line| line.split('\t').collect())
}

fn numbers<T: std::str::FromStr>(text: &str) -> Vec<T> {
    text.split(' ').map(|number| number.parse().ok().unwrap()).collect()
}

#[test]
fn poverty_is_as_published() {
    let mut count = 0;
    for row in rows(include_str!("../../../cases/poverty.tsv")) {
        let incomes: Vec<i64> = numbers(row[2]);
        let persons = alone(incomes.len());
        let incomes = Incomes::new(&incomes, Persons::new(&persons));
        let told = poverty(incomes, Lines::Same(row[1].parse().unwrap()), all(2)).fgt().unwrap();
        for (told, wanted) in [told.p0, told.p1, told.p2].into_iter().zip(&row[3..]) {
            assert!(near(told, wanted.parse().unwrap(), WITHIN), "{}: {told} {wanted}", row[0]);
        }
        count += 1;
    }
    assert_eq!(count, 6);
}

#[test]
fn inequality_is_as_published() {
    let mut count = 0;
    for row in rows(include_str!("../../../cases/gini.tsv")) {
        let incomes: Vec<i64> = numbers(row[1]);
        let persons = alone(incomes.len());
        let ladder = Ladder::of(Incomes::new(&incomes, Persons::new(&persons)), all(2));
        let told = ladder.gini().unwrap();
        assert!(near(told, row[2].parse().unwrap(), 1e-14), "{}: {told}", row[0]);
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn lacking_several_things_is_as_published() {
    let mut count = 0;
    for row in rows(include_str!("../../../cases/multidimensional.tsv")) {
        let measure = Measure::new(numbers(row[1]), row[2].parse().unwrap()).unwrap();
        let households: Vec<(&str, &str)> =
            row[3].split(' ').map(|household| household.split_once(':').unwrap()).collect();
        let persons: Vec<i32> =
            households.iter().map(|(persons, _)| persons.parse().unwrap()).collect();
        let outcome = |lacks: u8| if lacks == b'1' { Outcome::Unmet } else { Outcome::Met };
        let outcomes: Vec<Vec<Outcome>> = (0..households[0].1.len())
            .map(|nth| households.iter().map(|(_, own)| outcome(own.as_bytes()[nth])).collect())
            .collect();
        let slices = outcomes.iter().map(|own| &own[..]).collect();
        let lacking = Deprivations::new(&measure, 0, slices).unwrap();
        let told = multidimensional(&lacking, Persons::new(&persons), all(2));
        let mut figures = vec![told.incidence().share(), told.intensity(), told.m0()];
        figures.extend(told.dimensions.iter().map(|own| told.contribution(own)));
        let mut wanted: Vec<f64> = row[4..7].iter().map(|own| own.parse().unwrap()).collect();
        wanted.extend(numbers::<f64>(row[7]));
        assert_eq!(figures.len(), wanted.len());
        for (told, wanted) in figures.into_iter().zip(wanted) {
            assert!(near(told.unwrap(), wanted, WITHIN), "{}: {told:?} {wanted}", row[0]);
        }
        count += 1;
    }
    assert_eq!(count, 4);
}

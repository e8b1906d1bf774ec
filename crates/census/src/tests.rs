//! The arrays against one household at a time, written plainly.

use std::num::NonZero;

use daohu_base::Day;
use daohu_policy::{
    CodeSet,
    expr::{Comparison, Field, FieldKind, FieldRef, Level, Number, Test, Unit, Vocabulary},
};
use proptest::prelude::*;

mod live;
mod snapshot;

use crate::{
    Assessment, Builder, Cell, Census, Derived, Earned, Outcome, Place, Plan, Question, Rule,
    Shape, Source, assess,
};

const LEAVES: i64 = 3;

/// A made-up household: its village, its stored cells, its members' stored cells, its years.
#[derive(Clone, Debug)]
struct Home {
    village: u8,
    cells: Vec<Own>,
    members: Vec<Vec<Own>>,
    earned: Option<Earned>,
    before: Option<Earned>,
}

/// A cell with its text.
#[derive(Clone, Debug, PartialEq)]
enum Own {
    Unknown,
    Int(i64),
    Real(f64),
    Text(String),
}

impl Own {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Unknown => Cell::Unknown,
            Self::Int(number) => Cell::Int(*number),
            Self::Real(number) => Cell::Real(*number),
            Self::Text(text) => Cell::Text(text),
        }
    }
}

const HOUSEHOLD: [FieldKind; 6] = [
    FieldKind::Flag,
    FieldKind::Code(String::new()),
    FieldKind::Number(Unit::Year),
    FieldKind::Number(Unit::Quantity),
    FieldKind::Number(Unit::Yuan),
    FieldKind::Text,
];
const DERIVED: [Derived; 5] = [
    Derived::IncomePerHead,
    Derived::Amount(0),
    Derived::IncomePerHeadBefore,
    Derived::Sharing,
    Derived::OfYear(2),
];
/// Birth date, kind and day of a change, and what else there is.
const MEMBER: [FieldKind; 6] = [
    FieldKind::Day,
    FieldKind::Code(String::new()),
    FieldKind::Day,
    FieldKind::Flag,
    FieldKind::Codes(String::new()),
    FieldKind::Number(Unit::Plain),
];

const HOWS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

/// A member of whom only the birth date is known.
fn born(on: &str) -> Vec<Own> {
    let unknown = std::iter::repeat_n(Own::Unknown, MEMBER.len() - 1);
    std::iter::once(Own::Text(on.to_owned())).chain(unknown).collect()
}

/// A household of these members, of which nothing else is known.
fn home_of(members: Vec<Vec<Own>>) -> Home {
    Home { village: 1, cells: Vec::new(), members, earned: None, before: None }
}

fn shape() -> Shape {
    let field = |kind: FieldKind| Field { name: String::new(), title: String::new(), kind };
    let yuan = FieldKind::Number(Unit::Yuan);
    let age = FieldKind::Number(Unit::Age);
    let mut household: Vec<Source> = (0..HOUSEHOLD.len()).map(Source::Stored).collect();
    household.extend(DERIVED.map(Source::Derived));
    let mut member: Vec<Source> = (0..MEMBER.len()).map(Source::Stored).collect();
    member.push(Source::Derived(Derived::Age));
    let vocabulary = Vocabulary {
        household: HOUSEHOLD.into_iter().chain(DERIVED.map(|_| yuan.clone())).map(field).collect(),
        member: MEMBER.into_iter().chain([age]).map(field).collect(),
    };
    let change = (1, 2, CodeSet::from_iter([LEAVES]));
    Shape { vocabulary, household, member, born_on: 0, change }
}

fn census(homes: &[Home]) -> Census {
    let mut builder = Builder::new(shape());
    for (id, home) in (1..).zip(homes) {
        let own: Vec<Cell<'_>> = home.cells.iter().map(Own::cell).collect();
        builder.household(id * 7, &home.village.to_string(), &own).unwrap();
        for member in &home.members {
            let own: Vec<Cell<'_>> = member.iter().map(Own::cell).collect();
            builder.member(&own).unwrap();
        }
        if let Some(earned) = &home.earned {
            builder.year(2015, earned);
            builder.amounts(2015, &earned.kinds_fen);
        }
        if let Some(before) = &home.before {
            builder.year(2014, before);
        }
    }
    builder.finish()
}

fn on() -> Day {
    Day::parse("2015-12-31").unwrap()
}

/// Places of a plan; villages lie in them in turns.
const PLACES: u16 = 3;

fn place(village: &str) -> u16 {
    village.parse::<u16>().unwrap() % PLACES
}

/// The line of a place in fen; one has none.
fn line_fen(place: u16) -> Option<f64> {
    (place > 0).then(|| f64::from(place) * 1000.0)
}

/// What is asked at each place, with its line.
fn plan(rules: [Vec<Option<Rule>>; PLACES as usize]) -> Plan {
    let ids = rules[0].iter().map(|_| "x".to_owned()).collect();
    let places = (0..).zip(rules).map(|(nth, rules)| Place { rules, amounts: vec![line_fen(nth)] });
    Plan { ids, places: places.collect() }
}

/// One rule for all places.
fn everywhere(unmet: Test, met: Test) -> Plan {
    plan([(); PLACES as usize].map(|()| vec![Some(Rule::new("x", unmet.clone(), met.clone()))]))
}

/// One household at a time.
struct Plain<'h> {
    home: &'h Home,
    member: Option<&'h [Own]>,
}

impl<'h> Plain<'h> {
    fn own(&self, field: FieldRef) -> &'h Own {
        let cells = match field.level {
            Level::Household => &self.home.cells[..],
            Level::Member => self.member.unwrap(),
        };
        cells.get(field.place).unwrap_or(&Own::Unknown)
    }

    fn members(&self) -> Vec<Plain<'h>> {
        let is_present = |member: &&Vec<Own>| {
            let left = member[1] == Own::Int(LEAVES);
            !matches!(&member[2], Own::Text(day) if left && day.as_str() <= "2015-12-31")
        };
        let present = self.home.members.iter().filter(is_present);
        present.map(|member| Plain { home: self.home, member: Some(member) }).collect()
    }

    fn codes(own: &Own) -> Option<Vec<i64>> {
        match own {
            Own::Int(code) => Some(vec![*code]),
            Own::Text(codes) => Some(codes.split(' ').map(|code| code.parse().unwrap()).collect()),
            _ => None,
        }
    }

    fn number(&self, number: &Number) -> Option<f64> {
        let both = |one: &Number, other: &Number| Some((self.number(one)?, self.number(other)?));
        Some(match number {
            Number::Constant(constant) => *constant,
            Number::Members => self.members().len() as f64,
            Number::Count(test) => {
                self.members().iter().filter(|member| member.test(test) == Some(true)).count()
                    as f64
            }
            Number::Sum(one, other) => both(one, other).map(|(a, b)| a + b)?,
            Number::Difference(one, other) => both(one, other).map(|(a, b)| a - b)?,
            Number::Product(one, other) => both(one, other).map(|(a, b)| a * b)?,
            Number::Quotient(one, other) => {
                both(one, other).filter(|(_, b)| *b != 0.0).map(|(a, b)| a / b)?
            }
            Number::Field(FieldRef { level: Level::Household, place: 6 }) => {
                self.home.earned.and_then(|earned| earned.per_head_fen())? as f64
            }
            Number::Field(FieldRef { level: Level::Household, place: 7 }) => {
                line_fen(place(&self.home.village.to_string()))?
            }
            Number::Field(FieldRef { level: Level::Household, place: 8 }) => {
                self.home.before.and_then(|before| before.per_head_fen())? as f64
            }
            Number::Field(FieldRef { level: Level::Household, place: 9 }) => {
                self.home.earned?.sharing? as f64
            }
            Number::Field(FieldRef { level: Level::Household, place: 10 }) => {
                self.home.earned?.kinds_fen[2]? as f64
            }
            Number::Field(FieldRef { level: Level::Member, place: 6 }) => match &self.member?[0] {
                Own::Text(born) => Day::parse(born).unwrap().age_years(on()) as f64,
                _ => return None,
            },
            Number::Field(field) => match self.own(*field) {
                Own::Int(number) => *number as f64,
                Own::Real(number) => *number,
                Own::Text(day) => f64::from(Day::parse(day).unwrap().packed()),
                Own::Unknown => return None,
            },
        })
    }

    fn test(&self, test: &Test) -> Option<bool> {
        let all = |said: Vec<Option<bool>>| match said {
            said if said.contains(&Some(false)) => Some(false),
            said if said.contains(&None) => None,
            _ => Some(true),
        };
        let any = |said: Vec<Option<bool>>| match said {
            said if said.contains(&Some(true)) => Some(true),
            said if said.contains(&None) => None,
            _ => Some(false),
        };
        match test {
            Test::Is(is) => Some(*is),
            Test::Flag(field) => match self.own(*field) {
                Own::Int(flag) => Some(*flag != 0),
                _ => None,
            },
            Test::Known(field) => {
                let is_derived = field.place >= 6;
                Some(match is_derived {
                    true => self.number(&Number::Field(*field)).is_some(),
                    false => *self.own(*field) != Own::Unknown,
                })
            }
            Test::OneOf(field, codes) | Test::HasAny(field, codes) => {
                let own = Self::codes(self.own(*field))?;
                Some(own.iter().any(|code| codes.has(Some(*code))))
            }
            Test::Compare(how, one, other) => {
                Some(how.holds(self.number(one)?, self.number(other)?))
            }
            Test::Not(test) => self.test(test).map(|holds| !holds),
            Test::Decided(test) => Some(self.test(test).is_some()),
            Test::Judged(unmet, met) => match (self.test(unmet), self.test(met)) {
                (Some(true), _) => Some(false),
                (_, Some(true)) => Some(true),
                _ => None,
            },
            Test::All(parts) => all(parts.iter().map(|part| self.test(part)).collect()),
            Test::Any(parts) => any(parts.iter().map(|part| self.test(part)).collect()),
            Test::Someone(test) => {
                any(self.members().iter().map(|member| member.test(test)).collect())
            }
            Test::Everyone(test) => {
                all(self.members().iter().map(|member| member.test(test)).collect())
            }
        }
    }
}

fn own(kind: &FieldKind) -> BoxedStrategy<Own> {
    let known = match kind {
        FieldKind::Flag => (0..2_i64).prop_map(Own::Int).boxed(),
        FieldKind::Code(_) => (1..8_i64).prop_map(Own::Int).boxed(),
        FieldKind::Codes(_) => prop::sample::select(vec!["01", "02", "02 03", "04"])
            .prop_map(|codes| Own::Text(codes.into()))
            .boxed(),
        FieldKind::Number(Unit::Quantity) => {
            prop::sample::select(vec![0.0, 0.5, 80.1, 120.0]).prop_map(Own::Real).boxed()
        }
        FieldKind::Number(_) => (-3..4_i64).prop_map(Own::Int).boxed(),
        FieldKind::Day => {
            let days = [
                "1950-05-05",
                "2000-01-01",
                "2004-02-29",
                "2009-12-31",
                "2010-01-01",
                "2015-12-31",
                "2016-01-01",
            ];
            prop::sample::select(days.to_vec()).prop_map(|day| Own::Text(day.into())).boxed()
        }
        FieldKind::Text => Just(Own::Text("x".into())).boxed(),
    };
    prop_oneof![1 => Just(Own::Unknown), 3 => known].boxed()
}

fn home() -> impl Strategy<Value = Home> {
    let cells = HOUSEHOLD.iter().map(own).collect::<Vec<_>>();
    let member = MEMBER.iter().map(own).collect::<Vec<_>>();
    let amount = || prop::option::of(-9999..9999_i64);
    let kinds = [amount(), amount(), amount(), amount()];
    let earned = (kinds, amount(), prop::option::of(-1..6_i64))
        .prop_map(|(kinds_fen, cost_fen, sharing)| Earned { kinds_fen, cost_fen, sharing });
    let years = [prop::option::of(earned.clone()), prop::option::of(earned)];
    (0..4_u8, cells, prop::collection::vec(member, 0..5), years).prop_map(
        |(village, cells, members, [earned, before])| Home {
            village,
            cells,
            members,
            earned,
            before,
        },
    )
}

fn number(level: Level) -> BoxedStrategy<Number> {
    let field = move |place: usize| Number::Field(FieldRef { level, place });
    let leaf = match level {
        Level::Household => prop_oneof![
            prop::sample::select(vec![2_usize, 3, 4, 6, 7, 8, 9, 10]).prop_map(field),
            Just(Number::Members),
            (-3..4_i32).prop_map(|n| Number::Constant(n.into())),
        ]
        .boxed(),
        Level::Member => prop_oneof![
            prop::sample::select(vec![0_usize, 2, 5, 6]).prop_map(field),
            prop::sample::select(vec![-1.0, 0.0, 5.0, 6.0, 11.0, 15.0, 20_091_231.0])
                .prop_map(Number::Constant),
        ]
        .boxed(),
    };
    leaf.prop_recursive(2, 6, 2, |inner| {
        let pair = (inner.clone(), inner).prop_map(|(one, other)| (Box::new(one), Box::new(other)));
        (pair, 0..4).prop_map(|((one, other), how)| match how {
            0 => Number::Sum(one, other),
            1 => Number::Difference(one, other),
            2 => Number::Product(one, other),
            _ => Number::Quotient(one, other),
        })
    })
    .boxed()
}

fn test(level: Level) -> BoxedStrategy<Test> {
    let at = move |place: usize| FieldRef { level, place };
    let (flag, code, codes, known): (usize, usize, Option<usize>, usize) = match level {
        Level::Household => (0, 1, None, 11),
        Level::Member => (3, 1, Some(4), 7),
    };
    let set = prop::collection::vec(1..9_i64, 0..7).prop_map(CodeSet::from_iter);
    let compare = (prop::sample::select(HOWS.to_vec()), number(level), number(level));
    let leaf = prop_oneof![
        any::<bool>().prop_map(Test::Is),
        Just(Test::Flag(at(flag))),
        (0..known).prop_map(move |place| Test::Known(at(place))),
        set.clone().prop_map(move |set| Test::OneOf(at(code), set)),
        set.prop_map(move |set| codes.map_or(Test::Is(true), |codes| Test::HasAny(at(codes), set))),
        compare.prop_map(|(how, one, other)| Test::Compare(how, one, other)),
    ];
    let joined = leaf.prop_recursive(3, 12, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            inner.clone().prop_map(|test| Test::Not(Box::new(test))),
            inner.prop_map(|test| Test::Decided(Box::new(test))),
            parts.clone().prop_map(Test::All),
            parts.prop_map(Test::Any),
        ]
    });
    match level {
        Level::Member => joined.boxed(),
        Level::Household => {
            let member = test(Level::Member);
            let count = (prop::sample::select(HOWS.to_vec()), member.clone(), 0..3_i32);
            let of_members = prop_oneof![
                member.clone().prop_map(|test| Test::Someone(Box::new(test))),
                member.prop_map(|test| Test::Everyone(Box::new(test))),
                count.prop_map(|(how, test, n)| {
                    Test::Compare(how, Number::Count(Box::new(test)), Number::Constant(n.into()))
                }),
            ];
            let part = prop_oneof![joined.clone(), of_members];
            (prop::collection::vec(part, 1..4), 0..4)
                .prop_map(|(mut parts, how)| match (how, &parts[..]) {
                    (0, _) => Test::All(parts),
                    (1, _) => Test::Any(parts),
                    (2, [unmet, .., met]) => {
                        Test::Judged(Box::new(unmet.clone()), Box::new(met.clone()))
                    }
                    _ => parts.swap_remove(0),
                })
                .boxed()
        }
    }
}

fn ask(census: &Census, plan: &Plan, range: std::ops::Range<usize>, threads: usize) -> Assessment {
    let places = census.places(place);
    let shape = census.shape();
    let question = Question { shape, on: on(), places: &places, added_fen: &[] };
    assess(census, plan, question, range, NonZero::new(threads).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn all_at_once_say_what_each_says_alone(
        homes in prop::collection::vec(home(), 1..12),
        rules in prop::collection::vec(
            prop::array::uniform3(prop::option::weighted(
                0.8,
                (test(Level::Household), test(Level::Household)),
            )),
            1..3,
        ),
        threads in 1..4_usize,
        cut in 0..12_usize,
    ) {
        let census = census(&homes);
        let rule = |(unmet, met): &(Test, Test)| Rule::new("x", unmet.clone(), met.clone());
        let plan = plan([0, 1, 2].map(|place| {
            rules.iter().map(|of: &[Option<_>; 3]| of[place].as_ref().map(rule)).collect()
        }));
        let whole = ask(&census, &plan, 0..homes.len(), threads);
        for (at, (judged, of_places)) in whole.rules.iter().zip(&rules).enumerate() {
            for (nth, home) in homes.iter().enumerate() {
                let place = place(&home.village.to_string());
                let Some((unmet, met)) = &of_places[usize::from(place)] else {
                    prop_assert_eq!(judged.outcomes[nth], Outcome::NotAsked);
                    continue;
                };
                let plain = Plain { home, member: None };
                let said = match (plain.test(unmet), plain.test(met)) {
                    (Some(true), _) => Outcome::Unmet,
                    (_, Some(true)) => Outcome::Met,
                    _ => Outcome::Unknown,
                };
                prop_assert_eq!(judged.outcomes[nth], said, "{:?} {:?} {:?}", home, unmet, met);
                let rule = plan.rule(place, at).unwrap();
                let (parts, blamed) = match said {
                    Outcome::Unmet => (rule.unmet(), true),
                    Outcome::Unknown => (rule.met(), false),
                    Outcome::Met | Outcome::NotAsked => continue,
                };
                let first = parts.iter().position(|part| (plain.test(part) == Some(true)) == blamed);
                prop_assert_eq!(Some(usize::from(judged.reasons[nth])), first);
            }
        }
        // Some of them, and each alone, say the same.
        let cut = cut.min(homes.len());
        for range in [0..cut, cut..homes.len()] {
            let some = ask(&census, &plan, range.clone(), 1);
            for (some, whole) in some.rules.iter().zip(&whole.rules) {
                prop_assert_eq!(&some.outcomes[..], &whole.outcomes[range.clone()]);
                prop_assert_eq!(&some.reasons[..], &whole.reasons[range.clone()]);
            }
        }
    }

    #[test]
    fn an_income_a_head_is_rounded_half_away_from_zero(net in -1_000_000..1_000_000_i64, sharing in 1..20_i64) {
        let earned = Earned { kinds_fen: [None, Some(net), None, None], cost_fen: None, sharing: Some(sharing) };
        let told = earned.per_head_fen().unwrap();
        // Within half a fen, and at exactly a half the larger of two.
        let off = 2 * (told.abs() * sharing - net.abs());
        prop_assert!(-sharing < off && off <= sharing, "{}", told);
        prop_assert!(told == 0 || told.signum() == net.signum());
    }
}

#[test]
fn households_are_found_by_id_in_whatever_order_they_came() {
    let mut builder = Builder::new(shape());
    for id in [30, 10, 20] {
        builder.household(id, "1", &[]).unwrap();
    }
    builder.year(2014, &Earned { kinds_fen: [Some(100); 4], cost_fen: None, sharing: Some(4) });
    let census = builder.finish();
    assert_eq!([10, 20, 30, 40].map(|id| census.find(id)), [Some(1), Some(2), Some(0), None]);
    assert_eq!(census.income_of(2, 2014).fen, Some(100));
    assert_eq!(census.income_of(1, 2014), Default::default());
    assert_eq!(census.village_of(0), Some("1"));
}

#[test]
fn ages_are_completed_years_on_the_day() {
    let births =
        ["2009-12-31", "2010-01-01", "2004-02-29", "2000-01-01", "1999-12-31", "2016-01-01"];
    let age = Number::Field(FieldRef { level: Level::Member, place: 6 });
    let homes = births.map(|on| home_of(vec![born(on)]));
    let census = census(&homes);
    for how in HOWS {
        for years in [0, 5, 6, 7, 11, 12, 15, 16] {
            for turned in [false, true] {
                let years = Number::Constant(f64::from(years));
                let (one, other) = if turned { (years, age.clone()) } else { (age.clone(), years) };
                let test = Test::Someone(Box::new(Test::Compare(how, one, other)));
                let plan = everywhere(test.clone(), Test::Is(true));
                let told = ask(&census, &plan, 0..homes.len(), 1);
                for (home, told) in homes.iter().zip(&told.rules[0].outcomes) {
                    let holds = Plain { home, member: None }.test(&test) == Some(true);
                    let said = if holds { Outcome::Unmet } else { Outcome::Met };
                    assert_eq!(*told, said, "{home:?} {test:?}");
                }
            }
        }
    }
}

#[test]
fn more_tests_of_members_than_a_word_has_room_for_are_asked_all_the_same() {
    let age = Number::Field(FieldRef { level: Level::Member, place: 6 });
    let older = |years: i32| {
        let years = Number::Constant(years.into());
        Test::Someone(Box::new(Test::Compare(Comparison::Greater, age.clone(), years)))
    };
    let homes = [
        home_of(vec![born("2010-01-01"), born("1975-06-01")]),
        home_of(vec![born("1990-06-01")]),
        home_of(Vec::new()),
    ];
    // Someone is more than 39 years old, or 38, or 37 …: the first part that holds is told.
    let plan = everywhere(Test::Any((0..40).rev().map(older).collect()), Test::Is(true));
    let told = ask(&census(&homes), &plan, 0..homes.len(), 1);
    let Some(rule) = told.rules.first() else { panic!("one rule was asked") };
    assert_eq!(rule.outcomes, [Outcome::Unmet, Outcome::Unmet, Outcome::Met]);
    assert_eq!(rule.reasons[..2], [0, 15], "40 and 25 years");
}

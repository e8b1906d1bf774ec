//! A census kept up to date against one that is built anew.

use std::{collections::BTreeMap, num::NonZero, ops::Range};

use daohu_policy::expr::{Comparison, Field, FieldKind, FieldRef, Level, Number, Test, Unit};
use proptest::prelude::*;

use super::{Home, LEAVES, Own, PLACES, born, home, home_of, on, plan, shape, test};
use crate::{
    Assessment, Builder, Cell, Census, Derived, Earned, Outcome, Plan, Question, Replaced, Rule,
    Shape, Source, Unfit, assess,
    columns::{Column, NO_SET},
};

/// A made-up household at a place, with amounts that are small or too large for half the room.
#[derive(Clone, Debug)]
pub(super) struct Lived {
    village: String,
    home: Home,
    is_rich: bool,
}

/// All households by id.
pub(super) type Homes = BTreeMap<i64, Lived>;

impl Lived {
    fn county(&self) -> &str {
        &self.village[..6]
    }

    /// With an income that is too large for half the room.
    pub(super) fn rich(mut self) -> Self {
        let kinds_fen = [Some(9000), None, Some(-8000), None];
        self.home.earned = Some(Earned { kinds_fen, ..Earned::default() });
        Self { is_rich: true, ..self }
    }

    /// Knows what another does, of as many members in the same village.
    pub(super) fn known_of(&mut self, other: &Self) {
        self.home.cells.clone_from(&other.home.cells);
        for (own, other) in self.home.members.iter_mut().zip(&other.home.members) {
            own.clone_from(other);
        }
    }

    fn earned(&self, earned: Option<Earned>) -> Option<Earned> {
        let times = if self.is_rich { 1_000_000 } else { 1 };
        let kinds = |earned: Earned| earned.kinds_fen.map(|kind| kind.map(|fen| fen * times));
        earned.map(|earned| Earned { kinds_fen: kinds(earned), ..earned })
    }
}

/// Built anew, by county and id.
pub(super) fn built(homes: &Homes) -> Census {
    let mut order: Vec<(&i64, &Lived)> = homes.iter().collect();
    order.sort_by_key(|(id, lived)| (lived.county(), **id));
    let mut builder = Builder::new(shape());
    for (id, lived) in order {
        let own: Vec<Cell<'_>> = lived.home.cells.iter().map(Own::cell).collect();
        builder.household(*id, &lived.village, &own).unwrap();
        for member in &lived.home.members {
            let own: Vec<Cell<'_>> = member.iter().map(Own::cell).collect();
            builder.member(&own).unwrap();
        }
        if let Some(earned) = lived.earned(lived.home.earned) {
            builder.year(2015, &earned);
            builder.amounts(2015, &earned.kinds_fen);
        }
        if let Some(before) = lived.earned(lived.home.before) {
            builder.year(2014, &before);
        }
    }
    builder.finish()
}

/// A cell as it is stored.
fn cell(column: &Column, nth: usize) -> String {
    match column {
        Column::Flag(own) | Column::Code(own) | Column::Known(own) => format!("{}", own[nth]),
        Column::Codes(own) if own.nths[nth] == NO_SET => "unknown".to_owned(),
        Column::Codes(own) => format!("{:?}", own.sets[usize::from(own.nths[nth])]),
        Column::Int(own) => format!("{}", own[nth]),
        Column::Fen(own) => format!("{}", own[nth]),
        Column::Real(own) => format!("{}", own[nth]),
    }
}

/// All that is stored of each household, whatever numbers its village and its codes have.
pub(super) fn told(census: &Census) -> Vec<String> {
    let cells = |columns: &[Column], nth| -> Vec<String> {
        columns.iter().map(|column| cell(column, nth)).collect()
    };
    let one = |nth: usize| {
        let from = usize::try_from(census.members_from[nth]).unwrap();
        let members = from..usize::try_from(census.members_from[nth + 1]).unwrap();
        let members = members.map(|nth| (census.gone_on[nth], cells(&census.member, nth)));
        let years = (2013..2017).map(|year| {
            let amounts = census.years.get(&i32::try_from(year).unwrap()).map(|year| &year.amounts);
            let amount = |place: usize| amounts.and_then(|own| own.get(place)?.get(nth));
            (census.income_of(nth, year), [0, 1, 2, 3].map(amount))
        });
        format!(
            "{} in {:?}: {:?}, members {:?}, years {:?}",
            census.ids[nth],
            census.village_of(nth),
            cells(&census.household, nth),
            members.collect::<Vec<_>>(),
            years.collect::<Vec<_>>(),
        )
    };
    (0..census.households()).map(one).collect()
}

/// The arrays fit each other.
pub(super) fn assert_sound(census: &Census) {
    let (households, members) = (census.households(), census.members());
    let count = |column: &Column| match column {
        Column::Flag(own) | Column::Code(own) | Column::Known(own) => own.len(),
        Column::Codes(own) => own.nths.len(),
        Column::Int(own) => own.len(),
        Column::Fen(own) => own.len(),
        Column::Real(own) => own.len(),
    };
    assert!(census.household.iter().all(|column| count(column) == households));
    assert!(census.member.iter().all(|column| count(column) == members));
    assert_eq!((census.homes_in.len(), census.homes.len()), (households, members));
    for year in census.years.values() {
        assert_eq!((year.per_head_fen.len(), year.sharing.len()), (households, households));
        for fens in &year.amounts {
            let (amounts, large) = fens.known();
            assert_eq!(amounts.len(), households);
            let elsewhere = (0..households).filter(|nth| amounts[*nth] == i32::MIN + 1);
            assert!(elsewhere.eq(large.keys().copied()), "{amounts:?} {large:?}");
        }
    }
    let sizes = census.members_from.array_windows().map(|[from, to]| to - from);
    let homes = (0..).zip(sizes).flat_map(|(nth, size)| (0..size).map(move |_| nth));
    assert!(census.homes.iter().copied().eq(homes), "{:?}", census.members_from);
    let mut anew = census.clone();
    anew.find_runs(0);
    assert_eq!(census.runs, anew.runs);
    let mut villages = census.villages.clone();
    villages.sort_unstable();
    villages.dedup();
    assert_eq!(villages.len(), census.villages.len(), "each village once");
    let lives = |place: usize| census.homes_in.contains(&u32::try_from(place).unwrap());
    assert!((0..census.villages.len()).all(lives), "somebody lives in each village");
}

/// The same households with the same cells in the same order, who are found by their ids.
pub(super) fn assert_same(census: &Census, anew: &Census) {
    assert_sound(census);
    assert_eq!(told(census), told(anew));
    assert_eq!((census.difference(anew), anew.difference(census)), (None, None));
    for id in 0..30 {
        assert_eq!(census.find(id), anew.find(id), "{id}");
    }
}

fn place_of(village: &str) -> u16 {
    u16::from(village.as_bytes()[village.len() - 1]) % PLACES
}

pub(super) fn ask(census: &Census, plan: &Plan, range: Range<usize>) -> Assessment {
    let places = census.places(place_of);
    let question = Question { shape: census.shape(), on: on(), places: &places, added_fen: &[] };
    assess(census, plan, question, range, NonZero::new(2).unwrap())
}

/// Rules that differ from place to place, one of which says the income of the household and of its members.
pub(super) fn rules() -> impl Strategy<Value = Plan> {
    let rule = (test(Level::Household), test(Level::Household));
    let rule =
        prop::option::weighted(0.9, rule.prop_map(|(unmet, met)| Rule::new("x", unmet, met)));
    prop::collection::vec(prop::array::uniform3(rule), 1..3).prop_map(|rules| {
        plan([0, 1, 2].map(|place| rules.iter().map(|of| of[place].clone()).collect()))
    })
}

pub(super) fn lived() -> impl Strategy<Value = Lived> {
    (0..4_u8, 0..3_u8, home(), prop::bool::weighted(0.2)).prop_map(
        |(county, village, home, is_rich)| Lived {
            village: format!("11010{county}00{village}"),
            home,
            is_rich,
        },
    )
}

pub(super) fn homes() -> impl Strategy<Value = Homes> {
    prop::collection::btree_map(1..25_i64, lived(), 0..14)
}

/// What happens to a household.
#[derive(Clone, Debug)]
enum Happens {
    /// It is gone, if it was there.
    Gone,
    /// It comes, or is another altogether.
    Comes(Lived),
    /// It stays in its county and has as many members as before.
    Changes(Lived),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        1 => Just(Happens::Gone),
        2 => lived().prop_map(Happens::Comes),
        4 => lived().prop_map(Happens::Changes),
    ]
}

/// The ids of who goes, and who comes or changed; the households are as they will be.
fn carried_out(homes: &mut Homes, step: &[(i64, Happens)]) -> (Vec<i64>, Homes) {
    let (mut gone, mut new) = (Vec::new(), Homes::new());
    for (id, happens) in step {
        let lived = match happens {
            Happens::Gone => {
                // Who comes and is named as gone besides comes.
                gone.push(*id);
                continue;
            }
            Happens::Comes(lived) => lived.clone(),
            Happens::Changes(lived) => {
                let Some(before) = homes.get(id) else { continue };
                let mut lived = lived.clone();
                lived.village.replace_range(..6, before.county());
                let grown = std::iter::repeat(born("1999-01-01"));
                let members = lived.home.members.into_iter().chain(grown);
                lived.home.members = members.take(before.home.members.len()).collect();
                lived
            }
        };
        new.insert(*id, lived);
    }
    gone.iter().for_each(|id| drop(homes.remove(id)));
    homes.extend(new.clone());
    (gone, new)
}

/// What is said to have been done is what was.
fn assert_replaced(before: &Census, after: &Census, replaced: &Replaced, new: &Homes) {
    assert_eq!(replaced.moved, before.ids != after.ids);
    let as_before = after.villages.starts_with(&before.villages);
    assert_eq!(replaced.renumbered, !as_before);
    let mut told: Vec<i64> =
        replaced.places.iter().map(|place| after.ids[usize::try_from(*place).unwrap()]).collect();
    assert!(replaced.places.is_sorted());
    told.sort_unstable();
    assert!(told.iter().eq(new.keys()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn households_replaced_leave_the_census_that_would_be_built_anew(
        mut homes in homes(),
        steps in prop::collection::vec(prop::collection::vec((1..25_i64, happens()), 0..6), 1..6),
        plan in rules(),
    ) {
        let mut census = built(&homes);
        for step in &steps {
            let before = census.clone();
            let (gone, new) = carried_out(&mut homes, step);
            let replaced = census.replace(&gone, built(&new)).unwrap();
            let anew = built(&homes);
            assert_same(&census, &anew);
            assert_replaced(&before, &census, &replaced, &new);
            prop_assert_eq!(before.difference(&census).is_some(), told(&before) != told(&census));
            let mut other = census.clone();
            if let Some(last) = other.ids.last_mut() {
                *last += 1_000;
                prop_assert_eq!(census.difference(&other), census.ids.last().copied());
            }
            let mut other = census.clone();
            if let Some(year) = other.years.get_mut(&2015) {
                year.amounts.clear();
            }
            prop_assert_eq!(census.difference(&other).is_some(), told(&census) != told(&other));
            let all = 0..census.households();
            prop_assert_eq!(ask(&census, &plan, all.clone()), ask(&anew, &plan, all));
        }
    }

    #[test]
    fn an_assessment_is_kept_up_household_by_household(
        mut homes in homes(),
        steps in prop::collection::vec((1..25_i64, happens()), 1..8),
        plan in rules(),
    ) {
        let mut census = built(&homes);
        let mut kept = ask(&census, &plan, 0..census.households());
        for step in steps {
            let (gone, new) = carried_out(&mut homes, &[step]);
            let replaced = census.replace(&gone, built(&new)).unwrap();
            let all = 0..census.households();
            if replaced.moved {
                kept = ask(&census, &plan, all.clone());
            }
            for at in replaced.places.iter().map(|place| usize::try_from(*place).unwrap()) {
                kept.put(at, &ask(&census, &plan, at..at + 1));
            }
            prop_assert_eq!(&kept, &ask(&census, &plan, all));
        }
    }

    #[test]
    fn a_part_of_a_census_says_what_the_whole_says_there(
        homes in homes(),
        range in (0..16_usize, 0..16_usize),
        kept in prop::collection::btree_set((0..4_u8, 0..3_u8), 0..12),
        plan in rules(),
    ) {
        let census = built(&homes);
        let kept = kept.into_iter().map(|(county, village)| format!("11010{county}00{village}"));
        let kept: Vec<String> = kept.collect();
        let is_kept = |village: &str| kept.iter().any(|own| own == village);
        let (some, places) = census.only(is_kept, range.0..range.1);
        assert_sound(&some);
        let all = told(&census);
        let wanted = (0..census.households()).filter(|nth| {
            (range.0..range.1).contains(nth) && is_kept(census.village_of(*nth).unwrap())
        });
        let wanted: Vec<usize> = wanted.collect();
        prop_assert!(places.iter().map(|nth| usize::try_from(*nth).unwrap()).eq(wanted.iter().copied()));
        let here: Vec<String> = wanted.iter().map(|nth| all[*nth].clone()).collect();
        prop_assert_eq!(told(&some), here);
        let (of_some, of_all) =
            (ask(&some, &plan, 0..wanted.len()), ask(&census, &plan, 0..census.households()));
        for (some, all) in of_some.rules.iter().zip(&of_all.rules) {
            let outcomes: Vec<Outcome> = wanted.iter().map(|nth| all.outcomes[*nth]).collect();
            let reasons: Vec<u8> = wanted.iter().map(|nth| all.reasons[*nth]).collect();
            prop_assert_eq!(&some.outcomes, &outcomes);
            prop_assert_eq!(&some.reasons, &reasons);
        }
    }

    #[test]
    fn counties_put_behind_each_other_are_the_whole(homes in homes(), plan in rules()) {
        let census = built(&homes);
        let mut of_parts = built(&Homes::new());
        let mut loaded = built(&Homes::new());
        let mut end = 0;
        for county in ["110100", "110101", "110102", "110103", "110104"] {
            let span = census.span_of(county);
            let own = |lived: &&Lived| lived.county() == county;
            prop_assert_eq!(span.len(), homes.values().filter(own).count());
            prop_assert_eq!(span.start, end, "counties follow each other");
            end = span.end;
            of_parts.append(census.only(|_| true, span).0).unwrap();
            let alone = homes.iter().filter(|(_, lived)| lived.county() == county);
            loaded.append(built(&alone.map(|(id, own)| (*id, own.clone())).collect())).unwrap();
        }
        let all = 0..census.households();
        for one in [of_parts, loaded] {
            assert_same(&one, &census);
            prop_assert_eq!(ask(&one, &plan, all.clone()), ask(&census, &plan, all.clone()));
        }
    }
}

/// A household in which nothing is known but who was born when, in a village.
pub(super) fn lives(village: &str, births: &[&str]) -> Lived {
    let members = births.iter().map(|on| born(on)).collect();
    Lived { village: village.to_owned(), home: home_of(members), is_rich: false }
}

#[test]
fn a_household_as_large_as_before_moves_nobody() {
    let one = |village: &str| lives(village, &["1950-05-05"]);
    let homes: Homes = [(3, one("110100001")), (5, one("110100002")), (4, one("110101001"))].into();
    let mut census = built(&homes);
    let data = |census: &Census| (census.ids.as_ptr(), census.gone_on.as_ptr());
    let before = data(&census);
    let mut changed = one("110100001");
    changed.home.members[0][1] = Own::Int(LEAVES);
    changed.home.members[0][2] = Own::Text("2015-01-01".to_owned());
    let replaced = census.replace(&[], built(&[(3, changed)].into())).unwrap();
    assert_eq!(replaced, Replaced { places: vec![0], ..Replaced::default() });
    assert_eq!(data(&census), before);
    assert_eq!(census.members_on(on(), 0..3), [0, 1, 1]);
    // One member more, and the households stand where they stood.
    let grown = lives("110100001", &["1950-05-05", "1990-05-05"]);
    let replaced = census.replace(&[], built(&[(3, grown)].into())).unwrap();
    assert_eq!(replaced, Replaced { places: vec![0], ..Replaced::default() });
    assert_eq!(census.members_on(on(), 0..3), [2, 1, 1]);
    // Another village of the county, in which nobody lived: nobody is left where it was.
    let replaced = census.replace(&[], built(&[(3, one("110100003"))].into())).unwrap();
    assert_eq!(replaced, Replaced { renumbered: true, places: vec![0], moved: false });
    assert_eq!(census.villages(), ["110100002", "110101001", "110100003"]);
    // Another county.
    let replaced = census.replace(&[4], built(&[(3, one("110101001"))].into())).unwrap();
    assert_eq!(replaced, Replaced { moved: true, renumbered: true, places: vec![1] });
    assert_eq!((census.ids(), census.span_of("110101")), (&[5, 3][..], 1..2));
}

#[test]
fn a_member_who_goes_to_the_neighbours_is_theirs() {
    let (one, two) = (["1950-05-05"], ["1950-05-05", "1990-05-05"]);
    let village = "110100001";
    let homes = |first: &[&str], next: &[&str]| -> Homes {
        [(1, lives(village, &one)), (2, lives(village, first)), (3, lives(village, next))].into()
    };
    let mut census = built(&homes(&two, &one));
    let mut new = homes(&one, &two);
    new.remove(&1);
    let replaced = census.replace(&[], built(&new)).unwrap();
    assert_eq!(replaced, Replaced { places: vec![1, 2], ..Replaced::default() });
    assert_same(&census, &built(&homes(&one, &two)));
    assert_eq!(census.members_on(on(), 0..3), [1, 1, 2]);
}

#[test]
fn ids_are_found_though_a_household_was_born_in_another_county() {
    let one = |village: &str| lives(village, &[]);
    let homes: Homes = [(1, one("110101001")), (2, one("110100001")), (9, one("110100001"))].into();
    let mut census = built(&homes);
    census.replace(&[], built(&[(5, one("110101001"))].into())).unwrap();
    assert_eq!(census.ids(), [2, 9, 1, 5]);
    let found = [0, 1, 2, 5, 6, 9, 10].map(|id| census.find(id));
    assert_eq!(found, [None, Some(2), Some(0), Some(3), None, Some(1), None]);
}

#[test]
fn a_census_of_other_columns_is_refused_and_nothing_done() {
    let homes: Homes = [(1, lives("110100001", &["1950-05-05"]))].into();
    let mut census = built(&homes);
    let mut others = [shape(), shape(), shape(), shape(), shape()];
    others[0].vocabulary.household[0].kind = FieldKind::Text;
    others[1].vocabulary.member[3].name = "another".to_owned();
    others[2].born_on = 2;
    others[3].change.2 = [LEAVES + 1].into_iter().collect();
    others[4].vocabulary.household[10].name = "another amount of the year".to_owned();
    for other in others {
        assert!(!census.has_columns_of(&other));
        let new = || Builder::new(other.clone()).finish();
        assert_eq!(census.append(new()), Err(Unfit::OtherColumns));
        assert_eq!(census.replace(&[1], new()), Err(Unfit::OtherColumns));
        assert!(!census.take_shape(other.clone()));
        assert_same(&census, &built(&homes));
    }
    assert!(census.has_columns_of(&shape()));
}

#[test]
fn fields_that_only_tried_packs_derive_are_asked_of_the_same_census() {
    let homes: Homes = [(1, lives("110100001", &[])), (2, lives("110100002", &[]))].into();
    let mut census = built(&homes);
    let mut tried = shape();
    let kind = FieldKind::Number(Unit::Yuan);
    let field = Field { name: "tried".to_owned(), title: String::new(), kind };
    tried.vocabulary.household.push(field);
    tried.household.push(Source::Derived(Derived::Amount(1)));
    let field = FieldRef { level: Level::Household, place: tried.household.len() - 1 };
    let amount = Number::Field(field);
    let below = Test::Compare(Comparison::Less, amount, Number::Constant(50.0));
    let mut plan =
        Plan::everywhere(vec![Rule::new("x", below, Test::Is(true))], vec![None, Some(40.0)]);
    plan.places.push(plan.places[0].clone());
    plan.places[1].amounts[1] = Some(60.0);
    assert!(census.has_columns_of(&tried));
    let places = census.places(|village| u16::from(village == "110100002"));
    let said = |census: &Census, shape: &Shape| {
        let question = Question { shape, on: on(), places: &places, added_fen: &[] };
        let all = assess(census, &plan, question, 0..2, NonZero::new(1).unwrap());
        all.rules[0].outcomes.clone()
    };
    assert_eq!(said(&census, &tried), [Outcome::Unmet, Outcome::Met]);
    assert_eq!(said(&census, census.shape()), [Outcome::Met, Outcome::Met]);
    let amounts = [None, Some(40.0)];
    assert_eq!(census.number_of(&tried, 0, field, on(), &amounts), Some(40.0));
    assert_eq!(census.number_of(census.shape(), 0, field, on(), &amounts), None);
    assert!(census.take_shape(tried));
    assert_eq!(said(&census, census.shape()), [Outcome::Unmet, Outcome::Met]);
}

//! What expressions mean, and what is refused.

use std::{collections::BTreeMap, sync::LazyLock};

use proptest::prelude::*;

use super::*;
use crate::Policy;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::embedded().unwrap());

fn vocabulary() -> Vocabulary {
    let field =
        |(name, kind): (&str, FieldKind)| Field { name: name.into(), title: name.into(), kind };
    let code = |list: &str| FieldKind::Code(list.into());
    let household = [
        ("is_unsafe", FieldKind::Flag),
        ("unsafe_grade", code("危房等级")),
        ("income_per_head", FieldKind::Number(Unit::Yuan)),
        ("line", FieldKind::Number(Unit::Yuan)),
        ("exit_year", FieldKind::Number(Unit::Year)),
        ("floor_area_m2", FieldKind::Number(Unit::Quantity)),
        ("seen_on", FieldKind::Day),
        ("village", FieldKind::Text),
    ];
    let member = [
        ("age", FieldKind::Number(Unit::Age)),
        ("dropped_out", FieldKind::Flag),
        ("dropout_reason", code("失学原因")),
        ("health", FieldKind::Codes("健康状况".into())),
    ];
    Vocabulary { household: household.map(field).into(), member: member.map(field).into() }
}

/// Names that say each other, and some that are right.
fn named(name: &str) -> Option<Named<'static>> {
    static TEXTS: LazyLock<BTreeMap<&str, Vec<Text>>> = LazyLock::new(|| {
        let texts = [
            ("below_line", &["income_per_head < line"][..]),
            ("poor", &["below_line || unmet(housing)"]),
            ("housing", &["is_unsafe", "!is_unsafe"]),
            ("one", &["known(exit_year) && other"]),
            ("other", &["!one"]),
            ("itself", &["itself"]),
            ("wrong", &["no_such_field"]),
        ];
        let texts =
            texts.map(|(name, own)| (name, own.iter().map(|own| Text::new(*own)).collect()));
        texts.into_iter().collect()
    });
    match &TEXTS.get(name)?[..] {
        [when] => Some(Named::Class(when)),
        [unmet, met] => Some(Named::Guarantee(unmet, met)),
        _ => None,
    }
}

fn read(text: &str) -> Result<Test, ExprError> {
    let vocabulary = vocabulary();
    let list = |name: &str| POLICY.list(name);
    compile(&Text::new(text), None, Words { vocabulary: &vocabulary, list: &list, named: &named })
}

#[test]
fn classes_and_guarantees_stand_under_their_names() {
    let below = Test::Compare(Comparison::Less, Number::Field(INCOME), Number::Field(LINE));
    let flag = || Box::new(Test::Flag(UNSAFE));
    let met = Test::Judged(flag(), Box::new(Test::Not(flag())));
    assert_eq!(read("below_line"), Ok(below.clone()));
    assert_eq!(read("met(housing)"), Ok(met.clone()));
    assert_eq!(read("poor"), Ok(Test::Any(vec![below, Test::Not(Box::new(met))])));
    for (text, code, says) in [
        ("housing", "expr.guarantee_alone", "met(housing)"),
        ("met(below_line)", "expr.no_guarantee", "met(housing)"),
        ("one", "expr.cycle", "one → other → one"),
        ("is_unsafe || itself", "expr.cycle", "itself → itself"),
        ("wrong", "expr.named", "no_such_field"),
        ("members.exists(m, below_line)", "expr.unknown_field", "below_line"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.code, code, "{text}: {error}");
        assert!(error.en.contains(says), "{text}: {error}");
    }
    let vocabulary = vocabulary();
    let words = Words { vocabulary: &vocabulary, list: &|_| None, named: &named };
    let own = compile(&Text::new("!one"), Some("other"), words).unwrap_err();
    assert_eq!(own.code, "expr.cycle", "{own}");
}

#[test]
fn what_no_household_can_be_is_told_from_what_one_can() {
    for (text, never) in [
        ("income_per_head < line", false),
        ("income_per_head < line && line < income_per_head", true),
        ("income_per_head < line && income_per_head == line", true),
        ("income_per_head <= line && income_per_head >= line", false),
        ("income_per_head < 100 && income_per_head > 200", true),
        ("income_per_head <= 100 && income_per_head >= 100", false),
        ("income_per_head < 100 && income_per_head >= 100", true),
        ("income_per_head < income_per_head", true),
        ("members.exists(m, m.age < 6 && m.age > 15)", true),
        ("members.exists(m, m.age < 6) && members.exists(m, m.age > 15)", false),
        ("members.size() < 0", true),
        ("members.filter(m, m.dropped_out).size() <= 0", false),
        ("is_unsafe && !is_unsafe", true),
        ("is_unsafe && !known(is_unsafe)", true),
        ("!known(is_unsafe) && !known(unsafe_grade)", false),
        ("!known(income_per_head) && income_per_head < line", true),
        ("unsafe_grade in ['C'] && unsafe_grade in ['D']", true),
        ("unsafe_grade in ['C', 'D'] && unsafe_grade != 'D'", false),
        ("unsafe_grade in ['C', 'D'] && unsafe_grade != 'D' && unsafe_grade != 'C'", true),
        ("is_unsafe && (unsafe_grade == 'A' && unsafe_grade == 'B' || !is_unsafe)", true),
        ("met(housing) && is_unsafe", true),
        ("unmet(housing) && is_unsafe", false),
        ("1 > 2", true),
        ("seen_on < '2015-01-01' && seen_on >= '2015-01-01'", true),
    ] {
        assert_eq!(is_never_true(&read(text).unwrap()), never, "{text}");
    }
}

const fn of(level: Level, place: usize) -> FieldRef {
    FieldRef { level, place }
}

const UNSAFE: FieldRef = of(Level::Household, 0);
const GRADE: FieldRef = of(Level::Household, 1);
const INCOME: FieldRef = of(Level::Household, 2);
const LINE: FieldRef = of(Level::Household, 3);
const AGE: FieldRef = of(Level::Member, 0);
const DROPPED: FieldRef = of(Level::Member, 1);

fn set(list: &str, names: &[&str]) -> crate::CodeSet {
    let list = POLICY.list(list).unwrap();
    names.iter().map(|name| i64::from(list.parse(name).unwrap())).collect()
}

#[test]
fn names_codes_and_amounts_are_bound_to_fields() {
    let grades = set("危房等级", &["C", "D"]);
    assert_eq!(
        read("is_unsafe || unsafe_grade in ['C', 'D']"),
        Ok(Test::Any(vec![Test::Flag(UNSAFE), Test::OneOf(GRADE, grades)]))
    );
    let below = Test::Compare(Comparison::Less, Number::Field(INCOME), Number::Field(LINE));
    assert_eq!(read("income_per_head < line"), Ok(below));
    let fen = Test::Compare(Comparison::Less, Number::Field(INCOME), Number::Constant(285_550.0));
    assert_eq!(read("income_per_head < 2855.5"), Ok(fen), "yuan are stored in fen");
    let age = |how, years: f64| Test::Compare(how, Number::Field(AGE), Number::Constant(years));
    let pupils = vec![
        age(Comparison::GreaterOrEqual, 6.0),
        age(Comparison::LessOrEqual, 15.0),
        Test::Flag(DROPPED),
    ];
    assert_eq!(
        read("members.exists(m, m.age >= 6 && m.age <= 15 && m.dropped_out)"),
        Ok(Test::Someone(Box::new(Test::All(pupils))))
    );
    assert_eq!(read("is_unsafe == false"), Ok(Test::Not(Box::new(Test::Flag(UNSAFE)))));
    assert_eq!(read("!(is_unsafe != true)"), Ok(Test::Flag(UNSAFE)));
    assert_eq!(read("known(is_unsafe)"), Ok(Test::Known(UNSAFE)));
}

#[test]
fn what_cannot_be_meant_is_refused_with_place_and_advice() {
    for (text, code, at) in [
        ("income_per_head < ", "expr.syntax", 19),
        ("income_per_heed < line", "expr.unknown_field", 1),
        ("members.exists(m, m.dropped)", "expr.unknown_field", 20),
        ("members.exists(m, is_unsafe)", "expr.household_within_members", 19),
        ("members.exists(m, m)", "expr.member_alone", 19),
        ("age >= 6", "expr.unknown_field", 1),
        ("is_unsafe && income_per_head", "expr.not_a_test", 14),
        ("unsafe_grade in ['E']", "expr.unknown_code", 17),
        ("unsafe_grade < 'C'", "expr.not_alike", 14),
        ("income_per_head < exit_year", "expr.units", 17),
        ("income_per_head / 0 < line", "expr.division_by_zero", 17),
        ("income_per_head / (1 - 1) < line", "expr.division_by_zero", 17),
        ("seen_on < '2015-02-30'", "expr.day", 11),
        ("is_unsafe == null", "expr.unsupported", 14),
        ("village == 'x'", "expr.not_alike", 9),
        ("known(1)", "expr.known", 7),
        ("poor(is_unsafe)", "expr.unknown_function", 5),
        ("members.map(m, m.age)", "expr.unknown_function", 12),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!((error.code, error.at), (code, at), "{text}: {error}");
        assert!(!error.zh.is_empty() && !error.en.is_empty());
    }
    let error = read("income_per_heed < line").unwrap_err();
    assert!(error.zh.contains("income_per_head"), "{error}");
}

#[test]
fn units_are_kept_through_arithmetic() {
    for text in [
        "income_per_head * 1.5 < line + 100",
        "income_per_head / line < 2",
        "income_per_head * members.size() < line * 2",
        "exit_year + 2 >= 2016",
        "exit_year - 2014 > 1",
        "members.filter(m, m.age >= 60).size() * 2 > members.size()",
        "seen_on >= '2015-01-01'",
        "'残疾' in ['残疾'] || is_unsafe",
        "-floor_area_m2 < 0",
    ] {
        let read = read(text);
        let is_odd = text.starts_with("'残疾'");
        assert_eq!(read.is_err(), is_odd, "{text}: {read:?}");
    }
    assert!(read("members.exists(m, '残疾' in m.health)").is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_is_written_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..14),
        odd in "\\PC{0,6}",
        at in 0..14_usize,
    ) {
        let mut words: Vec<&str> = words;
        words.insert(at.min(words.len()), &odd);
        if let Err(error) = read(&words.join(" ")) {
            prop_assert!(error.at >= 1 && !error.zh.is_empty() && !error.en.is_empty());
        }
    }
}

/// What expressions are made of, and what they are not.
const WORDS: [&str; 40] = [
    "is_unsafe",
    "unsafe_grade",
    "income_per_head",
    "line",
    "exit_year",
    "members",
    "m",
    "m.age",
    "m.health",
    "known",
    "size",
    ".exists(m,",
    ".all(m,",
    ".filter(m,",
    ".size()",
    "(",
    ")",
    "[",
    "]",
    ",",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "in",
    "'C'",
    "'残疾'",
    "6",
    "0",
    "2855.5",
    "true",
    "'",
];

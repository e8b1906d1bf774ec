//! How long the national guarantees take to be asked of a made-up population: `assess [HOUSEHOLDS] [TIMES]`. For work on
//! the evaluator; `cargo xtask bench monitor` compares it with others on the sample.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "for work on the evaluator, not for users"
)]

use std::{num::NonZero, time::Instant};

use daohu_base::Day;
use daohu_census::{Builder, Cell, Derived, Earned, Plan, Question, Rule, Shape, Source, assess};
use daohu_policy::{
    CodeSet, Policy,
    expr::{Field, FieldKind, Text, Unit, Vocabulary, Words, compile},
};

const THREADS: NonZero<usize> = NonZero::new(2).unwrap();

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// Yes mostly, sometimes no, seldom unknown.
    fn flag(&mut self, yes: i64) -> Cell<'static> {
        match self.below(100) {
            0..90 => Cell::Int(yes),
            90..98 => Cell::Int(1 - yes),
            _ => Cell::Unknown,
        }
    }
}

fn shape() -> Shape {
    let field = |(name, kind): (&str, FieldKind)| Field {
        name: name.to_owned(),
        title: name.to_owned(),
        kind,
    };
    let code = |list: &str| FieldKind::Code(list.to_owned());
    let household = [
        ("has_enough_food", FieldKind::Flag),
        ("has_enough_clothing", FieldKind::Flag),
        ("is_unsafe", FieldKind::Flag),
        ("unsafe_grade", code("危房等级")),
        ("water_is_hard", FieldKind::Flag),
        ("water_is_safe", FieldKind::Flag),
        ("income_per_head", FieldKind::Number(Unit::Yuan)),
        ("line", FieldKind::Number(Unit::Yuan)),
    ];
    let member = [
        ("born_on", FieldKind::Day),
        ("change_kind", code("变动类型")),
        ("change_on", FieldKind::Day),
        ("dropped_out", FieldKind::Flag),
        ("dropout_reason", code("失学原因")),
        ("school_stage", code("在校生状况")),
        ("resident_medical", FieldKind::Flag),
        ("employee_medical", FieldKind::Flag),
        ("critical_illness", FieldKind::Flag),
        ("age", FieldKind::Number(Unit::Age)),
    ];
    let stored = |count: usize| (0..count).map(Source::Stored);
    let derived = [Derived::IncomePerHead, Derived::Amount(0)].map(Source::Derived);
    Shape {
        vocabulary: Vocabulary {
            household: household.map(field).into(),
            member: member.map(field).into(),
        },
        household: stored(6).chain(derived).collect(),
        member: stored(9).chain([Source::Derived(Derived::Age)]).collect(),
        born_on: 0,
        change: (1, 2, CodeSet::from_iter([8, 9, 10])),
    }
}

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().unwrap());
    let (households, times) = (args.next().unwrap_or(2_200_000), args.next().unwrap_or(9));
    let (policy, on) = (Policy::embedded().unwrap(), Day::parse("2015-12-31").unwrap());
    let shape = shape();
    let (list, named) = (|name: &str| policy.list(name), |_: &str| None);
    let words = Words { vocabulary: &shape.vocabulary, list: &list, named: &named };
    let read = |text: &Text| compile(text, None, words).unwrap();
    let guarantees = policy.guarantees().at("", on).into_iter();
    let rules =
        guarantees.map(|own| Rule::new(&own.head.id, read(&own.unmet.text), read(&own.met.text)));
    let plan = Plan::everywhere(rules.collect(), vec![Some(285_500.0)]);
    let days: Vec<String> = (1930..2016)
        .flat_map(|year| (1..13).map(move |month| format!("{year}-{month:02}-15")))
        .collect();
    let mut random = Random(7);
    let mut builder = Builder::new(shape);
    for id in 0..households {
        let grade = Cell::Int(i64::try_from(random.below(4) + 1).unwrap());
        let own = [
            random.flag(1),
            random.flag(1),
            random.flag(0),
            if random.below(4) == 0 { grade } else { Cell::Unknown },
            random.flag(0),
            random.flag(1),
        ];
        builder.household(i64::try_from(id).unwrap(), &(id / 200).to_string(), &own).unwrap();
        for _ in 0..1 + random.below(6) {
            let day = Cell::Text(&days[usize::try_from(random.below(1000)).unwrap()]);
            let cells = [
                day,
                Cell::Unknown,
                Cell::Unknown,
                random.flag(0),
                Cell::Unknown,
                Cell::Unknown,
                random.flag(1),
                random.flag(0),
                random.flag(1),
            ];
            builder.member(&cells).unwrap();
        }
        let wage = i64::try_from(random.below(2_000_000)).unwrap();
        let kinds_fen = [Some(wage), None, None, None];
        builder.year(2015, &Earned { kinds_fen, cost_fen: None, sharing: Some(3) });
    }
    let census = builder.finish();
    let places = census.places(|_| 0);
    let question = Question { shape: census.shape(), on, places: &places, added_fen: &[] };
    let mut taken: Vec<f64> = (0..times)
        .map(|_| {
            let start = Instant::now();
            let said = assess(&census, &plan, question, 0..census.households(), THREADS);
            std::hint::black_box(said);
            start.elapsed().as_secs_f64()
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    let (median, members) = (taken[taken.len() / 2], census.members());
    eprintln!(
        "{households} households, {members} members, {} MiB: {median:.4} s",
        census.bytes() >> 20
    );
}

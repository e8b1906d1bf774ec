//! How long a census of a whole province takes to be kept up to date, made up: `live [HOUSEHOLDS] [FILE]`. For work on the
//! arrays; the file is written, read and removed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "for work on the arrays, not for users"
)]

use std::{
    fs,
    hint::black_box,
    io::{BufWriter, Write},
    num::NonZero,
    ops::Range,
    sync::Arc,
    time::Instant,
};

use daohu_base::Day;
use daohu_census::{
    Builder, Cell, Census, Derived, Earned, Plan, Question, Rule, Shape, Source, assess,
};
use daohu_policy::{
    CodeSet, Policy,
    expr::{Field, FieldKind, Text, Unit, Vocabulary, Words, compile},
};

const THREADS: NonZero<usize> = NonZero::new(2).unwrap();
const COUNTIES: u64 = 88;
const HOUSEHOLDS_PER_VILLAGE: u64 = 110;
const YEARS: [i64; 5] = [2011, 2012, 2013, 2014, 2015];
/// Amounts of the last year.
const AMOUNTS: usize = 12;
/// 3.4 members on average.
const SIZES: [u64; 10] = [1, 2, 3, 3, 3, 4, 4, 4, 5, 5];
const SETS: [&str; 8] = ["01", "02", "01 03", "07 08", "09", "01 02 08", "04 11", "12"];

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// So many fields of each kind beside those that rules name: 100 of households, 60 of members.
const OF_HOUSEHOLD: [(FieldKind, usize); 7] = [
    (FieldKind::Flag, 33),
    (FieldKind::Code(String::new()), 24),
    (FieldKind::Codes(String::new()), 2),
    (FieldKind::Number(Unit::Year), 12),
    (FieldKind::Day, 5),
    (FieldKind::Number(Unit::Quantity), 12),
    (FieldKind::Text, 6),
];
const OF_MEMBER: [(FieldKind, usize); 5] = [
    (FieldKind::Flag, 21),
    (FieldKind::Code(String::new()), 17),
    (FieldKind::Codes(String::new()), 2),
    (FieldKind::Day, 6),
    (FieldKind::Text, 5),
];

fn field(name: &str, kind: FieldKind) -> Field {
    Field { name: name.to_owned(), title: name.to_owned(), kind }
}

fn shape() -> Shape {
    let code = |list: &str| FieldKind::Code(list.to_owned());
    let mut household = vec![
        field("has_enough_food", FieldKind::Flag),
        field("has_enough_clothing", FieldKind::Flag),
        field("is_unsafe", FieldKind::Flag),
        field("unsafe_grade", code("危房等级")),
        field("water_is_hard", FieldKind::Flag),
        field("water_is_safe", FieldKind::Flag),
    ];
    let mut member = vec![
        field("born_on", FieldKind::Day),
        field("change_kind", code("变动类型")),
        field("change_on", FieldKind::Day),
        field("dropped_out", FieldKind::Flag),
        field("dropout_reason", code("失学原因")),
        field("school_stage", code("在校生状况")),
        field("resident_medical", FieldKind::Flag),
        field("employee_medical", FieldKind::Flag),
        field("critical_illness", FieldKind::Flag),
    ];
    for (fields, more) in [(&mut household, &OF_HOUSEHOLD[..]), (&mut member, &OF_MEMBER[..])] {
        for (kind, count) in more {
            (0..*count)
                .for_each(|_| fields.push(field(&format!("f{}", fields.len()), kind.clone())));
        }
    }
    let stored = |fields: &[Field]| (0..fields.len()).map(Source::Stored).collect::<Vec<_>>();
    let (mut of_household, mut of_member) = (stored(&household), stored(&member));
    let yuan = FieldKind::Number(Unit::Yuan);
    household.extend(["income_per_head", "line"].map(|name| field(name, yuan.clone())));
    of_household.extend([Derived::IncomePerHead, Derived::Amount(0)].map(Source::Derived));
    member.push(field("age", FieldKind::Number(Unit::Age)));
    of_member.push(Source::Derived(Derived::Age));
    Shape {
        vocabulary: Vocabulary { household, member },
        household: of_household,
        member: of_member,
        born_on: 0,
        change: (1, 2, CodeSet::from_iter([8, 9, 10])),
    }
}

/// The guarantees of the national pack.
fn plan(shape: &Shape, on: Day) -> Plan {
    let policy = Policy::embedded().unwrap();
    let (list, named) = (|name: &str| policy.list(name), |_: &str| None);
    let words = Words { vocabulary: &shape.vocabulary, list: &list, named: &named };
    let read = |text: &Text| compile(text, None, words).unwrap();
    let guarantees = policy.guarantees().at("", on).into_iter();
    let rules =
        guarantees.map(|own| Rule::new(&own.head.id, read(&own.unmet.text), read(&own.met.text)));
    Plan::everywhere(rules.collect(), vec![Some(285_500.0)])
}

/// Makes up households.
struct Maker {
    random: Random,
    days: Vec<String>,
    households: u64,
}

impl Maker {
    fn of(households: u64) -> Self {
        let months = (1930..2016).flat_map(|year| (1..13).map(move |month| (year, month)));
        let days = months.map(|(year, month)| format!("{year}-{month:02}-15")).collect();
        Self { random: Random(7), days, households }
    }

    /// The county of the nth, and its id; between two ids there is room for another.
    fn id(&self, nth: u64) -> (u64, i64) {
        let county = nth * COUNTIES / self.households;
        (county, (520_000 + county as i64) * 1_000_000_000 + 2 * nth as i64)
    }

    /// One cell for each stored field.
    fn cells(&mut self, fields: &[Field], sources: &[Source]) -> Vec<Cell<'_>> {
        let Self { random, days, .. } = self;
        let stored = fields.iter().zip(sources);
        let stored = stored.filter(|(_, source)| matches!(source, Source::Stored(_)));
        let cell = |(field, _): (&Field, &Source)| {
            if random.below(20) == 0 {
                return Cell::Unknown;
            }
            let number = random.below(1000);
            match field.kind {
                // Almost nobody leaves.
                FieldKind::Code(_) if field.name == "change_kind" && number > 10 => Cell::Unknown,
                FieldKind::Flag => Cell::Int(i64::from(number < 900)),
                FieldKind::Code(_) => Cell::Int(1 + (number % 4) as i64),
                FieldKind::Codes(_) => Cell::Text(SETS[number as usize % SETS.len()]),
                FieldKind::Day => Cell::Text(&days[number as usize]),
                FieldKind::Number(Unit::Quantity) => Cell::Real(number as f64 / 4.0),
                FieldKind::Number(_) => Cell::Int(1000 + number as i64),
                FieldKind::Text => Cell::Text("x"),
            }
        };
        stored.map(cell).collect()
    }

    /// How many members the nth has.
    fn size(nth: u64) -> u64 {
        SIZES[(nth * 7 % 10) as usize]
    }

    /// A household where the nth stands, with its id and so much more, and so many members.
    fn add(&mut self, builder: &mut Builder, shape: &Shape, (nth, more): (u64, i64), size: u64) {
        let (county, id) = self.id(nth);
        let village = format!("52{county:04}{:06}", nth / HOUSEHOLDS_PER_VILLAGE);
        let own = self.cells(&shape.vocabulary.household, &shape.household);
        builder.household(id + more, &village, &own).unwrap();
        for _ in 0..size {
            builder.member(&self.cells(&shape.vocabulary.member, &shape.member)).unwrap();
        }
        for year in YEARS {
            let kinds_fen = [Some(self.random.below(2_000_000) as i64), None, None, None];
            builder.year(year, &Earned { kinds_fen, cost_fen: None, sharing: Some(size as i64) });
        }
        let amounts = [(); AMOUNTS].map(|()| Some(self.random.below(2_000_000) as i64));
        builder.amounts(YEARS[YEARS.len() - 1], &amounts);
    }

    fn one(&mut self, shape: &Arc<Shape>, (nth, more): (u64, i64), size: u64) -> Census {
        let mut builder = Builder::new(Arc::clone(shape));
        self.add(&mut builder, shape, (nth, more), size);
        builder.finish()
    }

    fn all(&mut self, shape: &Arc<Shape>) -> Census {
        let mut builder = Builder::new(Arc::clone(shape));
        for nth in 0..self.households {
            self.add(&mut builder, shape, (nth, 0), Self::size(nth));
        }
        builder.finish()
    }
}

/// Tells the median, the slowest of a hundred and the slowest, in seconds.
fn tell(what: &str, mut seconds: Vec<f64>) {
    seconds.sort_by(f64::total_cmp);
    let at = |share: usize| seconds[(seconds.len() - 1) * share / 100];
    eprintln!("{what}: {:.6} s, p99 {:.6}, max {:.6} ({})", at(50), at(99), at(100), seconds.len());
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed().as_secs_f64(), done)
}

/// Changes, made up beforehand and carried out one after the other.
fn replaced(what: &str, census: &mut Census, changes: Vec<(Vec<i64>, Census)>) {
    let one = |(gone, new): (Vec<i64>, Census)| {
        timed(|| black_box(census.replace(&gone, new).unwrap())).0
    };
    tell(what, changes.into_iter().map(one).collect());
}

/// Households that change, each asked again.
fn kept_up(census: &mut Census, plan: &Plan, changes: Vec<Census>) {
    let on = Day::parse("2015-12-31").unwrap();
    let places = census.places(|_| 0);
    let ask = |census: &Census, range: Range<usize>| {
        let question = Question { shape: census.shape(), on, places: &places, added_fen: &[] };
        assess(census, plan, question, range, THREADS)
    };
    let (seconds, mut kept) = timed(|| ask(census, 0..census.households()));
    eprintln!("{} rules of all: {seconds:.4} s", plan.ids.len());
    let mut one = |new: Census| {
        timed(|| {
            let replaced = census.replace(&[], new).unwrap();
            for at in replaced.places.iter().map(|place| *place as usize) {
                kept.put(at, &ask(census, at..at + 1));
            }
        })
        .0
    };
    tell("one in place and asked", changes.into_iter().map(&mut one).collect());
    assert!(kept == ask(census, 0..census.households()), "what was kept up is what all say");
}

/// The census as a file.
fn stored(census: &Census, shape: &Arc<Shape>, file: &str) {
    let (write, ()) = timed(|| {
        let mut file = BufWriter::with_capacity(1 << 20, fs::File::create(file).unwrap());
        census.write(&mut file).unwrap();
        file.flush().unwrap();
    });
    eprintln!("written: {write:.3} s, {} MiB", fs::metadata(file).unwrap().len() >> 20);
    for _ in 0..3 {
        let (read, again) =
            timed(|| Census::read(Arc::clone(shape), &mut fs::File::open(file).unwrap()).unwrap());
        eprintln!("read: {read:.3} s");
        assert_eq!(again.ids(), census.ids());
    }
    fs::remove_file(file).unwrap();
}

fn main() {
    let mut args = std::env::args().skip(1);
    let households = args.next().map_or(2_200_000, |count| count.parse().unwrap());
    let file = args.next().unwrap_or_else(|| "/tmp/daohu-live-census".to_owned());
    let shape = Arc::new(shape());
    let plan = plan(&shape, Day::parse("2015-12-31").unwrap());
    let mut maker = Maker::of(households);
    let mut census = maker.all(&shape);
    let (members, mib) = (census.members(), census.bytes() >> 20);
    eprintln!("{} households, {members} members, {mib} MiB", census.households());

    let mut some = Random(11);
    let mut nths =
        |count: usize| -> Vec<u64> { (0..count).map(|_| some.below(households)).collect() };
    let same = |maker: &mut Maker, nth: u64| maker.one(&shape, (nth, 0), Maker::size(nth));
    let started = Instant::now();
    let built: Vec<Census> = nths(1000).into_iter().map(|nth| same(&mut maker, nth)).collect();
    eprintln!("one made up: {:.6} s", started.elapsed().as_secs_f64() / 1000.0);
    replaced("one in place", &mut census, built.into_iter().map(|new| (Vec::new(), new)).collect());
    let built = nths(1000).into_iter().map(|nth| same(&mut maker, nth)).collect();
    kept_up(&mut census, &plan, built);
    let mut grown = |nth: u64| (Vec::new(), maker.one(&shape, (nth, 0), Maker::size(nth) + 1));
    replaced("one member more", &mut census, nths(5).into_iter().map(&mut grown).collect());
    let mut comes = |nth: u64| (Vec::new(), maker.one(&shape, (nth, 1), 3));
    replaced("one household more", &mut census, nths(5).into_iter().map(&mut comes).collect());
    let gone = nths(5)
        .into_iter()
        .map(|nth| (vec![maker.id(nth).1], Builder::new(Arc::clone(&shape)).finish()));
    replaced("one household gone", &mut census, gone.collect());
    let mut builder = Builder::new(Arc::clone(&shape));
    (0..households).step_by(1 + households as usize / 20_000).for_each(|nth| {
        maker.add(&mut builder, &shape, (nth, 1), 3);
    });
    replaced(
        "20,000 households more, one here, one there",
        &mut census,
        vec![(Vec::new(), builder.finish())],
    );
    parts(&census);
    stored(&census, &shape, &file);
}

/// A county by itself, and all put behind each other.
fn parts(census: &Census) {
    let county = |nth: u64| format!("52{nth:04}");
    let one = |nth: u64| census.only(|_| true, census.span_of(&county(nth))).0;
    tell(
        "one county by itself",
        (0..COUNTIES).map(|nth| timed(|| black_box(one(nth))).0).collect(),
    );
    let mut parts = (0..COUNTIES).map(one);
    let mut whole = parts.next().unwrap();
    let seconds = parts.map(|part| timed(|| whole.append(part).unwrap()).0).sum::<f64>();
    eprintln!("counties put together: {seconds:.3} s");
    assert_eq!(whole.ids(), census.ids());
}

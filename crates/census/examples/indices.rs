//! How long figures of a whole province take, made up: `indices [HOUSEHOLDS] [TIMES]`. For work on the indices.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "for work on the indices, not for users"
)]

use std::{hint::black_box, num::NonZero, time::Instant};

use daohu_census::{
    Builder, Cell, Census, Earned, Outcome, Shape, Source,
    indices::{
        Asked, Bands, Chosen, Deprivations, Groups, Ladder, Lines, Measure, Part, causes_by,
        distribution, flows, mean, multidimensional, multidimensional_by, poverty, poverty_by,
    },
};
use daohu_policy::{
    CodeSet,
    expr::{Field, FieldKind, FieldRef, Level, Vocabulary},
};

const THREADS: NonZero<usize> = NonZero::new(2).unwrap();
const HOUSEHOLDS_PER_VILLAGE: u64 = 110;
/// 3.4 persons on average.
const SIZES: [i64; 10] = [1, 2, 3, 3, 3, 4, 4, 4, 5, 5];
const CAUSES: [&str; 6] = ["01", "02", "01 03", "07 08", "09", "01 02 08"];
const YEARS: [i64; 2] = [2015, 2016];
const DIMENSIONS: usize = 6;

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// An income a head in fen: most have little, few have much.
    fn income(&mut self) -> i64 {
        let bell = (0..6).map(|_| self.below(2001) as f64 / 1000.0 - 1.0).sum::<f64>();
        (600_000.0 * (0.6 * bell).exp()) as i64
    }
}

fn shape() -> Shape {
    let field =
        |name: &str, kind: FieldKind| Field { name: name.to_owned(), title: name.to_owned(), kind };
    let household = vec![
        field("main_cause", FieldKind::Code("致贫原因".to_owned())),
        field("other_causes", FieldKind::Codes("致贫原因".to_owned())),
    ];
    Shape {
        vocabulary: Vocabulary { household, member: vec![field("born_on", FieldKind::Day)] },
        household: vec![Source::Stored(0), Source::Stored(1)],
        member: vec![Source::Stored(0)],
        born_on: 0,
        change: (1, 2, CodeSet::default()),
    }
}

fn census(households: u64, random: &mut Random) -> Census {
    let mut builder = Builder::new(shape());
    for id in 0..households {
        let cause = Cell::Int(i64::try_from(random.below(13) + 1).unwrap());
        let others = Cell::Text(CAUSES[usize::try_from(random.below(6)).unwrap()]);
        let village = (id / HOUSEHOLDS_PER_VILLAGE).to_string();
        builder.household(i64::try_from(id).unwrap(), &village, &[cause, others]).unwrap();
        let sharing = SIZES[usize::try_from(random.below(10)).unwrap()];
        for year in YEARS {
            // Of some it is not known.
            if random.below(50) > 0 {
                let kinds_fen = [Some(random.income() * sharing), None, None, None];
                builder.year(year, &Earned { kinds_fen, cost_fen: None, sharing: Some(sharing) });
            }
        }
    }
    builder.finish()
}

/// Mostly met, sometimes not, seldom unknown.
fn outcomes(households: usize, random: &mut Random) -> Vec<Outcome> {
    let outcome = |of_100| match of_100 {
        0..90 => Outcome::Met,
        90..98 => Outcome::Unmet,
        _ => Outcome::Unknown,
    };
    (0..households).map(|_| outcome(random.below(100))).collect()
}

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().unwrap());
    let (households, times) = (args.next().unwrap_or(2_200_000), args.next().unwrap_or(9));
    let mut random = Random(7);
    let census = census(households, &mut random);
    let [before, incomes] = YEARS.map(|year| census.incomes(year));
    let persons = incomes.persons();
    let all = Asked { chosen: Chosen::All, threads: THREADS };
    let one = Asked { threads: NonZero::<usize>::MIN, ..all };
    let is_chosen: Vec<bool> = (0..households).map(|_| random.below(2) == 0).collect();
    let half = Asked { chosen: Chosen::Where(&is_chosen), threads: THREADS };
    let villages = census.villages().len();
    let own: Vec<Option<i64>> =
        (0..villages).map(|nth| Some([285_500, 306_800, 400_000][nth / 230 % 3])).collect();
    let lines = Lines::OfVillages(census.village_places(), &own);
    let counties: Vec<u32> = (0..villages).map(|nth| u32::try_from(nth / 230).unwrap()).collect();
    let by_village = Groups::of(census.village_places(), villages);
    let by_county = Groups::through(census.village_places(), &counties, villages / 230 + 1);
    let bands = Bands::new((1..20).map(|nth| nth * 100_000).collect()).unwrap();
    let code =
        |place| census.codes(census.shape(), FieldRef { level: Level::Household, place }).unwrap();
    let listed = CodeSet::from_iter(1..14);
    let answers: Vec<Vec<Outcome>> =
        (0..DIMENSIONS).map(|_| outcomes(census.households(), &mut random)).collect();
    let measure = Measure::new(vec![3, 3, 2, 2, 1, 1], 4).unwrap();
    let lacking =
        Deprivations::new(&measure, 0, answers.iter().map(|own| &own[..]).collect()).unwrap();
    let ladder = Ladder::of(incomes, all);
    let state =
        |fen: Option<i64>| fen.map(|fen| u8::try_from(fen / 200_000).map_or(4, |n| n.min(4)));
    let taken = |what: &str, work: &dyn Fn()| {
        let mut taken: Vec<f64> = (0..times)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        taken.sort_by(f64::total_cmp);
        eprintln!("{what:44} {:7.1} ms", taken[taken.len() / 2]);
    };
    eprintln!("{households} households, {} persons, {villages} villages", ladder.persons());
    taken("poverty", &|| drop(black_box(poverty(incomes, lines, all))));
    taken("poverty, one thread", &|| drop(black_box(poverty(incomes, lines, one))));
    taken("poverty, of a filter", &|| drop(black_box(poverty(incomes, lines, half))));
    taken("poverty by village", &|| drop(black_box(poverty_by(incomes, lines, all, by_village))));
    taken("poverty by county", &|| drop(black_box(poverty_by(incomes, lines, all, by_county))));
    taken("mean", &|| _ = black_box(mean(incomes, all)));
    taken("distribution", &|| drop(black_box(distribution(incomes, &bands, all))));
    taken("order of incomes", &|| drop(black_box(Ladder::of(incomes, all))));
    taken("order of incomes, of a filter", &|| drop(black_box(Ladder::of(incomes, half))));
    taken("Gini, in order", &|| _ = black_box(ladder.gini()));
    taken("at risk, in order", &|| _ = black_box(ladder.at_risk(Part { part: 3, of: 5 })));
    taken("order, Gini and at risk", &|| {
        let ladder = Ladder::of(incomes, all);
        black_box((ladder.gini(), ladder.at_risk(Part { part: 3, of: 5 })));
    });
    taken("multidimensional", &|| drop(black_box(multidimensional(&lacking, persons, all))));
    taken("multidimensional by village", &|| {
        drop(black_box(multidimensional_by(&lacking, persons, all, by_village)));
    });
    taken("main causes by county", &|| {
        drop(black_box(causes_by(code(0), listed, persons, all, by_county)));
    });
    taken("other causes by village", &|| {
        drop(black_box(causes_by(code(1), listed, persons, all, by_village)));
    });
    taken("flows between bands", &|| {
        let (from, to) = (|nth| state(before.of(nth)), |nth| state(incomes.of(nth)));
        drop(black_box(flows(5, from, to, persons, all)));
    });
}

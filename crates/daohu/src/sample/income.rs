//! Five years of income per household.
//!
//! The model sets the per-head net income of each year first and splits it into kinds afterwards.
//! Its logarithm is: the year's middle + the village + the household's lasting level and prospects
//! + a fresh disturbance + shocks that fade. So next year is predictable, though not exactly.
//!
//! Invariants: parts of 转移性收入 add up to it exactly; nobody earns wages in a household where
//! nobody can work; 低保金, 特困供养金 and 养老保险金 need a member who is entitled.

use super::calendar::Day;
use super::dice::{Dice, exp, whole};
use super::member::Member;

/// A year's national poverty line in yuan, the middle of the registered households' per-head
/// income in deviations from it, and a basic pension in yuan a month. Lines are published (rules
/// B1); the middles give 12 % growth a year up to 2015 and 45 % above the line in 2015.
struct YearFacts {
    year: i32,
    line: f64,
    middle: f64,
    pension: f64,
}

const fn facts(year: i32, line: f64, middle: f64, pension: f64) -> YearFacts {
    YearFacts { year, line, middle, pension }
}

const YEAR_FACTS: &[YearFacts] = &[
    facts(2010, 2300.0, -1.15, 55.0),
    facts(2011, 2536.0, -1.20, 55.0),
    facts(2012, 2625.0, -1.10, 60.0),
    facts(2013, 2736.0, -0.95, 65.0),
    facts(2014, 2800.0, -0.56, 75.0),
    facts(2015, 2855.0, -0.02, 85.0),
    facts(2016, 2952.0, 0.36, 90.0),
    facts(2017, 2952.0, 0.75, 95.0),
    facts(2018, 2995.0, 1.25, 105.0),
    facts(2019, 3218.0, 1.70, 112.0),
    facts(2020, 4000.0, 1.75, 118.0),
];

/// Deviation of per-head income among registered households, as a logarithm.
const DEVIATION: f64 = 0.30;
/// Parts of it: what a household keeps, and what each year adds.
const LASTING: f64 = 0.20;
const YEARLY: f64 = 0.10;
/// Share of a shock that is still felt a year later.
const FADE: f64 = 0.45;
/// Transfers make up at most this share of net income: nobody lives without a garden.
const TRANSFERS_MAX: f64 = 0.93;

/// The national poverty line of the year, yuan per head.
pub(super) fn line(year: i32) -> f64 {
    YEAR_FACTS.iter().find(|facts| facts.year == year).map_or(0.0, |facts| facts.line)
}

/// One row of 年度收入; money in fen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Income {
    pub(super) year: i32,
    pub(super) people: i64,
    pub(super) wage: i64,
    pub(super) production: i64,
    pub(super) property: i64,
    pub(super) birth_control: i64,
    pub(super) dibao: i64,
    pub(super) tekun: i64,
    pub(super) pension: i64,
    pub(super) ecology: i64,
    pub(super) other: i64,
    pub(super) cost: i64,
    pub(super) medical: i64,
}

impl Income {
    pub(super) fn transfers(&self) -> i64 {
        self.birth_control + self.dibao + self.tekun + self.pension + self.ecology + self.other
    }

    /// Net income of the household, fen.
    pub(super) fn net(&self) -> i64 {
        self.wage + self.production + self.property + self.transfers() - self.cost
    }

    /// Whether per-head net income is at least `share` of the year's line.
    pub(super) fn reaches(&self, share: f64) -> bool {
        self.net() >= whole(line(self.year) * share * 100.0) * self.people.max(1)
    }
}

/// What the model needs to know about a household.
pub(super) struct Earner<'a> {
    pub(super) members: &'a [Member],
    /// Village and members' prospects, as a logarithm.
    pub(super) prospects: f64,
    /// 识别年度.
    pub(super) identified: i32,
    /// First year of 低保.
    pub(super) dibao_since: i32,
    /// 独生子女户 or 双女户, which the 计划生育金 goes to.
    pub(super) few_children: bool,
    /// 退耕还林, farmland and woodland, tenths of a mu.
    pub(super) restored: i32,
    pub(super) farmland: i32,
    pub(super) woodland: i32,
}

/// What stays the same over a household's years.
struct Habits {
    lasting: f64,
    /// Share of earned income that is wages.
    wages: f64,
    /// Share of receipts that production costs.
    cost: f64,
    property: f64,
    /// Basic 低保 per entitled member, as a share of the line.
    dibao: f64,
    /// The household keeps a book, so amounts are not whole yuan.
    to_the_fen: bool,
    ill: bool,
    able: bool,
    weak: bool,
}

impl Habits {
    fn draw(dice: &mut Dice, members: &[Member]) -> Self {
        let current = || members.iter().filter(|member| member.is_current());
        let full = current().filter(|member| member.labour.is_full() && member.age <= 62).count();
        let (low, high) = match full {
            0 => (0.0, 0.25),
            1 => (0.15, 0.75),
            _ => (0.3, 0.85),
        };
        let able = full > 0 || current().any(|member| member.labour.is_full());
        Self {
            lasting: dice.normal() * LASTING,
            wages: dice.real(low, high),
            cost: dice.real(0.18, 0.42),
            property: if dice.chance(130) { dice.real(0.02, 0.1) } else { 0.0 },
            dibao: dice.real(0.22, 0.48),
            to_the_fen: dice.chance(180),
            ill: current().any(|member| member.health.is_ill()),
            able,
            weak: current().any(|member| member.labour.is_some()),
        }
    }
}

/// What happened in a year.
#[derive(Clone, Copy, Default, PartialEq)]
enum Shock {
    #[default]
    None,
    Illness,
    Disaster,
    JobLoss,
}

/// The years that the sample tells of, `year` being the last.
pub(super) fn years(year: i32) -> std::ops::RangeInclusive<i32> {
    year - 4..=year
}

/// The incomes of the years that end with `year`, oldest first.
pub(super) fn draw(dice: &mut Dice, earner: &Earner<'_>, year: i32, incomes: &mut Vec<Income>) {
    incomes.clear();
    let habits = Habits::draw(dice, earner.members);
    let mut felt = 0.0;
    for facts in YEAR_FACTS.iter().filter(|facts| years(year).contains(&facts.year)) {
        let shock = dice.weighted(&[
            (if habits.ill { 55 } else { 12 }, Shock::Illness),
            (28, Shock::Disaster),
            (if habits.wages > 0.3 { 38 } else { 6 }, Shock::JobLoss),
            (900, Shock::None),
        ]);
        felt *= FADE;
        if shock != Shock::None {
            felt -= dice.real(0.15, 0.5);
        }
        let steady = facts.middle * DEVIATION + earner.prospects + habits.lasting;
        // The normal deviate stays within three yearly deviations, or a year could swing by more
        // than the factor 3 that the quality rules ask about.
        let fresh = dice.normal().clamp(-3.0, 3.0) * YEARLY;
        let mut head = facts.line * exp((steady + fresh + felt).clamp(-1.1, 1.6));
        // Most households were identified because they were below the line in that year.
        if facts.year == earner.identified && head > facts.line * 0.97 && dice.chance(850) {
            head = facts.line * dice.real(0.83, 0.97);
        }
        incomes.push(split(dice, earner, &habits, facts, (head, shock)));
    }
}

/// Splits a year's per-head net income into kinds.
fn split(
    dice: &mut Dice,
    earner: &Earner<'_>,
    habits: &Habits,
    facts: &YearFacts,
    (head, shock): (f64, Shock),
) -> Income {
    let end = Day::year_end(facts.year);
    let present = || earner.members.iter().filter(move |member| member.is_present(end));
    let mut income = Income { year: facts.year, ..Income::default() };
    let mut entitled = 0.0;
    let yuan = |amount: f64| whole(amount.max(0.0)) * 100;
    for member in present() {
        income.people += 1;
        if facts.year - member.birth.year() >= 60 {
            income.pension += yuan(facts.pension * 12.0);
        }
        if member.tekun && facts.year >= earner.dibao_since {
            income.tekun += yuan(facts.line * 0.8);
        }
        entitled += if member.dibao { 1.0 } else { 0.0 };
    }
    if facts.year >= earner.dibao_since {
        income.dibao = yuan(facts.line * habits.dibao / 10.0) * 10 * whole(entitled);
    }
    if earner.few_children && income.pension > 0 {
        income.birth_control = yuan(960.0);
    }
    income.ecology = yuan(f64::from(earner.restored) * 12.5 + f64::from(earner.woodland) * 1.0);
    let fixed = amount(income.transfers());
    let net = f64::max(head * amount(income.people * 100), fixed / TRANSFERS_MAX);
    share_rest(dice, earner, habits, (net - fixed, shock), &mut income);
    income.medical = medical(dice, habits.ill, shock);
    income
}

/// Shares what transfers leave over among wages, production, property and support from kin.
fn share_rest(
    dice: &mut Dice,
    earner: &Earner<'_>,
    habits: &Habits,
    (rest, shock): (f64, Shock),
    income: &mut Income,
) {
    let ruined = dice.chance(150);
    // Whole yuan, or fen where a book is kept. Drawn apart from the amount, so it may add a yuan.
    let mut fen = |yuan: f64| {
        let fen = if habits.to_the_fen { dice.between(1, 99) } else { 0 };
        whole(yuan.max(0.0)) * 100 + i64::from(if yuan >= 50.0 { fen } else { 0 })
    };
    income.property = fen(rest * habits.property);
    let subsidy = f64::min(f64::from(earner.farmland) * 8.5, rest * 0.2);
    let earned = rest - amount(income.property) - subsidy;
    let (wage, produced) = if habits.able {
        let wages = if shock == Shock::JobLoss { habits.wages * 0.45 } else { habits.wages };
        (earned * wages, earned * (1.0 - wages))
    } else {
        // Nobody can hire out: a garden, some animals, and for the rest help from kin.
        (0.0, earned * if habits.weak { 0.55 } else { 0.2 })
    };
    income.wage = fen(wage);
    income.other = fen(subsidy + if habits.able { 0.0 } else { earned - produced });
    let share = match shock {
        Shock::Disaster => (habits.cost * 2.2).min(0.88),
        _ => habits.cost,
    };
    let receipts = produced / (1.0 - share);
    income.production = fen(receipts);
    income.cost = fen(receipts - produced);
    // A lost harvest may have cost more than it brought.
    if shock == Shock::Disaster && ruined {
        income.cost = income.production + fen(receipts * 0.05);
    }
}

fn medical(dice: &mut Dice, ill: bool, shock: Shock) -> i64 {
    let (low, high) = match (shock, ill) {
        (Shock::Illness, _) => (3000.0, 16_000.0),
        (_, true) => (300.0, 3200.0),
        (_, false) => (0.0, 500.0),
    };
    whole(low + (high - low) * dice.fraction() * dice.fraction()) * 100
}

/// Fen as yuan, for the model. Amounts are far below where a float would lose a fen.
#[expect(clippy::cast_precision_loss, reason = "amounts are below 2^52 fen")]
fn amount(fen: i64) -> f64 {
    fen as f64 / 100.0
}

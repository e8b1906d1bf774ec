//! A made-up world whose probabilities are known, and what is asked of it.

mod figures;
mod judging;
mod learning;
mod telling;

use std::num::NonZero;

use super::{
    Code, Dimension, Feature, Kind, Misfit, Panel, PanelBuilder, Settings, Shape, Told,
    learn::sigmoid,
};

/// The national pack.
const PACK: &str = include_str!("../../../../../policies/national/prediction.toml");

fn settings() -> Settings {
    let pack: toml::Table = PACK.parse().unwrap();
    let own = &pack["prediction"];
    let float = |own: &toml::Value| own.as_float().unwrap();
    let one = |name: &str| float(&own[name]);
    let all =
        |name: &str| -> Vec<f64> { own[name].as_array().unwrap().iter().map(float).collect() };
    let count = |name: &str| usize::try_from(own[name].as_integer().unwrap()).unwrap();
    Settings {
        knots: all("knots"),
        penalties: all("penalties"),
        rows_max: count("rows_max"),
        seed: u64::try_from(own["seed"].as_integer().unwrap()).unwrap(),
        outcome_rows_min: count("outcome_rows_min"),
        code_rows_min: count("code_rows_min"),
        income_kept: all("income_kept").try_into().unwrap(),
        income_bounds: all("income_bounds").try_into().unwrap(),
        income_parts: count("income_parts"),
        standard_errors: one("standard_errors"),
        reliability_parts: count("reliability_parts"),
        group_rows_min: count("group_rows_min"),
        alarm_at: one("alarm_at"),
    }
}

fn feature(id: &str, [title, title_en]: [&str; 2], kind: Kind, knots: &[f64]) -> Feature {
    let [id, title, title_en] = [id, title, title_en].map(str::to_owned);
    Feature { id, title, title_en, kind, knots: knots.to_vec() }
}

fn shape() -> Shape {
    let code = |code: u16, title: &str, title_en: &str| Code {
        code,
        title: title.to_owned(),
        title_en: title_en.to_owned(),
    };
    let causes =
        vec![code(1, "因病", "illness"), code(2, "因学", "schooling"), code(3, "缺技术", "skills")];
    let dimension = |id: &str, title: &str| Dimension {
        id: id.to_owned(),
        title: title.to_owned(),
        title_en: id.to_owned(),
    };
    Shape {
        features: vec![
            feature(
                "over",
                ["收入比贫困线", "income compared with the line"],
                Kind::YuanAbove,
                &[0.0],
            ),
            feature("able", ["劳动力", "able members"], Kind::Count, &[]),
            feature("ill", ["有大病成员", "a member gravely ill"], Kind::Flag, &[]),
            feature("cause", ["致贫原因", "cause"], Kind::Code(causes), &[]),
        ],
        dimensions: vec![dimension("township", "乡镇"), dimension("sex", "户主性别")],
        income: 0,
    }
}

/// Chance of a number (splitmix64).
struct Chance(u64);

impl Chance {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / 2f64.powi(32)
    }
}

/// What is told of a household's year.
#[derive(Clone, Debug)]
struct Year {
    household: i64,
    year: i32,
    is_asked: bool,
    state: Option<bool>,
    income: Option<f64>,
    facts: Vec<Option<f64>>,
    groups: [String; 2],
}

/// The true log-odds of the next year's state.
fn truth(facts: &[f64]) -> f64 {
    let cause = if facts[3] < 1.5 {
        -0.6
    } else if facts[3] < 2.5 {
        0.3
    } else {
        0.0
    };
    facts[0].clamp(-2000.0, 2000.0) / 1000.0 + 0.4 * facts[1] - 0.9 * facts[2] + cause - 0.5
}

/// Households of six years from 2010 on, each fact not known in one of twenty cases.
fn world(households: i64, seed: u64) -> Vec<Year> {
    let mut chance = Chance(seed);
    let mut years = Vec::new();
    for household in 0..households {
        let mut log_odds = 0.0;
        for year in 2010..2016 {
            let over = (chance.next() + chance.next() - 1.0) * 3000.0;
            let able = (chance.next() * 4.0).floor();
            let ill = f64::from(u8::from(chance.next() < 0.25));
            let cause = (chance.next() * 3.0).floor() + 1.0;
            let facts = [over, able, ill, cause];
            let state = chance.next() < sigmoid(log_odds);
            let noise = chance.next() + chance.next() - 1.0;
            years.push(Year {
                household,
                year,
                is_asked: true,
                state: Some(state),
                income: Some(3000.0 + 400.0 * log_odds + 500.0 * noise),
                facts: facts.map(|fact| (chance.next() > 0.05).then_some(fact)).to_vec(),
                groups: [
                    format!("乡{}", household % 4),
                    ["男", "女"][usize::from(household % 5 == 0)].to_owned(),
                ],
            });
            log_odds = truth(&facts);
        }
    }
    years
}

fn told(years: &[Year]) -> Result<Panel, Misfit> {
    let mut builder = PanelBuilder::new(shape());
    for own in years {
        let groups = own.groups.each_ref().map(String::as_str);
        let told = Told {
            year: own.year,
            is_asked: own.is_asked,
            state: own.state,
            income_yuan: own.income,
            facts: &own.facts,
            groups: &groups,
        };
        builder.tell(own.household, &told)?;
    }
    Ok(builder.finish())
}

fn panel(years: &[Year]) -> Panel {
    told(years).unwrap()
}

fn threads(count: usize) -> NonZero<usize> {
    NonZero::new(count).unwrap()
}

fn near(one: f64, other: f64, by: f64) {
    assert!((one - other).abs() <= by, "{one} is not within {by} of {other}");
}

//! What the learner is told of a household, and by which groups it is judged. Pure.

use daohu_base::{AreaCode, AreaLevel};
use daohu_census::predict::{Code, Dimension, Feature, Kind, Settings, Shape};
use daohu_policy::{DatedFact, Policy, Prediction, PredictionFeature, Prospect};
use rustc_hash::FxHashMap;

use super::history::Known;

/// What it is judged for bias by; it does not look at these as such. The requirement names them, so they are no choice of a
/// pack: township, sex of the head, ethnic group of the head, size.
const DIMENSIONS: [[&str; 3]; 4] = [
    ["township", "乡镇", "township"],
    ["head_sex", "户主性别", "sex of the head"],
    ["head_ethnic_group", "户主民族", "ethnic group of the head"],
    ["members", "年末家庭人口", "members at the end of the year"],
];

/// What a group is called of which nothing is known.
const UNKNOWN: &str = "未知 not known";

pub(super) fn settings(pack: &Prediction) -> Settings {
    Settings {
        knots: pack.knots.clone(),
        penalties: pack.penalties.clone(),
        rows_max: pack.rows_max,
        seed: pack.seed,
        outcome_rows_min: pack.outcome_rows_min,
        code_rows_min: pack.code_rows_min,
        income_kept: pack.income_kept,
        income_bounds: pack.income_bounds,
        income_parts: pack.income_parts,
        standard_errors: pack.standard_errors,
        reliability_parts: pack.reliability_parts,
        group_rows_min: pack.group_rows_min,
        alarm_at: pack.alarm_at,
    }
}

pub(super) fn shape(policy: &Policy, prospect: Prospect) -> Shape {
    let own: Vec<&PredictionFeature> = policy.prediction().features_of(prospect).collect();
    let feature = |own: &&PredictionFeature| Feature {
        id: own.id.clone(),
        title: own.title.clone(),
        title_en: own.title_en.clone(),
        kind: kind(own.of, policy),
        knots: own.knots.clone(),
    };
    let income = own.iter().position(|own| own.of == DatedFact::OverLine);
    let dimension = |words: [&str; 3]| {
        let [id, title, title_en] = words.map(str::to_owned);
        Dimension { id, title, title_en }
    };
    Shape {
        features: own.iter().map(feature).collect(),
        dimensions: DIMENSIONS.map(dimension).to_vec(),
        // A pack without it is refused.
        income: income.unwrap_or_default(),
    }
}

fn kind(of: DatedFact, policy: &Policy) -> Kind {
    match of {
        DatedFact::OverLine | DatedFact::OverLineBefore | DatedFact::OverLineEarlier => {
            Kind::YuanAbove
        }
        DatedFact::MedicalSelfPaid => Kind::Yuan,
        DatedFact::HasExited => Kind::Flag,
        DatedFact::HeadSex => Kind::Code(codes(policy, "性别")),
        DatedFact::Growth
        | DatedFact::WageShare
        | DatedFact::BusinessShare
        | DatedFact::PropertyShare
        | DatedFact::TransferShare
        | DatedFact::Members
        | DatedFact::HeadAge
        | DatedFact::YearsRegistered
        | DatedFact::YearsSinceExit => Kind::Count,
    }
}

/// The codes of a list. What a code is marked with is its name in English, as far as there is one.
fn codes(policy: &Policy, list: &str) -> Vec<Code> {
    let values = policy.list(list).map_or(&[][..], |list| list.values());
    let code = |value: &daohu_policy::CodeValue| {
        let title_en = value.marks.first().unwrap_or(&value.name).clone();
        Some(Code { code: value.code.parse().ok()?, title: value.name.clone(), title_en })
    };
    values.iter().filter_map(code).collect()
}

/// The names of groups.
pub(super) struct Groups<'p> {
    policy: &'p Policy,
    /// The names of areas, by code.
    areas: FxHashMap<String, String>,
    /// The township of each village that was asked for.
    townships: FxHashMap<String, String>,
}

impl<'p> Groups<'p> {
    pub(super) fn new(policy: &'p Policy, areas: FxHashMap<String, String>) -> Self {
        Self { policy, areas, townships: FxHashMap::default() }
    }

    /// A village's township, code and name.
    pub(super) fn township(&mut self, village: &str) -> &str {
        let areas = &self.areas;
        self.townships.entry(village.to_owned()).or_insert_with(|| {
            let village = AreaCode::parse(village).ok();
            let township = village.and_then(|village| village.at(AreaLevel::Township));
            let Some(code) = township.as_ref().map(AreaCode::as_str) else {
                return UNKNOWN.to_owned();
            };
            areas.get(code).map_or(code.to_owned(), |name| format!("{code} {name}"))
        })
    }

    /// The group of each dimension, of a household in a township.
    pub(super) fn of(&self, township: &str, known: &Known<'_>) -> [String; 4] {
        let (sex, ethnic_group, size) = known.groups();
        let size = size.map_or(UNKNOWN.to_owned(), |size| size.to_string());
        let [sex, ethnic_group] = [("性别", sex), ("民族", ethnic_group)].map(|own| self.code(own));
        [township.to_owned(), sex, ethnic_group, size]
    }

    fn code(&self, (list, code): (&str, Option<i64>)) -> String {
        let code = code.and_then(|code| u8::try_from(code).ok());
        let name = code.and_then(|code| self.policy.list(list)?.name_of(code));
        name.unwrap_or(UNKNOWN).to_owned()
    }
}

//! The policy in force: what packs come to.

use std::collections::BTreeSet;

use daohu_base::{AreaCode, Day};
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Class, CodeList, CostRatio, Coverage, Crosscheck, Crosschecks, Guarantee, Helping,
    HouseholdClass, IncomePart, Indices, Item, Items, Monitoring, Prediction, Role, Rule,
    SecondFactor, Standard, Standing, Value, VillageChecklist, VillageRole, Warning,
    standards::Lines,
};

/// The policy in force.
#[derive(Debug)]
pub struct Policy {
    pub(crate) lists: FxHashMap<String, CodeList>,
    pub(crate) rules: FxHashMap<String, Rule>,
    pub(crate) roles: Vec<Role>,
    pub(crate) security: Security,
    pub(crate) second_factor: SecondFactor,
    pub(crate) accesses: Accesses,
    pub(crate) quality_trend: QualityTrend,
    pub(crate) quality_reports: QualityReports,
    pub(crate) exchange: Exchange,
    pub(crate) helping: Helping,
    pub(crate) crosschecks: Crosschecks,
    pub(crate) village_roles: Vec<VillageRole>,
    pub(crate) village_checklist: VillageChecklist,
    pub(crate) household_classes: Vec<HouseholdClass>,
    pub(crate) monitoring: Monitoring,
    pub(crate) indices: Indices,
    pub(crate) prediction: Prediction,
    pub(crate) standards: Vec<Standard>,
    pub(crate) values: Items<Value>,
    pub(crate) lines: Lines,
    pub(crate) guarantees: Items<Guarantee>,
    pub(crate) classes: Items<Class>,
    pub(crate) warnings: Items<Warning>,
    pub(crate) coverages: Items<Coverage>,
    pub(crate) crosscheck_list: Items<Crosscheck>,
    pub(crate) income_parts: Items<IncomePart>,
    pub(crate) cost_ratios: Items<CostRatio>,
    pub(crate) version: String,
}

/// Limits of sign-in and sessions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct Security {
    pub source: String,
    pub session_idle_minutes: i64,
    pub session_absolute_hours: i64,
    pub password_min_characters: usize,
    pub password_min_classes: usize,
    pub lockout_failures: i64,
    pub lockout_minutes: i64,
    pub sign_in_per_minute_per_address: u32,
    pub password_changes_per_minute: u32,
    pub id_tail_searches_per_minute: u32,
    pub reveals_per_minute: u32,
    pub reveal_reason_min_characters: usize,
    pub idempotency_hours: i64,
}

/// Limits of imports and exports.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct Exchange {
    pub source: String,
    pub upload_bytes_max: u64,
    pub upload_files_max: usize,
    pub files_kept_days: i64,
    pub jobs_kept_days: i64,
    pub jobs_waiting_per_user_max: i64,
    pub job_attempts_max: i64,
    pub disk_spare_bytes: u64,
    pub first_import_bytes_per_csv_byte: u64,
    pub later_import_bytes_per_csv_byte: u64,
    pub sorting_bytes_per_csv_byte: u64,
    pub report_bytes_per_csv_byte: u64,
    pub csv_bytes_per_xlsx_byte: u64,
    pub list_rows_max: usize,
}

/// How long it is known who looked at what, and how finely.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct Accesses {
    pub source: String,
    pub kept_days: i64,
    pub repeat_minutes: i64,
}

/// How long it is known how good records were.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct QualityTrend {
    pub source: String,
    pub kept_days: i64,
}

/// How much one question about quality may take before others have their turn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct QualityReports {
    pub source: String,
    pub turns_left: usize,
    pub page_records_max: usize,
    pub file_records_max: usize,
}

/// A pack cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct BadPack {
    /// The file, relative to the pack.
    pub file: String,
    /// Why, with the line where there is one.
    pub reason: String,
}

impl BadPack {
    /// What is wrong at a line of a file, in both languages.
    pub fn at(file: &str, line: usize, zh: &str, en: &str) -> Self {
        Self { file: file.to_owned(), reason: format!("line {line}: {zh} | {en}") }
    }
}

impl Policy {
    /// The code list of this name.
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        self.lists.get(name)
    }

    /// All code lists, by name.
    pub fn lists(&self) -> Vec<&CodeList> {
        let mut lists: Vec<&CodeList> = self.lists.values().collect();
        lists.sort_by_key(|list| list.name());
        lists
    }

    /// The quality rule with this id; none where no pack has it, and then it is not checked.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// The role of this name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// All roles.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Limits of sign-in and sessions.
    pub fn security(&self) -> &Security {
        &self.security
    }

    /// How much one cadre answers for.
    pub fn helping(&self) -> &Helping {
        &self.helping
    }

    /// What tells these packs from others: sixteen digits of their digest.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The amounts that differ by year and area.
    pub fn standards(&self) -> &[Standard] {
        &self.standards
    }

    /// The values of the standards.
    pub fn values(&self) -> &Items<Value> {
        &self.values
    }

    /// The amount of a standard in an area on a day, money in fen; none where no pack has it.
    pub fn amount(&self, standard: &str, area: &str, on: Day) -> Option<f64> {
        self.values.find(standard, area, on)?.amount
    }

    /// The poverty line of a year in an area, in fen a person; none where no pack has it.
    pub fn poverty_line_fen(&self, area: &str, year: i64) -> Option<i64> {
        self.lines.find(area, year)
    }

    /// The classes that poor households are helped by.
    pub fn household_classes(&self) -> &[HouseholdClass] {
        &self.household_classes
    }

    /// What a household must have, by area and time.
    pub fn guarantees(&self) -> &Items<Guarantee> {
        &self.guarantees
    }

    /// What households are by rule, by area and time.
    pub fn classes(&self) -> &Items<Class> {
        &self.classes
    }

    /// What somebody must look after, by area and time.
    pub fn warnings(&self) -> &Items<Warning> {
        &self.warnings
    }

    /// What certain households must have, by area and time.
    pub fn coverages(&self) -> &Items<Coverage> {
        &self.coverages
    }

    /// By what figures of poverty are told.
    pub fn indices(&self) -> &Indices {
        &self.indices
    }

    /// What is looked up in lists of departments, by area and time.
    pub fn crosscheck_list(&self) -> &Items<Crosscheck> {
        &self.crosscheck_list
    }

    /// Which parts of income count, by area and time; what nobody speaks of does.
    pub fn income_parts(&self) -> &Items<IncomePart> {
        &self.income_parts
    }

    /// What stands for costs that nobody booked, by area and time.
    pub fn cost_ratios(&self) -> &Items<CostRatio> {
        &self.cost_ratios
    }

    /// How such lists are read, and leads closed.
    pub fn crosschecks(&self) -> &Crosschecks {
        &self.crosschecks
    }

    /// How households are watched.
    pub fn monitoring(&self) -> &Monitoring {
        &self.monitoring
    }

    /// How the next year of households is predicted.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    /// Where and when each guarantee, class, warning and coverage holds.
    pub fn judged(&self) -> impl Iterator<Item = &Standing> {
        let guarantees = self.guarantees.all().iter().map(Item::standing);
        let classes = self.classes.all().iter().map(Item::standing);
        let warnings = self.warnings.all().iter().map(Item::standing);
        let coverages = self.coverages.all().iter().map(Item::standing);
        guarantees.chain(classes).chain(warnings).chain(coverages)
    }

    /// The areas of which packs say something of their own, by code.
    pub fn areas(&self) -> Vec<&AreaCode> {
        let checks = self.crosscheck_list.all().iter().map(Item::standing);
        let all = self.values.all().iter().map(Item::standing).chain(self.judged()).chain(checks);
        let areas: BTreeSet<&AreaCode> = all.filter_map(|own| own.area.as_ref()).collect();
        areas.into_iter().collect()
    }

    /// All quality rules, by id.
    pub fn rules(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = self.rules.values().collect();
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        rules
    }

    /// Whom every poor village must have.
    pub fn village_roles(&self) -> &[VillageRole] {
        &self.village_roles
    }

    /// What every village is to have.
    pub fn village_checklist(&self) -> &VillageChecklist {
        &self.village_checklist
    }

    /// What one-time codes are made and checked by.
    pub fn second_factor(&self) -> &SecondFactor {
        &self.second_factor
    }

    /// How long it is known who looked at what.
    pub fn accesses(&self) -> &Accesses {
        &self.accesses
    }

    /// How long it is known how good records were.
    pub fn quality_trend(&self) -> &QualityTrend {
        &self.quality_trend
    }

    /// How much one question about quality may take.
    pub fn quality_reports(&self) -> &QualityReports {
        &self.quality_reports
    }

    /// Limits of imports and exports.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_packs_are_whole() {
        let policy = Policy::embedded().unwrap();
        assert_eq!(policy.list("贫困户属性").unwrap().parse("五保户"), Ok(3));
        assert_eq!(policy.list("民族").unwrap().values().len(), 56);
        assert_eq!(policy.rule("R01").unwrap().level, crate::Level::Reject);
        assert!(policy.roles().iter().filter(|role| role.exclusive).count() == 3);
    }

    #[test]
    fn administrators_and_who_may_see_or_replace_a_countys_numbers_need_a_second_factor() {
        let policy = Policy::embedded().unwrap();
        for role in policy.roles() {
            let needs = role.exclusive || role.allows(crate::Right::RegistryReveal);
            assert_eq!(role.needs_second_factor, needs, "{}", role.name);
        }
    }

    #[test]
    fn one_time_codes_that_prove_nothing_are_refused() {
        let pack = include_str!("../../../policies/national/security.toml");
        for (good, bad, says) in [
            ("digits = 6", "digits = 5", "digits"),
            ("digits = 6", "digits = 10", "digits"),
            ("secret_bytes = 20", "secret_bytes = 8", "secret_bytes"),
            ("step_seconds = 30", "step_seconds = 0", "step_seconds"),
            ("skew_steps = 1", "skew_steps = -1", "skew_steps"),
            ("\"SHA1\"", "\"MD5\"", "MD5"),
        ] {
            assert!(pack.contains(good));
            let error = Policy::embedded_and([("x.toml", pack.replace(good, bad).as_str())]);
            let error = error.unwrap_err();
            assert!(error.file == "x.toml" && error.reason.contains(says), "{error}");
        }
    }

    #[test]
    fn a_pack_that_does_not_parse_names_its_file() {
        let error = Policy::read(&[vec![("x/y.toml", "[[list]]\nname = 3")]]).unwrap_err();
        assert_eq!(error.file, "x/y.toml");
        assert!(error.reason.contains("line 2"), "{}", error.reason);
    }

    const R10: &str = "[[rule]]\nid = 'R10'\nlevel = 'warn'\nsays = '月数'\nsays_en = 'months'\n\
                       source = 'a test'\nneeds = ['persons']\nbounds = { months_min = 1, months_max = 11 }\n";

    #[test]
    fn what_a_later_pack_says_goes_before_item_by_item() {
        let role =
            "[[role]]\nname = 'audit_admin'\ntitle = '审计'\ntitle_en = 'audit'\nrights = []\n";
        let policy = Policy::embedded_and([("x.toml", R10), ("y.toml", role)]).unwrap();
        let (rule, before) = (policy.rule("R10").unwrap(), Policy::embedded().unwrap());
        assert_eq!(rule.says_en, "months");
        assert_ne!(rule.bounds, before.rule("R10").unwrap().bounds);
        for (months, admitted) in [(0, false), (1, true), (11, true), (12, false)] {
            assert_eq!(rule.bounds("months").admit(months), admitted, "{months}");
        }
        assert!(rule.bounds("month").admit(12), "another figure");
        assert!(policy.rule("R11").is_some(), "what it does not say stays");
        assert_eq!(policy.role("audit_admin").unwrap().title_en, "audit");
        assert_eq!(policy.roles().len(), before.roles().len());
    }

    #[test]
    fn a_pack_that_says_one_thing_twice_is_refused() {
        let error = Policy::embedded_and([("x.toml", [R10, R10].concat().as_str())]).unwrap_err();
        assert_eq!(
            (error.file.as_str(), error.reason.as_str()),
            ("x.toml", "R10 stands here twice")
        );
    }
}

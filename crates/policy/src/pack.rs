//! Reading packs.

use daohu_base::Day;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::{
    CodeList, CodeValue, Guarantee, Helping, HouseholdClass, Role, Rule, SecondFactor,
    VillageChecklist, VillageGroup, VillageItem, VillageRole, guarantees::Written,
};

/// The files that every installation starts with.
const EMBEDDED: [(&str, &str); 10] = [
    ("national/classes.toml", include_str!("../../../policies/national/classes.toml")),
    ("national/codes.toml", include_str!("../../../policies/national/codes.toml")),
    ("national/exchange.toml", include_str!("../../../policies/national/exchange.toml")),
    ("national/guarantees.toml", include_str!("../../../policies/national/guarantees.toml")),
    ("national/helping.toml", include_str!("../../../policies/national/helping.toml")),
    ("national/lines.toml", include_str!("../../../policies/national/lines.toml")),
    ("national/quality.toml", include_str!("../../../policies/national/quality.toml")),
    ("national/roles.toml", include_str!("../../../policies/national/roles.toml")),
    ("national/security.toml", include_str!("../../../policies/national/security.toml")),
    ("national/villages.toml", include_str!("../../../policies/national/villages.toml")),
];

/// The policy in force.
#[derive(Debug)]
pub struct Policy {
    lists: FxHashMap<String, CodeList>,
    rules: FxHashMap<String, Rule>,
    roles: Vec<Role>,
    security: Security,
    second_factor: SecondFactor,
    accesses: Accesses,
    quality_trend: QualityTrend,
    quality_reports: QualityReports,
    exchange: Exchange,
    helping: Helping,
    village_roles: Vec<VillageRole>,
    village_checklist: VillageChecklist,
    lines: Vec<Line>,
    classes: Vec<HouseholdClass>,
    guarantees: Vec<Guarantee>,
}

/// What a person must have in a year so as not to be poor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    year: i64,
    yuan: i64,
    #[serde(rename = "source")]
    _source: String,
}

/// Limits of sign-in and sessions.
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct Accesses {
    pub source: String,
    pub kept_days: i64,
    pub repeat_minutes: i64,
}

/// How long it is known how good records were.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct QualityTrend {
    pub source: String,
    pub kept_days: i64,
}

/// How much one question about quality may take before others have their turn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct QualityReports {
    pub source: String,
    pub turns_left: usize,
    pub page_records_max: usize,
    pub file_records_max: usize,
}

/// A pack cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct BadPack {
    /// The file, relative to the pack.
    pub file: String,
    /// Why, with the line where there is one.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    list: Vec<List>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    role: Vec<Role>,
    security: Option<Security>,
    second_factor: Option<SecondFactor>,
    accesses: Option<Accesses>,
    quality_trend: Option<QualityTrend>,
    quality_reports: Option<QualityReports>,
    exchange: Option<Exchange>,
    helping: Option<Helping>,
    #[serde(default)]
    village_role: Vec<VillageRole>,
    #[serde(default)]
    village_group: Vec<VillageGroup>,
    #[serde(default)]
    village_item: Vec<VillageItem>,
    #[serde(default)]
    line: Vec<Line>,
    #[serde(default)]
    household_class: Vec<HouseholdClass>,
    #[serde(default)]
    guarantee: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    values: Vec<CodeValue>,
}

impl File {
    /// What stands in one file twice was meant to be two things, or one of them is forgotten.
    fn check_names(&self) -> Result<(), String> {
        let names = self.list.iter().map(|list| &list.name);
        let named = names.chain(self.rule.iter().map(|rule| &rule.id));
        check_once(named.chain(self.role.iter().map(|role| &role.name)).cloned())
    }
}

/// Refuses a name that stands in a file twice.
pub(crate) fn check_once(names: impl Iterator<Item = String>) -> Result<(), String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    match names.array_windows().find(|[one, next]| one == next) {
        Some([name, _]) => Err(format!("{name} stands here twice")),
        None => Ok(()),
    }
}

impl Policy {
    /// The packs that the program carries.
    pub fn embedded() -> Result<Self, BadPack> {
        Self::read(EMBEDDED)
    }

    /// The packs that the program carries, and others that go before them, item by item.
    pub fn embedded_and<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, BadPack> {
        Self::read(EMBEDDED.into_iter().chain(files))
    }

    /// Reads packs from pairs of file name and text.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, BadPack> {
        let (mut lists, mut rules) = (FxHashMap::default(), FxHashMap::default());
        let (mut roles, mut village_roles) = (Vec::new(), Vec::new());
        let mut lines: Vec<Line> = Vec::new();
        let mut classes: Vec<HouseholdClass> = Vec::new();
        let mut guarantees: Vec<Guarantee> = Vec::new();
        let (mut security, mut second_factor, mut exchange) = (None, None, None);
        let (mut helping, mut accesses, mut checklist) = (None, None, None);
        let (mut quality_trend, mut quality_reports) = (None, None);
        for (name, text) in files {
            let bad = |reason: String| BadPack { file: name.to_owned(), reason };
            let file: File = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
            file.check_names().map_err(bad)?;
            for list in file.list {
                let list = CodeList::new(list.name, list.values).map_err(bad)?;
                lists.insert(list.name().to_owned(), list);
            }
            rules.extend(file.rule.into_iter().map(|rule| (rule.id.clone(), rule)));
            roles.retain(|role: &Role| file.role.iter().all(|other| other.name != role.name));
            roles.extend(file.role);
            // Who a village must have is one list: an area's own goes before the whole of it.
            if !file.village_role.is_empty() {
                village_roles = file.village_role;
            }
            let own = VillageChecklist::of_file(name, file.village_group, file.village_item);
            checklist = own.map_err(bad)?.or(checklist);
            helping = file.helping.or(helping);
            lines.retain(|line| file.line.iter().all(|other| other.year != line.year));
            lines.extend(file.line);
            let again = |class: &HouseholdClass| {
                file.household_class.iter().any(|other| other.name == class.name)
            };
            classes.retain(|class| !again(class));
            classes.extend(file.household_class);
            let own = file.guarantee.into_iter().map(|written| written.of_file((name, text)));
            let own: Vec<Guarantee> = own.collect();
            Guarantee::check(&own).map_err(bad)?;
            guarantees.retain(|before| own.iter().all(|other| other.id != before.id));
            guarantees.extend(own);
            security = file.security.or(security);
            file.second_factor.as_ref().map_or(Ok(()), SecondFactor::check).map_err(bad)?;
            second_factor = file.second_factor.or(second_factor);
            accesses = file.accesses.or(accesses);
            quality_trend = file.quality_trend.or(quality_trend);
            quality_reports = file.quality_reports.or(quality_reports);
            exchange = file.exchange.or(exchange);
        }
        let missing = |name: &str| BadPack {
            file: format!("{name}.toml"),
            reason: format!("no [{name}] table in any file"),
        };
        let security = security.ok_or_else(|| missing("security"))?;
        let second_factor = second_factor.ok_or_else(|| missing("second_factor"))?;
        let accesses = accesses.ok_or_else(|| missing("accesses"))?;
        let quality_trend = quality_trend.ok_or_else(|| missing("quality_trend"))?;
        let quality_reports = quality_reports.ok_or_else(|| missing("quality_reports"))?;
        let exchange = exchange.ok_or_else(|| missing("exchange"))?;
        let helping = helping.ok_or_else(|| missing("helping"))?;
        Ok(Self {
            lists,
            rules,
            roles,
            security,
            second_factor,
            accesses,
            quality_trend,
            quality_reports,
            exchange,
            helping,
            village_roles,
            village_checklist: checklist.unwrap_or_default(),
            lines,
            classes,
            guarantees,
        })
    }

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

    /// The poverty line of a year, in fen a person; none where no pack has it.
    pub fn poverty_line_fen(&self, year: i64) -> Option<i64> {
        let line = self.lines.iter().find(|line| line.year == year)?;
        line.yuan.checked_mul(100)
    }

    /// The classes that poor households are helped by.
    pub fn household_classes(&self) -> &[HouseholdClass] {
        &self.classes
    }

    /// What a household must have at some time, in the order of the packs.
    pub fn all_guarantees(&self) -> Vec<&Guarantee> {
        self.guarantees.iter().collect()
    }

    /// What a household must have on a day, in the order of the packs.
    pub fn guarantees(&self, on: Day) -> Vec<&Guarantee> {
        self.guarantees.iter().filter(|guarantee| guarantee.is_in_force(on)).collect()
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
        let error = Policy::read([("x/y.toml", "[[list]]\nname = 3")]).unwrap_err();
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

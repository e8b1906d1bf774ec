//! Reading packs: files become a policy, or are refused with file, line and reason.

use std::mem::take;

use daohu_base::AreaCode;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    Accesses, BadPack, Class, CodeList, CodeValue, CostRatio, Coverage, Crosscheck, Crosschecks,
    Exchange, Guarantee, Helping, HouseholdClass, IncomePart, Indices, Monitoring, Policy,
    Prediction, QualityReports, QualityTrend, Role, Rule, SecondFactor, Security, Standard, Value,
    VillageChecklist, VillageGroup, VillageItem, VillageRole, Warning,
    incomes::{WrittenPart, WrittenRatio},
    items::{FileOf, Items},
    judgements::{
        WrittenClass, WrittenCoverage, WrittenCrosscheck, WrittenGuarantee, WrittenWarning,
    },
    standards::{Lines, WrittenValue, check_floors},
};

/// Bytes of the digest that tell one set of packs from another.
const VERSION_BYTES: usize = 8;

/// The files that every installation starts with.
static EMBEDDED: [(&str, &str); 34] = [
    ("national/classes.toml", include_str!("../../../policies/national/classes.toml")),
    ("national/codes.toml", include_str!("../../../policies/national/codes.toml")),
    ("national/coverage.toml", include_str!("../../../policies/national/coverage.toml")),
    ("national/incomes.toml", include_str!("../../../policies/national/incomes.toml")),
    ("chuxiong/incomes.toml", include_str!("../../../policies/chuxiong/incomes.toml")),
    ("national/crosschecks.toml", include_str!("../../../policies/national/crosschecks.toml")),
    ("national/derived.toml", include_str!("../../../policies/national/derived.toml")),
    ("national/exchange.toml", include_str!("../../../policies/national/exchange.toml")),
    ("national/guarantees.toml", include_str!("../../../policies/national/guarantees.toml")),
    ("national/helping.toml", include_str!("../../../policies/national/helping.toml")),
    ("national/indices.toml", include_str!("../../../policies/national/indices.toml")),
    ("national/lines.toml", include_str!("../../../policies/national/lines.toml")),
    ("national/monitoring.toml", include_str!("../../../policies/national/monitoring.toml")),
    ("national/prediction.toml", include_str!("../../../policies/national/prediction.toml")),
    ("national/quality.toml", include_str!("../../../policies/national/quality.toml")),
    ("national/relapse.toml", include_str!("../../../policies/national/relapse.toml")),
    ("national/roles.toml", include_str!("../../../policies/national/roles.toml")),
    ("national/security.toml", include_str!("../../../policies/national/security.toml")),
    ("national/standards.toml", include_str!("../../../policies/national/standards.toml")),
    ("national/villages.toml", include_str!("../../../policies/national/villages.toml")),
    ("national/warnings.toml", include_str!("../../../policies/national/warnings.toml")),
    ("chongqing/coverage.toml", include_str!("../../../policies/chongqing/coverage.toml")),
    ("chongqing/lines.toml", include_str!("../../../policies/chongqing/lines.toml")),
    ("chongqing/standards.toml", include_str!("../../../policies/chongqing/standards.toml")),
    ("guizhou/coverage.toml", include_str!("../../../policies/guizhou/coverage.toml")),
    ("guizhou/lines.toml", include_str!("../../../policies/guizhou/lines.toml")),
    ("guizhou/standards.toml", include_str!("../../../policies/guizhou/standards.toml")),
    ("linshui/coverage.toml", include_str!("../../../policies/linshui/coverage.toml")),
    ("mojiang/coverage.toml", include_str!("../../../policies/mojiang/coverage.toml")),
    ("sichuan/lines.toml", include_str!("../../../policies/sichuan/lines.toml")),
    ("sichuan/standards.toml", include_str!("../../../policies/sichuan/standards.toml")),
    ("youyang/coverage.toml", include_str!("../../../policies/youyang/coverage.toml")),
    ("yunnan/lines.toml", include_str!("../../../policies/yunnan/lines.toml")),
    ("yunnan/standards.toml", include_str!("../../../policies/yunnan/standards.toml")),
];

/// Files of one pack, by name, with their texts.
pub type Files<'a> = Vec<(&'a str, &'a str)>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    area: Option<String>,
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
    crosschecks: Option<Crosschecks>,
    #[serde(default)]
    village_role: Vec<VillageRole>,
    #[serde(default)]
    village_group: Vec<VillageGroup>,
    #[serde(default)]
    village_item: Vec<VillageItem>,
    #[serde(default)]
    household_class: Vec<HouseholdClass>,
    monitoring: Option<Monitoring>,
    indices: Option<Indices>,
    prediction: Option<Prediction>,
    #[serde(default)]
    standard: Vec<Standard>,
    #[serde(default)]
    value: Vec<WrittenValue>,
    #[serde(default)]
    guarantee: Vec<WrittenGuarantee>,
    #[serde(default)]
    class: Vec<WrittenClass>,
    #[serde(default)]
    warning: Vec<WrittenWarning>,
    #[serde(default)]
    coverage: Vec<WrittenCoverage>,
    #[serde(default)]
    crosscheck: Vec<WrittenCrosscheck>,
    #[serde(default)]
    income_part: Vec<WrittenPart>,
    #[serde(default)]
    cost_ratio: Vec<WrittenRatio>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    values: Vec<CodeValue>,
}

/// A file, and where it is from.
struct FileText<'a> {
    pack: usize,
    name: &'a str,
    text: &'a str,
    area: Option<AreaCode>,
}

impl File {
    /// The area that the file is for, which then says nothing that holds for the whole installation.
    fn area(&self) -> Result<Option<AreaCode>, String> {
        let Some(text) = &self.area else { return Ok(None) };
        let area = AreaCode::parse(text)
            .map_err(|_| format!("area {text}：不是区划代码 | this is no area code"))?;
        let tables = [
            ("list", self.list.is_empty()),
            ("rule", self.rule.is_empty()),
            ("role", self.role.is_empty()),
            ("security", self.security.is_none()),
            ("second_factor", self.second_factor.is_none()),
            ("accesses", self.accesses.is_none()),
            ("quality_trend", self.quality_trend.is_none()),
            ("quality_reports", self.quality_reports.is_none()),
            ("exchange", self.exchange.is_none()),
            ("helping", self.helping.is_none()),
            ("crosschecks", self.crosschecks.is_none()),
            ("village_role", self.village_role.is_empty()),
            ("village_group", self.village_group.is_empty()),
            ("village_item", self.village_item.is_empty()),
            ("household_class", self.household_class.is_empty()),
            ("monitoring", self.monitoring.is_none()),
            ("indices", self.indices.is_none()),
            ("prediction", self.prediction.is_none()),
            ("standard", self.standard.is_empty()),
        ];
        match tables.into_iter().find(|(_, is_absent)| !is_absent) {
            Some((table, _)) => Err(format!(
                "[{table}] 对全系统生效，请放到没有 area 的文件里 | [{table}] holds for the whole \
                 installation: put it into a file without `area`"
            )),
            None => Ok(Some(area)),
        }
    }

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

/// What packs come to while they are read.
#[derive(Default)]
struct Reading {
    lists: FxHashMap<String, CodeList>,
    rules: FxHashMap<String, Rule>,
    roles: Vec<Role>,
    village_roles: Vec<VillageRole>,
    household_classes: Vec<HouseholdClass>,
    standards: Vec<Standard>,
    values: Items<Value>,
    guarantees: Items<Guarantee>,
    classes: Items<Class>,
    warnings: Items<Warning>,
    coverages: Items<Coverage>,
    crosscheck_list: Items<Crosscheck>,
    income_parts: Items<IncomePart>,
    cost_ratios: Items<CostRatio>,
    checklist: Option<VillageChecklist>,
    security: Option<Security>,
    second_factor: Option<SecondFactor>,
    accesses: Option<Accesses>,
    quality_trend: Option<QualityTrend>,
    quality_reports: Option<QualityReports>,
    exchange: Option<Exchange>,
    helping: Option<Helping>,
    crosschecks: Option<Crosschecks>,
    monitoring: Option<Monitoring>,
    indices: Option<Indices>,
    prediction: Option<Prediction>,
}

impl Reading {
    /// What holds for the whole installation.
    fn whole(&mut self, name: &str, file: &mut File) -> Result<(), String> {
        for list in take(&mut file.list) {
            let list = CodeList::new(list.name, list.values)?;
            self.lists.insert(list.name().to_owned(), list);
        }
        self.rules.extend(file.rule.drain(..).map(|rule| (rule.id.clone(), rule)));
        replace(&mut self.roles, &mut file.role, |role| &role.name);
        replace(&mut self.household_classes, &mut file.household_class, |class| &class.name);
        // Who a village must have is one list: an own one goes before the whole of it.
        if !file.village_role.is_empty() {
            self.village_roles = take(&mut file.village_role);
        }
        let (groups, items) = (take(&mut file.village_group), take(&mut file.village_item));
        let own = VillageChecklist::of_file(name, groups, items)?;
        self.checklist = own.or(self.checklist.take());
        file.second_factor.as_ref().map_or(Ok(()), SecondFactor::check)?;
        file.prediction.as_ref().map_or(Ok(()), Prediction::check)?;
        instead(&mut self.prediction, &mut file.prediction);
        instead(&mut self.helping, &mut file.helping);
        instead(&mut self.crosschecks, &mut file.crosschecks);
        instead(&mut self.security, &mut file.security);
        instead(&mut self.second_factor, &mut file.second_factor);
        instead(&mut self.accesses, &mut file.accesses);
        instead(&mut self.quality_trend, &mut file.quality_trend);
        instead(&mut self.quality_reports, &mut file.quality_reports);
        instead(&mut self.exchange, &mut file.exchange);
        instead(&mut self.monitoring, &mut file.monitoring);
        instead(&mut self.indices, &mut file.indices);
        Ok(())
    }

    /// What may differ by area.
    fn items(&mut self, file: &mut File, of: FileOf<'_>) -> Result<(), BadPack> {
        for value in file.value.drain(..) {
            self.values.add([value.of_file(&self.standards, of)?]);
        }
        for guarantee in file.guarantee.drain(..) {
            self.guarantees.add([guarantee.of_file(of)?]);
        }
        for class in file.class.drain(..) {
            self.classes.add([class.of_file(of)?]);
        }
        for warning in file.warning.drain(..) {
            self.warnings.add([warning.of_file(of)?]);
        }
        for coverage in file.coverage.drain(..) {
            self.coverages.add([coverage.of_file(of)?]);
        }
        for crosscheck in file.crosscheck.drain(..) {
            self.crosscheck_list.add([crosscheck.of_file(of)?]);
        }
        for part in file.income_part.drain(..) {
            self.income_parts.add([part.of_file(of)?]);
        }
        for ratio in file.cost_ratio.drain(..) {
            self.cost_ratios.add([ratio.of_file(of)?]);
        }
        Ok(())
    }

    fn finish(self, version: String) -> Result<Policy, BadPack> {
        self.values.check_once()?;
        self.guarantees.check_once()?;
        self.classes.check_once()?;
        self.warnings.check_once()?;
        self.coverages.check_once()?;
        self.crosscheck_list.check_once()?;
        self.income_parts.check_once()?;
        self.cost_ratios.check_once()?;
        Crosscheck::check_all(&self.crosscheck_list, &self.standards)?;
        check_floors(&self.standards, &self.values)?;
        Ok(Policy {
            lists: self.lists,
            rules: self.rules,
            roles: self.roles,
            security: given(self.security, "security")?,
            second_factor: given(self.second_factor, "second_factor")?,
            accesses: given(self.accesses, "accesses")?,
            quality_trend: given(self.quality_trend, "quality_trend")?,
            quality_reports: given(self.quality_reports, "quality_reports")?,
            exchange: given(self.exchange, "exchange")?,
            helping: given(self.helping, "helping")?,
            crosschecks: given(self.crosschecks, "crosschecks")?,
            village_roles: self.village_roles,
            village_checklist: self.checklist.unwrap_or_default(),
            household_classes: self.household_classes,
            monitoring: given(self.monitoring, "monitoring")?,
            indices: given(self.indices, "indices")?,
            prediction: given(self.prediction, "prediction")?,
            standards: self.standards,
            lines: Lines::of(&self.values),
            values: self.values,
            guarantees: self.guarantees,
            classes: self.classes,
            warnings: self.warnings,
            coverages: self.coverages,
            crosscheck_list: self.crosscheck_list,
            income_parts: self.income_parts,
            cost_ratios: self.cost_ratios,
            version,
        })
    }
}

/// What a file says goes before what was said.
fn instead<T>(before: &mut Option<T>, own: &mut Option<T>) {
    *before = own.take().or(before.take());
}

/// What a file says goes before what was said of the same name.
fn replace<T>(all: &mut Vec<T>, own: &mut Vec<T>, name: fn(&T) -> &String) {
    all.retain(|before| own.iter().all(|other| name(other) != name(before)));
    all.append(own);
}

/// A table that some file must have.
fn given<T>(table: Option<T>, name: &str) -> Result<T, BadPack> {
    table.ok_or_else(|| BadPack {
        file: format!("{name}.toml"),
        reason: format!("no [{name}] table in any file"),
    })
}

/// The area that a file of a pack is for; none of one that holds for the whole installation.
pub fn area_of_file(name: &str, text: &str) -> Result<Option<AreaCode>, BadPack> {
    let bad = |reason: String| BadPack { file: name.to_owned(), reason };
    let file: File = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
    file.area().map_err(bad)
}

impl Policy {
    /// The packs that the program carries.
    pub fn embedded() -> Result<Self, BadPack> {
        Self::read(&[EMBEDDED.into()])
    }

    /// The files that the program carries, with their texts.
    pub fn shipped() -> &'static [(&'static str, &'static str)] {
        &EMBEDDED
    }

    /// The packs that the program carries, and another that goes before them, item by item.
    pub fn embedded_and<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, BadPack> {
        Self::read(&[EMBEDDED.into(), files.into_iter().collect()])
    }

    /// The packs that the program carries, and others, of which a later one goes before an earlier one, item by item.
    pub fn embedded_under(packs: &[Files<'_>]) -> Result<Self, BadPack> {
        let all: Vec<Files<'_>> =
            std::iter::once(EMBEDDED.into()).chain(packs.iter().cloned()).collect();
        Self::read(&all)
    }

    /// Reads packs: of each item, what the nearest area says goes first, then what the last pack says.
    pub fn read(packs: &[Files<'_>]) -> Result<Self, BadPack> {
        let mut digest = Sha256::new();
        let mut reading = Reading::default();
        let mut parsed: Vec<(FileText<'_>, File)> = Vec::new();
        for (pack, files) in packs.iter().enumerate() {
            for (name, text) in files.iter().copied() {
                for part in [name, text] {
                    digest.update(part.len().to_le_bytes());
                    digest.update(part);
                }
                let bad = |reason: String| BadPack { file: name.to_owned(), reason };
                let mut file: File = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
                let area = file.area().map_err(bad)?;
                file.check_names().map_err(bad)?;
                replace(&mut reading.standards, &mut file.standard, |standard| &standard.id);
                file.monitoring.as_ref().map_or(Ok(()), |own| own.check(name))?;
                file.indices.as_ref().map_or(Ok(()), |own| own.check(name))?;
                reading.whole(name, &mut file).map_err(bad)?;
                parsed.push((FileText { pack, name, text, area }, file));
            }
        }
        for (of, file) in &mut parsed {
            let FileText { pack, name, text, area } = of;
            reading.items(file, FileOf { name, text, area: area.as_ref(), pack: *pack })?;
        }
        let digest = digest.finalize();
        let version = digest.iter().take(VERSION_BYTES).map(|byte| format!("{byte:02x}")).collect();
        reading.finish(version)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    #[test]
    fn the_program_carries_all_files_of_the_folder() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"));
        let mut there = BTreeMap::new();
        for pack in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if !pack.is_dir() {
                continue;
            }
            for file in fs::read_dir(pack).unwrap().map(|entry| entry.unwrap().path()) {
                let name = file.strip_prefix(folder).unwrap().display().to_string();
                there.insert(name, fs::read_to_string(file).unwrap());
            }
        }
        let carried: BTreeMap<String, String> = Policy::shipped()
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(carried, there);
    }
}

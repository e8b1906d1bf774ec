//! Standards: amounts that differ by year and area, such as the poverty line.

use std::{cmp::Reverse, collections::BTreeSet};

use daohu_base::{AreaCode, Day};
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::{
    BadPack,
    expr::Unit,
    items::{Days, FileOf, Item, Items, Standing},
};

/// Fen of one yuan.
const FEN: f64 = 100.0;

/// What an amount is: its values stand apart, by year and area.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// As expressions name it: `line` …
    pub id: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// What it counts.
    pub unit: Unit,
    /// What an area's own value may be beside that of the area above.
    #[serde(default)]
    pub local: Local,
}

/// What an area's own value may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Local {
    /// Any.
    #[default]
    Any,
    /// Not below that of the area above it.
    NotBelow,
}

/// A value of a standard, for some days.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The standard's id.
    pub of: String,
    /// In the unit of the standard, amounts of money in fen; none where it is still to be set.
    pub amount: Option<f64>,
    /// Where and when.
    pub standing: Standing,
}

/// A value as a file has it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenValue {
    #[schemars(with = "String")]
    of: Spanned<String>,
    year: Option<i64>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    since: Option<Day>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    until: Option<Day>,
    value: Option<f64>,
    #[serde(default)]
    open: bool,
    source: String,
}

impl Item for Value {
    fn id(&self) -> &str {
        &self.of
    }

    fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl WrittenValue {
    /// The value, if its standard is known and the amount can be one of it.
    pub(crate) fn of_file(
        self,
        standards: &[Standard],
        file: FileOf<'_>,
    ) -> Result<Value, BadPack> {
        let (start, of) = (self.of.span().start, self.of.into_inner());
        let line = file.line(start);
        let Some(standard) = standards.iter().find(|standard| standard.id == of) else {
            let known: Vec<&str> = standards.iter().map(|own| own.id.as_str()).collect();
            let known = known.join(", ");
            let zh = format!("没有标准 {of}，有：{known}");
            return Err(file.bad(
                line,
                &zh,
                &format!("there is no standard {of}; there are: {known}"),
            ));
        };
        let days = Days { year: self.year, since: self.since, until: self.until };
        let amount = match (self.value, standard.unit) {
            (Some(yuan), Unit::Yuan) => {
                let fen = (yuan * FEN).round();
                if !yuan.is_finite() || (fen - yuan * FEN).abs() > 1e-6 * FEN {
                    return Err(file.bad(
                        line,
                        "金额最多两位小数",
                        "amounts have two decimals at most",
                    ));
                }
                Some(fen)
            }
            (value, _) => value.filter(|value| value.is_finite()),
        };
        if amount.is_none() && !self.open {
            let zh = "没有 value；还没有确定的值请写 open = true";
            return Err(file.bad(
                line,
                zh,
                "no value: write open = true where it is still to be set",
            ));
        }
        let standing = file.standing(start, days, (self.source, self.open))?;
        Ok(Value { of, amount, standing })
    }
}

impl Standard {
    /// The amount as people write it: yuan, not fen.
    pub fn written(&self, amount: f64) -> String {
        let amount = if self.unit == Unit::Yuan { amount / FEN } else { amount };
        amount.to_string()
    }
}

/// The poverty line of each year for which packs give one, looked up once: millions of incomes are compared with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(FxHashMap<i64, Vec<(Option<AreaCode>, i64)>>);

impl Lines {
    /// The lines as they are at the end of each year.
    pub(crate) fn of(values: &Items<Value>) -> Self {
        let of_line = || values.all().iter().filter(|value| value.of == "line");
        let ends = |value: &Value| [value.standing.since, value.standing.until];
        let years: BTreeSet<i64> = of_line().flat_map(ends).flatten().map(Day::year).collect();
        let mut lines = FxHashMap::default();
        let Some((first, last)) = years.first().zip(years.last()) else { return Self(lines) };
        for year in *first..=*last {
            let Some(on) = Day::new(year, 12, 31) else { continue };
            let areas: BTreeSet<Option<&AreaCode>> =
                of_line().map(|value| value.standing.area.as_ref()).collect();
            let of_area = |area: Option<&AreaCode>| {
                let value = values.find("line", area.map_or("", AreaCode::as_str), on)?;
                let is_own = value.standing.area.as_ref() == area;
                #[expect(clippy::cast_possible_truncation, reason = "whole fen below 2^53")]
                let fen = value.amount.filter(|_| is_own)? as i64;
                Some((area.cloned(), fen))
            };
            let mut own: Vec<_> = areas.into_iter().filter_map(of_area).collect();
            // The nearest first: its code is the longest.
            own.sort_by_key(|(area, _)| {
                Reverse(area.as_ref().map_or(0, |area| area.as_str().len()))
            });
            lines.insert(year, own);
        }
        Self(lines)
    }

    /// The line of a year in an area, in fen.
    pub(crate) fn find(&self, area: &str, year: i64) -> Option<i64> {
        let mut own = self.0.get(&year)?.iter();
        let covers =
            |of: &Option<AreaCode>| of.as_ref().is_none_or(|of| area.starts_with(of.as_str()));
        own.find(|(of, _)| covers(of)).map(|(_, fen)| *fen)
    }
}

/// Refuses a local value below that of the area above it, where its standard forbids that.
pub(crate) fn check_floors(standards: &[Standard], values: &Items<Value>) -> Result<(), BadPack> {
    for standard in standards.iter().filter(|standard| standard.local == Local::NotBelow) {
        let of_standard = || values.all().iter().filter(|value| value.of == standard.id);
        let starts: Vec<Day> = of_standard().filter_map(|value| value.standing.since).collect();
        for value in of_standard() {
            let (standing, Some(amount)) = (&value.standing, value.amount) else { continue };
            let Some(area) = &standing.area else { continue };
            let above = area.parent();
            let above = above.as_ref().map_or("", |above| above.as_str());
            // What is in force changes only on a day on which some value begins.
            for on in starts.iter().copied().filter(|on| standing.is_in_force(*on)) {
                let Some(upper) = values.find(&standard.id, above, on) else { continue };
                let Some(floor) = upper.amount.filter(|floor| amount < *floor) else { continue };
                let (own, floor) = (standard.written(amount), standard.written(floor));
                let (id, place) =
                    (&standard.id, format!("{} {}", upper.standing.file, upper.standing.line));
                let zh = format!(
                    "{area} 的 {id} {own} 低于上级的 {floor}（{on}，见 {place}）；不得低于上级标准"
                );
                let en = format!(
                    "{id} {own} of {area} is below {floor} of the area above on {on} ({place})"
                );
                return Err(BadPack::at(&standing.file, standing.line, &zh, &en));
            }
        }
    }
    Ok(())
}

//! The registers as data: what is the same for all of them is written once.

use std::sync::LazyLock;

use daohu_base::AreaCode;
use daohu_db::{Type, Value};

use crate::sheet::{
    CADRES, INDICATORS, Layout, ORGANISATIONS, PAIRINGS, Record, Sheet, TARGETS, TEAMS, VILLAGES,
    cadre, indicator, organisation, pairing, target, team, village,
};

/// Where records lie that no area was given for.
const NO_COUNTY: &str = "000000";

/// A sheet whose rows stand by themselves: each has a key of its own and belongs to an area.
pub(crate) struct Register {
    pub(crate) sheet: &'static Sheet,
    /// The journal's name of a record.
    pub(crate) kind: &'static str,
    /// How its rows lie.
    layout: fn() -> &'static Layout,
    /// The columns that make the key.
    pub(crate) key: &'static [usize],
    /// The column that says which area a record belongs to; of a pairing, if that helps an area.
    pub(crate) area: usize,
    /// The column of the key that records are looked up by: an index begins with it, or with the
    /// county and it.
    pub(super) lookup: usize,
    /// Known by its number in every county; the key has no county.
    pub(crate) is_everywhere: bool,
}

/// How the sheets of this slice lie in their tables.
pub(crate) mod layouts {
    use super::{
        CADRES, INDICATORS, Layout, LazyLock, ORGANISATIONS, PAIRINGS, TARGETS, TEAMS, Type,
        VILLAGES,
    };

    const LEAD: [(&str, Type); 1] = [("county", Type::Text)];

    /// 单位
    pub(crate) static ORGANISATION: LazyLock<Layout> =
        LazyLock::new(|| Layout::new(&ORGANISATIONS, &["no"], &LEAD, &[], &[]));

    /// 村
    pub(crate) static VILLAGE: LazyLock<Layout> =
        LazyLock::new(|| Layout::new(&VILLAGES, &["county", "village", "year"], &LEAD, &[], &[]));

    /// 干部
    pub(crate) static CADRE: LazyLock<Layout> =
        LazyLock::new(|| Layout::new(&CADRES, &["no"], &LEAD, &[], &[]));

    /// 工作队
    pub(crate) static TEAM: LazyLock<Layout> = LazyLock::new(|| {
        Layout::new(&TEAMS, &["county", "no", "cadre", "starts_on"], &LEAD, &[], &[])
    });

    /// 结对
    pub(crate) static PAIRING: LazyLock<Layout> = LazyLock::new(|| {
        let lead = [("county", Type::Text), ("household", Type::Int)];
        let key = &["county", "subject_kind", "subject", "object_kind", "object", "starts_on"];
        Layout::new(&PAIRINGS, key, &lead, &[], &[])
    });

    /// 计划
    pub(crate) static TARGET: LazyLock<Layout> = LazyLock::new(|| {
        Layout::new(&TARGETS, &["county", "area", "year", "indicator"], &LEAD, &[], &[])
    });

    /// 指标
    pub(crate) static INDICATOR: LazyLock<Layout> = LazyLock::new(|| {
        Layout::new(&INDICATORS, &["county", "area", "period", "indicator"], &LEAD, &[], &[])
    });
}

/// All registers, in the order in which their sheets are read.
pub(crate) static REGISTERS: [Register; 7] = [
    Register {
        sheet: &ORGANISATIONS,
        kind: "organisation",
        layout: || &layouts::ORGANISATION,
        key: &[organisation::NO],
        area: organisation::AREA,
        lookup: organisation::NO,
        is_everywhere: true,
    },
    Register {
        sheet: &VILLAGES,
        kind: "village",
        layout: || &layouts::VILLAGE,
        key: &[village::VILLAGE, village::YEAR],
        area: village::VILLAGE,
        lookup: village::VILLAGE,
        is_everywhere: false,
    },
    Register {
        sheet: &CADRES,
        kind: "cadre",
        layout: || &layouts::CADRE,
        key: &[cadre::NO],
        area: cadre::AREA,
        lookup: cadre::NO,
        is_everywhere: true,
    },
    Register {
        sheet: &TEAMS,
        kind: "team_member",
        layout: || &layouts::TEAM,
        key: &[team::NO, team::CADRE, team::STARTS_ON],
        area: team::VILLAGE,
        lookup: team::NO,
        is_everywhere: false,
    },
    Register {
        sheet: &PAIRINGS,
        kind: "pairing",
        layout: || &layouts::PAIRING,
        key: &[
            pairing::SUBJECT_KIND,
            pairing::SUBJECT,
            pairing::OBJECT_KIND,
            pairing::OBJECT,
            pairing::STARTS_ON,
        ],
        area: pairing::OBJECT,
        lookup: pairing::OBJECT,
        is_everywhere: false,
    },
    Register {
        sheet: &TARGETS,
        kind: "target",
        layout: || &layouts::TARGET,
        key: &[target::AREA, target::YEAR, target::INDICATOR],
        area: target::AREA,
        lookup: target::AREA,
        is_everywhere: false,
    },
    Register {
        sheet: &INDICATORS,
        kind: "indicator",
        layout: || &layouts::INDICATOR,
        key: &[indicator::AREA, indicator::PERIOD, indicator::INDICATOR],
        area: indicator::AREA,
        lookup: indicator::AREA,
        is_everywhere: false,
    },
];

impl Register {
    /// The register of a sheet, if it is one.
    pub(crate) fn of(sheet: &Sheet) -> Option<&'static Register> {
        REGISTERS.iter().find(|register| std::ptr::eq(register.sheet, sheet))
    }

    /// The register whose records the journal calls so.
    pub(crate) fn of_kind(kind: &str) -> Option<&'static Register> {
        REGISTERS.iter().find(|register| register.kind == kind)
    }

    /// How its rows lie.
    pub(crate) fn layout(&self) -> &'static Layout {
        (self.layout)()
    }

    /// The key of a record as the journal names it: its columns, joined by strokes.
    pub(crate) fn key_of(&self, values: &[Value]) -> String {
        let part = |i: &usize| match values.get(*i) {
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Int(number)) => number.to_string(),
            _ => String::new(),
        };
        self.key.iter().map(part).collect::<Vec<_>>().join("/")
    }

    /// The area that a record belongs to; none if it was not given, or is no area.
    pub(crate) fn area_of(&self, values: &[Value]) -> Option<AreaCode> {
        let code = values.get(self.area).and_then(Value::as_text)?;
        AreaCode::parse(code).ok()
    }

    /// What a new record of an area is stored under.
    pub(crate) fn county_of(&self, area: Option<&AreaCode>) -> String {
        area.map_or_else(|| NO_COUNTY.to_owned(), AreaCode::county)
    }

    /// The column that records are looked up by.
    pub(super) fn lookup_name(&self) -> &'static str {
        self.sheet.columns.get(self.lookup).map_or("", |column| column.name)
    }

    /// The value that a record is looked up by.
    pub(crate) fn lookup_of(&self, values: &[Value]) -> Value {
        values.get(self.lookup).cloned().unwrap_or_default()
    }

    /// The value that a record of this key is looked up by.
    pub(crate) fn lookup_of_key(&self, key: &str) -> Value {
        let at = self.key.iter().position(|column| *column == self.lookup);
        at.and_then(|at| self.parts_of(key).into_iter().nth(at)).unwrap_or_default()
    }

    /// The parts of a key that [`Register::key_of`] made, as they are stored. The last may have strokes.
    pub(super) fn parts_of(&self, key: &str) -> Vec<Value> {
        let kind = |i: &usize| self.sheet.columns.get(*i).map(|column| column.kind.stored());
        let parts = key.splitn(self.key.len(), '/').zip(self.key);
        parts
            .map(|(part, i)| match kind(i) {
                Some(Type::Int) => part.parse().unwrap_or(-1_i64).into(),
                _ => part.into(),
            })
            .collect()
    }
}

/// The household that a stored pairing helps, if it helps one.
pub(crate) fn household_of(pairing: &Record) -> Option<i64> {
    pairing.lead.get(1).and_then(Value::as_int)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart_as_they_were_put_together() {
        for register in &REGISTERS {
            let mut values = vec![Value::Null; register.sheet.columns.len()];
            for (n, i) in register.key.iter().enumerate() {
                values[*i] = match register.sheet.columns[*i].kind.stored() {
                    Type::Int => i64::try_from(n + 7).unwrap().into(),
                    _ if n + 1 == register.key.len() => "亩产/元".into(),
                    _ => format!("k{n}").into(),
                };
            }
            let parts: Vec<Value> = register.key.iter().map(|i| values[*i].clone()).collect();
            assert_eq!(register.parts_of(&register.key_of(&values)), parts);
        }
    }

    #[test]
    fn registers_come_in_the_order_of_their_sheets() {
        let order: Vec<usize> = REGISTERS.iter().map(|register| register.sheet.order()).collect();
        assert!(order.is_sorted(), "{order:?}");
        for register in &REGISTERS {
            assert!(std::ptr::eq(register.layout().sheet, register.sheet));
            assert!(register.key.contains(&register.lookup));
            let has_county = register.layout().table.key.contains(&"county");
            assert_eq!(has_county, !register.is_everywhere, "{}", register.kind);
        }
    }
}

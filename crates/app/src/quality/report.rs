//! What the findings of an area come to.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, AreaLevel};

use super::{
    judge::{Record, records},
    model::Finding,
    places::Place,
};
use crate::households::Home;

/// Records and findings of an area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Households, persons and yearly incomes.
    pub(super) rows: i64,
    /// Those that nothing was found of.
    pub(super) clean: i64,
    /// Records that break a rule, by the rule.
    pub(super) hits: BTreeMap<&'static str, i64>,
}

/// The share of the records that nothing was found of; none where there are no records.
#[expect(clippy::cast_precision_loss, reason = "a share with four decimals")]
pub(super) fn score(rows: i64, clean: i64) -> Option<f64> {
    (rows > 0).then(|| (clean as f64 / rows as f64 * 10_000.0).floor() / 10_000.0)
}

impl Figures {
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.clean += other.clean;
        for (rule, hits) in &other.hits {
            *self.hits.entry(rule).or_default() += hits;
        }
    }

    fn count(&mut self, home: &Home, found: &[(Record, Finding)]) {
        let rows = i64::try_from(records(home)).unwrap_or(i64::MAX);
        let soiled: BTreeSet<Record> = found.iter().map(|(record, _)| *record).collect();
        self.rows += rows;
        self.clean += rows - i64::try_from(soiled.len()).unwrap_or(rows);
        for (_, finding) in found {
            *self.hits.entry(finding.rule).or_default() += 1;
        }
    }
}

/// Adds up findings by the areas directly below one; a village has none below.
pub(super) struct Tally {
    digits: usize,
    area: AreaCode,
    parts: BTreeMap<String, Figures>,
}

impl Tally {
    pub(super) fn new(area: &AreaCode) -> Self {
        let below = area.level().below().unwrap_or(AreaLevel::Village).min(AreaLevel::Village);
        Self { digits: below.digits(), area: area.clone(), parts: BTreeMap::new() }
    }

    /// Of an area, by its villages, for [`Tally::of_all`].
    pub(super) fn by_village(area: &AreaCode) -> Self {
        Self { digits: AreaLevel::Village.digits(), ..Self::new(area) }
    }

    /// Counts a household of the area with what was found of it.
    pub(super) fn count(&mut self, home: &Home, found: &[(Record, Finding)]) {
        let village = home.household.village();
        let part = village.get(..self.digits).unwrap_or(village);
        self.parts.entry(part.to_owned()).or_default().count(home, found);
    }

    /// Adds what another reader counted of the same area.
    pub(super) fn add(&mut self, other: &Self) {
        for (code, part) in &other.parts {
            self.parts.entry(code.clone()).or_default().add(part);
        }
    }

    /// The area and those directly below it, by code, each with what is found of the areas themselves.
    pub(super) fn report(mut self, places: &[Place]) -> (Figures, Vec<(String, Figures)>) {
        let own = self.area.to_string();
        for place in places {
            let part = place.code.get(..self.digits).unwrap_or(&own);
            let part = self.parts.entry(part.to_owned()).or_default();
            *part.hits.entry(place.finding.rule).or_default() += 1;
        }
        let mut sum = Figures::default();
        self.parts.values().for_each(|part| sum.add(part));
        (sum, self.parts.into_iter().filter(|(code, _)| *code != own).collect())
    }

    /// The counties, townships and villages, by code, each the sum of its villages with what is found of the areas
    /// themselves; these areas also where there is nothing.
    pub(super) fn of_all<'a>(
        self,
        areas: impl Iterator<Item = &'a str>,
        places: &[Place],
    ) -> BTreeMap<String, Figures> {
        let levels = [AreaLevel::County, AreaLevel::Township, AreaLevel::Village];
        let mut sums: BTreeMap<String, Figures> =
            areas.map(|code| (code.to_owned(), Figures::default())).collect();
        let mut add = |code: &str, more: &Figures| {
            for over in levels.iter().filter_map(|level| code.get(..level.digits())) {
                sums.entry(over.to_owned()).or_default().add(more);
            }
        };
        self.parts.iter().for_each(|(code, part)| add(code, part));
        for place in places {
            let hits = BTreeMap::from([(place.finding.rule, 1)]);
            add(&place.code, &Figures { hits, ..Figures::default() });
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use daohu_db::Value;
    use daohu_policy::Policy;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        households::{HouseholdRow, IncomeRow, PersonRow},
        quality::{
            judge::judge,
            model::{Checks, LOOKED_AT},
        },
        sheet::{
            HOUSEHOLDS, INCOMES, Kind, Meta, PERSONS, Record as Row, Sheet, household, person,
        },
    };

    const VILLAGES: [&str; 3] = ["990101100200", "990101100201", "990102100200"];

    static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::embedded().unwrap());

    fn day() -> daohu_base::Day {
        daohu_base::Day::parse("2016-03-01").unwrap()
    }

    /// A value such as the column may have, from a number.
    fn cell(kind: Kind, n: u8) -> Value {
        let n = i64::from(n);
        match kind {
            _ if n % 4 == 0 => Value::Null,
            Kind::Code(_) => (n % 9 + 1).into(),
            Kind::Codes(..) => format!("0{}", n % 9 + 1).into(),
            Kind::Flag => (n % 2).into(),
            Kind::Day => format!("{}-03-0{}", 1940 + n % 80, n % 9 + 1).into(),
            _ => match kind.stored() {
                daohu_db::Type::Int => (n % 30).into(),
                daohu_db::Type::Real => Value::Real(f64::from(u8::try_from(n).unwrap()) * 40.0),
                _ => format!("{n}").into(),
            },
        }
    }

    fn row(sheet: &'static Sheet, lead: Vec<Value>, ns: &[u8]) -> Row {
        let values = sheet.columns.iter().zip(ns.iter().cycle());
        let values = values.map(|(column, n)| cell(column.kind, *n)).collect();
        let meta = Meta { created_at: 0, created_by: String::new(), updated_at: 0, version: 1 };
        Row { lead, values, derived: vec![1.into()], meta }
    }

    fn home(id: i64, village: usize, ns: &[u8]) -> Home {
        let (county, key) = (Value::from("990101"), [id.into(), id.into()]);
        let mut household = row(&HOUSEHOLDS, vec![county.clone(), id.into()], ns);
        household.values[household::VILLAGE] = VILLAGES[village].into();
        let lead = [vec![county.clone()], key.to_vec()].concat();
        let member = row(&PERSONS, lead, &ns[1..]);
        let mut other = row(&PERSONS, vec![county.clone(), (id + 1).into(), id.into()], &ns[2..]);
        other.values[person::RELATION] = 2.into();
        let year = row(&INCOMES, vec![county, id.into()], &ns[3..]);
        Home {
            household: HouseholdRow(household),
            persons: vec![PersonRow(member), PersonRow(other)],
            incomes: vec![IncomeRow(year)],
        }
    }

    /// The household as the report reads it.
    fn masked(mut home: Home) -> Home {
        let mask = |values: &mut [Value], wanted: &[usize]| {
            for (i, value) in values.iter_mut().enumerate() {
                if !wanted.contains(&i) {
                    *value = Value::Null;
                }
            }
        };
        mask(&mut home.household.0.values, LOOKED_AT.0);
        for person in &mut home.persons {
            mask(&mut person.0.values, LOOKED_AT.1);
        }
        for income in &mut home.incomes {
            mask(&mut income.0.values, LOOKED_AT.2);
        }
        home
    }

    fn found(policy: &Policy, home: &Home) -> Vec<(Record, &'static str, usize)> {
        let found = judge(&Checks::new(policy, day()), home, (&Default::default(), true));
        found.into_iter().map(|(record, found)| (record, found.rule, found.column)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_is_not_read_changes_nothing(ns in prop::collection::vec(any::<u8>(), 71)) {
            let policy = &*POLICY;
            let home = home(7, 0, &ns);
            prop_assert_eq!(found(policy, &masked(home.clone())), found(policy, &home));
        }

        #[test]
        fn parts_that_are_added_come_to_the_whole(
            homes in prop::collection::vec((0..VILLAGES.len(), any::<[u8; 7]>(), 0..3_usize), 0..20),
            area in prop::sample::select(vec!["99", "990101", "990101100", "990101100200"]),
        ) {
            let area = AreaCode::parse(area).unwrap();
            let checks = Checks::new(&POLICY, day());
            let (mut whole, mut sum) = (Tally::new(&area), Tally::new(&area));
            let mut parts = [0; 3].map(|_| Tally::new(&area));
            for (id, (village, ns, part)) in (1..).zip(&homes) {
                let home = home(id * 10, *village, ns);
                let found = judge(&checks, &home, (&Default::default(), false));
                whole.count(&home, &found);
                parts[*part].count(&home, &found);
            }
            parts.iter().for_each(|part| sum.add(part));
            prop_assert_eq!(sum.report(&[]), whole.report(&[]));
        }
    }
}

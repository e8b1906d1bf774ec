//! Whether what is there fits together when an import was taken back: the rules of the registry that compare one
//! record with others.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, Day};
use daohu_db::{Tx, Value};

use super::{
    faults::{Faults, NAMING_MAX},
    references::{self, AREA_REFERENCES, REFERENCES},
    sql::{self, Number},
};
use crate::{
    Error,
    exchange::import::Kind,
    households::{Marks, rows},
    registers::{self, Register, rules},
    sheet::{Record, Sheet, area, household},
};

/// What has to be looked at in the end.
#[derive(Default)]
pub(super) struct Afterwards {
    /// The keys of what went and may be referred to, by kind and county.
    removed: BTreeMap<(&'static str, String), Vec<Value>>,
    /// Households that were restored, or to which or from which somebody went back.
    homes: BTreeSet<(String, i64)>,
    /// Households that are in another village or group than they were in a moment ago.
    moved: BTreeSet<(String, i64)>,
    /// Persons restored in this page.
    persons: Vec<i64>,
    /// Areas that restored records name.
    areas: BTreeSet<String>,
    /// Restored areas that have an end.
    ended: BTreeSet<String>,
    /// Organisations, cadres and teams that restored records name, by sheet.
    named: BTreeMap<&'static str, BTreeSet<String>>,
    /// ID numbers that several persons had as members when they were settled, each with its tail.
    contested: BTreeSet<Number>,
}

impl Afterwards {
    /// A record goes.
    pub(super) fn removed(&mut self, kind: Kind, county: &str, now: &Record) {
        let key = match kind {
            Kind::Household | Kind::Person => now.lead.get(1),
            Kind::Income => return,
            Kind::Of(register) if !REFERENCES.iter().any(|(kind, _)| *kind == register.kind) => {
                return;
            }
            _ => now.values.first(),
        };
        let key = key.cloned().unwrap_or_default();
        self.removed.entry((kind.name(), county.to_owned())).or_default().push(key);
    }

    /// A record is as before.
    pub(super) fn restored(&mut self, marks: Marks<'_>, kind: Kind, now: &Record, then: &Record) {
        let text = |i: usize| then.values.get(i).and_then(Value::as_text).map(str::to_owned);
        let id = |record: &Record, i: usize| record.lead.get(i).and_then(Value::as_int);
        let differ = |i: usize| now.values.get(i) != then.values.get(i);
        let county = then.county().to_owned();
        match kind {
            Kind::Household => {
                let home = id(then, 1).map(|id| (county, id));
                if differ(household::VILLAGE) || differ(household::GROUP_CODE) {
                    self.moved.extend(home.clone());
                    self.areas.extend(text(household::GROUP_CODE));
                }
                self.homes.extend(home);
            }
            Kind::Person => {
                self.persons.extend(id(then, 1));
                let homes = [id(now, 2), id(then, 2)].into_iter().flatten();
                self.homes.extend(homes.map(|home| (county.clone(), home)));
            }
            Kind::Income => {}
            Kind::Area => {
                // One that had ended and was open since: whoever came into it would be nowhere.
                if differ(area::ENDS_ON) && text(area::ENDS_ON).is_some() {
                    self.ended.extend(text(area::CODE));
                }
            }
            Kind::Of(register) => {
                // Of a household, the number may look like an area's.
                let area = register.area_of(&then.values);
                let area = area.filter(|_| registers::household_of(then).is_none());
                self.areas.extend(area.map(|area| area.to_string()));
                if let Some((_, named, no)) = rules::named_by(marks, register.sheet, &then.values) {
                    self.named.entry(named.sheet().name).or_default().insert(no);
                }
            }
        }
    }

    /// Says who holds these ID numbers now.
    pub(super) async fn settle(&mut self, tx: &mut Tx, numbers: Vec<Number>) -> Result<(), Error> {
        self.contested.extend(sql::settle_holders(tx, &numbers).await?);
        Ok(())
    }

    /// Whoever was merged into a person that the page restored was merged into what the import had made of it.
    pub(super) async fn check_merged(
        &mut self,
        tx: &mut Tx,
        county: &str,
        faults: &mut Faults,
    ) -> Result<(), Error> {
        for person in sql::kept_by_merge(tx, county, &std::mem::take(&mut self.persons)).await? {
            faults.add(Kind::Person.name(), county, &person.to_string(), "import.built_on");
        }
        Ok(())
    }

    /// Looks at all of it.
    pub(super) async fn check(
        &mut self,
        tx: &mut Tx,
        (marks, today): (Marks<'_>, Day),
        faults: &mut Faults,
    ) -> Result<(), Error> {
        self.check_removed(tx, marks, faults).await?;
        self.check_homes(tx, (marks, &today.to_string()), faults).await?;
        for code in sql::unknown_areas(tx, &self.areas).await? {
            faults.add(Kind::Area.name(), "", &code, "import.gone_since");
        }
        for code in &self.ended {
            let naming = references::households_in(tx, code, NAMING_MAX).await?;
            if !naming.is_empty() {
                faults.add_named(Kind::Area.name(), ("", code), "import.built_on", naming);
            }
        }
        for (sheet, numbers) in &self.named {
            let sheet = Sheet::named(sheet);
            let Some(register) = sheet.and_then(Register::of) else { continue };
            let known = sql::known(tx, register, numbers).await?;
            for no in numbers.difference(&known) {
                faults.add(register.kind, "", no, "import.gone_since");
            }
        }
        let contested: Vec<_> = std::mem::take(&mut self.contested).into_iter().collect();
        for (county, person) in sql::holders_of_contested(tx, &contested).await? {
            faults.add(Kind::Person.name(), &county, &person.to_string(), "import.number_taken");
        }
        Ok(())
    }

    async fn check_homes(
        &self,
        tx: &mut Tx,
        (marks, today): (Marks<'_>, &str),
        faults: &mut Faults,
    ) -> Result<(), Error> {
        let heads = marks.codes("与户主关系", "head");
        for (county, homes) in by_county(&self.homes) {
            // Whoever writes below them waits, or was there before and is seen.
            rows::lock_villages(tx, county, &homes).await?;
            let mut fault = |home: i64, code| {
                faults.add(Kind::Household.name(), county, &home.to_string(), code);
            };
            for home in sql::homes_of_two_heads(tx, county, (&homes, &heads)).await? {
                fault(home, "import.second_head");
            }
            for home in sql::homes_left_behind(tx, county, &homes).await? {
                fault(home, "import.built_on");
            }
        }
        for (county, homes) in by_county(&self.moved) {
            for home in sql::homes_nowhere(tx, county, (&homes, today)).await? {
                faults.add(Kind::Household.name(), county, &home.to_string(), "import.gone_since");
            }
        }
        Ok(())
    }

    async fn check_removed(
        &mut self,
        tx: &mut Tx,
        marks: Marks<'_>,
        faults: &mut Faults,
    ) -> Result<(), Error> {
        for ((name, county), keys) in std::mem::take(&mut self.removed) {
            if name == Kind::Area.name() {
                self.check_areas(tx, &keys, faults).await?;
                continue;
            }
            let references = REFERENCES.iter().filter(|(kind, _)| *kind == name);
            for reference in references.flat_map(|(_, references)| *references) {
                // Organisations, cadres and teams are known in every county by their number.
                let of = matches!(name, "household" | "person").then_some(&*county);
                for key in references::named_in(tx, (reference, marks), of, &keys).await? {
                    // Past what is named nobody asks for whom.
                    if faults.are_enough() {
                        return Ok(());
                    }
                    let named = if of.is_some() {
                        key.parse::<i64>().map_or(Value::Null, Value::from)
                    } else {
                        key.as_str().into()
                    };
                    let naming =
                        references::naming(tx, (reference, marks), of, &named, NAMING_MAX).await?;
                    faults.add_named(name, (&county, &key), "import.built_on", naming);
                }
            }
        }
        Ok(())
    }

    async fn check_areas(
        &self,
        tx: &mut Tx,
        codes: &[Value],
        faults: &mut Faults,
    ) -> Result<(), Error> {
        for code in codes.iter().filter_map(Value::as_text) {
            let Ok(area) = AreaCode::parse(code) else { continue };
            let mut naming = references::below(tx, code, NAMING_MAX).await?;
            for reference in &AREA_REFERENCES {
                if naming.len() >= NAMING_MAX {
                    break;
                }
                naming.extend(references::naming_area(tx, reference, &area, NAMING_MAX).await?);
            }
            if !naming.is_empty() {
                faults.add_named(Kind::Area.name(), ("", code), "import.built_on", naming);
            }
        }
        Ok(())
    }
}

/// Households by their county.
fn by_county(homes: &BTreeSet<(String, i64)>) -> BTreeMap<&str, Vec<i64>> {
    let mut found: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (county, home) in homes {
        found.entry(county).or_default().push(*home);
    }
    found
}

//! Use cases of the registers.

use std::collections::HashMap;

use daohu_base::Timestamp;
use daohu_db::{FutureExt, Tx};
use serde_json::{Map, Value as Json};

use super::{Register, layouts, model::REGISTERS, sql};
use crate::{
    Context, Error,
    journal::{self, Current, Watched},
    keys::Keys,
    sheet::{
        self, CADRES, Masking, ORGANISATIONS, PAIRINGS, Record, Sheet, shown_journal, to_journal,
        to_json,
    },
};

/// Gives [`current`] a function for each register: what is watched is named by a function.
macro_rules! watch {
    ($($n:literal)*) => {
        vec![$({
            let register = &REGISTERS[const { $n }];
            let (kind, table) = (register.kind, register.sheet.name);
            let current: Current = |tx, keys, county, record| {
                current(&REGISTERS[const { $n }], tx, keys, (county, record)).boxed()
            };
            Watched { kind, table, current, household: None }
        }),*]
    };
}

/// The kinds of records that `journal verify --deep` compares with their rows.
pub fn watched() -> Vec<Watched> {
    watch!(0 1 2 3 4 5 6)
}

/// The record of a register as its last entry should have it.
async fn current(
    register: &'static Register,
    tx: &mut Tx,
    keys: &Keys,
    record: (&str, &str),
) -> Result<Option<String>, Error> {
    let row = sql::one(tx, keys, register, record).await?;
    Ok(row.map(|row| to_journal(register.layout(), &row)))
}

/// The area that a record of the journal lies in now; none for what is not of this slice.
pub(crate) async fn area_of(
    tx: &mut Tx,
    county: &str,
    kind: &str,
    record: &str,
) -> Result<Option<String>, Error> {
    // What was looked at lies where the record does.
    let kind = kind.strip_suffix("_reveal").unwrap_or(kind);
    let Some(register) = Register::of_kind(kind) else { return Ok(None) };
    Ok(sql::area_of_record(tx, register, county, record).await?)
}

/// Who helps a household and who did, each with the name; on a past instant, as the journal tells it. The
/// household's county is the first; it may have lain in the others.
pub(crate) async fn helpers_of(
    tx: &mut Tx,
    keys: &Keys,
    (counties, household): (&[String], i64),
    until: Option<Timestamp>,
) -> Result<Vec<Map<String, Json>>, Error> {
    let Some(county) = counties.first() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for record in sql::pairings_of(tx, keys, county, &[household]).await? {
        let key = pairing_key(&record);
        let shown = match until {
            None => Some(to_json(&PAIRINGS, &record.values, Masking::Masked)),
            Some(until) => {
                let then = journal::state_in(tx, keys, counties, (PAIRING, &key), until).await?;
                then.map(|(_, after)| shown_journal(&PAIRINGS, after))
            }
        };
        found.extend(shown.map(|shown| (key, shown)));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let subject = |shown: &Map<String, Json>| {
        shown.get("subject").and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    let numbers: Vec<String> = found.iter().map(|(_, shown)| subject(shown)).collect();
    let names = names_of(tx, &[&ORGANISATIONS, &CADRES], &numbers).await?;
    let named = |(_, mut shown): (String, Map<String, Json>)| {
        let name = names.get(&subject(&shown)).map(String::as_str);
        shown.insert("subject_name".to_owned(), name.into());
        shown
    };
    Ok(found.into_iter().map(named).collect())
}

/// The names of the cadres of these numbers.
pub(crate) async fn cadre_names(
    tx: &mut Tx,
    numbers: Vec<String>,
) -> Result<HashMap<String, String>, Error> {
    names_of(tx, &[&CADRES], &numbers).await
}

/// The names of what has one of these numbers in one of these sheets.
async fn names_of(
    tx: &mut Tx,
    sheets: &[&Sheet],
    numbers: &[String],
) -> Result<HashMap<String, String>, Error> {
    let mut names = HashMap::new();
    for register in sheets.iter().filter_map(|sheet| Register::of(sheet)) {
        names.extend(sql::names(tx, register, numbers).await?);
    }
    Ok(names)
}

/// What the journal calls a pairing.
pub(crate) const PAIRING: &str = "pairing";

/// The key of a pairing as the journal names it.
pub(crate) fn pairing_key(record: &Record) -> String {
    Register::of(&PAIRINGS).map(|register| register.key_of(&record.values)).unwrap_or_default()
}

/// Seals every cadre's telephone number with the present key; gives how many rows had another.
pub async fn reseal(context: &Context) -> Result<u64, Error> {
    sheet::reseal(context, &layouts::CADRE).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_register_is_watched() {
        let kinds: Vec<&str> = watched().iter().map(|watched| watched.kind).collect();
        assert_eq!(kinds, REGISTERS.iter().map(|register| register.kind).collect::<Vec<_>>());
    }
}

//! SQL of the registers.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
};

use daohu_base::{AreaCode, Scope};
use daohu_db::{Error as DbError, Filter, Row, Tx, Value};

use super::model::Register;
use crate::{
    Error, areas,
    households::rows::Those,
    keys::Keys,
    sheet::{CADRES, EachRow, ORGANISATIONS, PAIRINGS, Record, TEAMS, records, team},
};

/// Areas or numbers asked for by one `in (…)`.
const IN_LIST: usize = 500;

/// What has begun on a day and not ended before it.
pub(super) fn in_force(filter: &mut Filter, day: &str) {
    filter.and("starts_on <= ?", [day.into()]);
    filter.and("(ends_on is null or ends_on >= ?)", [day.into()]);
}

/// The records with one of these values where they are looked up, in these counties.
pub(crate) async fn looked_up(
    tx: &mut Tx,
    keys: &Keys,
    register: &Register,
    counties: Vec<String>,
    values: Vec<Value>,
) -> Result<Vec<Record>, Error> {
    let mut filter = Filter::new();
    if !register.is_everywhere {
        filter.and_in("county", counties.into_iter().map(Value::from));
    }
    filter.and_in(register.lookup_name(), values);
    records(tx, keys, register.layout(), &filter).await
}

/// One record, by its county and its key as the journal has it.
pub(super) async fn one(
    tx: &mut Tx,
    keys: &Keys,
    register: &Register,
    (county, key): (&str, &str),
) -> Result<Option<Record>, Error> {
    let mut filter = Filter::new();
    filter.and("county = ?", [county.into()]);
    for (i, part) in register.key.iter().zip(register.parts_of(key)) {
        let name = register.sheet.columns.get(*i).map_or("", |column| column.name);
        filter.and_in(name, [part]);
    }
    Ok(records(tx, keys, register.layout(), &filter).await?.into_iter().next())
}

/// The record of a key, of which the columns are filled in `values`: in this county, or in the one that
/// they name.
pub(super) async fn of_key(
    tx: &mut Tx,
    keys: &Keys,
    register: &Register,
    (county, values): (Option<&str>, &[Value]),
) -> Result<Option<Record>, Error> {
    let county = match county {
        Some(county) => county.to_owned(),
        None => register.county_of(register.area_of(values).as_ref()),
    };
    let (key, lookup) = (register.key_of(values), register.lookup_of(values));
    let found = looked_up(tx, keys, register, vec![county], vec![lookup]).await?;
    Ok(found.into_iter().find(|record| register.key_of(&record.values) == key))
}

/// Locks a record until the transaction ends.
pub(super) async fn lock(tx: &mut Tx, register: &Register, record: &Record) -> Result<(), DbError> {
    let layout = register.layout();
    let mut filter = Filter::new();
    filter.and_row(&layout.table.key.join(", "), "=", layout.key_of(record));
    let sql = format!("update {} set version = version{}", layout.table.name, filter.clause());
    tx.execute(&sql, filter.params()).await.map(drop)
}

/// The pairings of these households of a county.
pub(crate) async fn pairings_of(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    households: &[i64],
) -> Result<Vec<Record>, Error> {
    let mut filter = Filter::new();
    filter.and("county = ?", [county.into()]);
    filter.and_in("household", households.iter().copied().map(Value::from));
    records(tx, keys, &super::layouts::PAIRING, &filter).await
}

/// Who answers for which of these households of a county on a day: cadres in a pairing in force of one of
/// these kinds.
pub(crate) async fn answering(
    tx: &mut Tx,
    (county, households): (&str, Those<'_>),
    kinds: &[i64],
    day: &str,
) -> Result<Vec<(i64, String)>, DbError> {
    let mut found = Vec::new();
    for mut filter in households.filters(county) {
        filter.and_in("subject_kind", kinds.iter().copied().map(Value::from));
        in_force(&mut filter, day);
        let sql = format!("select household, subject from pairings{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.push((row.int(0)?, row.text(1)?.to_owned()));
        }
    }
    Ok(found)
}

/// The households that one of these cadres answers for on a day, each with its county.
pub(crate) async fn answered_by(
    tx: &mut Tx,
    cadres: &[String],
    kinds: &[i64],
    day: &str,
) -> Result<Vec<(String, i64)>, DbError> {
    let mut filter = Filter::new();
    filter.and_in("subject", cadres.iter().map(|cadre| cadre.as_str().into()));
    filter.and("household is not null", []);
    filter.and_in("subject_kind", kinds.iter().copied().map(Value::from));
    in_force(&mut filter, day);
    let sql = format!("select county, household from pairings{}", filter.clause());
    let rows = tx.query(&sql, filter.params()).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

/// The next cadres, by number and behind one, who answer on a day for households of a scope; at most so many.
pub(crate) async fn cadres_behind(
    tx: &mut Tx,
    scope: &Scope,
    kinds: &[i64],
    day: &str,
    (after, limit): (&str, usize),
) -> Result<Vec<String>, Error> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for county in crate::households::rows::counties(tx, scope).await? {
        for kind in kinds {
            let mut filter = Filter::new();
            let key = [county.as_str().into(), (*kind).into(), after.into()];
            filter.and("p.county = ? and p.subject_kind = ? and p.subject > ?", key);
            filter.and("p.starts_on <= ?", [day.into()]);
            filter.and("(p.ends_on is null or p.ends_on >= ?)", [day.into()]);
            filter.and("h.county = p.county and h.id = p.household", []);
            areas::rows::within(&mut filter, "(h.village >= ? and h.village < ?)", scope);
            let limit = filter.param(i64::try_from(limit).unwrap_or(i64::MAX));
            let sql = format!(
                "select distinct p.subject from pairings p cross join households h{}
                 order by p.subject limit {limit}",
                filter.clause()
            );
            for row in tx.query(&sql, filter.params()).await? {
                found.insert(row.text(0)?.to_owned());
            }
        }
    }
    Ok(found.into_iter().take(limit).collect())
}

/// The records that belong to one of these areas themselves, a list at a time. A pairing's object may be a household of
/// the same number.
fn in_areas(register: &Register, areas: &BTreeSet<AreaCode>) -> Vec<Filter> {
    let column = register.sheet.columns.get(register.area).map_or("", |column| column.name);
    let areas: Vec<&AreaCode> = areas.iter().collect();
    let filter = |list: &[&AreaCode]| {
        let mut filter = Filter::new();
        if !register.is_everywhere {
            let counties: BTreeSet<String> = list.iter().map(|area| area.county()).collect();
            filter.and_in("county", counties.into_iter().map(Value::from));
        }
        filter.and_in(column, list.iter().map(|area| Value::from(area.as_str())));
        if std::ptr::eq(register.sheet, &raw const PAIRINGS) {
            filter.and("household is null", []);
        }
        filter
    };
    areas.chunks(IN_LIST).map(filter).collect()
}

/// The records that belong to one of these areas themselves, whatever lies below them.
pub(crate) async fn of_areas(
    tx: &mut Tx,
    keys: &Keys,
    register: &Register,
    areas: &BTreeSet<AreaCode>,
) -> Result<Vec<Record>, Error> {
    let mut found = Vec::new();
    for filter in in_areas(register, areas) {
        found.extend(records(tx, keys, register.layout(), &filter).await?);
    }
    Ok(found)
}

/// As [`of_areas`], locked until the transaction ends.
pub(crate) async fn lock_of_areas(
    tx: &mut Tx,
    register: &Register,
    areas: &BTreeSet<AreaCode>,
) -> Result<(), DbError> {
    for filter in in_areas(register, areas) {
        let (table, clause) = (register.layout().table.name, filter.clause());
        let sql = format!("update {table} set version = version{clause}");
        tx.execute(&sql, filter.params()).await?;
    }
    Ok(())
}

/// The names of the organisations or cadres of these numbers.
pub(super) async fn names(
    tx: &mut Tx,
    register: &Register,
    numbers: &[String],
) -> Result<HashMap<String, String>, DbError> {
    let mut names = HashMap::new();
    for filter in Filter::lists("no", numbers.iter().map(|no| no.as_str().into())) {
        let table = register.layout().table.name;
        let sql = format!("select no, name from {table}{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            names.insert(row.text(0)?.to_owned(), row.text(1)?.to_owned());
        }
    }
    Ok(names)
}

/// Those of these numbers that organisations, cadres or teams have.
pub(crate) async fn known(
    tx: &mut Tx,
    register: &Register,
    numbers: Vec<String>,
) -> Result<Vec<String>, DbError> {
    let mut filter = Filter::new();
    filter.and_in("no", numbers.into_iter().map(Value::from));
    let table = register.layout().table.name;
    let sql = format!("select distinct no from {table}{}", filter.clause());
    let rows = tx.query(&sql, filter.params()).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Locks the organisation, cadre or team of a number until the transaction ends; false if there is none. An undo that
/// takes it away is over then, or waits and meets what names it.
pub(super) async fn lock_number(
    tx: &mut Tx,
    register: &Register,
    no: &str,
) -> Result<bool, DbError> {
    let table = register.layout().table.name;
    let sql = format!("update {table} set version = version where no = $1");
    Ok(tx.execute(&sql, &[no.into()]).await? > 0)
}

/// The area of the organisation or cadre of a number.
async fn area_of_number(
    tx: &mut Tx,
    register: &Register,
    no: &str,
) -> Result<Option<String>, DbError> {
    let sql = format!("select area from {} where no = $1", register.layout().table.name);
    let row = tx.query_opt(&sql, &[no.into()]).await?;
    Ok(row.map(|row| row.opt_text(0).map(|area| area.map(str::to_owned))).transpose()?.flatten())
}

/// The area that a record of the journal lies in now: a code of any level.
pub(super) async fn area_of_record(
    tx: &mut Tx,
    register: &Register,
    county: &str,
    record: &str,
) -> Result<Option<String>, DbError> {
    let parts = register.parts_of(record);
    let part = |i: usize| {
        let at = register.key.iter().position(|key| *key == i)?;
        parts.get(at).and_then(Value::as_text)
    };
    if register.is_everywhere {
        return area_of_number(tx, register, record).await;
    }
    let village = |row: Option<Row>| row.map(|row| row.text(0).map(str::to_owned)).transpose();
    if std::ptr::eq(register.sheet, &raw const TEAMS) {
        let sql = "select village from teams where county = $1 and no = $2 limit 1";
        let no = part(team::NO).unwrap_or_default();
        return village(tx.query_opt(sql, &[county.into(), no.into()]).await?);
    }
    let Some(area) = part(register.area) else { return Ok(None) };
    if std::ptr::eq(register.sheet, &raw const PAIRINGS) {
        let sql = "select village from households where county = $1 and no = $2";
        let row = tx.query_opt(sql, &[county.into(), area.into()]).await?;
        if row.is_some() {
            return village(row);
        }
    }
    Ok(Some(area.to_owned()))
}

/// Hands on the rows of a scope as [`crate::sheet::Layout::select_values`] has them, by key. With those above it, what an
/// import of the scope's rows needs to find in an empty store: organisations and cadres that have no
/// area or another, but are named by what is in the scope.
pub(crate) async fn each(
    tx: &mut Tx,
    register: &Register,
    scope: &Scope,
    with_above: bool,
    each: EachRow<'_>,
) -> Result<(), Error> {
    let columns = register.layout().select_values(|column| format!("t.{column}"));
    let keys = register.layout().table.key.iter().map(|column| format!("t.{column}"));
    let order = keys.collect::<Vec<_>>().join(", ");
    let (from, filter) = of_scope(register, scope, with_above);
    let sql = format!("select {columns} from {from}{} order by {order}", filter.clause());
    tx.for_each(&sql, filter.params(), |row| each(row).map(ControlFlow::Continue)).await
}

/// How many rows [`each`] hands on.
pub(crate) async fn count(
    tx: &mut Tx,
    register: &Register,
    scope: &Scope,
    with_above: bool,
) -> Result<u64, DbError> {
    let (from, filter) = of_scope(register, scope, with_above);
    let sql = format!("select cast(count(*) as bigint) from {from}{}", filter.clause());
    Ok(u64::try_from(tx.query_one(&sql, filter.params()).await?.int(0)?).unwrap_or_default())
}

/// Who helps an area, a household or a village of a scope, named by the column behind the `=`.
macro_rules! helps {
    ($no:literal) => {
        concat!(
            "exists (select 1 from pairings p where p.subject = ",
            $no,
            " and p.household is null and p.object >= ? and p.object < ?)
             or exists (select 1 from pairings p
                          join households h on h.county = p.county and h.id = p.household
                        where p.subject = ",
            $no,
            " and h.village >= ? and h.village < ?)
             or exists (select 1 from teams m where m.cadre = ",
            $no,
            " and m.village >= ? and m.village < ?)"
        )
    };
}

/// Cadres of a scope, and who help there.
const CADRE_HELPS: &str = concat!("(t.area >= ? and t.area < ?) or ", helps!("t.no"));
/// Organisations of a scope, that help there, or whose cadres do.
const ORGANISATION_HELPS: &str = concat!(
    "(t.area >= ? and t.area < ?) or ",
    helps!("t.no"),
    " or exists (select 1 from cadres c where c.organisation = t.no and (
        (c.area >= ? and c.area < ?) or ",
    helps!("c.no"),
    "))"
);

/// Where the records of a scope are found.
pub(super) fn of_scope(register: &Register, scope: &Scope, with_above: bool) -> (String, Filter) {
    let table = register.layout().table.name;
    let mut filter = Filter::new();
    let Some(ranges) = scope.ranges() else {
        return (format!("{table} t"), filter);
    };
    let is = |sheet| std::ptr::eq(register.sheet, sheet);
    let helps = match () {
        () if is(&raw const ORGANISATIONS) => Some(ORGANISATION_HELPS),
        () if is(&raw const CADRES) => Some(CADRE_HELPS),
        () => None,
    };
    if let Some(helps) = helps.filter(|_| with_above) {
        let times = helps.matches('?').count() / 2;
        let each = |(from, to): (String, String)| {
            let (from, to) = (Value::from(from), Value::from(to));
            std::iter::repeat_n([from, to], times).flatten().collect::<Vec<_>>()
        };
        filter.and_any(helps, ranges.into_iter().map(each));
        return (format!("{table} t"), filter);
    }
    if is(&raw const PAIRINGS) {
        areas::rows::within(&mut filter, "(t.county >= ? and t.county < ?)", &scope.counties());
        let either = |(from, to): (String, String)| {
            let (from, to) = (Value::from(from), Value::from(to));
            [from.clone(), to.clone(), from, to]
        };
        filter.and_any(
            "(t.household is null and t.object >= ? and t.object < ? or h.village >= ? and h.village < ?)",
            ranges.into_iter().map(either),
        );
        let join = "left join households h on h.county = t.county and h.id = t.household";
        return (format!("{table} t {join}"), filter);
    }
    let within = match register.sheet.columns.get(register.area).map(|column| column.name) {
        Some("village") => "(t.village >= ? and t.village < ?)",
        _ => "(t.area >= ? and t.area < ?)",
    };
    if !register.is_everywhere {
        areas::rows::within(&mut filter, "(t.county >= ? and t.county < ?)", &scope.counties());
    }
    areas::rows::within(&mut filter, within, scope);
    (format!("{table} t"), filter)
}

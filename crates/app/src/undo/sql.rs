//! SQL of undoing.

use std::collections::{BTreeSet, HashMap, HashSet};

use daohu_base::Timestamp;
use daohu_db::{Error, Filter, Row, Tx, Value};
use serde::Serialize;

use crate::{
    households::rows::{self, Holder, person_keys},
    journal::Span,
    registers::{self, Register},
};

/// Keys asked for by one statement.
const IN_LIST: usize = 200;

pub(super) async fn insert(
    tx: &mut Tx,
    import: &str,
    (at, by): (Timestamp, &str),
    spans: &[Span],
) -> Result<(), Error> {
    let records: i64 = spans.iter().map(|span| span.last - span.first + 1).sum();
    let sql = "insert into imports (id, records, created_at, created_by) values ($1, $2, $3, $4)";
    tx.execute(sql, &[import.into(), records.into(), at.0.into(), by.into()]).await?;
    for Span { county, first, last } in spans {
        let sql = "insert into import_spans (import, county, first, last) values ($1, $2, $3, $4)";
        let row = [import.into(), county.as_str().into(), (*first).into(), (*last).into()];
        tx.execute(sql, &row).await?;
    }
    Ok(())
}

/// When an import was undone; nothing if there is no such import. Locked until the transaction ends.
pub(super) async fn undone_at(tx: &mut Tx, import: &str) -> Result<Option<Option<i64>>, Error> {
    let sql = "update imports set records = records where id = $1 returning undone_at";
    tx.query_opt(sql, &[import.into()]).await?.map(|row| row.opt_int(0)).transpose()
}

/// When which of these imports were undone.
pub(super) async fn undone_of(
    tx: &mut Tx,
    imports: &[String],
) -> Result<HashMap<String, Timestamp>, Error> {
    let mut filter = Filter::new();
    filter.and_in("id", imports.iter().map(|id| Value::from(id.as_str())));
    filter.and("undone_at is not null", []);
    let sql = format!("select id, undone_at from imports{}", filter.clause());
    let undone = |row: &Row| Ok((row.text(0)?.to_owned(), Timestamp(row.int(1)?)));
    tx.query(&sql, filter.params()).await?.iter().map(undone).collect()
}

/// Where the entries of an import are.
pub(super) async fn spans(tx: &mut Tx, import: &str) -> Result<Vec<Span>, Error> {
    let sql = "select county, first, last from import_spans where import = $1 order by county";
    let span = |row: &Row| {
        Ok(Span { county: row.text(0)?.to_owned(), first: row.int(1)?, last: row.int(2)? })
    };
    tx.query(sql, &[import.into()]).await?.iter().map(span).collect()
}

pub(super) async fn set_undone(
    tx: &mut Tx,
    import: &str,
    (at, by): (Timestamp, &str),
) -> Result<(), Error> {
    let sql = "update imports set undone_at = $2, undone_by = $3 where id = $1";
    tx.execute(sql, &[import.into(), at.0.into(), by.into()]).await.map(drop)
}

/// Takes a membership away.
pub(super) async fn remove_membership(
    tx: &mut Tx,
    county: &str,
    (household, person): (i64, i64),
) -> Result<(), Error> {
    let sql = "delete from memberships where county = $1 and household = $2 and person = $3";
    tx.execute(sql, &[county.into(), household.into(), person.into()]).await.map(drop)
}

/// Puts a membership back as it was.
pub(super) async fn restore_membership(
    tx: &mut Tx,
    county: &str,
    (household, person): (i64, i64),
    was: [Value; 3],
    at: Timestamp,
) -> Result<(), Error> {
    let sql = "update memberships set relation = $4, change_kind = $5, change_on = $6,
                 updated_at = $7, version = version + 1
               where county = $1 and household = $2 and person = $3";
    let [relation, change_kind, change_on] = was;
    let key = [county.into(), household.into(), person.into()];
    let row = [relation, change_kind, change_on, at.0.into()];
    tx.execute(sql, &[&key[..], &row].concat()).await.map(drop)
}

/// Those of these areas that are not there.
pub(super) async fn unknown_areas(
    tx: &mut Tx,
    codes: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Error> {
    let mut unknown = codes.clone();
    for filter in Filter::lists("code", codes.iter().map(|code| code.as_str().into())) {
        let sql = format!("select code from areas{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            unknown.remove(row.text(0)?);
        }
    }
    Ok(unknown)
}

/// Those of these numbers that organisations, cadres or teams have.
pub(super) async fn known(
    tx: &mut Tx,
    register: &Register,
    numbers: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Error> {
    let mut known = BTreeSet::new();
    for some in numbers.iter().cloned().collect::<Vec<_>>().chunks(IN_LIST) {
        known.extend(registers::rows::known(tx, register, some.to_vec()).await?);
    }
    Ok(known)
}

/// Those of these households of a county that have several members who are heads.
pub(super) async fn homes_of_two_heads(
    tx: &mut Tx,
    county: &str,
    (homes, heads): (&[i64], &[i64]),
) -> Result<Vec<i64>, Error> {
    let mut found = Vec::new();
    for mut filter in Filter::lists("household", homes.iter().copied().map(Value::from)) {
        filter.and("county = ?", [county.into()]);
        filter.and("is_current = 1", []);
        filter.and_in("relation", heads.iter().copied().map(Value::from));
        let sql = format!(
            "select household from persons{} group by household having count(*) > 1",
            filter.clause()
        );
        found.extend(ints(&tx.query(&sql, filter.params()).await?)?);
    }
    Ok(found)
}

/// Those of these households of a county in whose village a member is not; and those to which somebody belongs
/// and that are not there.
pub(super) async fn homes_left_behind(
    tx: &mut Tx,
    county: &str,
    homes: &[i64],
) -> Result<Vec<i64>, Error> {
    let mut found = Vec::new();
    for mut filter in Filter::lists("p.household", homes.iter().copied().map(Value::from)) {
        filter.and("p.county = ?", [county.into()]);
        filter.and("(h.village is null or h.village <> p.village)", []);
        let sql = format!(
            "select distinct p.household from persons p
             left join households h on h.county = p.county and h.id = p.household{}",
            filter.clause()
        );
        found.extend(ints(&tx.query(&sql, filter.params()).await?)?);
    }
    Ok(found)
}

/// Those of these households of a county whose village is not there any more, or has ended before a day.
pub(super) async fn homes_nowhere(
    tx: &mut Tx,
    county: &str,
    (homes, day): (&[i64], &str),
) -> Result<Vec<i64>, Error> {
    let mut found = Vec::new();
    for mut filter in Filter::lists("h.id", homes.iter().copied().map(Value::from)) {
        filter.and("h.county = ?", [county.into()]);
        filter.and("(a.code is null or a.ends_on < ?)", [day.into()]);
        let sql = format!(
            "select h.id from households h left join areas a on a.code = h.village{}",
            filter.clause()
        );
        found.extend(ints(&tx.query(&sql, filter.params()).await?)?);
    }
    Ok(found)
}

/// Those of these persons of a county into whom somebody was merged.
pub(super) async fn kept_by_merge(
    tx: &mut Tx,
    county: &str,
    persons: &[i64],
) -> Result<Vec<i64>, Error> {
    let wanted: HashSet<i64> = persons.iter().copied().collect();
    let mut found = Vec::new();
    for column in ["person", "other"] {
        for mut filter in Filter::lists(column, persons.iter().copied().map(Value::from)) {
            filter.and("county = ?", [county.into()]);
            filter.and("verdict = 'merged'", []);
            filter.and("kept is not null", []);
            let sql = format!("select kept from judgements{}", filter.clause());
            let kept = ints(&tx.query(&sql, filter.params()).await?)?;
            found.extend(kept.into_iter().filter(|kept| wanted.contains(kept)));
        }
    }
    Ok(found)
}

fn ints(rows: &[Row]) -> Result<Vec<i64>, Error> {
    rows.iter().map(|row| row.int(0)).collect()
}

/// The household that a person's row names.
pub(super) async fn home_of(tx: &mut Tx, county: &str, person: i64) -> Result<Option<i64>, Error> {
    let sql = "select household from persons where county = $1 and id = $2";
    let row = tx.query_opt(sql, &[county.into(), person.into()]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// An ID number that one person alone holds: its blind index, and that of its tail, which finds the persons.
pub(super) type Number = ([u8; 16], i64);

/// Says who holds ID numbers: of the persons who have one, whoever belongs to a household now, or else the one
/// written last; nobody if there is none. Gives the numbers that several have who belong to households.
pub(super) async fn settle_holders(tx: &mut Tx, numbers: &[Number]) -> Result<Vec<Number>, Error> {
    let mut contested = Vec::new();
    let numbers: BTreeSet<Number> = numbers.iter().copied().collect();
    for some in Vec::from_iter(numbers).chunks(IN_LIST) {
        // Before anybody is looked for: who gives one of them to somebody is waited for, and seen; who does so
        // later waits, and meets the holder.
        let claims: Vec<_> = some.iter().map(|(identity, _)| nobody().row(*identity)).collect();
        tx.upsert_rows(&person_keys(), &claims).await?;
        let mut by_number: HashMap<[u8; 16], Holder> = HashMap::new();
        for (identity, holder) in rows::bearers(tx, some).await? {
            let is_current = holder.is_current;
            let before = by_number.insert(identity, holder);
            if is_current && before.is_some_and(|before| before.is_current) {
                contested.extend(some.iter().find(|number| number.0 == identity));
            }
        }
        let free = some.iter().filter(|(identity, _)| !by_number.contains_key(identity));
        let mut filter = Filter::new();
        filter.and_in("identity", free.map(|(identity, _)| identity.to_vec().into()));
        let sql = format!("delete from person_keys{}", filter.clause());
        tx.execute(&sql, filter.params()).await?;
        let rows: Vec<_> = by_number.iter().map(|(number, holder)| holder.row(*number)).collect();
        tx.upsert_rows(&person_keys(), &rows).await?;
    }
    Ok(contested)
}

/// Stands for the holder of a number until it is known who that is.
fn nobody() -> Holder {
    Holder { county: String::new(), person: 0, household: 0, is_current: false }
}

/// Of those who have one of these numbers and belong to households, all where there are several: county and id.
pub(super) async fn holders_of_contested(
    tx: &mut Tx,
    numbers: &[Number],
) -> Result<Vec<(String, i64)>, Error> {
    let mut found = Vec::new();
    for some in numbers.chunks(IN_LIST) {
        let mut by_number: HashMap<[u8; 16], Vec<(String, i64)>> = HashMap::new();
        for (number, holder) in rows::bearers(tx, some).await? {
            if holder.is_current {
                by_number.entry(number).or_default().push((holder.county, holder.person));
            }
        }
        found.extend(by_number.into_values().filter(|all| all.len() > 1).flatten());
    }
    Ok(found)
}

/// An import as it is listed.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// By which it can be undone.
    pub id: String,
    /// Records that it wrote.
    pub records: i64,
    /// When, in milliseconds of UTC.
    pub created_at: i64,
    /// Who.
    pub created_by: String,
    /// When it was undone, in milliseconds of UTC; none if it was not.
    pub undone_at: Option<i64>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

/// What was imported, the latest first.
pub(super) async fn imports(tx: &mut Tx, limit: i64) -> Result<Vec<Imported>, Error> {
    let sql = "select id, records, created_at, created_by, undone_at, undone_by from imports
               order by created_at desc, id desc limit $1";
    let imported = |row: &Row| {
        Ok(Imported {
            id: row.text(0)?.to_owned(),
            records: row.int(1)?,
            created_at: row.int(2)?,
            created_by: row.text(3)?.to_owned(),
            undone_at: row.opt_int(4)?,
            undone_by: row.opt_text(5)?.map(str::to_owned),
        })
    };
    tx.query(sql, &[limit.into()]).await?.iter().map(imported).collect()
}

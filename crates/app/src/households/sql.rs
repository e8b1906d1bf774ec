//! SQL of households, persons and incomes.

use std::collections::{BTreeSet, HashMap};

use daohu_base::Scope;
use daohu_db::{Column, Error as DbError, Filter, Row, Suspended, Table, Tx, Type, Value};
use serde::{Deserialize, Serialize};

use super::model::{HouseholdRow, IdKind, IncomeRow, PersonRow, Serials, layouts};
use crate::{
    Error, areas,
    keys::Keys,
    sheet::{Layout, Record, records},
};

/// Who holds an ID number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) county: String,
    pub(crate) person: i64,
    pub(crate) household: i64,
    pub(crate) is_current: bool,
}

impl Holder {
    /// The row of [`person_keys`] that says who holds a number.
    pub(crate) fn row(&self, identity: [u8; 16]) -> Vec<Value> {
        let (person, household) = (self.person.into(), self.household.into());
        let county = self.county.as_str().into();
        vec![identity.to_vec().into(), county, person, household, self.is_current.into()]
    }
}

/// A membership that ended because the person now belongs to another household.
#[derive(Clone, Debug)]
pub(crate) struct PastMembership {
    pub(crate) household: i64,
    pub(crate) person: i64,
    pub(crate) identity: Vec<u8>,
    pub(crate) relation: Option<i64>,
    pub(crate) change_kind: Option<i64>,
    pub(crate) change_on: Option<String>,
    pub(crate) version: i64,
}

impl PastMembership {
    /// The journal's object.
    pub(crate) fn to_journal(&self, county: &str) -> String {
        serde_json::json!({
            "county": county,
            "household": self.household,
            "person": self.person,
            "relation": self.relation,
            "change_kind": self.change_kind,
            "change_on": self.change_on,
        })
        .to_string()
    }
}

/// The rows of these households of a county, a list at a time.
pub(super) fn of_households(county: &str, households: &[i64]) -> Vec<Filter> {
    of_county("household", county, households.iter().copied())
}

/// The rows of a county with one of these values in a column, a list at a time.
pub(super) fn of_county(
    column: &'static str,
    county: &str,
    values: impl IntoIterator<Item = i64>,
) -> Vec<Filter> {
    let mut lists = Filter::lists(column, values.into_iter().map(Value::from));
    lists.iter_mut().for_each(|list| list.and("county = ?", [county.into()]));
    lists
}

/// The counties of a scope that have households, by code.
pub(crate) async fn counties(tx: &mut Tx, scope: &Scope) -> Result<Vec<String>, DbError> {
    let mut found: Vec<String> = Vec::new();
    loop {
        let mut filter = Filter::new();
        areas::rows::within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
        // One step in the index for each, where `distinct` would read all of it.
        filter.and("county > ?", [found.last().map_or("", String::as_str).into()]);
        let sql = format!("select min(county) from households{}", filter.clause());
        match tx.query_one(&sql, filter.params()).await?.opt_text(0)? {
            Some(county) => found.push(county.to_owned()),
            None => return Ok(found),
        }
    }
}

/// The villages of a scope where households live that are of these states and kinds of residence.
pub(crate) async fn villages_in_state(
    tx: &mut Tx,
    scope: &Scope,
    (states, residences): (&[i64], &[i64]),
) -> Result<BTreeSet<String>, DbError> {
    let mut filter = Filter::new();
    areas::rows::within(&mut filter, "(village >= ? and village < ?)", scope);
    filter.and_in("exit_status", states.iter().copied().map(Value::from));
    filter.and_in("residence_kind", residences.iter().copied().map(Value::from));
    let sql = format!("select distinct village from households{}", filter.clause());
    let rows = tx.query(&sql, filter.params()).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// True if there is any household at all.
pub(crate) async fn any_household(tx: &mut Tx) -> Result<bool, DbError> {
    Ok(tx.query_opt("select 1 from households limit 1", &[]).await?.is_some())
}

/// All households with these numbers, in whatever county.
pub(crate) async fn by_numbers(
    tx: &mut Tx,
    keys: &Keys,
    numbers: impl IntoIterator<Item = String>,
) -> Result<Vec<HouseholdRow>, Error> {
    let mut found = Vec::new();
    for filter in Filter::lists("no", numbers.into_iter().map(Value::from)) {
        found.extend(records(tx, keys, &layouts::HOUSEHOLD, &filter).await?);
    }
    Ok(found.into_iter().map(HouseholdRow).collect())
}

/// All persons of these households of a county, by id.
pub(crate) async fn persons_of(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    households: &[i64],
) -> Result<Vec<PersonRow>, Error> {
    let mut found = Vec::new();
    for filter in of_households(county, households) {
        found.extend(records(tx, keys, &layouts::PERSON, &filter).await?);
    }
    let mut found: Vec<PersonRow> = found.into_iter().map(PersonRow).collect();
    found.sort_by_key(PersonRow::id);
    Ok(found)
}

/// One person.
pub(crate) async fn person(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    id: i64,
) -> Result<Option<PersonRow>, Error> {
    Ok(record(tx, keys, &layouts::PERSON, (county, id)).await?.map(PersonRow))
}

/// One household.
pub(crate) async fn household(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    id: i64,
) -> Result<Option<HouseholdRow>, Error> {
    Ok(record(tx, keys, &layouts::HOUSEHOLD, (county, id)).await?.map(HouseholdRow))
}

async fn record(
    tx: &mut Tx,
    keys: &Keys,
    layout: &Layout,
    (county, id): (&str, i64),
) -> Result<Option<Record>, Error> {
    let mut filter = Filter::new();
    filter.and("county = ? and id = ?", [county.into(), id.into()]);
    Ok(records(tx, keys, layout, &filter).await?.into_iter().next())
}

/// The 户编号 of a household, without opening what is sealed in its row.
pub(super) async fn household_no(
    tx: &mut Tx,
    county: &str,
    id: i64,
) -> Result<Option<String>, Error> {
    let sql = "select no from households where county = $1 and id = $2";
    let row = tx.query_opt(sql, &[county.into(), id.into()]).await?;
    Ok(row.map(|row| row.text(0).map(str::to_owned)).transpose()?)
}

/// The household that a person belongs to, without opening what is sealed in the row.
pub(super) async fn household_of(
    tx: &mut Tx,
    county: &str,
    person: i64,
) -> Result<Option<i64>, Error> {
    let sql = "select household from persons where county = $1 and id = $2";
    let row = tx.query_opt(sql, &[county.into(), person.into()]).await?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

/// The households of these persons of a county, a person's for each that is there.
pub(crate) async fn households_of(
    tx: &mut Tx,
    county: &str,
    persons: &[i64],
) -> Result<Vec<i64>, Error> {
    let mut found = Vec::new();
    for filter in of_county("id", county, persons.iter().copied()) {
        let sql = format!("select household from persons{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.push(row.int(0)?);
        }
    }
    Ok(found)
}

/// All incomes of these households of a county.
pub(crate) async fn incomes_of(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    households: &[i64],
) -> Result<Vec<IncomeRow>, Error> {
    let mut found = Vec::new();
    for filter in of_households(county, households) {
        found.extend(records(tx, keys, &layouts::INCOME, &filter).await?);
    }
    Ok(found.into_iter().map(IncomeRow).collect())
}

/// Earlier memberships in these households of a county.
pub(crate) async fn past_memberships_of(
    tx: &mut Tx,
    county: &str,
    households: &[i64],
) -> Result<Vec<PastMembership>, DbError> {
    let mut found = Vec::new();
    for filter in of_households(county, households) {
        let sql = format!(
            "select household, person, identity, relation, change_kind, change_on, version
             from memberships{}",
            filter.clause()
        );
        for row in tx.query(&sql, filter.params()).await? {
            found.push(past_membership(&row)?);
        }
    }
    Ok(found)
}

fn past_membership(row: &Row) -> Result<PastMembership, DbError> {
    Ok(PastMembership {
        household: row.int(0)?,
        person: row.int(1)?,
        identity: row.blob(2)?.to_vec(),
        relation: row.opt_int(3)?,
        change_kind: row.opt_int(4)?,
        change_on: row.opt_text(5)?.map(str::to_owned),
        version: row.int(6)?,
    })
}

/// A household's number and village.
pub(crate) async fn place_of(
    tx: &mut Tx,
    county: &str,
    household: i64,
) -> Result<Option<(String, String)>, DbError> {
    let sql = "select no, village from households where county = $1 and id = $2";
    let row = tx.query_opt(sql, &[county.into(), household.into()]).await?;
    row.map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).transpose()
}

/// Number and village of those of these households that are in a county now, by id.
pub(crate) async fn places_of(
    tx: &mut Tx,
    county: &str,
    households: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, (String, String)>, DbError> {
    let mut filter = Filter::new();
    filter.and("county = ?", [county.into()]);
    filter.and_in("id", households.into_iter().map(Value::from));
    let sql = format!("select id, no, village from households{}", filter.clause());
    let place = |row: &Row| Ok((row.int(0)?, (row.text(1)?.to_owned(), row.text(2)?.to_owned())));
    tx.query(&sql, filter.params()).await?.iter().map(place).collect()
}

/// Who holds these ID numbers, by blind index.
pub(crate) async fn holders(
    tx: &mut Tx,
    identities: impl IntoIterator<Item = [u8; 16]>,
) -> Result<Vec<([u8; 16], Holder)>, DbError> {
    let sql = |clause: &str| format!("select {HOLDER} from person_keys{clause}");
    read_holders(tx, identities, sql).await
}

/// As [`holders`], locked until the transaction ends.
pub(crate) async fn lock_holders(
    tx: &mut Tx,
    identities: impl IntoIterator<Item = [u8; 16]>,
) -> Result<Vec<([u8; 16], Holder)>, DbError> {
    let sql = |clause: &str| {
        format!("update person_keys set is_current = is_current{clause} returning {HOLDER}")
    };
    read_holders(tx, identities, sql).await
}

/// As [`holder`] reads them.
const HOLDER: &str = "identity, county, person, household, is_current";

async fn read_holders(
    tx: &mut Tx,
    identities: impl IntoIterator<Item = [u8; 16]>,
    sql: fn(&str) -> String,
) -> Result<Vec<([u8; 16], Holder)>, DbError> {
    let mut found = Vec::new();
    let identities = identities.into_iter().map(|id| Value::from(id.to_vec()));
    for filter in Filter::lists("identity", identities) {
        for row in tx.query(&sql(filter.clause()), filter.params()).await? {
            found.push(holder(&row)?);
        }
    }
    Ok(found)
}

/// The persons who have these numbers, each by blind index and that of its tail, which finds them: who belongs to a
/// household comes last, and of those who was written last.
pub(crate) async fn bearers(
    tx: &mut Tx,
    numbers: &[([u8; 16], i64)],
) -> Result<Vec<([u8; 16], Holder)>, DbError> {
    let mut filter = Filter::new();
    filter.and_in("id_tail", numbers.iter().map(|(_, tail)| Value::from(*tail)));
    filter.and_in("identity", numbers.iter().map(|(identity, _)| identity.to_vec().into()));
    let sql = format!(
        "select identity, county, id, household, is_current from persons{}
         order by is_current, updated_at",
        filter.clause()
    );
    tx.query(&sql, filter.params()).await?.iter().map(holder).collect()
}

/// Where it stands who holds a number, for the bulk paths; a row is [`Holder::row`].
pub(crate) fn person_keys() -> Table {
    use Type::{Blob, Int, Text};
    let columns = [
        ("identity", Blob),
        ("county", Text),
        ("person", Int),
        ("household", Int),
        ("is_current", Int),
    ];
    let columns = columns.into_iter().map(|(name, kind)| Column { name, kind }).collect();
    Table { name: "person_keys", columns, key: &["identity"] }
}

fn holder(row: &Row) -> Result<([u8; 16], Holder), DbError> {
    let wrong = DbError::Column { index: 0, wanted: "16 bytes" };
    let identity = row.blob(0)?.try_into().map_err(|_| wrong)?;
    let (county, person, household) = (row.text(1)?.to_owned(), row.int(2)?, row.int(3)?);
    Ok((identity, Holder { county, person, household, is_current: row.flag(4)? }))
}

/// The villages of these households of a county, locked until the transaction ends as
/// an edit locks them: nothing below them changes meanwhile.
pub(crate) async fn lock_villages(
    tx: &mut Tx,
    county: &str,
    households: &[i64],
) -> Result<Vec<(i64, String)>, DbError> {
    let mut found = Vec::new();
    for filter in of_county("id", county, households.iter().copied()) {
        let clause = filter.clause();
        let sql = format!("update households set version = version{clause} returning id, village");
        for row in tx.query(&sql, filter.params()).await? {
            found.push((row.int(0)?, row.text(1)?.to_owned()));
        }
    }
    Ok(found)
}

/// The persons of these households of a county, and their versions.
pub(crate) async fn versions_of(
    tx: &mut Tx,
    county: &str,
    households: &[i64],
) -> Result<Vec<(i64, i64)>, DbError> {
    let mut found = Vec::new();
    for filter in of_households(county, households) {
        let sql = format!("select id, version from persons{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.push((row.int(0)?, row.int(1)?));
        }
    }
    Ok(found)
}

/// The next serials of all counties, locked until the transaction ends. A county that has none yet is
/// locked by the line of no county, which every import takes first, however long the one before takes.
pub(crate) async fn lock_serials(tx: &mut Tx) -> Result<Serials, DbError> {
    let lease = "insert into serials (county, kind, next) values ('000000', 'import', 0)
                 on conflict (county, kind) do update set next = serials.next";
    tx.execute_patiently(lease).await?;
    let sql = "update serials set next = next where kind in ('household', 'person')
               returning county, kind, next";
    let mut serials = Serials::new();
    for row in tx.query(sql, &[]).await? {
        let kind = match row.text(1)? {
            "household" => IdKind::Household,
            _ => IdKind::Person,
        };
        serials.insert((row.text(0)?.to_owned(), kind), row.int(2)?);
    }
    Ok(serials)
}

/// Makes the indexes of the registry's tables afterwards: for an import into a registry that was
/// empty.
pub(crate) async fn fill(tx: &mut Tx) -> Result<Suspended, DbError> {
    tx.suspend_indexes(&["households", "persons", "incomes", "person_keys"]).await
}

/// Writes the next serials back.
pub(crate) async fn set_serials(tx: &mut Tx, serials: Serials) -> Result<(), DbError> {
    for ((county, kind), next) in serials {
        let sql = "insert into serials (county, kind, next) values ($1, $2, $3)
                   on conflict (county, kind) do update set next = excluded.next";
        tx.execute(sql, &[county.into(), kind.as_str().into(), next.into()]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daohu_db::{
        Engine, FutureExt,
        testing::{Scratch, hold},
    };

    use super::*;
    use crate::schema::MIGRATIONS;

    #[tokio::test(flavor = "multi_thread")]
    async fn imports_of_two_servers_take_turns_however_long_one_takes() {
        for engine in Engine::BOTH {
            let scratch = Scratch::new(engine).await;
            let (db, other) = (scratch.open().await, scratch.open().await);
            db.migrate(&MIGRATIONS).await.unwrap();
            let turn = async |tx: &mut Tx| lock_serials(tx).await.map(drop);
            let held = hold(&other, move |tx| async move { turn(tx).await }.boxed()).await;
            // Longer than an edit waits, which is less here.
            let first = held.release_after(Duration::from_millis(100));
            let work = async move |tx: &mut Tx| {
                if tx.engine() == Engine::Postgres {
                    tx.execute("set local lock_timeout = '20ms'", &[]).await?;
                }
                lock_serials(tx).await
            };
            let second = db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await;
            assert!(second.is_ok(), "{engine:?} {second:?}");
            first.await.unwrap();
        }
    }
}

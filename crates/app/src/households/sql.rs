//! SQL of households, persons and incomes.

use daohu_db::{Error as DbError, Filter, Row, Tx, Value};

use super::model::{HouseholdRow, IdKind, IncomeRow, PersonRow, Serials, layouts};
use crate::{
    Error,
    keys::Keys,
    sheet::{Layout, Record, household},
};

/// Rows asked for by one `in (…)`: a fixed length, so that the statement is prepared once.
const IN_LIST: usize = 200;

/// Who holds an ID number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) county: String,
    pub(crate) person: i64,
    pub(crate) household: i64,
    pub(crate) is_current: bool,
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

/// Lists of at most [`IN_LIST`] values, the last one filled up with its last value.
fn in_lists(values: Vec<Value>) -> Vec<Vec<Value>> {
    let fill = |chunk: &[Value]| {
        let mut chunk = chunk.to_vec();
        let last = chunk.last().cloned().unwrap_or_default();
        chunk.resize(IN_LIST, last);
        chunk
    };
    values.chunks(IN_LIST).map(fill).collect()
}

async fn records(
    tx: &mut Tx,
    keys: &Keys,
    layout: &Layout,
    filter: &Filter,
) -> Result<Vec<Record>, Error> {
    let (columns, table) = (layout.select(""), layout.table.name);
    let sql = format!("select {columns} from {table}{}", filter.clause());
    let mut rows = tx.query(&sql, filter.params()).await?;
    rows.iter_mut().map(|row| layout.from_row(keys, row)).collect()
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
    for list in in_lists(numbers.into_iter().map(Value::from).collect()) {
        let mut filter = Filter::new();
        filter.and_in("no", list);
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
    for list in in_lists(households.iter().copied().map(Value::from).collect()) {
        let mut filter = Filter::new();
        filter.and("county = ?", [county.into()]);
        filter.and_in("household", list);
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
    let mut filter = Filter::new();
    filter.and("county = ? and id = ?", [county.into(), id.into()]);
    let found = records(tx, keys, &layouts::PERSON, &filter).await?;
    Ok(found.into_iter().next().map(PersonRow))
}

/// All incomes of these households of a county.
pub(crate) async fn incomes_of(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    households: &[i64],
) -> Result<Vec<IncomeRow>, Error> {
    let mut found = Vec::new();
    for list in in_lists(households.iter().copied().map(Value::from).collect()) {
        let mut filter = Filter::new();
        filter.and("county = ?", [county.into()]);
        filter.and_in("household", list);
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
    for list in in_lists(households.iter().copied().map(Value::from).collect()) {
        let mut filter = Filter::new();
        filter.and("county = ?", [county.into()]);
        filter.and_in("household", list);
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

/// Who holds these ID numbers, by blind index.
pub(crate) async fn holders(
    tx: &mut Tx,
    identities: impl IntoIterator<Item = [u8; 16]>,
) -> Result<Vec<([u8; 16], Holder)>, DbError> {
    let mut found = Vec::new();
    for list in in_lists(identities.into_iter().map(|id| Value::from(id.to_vec())).collect()) {
        let mut filter = Filter::new();
        filter.and_in("identity", list);
        let sql = format!(
            "select identity, county, person, household, is_current from person_keys{}",
            filter.clause()
        );
        for row in tx.query(&sql, filter.params()).await? {
            let wrong = DbError::Column { index: 0, wanted: "16 bytes" };
            let identity = row.blob(0)?.try_into().map_err(|_| wrong)?;
            let holder = Holder {
                county: row.text(1)?.to_owned(),
                person: row.int(2)?,
                household: row.int(3)?,
                is_current: row.flag(4)?,
            };
            found.push((identity, holder));
        }
    }
    Ok(found)
}

/// The next serials of all counties, locked until the transaction ends.
pub(crate) async fn lock_serials(tx: &mut Tx) -> Result<Serials, DbError> {
    let sql = "update serials set next = next returning county, kind, next";
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

/// Writes the next serials back.
pub(crate) async fn set_serials(tx: &mut Tx, serials: Serials) -> Result<(), DbError> {
    for ((county, kind), next) in serials {
        let sql = "insert into serials (county, kind, next) values ($1, $2, $3)
                   on conflict (county, kind) do update set next = excluded.next";
        tx.execute(sql, &[county.into(), kind.as_str().into(), next.into()]).await?;
    }
    Ok(())
}

/// The position of 户编号 in a row of the table.
pub(crate) const NO: usize = 2 + household::NO;


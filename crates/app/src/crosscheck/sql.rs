//! SQL of lists and leads.

use std::ops::ControlFlow;

use daohu_base::Scope;
use daohu_db::{Column, Error as DbError, Filter, Row, Table, Tx, Type, Value};

use super::model::{Lead, Member, Said};
use crate::{
    Error, areas,
    follow_ups::{Counted, State},
    keys::Keys,
    sheet::Meta,
};

/// Leads asked for by one statement.
const IN_LIST: usize = 200;

/// A member as the store is read through: whose number it is.
pub(super) struct Holder<'r> {
    pub(super) identity: Option<[u8; 16]>,
    pub(super) county: &'r str,
    pub(super) household: i64,
    pub(super) person: i64,
    pub(super) born_on: Option<&'r str>,
}

fn identity(row: &Row, i: usize) -> Result<Option<[u8; 16]>, DbError> {
    match row.value(i)? {
        Value::Null => Ok(None),
        _ => Ok(row.blob(i)?.try_into().ok()),
    }
}

/// Hands on all who hold a number and belong to a household, in no order. The counties of the scope alone narrow it.
pub(super) async fn each_holder(
    tx: &mut Tx,
    scope: &Scope,
    mut each: impl FnMut(Holder<'_>) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let mut filter = Filter::new();
    filter.and("is_current = 1", []);
    areas::rows::within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
    let sql =
        format!("select identity, county, household, person from person_keys{}", filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        let (identity, county) = (identity(row, 0)?, row.text(1)?);
        let (household, person) = (row.int(2)?, row.int(3)?);
        each(Holder { identity, county, household, person, born_on: None })?;
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .await
}

/// Hands on the members of a scope who were born between two days, both included, and those of whom it is not known.
pub(super) async fn each_member_born(
    tx: &mut Tx,
    scope: &Scope,
    (from, to): (&str, &str),
    mut each: impl FnMut(Holder<'_>) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let mut filter = Filter::new();
    filter.and("is_current = 1", []);
    areas::rows::within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
    areas::rows::within(&mut filter, "(village >= ? and village < ?)", scope);
    filter.and("(born_on is null or born_on >= ? and born_on <= ?)", [from.into(), to.into()]);
    let sql =
        format!("select identity, county, household, id, born_on from persons{}", filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        let (identity, county) = (identity(row, 0)?, row.text(1)?);
        let (household, person, born_on) = (row.int(2)?, row.int(3)?, row.opt_text(4)?);
        each(Holder { identity, county, household, person, born_on })?;
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .await
}

/// Those of these persons of a county who belong to a household.
pub(super) async fn members(
    tx: &mut Tx,
    county: &str,
    persons: impl IntoIterator<Item = i64>,
) -> Result<Vec<Member>, DbError> {
    let mut found = Vec::new();
    for mut filter in Filter::lists("p.id", persons.into_iter().map(Value::from)) {
        filter.and("p.county = ?", [county.into()]);
        filter.and("p.is_current = 1", []);
        let sql = format!(
            "select p.household, p.id, p.name, p.born_on, p.change_on, h.village, h.exit_status
             from persons p join households h on h.county = p.county and h.id = p.household{}",
            filter.clause()
        );
        for row in tx.query(&sql, filter.params()).await? {
            found.push(Member {
                household: row.int(0)?,
                person: row.int(1)?,
                name: row.text(2)?.to_owned(),
                born_on: row.opt_text(3)?.map(str::to_owned),
                change_on: row.opt_text(4)?.map(str::to_owned),
                village: row.text(5)?.to_owned(),
                exit_status: row.opt_int(6)?,
            });
        }
    }
    Ok(found)
}

/// A list as it is remembered.
pub(super) struct CheckedList {
    pub(super) id: String,
    pub(super) check: String,
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) area: Option<String>,
    pub(super) on: String,
    /// JSON.
    pub(super) counts: String,
    pub(super) created_at: i64,
    pub(super) created_by: String,
}

impl CheckedList {
    /// The journal's object.
    pub(super) fn to_journal(&self) -> String {
        let counts: serde_json::Value = serde_json::from_str(&self.counts).unwrap_or_default();
        serde_json::json!({
            "check": self.check,
            "name": self.name,
            "digest": self.digest,
            "area": self.area,
            "on": self.on,
            "counts": counts,
        })
        .to_string()
    }
}

pub(super) async fn insert_list(tx: &mut Tx, list: &CheckedList) -> Result<(), DbError> {
    let sql = "insert into checked_lists
                 (id, check_id, name, digest, area, on_day, counts, created_at, created_by)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let CheckedList { id, check, name, digest, area, on, counts, created_at, created_by } = list;
    let texts = [id, check, name, digest].map(|text| Value::from(text.as_str()));
    let rest = [
        area.as_deref().into(),
        on.as_str().into(),
        counts.as_str().into(),
        (*created_at).into(),
        created_by.as_str().into(),
    ];
    tx.execute(sql, &[&texts[..], &rest].concat()).await.map(drop)
}

/// A list by its id.
pub(super) async fn list(tx: &mut Tx, id: &str) -> Result<Option<CheckedList>, DbError> {
    let sql = "select id, check_id, name, digest, area, on_day, counts, created_at, created_by
               from checked_lists where id = $1";
    let list = |row: &Row| {
        let text = |i: usize| row.text(i).map(str::to_owned);
        Ok(CheckedList {
            id: text(0)?,
            check: text(1)?,
            name: text(2)?,
            digest: text(3)?,
            area: row.opt_text(4)?.map(str::to_owned),
            on: text(5)?,
            counts: text(6)?,
            created_at: row.int(7)?,
            created_by: text(8)?,
        })
    };
    tx.query_opt(sql, &[id.into()]).await?.map(|row| list(&row)).transpose()
}

const COLUMNS: [(&str, Type); 25] = [
    ("county", Type::Text),
    ("id", Type::Text),
    ("household", Type::Int),
    ("person", Type::Int),
    ("check_id", Type::Text),
    ("fact", Type::Text),
    ("list", Type::Text),
    ("list_row", Type::Int),
    ("list_rows", Type::Int),
    ("name_differs", Type::Int),
    ("level", Type::Text),
    ("assign", Type::Text),
    ("first_seen_on", Type::Text),
    ("last_seen_on", Type::Text),
    ("due_on", Type::Text),
    ("state", Type::Text),
    ("outcome", Type::Int),
    ("closed_on", Type::Text),
    ("closed_by", Type::Text),
    ("reason", Type::Text),
    ("sealed", Type::Blob),
    ("created_at", Type::Int),
    ("created_by", Type::Text),
    ("updated_at", Type::Int),
    ("version", Type::Int),
];

fn table() -> Table {
    let columns = COLUMNS.map(|(name, kind)| Column { name, kind }).to_vec();
    Table { name: "leads", columns, key: &["county", "id"] }
}

/// The columns of [`lead`].
fn columns() -> String {
    COLUMNS.map(|(name, _)| format!("l.{name}")).join(", ")
}

/// What the sealed cell of a lead is bound to.
fn context(id: &str) -> String {
    format!("lead {id}")
}

fn seal(keys: &Keys, lead: &Lead) -> Result<Option<Vec<u8>>, Error> {
    if lead.said == Said::default() {
        return Ok(None);
    }
    let plain = serde_json::to_vec(&lead.said).map_err(std::io::Error::other)?;
    Ok(Some(keys.seal(&context(&lead.id), &plain)?))
}

fn lead(keys: &Keys, row: &Row) -> Result<Lead, Error> {
    let text = |i: usize| row.text(i).map(str::to_owned);
    let opt_text = |i: usize| row.opt_text(i).map(|text| text.map(str::to_owned));
    let id = text(1)?;
    let said = match row.value(20)? {
        Value::Null => Said::default(),
        _ => {
            let plain = keys.open(&context(&id), row.blob(20)?)?;
            serde_json::from_slice(&plain).map_err(std::io::Error::other)?
        }
    };
    let state = State::named(row.text(15)?);
    Ok(Lead {
        county: text(0)?,
        id,
        household: row.int(2)?,
        person: row.int(3)?,
        check: text(4)?,
        fact: text(5)?,
        list: text(6)?,
        list_row: row.opt_int(7)?,
        list_rows: row.int(8)?,
        name_differs: row.opt_int(9)?.map(|differs| differs == 1),
        level: text(10)?,
        assign: text(11)?,
        first_seen_on: text(12)?,
        last_seen_on: text(13)?,
        due_on: text(14)?,
        state: state.ok_or(DbError::Column { index: 15, wanted: "a state" })?,
        outcome: row.opt_int(16)?,
        closed_on: opt_text(17)?,
        closed_by: opt_text(18)?,
        reason: opt_text(19)?,
        said,
        meta: Meta {
            created_at: row.int(21)?,
            created_by: text(22)?,
            updated_at: row.int(23)?,
            version: row.int(24)?,
        },
    })
}

fn row(keys: &Keys, lead: &Lead) -> Result<Vec<Value>, Error> {
    let sealed = seal(keys, lead)?;
    Ok(vec![
        lead.county.as_str().into(),
        lead.id.as_str().into(),
        lead.household.into(),
        lead.person.into(),
        lead.check.as_str().into(),
        lead.fact.as_str().into(),
        lead.list.as_str().into(),
        lead.list_row.into(),
        lead.list_rows.into(),
        lead.name_differs.map(i64::from).into(),
        lead.level.as_str().into(),
        lead.assign.as_str().into(),
        lead.first_seen_on.as_str().into(),
        lead.last_seen_on.as_str().into(),
        lead.due_on.as_str().into(),
        lead.state.as_str().into(),
        lead.outcome.into(),
        lead.closed_on.as_deref().into(),
        lead.closed_by.as_deref().into(),
        lead.reason.as_deref().into(),
        sealed.into(),
        lead.meta.created_at.into(),
        lead.meta.created_by.as_str().into(),
        lead.meta.updated_at.into(),
        lead.meta.version.into(),
    ])
}

async fn found(tx: &mut Tx, keys: &Keys, filter: &Filter, rest: &str) -> Result<Vec<Lead>, Error> {
    let sql = format!("select {} from leads l{}{rest}", columns(), filter.clause());
    tx.query(&sql, filter.params()).await?.iter().map(|row| lead(keys, row)).collect()
}

/// Those of these leads of a county that are there.
pub(super) async fn by_ids(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    ids: &[&str],
) -> Result<Vec<Lead>, Error> {
    let mut all = Vec::new();
    for some in ids.chunks(IN_LIST) {
        let mut filter = Filter::new();
        filter.and("l.county = ?", [county.into()]);
        filter.and_in("l.id", some.iter().map(|id| Value::from(*id)));
        all.extend(found(tx, keys, &filter, "").await?);
    }
    Ok(all)
}

/// The leads of these households of a county.
pub(super) async fn of_households(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    households: &[i64],
) -> Result<Vec<Lead>, Error> {
    let mut all = Vec::new();
    for mut filter in Filter::lists("l.household", households.iter().copied().map(Value::from)) {
        filter.and("l.county = ?", [county.into()]);
        all.extend(found(tx, keys, &filter, "").await?);
    }
    Ok(all)
}

/// Writes leads that were not there.
pub(super) async fn insert(tx: &mut Tx, keys: &Keys, leads: &[Lead]) -> Result<(), Error> {
    let rows = leads.iter().map(|lead| row(keys, lead)).collect::<Result<Vec<_>, _>>()?;
    Ok(tx.insert_rows(&table(), &rows).await?)
}

/// Writes changed leads; one that somebody else wrote meanwhile is not overwritten.
pub(super) async fn save(tx: &mut Tx, keys: &Keys, leads: &[Lead]) -> Result<(), Error> {
    let rows = leads.iter().map(|lead| row(keys, lead)).collect::<Result<Vec<_>, _>>()?;
    Ok(tx.upsert_rows(&table(), &rows).await?)
}

/// Takes a lead out of its county: it is written in another one.
pub(super) async fn remove(tx: &mut Tx, lead: &Lead) -> Result<(), DbError> {
    let sql = "delete from leads where county = $1 and id = $2";
    tx.execute(sql, &[lead.county.as_str().into(), lead.id.as_str().into()]).await.map(drop)
}

/// The next leads with a sealed cell, by county and id: county, id, cell.
pub(super) async fn sealed(
    tx: &mut Tx,
    (county, id): (&str, &str),
    limit: i64,
) -> Result<Vec<(String, String, Vec<u8>)>, DbError> {
    let sql = "select county, id, sealed from leads
               where sealed is not null and (county, id) > ($1, $2) order by county, id limit $3";
    let rows = tx.query(sql, &[county.into(), id.into(), limit.into()]).await?;
    let cell =
        |row: &Row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.blob(2)?.to_vec()));
    rows.iter().map(cell).collect()
}

/// Seals a cell anew, unless it was changed meanwhile.
pub(super) async fn reseal(
    tx: &mut Tx,
    keys: &Keys,
    (county, id): (&str, &str),
    old: Vec<u8>,
) -> Result<u64, Error> {
    let plain = keys.open(&context(id), &old)?;
    let new = keys.seal(&context(id), &plain)?;
    let sql = "update leads set sealed = $4 where county = $1 and id = $2 and sealed = $3";
    Ok(tx.execute(sql, &[county.into(), id.into(), old.into(), new.into()]).await?)
}

/// A lead with what people know its household and member by.
pub(super) struct Shown {
    pub(super) lead: Lead,
    pub(super) household_no: String,
    pub(super) village: String,
    pub(super) person_name: String,
}

/// Where the village and the names of a lead stand.
const SHOWN: &str = "from leads l
    join households h on h.county = l.county and h.id = l.household
    join persons p on p.county = l.county and p.id = l.person";

/// Which leads are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) check: Option<String>,
    pub(super) state: Option<State>,
}

fn of_scope(scope: &Scope) -> Filter {
    let mut filter = Filter::new();
    areas::rows::within(&mut filter, "(l.county >= ? and l.county < ?)", &scope.counties());
    areas::rows::within(&mut filter, "(h.village >= ? and h.village < ?)", scope);
    filter
}

/// The next leads of a scope by county and id, after a mark; or the one of an id.
pub(super) async fn shown(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    (wanted, id): (&Wanted, Option<&str>),
    (after, limit): (Option<&(String, String)>, i64),
) -> Result<Vec<Shown>, Error> {
    let mut filter = of_scope(scope);
    if let Some(id) = id {
        filter.and("l.id = ?", [id.into()]);
    }
    if let Some(check) = &wanted.check {
        filter.and("l.check_id = ?", [check.as_str().into()]);
    }
    if let Some(state) = wanted.state {
        filter.and("l.state = ?", [state.as_str().into()]);
    }
    if let Some((county, id)) = after {
        filter.and("(l.county, l.id) > (?, ?)", [county.as_str().into(), id.as_str().into()]);
    }
    let limit = filter.param(limit);
    let sql = format!(
        "select {}, h.no, h.village, p.name {SHOWN}{} order by l.county, l.id limit {limit}",
        columns(),
        filter.clause()
    );
    let of = COLUMNS.len();
    let shown = |row: &Row| {
        Ok(Shown {
            lead: lead(keys, row)?,
            household_no: row.text(of)?.to_owned(),
            village: row.text(of + 1)?.to_owned(),
            person_name: row.text(of + 2)?.to_owned(),
        })
    };
    tx.query(&sql, filter.params()).await?.iter().map(shown).collect()
}

/// How many leads a scope has, by the areas whose codes have so many digits.
pub(super) async fn counted(
    tx: &mut Tx,
    scope: &Scope,
    (digits, today): (usize, &str),
) -> Result<Vec<Counted>, DbError> {
    let mut filter = of_scope(scope);
    let today = filter.param(today);
    let sql = format!(
        "select substr(h.village, 1, {digits}), l.check_id, l.state, l.outcome,
                cast(count(*) as bigint),
                cast(sum(case when l.due_on < {today} then 1 else 0 end) as bigint)
         {SHOWN}{} group by 1, 2, 3, 4 order by 1, 2, 3, 4",
        filter.clause()
    );
    let counted = |row: &Row| {
        let state = State::named(row.text(2)?);
        Ok(Counted {
            area: row.text(0)?.to_owned(),
            of: row.text(1)?.to_owned(),
            state: state.ok_or(DbError::Column { index: 2, wanted: "a state" })?,
            outcome: row.opt_int(3)?,
            count: row.int(4)?,
            overdue: row.int(5)?,
        })
    };
    tx.query(&sql, filter.params()).await?.iter().map(counted).collect()
}

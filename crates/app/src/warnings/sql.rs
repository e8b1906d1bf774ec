//! SQL of warnings.

use std::ops::ControlFlow;

use daohu_base::Scope;
use daohu_db::{Column, Error as DbError, Filter, Row, Table, Tx, Type, Value};

use super::model::{Closing, Warning};
use crate::{
    Error, areas,
    follow_ups::{Counted, State},
    sheet::Meta,
};

const COLUMNS: [(&str, Type); 19] = [
    ("county", Type::Text),
    ("id", Type::Text),
    ("household", Type::Int),
    ("rule", Type::Text),
    ("level", Type::Text),
    ("assign", Type::Text),
    ("raised_on", Type::Text),
    ("looked_on", Type::Text),
    ("due_on", Type::Text),
    ("cleared_on", Type::Text),
    ("outcome", Type::Int),
    ("closed_on", Type::Text),
    ("closed_by", Type::Text),
    ("reason", Type::Text),
    ("again_on", Type::Text),
    ("created_at", Type::Int),
    ("created_by", Type::Text),
    ("updated_at", Type::Int),
    ("version", Type::Int),
];

fn table() -> Table {
    let columns = COLUMNS.map(|(name, kind)| Column { name, kind }).to_vec();
    Table { name: "warnings", columns, key: &["county", "id"] }
}

/// The columns of [`warning`].
fn columns() -> String {
    COLUMNS.map(|(name, _)| format!("w.{name}")).join(", ")
}

fn warning(row: &Row) -> Result<Warning, DbError> {
    let text = |i: usize| row.text(i).map(str::to_owned);
    let closing = match (row.opt_int(10)?, row.opt_text(14)?) {
        (Some(outcome), Some(again_on)) => Some(Closing {
            outcome,
            on: text(11)?,
            by: text(12)?,
            reason: text(13)?,
            again_on: again_on.to_owned(),
        }),
        _ => None,
    };
    Ok(Warning {
        county: text(0)?,
        id: text(1)?,
        household: row.int(2)?,
        rule: text(3)?,
        level: text(4)?,
        assign: text(5)?,
        raised_on: text(6)?,
        looked_on: text(7)?,
        due_on: text(8)?,
        cleared_on: row.opt_text(9)?.map(str::to_owned),
        closing,
        meta: Meta {
            created_at: row.int(15)?,
            created_by: text(16)?,
            updated_at: row.int(17)?,
            version: row.int(18)?,
        },
    })
}

fn row(own: &Warning) -> Vec<Value> {
    let closing = own.closing.as_ref();
    vec![
        own.county.as_str().into(),
        own.id.as_str().into(),
        own.household.into(),
        own.rule.as_str().into(),
        own.level.as_str().into(),
        own.assign.as_str().into(),
        own.raised_on.as_str().into(),
        own.looked_on.as_str().into(),
        own.due_on.as_str().into(),
        own.cleared_on.as_deref().into(),
        closing.map(|own| own.outcome).into(),
        closing.map(|own| own.on.as_str()).into(),
        closing.map(|own| own.by.as_str()).into(),
        closing.map(|own| own.reason.as_str()).into(),
        closing.map(|own| own.again_on.as_str()).into(),
        own.meta.created_at.into(),
        own.meta.created_by.as_str().into(),
        own.meta.updated_at.into(),
        own.meta.version.into(),
    ]
}

async fn found(tx: &mut Tx, filter: &Filter) -> Result<Vec<Warning>, DbError> {
    let sql = format!("select {} from warnings w{}", columns(), filter.clause());
    tx.query(&sql, filter.params()).await?.iter().map(warning).collect()
}

/// The warning of a county with an id.
pub(super) async fn by_id(tx: &mut Tx, county: &str, id: &str) -> Result<Option<Warning>, DbError> {
    let mut filter = Filter::new();
    filter.and("w.county = ?", [county.into()]);
    filter.and("w.id = ?", [id.into()]);
    Ok(found(tx, &filter).await?.pop())
}

/// All warnings of these households of a county.
pub(super) async fn of_households(
    tx: &mut Tx,
    county: &str,
    households: &[i64],
) -> Result<Vec<Warning>, DbError> {
    let mut all = Vec::new();
    for mut filter in Filter::lists("w.household", households.iter().copied().map(Value::from)) {
        filter.and("w.county = ?", [county.into()]);
        all.extend(found(tx, &filter).await?);
    }
    Ok(all)
}

/// Hands on those of a scope that are open, or were closed and are still quiet on a day: all that a run need know.
pub(super) async fn each_standing(
    tx: &mut Tx,
    (scope, today): (&Scope, &str),
    mut each: impl FnMut(Warning) + Send,
) -> Result<(), Error> {
    let mut filter = of_scope(scope);
    filter.and("(w.closed_on is null or w.again_on > ?)", [today.into()]);
    let sql = format!("select {} {SHOWN}{}", columns(), filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        each(warning(row)?);
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .await
}

/// Writes warnings that were not there.
pub(super) async fn insert(tx: &mut Tx, warnings: &[Warning]) -> Result<(), DbError> {
    tx.insert_rows(&table(), &warnings.iter().map(row).collect::<Vec<_>>()).await
}

/// Writes changed warnings.
pub(super) async fn save(tx: &mut Tx, warnings: &[Warning]) -> Result<(), DbError> {
    tx.upsert_rows(&table(), &warnings.iter().map(row).collect::<Vec<_>>()).await
}

/// Takes a warning out of its county.
pub(super) async fn remove(tx: &mut Tx, own: &Warning) -> Result<(), DbError> {
    let sql = "delete from warnings where county = $1 and id = $2";
    tx.execute(sql, &[own.county.as_str().into(), own.id.as_str().into()]).await.map(drop)
}

/// The villages of these households of a county.
pub(super) async fn villages(
    tx: &mut Tx,
    county: &str,
    households: &[i64],
) -> Result<Vec<(i64, String)>, DbError> {
    let mut found = Vec::new();
    for mut filter in Filter::lists("id", households.iter().copied().map(Value::from)) {
        filter.and("county = ?", [county.into()]);
        let sql = format!("select id, village from households{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.push((row.int(0)?, row.text(1)?.to_owned()));
        }
    }
    Ok(found)
}

/// A warning with what people know its household by.
pub(super) struct Shown {
    pub(super) warning: Warning,
    pub(super) household_no: String,
    pub(super) village: String,
    pub(super) head_name: Option<String>,
}

/// Where the village of a warning stands.
const SHOWN: &str =
    "from warnings w join households h on h.county = w.county and h.id = w.household";

/// Which warnings are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) rule: Option<String>,
    pub(super) state: Option<State>,
    pub(super) household: Option<i64>,
    pub(super) id: Option<String>,
    /// Those whose day lies before this one.
    pub(super) due_before: Option<String>,
}

/// Where a list goes on: day, county and id.
pub(super) type Mark = (String, String, String);

fn of_scope(scope: &Scope) -> Filter {
    let mut filter = Filter::new();
    areas::rows::within(&mut filter, "(w.county >= ? and w.county < ?)", &scope.counties());
    areas::rows::within(&mut filter, "(h.village >= ? and h.village < ?)", scope);
    filter
}

/// The next warnings of a scope by the day that they are due, county and id, after a mark.
pub(super) async fn shown(
    tx: &mut Tx,
    scope: &Scope,
    wanted: &Wanted,
    (after, limit): (Option<&Mark>, i64),
) -> Result<Vec<Shown>, Error> {
    let mut filter = of_scope(scope);
    if let Some(id) = &wanted.id {
        filter.and("w.id = ?", [id.as_str().into()]);
    }
    if let Some(household) = wanted.household {
        filter.and("w.household = ?", [household.into()]);
    }
    if let Some(rule) = &wanted.rule {
        filter.and("w.rule = ?", [rule.as_str().into()]);
    }
    match wanted.state {
        Some(State::Open) => filter.and("w.closed_on is null", []),
        Some(State::Closed) => filter.and("w.closed_on is not null", []),
        None => {}
    }
    if let Some(day) = &wanted.due_before {
        filter.and("w.due_on < ?", [day.as_str().into()]);
    }
    if let Some((due_on, county, id)) = after {
        let mark = [due_on, county, id].map(|text| Value::from(text.as_str()));
        filter.and("(w.due_on, w.county, w.id) > (?, ?, ?)", mark);
    }
    let limit = filter.param(limit);
    let sql = format!(
        "select {}, h.no, h.village, h.head_name {SHOWN}{}
         order by w.due_on, w.county, w.id limit {limit}",
        columns(),
        filter.clause()
    );
    let of = COLUMNS.len();
    let shown = |row: &Row| {
        Ok(Shown {
            warning: warning(row)?,
            household_no: row.text(of)?.to_owned(),
            village: row.text(of + 1)?.to_owned(),
            head_name: row.opt_text(of + 2)?.map(str::to_owned),
        })
    };
    tx.query(&sql, filter.params()).await?.iter().map(shown).collect()
}

/// How many warnings a scope has, by the areas whose codes have so many digits.
pub(super) async fn counted(
    tx: &mut Tx,
    scope: &Scope,
    (digits, today): (usize, &str),
) -> Result<Vec<Counted>, DbError> {
    let mut filter = of_scope(scope);
    let today = filter.param(today);
    let sql = format!(
        "select substr(h.village, 1, {digits}), w.rule, w.outcome, cast(count(*) as bigint),
                cast(sum(case when w.due_on < {today} then 1 else 0 end) as bigint)
         {SHOWN}{} group by 1, 2, 3 order by 1, 2, 3",
        filter.clause()
    );
    let counted = |row: &Row| {
        let outcome = row.opt_int(2)?;
        Ok(Counted {
            area: row.text(0)?.to_owned(),
            of: row.text(1)?.to_owned(),
            state: if outcome.is_none() { State::Open } else { State::Closed },
            outcome,
            count: row.int(3)?,
            overdue: row.int(4)?,
        })
    };
    tx.query(&sql, filter.params()).await?.iter().map(counted).collect()
}

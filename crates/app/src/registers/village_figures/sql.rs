//! SQL of what villages have.

use std::{collections::HashSet, ops::ControlFlow};

use daohu_base::Scope;
use daohu_db::{Error as DbError, Filter, Tx, Value};

use crate::{
    areas::rows::within,
    sheet::{VILLAGES, village},
};

/// The columns of 村, each of the table that `prefix` names.
pub(super) fn columns(prefix: &str) -> String {
    let columns = VILLAGES.columns.iter().map(|column| format!("{prefix}{}", column.name));
    columns.collect::<Vec<_>>().join(", ")
}

fn of_scope(scope: &Scope) -> Filter {
    let mut filter = Filter::new();
    within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
    within(&mut filter, "(village >= ? and village < ?)", scope);
    filter
}

/// Hands on what the villages of a scope told, up to a year: village, year, and the values of 村.
pub(super) async fn each_year(
    tx: &mut Tx,
    (scope, until): (&Scope, Option<i64>),
    mut each: impl FnMut(&str, i64, &[Value]) + Send,
) -> Result<(), DbError> {
    let mut filter = of_scope(scope);
    if let Some(until) = until {
        filter.and("year <= ?", [until.into()]);
    }
    let sql = format!("select {} from villages{}", columns(""), filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        each(row.text(village::VILLAGE)?, row.int(village::YEAR)?, &row.0);
        Ok(ControlFlow::Continue(()))
    })
    .await
}

/// The villages of a scope that told something of a year.
pub(super) async fn recorded(
    tx: &mut Tx,
    scope: &Scope,
    year: i64,
) -> Result<HashSet<String>, DbError> {
    let mut filter = of_scope(scope);
    filter.and("year = ?", [year.into()]);
    let sql = format!("select village from villages{}", filter.clause());
    let rows = tx.query(&sql, filter.params()).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

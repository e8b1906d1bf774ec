//! SQL of what villages have.

use std::{collections::HashSet, ops::ControlFlow};

use daohu_base::Scope;
use daohu_db::{Error as DbError, Filter, Tx, Value};

use super::model::COUNTED;
use crate::areas::rows::within;

fn of_scope(scope: &Scope) -> Filter {
    let mut filter = Filter::new();
    within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
    within(&mut filter, "(village >= ? and village < ?)", scope);
    filter
}

/// Hands on what the villages of a scope told, up to a year: village, year, and the values of [`COUNTED`].
pub(super) async fn each_year(
    tx: &mut Tx,
    (scope, until): (&Scope, Option<i64>),
    mut each: impl FnMut(&str, i64, &[Value]) + Send,
) -> Result<(), DbError> {
    let mut filter = of_scope(scope);
    if let Some(until) = until {
        filter.and("year <= ?", [until.into()]);
    }
    let columns: Vec<&str> = COUNTED.iter().map(|(column, _)| column.name).collect();
    let sql =
        format!("select village, year, {} from villages{}", columns.join(", "), filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        each(row.text(0)?, row.int(1)?, row.0.get(2..).unwrap_or_default());
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

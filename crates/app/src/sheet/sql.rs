//! SQL that is the same for the table of every sheet.

use std::ops::ControlFlow;

use daohu_db::{Error as DbError, Filter, Row, Tx, Value};

use super::{Layout, Record, Selection};
use crate::{Error, keys::Keys};

/// The records of a table that a filter leaves.
pub(crate) async fn records(
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

/// As [`records`], of some columns of what a filter leaves of a county in the table, and in this order.
pub(crate) async fn selected(
    tx: &mut Tx,
    keys: &Keys,
    selection: &Selection,
    county: &str,
    (table, filter, order): (&str, &Filter, &str),
) -> Result<Vec<Record>, Error> {
    let sql = format!("select {} from {table}{}{order}", selection.columns, filter.clause());
    let mut found = Vec::new();
    // Each row in the slot of the one before.
    tx.for_each(&sql, filter.params(), |row| {
        found.push(selection.record(keys, county, row)?);
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .await?;
    Ok(found)
}

/// Records taken away by one statement.
const REMOVED: usize = 100;

/// Takes records away, if they are still the versions that were read.
pub(super) async fn remove(
    tx: &mut Tx,
    layout: &Layout,
    records: &[Record],
) -> Result<(), DbError> {
    let columns: Vec<&str> = layout.table.key.iter().copied().chain(["version"]).collect();
    for some in records.chunks(REMOVED) {
        let mut filter = Filter::new();
        filter.and_rows(
            &columns,
            some.iter().map(|record| {
                let mut row = layout.key_of(record);
                row.push(record.meta.version.into());
                row
            }),
        );
        let sql = format!("delete from {}{}", layout.table.name, filter.clause());
        let removed = tx.execute(&sql, filter.params()).await?;
        if usize::try_from(removed) != Ok(some.len()) {
            return Err(DbError::Changed);
        }
    }
    Ok(())
}

/// Up to `limit` rows of a table that have sealed numbers, by key; what is sealed stands again behind each.
pub(super) async fn sealed_rows(
    tx: &mut Tx,
    layout: &Layout,
    after: Option<Vec<Value>>,
    limit: i64,
) -> Result<Vec<Row>, DbError> {
    let (columns, table) = (layout.select(""), layout.table.name);
    let key = layout.table.key.join(", ");
    let mut filter = Filter::new();
    filter.and("sealed is not null", []);
    if let Some(after) = after {
        filter.and_row(&key, ">", after);
    }
    let limit = filter.param(limit);
    let clause = filter.clause();
    let sql = format!("select {columns}, sealed from {table}{clause} order by {key} limit {limit}");
    tx.query(&sql, filter.params()).await
}

/// Writes a record, new or changed.
pub(super) async fn save(
    tx: &mut Tx,
    keys: &Keys,
    layout: &Layout,
    record: &Record,
) -> Result<(), Error> {
    let row = layout.to_row(keys, record)?;
    Ok(tx.upsert_rows(&layout.table, &[row]).await?)
}

/// Writes the sealed numbers of a row anew, if it is still the version that was read.
pub(super) async fn set_sealed(
    tx: &mut Tx,
    layout: &Layout,
    record: &Record,
    sealed: Value,
) -> Result<u64, DbError> {
    let mut filter = Filter::new();
    let sealed = filter.param(sealed);
    filter.and_row(&layout.table.key.join(", "), "=", layout.key_of(record));
    filter.and("version = ?", [record.meta.version.into()]);
    let sql = format!("update {} set sealed = {sealed}{}", layout.table.name, filter.clause());
    tx.execute(&sql, filter.params()).await
}

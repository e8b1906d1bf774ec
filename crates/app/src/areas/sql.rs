//! SQL of areas.

use std::ops::ControlFlow;

use daohu_base::Scope;
use daohu_db::{Filter, Tx, Value};

use super::model::{AREA, Tree, node};
use crate::{Error, keys::Keys, sheet::Record};

/// All areas as stored, by code.
pub(crate) async fn all(tx: &mut Tx, keys: &Keys) -> Result<Vec<Record>, Error> {
    let sql = format!("select {} from areas order by code", AREA.select(""));
    let mut rows = tx.query(&sql, &[]).await?;
    rows.iter_mut().map(|row| AREA.from_row(keys, row)).collect()
}

/// One area as stored.
pub(crate) async fn one(tx: &mut Tx, keys: &Keys, code: &str) -> Result<Option<Record>, Error> {
    let sql = format!("select {} from areas where code = $1", AREA.select(""));
    let row = tx.query_opt(&sql, &[code.into()]).await?;
    row.map(|mut row| AREA.from_row(keys, &mut row)).transpose()
}

/// The tree as it stands on a day.
pub(crate) async fn tree(tx: &mut Tx, keys: &Keys, today: &str) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let sql = format!("select {} from areas", AREA.select(""));
    tx.for_each(&sql, &[], |row| {
        if let Some((code, node)) = node(&AREA.from_row(keys, row)?, today) {
            tree.insert(code, node);
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .await?;
    Ok(tree)
}

/// Takes the values of a row; stops the query with `Break`.
pub(crate) type Each<'a> = &'a mut (dyn FnMut(&[Value]) -> Result<ControlFlow<()>, Error> + Send);

/// Hands on every area of the scope and those above it, by code: what an import of the scope's rows
/// needs to find.
pub(crate) async fn each(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    each: Each<'_>,
) -> Result<(), Error> {
    let mut filter = Filter::new();
    if let Some(ranges) = scope.ranges() {
        let above =
            scope.areas().unwrap_or_default().iter().flat_map(|area| {
                std::iter::successors(area.parent(), daohu_base::AreaCode::parent)
            });
        let above = above.map(|area| (area.to_string(), format!("{area}!")));
        let ranges = ranges.into_iter().chain(above);
        filter.and_any("(code >= ? and code < ?)", ranges.map(|(a, b)| [a.into(), b.into()]));
    }
    let sql = format!("select {} from areas{} order by code", AREA.select(""), filter.clause());
    tx.for_each(&sql, filter.params(), |row| each(&AREA.from_row(keys, row)?.values)).await
}

/// The first village of a county, by code; empty if it has none.
pub(crate) async fn first_village(tx: &mut Tx, county: &str) -> Result<String, Error> {
    let sql = "select min(code) from areas where code >= $1 and code < $2 and level = $3";
    let level = i64::from(daohu_base::AreaLevel::Village.list_code());
    let end = format!("{county}:");
    let row = tx.query_one(sql, &[county.into(), end.into(), level.into()]).await?;
    Ok(row.opt_text(0)?.unwrap_or_default().to_owned())
}

//! SQL of areas.

use std::ops::ControlFlow;

use daohu_db::Tx;

use super::model::{AREA, Tree, node};
use crate::{Error, keys::Keys, sheet::Record};

/// All areas as stored, by code.
pub(crate) async fn all(tx: &mut Tx, keys: &Keys) -> Result<Vec<Record>, Error> {
    let sql = format!("select {} from areas order by code", AREA.select(""));
    let mut rows = tx.query(&sql, &[]).await?;
    rows.iter_mut().map(|row| AREA.from_row(keys, row)).collect()
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

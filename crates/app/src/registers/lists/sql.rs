//! SQL of lists.

use daohu_base::Scope;
use daohu_db::{Tx, Value};

use super::ops::Wanted;
use crate::{
    Error,
    keys::Keys,
    registers::{
        Register,
        sql::{in_force, of_scope},
    },
    sheet::Record,
};

/// The next records of a scope by their key, after `after`.
pub(super) async fn list(
    tx: &mut Tx,
    keys: &Keys,
    register: &Register,
    (scope, wanted): (&Scope, &Wanted),
    after: Option<&[Value]>,
    limit: i64,
) -> Result<Vec<Record>, Error> {
    tx.plan_by_values().await?;
    let (mut from, mut filter) = of_scope(register, scope, false);
    if !wanted.of_village.is_empty() {
        from.push_str(" left join areas a on a.code = t.village");
    }
    for condition in wanted.conditions.iter().chain(&wanted.of_village) {
        condition.add_to(&mut filter);
    }
    if let Some(day) = &wanted.on {
        in_force(&mut filter, day);
    }
    if let Some(text) = &wanted.text {
        let params = [text.as_str().into(), daohu_db::prefix_end(text).into()];
        filter.and("t.name >= ? and t.name < ?", params);
    }
    let key: Vec<String> =
        register.layout().table.key.iter().map(|column| format!("t.{column}")).collect();
    let key = key.join(", ");
    let direction = if wanted.is_down { "desc" } else { "" };
    let order = key.replace(',', &format!(" {direction},"));
    if let Some(after) = after {
        filter.and_row(&key, if wanted.is_down { "<" } else { ">" }, after.iter().cloned());
    }
    let layout = register.layout();
    let columns = layout.select("t.");
    let limit = filter.param(limit);
    let clause = filter.clause();
    let sql =
        format!("select {columns} from {from}{clause} order by {order} {direction} limit {limit}");
    let mut rows = tx.query(&sql, filter.params()).await?;
    rows.iter_mut().map(|row| layout.from_row(keys, row)).collect()
}

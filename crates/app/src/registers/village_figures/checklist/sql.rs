//! SQL of the checklist of villages.

use std::ops::ControlFlow;

use daohu_base::{AreaLevel, Scope};
use daohu_db::{Error as DbError, Filter, Tx, Value};

use crate::{
    areas::rows::within,
    registers::village_figures::sql::columns,
    sheet::{VILLAGES, village},
};

/// Hands on what the villages of a scope told of a year, by code and behind one, until `each` breaks: the values of
/// 村, and the village's name if the tree has it.
pub(super) async fn each_village(
    tx: &mut Tx,
    (scope, year): (&Scope, i64),
    wanted_poor: Option<bool>,
    after: Option<&str>,
    mut each: impl FnMut(&str, Option<&str>, &[Value]) -> ControlFlow<()> + Send,
) -> Result<(), DbError> {
    tx.plan_by_values().await?;
    let mut filter = Filter::new();
    within(&mut filter, "(t.county >= ? and t.county < ?)", &scope.counties());
    within(&mut filter, "(t.village >= ? and t.village < ?)", scope);
    filter.and("t.year = ?", [year.into()]);
    match wanted_poor {
        Some(true) => filter.and("a.is_poor_village = 1", []),
        Some(false) => filter.and("(a.is_poor_village is null or a.is_poor_village = 0)", []),
        None => {}
    }
    if let Some(after) = after {
        let county = after.get(..AreaLevel::County.digits()).unwrap_or(after);
        filter.and_row("t.county, t.village", ">", [county.into(), after.into()]);
    }
    let sql = format!(
        "select {}, a.name from villages t left join areas a on a.code = t.village{}
         order by t.county, t.village",
        columns("t."),
        filter.clause()
    );
    tx.for_each(&sql, filter.params(), |row| {
        let name = row.opt_text(VILLAGES.columns.len())?;
        Ok(each(row.text(village::VILLAGE)?, name, &row.0))
    })
    .await
}

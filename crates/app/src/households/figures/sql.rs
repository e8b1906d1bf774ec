//! SQL of figures.

use std::ops::ControlFlow;

use daohu_base::Scope;
use daohu_db::{Error as DbError, Filter, Tx};

use super::model::Counted;
use crate::areas::rows::within;

/// Hands on what is counted of each household of a scope.
///
/// Rows are not grouped here: to group by a state and a village, SQLite would copy and sort all of them
/// first, where adding up in passing keeps nothing. Members are looked up in an index for the same
/// reason: a join would keep one of the two tables.
pub(super) async fn each_household(
    tx: &mut Tx,
    scope: &Scope,
    mut each: impl FnMut(&Counted) + Send,
) -> Result<(), DbError> {
    let (sql, filter) = statement(scope);
    tx.for_each(&sql, filter.params(), |row| {
        each(&Counted {
            village: row.text(0)?.to_owned(),
            exit_status: row.opt_int(1)?,
            poverty_kind: row.opt_int(2)?,
            residence_kind: row.opt_int(3)?,
            main_cause: row.opt_int(4)?,
            persons: row.int(5)?,
        });
        Ok(ControlFlow::Continue(()))
    })
    .await
}

fn statement(scope: &Scope) -> (String, Filter) {
    let mut filter = Filter::new();
    within(&mut filter, "(h.village >= ? and h.village < ?)", scope);
    let sql = format!(
        "select h.village, h.exit_status, h.poverty_kind, h.residence_kind, h.main_cause,
                (select count(*) from persons p
                 where p.county = h.county and p.household = h.id and p.is_current = 1)
         from households h{}",
        filter.clause()
    );
    (sql, filter)
}

#[cfg(test)]
mod tests {
    use daohu_base::AreaCode;
    use daohu_db::Engine;

    use super::*;
    use crate::households::testing::{filled, plan, reads_all, uses};

    #[tokio::test]
    async fn nothing_is_kept_while_households_are_counted() {
        for engine in Engine::BOTH {
            let (_scratch, db) = filled(engine).await;
            for area in ["99", "990101", "990101100", "990101100200"] {
                let (sql, filter) = statement(&Scope::of(AreaCode::parse(area)));
                let plan = plan(&db, sql, filter.params().to_vec()).await;
                assert!(uses(&plan, "persons_household"), "{area}: {plan}");
                // Of a county or more PostgreSQL rather reads the table.
                if engine == Engine::Sqlite || area.len() > 6 {
                    assert!(uses(&plan, "households_village"), "{area}: {plan}");
                    assert!(!reads_all(&plan), "{area}: {plan}");
                }
                for keeps in ["TEMP", "MATERIALIZE", "Sort", "Hash"] {
                    assert!(!plan.contains(keeps), "{area}: {plan}");
                }
            }
        }
    }
}

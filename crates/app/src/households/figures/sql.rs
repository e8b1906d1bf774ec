//! SQL of figures.

use std::ops::ControlFlow;

use daohu_base::Scope;
use daohu_db::{Error as DbError, Filter, Tx};

use super::model::Counted;
use crate::areas::within;

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
            persons: row.int(4)?,
        });
        Ok(ControlFlow::Continue(()))
    })
    .await
}

fn statement(scope: &Scope) -> (String, Filter) {
    let mut filter = Filter::new();
    within(&mut filter, "(h.village >= ? and h.village < ?)", scope);
    let sql = format!(
        "select h.village, h.exit_status, h.poverty_kind, h.residence_kind,
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
    use daohu_db::{Engine, FutureExt, testing::Scratch};

    use super::*;

    #[tokio::test]
    async fn nothing_is_kept_while_households_are_counted() {
        let scratch = Scratch::new(Engine::Sqlite).await;
        let db = scratch.open().await;
        db.migrate(&crate::schema::MIGRATIONS).await.unwrap();
        for area in ["99", "990101", "990101100", "990101100200"] {
            let (sql, filter) = statement(&Scope::of(AreaCode::parse(area)));
            let explain = format!("explain query plan {sql}");
            let params = filter.params().to_vec();
            let work = async move |tx: &mut Tx| tx.query(&explain, &params).await;
            let rows = db.read(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
            let plan: Vec<&str> = rows.iter().map(|row| row.text(3).unwrap()).collect();
            let plan = plan.join("; ");
            for index in ["households_village", "persons_household"] {
                assert!(plan.contains(index), "{area}: {plan}");
            }
            for keeps in ["SCAN", "TEMP", "MATERIALIZE"] {
                assert!(!plan.contains(keeps), "{area}: {plan}");
            }
        }
    }
}

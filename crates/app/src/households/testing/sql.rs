//! A registry large enough for a planner to have a choice, and what it chose.

use daohu_db::{Db, Engine, FutureExt, Tx, Value, testing::Scratch};

/// 3 counties of 20 townships with 10 villages each.
const AREAS: &str = "
    with recursive n(i) as (select cast(0 as bigint) union all select i + 1 from n where i < 2)
    insert into areas (code, name, level, created_at, created_by, updated_at, version)
    select cast(990101 + i as text), 'c', 3, 0, 'x', 0, 1 from n";
const HOUSEHOLDS: &str = "
    with recursive n(i) as (select cast(0 as bigint) union all select i + 1 from n where i < 11999)
    insert into households (county, id, no, village, head_name, head_initials, created_at, created_by,
                            updated_at, version)
    select cast(990101 + i % 3 as text), (990101 + i % 3) * 1000000000 + i,
           'H' || cast(1000000 + i as text),
           cast((990101 + i % 3) * 1000000 + 100200 + i / 3 % 20 * 1000 + i / 60 % 10 as text),
           'z' || cast(i * 7919 % 1009 as text), 'z' || cast(i * 7919 % 1009 as text),
           0, 'x', i, 1
    from n";
const PERSONS: &str = "
    insert into persons (county, id, household, village, name, name_initials, relation, is_current,
                         id_tail, created_at, created_by, updated_at, version)
    select county, id, id, village, head_name, head_initials, 1, 1, id * 31 % 100003, 0, 'x', 0, 1
    from households";

/// A store with these rows; the place goes with it.
pub(in crate::households) async fn filled(engine: Engine) -> (Scratch, Db) {
    let (scratch, db) = Scratch::migrated(engine, &crate::schema::MIGRATIONS).await;
    let fill = async move |tx: &mut Tx| {
        for sql in [AREAS, HOUSEHOLDS, PERSONS] {
            tx.execute(sql, &[]).await?;
        }
        if engine == Engine::Postgres {
            tx.execute("analyze", &[]).await?;
        }
        Ok::<_, daohu_db::Error>(())
    };
    db.write(move |tx| async move { fill(tx).await }.boxed()).await.unwrap();
    (scratch, db)
}

/// How the engine would answer this query for these values, in its words.
pub(in crate::households) async fn plan(db: &Db, sql: String, params: Vec<Value>) -> String {
    let read = async move |tx: &mut Tx| {
        tx.plan_by_values().await?;
        explained(tx, &sql, &params).await
    };
    db.read(move |tx| async move { read(tx).await }.boxed()).await.unwrap()
}

/// As [`plan`], in a transaction that says itself how to plan.
pub(in crate::households) async fn explained(
    tx: &mut Tx,
    sql: &str,
    params: &[Value],
) -> Result<String, daohu_db::Error> {
    let (explain, column) = match tx.engine() {
        Engine::Sqlite => ("explain query plan", 3),
        Engine::Postgres => ("explain", 0),
    };
    let rows = tx.query(&format!("{explain} {sql}"), params).await?;
    let lines: Result<Vec<&str>, _> = rows.iter().map(|row| row.text(column)).collect();
    Ok(lines?.join("; "))
}

/// True if a table is read from end to end, or an index is.
pub(in crate::households) fn reads_all(plan: &str) -> bool {
    let without_condition = plan.matches("Scan using").count() > plan.matches("Index Cond").count();
    plan.contains("SCAN") || plan.contains("Seq Scan") || without_condition
}

/// True if the rows are found in this index.
pub(in crate::households) fn uses(plan: &str, index: &str) -> bool {
    plan.contains(&format!("INDEX {index} "))
        || plan.contains(&format!("using {index} on"))
        || plan.contains(&format!("Bitmap Index Scan on {index} "))
}

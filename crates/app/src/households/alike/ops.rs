//! Saying what persons have in common, where their rows do not yet.

use daohu_base::Scope;
use daohu_db::{Db, FutureExt, Tx};

use super::sql;
use crate::{Error, households::model::sounds_alike};

/// Rows of one transaction: whoever stops in between goes on where it stopped.
const ROWS: i64 = 1_000;

/// Computes what persons have in common whose rows were written before that was a column; gives how many.
/// It follows from the name and the birth date, so that the journal has no entry of it.
pub async fn fill_alike(db: &Db) -> Result<u64, Error> {
    let (mut total, mut county) = (0, String::new());
    loop {
        let after = county.clone();
        let next = async move |tx: &mut Tx| sql::next_county(tx, &Scope::all(), &after).await;
        let next = db.read(move |tx| async move { next(tx).await }.boxed()).await?;
        let Some(next) = next else { return Ok(total) };
        county = next;
        loop {
            // Most times there is nothing to fill: who only looks waits for nobody who writes.
            let of = county.clone();
            let look = async move |tx: &mut Tx| sql::unsaid(tx, &of, 1).await;
            let unsaid = db.read(move |tx| async move { look(tx).await }.boxed()).await?;
            if unsaid.is_empty() {
                break;
            }
            let county = county.clone();
            let work = async move |tx: &mut Tx| fill_some(tx, &county).await;
            total += db.write(move |tx| async move { work(tx).await }.boxed()).await?;
        }
    }
}

async fn fill_some(tx: &mut Tx, county: &str) -> Result<u64, Error> {
    let mut filled = 0;
    for unsaid in sql::unsaid(tx, county, ROWS).await? {
        let alike = sounds_alike(&unsaid.name, &unsaid.born_on);
        filled += sql::say(tx, &unsaid, Some(alike)).await?;
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use daohu_db::{Engine, testing::Scratch};

    use super::*;
    use crate::schema::MIGRATIONS;

    /// A household and so many members, as the schema before the column had them; the last has no birth
    /// date.
    const HOUSEHOLD: &str = "
        insert into households (county, id, no, village, created_at, created_by, updated_at, version)
        values ('990101', 1, 'H1', '990101100200', 0, 'x', 0, 1)";
    const PERSONS: &str = "
        with recursive n(i) as (select cast(1 as bigint) union all select i + 1 from n where i < 1502)
        insert into persons (county, id, household, village, name, relation, born_on, is_current,
                             created_at, created_by, updated_at, version)
        select '990101', i, 1, '990101100200', '张伟', 1,
               case when i < 1502 then '1980-01-01' end, 1, 0, 'x', 0, 1 from n";

    #[tokio::test(flavor = "multi_thread")]
    async fn persons_of_an_older_schema_are_compared_too() {
        for engine in Engine::BOTH {
            let (_scratch, db) = Scratch::migrated(engine, &MIGRATIONS[..4]).await;
            let fill = async move |tx: &mut Tx| {
                tx.execute(HOUSEHOLD, &[]).await?;
                tx.execute(PERSONS, &[]).await
            };
            db.write(move |tx| async move { fill(tx).await }.boxed()).await.unwrap();
            db.migrate(&MIGRATIONS).await.unwrap();
            // One batch, as if it had been stopped behind it: what is left is done by the next run.
            let some = async move |tx: &mut Tx| fill_some(tx, "990101").await;
            let some = db.write(move |tx| async move { some(tx).await }.boxed()).await.unwrap();
            assert_eq!((some, fill_alike(&db).await.unwrap()), (1_000, 501), "{engine:?}");
            assert_eq!(fill_alike(&db).await.unwrap(), 0);
            let alike = sounds_alike("章伟", "1980-01-01");
            let count =
                "select cast(count(*) as bigint) from persons where alike = $1 and version = 1";
            let count = async move |tx: &mut Tx| tx.query_one(count, &[alike.into()]).await?.int(0);
            let count = db.read(move |tx| async move { count(tx).await }.boxed()).await.unwrap();
            assert_eq!(count, 1_501, "{engine:?}");
        }
    }
}

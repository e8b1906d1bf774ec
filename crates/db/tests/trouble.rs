//! What callers are told when the disk is full or somebody else is in the way.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, but not what they call")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use daohu_db::{
    Db, Engine, Error, FutureExt, Migration, Tx, Value,
    testing::{READERS, Scratch, hold},
};
use futures_util::future::{join, join_all};
use tokio::sync::oneshot;

static ITEMS: [Migration; 1] = [Migration {
    number: 1,
    name: "items",
    sql: "create table items (id bigint primary key, data bytea);",
}];

async fn insert(tx: &mut Tx, id: i64, bytes: usize) -> Result<(), Error> {
    let sql = "insert into items (id, data) values ($1, $2)";
    tx.execute(sql, &[id.into(), vec![0; bytes].into()]).await.map(drop)
}

async fn ids(db: &Db) -> Vec<i64> {
    let sql = "select id from items order by id";
    let rows = db.read(move |tx| async move { tx.query(sql, &[]).await }.boxed()).await;
    rows.unwrap().iter().map(|row| row.int(0).unwrap()).collect()
}

/// Of the connection that writes, on SQLite.
async fn pragma(db: &Db, sql: &'static str) -> Value {
    let work = async move |tx: &mut Tx| tx.query_one(sql, &[]).await;
    let row: Result<_, Error> = db.write(move |tx| async move { work(tx).await }.boxed()).await;
    row.unwrap().value(0).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_too_long_is_told_that_the_database_is_busy() {
    for engine in Engine::BOTH {
        let scratch = Scratch::new(engine).await;
        let (db, other) = (scratch.open().await, scratch.open().await);
        db.migrate(&ITEMS).await.unwrap();
        if engine == Engine::Sqlite {
            pragma(&db, "pragma busy_timeout = 20").await;
        }
        let work = async |tx: &mut Tx| insert(tx, 1, 0).await;
        let held = hold(&other, move |tx| async move { work(tx).await }.boxed()).await;
        for bulk in [false, true] {
            let ran = Arc::new(AtomicBool::new(false));
            let has_run = Arc::clone(&ran);
            let work = async move |tx: &mut Tx| {
                ran.store(true, Ordering::Relaxed);
                if tx.engine() == Engine::Postgres {
                    tx.execute("set local lock_timeout = '20ms'", &[]).await?;
                }
                insert(tx, 1, 0).await
            };
            let done = match bulk {
                true => db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await,
                false => db.write(move |tx| async move { work(tx).await }.boxed()).await,
            };
            assert!(matches!(done, Err(Error::Busy)), "{engine:?} {done:?}");
            // SQLite gives the one place to write to nobody else, so that nothing need be undone.
            assert_eq!(has_run.load(Ordering::Relaxed), engine == Engine::Postgres);
        }
        held.release().await;
        assert_eq!(ids(&db).await, [1], "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_turns_waits_as_long_as_it_takes() {
    for engine in Engine::BOTH {
        let scratch = Scratch::new(engine).await;
        let (db, other) = (scratch.open().await, scratch.open().await);
        db.migrate(&ITEMS).await.unwrap();
        let turn = "update items set data = data";
        let one = async move |tx: &mut Tx| insert(tx, 1, 0).await;
        db.write(move |tx| async move { one(tx).await }.boxed()).await.unwrap();
        let first = async move |tx: &mut Tx| tx.execute_patiently(turn).await.map(drop);
        let held = hold(&other, move |tx| async move { first(tx).await }.boxed()).await;
        // Longer than those wait who do not take turns.
        let holder = held.release_after(Duration::from_millis(100));
        let work = async move |tx: &mut Tx| {
            if tx.engine() == Engine::Postgres {
                tx.execute("set local lock_timeout = '20ms'", &[]).await?;
            }
            let changed = tx.execute_patiently(turn).await?;
            if tx.engine() == Engine::Postgres {
                let row = tx.query_one("select current_setting('lock_timeout')", &[]).await?;
                assert_eq!(row.text(0)?, "20s", "what comes after it does not wait for ever");
            }
            Ok::<_, Error>(changed)
        };
        let done = db.write(move |tx| async move { work(tx).await }.boxed()).await;
        assert_eq!(done.unwrap(), 1, "{engine:?}");
        holder.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_nothing_is_kept_of_those_who_were_told_no() {
    let (_scratch, db) = Scratch::migrated(Engine::Sqlite, &ITEMS).await;
    // Room for a few small rows beside what there is.
    pragma(&db, "pragma max_page_count = 20").await;
    let (release, released) = oneshot::channel::<()>();
    let mut released = Some(released);
    let writes = join_all((1..=5).map(|id| {
        let wait = released.take();
        let work = async move |tx: &mut Tx| {
            if let Some(released) = wait {
                // Until all wait in the queue: they become one group.
                released.await.unwrap();
            }
            insert(tx, id, if id == 3 { 1 << 20 } else { 8 }).await
        };
        db.write(move |tx| async move { work(tx).await }.boxed())
    }));
    let (done, ()) = join(writes, async { release.send(()).unwrap() }).await;
    let mut kept = Vec::new();
    for (id, done) in (1..).zip(done) {
        match done {
            Ok(()) => kept.push(id),
            // The row that is too large takes its transaction along: the others may try again.
            Err(Error::Busy) => assert_ne!(id, 3),
            Err(Error::DiskFull) => assert_eq!(id, 3),
            Err(other) => panic!("{id}: {other}"),
        }
    }
    assert_eq!(ids(&db).await, kept);
    assert_eq!(kept, [4, 5], "what came after the large row was done by itself");
    let done = db.write_bulk(|tx| async move { insert(tx, 6, 1 << 20).await }.boxed()).await;
    assert!(matches!(done, Err(Error::DiskFull)), "{done:?}");
    db.write(|tx| async move { insert(tx, 7, 8).await }.boxed()).await.unwrap();
    assert_eq!(ids(&db).await, [4, 5, 7]);
}

/// Waits inside a read until it is let go.
async fn wait(db: Db, begun: oneshot::Sender<()>, end: oneshot::Receiver<()>) -> Result<(), Error> {
    let work = async move |tx: &mut Tx| {
        tx.query("select 1", &[]).await?;
        begun.send(()).unwrap();
        // The test lets go of it at its end.
        let _ = end.await;
        Ok(())
    };
    db.read(move |tx| async move { work(tx).await }.boxed()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_caller_went_away_is_given_to_nobody_else() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &ITEMS).await;
        let mut ends = Vec::new();
        for _ in 0..READERS {
            let ((begun, has_begun), (end, ended)) = (oneshot::channel(), oneshot::channel());
            let caller = tokio::spawn(wait(db.clone(), begun, ended));
            has_begun.await.unwrap();
            caller.abort();
            ends.push(end);
        }
        let patience = std::time::Duration::from_millis(100);
        let next = tokio::time::timeout(patience, ids(&db)).await;
        // PostgreSQL has more connections than these; SQLite's readers are all out.
        assert_eq!(next.is_ok(), engine == Engine::Postgres);
        drop(ends);
        assert!(ids(&db).await.is_empty(), "{engine:?}");
    }
}

#[tokio::test]
async fn statements_that_are_asked_once_are_not_kept_for_ever() {
    let scratch = Scratch::new(Engine::Postgres).await;
    let db = scratch.open().await;
    let work = async move |tx: &mut Tx| {
        for i in 0..1_000 {
            tx.query(&format!("select {i}::bigint"), &[]).await?;
        }
        let kept = "select count(*) from pg_prepared_statements";
        tx.query_one(kept, &[]).await?.int(0)
    };
    let kept = db.read(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
    assert!(kept < 300, "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_share_a_connection_until_the_server_ends_it() {
    async fn backend(db: &Db) -> i64 {
        let sql = "select pg_backend_pid()";
        let row = db.read_scan(move |tx| tx.query_one(sql, &[]).boxed()).await;
        row.unwrap().int(0).unwrap()
    }
    let (_scratch, db) = Scratch::migrated(Engine::Postgres, &ITEMS).await;
    let first = backend(&db).await;
    assert_eq!(backend(&db).await, first, "each scan makes a connection");
    // What fails keeps its connection to itself.
    let failed = db.read_scan(|_| async { Err::<(), _>(Error::NoRow) }.boxed()).await;
    assert!(matches!(failed, Err(Error::NoRow)), "{failed:?}");
    let second = backend(&db).await;
    assert_ne!(second, first);
    let sql = "select pg_terminate_backend($1::bigint::int)::int::bigint";
    let work = async move |tx: &mut Tx| tx.query_one(sql, &[second.into()]).await;
    let ended = db.write(move |tx| async move { work(tx).await }.boxed()).await;
    assert_eq!(ended.unwrap().int(0).unwrap(), 1);
    // The server takes a moment to go.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_ne!(backend(&db).await, second);
    // With the last of the database its connections end, also where others are driven.
    drop(db);
}

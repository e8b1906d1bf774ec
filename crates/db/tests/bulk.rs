//! Work of many rows: what it must not make others wait for, and what it leaves behind.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, but not what they call")]

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use daohu_db::{
    BoxFuture, Db, DbUrl, Engine, Error, FutureExt, Migration, Missing, Options, Tx,
    testing::{Scratch, hold},
};
use tokio::{runtime::Runtime, sync::Barrier, time::timeout};

static ITEMS: [Migration; 1] =
    [Migration { number: 1, name: "items", sql: "create table items (id bigint primary key);" }];

/// Long enough for any machine, and far less than what must not be waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// More rows than anybody waits for.
const ENDLESS: &str = "
    with recursive n(i) as (select cast(1 as bigint) union all select i + 1 from n where i < 2000000000)
    select i from n";

async fn insert(tx: &mut Tx, id: i64) -> Result<(), Error> {
    tx.execute("insert into items (id) values ($1)", &[id.into()]).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_read_sees_one_picture_and_gives_its_answer() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &ITEMS).await;
        db.write_bulk(|tx| async move { insert(tx, 7).await }.boxed()).await.unwrap();
        let (other, sql) = (db.clone(), "select id from items order by id");
        let read = async move |tx: &mut Tx| {
            let before = tx.query(sql, &[]).await?;
            let write = other.write(|tx| async move { insert(tx, 8).await }.boxed());
            write.await?;
            assert_eq!(tx.query(sql, &[]).await?, before);
            Ok::<_, Error>(before.len())
        };
        let seen = db.read_bulk(move |tx| async move { read(tx).await }.boxed()).await;
        assert_eq!(seen.unwrap(), 1, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_read_that_is_given_up_does_not_wait_for_the_rest() {
    for engine in Engine::BOTH {
        let scratch = Scratch::new(engine).await;
        let db = scratch.open().await;
        let read = async |tx: &mut Tx| {
            tx.for_each(ENDLESS, &[], |_| Err::<ControlFlow<()>, _>(Error::NoRow)).await
        };
        let done = db.read_bulk(move |tx| async move { read(tx).await }.boxed());
        let done = timeout(PATIENCE, done).await;
        assert!(matches!(done, Ok(Err(Error::NoRow))), "{engine:?} {done:?}");
    }
}

/// PostgreSQL only: SQLite's writing thread is never joined either, but waits for others no longer than a
/// moment.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_does_not_wait_for_a_bulk_write_that_waits() {
    let (scratch, db) = Scratch::migrated(Engine::Postgres, &ITEMS).await;
    let first = async |tx: &mut Tx| insert(tx, 1).await;
    let held = hold(&db, move |tx| async move { first(tx).await }.boxed()).await;
    let (begun, when_begun) = mpsc::channel();
    let (ended, when_ended) = mpsc::channel();
    let url = scratch.url.clone();
    std::thread::spawn(move || {
        let runtime = Runtime::new().unwrap();
        runtime.spawn(async move {
            let db = Db::open(&url, Options::default()).await.unwrap();
            let work = async move |tx: &mut Tx| {
                begun.send(()).unwrap();
                tx.execute_patiently("insert into items (id) values (1)").await.map(drop)
            };
            db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await
        });
        when_begun.recv().unwrap();
        drop(runtime);
        ended.send(()).unwrap();
    });
    let ended = tokio::task::spawn_blocking(move || when_ended.recv_timeout(PATIENCE));
    assert_eq!(ended.await.unwrap(), Ok(()));
    held.release().await;
}

/// How many connections the server counts under a name.
async fn connections(db: &Db, name: &'static str) -> i64 {
    let sql = "select count(*) from pg_stat_activity where application_name = $1";
    let read = async move |tx: &mut Tx| tx.query_one(sql, &[name.into()]).await?.int(0);
    db.read(move |tx| async move { read(tx).await }.boxed()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_work_leaves_no_connection_behind() {
    const NAME: &str = "leaves_no_connection";
    let scratch = Scratch::new(Engine::Postgres).await;
    let DbUrl::Postgres(url) = &scratch.url else { unreachable!() };
    let url = DbUrl::Postgres(format!("{url}&application_name={NAME}"));
    let options = Options { missing: Missing::Create, readers: 2, ..Options::default() };
    let (db, other) = (Db::open(&url, options).await.unwrap(), scratch.open().await);
    db.migrate(&ITEMS).await.unwrap();
    // More often than there are turns: each is given back.
    for id in 0..5 {
        db.write_bulk(move |tx| async move { insert(tx, id).await }.boxed()).await.unwrap();
        let again = db.write_bulk(move |tx| async move { insert(tx, id).await }.boxed()).await;
        assert!(matches!(again, Err(Error::Violation(_))), "{again:?}");
        let panicked = async |_: &mut Tx| -> Result<(), Error> { panic!("on purpose") };
        let done = db.write_bulk(move |tx| async move { panicked(tx).await }.boxed()).await;
        assert!(matches!(done, Err(Error::Abandoned)), "{done:?}");
        let read = async |tx: &mut Tx| tx.query("select 1", &[]).await;
        db.read_bulk(move |tx| async move { read(tx).await }.boxed()).await.unwrap();
        let failed = async |_: &mut Tx| Err::<(), _>(Error::NoRow);
        db.read_bulk(move |tx| async move { failed(tx).await }.boxed()).await.unwrap_err();
    }
    // The one that opened the database is in the pool.
    let since = Instant::now();
    while connections(&other, NAME).await > 1 {
        assert!(since.elapsed() < PATIENCE, "{} are left", connections(&other, NAME).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_share_work_see_one_picture() {
    async fn count(tx: &mut Tx) -> Result<i64, Error> {
        tx.query_one("select count(*) from items", &[]).await?.int(0)
    }
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &ITEMS).await;
        let (stop, writer) = (Arc::new(AtomicBool::new(false)), db.clone());
        let stopped = Arc::clone(&stop);
        let writes = tokio::spawn(async move {
            let mut id = 0;
            while !stopped.load(Ordering::Relaxed) {
                writer.write(move |tx| async move { insert(tx, id).await }.boxed()).await.unwrap();
                id += 1;
            }
            id
        });
        for _ in 0..40 {
            let counts = db.read_shared((2, 0), |tx| count(tx).boxed()).await.unwrap();
            assert_eq!(counts.len(), 2);
            assert_eq!(counts[0], counts[1], "{engine:?}");
            let (one, other) =
                db.read_both(|tx| count(tx).boxed(), |tx| count(tx).boxed()).await.unwrap();
            assert_eq!(one, other, "{engine:?}");
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writes.await.unwrap() > 0);
        let failed = db.read_shared((2, 0), |_| async { Err::<(), _>(Error::NoRow) }.boxed()).await;
        assert!(matches!(failed, Err(Error::NoRow)), "{engine:?} {failed:?}");
        // More often than there are turns: each is given back.
        for _ in 0..5 {
            db.read_shared((9, 0), |tx| count(tx).boxed()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_halves_run_at_once_or_one_after_the_other_and_an_error_of_either_is_told() {
    fn good(_: &mut Tx) -> BoxFuture<'_, Result<i64, Error>> {
        async { Ok(1) }.boxed()
    }
    fn bad(_: &mut Tx) -> BoxFuture<'_, Result<i64, Error>> {
        async { Err(Error::NoRow) }.boxed()
    }
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &ITEMS).await;
        // Halves that wait for each other, unless they need not.
        let both = async |halves| {
            let barrier = Arc::new(Barrier::new(halves));
            let (one, other) = (Arc::clone(&barrier), barrier);
            let read = db.read_both(
                move |_| async move { Ok::<_, Error>(one.wait().await.is_leader()) }.boxed(),
                move |_| async move { Ok(other.wait().await.is_leader()) }.boxed(),
            );
            timeout(PATIENCE, read).await.unwrap().unwrap();
        };
        // More often than there are turns: each is given back.
        for _ in 0..5 {
            both(2).await;
        }
        for _ in 0..5 {
            let failed = db.read_both(bad, good).await;
            assert!(matches!(failed, Err(Error::NoRow)), "{engine:?} {failed:?}");
            let failed = db.read_both(good, bad).await;
            assert!(matches!(failed, Err(Error::NoRow)), "{engine:?} {failed:?}");
        }
        // Of the three turns two are taken, once what was left of the errors is through: nobody waits for them.
        let (end, ended) = tokio::sync::watch::channel(false);
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let large = tokio::spawn({
            let db = db.clone();
            async move {
                db.read_shared((9, 1), move |_| {
                    let (begun, mut ended) = (begun.clone(), ended.clone());
                    async move {
                        begun.send(()).unwrap();
                        ended.wait_for(|is_ended| *is_ended).await.unwrap();
                        Ok::<_, Error>(())
                    }
                    .boxed()
                })
                .await
            }
        });
        assert_eq!(timeout(PATIENCE, begins.recv()).await.unwrap(), Some(()));
        both(1).await;
        for failed in [db.read_both(bad, good).await, db.read_both(good, bad).await] {
            assert!(matches!(failed, Err(Error::NoRow)), "{engine:?} {failed:?}");
        }
        end.send(true).unwrap();
        large.await.unwrap().unwrap();
        // All but one of the connections are taken: nor does anybody wait for these.
        let (end, ended) = tokio::sync::watch::channel(false);
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let mut held = Vec::new();
        for _ in 1..Options::default().readers {
            let (db, begun, mut ended) = (db.clone(), begun.clone(), ended.clone());
            held.push(tokio::spawn(async move {
                let mut waits = async move |_: &mut Tx| {
                    begun.send(()).unwrap();
                    ended.wait_for(|is_ended| *is_ended).await.unwrap();
                    Ok::<_, Error>(())
                };
                db.read_bulk(move |tx| async move { waits(tx).await }.boxed()).await
            }));
            assert_eq!(timeout(PATIENCE, begins.recv()).await.unwrap(), Some(()));
        }
        both(1).await;
        end.send(true).unwrap();
        for held in held {
            held.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn pairs_come_as_they_are_on_either_engine() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &ITEMS).await;
        let ids = [-1, 7, i64::from(u32::MAX) * 3, 8, i64::MIN, i64::MAX];
        let work = async move |tx: &mut Tx| {
            for id in ids {
                insert(tx, id).await?;
            }
            let (kind, mut pairs) = ("case when id < 0 then 'below' else 'above' end", Vec::new());
            let mut each = |id, kind: &str| pairs.push((id, kind.to_owned()));
            tx.for_each_pair(("id", kind), "from items where id <> $1", &[8.into()], &mut each)
                .await?;
            tx.for_each_pair(("id", kind), "from items where id = $1", &[9.into()], each).await?;
            Ok::<_, Error>(pairs)
        };
        let read = db.write(move |tx| async move { work(tx).await }.boxed()).await;
        let mut pairs = read.unwrap();
        pairs.sort();
        let expected = [i64::MIN, -1, 7, i64::from(u32::MAX) * 3, i64::MAX];
        let kind = |id: i64| if id < 0 { "below" } else { "above" }.to_owned();
        assert_eq!(pairs, expected.map(|id| (id, kind(id))), "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_works_leave_a_turn_to_small_ones_however_many_they_are() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &ITEMS).await;
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let (end, ended) = tokio::sync::watch::channel(false);
        let large = |name: u8| {
            let (db, begun, ended) = (db.clone(), begun.clone(), ended.clone());
            tokio::spawn(async move {
                db.read_shared((9, 1), move |_| {
                    let (begun, mut ended) = (begun.clone(), ended.clone());
                    async move {
                        begun.send(name).unwrap();
                        ended.wait_for(|is_ended| *is_ended).await.unwrap();
                        Ok::<_, Error>(())
                    }
                    .boxed()
                })
                .await
            })
        };
        let first = large(1);
        assert_eq!(begins.recv().await, Some(1), "{engine:?}");
        // The second one waits for the first; it must not stand before the small ones either.
        let second = large(2);
        tokio::time::sleep(Duration::from_millis(50)).await;
        for _ in 0..3 {
            let small = db.read_scan(|tx| tx.query_one("select 1", &[]).boxed());
            timeout(PATIENCE, small).await.unwrap().unwrap();
        }
        end.send(true).unwrap();
        let readers = first.await.unwrap().unwrap().len();
        // By default three scans run, of which one is left.
        assert_eq!(readers, 2, "{engine:?}");
        second.await.unwrap().unwrap();
        drop(begun);
        let mut rest = Vec::new();
        while let Some(name) = begins.recv().await {
            rest.push(name);
        }
        assert_eq!(rest, [1, 2, 2], "{engine:?}");
    }
}

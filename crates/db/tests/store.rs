//! What the store promises, on both engines.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows test functions, but not what they call"
)]

use std::ops::ControlFlow;

use daohu_db::{
    Column, Db, Engine, Error, FutureExt, Migration, Missing, Options, SchemaState, Table, Tx,
    Type, Value, Violation, testing::Scratch,
};

static FIRST: [Migration; 1] = [Migration {
    number: 1,
    name: "items",
    sql: "create table items (
  id bigint primary key,
  name text,
  weight double precision,
  data bytea,
  is_on bigint not null check (is_on in (0, 1))
);
create table parts (
  item bigint not null references items (id),
  no bigint not null,
  primary key (item, no)
) /* clustered */;
",
}];

static SECOND: [Migration; 2] = [
    Migration { number: 1, name: "items", sql: FIRST[0].sql },
    Migration {
        number: 2,
        name: "colours",
        sql: "alter table items add column colour text;\ncreate index items_name on items (name);",
    },
];

static CHANGED: [Migration; 1] =
    [Migration { number: 1, name: "items", sql: "create table items (id bigint primary key);" }];

async fn store(engine: Engine) -> (Scratch, Db) {
    let (scratch, db) = Scratch::migrated(engine, &FIRST).await;
    (scratch, db)
}

fn table() -> Table {
    let column = |name, kind| Column { name, kind };
    let columns = vec![
        column("id", Type::Int),
        column("name", Type::Text),
        column("weight", Type::Real),
        column("data", Type::Blob),
        column("is_on", Type::Int),
    ];
    Table { name: "items", columns, key: &["id"] }
}

fn item(id: i64, name: &str) -> Vec<Value> {
    vec![id.into(), name.into(), Value::Null, Value::Null, true.into()]
}

async fn insert(tx: &mut Tx, id: i64, name: &str) -> Result<(), Error> {
    let sql = "insert into items (id, name, is_on) values ($1, $2, 1)";
    tx.execute(sql, &[id.into(), name.into()]).await.map(drop)
}

/// How a write goes wrong after its first statement.
#[derive(Clone, Copy)]
enum End {
    Error,
    Panic,
}

async fn insert_and(tx: &mut Tx, end: End) -> Result<(), Error> {
    insert(tx, 1, "x").await?;
    match end {
        End::Error => Err(Error::NoRow),
        End::Panic => panic!("on purpose"),
    }
}

async fn look_and_panic(tx: &mut Tx) -> Result<(), Error> {
    tx.query("select 1 from items", &[]).await?;
    panic!("on purpose")
}

async fn ids(db: &Db) -> Vec<i64> {
    let sql = "select id from items order by id";
    let rows = db.read(move |tx| async move { tx.query(sql, &[]).await }.boxed()).await;
    rows.unwrap().iter().map(|row| row.int(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_as_they_went_in() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        assert_eq!(db.engine(), engine);
        let rows = vec![
            vec![i64::MIN.into(), "".into(), (-0.5).into(), vec![].into(), false.into()],
            vec![0.into(), Value::Null, Value::Null, Value::Null, true.into()],
            vec![
                i64::MAX.into(),
                "户 𠮷 '%\\".into(),
                f64::MAX.into(),
                vec![0, 255].into(),
                1.into(),
            ],
        ];
        let (written, expected) = (rows.clone(), rows);
        let read = db
            .write(move |tx| {
                async move {
                    let sql = "insert into items (id, name, weight, data, is_on)
                               values ($1, $2, $3, $4, $5)";
                    for row in &written {
                        assert_eq!(tx.execute(sql, row).await?, 1);
                    }
                    // A transaction sees its own writes.
                    let sql = "select id, name, weight, data, is_on from items order by id";
                    tx.query(sql, &[]).await
                }
                .boxed()
            })
            .await
            .unwrap();
        let read: Vec<Vec<Value>> = read.into_iter().map(|row| row.0).collect();
        assert_eq!(read, expected, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_write_takes_nobody_along() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        let write = |id: i64| {
            let db = db.clone();
            async move {
                db.write(move |tx| {
                    async move {
                        insert(tx, id, "x").await?;
                        if id % 3 == 0 {
                            // After a statement of its own that must go too.
                            insert(tx, id, "again").await?;
                        }
                        Ok::<_, Error>(())
                    }
                    .boxed()
                })
                .await
            }
        };
        let done = futures_util::future::join_all((0..60).map(write)).await;
        for (id, result) in (0..).zip(done) {
            match result {
                Ok(()) => assert_ne!(id % 3, 0),
                Err(Error::Violation(Violation::Unique)) => assert_eq!(id % 3, 0),
                Err(other) => panic!("{engine:?} {id}: {other}"),
            }
        }
        let kept: Vec<i64> = (0..60).filter(|id| id % 3 != 0).collect();
        assert_eq!(ids(&db).await, kept, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_and_panics_roll_back() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        for bulk in [false, true] {
            let done = if bulk {
                db.write_bulk(|tx| insert_and(tx, End::Error).boxed()).await
            } else {
                db.write(|tx| insert_and(tx, End::Error).boxed()).await
            };
            assert!(matches!(done, Err(Error::NoRow)), "{engine:?} {done:?}");
            let done = if bulk {
                db.write_bulk(|tx| insert_and(tx, End::Panic).boxed()).await
            } else {
                db.write(|tx| insert_and(tx, End::Panic).boxed()).await
            };
            assert!(matches!(done, Err(Error::Abandoned)), "{engine:?} {done:?}");
        }
        // Enough writes to use every connection of the pool: none is left inside a transaction.
        for id in 10..30 {
            db.write(move |tx| async move { insert(tx, id, "y").await }.boxed()).await.unwrap();
        }
        assert_eq!(ids(&db).await, (10..30).collect::<Vec<_>>(), "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_reading_harms_nobody() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        for _ in 0..10 {
            let done = db.read(|tx| look_and_panic(tx).boxed()).await;
            assert!(matches!(done, Err(Error::Abandoned)), "{engine:?} {done:?}");
        }
        assert!(ids(&db).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_are_told_apart() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        for (sql, expected) in [
            ("insert into items (id, is_on) values (1, 2)", Violation::Check),
            ("insert into items (id) values (1)", Violation::Check),
            ("insert into parts (item, no) values (7, 1)", Violation::ForeignKey),
            ("insert into items (id, is_on) values (1, 1), (1, 1)", Violation::Unique),
        ] {
            let done = db.write(move |tx| async move { tx.execute(sql, &[]).await }.boxed()).await;
            let is = matches!(&done, Err(Error::Violation(found)) if *found == expected);
            assert!(is, "{engine:?} {sql}: {done:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_once_and_in_order() {
    for engine in Engine::BOTH {
        let scratch = Scratch::new(engine).await;
        let db = scratch.open().await;
        assert_eq!(db.schema(&FIRST).await.unwrap(), SchemaState::Empty);
        assert_eq!(db.migrate(&FIRST).await.unwrap(), 1);
        assert_eq!(db.migrate(&FIRST).await.unwrap(), 0);
        assert_eq!(db.schema(&FIRST).await.unwrap(), SchemaState::Current);
        assert_eq!(db.schema(&SECOND).await.unwrap(), SchemaState::Older { found: 1 });
        assert_eq!(db.migrate(&SECOND).await.unwrap(), 1);
        let newer = db.migrate(&FIRST).await;
        assert!(matches!(newer, Err(Error::NewerSchema { found: 2, known: 1 })), "{newer:?}");
        let changed = db.migrate(&CHANGED).await;
        assert!(matches!(changed, Err(Error::ChangedMigration(1))), "{changed:?}");
        // What was there before a migration is there afterwards.
        let sql = "insert into items (id, is_on, colour) values (1, 1, 'red')";
        let one = db.write(move |tx| async move { tx.execute(sql, &[]).await }.boxed()).await;
        assert_eq!(one.unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_leaves_nothing() {
    static BROKEN: [Migration; 1] = [Migration {
        number: 1,
        name: "broken",
        sql: "create table items (id bigint primary key);\ncreate table items (id bigint);",
    }];
    for engine in Engine::BOTH {
        let scratch = Scratch::new(engine).await;
        let db = scratch.open().await;
        assert!(db.migrate(&BROKEN).await.is_err());
        assert_eq!(db.schema(&BROKEN).await.unwrap(), SchemaState::Empty);
        assert_eq!(db.migrate(&FIRST).await.unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_are_inserted_or_replaced() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        let rows: Vec<Vec<Value>> = (0..1000).map(|id| item(id, "old")).collect();
        db.write_bulk(move |tx| async move { tx.insert_rows(&table(), &rows).await }.boxed())
            .await
            .unwrap();
        let again = vec![item(2000, "x"), item(0, "x")];
        let done = db
            .write_bulk(move |tx| async move { tx.insert_rows(&table(), &again).await }.boxed())
            .await;
        let is_unique = matches!(done, Err(Error::Violation(Violation::Unique)));
        assert!(is_unique, "{engine:?} {done:?}");

        let rows = vec![item(999, "new"), item(1000, "new")];
        let sql = "select count(*), cast(sum(case when name = 'new' then 1 else 0 end) as bigint)
                   from items";
        let row = db
            .write_bulk(move |tx| {
                async move {
                    tx.upsert_rows(&table(), &rows).await?;
                    tx.upsert_rows(&table(), &rows).await?;
                    tx.upsert_rows(&table(), &[]).await?;
                    tx.query_one(sql, &[]).await
                }
                .boxed()
            })
            .await
            .unwrap();
        assert_eq!((row.int(0).unwrap(), row.int(1).unwrap()), (1001, 2), "{engine:?}");
    }
}

static COUNTED: [Migration; 1] = [Migration {
    number: 1,
    name: "counted",
    sql: "create table counted (id bigint primary key, version bigint not null);",
}];

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_else_wrote_meanwhile_is_not_replaced() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &COUNTED).await;
        let column = |name| Column { name, kind: Type::Int };
        let columns = vec![column("id"), column("version")];
        let table = Table { name: "counted", columns, key: &["id"] };
        // Few rows and many go different ways.
        for count in [1, 100] {
            let write = |version: i64| {
                let table = table.clone();
                let rows: Vec<Vec<Value>> =
                    (0..count).map(|id| vec![(count + id).into(), version.into()]).collect();
                db.write(move |tx| async move { tx.upsert_rows(&table, &rows).await }.boxed())
            };
            write(1).await.unwrap();
            write(2).await.unwrap();
            for stale in [1, 2, 4] {
                let done = write(stale).await;
                assert!(matches!(done, Err(Error::Changed)), "{engine:?} {count} {done:?}");
            }
            write(3).await.unwrap();
        }
    }
}

/// The indexes of `items`, as the engine tells them.
async fn indexes(tx: &mut Tx) -> Result<Vec<String>, Error> {
    let sql = match tx.engine() {
        Engine::Sqlite => "select name from sqlite_master where type = 'index' order by name",
        Engine::Postgres => {
            "select indexname from pg_indexes where schemaname = current_schema()
             and tablename in ('items', 'parts') order by indexname"
        }
    };
    tx.query(sql, &[]).await?.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_set_aside_come_back() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        db.migrate(&SECOND).await.unwrap();
        let before = db.read(|tx| indexes(tx).boxed()).await.unwrap();
        let work = |rows: Vec<Vec<Value>>, fails: bool| {
            db.write_bulk(move |tx| {
                async move {
                    let suspended = tx.suspend_indexes(&["items"]).await?;
                    let left = indexes(tx).await?;
                    assert!(!left.contains(&"items_name".to_owned()), "{left:?}");
                    tx.insert_rows(&table(), &rows).await?;
                    tx.resume_indexes(suspended).await?;
                    if fails { Err(Error::NoRow) } else { indexes(tx).await }
                }
                .boxed()
            })
        };
        assert!(work(vec![item(1, "a")], true).await.is_err());
        assert_eq!(ids(&db).await, Vec::<i64>::new(), "{engine:?}");
        assert_eq!(db.read(|tx| indexes(tx).boxed()).await.unwrap(), before, "{engine:?}");

        let after = work(vec![item(1, "a"), item(2, "b")], false).await.unwrap();
        assert_eq!(after, before, "{engine:?}");

        let twice = work(vec![item(1, "again")], false).await;
        let is_unique = matches!(twice, Err(Error::Violation(Violation::Unique)));
        assert!(is_unique, "{engine:?} {twice:?}");
        assert_eq!(ids(&db).await, [1, 2], "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_planner_is_told_of_tables_that_grew() {
    let (_scratch, db) = store(Engine::Postgres).await;
    let work = |rows: Vec<Vec<Value>>| {
        db.write_bulk(move |tx| {
            async move {
                tx.insert_rows(&table(), &rows).await?;
                tx.tell_planner_what_grew().await?;
                let sql = "select cast(reltuples as bigint) from pg_class
                           where oid = to_regclass('items')";
                tx.query_one(sql, &[]).await?.int(0)
            }
            .boxed()
        })
    };
    let few = (0..10).map(|id| item(id, "a")).collect();
    assert_eq!(work(few).await.unwrap(), -1, "nobody counted yet");
    let many = (10..2_010).map(|id| item(id, "a")).collect();
    assert_eq!(work(many).await.unwrap(), 2_010);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_stops_where_it_is_told() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        let seen = db
            .write(|tx| {
                async move {
                    for id in 0..10 {
                        insert(tx, id, "x").await?;
                    }
                    let mut seen = Vec::new();
                    tx.for_each("select id from items order by id", &[], |row| {
                        seen.push(row.int(0)?);
                        let is_enough = seen.len() == 3;
                        let flow = ControlFlow::Continue(());
                        Ok::<_, Error>(if is_enough { ControlFlow::Break(()) } else { flow })
                    })
                    .await?;
                    // The connection is of use afterwards.
                    tx.query_one("select count(*) from items", &[]).await?;
                    Ok::<_, Error>(seen)
                }
                .boxed()
            })
            .await;
        assert_eq!(seen.unwrap(), [0, 1, 2], "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_keeps_its_picture_while_others_write() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        let (looked, has_looked) = std::sync::mpsc::channel();
        let (wrote, has_written) = std::sync::mpsc::channel();
        let reader = tokio::spawn({
            let db = db.clone();
            async move {
                db.read(move |tx| {
                    async move {
                        let sql = "select count(*) from items";
                        let before = tx.query_one(sql, &[]).await?.int(0)?;
                        looked.send(()).unwrap();
                        tokio::task::block_in_place(|| has_written.recv()).unwrap();
                        Ok::<_, Error>((before, tx.query_one(sql, &[]).await?.int(0)?))
                    }
                    .boxed()
                })
                .await
            }
        });
        tokio::task::block_in_place(|| has_looked.recv()).unwrap();
        db.write(|tx| async move { insert(tx, 1, "x").await }.boxed()).await.unwrap();
        wrote.send(()).unwrap();
        assert_eq!(reader.await.unwrap().unwrap(), (0, 0), "{engine:?}");
        assert_eq!(ids(&db).await, [1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_cannot_write() {
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        let done = db.read(|tx| async move { insert(tx, 1, "x").await }.boxed()).await;
        assert!(done.is_err(), "{engine:?}");
        assert!(ids(&db).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_ordered_by_their_bytes() {
    let sorted = ["", "500242", "500242100", "500242:", "A", "B", "Z", "_", "a", "é", "县", "𠮷"];
    for engine in Engine::BOTH {
        let (_scratch, db) = store(engine).await;
        let mut rows: Vec<Vec<Value>> = (0..).zip(sorted).map(|(i, n)| item(i, n)).collect();
        rows.reverse();
        db.write_bulk(move |tx| async move { tx.insert_rows(&table(), &rows).await }.boxed())
            .await
            .unwrap();
        assert_eq!(ids(&db).await, (0..12).collect::<Vec<_>>());
        let sql = "select name from items order by name";
        let rows = db.read(move |tx| async move { tx.query(sql, &[]).await }.boxed()).await;
        let rows = rows.unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(names, sorted, "{engine:?}");
        let sql = "select count(*) from items where name >= $1 and name < $2";
        let range = ["500242".into(), "500242:".into()];
        let row = db.read(move |tx| async move { tx.query_one(sql, &range).await }.boxed()).await;
        assert_eq!(row.unwrap().int(0).unwrap(), 2, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_there_when_opened_again() {
    for engine in Engine::BOTH {
        let (scratch, db) = store(engine).await;
        db.write(|tx| async move { insert(tx, 1, "x").await }.boxed()).await.unwrap();
        db.settle().await.unwrap();
        let options = Options { missing: Missing::Refuse, readers: 1, ..Options::default() };
        let second = Db::open(&scratch.url, options).await.unwrap();
        assert_eq!(ids(&second).await, [1], "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_not_made_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("none.db").display());
    let done = Db::open(&url.parse().unwrap(), Options::default()).await;
    assert!(matches!(done, Err(Error::NoDatabase(_))));
}

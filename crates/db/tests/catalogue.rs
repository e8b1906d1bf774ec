//! Tables and rows whatever they are called: what the catalogues tell, and what is put into an empty database.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, but not what they call")]

use std::ops::ControlFlow;

use daohu_db::{
    Db, Engine, Error, FutureExt, Migration, SchemaState, StoredTable, Tx, Value, tables_of,
    testing::Scratch,
};

static FIRST: [Migration; 1] = [Migration {
    number: 1,
    name: "items",
    sql: "create table parts (
  id text primary key,
  weight double precision,
  \"order\" bigint
);
create table items (
  no bigint not null,
  county text not null,
  part text references parts (id),
  data bytea,
  primary key (county, no)
) /* clustered */;
create index items_part on items (part);
create table bare (at bigint);
",
}];

/// Adds a column, and makes the table anew that another refers to.
static SECOND: [Migration; 2] = [
    Migration { number: 1, name: "items", sql: FIRST[0].sql },
    Migration {
        number: 2,
        name: "colours",
        sql: "create table colours (id text primary key);
alter table parts add column colour text references colours (id);",
    },
];

async fn tables(db: &Db) -> Vec<StoredTable> {
    let read = async |tx: &mut Tx| {
        let mut tables = Vec::new();
        for name in tx.table_names().await? {
            tables.push(tx.stored_table(&name).await?.unwrap());
        }
        assert_eq!(tx.stored_table("nothing").await?, None);
        Ok::<_, Error>(tables)
    };
    db.read(move |tx| async move { read(tx).await }.boxed()).await.unwrap()
}

async fn run(db: &Db, sql: &'static str) {
    let work = async move |tx: &mut Tx| tx.execute(sql, &[]).await.map(drop);
    db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
}

fn names(tables: &[StoredTable]) -> Vec<&str> {
    tables.iter().map(|table| table.name.as_str()).collect()
}

#[tokio::test]
async fn both_catalogues_tell_what_the_migrations_made() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &SECOND).await;
        let found = tables(&db).await;
        assert_eq!(names(&found), ["bare", "colours", "items", "parts"], "{engine:?}");
        let ordered = tables_of(&SECOND).unwrap();
        // Whatever refers to another comes behind it.
        assert_eq!(names(&ordered), ["bare", "colours", "parts", "items"]);
        for table in &ordered {
            let stored = found.iter().find(|stored| stored.name == table.name).unwrap();
            assert_eq!(stored, table, "{engine:?}");
            assert!(stored.is_like(table));
        }
        assert_eq!(found[2].key, ["county", "no"], "{engine:?}");
        assert!(found[0].key.is_empty());
        let mut turned = found[2].clone();
        turned.columns.reverse();
        assert!(turned.is_like(&found[2]) && turned != found[2]);
        turned.columns.pop();
        assert!(!turned.is_like(&found[2]));
    }
}

#[tokio::test]
async fn a_column_of_a_type_that_is_not_ours_is_named() {
    for engine in Engine::BOTH {
        let scratch = Scratch::new(engine).await;
        let db = scratch.open().await;
        run(&db, "create table other (id bigint, name varchar(7))").await;
        let read = async |tx: &mut Tx| tx.stored_table("other").await;
        let found = db.read(move |tx| async move { read(tx).await }.boxed()).await;
        let is = matches!(&found, Err(Error::UnknownType { column, .. }) if column == "other.name");
        assert!(is, "{engine:?} {found:?}");
    }
}

#[tokio::test]
async fn rows_come_back_as_they_went_in_whatever_the_columns_are_called() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &FIRST).await;
        let table = tables(&db).await.into_iter().find(|table| table.name == "parts").unwrap();
        let rows: Vec<Vec<Value>> = vec![
            vec!["".into(), f64::MIN_POSITIVE.into(), i64::MIN.into()],
            vec!["户 𠮷 '\"$1".into(), Value::Null, Value::Null],
            vec!["z".into(), 5.0.into(), i64::MAX.into()],
        ];
        let (written, of) = (rows.clone(), table.clone());
        let work = async move |tx: &mut Tx| tx.insert_stored_rows(&of, &written).await;
        db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
        let read = async move |tx: &mut Tx| {
            let mut found = Vec::new();
            tx.each_stored_row(&table, |row| {
                found.push(row.0.clone());
                Ok::<_, Error>(ControlFlow::Continue(()))
            })
            .await?;
            Ok::<_, Error>(found)
        };
        let mut found = db.read(move |tx| async move { read(tx).await }.boxed()).await.unwrap();
        found.sort_by_key(|row| row[0].as_text().map(str::to_owned));
        assert_eq!(found, [rows[0].clone(), rows[2].clone(), rows[1].clone()], "{engine:?}");
    }
}

/// What becomes of an attempt to make the tables of the first migrations.
async fn make_anew(db: &Db, wanted: &'static [Migration]) -> Result<(), Error> {
    let work = async move |tx: &mut Tx| tx.make_anew(&SECOND, wanted).await;
    db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await
}

#[tokio::test]
async fn tables_are_made_anew_where_nothing_is_stored() {
    for engine in Engine::BOTH {
        for before in [&SECOND[..0], &SECOND[..1], &SECOND[..]] {
            let (_scratch, db) = Scratch::migrated(engine, before).await;
            make_anew(&db, &FIRST).await.unwrap();
            let state = db.schema(&SECOND).await.unwrap();
            assert_eq!(state, SchemaState::Older { found: 1 }, "{engine:?}");
            assert_eq!(names(&tables(&db).await), ["bare", "items", "parts"]);
            let applied = async |tx: &mut Tx| tx.applied_migrations().await;
            let applied = db.read(move |tx| async move { applied(tx).await }.boxed()).await;
            assert_eq!(applied.unwrap(), [FIRST[0].applied()]);
        }
    }
}

#[tokio::test]
async fn what_holds_something_is_left_as_it_is() {
    for engine in Engine::BOTH {
        let (_scratch, db) = Scratch::migrated(engine, &SECOND).await;
        run(&db, "insert into colours (id) values ('red')").await;
        let refused = make_anew(&db, &FIRST).await;
        let is = matches!(&refused, Err(Error::NotEmpty(table)) if table == "colours");
        assert!(is, "{engine:?} {refused:?}");
        assert_eq!(db.schema(&SECOND).await.unwrap(), SchemaState::Current);

        // Tables of somebody else, empty or not, of our names or others.
        for sql in ["create table strange (id bigint)", "create table items (id bigint)"] {
            let scratch = Scratch::new(engine).await;
            let db = scratch.open().await;
            run(&db, sql).await;
            let refused = make_anew(&db, &FIRST).await;
            assert!(matches!(refused, Err(Error::NotEmpty(_))), "{engine:?} {sql} {refused:?}");
        }

        // One that a newer program made.
        let (_scratch, db) = Scratch::migrated(engine, &SECOND).await;
        let work = async |tx: &mut Tx| tx.make_anew(&FIRST, &FIRST).await;
        let refused = db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await;
        assert!(matches!(refused, Err(Error::NewerSchema { found: 2, known: 1 })), "{refused:?}");
    }
}

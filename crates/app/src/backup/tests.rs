//! Backups, restores and copies of whole databases, between the engines.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use daohu_base::{Actor, SystemClock};
use daohu_db::{
    Engine, FutureExt, Migration, Row, Tx, Type, Value, tables_of,
    testing::{Scratch, hold},
};
use daohu_policy::Policy;

use super::{
    archive::{ArchiveReader, ArchiveWriter},
    ops::{Restored, backup_of},
    *,
};
use crate::{
    Context, Error,
    accounts::{Cost, Passwords},
    journal::{self, Act, Action, Change, Depth, NO_COUNTY, verify_store},
    keys::{KeyError, Keys},
    schema::MIGRATIONS,
};

/// Both directions, and back to the same engine.
const WAYS: [(Engine, Engine); 4] = [
    (Engine::Sqlite, Engine::Postgres),
    (Engine::Postgres, Engine::Sqlite),
    (Engine::Sqlite, Engine::Sqlite),
    (Engine::Postgres, Engine::Postgres),
];

/// A database, empty or migrated, with keys.
struct Place {
    context: Context,
    folder: tempfile::TempDir,
    _scratch: Scratch,
}

impl Place {
    async fn new(engine: Engine, keys: &Arc<Keys>, migrations: &'static [Migration]) -> Self {
        let (scratch, db) = Scratch::migrated(engine, migrations).await;
        let cost = Cost { memory_kib: 8, passes: 1, at_once: 1 };
        let context = Context::new(
            db,
            Arc::new(Policy::embedded().unwrap()),
            (Arc::clone(keys), Passwords::new(cost).unwrap()),
            Arc::new(SystemClock),
        );
        Self { context, folder: tempfile::tempdir().unwrap(), _scratch: scratch }
    }

    async fn empty(engine: Engine, keys: &Arc<Keys>) -> Self {
        Self::new(engine, keys, &[]).await
    }

    /// With two rows in every table.
    async fn filled(engine: Engine, keys: &Arc<Keys>) -> Self {
        let place = Self::new(engine, keys, &MIGRATIONS).await;
        place.fill(&MIGRATIONS).await;
        place
    }

    /// Two rows in every table, and a true entry of the journal: what tells the keys.
    async fn fill(&self, migrations: &'static [Migration]) {
        let (keys, act) = (self.context.keys.clone(), self.act("fill"));
        let change = Change {
            county: NO_COUNTY.to_owned(),
            kind: "user",
            record: "1".to_owned(),
            action: Action::Created,
            before: None,
            after: None,
        };
        let fill = async move |tx: &mut Tx| {
            journal::record(tx, &keys, &act, vec![change]).await?;
            for table in tables_of(migrations)? {
                let rows: Vec<Vec<Value>> = (0..2).map(|i| row(&table, i)).collect();
                tx.insert_stored_rows(&table, &rows).await?;
            }
            Ok::<_, Error>(())
        };
        self.context.db.write(move |tx| async move { fill(tx).await }.boxed()).await.unwrap();
    }

    fn act(&self, name: &str) -> Act {
        Act::new(Actor::command(name), &*self.context.clock, name)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn backup(&self, name: &str) -> Result<Backup, Error> {
        let progress = Arc::default();
        backup(&self.context, self.act("backup"), self.file(name), progress).await
    }

    async fn restore(&self, file: &Path) -> Result<Restored, Error> {
        let restore = Restore::open(file, &self.context.keys)?;
        restore.into(&self.context, self.act("restore"), Arc::default()).await
    }

    async fn copy_to(&self, to: &Self) -> Result<Copied, Error> {
        let names = ("from".to_owned(), "to".to_owned());
        let (from, to) = ((&self.context, names.0), (&to.context.db, names.1));
        copy(from, to, self.act("copy"), Arc::default()).await
    }

    async fn run(&self, sql: &'static str) {
        let work = async move |tx: &mut Tx| tx.execute(sql, &[]).await.map(drop);
        self.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
    }

    async fn rows(&self, sql: &'static str) -> Vec<Row> {
        let read = async move |tx: &mut Tx| tx.query(sql, &[]).await;
        self.context.db.read(move |tx| async move { read(tx).await }.boxed()).await.unwrap()
    }

    async fn tables(&self) -> Vec<String> {
        let read = async |tx: &mut Tx| tx.table_names().await;
        self.context.db.read(move |tx| async move { read(tx).await }.boxed()).await.unwrap()
    }

    /// The files of its folder.
    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// A row that every constraint takes: flags are 0 or 1, and what refers to a user finds one.
fn row(table: &daohu_db::StoredTable, i: i32) -> Vec<Value> {
    let cell = |kind| match kind {
        Type::Int => Value::Int(i.into()),
        Type::Real => Value::Real(f64::from(i) - 0.5),
        Type::Text => Value::Text(format!("户'\"{i}")),
        Type::Blob => Value::Blob(vec![u8::try_from(i).unwrap(); 40]),
    };
    table.columns.iter().map(|column| cell(column.kind)).collect()
}

fn keys() -> Arc<Keys> {
    Arc::new(Keys::generate().unwrap())
}

fn refusal<T: std::fmt::Debug>(refused: Result<T, Error>) -> BackupError {
    match refused {
        Err(Error::Backup(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn sums(tables: &[ComparedTable]) -> Vec<TableSum> {
    tables.iter().map(|table| table.source.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_comes_back_from_a_backup_on_either_engine() {
    for (from, to) in WAYS {
        let keys = keys();
        let from = Place::filled(from, &keys).await;
        let made = from.backup("all").await.unwrap();
        assert_eq!(made.tables.len(), tables_of(&MIGRATIONS).unwrap().len());
        // Two true entries wait with the others, the last of them that of the backup itself.
        let rows = |table: &TableSum| if table.table == "journal_pending" { 4 } else { 2 };
        assert!(made.tables.iter().all(|table| table.rows == rows(table)), "{:?}", made.tables);
        let mode = made.file.metadata().unwrap().permissions().mode();
        assert_eq!((mode & 0o777, from.files()), (0o600, vec!["all".to_owned()]));

        let to = Place::empty(to, &keys).await;
        let restored = to.restore(&made.file).await.unwrap();
        assert_eq!((sums(&restored.tables), restored.migrated), (made.tables.clone(), 0));
        assert!(restored.tables.iter().all(|table| table.target_hash == table.source.hash));
        assert_eq!((&restored.id, restored.created_at), (&made.id, made.created_at));
        let users = "select * from users order by id";
        assert_eq!(to.rows(users).await, from.rows(users).await);
        // What is in the tables is no journal, and that is told.
        assert!(!restored.journal.ok);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_copied_to_either_engine() {
    for (from, to) in WAYS {
        let keys = keys();
        let (from, to) = (Place::filled(from, &keys).await, Place::empty(to, &keys).await);
        let copied = from.copy_to(&to).await.unwrap();
        assert_eq!(copied.tables.len(), tables_of(&MIGRATIONS).unwrap().len());
        assert!(copied.tables.iter().all(|table| table.target_rows == table.source.rows));
        let users = "select * from users order by id";
        assert_eq!(to.rows(users).await, from.rows(users).await);
        assert_eq!(from.rows("select * from sessions").await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belonged_to_a_server_ends_with_a_restore() {
    for engine in Engine::BOTH {
        let keys = keys();
        let from = Place::filled(engine, &keys).await;
        from.run("update jobs set state = 'running', stored_at = null").await;
        from.run("update jobs set state = 'queued' where cancel_wanted = 0").await;
        let made = from.backup("all").await.unwrap();
        let to = Place::empty(engine, &keys).await;
        to.restore(&made.file).await.unwrap();
        let copied = Place::empty(engine, &keys).await;
        from.copy_to(&copied).await.unwrap();
        for to in [to, copied] {
            assert!(to.rows("select * from sessions").await.is_empty(), "{engine:?}");
            assert!(to.rows("select * from idempotency_keys").await.is_empty());
            // What was to be stopped is; nothing of the rest is begun where its files are not.
            let states = to.rows("select state from jobs where ended_at > 1 order by state").await;
            let states: Vec<_> = states.iter().map(|row| row.text(0).unwrap()).collect();
            assert_eq!(states, ["cancelled", "interrupted"], "{engine:?}");
        }
        // Where it came from they go on.
        let going_on = "select * from jobs where state in ('queued', 'running')";
        assert_eq!(from.rows(going_on).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_journals_tell_and_stay_whole() {
    for (from, to) in WAYS {
        let keys = keys();
        let from = Place::new(from, &keys, &MIGRATIONS).await;
        from.backup("first").await.unwrap();
        journal::seal_all(&from.context).await.unwrap();
        let made = from.backup("second").await.unwrap();
        let to_restored = Place::empty(to, &keys).await;
        let restored = to_restored.restore(&made.file).await.unwrap();
        assert_eq!((restored.journal.ok, restored.journal.sealed), (true, 1));
        let to_copied = Place::empty(to, &keys).await;
        let copied = from.copy_to(&to_copied).await.unwrap();
        assert!(copied.journal.ok);
        let entries = "select kind, record, action, authority from journal_pending order by stamp";
        let entry = |kind: &str, id: &str, action: &str, authority: &str| {
            Row([kind, id, action, authority].map(Value::from).to_vec())
        };
        let second = entry("backup", &made.id, "disclosed", "command backup");
        let back = entry("backup", &made.id, "restored", "command restore");
        let out = entry("copy", &copied.id, "disclosed", "command copy");
        let over = entry("copy", &copied.id, "restored", "command copy");
        assert_eq!(to_restored.rows(entries).await, [second.clone(), back]);
        assert_eq!(from.rows(entries).await, [second.clone(), out.clone()]);
        let mut there = to_copied.rows(entries).await;
        there.retain(|row| *row != out);
        assert_eq!(there, [second, over]);
        for place in [&to_restored, &to_copied] {
            journal::seal_all(&place.context).await.unwrap();
            let verdict = verify_store(&place.context, None, Depth::Rows, Vec::new()).await;
            assert!(verdict.unwrap().ok);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_empty_database_is_filled() {
    for engine in Engine::BOTH {
        let keys = keys();
        let from = Place::filled(engine, &keys).await;
        let made = from.backup("all").await.unwrap();
        let before = from.rows("select * from users").await;
        let refused = refusal(from.restore(&made.file).await);
        assert!(matches!(refused, BackupError::NotEmpty { .. }), "{engine:?} {refused}");
        let refused = refusal(from.copy_to(&from).await);
        assert!(matches!(refused, BackupError::NotEmpty { .. }), "{engine:?} {refused}");
        assert_eq!(from.rows("select * from users").await, before);
        // One that was migrated and never used is empty.
        for migrations in [&MIGRATIONS[..], &MIGRATIONS[..2]] {
            let to = Place::new(engine, &keys, migrations).await;
            to.restore(&made.file).await.unwrap();
            assert_eq!(to.rows("select * from users").await.len(), 2);
            let state = to.context.db.schema(&MIGRATIONS).await.unwrap();
            assert_eq!(state, daohu_db::SchemaState::Current);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_restored_and_brought_up_to_date_a_newer_one_is_refused() {
    for (from, to) in WAYS {
        let keys = keys();
        let older = &MIGRATIONS[..3];
        let place = Place::new(from, &keys, older).await;
        place.fill(older).await;
        let (act, file) = (place.act("backup"), place.file("old"));
        let made = backup_of(&place.context, older, act, file, Arc::default()).await.unwrap();
        let target = Place::empty(to, &keys).await;
        let restored = target.restore(&made.file).await.unwrap();
        let missing = MIGRATIONS.len() - older.len();
        assert_eq!((sums(&restored.tables), restored.migrated), (made.tables, missing));
        let state = target.context.db.schema(&MIGRATIONS).await.unwrap();
        assert_eq!(state, daohu_db::SchemaState::Current);
        assert!(target.rows("select * from jobs").await.is_empty());

        let newer = Place::filled(from, &keys).await.backup_elsewhere(&place).await;
        let refused = Restore::knowing(older, &newer, &keys).map(drop);
        let number = |migrations: &[Migration]| migrations.last().unwrap().number;
        let (found, known) = (number(&MIGRATIONS), number(older));
        let expected = BackupError::NewerSchema { found, known };
        assert_eq!(refusal(refused), expected);
    }
}

impl Place {
    /// A backup in the folder of another place.
    async fn backup_elsewhere(&self, other: &Self) -> PathBuf {
        let out = other.file("elsewhere");
        let made = backup(&self.context, self.act("backup"), out, Arc::default()).await;
        made.unwrap().file
    }
}

/// Where the blocks of an archive begin, and where the last one ends.
fn blocks(archive: &[u8], keys: &Keys) -> Vec<usize> {
    let mut rest = archive;
    let (_, mut reader) = ArchiveReader::open(&mut rest, keys).unwrap();
    let mut count = 0;
    while reader.block().unwrap().is_some() {
        count += 1;
    }
    let next = |at: usize| {
        let length = archive[at..at + 4].try_into().unwrap();
        at + 4 + usize::try_from(u32::from_le_bytes(length)).unwrap()
    };
    let mut places = vec![next(next(12))];
    for _ in 0..count {
        places.push(next(*places.last().unwrap()));
    }
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_tampered_with_stores_nothing() {
    let keys = keys();
    let from = Place::filled(Engine::Sqlite, &keys).await;
    let made = from.backup("all").await.unwrap();
    let archive = std::fs::read(&made.file).unwrap();
    let places = blocks(&archive, &keys);
    assert!(places.len() > 30 && places.last() == Some(&archive.len()));
    let block = |i: usize| &archive[places[i]..places[i + 1]];
    let mut spoiled: Vec<Vec<u8>> = Vec::new();
    // Early enough to be found before, and late enough to be found after much was loaded.
    for at in (0..archive.len()).step_by(archive.len() / 12).chain([archive.len() - 1]) {
        let mut flipped = archive.clone();
        flipped[at] ^= 1;
        spoiled.push(flipped);
        spoiled.push(archive[..at].to_vec());
    }
    let last = places.len() - 2;
    for (a, b) in [(0, 1), (3, 7), (last - 1, last)] {
        let mut order: Vec<usize> = (0..=last).collect();
        order.swap(a, b);
        let swapped: Vec<&[u8]> = order.into_iter().map(block).collect();
        spoiled.push([&archive[..places[0]], &swapped.concat()].concat());
    }
    // Cut between two blocks, and with more behind the end.
    spoiled.push(archive[..places[last]].to_vec());
    spoiled.push([&archive[..], block(last)].concat());
    for engine in Engine::BOTH {
        let to = Place::empty(engine, &keys).await;
        for (number, spoiled) in spoiled.iter().enumerate() {
            let file = to.file("spoiled");
            std::fs::write(&file, spoiled).unwrap();
            let refused = refusal(to.restore(&file).await);
            assert!(to.tables().await.is_empty(), "{engine:?} {number} {refused}");
        }
        let other = Place { context: Context { keys: self::keys(), ..to.context.clone() }, ..to };
        assert_eq!(refusal(other.restore(&made.file).await), BackupError::WrongKeys);
        let to =
            Place { context: Context { keys: keys.clone(), ..other.context.clone() }, ..other };
        to.restore(&made.file).await.unwrap();
    }
}

/// Writes blocks anew behind the same header, with a key of their own: what only a fault of ours could make.
fn rewritten(archive: &[u8], keys: &Keys, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut rest = archive;
    let (header, mut reader) = ArchiveReader::open(&mut rest, keys).unwrap();
    let mut blocks = Vec::new();
    while let Some(block) = reader.block().unwrap() {
        blocks.push(block);
    }
    change(&mut blocks);
    let last = blocks.pop().unwrap();
    let mut writer = ArchiveWriter::begin(Vec::new(), &header, keys).unwrap();
    blocks.iter().for_each(|block| writer.block(block).unwrap());
    writer.finish(&last).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_file_with_wrong_contents_stores_nothing() {
    let keys = keys();
    let from = Place::filled(Engine::Sqlite, &keys).await;
    let made = from.backup("all").await.unwrap();
    let archive = std::fs::read(&made.file).unwrap();
    // A table and its rows take two blocks, areas first; the last block is the end.
    type Change = fn(&mut Vec<Vec<u8>>);
    let changes: [(Change, &str); 10] = [
        (|_| {}, ""),
        (|blocks| drop(blocks.drain(..2)), "backup.other_table"),
        (|blocks| blocks.extend_from_within(..2), "backup.damaged"),
        (|blocks| blocks.insert(2, blocks[0].clone()), "backup.other_table"),
        (
            |blocks| blocks[0] = b"T{\"name\":\"x\",\"columns\":[],\"key\":[]}".to_vec(),
            "backup.other_table",
        ),
        (|blocks| drop(blocks.remove(0)), "backup.damaged"),
        (|blocks| drop(blocks.pop()), "backup.damaged"),
        (|blocks| blocks[1].truncate(20), "backup.damaged"),
        (|blocks| drop(blocks.remove(1)), "backup.differs"),
        (|blocks| blocks[1].extend_from_within(1..), "backup.does_not_fit"),
    ];
    for engine in Engine::BOTH {
        for (number, (change, code)) in changes.iter().enumerate() {
            let to = Place::empty(engine, &keys).await;
            let file = to.file("rewritten");
            std::fs::write(&file, rewritten(&archive, &keys, change)).unwrap();
            match to.restore(&file).await {
                Ok(_) => assert_eq!(*code, ""),
                // A key that stands twice is found on PostgreSQL when the indexes are made.
                Err(Error::Store(error)) => {
                    assert_eq!((number, engine), (9, Engine::Postgres), "{error}")
                }
                Err(Error::Backup(error)) => assert_eq!(error.code(), *code, "{engine:?} {number}"),
                Err(error) => panic!("{engine:?} {number} {error}"),
            }
            assert_eq!(to.tables().await.is_empty(), !code.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_with_the_keys_of_the_database_only() {
    for engine in Engine::BOTH {
        let place = Place::new(engine, &keys(), &MIGRATIONS).await;
        place.backup("first").await.unwrap();
        let entries = place.rows("select * from journal_pending").await;
        let stranger = Context { keys: keys(), ..place.context.clone() };
        let out = place.file("second");
        let refused = backup(&stranger, place.act("backup"), out, Arc::default()).await;
        assert!(matches!(refused, Err(Error::Key(KeyError::Sealed))), "{engine:?} {refused:?}");
        assert_eq!(place.rows("select * from journal_pending").await, entries);
        assert_eq!(place.files(), ["first"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_is_replaced_and_none_is_left_half() {
    let place = Place::filled(Engine::Sqlite, &keys()).await;
    place.backup("all").await.unwrap();
    let before = std::fs::read(place.file("all")).unwrap();
    let refused = refusal(place.backup("all").await);
    assert_eq!(refused, BackupError::Exists(place.file("all")));
    assert_eq!(std::fs::read(place.file("all")).unwrap(), before);
    let stopped = Arc::new(Progress::default());
    stopped.cancelled.store(true, Ordering::Relaxed);
    let out = place.file("other");
    let done = backup(&place.context, place.act("backup"), out, stopped).await;
    assert!(matches!(done, Err(Error::Cancelled)), "{done:?}");
    assert_eq!(place.files(), ["all"]);
    let nowhere = place.folder.path().join("none").join("all");
    let done = backup(&place.context, place.act("backup"), nowhere, Arc::default()).await;
    assert!(matches!(done, Err(Error::File(_))), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_stopped_stores_nothing() {
    for (from, to) in WAYS {
        let keys = keys();
        let (from, to) = (Place::filled(from, &keys).await, Place::empty(to, &keys).await);
        let stopped = Arc::new(Progress::default());
        stopped.cancelled.store(true, Ordering::Relaxed);
        let names = ((&from.context, String::new()), (&to.context.db, String::new()));
        let done = copy(names.0, names.1, from.act("copy"), stopped).await;
        assert!(matches!(done, Err(Error::Cancelled)), "{done:?}");
        assert!(to.tables().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_other_engine_does_not_take_is_named() {
    let keys = keys();
    // SQLite keeps whatever is written into a column, and gives it back.
    let sqlite = Place::filled(Engine::Sqlite, &keys).await;
    sqlite.run("update users set locked_until = 'soon'").await;
    let to = Place::empty(Engine::Postgres, &keys).await;
    let BackupError::DoesNotFit { table, why } = refusal(sqlite.copy_to(&to).await) else {
        panic!("another refusal")
    };
    assert!(table == "users" && why.starts_with("locked_until"), "{table} {why}");
    assert!(to.tables().await.is_empty());
    let same = Place::empty(Engine::Sqlite, &keys).await;
    sqlite.copy_to(&same).await.unwrap();
    let found = same.rows("select locked_until from users").await;
    assert_eq!(found[0].text(0).unwrap(), "soon");

    // What is no number becomes null in SQLite: only the comparison tells.
    let postgres = Place::filled(Engine::Postgres, &keys).await;
    postgres.run("update areas set longitude_deg = 'NaN'").await;
    let to = Place::empty(Engine::Sqlite, &keys).await;
    let refused = refusal(postgres.copy_to(&to).await);
    assert_eq!(refused, BackupError::Differs { table: "areas".into() });
    let made = postgres.backup("all").await.unwrap();
    let refused = refusal(to.restore(&made.file).await);
    assert_eq!(refused, BackupError::Differs { table: "areas".into() });
    assert!(to.tables().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_the_migrations_did_not_make_so_is_named() {
    for engine in Engine::BOTH {
        let keys = keys();
        let place = Place::filled(engine, &keys).await;
        place.run("alter table areas add column note text").await;
        let refused = refusal(place.backup("all").await);
        assert_eq!(refused, BackupError::OtherTable { table: "areas".into() }, "{engine:?}");
        assert!(place.files().is_empty());
        let to = Place::empty(engine, &keys).await;
        let refused = refusal(place.copy_to(&to).await);
        assert_eq!(refused, BackupError::OtherTable { table: "areas".into() }, "{engine:?}");
        // A table of somebody else's is none of ours.
        let place = Place::filled(engine, &keys).await;
        place.run("create table notes (at varchar(7))").await;
        place.backup("all").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_waits_for_whoever_holds_the_store() {
    let place = Place::filled(Engine::Sqlite, &keys()).await;
    let hurry = async |tx: &mut Tx| tx.query_one("pragma busy_timeout = 20", &[]).await.map(drop);
    place.context.db.write(move |tx| async move { hurry(tx).await }.boxed()).await.unwrap();
    let other = place._scratch.open().await;
    let work = async |tx: &mut Tx| {
        tx.execute("update users set display_name = 'new'", &[]).await.map(drop)
    };
    let held = hold(&other, move |tx| async move { work(tx).await }.boxed()).await;
    let holder = held.release_after(Duration::from_millis(200));
    let made = place.backup("all").await.unwrap();
    holder.await.unwrap();
    let to = Place::empty(Engine::Sqlite, &place.context.keys).await;
    to.restore(&made.file).await.unwrap();
    assert_eq!(to.rows("select * from users where display_name = 'new'").await.len(), 2);
}

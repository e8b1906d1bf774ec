//! Backup, restore and copy: a drill with a server that goes on writing, and what each says and answers.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::harness::{Place, Run, Server};

/// From one engine to the other.
const ACROSS: [(Engine, Engine); 2] =
    [(Engine::Sqlite, Engine::Postgres), (Engine::Postgres, Engine::Sqlite)];
const SHEETS: [&str; 4] = ["areas", "households", "persons", "incomes"];

async fn loaded(engine: Engine) -> Place {
    let place = Place::new(engine).await;
    let sample = place.sample(60);
    place.run(&["import", "--json", &sample]).expect(0);
    place
}

impl Place {
    fn path(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }

    fn backup(&self, name: &str) -> (String, Value) {
        let out = self.path(name);
        let made = self.run(&["backup", "--json", "--out", &out]).expect(0).json();
        (out, made)
    }

    /// The exported sheets, one behind the other.
    fn exported(&self, name: &str) -> Vec<u8> {
        let out = self.path(name);
        let args = ["export", "--area", "500242", "--format", "csv", "--out", &out];
        self.run(&args).expect(0);
        let read = |sheet: &str| std::fs::read(PathBuf::from(&out).join(sheet)).unwrap();
        SHEETS.iter().flat_map(|sheet| read(&format!("{sheet}.csv"))).collect()
    }
}

/// Somebody who goes on writing until told to stop.
struct Writer {
    written: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Writes over and over, whatever `write` does with the number of the time.
    fn start(mut write: impl FnMut(u64) + Send + 'static) -> Self {
        let (written, stopped) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stop) = (Arc::clone(&written), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                write(count.load(Ordering::Relaxed));
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { written, stopped, thread }
    }

    fn count(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn wait_for(&self, count: u64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.count() < count {
            assert!(Instant::now() < deadline, "nothing is written");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn stop(self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// A clerk who edits households, and an administrator who makes users.
fn writers(place: &Place, server: &Server) -> [Writer; 2] {
    place.add_user("root1", &["--role", "system_admin"]);
    place.add_user("clerk", &["--role", "office_clerk", "--area", "500242"]);
    let (clerk, root) = (server.sign_in("clerk"), server.sign_in("root1"));
    let (households, users) =
        (format!("{}/api/v1/households", server.base), format!("{}/api/v1/users", server.base));
    let edit = move |n: u64| {
        let url = format!("{households}/{}", 500_242_000_000_001 + n % 60);
        let found = ureq::get(&url).header("cookie", &clerk).call().unwrap();
        let etag = found.headers()["etag"].to_str().unwrap().to_owned();
        let body = json!({ "head_name": format!("第{n}次") });
        let edit = ureq::patch(&url).header("cookie", &clerk).header("if-match", etag);
        edit.send_json(body).unwrap();
    };
    let add = move |n: u64| {
        let body = json!({ "name": format!("user-{n}"), "display_name": "新" });
        ureq::post(&users).header("cookie", &root).send_json(body).unwrap();
    };
    [Writer::start(edit), Writer::start(add)]
}

#[tokio::test]
async fn a_drill_brings_back_the_picture_of_a_server_that_went_on_writing() {
    for (from, to) in ACROSS {
        let source = loaded(from).await;
        let server = Server::start(&source);
        let writers = writers(&source, &server);
        writers.iter().for_each(|writer| writer.wait_for(3));
        let before = writers.each_ref().map(Writer::count);
        let (file, made) = source.backup("live");
        let after = writers.each_ref().map(Writer::count);
        assert!(before < after, "{from:?}: nobody wrote meanwhile");
        writers.into_iter().for_each(Writer::stop);
        drop(server);

        let target = Place::with_keys_of(to, &source).await;
        let restored = target.run(&["restore", "--json", &file]).expect(0).json();
        assert_eq!(held(&restored), held(&made), "{from:?}");
        assert_eq!(restored["journal"]["ok"], true);
        // Every row is what its last entry says: no half of a write is in the picture.
        target.run(&["journal", "verify", "--deep", "--json"]).expect(0);
        let household = target.run(&["household", "--id", "50024200000001", "--json"]).expect(0);
        assert!(household.stdout().contains("\"第"), "{}", household.stdout());
        let users = target.row("select cast(count(*) as bigint) from users").await.int(0).unwrap();
        let users = u64::try_from(users).unwrap();
        assert!((before[1] + 2..=after[1] + 3).contains(&users), "{users} {before:?} {after:?}");

        // When it is quiet: the same files come out on both sides, byte by byte.
        let (file, _) = source.backup("quiet");
        let target = Place::with_keys_of(to, &source).await;
        target.run(&["restore", "--json", &file]).expect(0);
        assert!(source.exported("csv") == target.exported("csv"), "{from:?}");
        target.run(&["journal", "verify", "--deep", "--json"]).expect(0);
    }
}

/// Table, rows and hash of each table.
fn held(report: &Value) -> Vec<[Value; 3]> {
    let tables = report["tables"].as_array().unwrap();
    let of = |table: &Value| ["table", "rows", "hash"].map(|name| table[name].clone());
    tables.iter().map(of).collect()
}

#[tokio::test]
async fn a_copy_is_the_same_on_the_other_engine_and_goes_on_there() {
    for (from, to) in ACROSS {
        let source = loaded(from).await;
        let target = Place::with_keys_of(to, &source).await;
        let args = ["copy", "--json", "--from", &source.db, "--to", &target.db];
        let copied = source.run(&args).expect(0).json();
        for table in copied["tables"].as_array().unwrap() {
            assert_eq!(table["rows"], table["target_rows"], "{table}");
            assert_eq!(table["hash"], table["target_hash"], "{table}");
        }
        let rows =
            |name: &str| held(&copied).iter().find(|held| held[0] == name).unwrap()[1].clone();
        assert_eq!((rows("households"), rows("sessions")), (json!(60), json!(0)));
        assert_eq!(copied["journal"]["ok"], true);
        assert!(source.exported("csv") == target.exported("csv"), "{from:?}");
        target.run(&["journal", "verify", "--deep", "--json"]).expect(0);
        // The same files again: every row is known there.
        let sample = source.path("sample");
        let again = target.run(&["import", "--json", &sample]).expect(0).json();
        assert_eq!(again["sheets"]["households"]["unchanged"], 60);
        target.add_user("later", &[]);
    }
}

#[tokio::test]
async fn each_refusal_has_its_exit_code_and_says_what_to_do() {
    let source = loaded(Engine::Sqlite).await;
    let (file, _) = source.backup("good");
    let target = Place::with_keys_of(Engine::Postgres, &source).await;
    let other = Place::new(Engine::Sqlite).await;
    other.run(&["migrate"]).expect(0);
    let text = source.path("text");
    std::fs::write(&text, "no backup, but long enough to be one").unwrap();
    let half = source.path("half");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    let missing = source.path("missing");
    let nowhere = source.path("none/file");
    let (s, t, o) = (&source, &target, &other);
    let both = |to: &'static str| ["copy", "--from", &source.db, to];
    for (place, args, code, says) in [
        (s, vec!["backup", "--out", &file], 1, "backup.file_exists"),
        (s, vec!["backup", "--out", &nowhere], 3, "none/file"),
        (s, vec!["restore", &file], 1, "backup.not_empty"),
        (t, vec!["restore", &missing], 1, "backup.file_not_found"),
        (t, vec!["restore", &text], 1, "backup.not_a_backup"),
        (t, vec!["restore", &half], 1, "backup.damaged"),
        (o, vec!["restore", &file], 1, "backup.wrong_keys"),
        (t, vec!["restore", "--keys", &missing, &file], 3, "--keys"),
        (t, vec!["restore"], 2, "FILE"),
        (s, vec!["backup"], 2, "--out"),
        (s, [&both("--to")[..], &[&source.db]].concat(), 1, "backup.not_empty"),
        (s, both("--json").to_vec(), 2, "--to"),
        (t, vec!["backup", "--out", &missing], 3, "daohu migrate"),
    ] {
        let words = |lang| {
            let args = [&["--lang", lang], &args[..]].concat();
            place.run(&args).expect(code).stderr()
        };
        let (zh, en) = (words("zh"), words("en"));
        assert!(zh.contains(says) && en.contains(says), "{args:?} {zh} {en}");
        assert!(code == 2 || zh != en, "{args:?} {zh}");
    }
    // After all that the target is as empty as it was.
    target.run(&["restore", &file]).expect(0);
}

#[tokio::test]
async fn people_are_told_what_was_backed_up_and_which_keys_open_it() {
    let source = loaded(Engine::Sqlite).await;
    let out = source.path("all");
    let told = |run: Run| {
        let run = run.expect(0);
        format!("{}{}", run.stdout(), run.stderr())
    };
    let backup = told(source.run(&["--lang", "en", "backup", "--out", &out]));
    assert!(backup.contains("households") && backup.contains("key file"), "{backup}");
    let line = backup.lines().find(|line| line.starts_with("households")).unwrap();
    let hash = line.split_whitespace().nth(2).unwrap();
    let target = Place::with_keys_of(Engine::Sqlite, &source).await;
    let restore = told(target.run(&["--lang", "zh", "restore", &out]));
    assert!(restore.contains(hash) && restore.contains("已恢复"), "{restore}");
    let keys = source.keys.display().to_string();
    assert!(restore.contains(&keys), "{restore}");
    // Where the keys are where they are looked for, there is nothing to say.
    let target = Place::new(Engine::Sqlite).await;
    let beside = format!("{}.keys", target.db.strip_prefix("sqlite:").unwrap());
    std::fs::copy(&source.keys, &beside).unwrap();
    let mut restore = target.command(&["--lang", "zh", "restore", &out]);
    let restore = told(Run::of(restore.env_remove("DAOHU_KEYS").output().unwrap()));
    assert!(!restore.contains("DAOHU_KEYS"), "{restore}");
}

#[tokio::test]
async fn a_journal_that_was_not_whole_is_restored_as_it_was_and_told() {
    for (from, to) in ACROSS {
        let source = loaded(from).await;
        source
            .sql("update journal set at = at + 1 where sequence = 44 and county = '500242'")
            .await;
        let (file, _) = source.backup("altered");
        let target = Place::with_keys_of(to, &source).await;
        let run = target.run(&["--lang", "en", "restore", "--json", &file]).expect(1);
        assert!(run.stderr().contains("journal is not whole"), "{}", run.stderr());
        assert_eq!(run.json()["journal"]["first_bad"]["sequence"], 44);
        let verdict = target.run(&["journal", "verify", "--json"]).expect(1).json();
        assert_eq!(verdict["first_bad"]["sequence"], 44, "{from:?}");
        target.run(&["household", "--id", "50024200000001", "--json"]).expect(0);
    }
}

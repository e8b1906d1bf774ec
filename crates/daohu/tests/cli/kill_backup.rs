//! `kill -9` at random moments of a backup, a restore and a copy: never half.
//!
//! A few kills here; `cargo xtask torture` raises the number through the environment.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use daohu_db::Engine;
use serde_json::Value;

use crate::{
    harness::Place,
    kill::{moments, number},
};

const KILLS: (&str, u32) = ("DAOHU_BACKUP_KILLS", 6);

/// What is the same in a picture and in what was made of it: all but the journal, and what ends with its
/// server.
const SAME: [&str; 6] = ["areas", "households", "persons", "incomes", "person_keys", "memberships"];

/// A county, with a backup of it.
async fn source(engine: Engine) -> (Place, String, Vec<Value>) {
    let place = Place::new(engine).await;
    let sample = place.sample(60);
    place.run(&["import", "--json", &sample]).expect(0);
    let file = place.folder().join("good").display().to_string();
    let held = held(&place, &file);
    (place, file, held)
}

/// What the tables of a place hold, as a backup of it tells.
fn held(place: &Place, file: &str) -> Vec<Value> {
    let made = place.run(&["backup", "--json", "--out", file]).expect(0).json();
    let tables = made["tables"].as_array().unwrap().iter();
    tables.filter(|table| SAME.iter().any(|name| table["table"] == *name)).cloned().collect()
}

/// Kills it after a while; true if that came in time.
fn kill_after(mut child: Child, moment: Duration) -> bool {
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// Fills an empty place over and over and is killed; what is there afterwards is all or nothing.
async fn fill_and_kill(
    (from, to): (Engine, Engine),
    command: impl Fn(&Place, &str, &Place) -> Vec<String>,
) {
    let (place, file, whole) = source(from).await;
    let fill = |target: &Place| command(&place, &file, target);
    let target = Place::with_keys_of(to, &place).await;
    let started = Instant::now();
    target.run(&strs(&fill(&target))).expect(0);
    let span = started.elapsed().mul_f64(1.1);
    let mut killed = 0;
    for moment in moments(span, number(KILLS)) {
        let target = Place::with_keys_of(to, &place).await;
        let args = fill(&target);
        killed += u32::from(kill_after(target.start(&strs(&args)), moment));
        // One that is empty is filled, one that is not is refused and must be whole.
        let again = target.run(&strs(&args));
        if !again.has_code(0) {
            again.expect(1);
        }
        let file = target.folder().join("again").display().to_string();
        assert_eq!(held(&target, &file), whole, "{from:?} {to:?} {moment:?}");
        target.run(&["journal", "verify", "--deep", "--json"]).expect(0);
    }
    assert!(killed > 0, "{from:?} {to:?}: no kill came in time");
}

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn a_killed_backup_leaves_no_half_file() {
    for engine in Engine::BOTH {
        let (place, _, whole) = source(engine).await;
        let started = Instant::now();
        held(&place, &place.folder().join("timed").display().to_string());
        let span = started.elapsed().mul_f64(1.1);
        let mut killed = 0;
        for (round, moment) in moments(span, number(KILLS)).enumerate() {
            let file = place.folder().join(format!("backup-{round}"));
            let name = file.display().to_string();
            let child = place.start(&["backup", "--out", &name]);
            killed += u32::from(kill_after(child, moment));
            if file.exists() {
                let target = Place::with_keys_of(Engine::Sqlite, &place).await;
                target.run(&["restore", &name]).expect(0);
                let again = target.folder().join("again").display().to_string();
                assert_eq!(held(&target, &again), whole, "{engine:?} {moment:?}");
            } else {
                // Under the same name, as the next night would.
                assert_eq!(held(&place, &name), whole);
            }
        }
        assert!(killed > 0, "{engine:?}: no kill came in time");
        place.run(&["journal", "verify", "--deep", "--json"]).expect(0);
    }
}

#[tokio::test]
async fn a_killed_restore_leaves_all_or_nothing() {
    for ways in [(Engine::Sqlite, Engine::Sqlite), (Engine::Sqlite, Engine::Postgres)] {
        fill_and_kill(ways, |_, file, _| vec!["restore".to_owned(), file.to_owned()]).await;
    }
}

#[tokio::test]
async fn a_killed_copy_leaves_all_or_nothing() {
    for ways in [(Engine::Postgres, Engine::Sqlite), (Engine::Sqlite, Engine::Postgres)] {
        let copy = |from: &Place, _: &str, to: &Place| {
            let words = ["copy", "--from", &from.db, "--to", &to.db];
            words.map(str::to_owned).to_vec()
        };
        fill_and_kill(ways, copy).await;
    }
}

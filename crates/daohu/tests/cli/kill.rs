//! `kill -9` at random moments: all of an import or nothing of it, and no acknowledged write lost.
//!
//! A few kills here; `cargo xtask torture` raises the numbers through the environment.

use std::time::{Duration, Instant};

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::harness::{Place, Server};

const IMPORT_KILLS: (&str, u32) = ("DAOHU_IMPORT_KILLS", 20);
const SERVER_KILLS: (&str, u32) = ("DAOHU_SERVER_KILLS", 5);

/// How often to kill.
pub fn number((variable, default): (&str, u32)) -> u32 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Moments spread evenly over a span, in an order that looks random but is always the same.
pub fn moments(span: Duration, count: u32) -> impl Iterator<Item = Duration> {
    (0..count).map(move |i| span.mul_f64(f64::from((i * 7919) % count) / f64::from(count)))
}

#[tokio::test]
async fn a_killed_import_leaves_all_or_nothing() {
    for engine in Engine::BOTH {
        let source = Place::new(engine).await;
        let sample = source.sample(60);
        let started = Instant::now();
        source.run(&["import", "--json", &sample]).expect(0);
        let span = started.elapsed().mul_f64(1.1);
        let mut killed = 0;
        let mut place = Place::new(engine).await;
        place.run(&["migrate"]).expect(0);
        // What the program carries is noted.
        let verdict = place.run(&["journal", "verify", "--json"]).expect(0).json();
        let noted = verdict["entries"].as_u64().unwrap();
        for moment in moments(span, number(IMPORT_KILLS)) {
            let mut child = place.start(&["import", &sample]);
            std::thread::sleep(moment);
            child.kill().unwrap();
            killed += u32::from(child.wait().unwrap().code().is_none());
            let verdict = place.run(&["journal", "verify", "--deep", "--json"]).expect(0).json();
            let entries = verdict["entries"].as_u64().unwrap();
            let next = place.run(&["import", "--json", &sample]).expect(0).json();
            let counts = &next["sheets"]["households"];
            let fresh = counts["created"] == 60 && entries == noted;
            let whole = counts["unchanged"] == 60 && entries > 60;
            assert!(fresh || whole, "{engine:?} {moment:?}: {entries} entries, then {counts}");
            place = Place::new(engine).await;
            place.run(&["migrate"]).expect(0);
        }
        assert!(killed > 0, "{engine:?}: no kill came in time");
    }
}

#[tokio::test]
async fn a_killed_server_loses_no_acknowledged_write() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        place.add_user("root1", &["--role", "system_admin"]);
        let mut acknowledged: Vec<String> = Vec::new();
        let mut total = 0;
        for (round, moment) in moments(Duration::from_millis(300), number(SERVER_KILLS)).enumerate()
        {
            let mut server = Server::start(&place);
            let cookie = server.sign_in("root1");
            for name in &acknowledged {
                let url = format!("{}/api/v1/users?q={name}", server.base);
                let mut found = ureq::get(url).header("cookie", &cookie).call().unwrap();
                let found: Value = found.body_mut().read_json().unwrap();
                assert!(found.to_string().contains(name.as_str()), "{engine:?} lost {name}");
            }
            let writers: Vec<_> = (0..3)
                .map(|writer| {
                    let (base, cookie) = (server.base.clone(), cookie.clone());
                    std::thread::spawn(move || write_until_it_dies(&base, &cookie, round, writer))
                })
                .collect();
            std::thread::sleep(moment + Duration::from_millis(20));
            server.child.kill().unwrap();
            server.child.wait().unwrap();
            acknowledged = writers.into_iter().flat_map(|w| w.join().unwrap()).collect();
            total += acknowledged.len();
        }
        assert!(total > 0, "{engine:?}: nothing was written");
        let verdict = place.run(&["journal", "verify", "--json"]).expect(0).json();
        assert!(verdict["entries"].as_u64().unwrap() >= u64::try_from(total).unwrap());
    }
}

/// Creates users until the server is gone; gives those it acknowledged.
fn write_until_it_dies(base: &str, cookie: &str, round: usize, writer: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for serial in 0.. {
        let name = format!("u{round}-{writer}-{serial}");
        let body = json!({ "name": name, "display_name": name });
        let url = format!("{base}/api/v1/users");
        match ureq::post(url).header("cookie", cookie).send_json(body) {
            Ok(answer) if answer.status() == 201 => acknowledged.push(name),
            _ => return acknowledged,
        }
    }
    acknowledged
}

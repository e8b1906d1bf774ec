//! Who looked at a household: the access log as auditors and the office read it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use daohu_app::{
    area_changes::{Request, change},
    jobs::{Progress, Ticket},
};
use daohu_base::{Day, Scope};
use daohu_db::{Engine, FutureExt, Tx, testing::hold};
use daohu_policy::Policy;
use serde_json::{Value, json};

use crate::{
    area_changes,
    harness::{ADDRESS, Client, TestApp, config},
    seed,
};

async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    app
}

/// All rows of a list, `rows` at a time; what waits is written first.
async fn all(app: &TestApp, client: &Client, path: &str, rows: u32) -> Vec<Value> {
    app.state.accesses().flush().await.unwrap();
    let mark = if path.contains('?') { '&' } else { '?' };
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}{mark}limit={rows}{after}")).send().await.expect(200);
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

fn whats(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["what"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_looked_at_a_household_is_told_with_what_when_and_from_where() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let cadre = app.client(&["cadre@990101100"]).await;
        let (home, _) = seed::household_no(&app, "H002").await;
        let (person, _) = seed::person_named(&app, "钱二").await;
        let path = format!("/households/{home}");
        cadre.json(&path).await;
        app.clock.advance_seconds(1);
        cadre.json(&path).await;
        for what in ["dossier", "persons", "incomes", "journal"] {
            app.clock.advance_seconds(1);
            cadre.json(&format!("{path}/{what}")).await;
        }
        app.clock.advance_seconds(1);
        cadre.json(&format!("/persons/{person}")).await;
        app.clock.advance_seconds(1);
        let reason = json!({ "reason": "核对本人身份证件" });
        office.post(&format!("/persons/{person}/reveal"), reason).send().await.expect(200);
        app.clock.advance_seconds(1);
        let body = json!({ "area": "990101100" });
        office.post("/exports", body).send().await.expect(202);
        app.jobs.run_queued().await.unwrap();
        // Neither of these is a look at it.
        cadre.get("/households/1").send().await.problem(404, "record.not_found");
        office.get("/households").send().await.expect(200);

        let inspector = app.client(&["inspector@990101"]).await;
        let path = format!("{path}/accesses");
        let rows = all(&app, &inspector, &path, 200).await;
        let whole = [
            "export",
            "numbers",
            "person",
            "journal",
            "incomes",
            "members",
            "dossier",
            "household",
        ];
        assert_eq!(whats(&rows), whole, "{engine:?}");
        let (first, second) = (&rows[7], &rows[2]);
        let user = cadre.user.clone().unwrap();
        for (name, expected) in [
            ("user", json!(user.name)),
            ("display_name", json!(user.display_name)),
            ("authority", json!("cadre@990101100")),
            ("address", json!(ADDRESS.to_string())),
            ("household", json!(home)),
            ("household_no", json!("H002")),
            ("person", Value::Null),
            ("times", json!(2)),
            ("at", json!("2020-11-22T01:00:00.000Z")),
            ("last_at", json!("2020-11-22T01:00:01.000Z")),
        ] {
            assert_eq!(first[name], expected, "{engine:?} {name}");
        }
        assert_eq!((&second["person"], &second["times"]), (&json!(person), &json!(1)));
        let export = &rows[0];
        assert_eq!(
            (&export["area"], &export["household"], &export["address"]),
            (&json!("990101100"), &Value::Null, &Value::Null)
        );
        // Reading the list is a look as well, page by page or not.
        let paged = all(&app, &inspector, &path, 2).await;
        assert_eq!(whats(&paged)[1..], whole);
        assert_eq!((&paged[0]["what"], &paged[0]["times"]), (&json!("accesses"), &json!(1)));
        let by = format!("{path}?user={}", office.user.clone().unwrap().name);
        assert_eq!(whats(&all(&app, &inspector, &by, 200).await), ["export", "numbers"]);
        assert_eq!(all(&app, &inspector, &format!("{path}?day=2020-11-22"), 200).await.len(), 9);
        let yesterday = format!("{path}?day=2020-11-21");
        assert!(all(&app, &inspector, &yesterday, 200).await.is_empty());
        // Another household of the township was exported, and not looked at.
        let (other, _) = seed::household_no(&app, "H004").await;
        let rows = all(&app, &inspector, &format!("/households/{other}/accesses"), 200).await;
        assert_eq!(whats(&rows), ["export"], "{engine:?}");
        let (far, _) = seed::household_no(&app, "H005").await;
        let far = format!("/households/{far}/accesses");
        assert!(all(&app, &inspector, &far, 200).await.is_empty(), "{engine:?}");
        cadre.get(&path).send().await.problem(403, "auth.forbidden");
    }
}

#[tokio::test]
async fn a_record_that_is_answered_to_a_change_was_looked_at() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (home, version) = seed::household_no(&app, "H002").await;
        let (person, of_person) = seed::person_named(&app, "钱二").await;
        let path = format!("/households/{home}");
        // Nothing changes, so that the journal does not tell of it.
        let same = |path: String, version: i64, body: Value| {
            clerk.patch(&path, body).if_match(version).send()
        };
        same(path.clone(), version, json!({})).await.expect(200);
        app.clock.advance_seconds(1);
        same(format!("/persons/{person}"), of_person, json!({ "name": "钱二" })).await.expect(200);
        app.clock.advance_seconds(1);
        let income = json!({ "wage_fen": 500_000 });
        let put = clerk.put(&format!("{path}/incomes/2018"), income).if_match(1).send().await;
        put.expect(200);
        let inspector = app.client(&["inspector@990101"]).await;
        let rows = all(&app, &inspector, &format!("{path}/accesses"), 200).await;
        assert_eq!(whats(&rows), ["incomes", "person", "household"], "{engine:?}");
    }
}

#[tokio::test]
async fn an_area_is_listed_by_user_day_and_kind_and_an_auditor_sees_no_numbers() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let (cadre, leader) = (app.user(&["cadre@99"]).await, app.user(&["leader@99"]).await);
        for no in ["H002", "H005"] {
            let (id, _) = seed::household_no(&app, no).await;
            app.signed_in(&cadre).await.json(&format!("/households/{id}")).await;
            app.clock.advance_minutes(60 * 24);
        }
        let (cadre, leader) = (app.signed_in(&cadre).await, app.signed_in(&leader).await);
        let (id, _) = seed::household_no(&app, "H002").await;
        cadre.json(&format!("/households/{id}/dossier")).await;
        app.clock.advance_seconds(1);
        leader.post("/exports", json!({ "area": "99" })).send().await.expect(202);
        app.jobs.run_queued().await.unwrap();

        let inspector = app.client(&["inspector@990101"]).await;
        let numbers = async |path: &str, rows: u32| {
            let rows = all(&app, &inspector, path, rows).await;
            let number = |row: &Value| row["household_no"].as_str().unwrap_or("-").to_owned();
            rows.iter().map(number).collect::<Vec<_>>()
        };
        // The export of the province was one of this county.
        for rows in [1, 3, 200] {
            let told = numbers("/accesses?area=990101", rows).await;
            assert_eq!(told, ["-", "H002", "H005", "H002"], "{engine:?} {rows}");
        }
        assert_eq!(numbers("/accesses?area=990101101", 200).await, ["-", "H005"]);
        let name = cadre.user.clone().unwrap().name;
        let by = format!("/accesses?area=990101&user={name}");
        assert_eq!(numbers(&by, 200).await, ["H002", "H005", "H002"]);
        assert_eq!(numbers("/accesses?area=990101&day=2020-11-23", 200).await, ["H005"]);
        assert_eq!(numbers("/accesses?area=990101&what=dossier", 200).await, ["H002"]);

        let auditor = app.client(&["audit_admin"]).await;
        let rows = all(&app, &auditor, "/accesses?area=990101", 200).await;
        assert_eq!((rows.len(), &rows[1]["household"]), (4, &json!(id)));
        assert!(rows.iter().all(|row| row["household_no"].is_null()));
        let path = format!("/households/{id}/accesses");
        auditor.get(&path).send().await.problem(403, "auth.forbidden");
        let bad = inspector.get("/accesses?area=99").send().await;
        bad.field_problem("area", "area.bad_code");
        let foreign = inspector.get("/accesses?area=980101").send().await;
        foreign.problem(404, "record.not_found");
        let clerk = app.client(&["village_clerk@990101"]).await;
        clerk.get("/accesses?area=990101").send().await.problem(403, "auth.forbidden");
    }
}

#[tokio::test]
async fn accesses_end_when_the_policy_says_and_repeats_are_counted_as_long() {
    let days = "[accesses]\nsource = 'a test'\nkept_days = 2\nrepeat_minutes = 1\n";
    for engine in Engine::BOTH {
        let policy = Policy::embedded_and([("test.toml", days)]).unwrap();
        let app = TestApp::governed(engine, config(), policy).await;
        seed::registry(&app).await;
        let (home, _) = seed::household_no(&app, "H002").await;
        let inspector = app.user(&["inspector@990101"]).await;
        let mut left = Vec::new();
        for _ in 0..2 {
            let client = app.signed_in(&inspector).await;
            client.json(&format!("/households/{home}")).await;
            app.clock.advance_minutes(1);
            client.json(&format!("/households/{home}")).await;
            app.clock.advance_minutes(60 * 36);
            app.state.accesses().flush().await.unwrap();
            app.state.accesses().clean().await.unwrap();
            left.push(app.count_rows("accesses").await);
        }
        // Three days after the first, a day and a half after the second.
        assert_eq!(left, [2, 2], "{engine:?}");
        app.clock.advance_minutes(60 * 24);
        app.state.accesses().clean().await.unwrap();
        assert_eq!(app.count_rows("accesses").await, 0, "{engine:?}");
    }
}

/// Exports an area, some of the sheets or all.
async fn export(app: &TestApp, client: &Client, area: &str, sheets: &[&str]) {
    app.clock.advance_seconds(1);
    let body = json!({ "area": area, "sheets": sheets });
    client.post("/exports", body).send().await.expect(202);
    app.jobs.run_queued().await.unwrap();
    app.clock.advance_seconds(1);
}

/// The areas that were exported, as a list tells of them.
async fn exported(app: &TestApp, client: &Client, path: &str) -> Vec<String> {
    let rows = all(app, client, path, 200).await;
    let exports = rows.iter().filter(|row| row["what"] == "export");
    exports.map(|row| row["area"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_export_is_a_look_at_the_households_that_lay_there_then() {
    for engine in Engine::BOTH {
        let app = area_changes::start(engine).await;
        let city = app.client(&["office_clerk@9901"]).await;
        let (id, _) = seed::household_no(&app, "H005").await;
        for area in ["990101101200", "990101101201"] {
            export(&app, &city, area, &[]).await;
        }
        // Of areas and of who helps them nothing is told that is a household's.
        export(&app, &city, "990101", &["areas", "villages", "cadres"]).await;
        let merge = area_changes::line("990101101200", "990101101201", "");
        area_changes::carry_out(&app, vec![merge]).await;
        export(&app, &city, "990101101201", &["households"]).await;
        let inspector = app.client(&["inspector@9901"]).await;
        let path = format!("/households/{id}/accesses");
        let told = exported(&app, &inspector, &path).await;
        assert_eq!(told, ["990101101201", "990101101200"], "{engine:?}");
        let village = exported(&app, &inspector, "/accesses?area=990101101201").await;
        assert_eq!(village, ["990101101201", "990101101201", "990101101200"], "{engine:?}");
    }
}

#[tokio::test]
async fn exports_under_the_old_code_of_a_county_are_told_of() {
    for engine in Engine::BOTH {
        let app = area_changes::start(engine).await;
        let city = app.client(&["office_clerk@9901"]).await;
        let (id, _) = seed::household_no(&app, "H002").await;
        for area in ["990101", "990101100", "990101101"] {
            export(&app, &city, area, &[]).await;
        }
        let other = area_changes::line("990101", "990102", "南区");
        area_changes::carry_out(&app, vec![other]).await;
        export(&app, &city, "990102100200", &[]).await;
        let inspector = app.client(&["inspector@9901"]).await;
        let path = format!("/households/{id}/accesses");
        let told = exported(&app, &inspector, &path).await;
        assert_eq!(told, ["990102100200", "990101100", "990101"], "{engine:?}");
        let county = exported(&app, &inspector, "/accesses?area=990102").await;
        assert_eq!(county.len(), 4, "{engine:?} {county:?}");
        let township = exported(&app, &inspector, "/accesses?area=990102101").await;
        assert_eq!(township, ["990101101", "990101"], "{engine:?}");
        let day = exported(&app, &inspector, &format!("{path}?day=2020-11-22")).await;
        assert!(day.is_empty(), "{engine:?} {day:?}");
    }
}

#[tokio::test]
async fn looks_at_a_household_are_told_of_where_it_went() {
    for engine in Engine::BOTH {
        let app = area_changes::start(engine).await;
        let city = app.client(&["office_clerk@99"]).await;
        let mut ids = Vec::new();
        for no in ["H002", "H004", "H005"] {
            let (id, _) = seed::household_no(&app, no).await;
            city.json(&format!("/households/{id}")).await;
            app.clock.advance_seconds(1);
            ids.push(id);
        }
        app.state.accesses().flush().await.unwrap();
        let lines = vec![
            area_changes::part("990101100200", "980101100209", "新村", &[], &["H002", "H003"]),
            area_changes::part("990101100200", "990101100209", "留村", &[], &[]),
        ];
        area_changes::carry_out(&app, lines).await;
        let numbers = async |client: &Client, area: &str| {
            let path = format!("/accesses?what=household&area={area}");
            let rows = all(&app, client, &path, 1).await;
            let number = |row: &Value| row["household_no"].as_str().unwrap_or("-").to_owned();
            rows.iter().map(number).collect::<Vec<_>>()
        };
        let inspector = app.client(&["inspector@98", "inspector@99"]).await;
        for area in ["980101", "980101100", "980101100209"] {
            assert_eq!(numbers(&inspector, area).await, ["H002"], "{engine:?} {area}");
        }
        assert_eq!(numbers(&inspector, "990101").await, ["H005", "H004"], "{engine:?}");
        let auditor = app.client(&["audit_admin"]).await;
        assert_eq!(numbers(&auditor, "980101").await, ["-"], "{engine:?}");
        // A look since then is one more, page by page or not.
        let north = app.client(&["inspector@980101"]).await;
        north.json(&format!("/households/{}", ids[0])).await;
        for rows in [1, 200] {
            let path = format!("/households/{}/accesses", ids[0]);
            let told = all(&app, &north, &path, rows).await;
            let told = told.iter().filter(|row| row["what"] == "household");
            let told: Vec<_> =
                told.map(|row| [&row["county"], &row["household_no"]].map(Value::clone)).collect();
            let expected = ["980101", "990101"].map(|county| [json!(county), json!("H002")]);
            assert_eq!(told, expected, "{engine:?} {rows}");
        }
    }
}

/// Of PostgreSQL: on SQLite all that is written waits until the change is stored.
#[tokio::test]
async fn who_looks_at_a_household_while_it_moves_waits_for_nothing_and_is_told_of() {
    let app = area_changes::start(Engine::Postgres).await;
    let city = app.client(&["office_clerk@99"]).await;
    let (id, _) = seed::household_no(&app, "H005").await;
    let path = format!("/households/{id}");
    city.json(&path).await;
    app.state.accesses().flush().await.unwrap();
    // What the change waits for when its households are written in their new county.
    let follower = app.user(&["cadre@990101101200"]).await;
    let lock = format!("update users set name = name where name = '{}'", follower.name);
    let work = async move |tx: &mut Tx| tx.execute(&lock, &[]).await.map(drop);
    let held = hold(&app.context.db, move |tx| async move { work(tx).await }.boxed()).await;
    let progress = Arc::<Progress>::default();
    let request = Request {
        on: Day::parse(area_changes::TODAY).unwrap(),
        document: None,
        lines: vec![area_changes::line("990101101200", "980101100209", "新村")],
        dry_run: false,
    };
    let ticket = Ticket { progress: Arc::clone(&progress), run: None };
    let changing = change(&app.context, app.act(), Scope::all(), request, ticket);
    let meanwhile = async {
        while progress.rows_done.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        city.json(&path).await;
        let written = tokio::time::timeout(Duration::from_secs(5), app.state.accesses().flush());
        let written = written.await;
        held.release().await;
        written.expect("the log waits for the change").unwrap();
    };
    let (told, ()) = tokio::join!(changing, meanwhile);
    assert_eq!(told.unwrap().households, 1);
    let north = app.client(&["inspector@980101"]).await;
    let rows = all(&app, &north, &format!("{path}/accesses"), 200).await;
    assert_eq!(whats(&rows), ["household"]);
    assert_eq!((&rows[0]["times"], &rows[0]["county"]), (&json!(2), &json!("990101")));
}

//! The journal as auditors and inspectors read it.

use std::time::{Duration, Instant};

use daohu_app::{
    accounts, households,
    journal::{Action, Change, Depth, record, seal_all, verify_store},
};
use daohu_db::{Engine, FutureExt, Tx, testing::hold};
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    seed,
};

/// All entries of a list, page by page.
async fn all(client: &Client, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = client.get(&format!("/journal?{query}{after}")).send().await.expect(200);
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn an_auditor_sees_every_act_and_no_contents() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (id, version) = seed::household_no(&app, "H001").await;
        let path = format!("/households/{id}");
        let body = json!({ "head_name": "张四" });
        clerk.patch(&path, body).if_match(version).send().await.expect(200);
        let auditor = app.client(&["audit_admin"]).await;
        let answer = auditor.get("/journal?county=990101&limit=200").send().await;
        assert!(!answer.text.contains("张四") && !answer.text.contains("before"));
        let first = answer.expect(200)["items"][0].clone();
        assert_eq!(
            (&first["kind"], &first["record"]),
            (&json!("household"), &json!(id.to_string()))
        );
        assert_eq!(first["sequence"], Value::Null);
        let whole = all(&auditor, "county=990101").await;
        for limit in [1, 3, 7] {
            assert_eq!(all(&auditor, &format!("county=990101&limit={limit}")).await, whole);
        }
        let own = all(&auditor, &format!("county=990101&kind=household&record={id}")).await;
        assert_eq!(own.len(), 2);
        assert!(all(&auditor, "county=000000&kind=user").await.len() > 1);
        // What is sealed between two pages neither repeats nor is lost.
        clerk.patch(&path, json!({ "head_name": "张六" })).if_match(2).send().await.expect(200);
        let page = auditor.get("/journal?county=990101&limit=1").send().await.expect(200);
        seal_all(&app.context).await.unwrap();
        let after = format!("county=990101&after={}", page["next"].as_str().unwrap());
        let rest = all(&auditor, &after).await;
        assert_eq!(rest.len(), whole.len());
        assert_eq!((&rest[0]["record"], &rest[0]["at"]), (&first["record"], &first["at"]));
        assert!(rest[0]["sequence"].is_i64());
        clerk.get("/journal?county=990101").send().await.problem(403, "auth.forbidden");
        auditor.get("/journal").send().await.problem(400, "request.bad_query");
    }
}

#[tokio::test]
async fn an_inspector_sees_the_own_area_masked() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let inspector = app.client(&["inspector@990101100"]).await;
        let entries = all(&inspector, "county=990101&kind=household&limit=3").await;
        let mut numbers: Vec<&str> =
            entries.iter().map(|entry| entry["after"]["no"].as_str().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, ["H001", "H002", "H003", "H004"]);
        let persons = all(&inspector, "county=990101&kind=person").await;
        assert_eq!(persons.len(), 4);
        for person in &persons {
            assert!(person["after"]["id_number"].as_str().unwrap().contains('*'));
        }
        assert_eq!(all(&inspector, "county=990101&kind=income").await.len(), 2);
        let county = app.client(&["inspector@990101"]).await;
        assert_eq!(all(&county, "county=990101&kind=household").await.len(), 6);
        for outside in ["980101", "000000", "x"] {
            let path = format!("/journal?county={outside}");
            inspector.get(&path).send().await.problem(404, "record.not_found");
        }
    }
}

#[tokio::test]
async fn of_a_kind_that_is_not_known_nothing_is_told() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let (keys, act) = (app.context.keys.clone(), app.act());
        let change = |kind| Change {
            county: "990101".to_owned(),
            kind,
            record: "1".to_owned(),
            action: Action::Created,
            before: Some(json!({ "account": "6222000000000000" }).to_string()),
            after: Some(json!({ "account": "6222000000000001" }).to_string()),
        };
        let changes = vec![change("loan"), change("export")];
        let work = async move |tx: &mut Tx| record(tx, &keys, &act, changes).await;
        app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
        let inspector = app.client(&["inspector@990101"]).await;
        let entry = &all(&inspector, "county=990101&kind=loan").await[0];
        assert_eq!(entry["action"], "created", "{engine:?}");
        assert!(entry.get("before").is_none() && entry.get("after").is_none(), "{entry}");
        let known = &all(&inspector, "county=990101&kind=export").await[0];
        assert!(known["before"].is_object() && known["after"].is_object(), "{known}");
    }
}

/// A chain of roots and a registry of several pages each: verified whole, and to their ends.
#[tokio::test]
async fn a_long_journal_is_verified_page_by_page() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::areas(&app).await;
        let client = app.client(&["office_clerk@990101"]).await;
        let mut many = String::from("户编号,行政村代码\n");
        (0..2_100).for_each(|i| many += &format!("M{i:04},990101100200\n"));
        client.import(&many, &[]).await;
        app.jobs.run_queued().await.unwrap();
        for _ in 0..1_010 {
            // What a second in which something was written leaves.
            let root = "insert into journal_roots (number, at, county, sequence, head, chain)
                        select number + 1, at, county, sequence, head, chain from journal_roots
                        order by number desc limit 1";
            app.execute(root).await;
        }
        let verify = async |households: bool| {
            let households = households::watched().into_iter().filter(|_| households);
            let watched = households.filter(|watched| watched.kind == "household").collect();
            verify_store(&app.context, None, Depth::Rows, watched).await.unwrap()
        };
        // The roots above are copies: each is found, on whichever page.
        let roots = verify(false).await;
        assert_eq!((roots.bad, roots.sealed), (1_010, 2_100), "{engine:?}");
        let whole = verify(true).await;
        assert_eq!((whole.bad, whole.entries), (1_010, roots.entries), "{engine:?}");
        app.execute("update households set head_name = 'x' where no = 'M2099'").await;
        assert_eq!(verify(true).await.bad, 1_011, "{engine:?}");
        app.execute("update journal set actor = 'x' where county = '990101'").await;
        let altered = verify(false).await;
        assert_eq!(altered.bad, 1_010 + 2_100, "{engine:?}");
        let first = altered.first_bad.unwrap();
        assert_eq!((first.county.as_str(), first.sequence), ("990101", 1));
    }
}

/// Two servers' clocks differ, and records are changed on both before anything is sealed.
#[tokio::test]
async fn a_change_comes_after_the_one_it_was_made_on_whatever_the_clocks_say() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let administrator = app.client(&["system_admin"]).await;
        let (id, version) = seed::household_no(&app, "H002").await;
        let (household, village) = (format!("/households/{id}"), "990101100201");
        let (person, _) = seed::person_in(&app, "990101100200").await;
        let user = json!({ "name": "zhangsan", "display_name": "张三" });
        let user =
            administrator.post("/users", user).send().await.expect(201)["user"]["id"].clone();
        let user = format!("/users/{}", user.as_str().unwrap());
        let change = async |path: &str, body: Value, version: i64| {
            clerk.patch(path, body).if_match(version).send().await.expect(200);
        };
        let named = async |name: &str, version: i64| {
            let body = json!({ "display_name": name });
            administrator.patch(&user, body).if_match(version).send().await.expect(200);
        };
        app.clock.advance_minutes(5);
        change(&format!("/persons/{person}"), json!({ "name": "张四" }), 1).await;
        named("张四", 1).await;
        app.clock.advance_minutes(-5);
        // The member, whose last change is ahead, goes along with the household.
        change(&household, json!({ "village": village }), version).await;
        named("张六", 2).await;
        app.clock.advance_minutes(1);
        change(&household, json!({ "head_name": "张六" }), version + 1).await;
        for _ in ["waiting", "sealed"] {
            // The seed writes areas without a journal.
            let watched = households::watched().into_iter().chain(accounts::watched());
            let watched = watched.filter(|one| one.kind != "area").collect();
            let verdict = verify_store(&app.context, None, Depth::Rows, watched).await.unwrap();
            assert_eq!(verdict.bad, 0, "{engine:?}: {:?}", verdict.first_bad);
            seal_all(&app.context).await.unwrap();
        }
        // What the server ahead wrote is told at once.
        let story = clerk.get(&format!("{household}/journal")).send().await.expect(200);
        let names = story["items"].as_array().unwrap().iter().map(|one| &one["after"]["name"]);
        assert!(names.into_iter().any(|name| name == "张四"), "{engine:?} {story}");
    }
}

#[tokio::test]
async fn a_county_whose_chain_is_held_does_not_keep_others_from_being_sealed() {
    // On SQLite the store has one lock.
    let app = TestApp::new(Engine::Postgres).await;
    seed::registry(&app).await;
    let clerk = app.client(&["office_clerk@990101"]).await;
    seal_all(&app.context).await.unwrap();
    let (home, version) = seed::household_no(&app, "H002").await;
    let change = clerk.patch(&format!("/households/{home}"), json!({ "head_name": "张四" }));
    change.if_match(version).send().await.expect(200);
    // One more entry of no county, which comes first.
    app.client(&["cadre@990101"]).await;
    let lock = "update journal_heads set sequence = sequence where county = '000000'";
    let work = async move |tx: &mut Tx| tx.execute(lock, &[]).await.map(drop);
    let held = hold(&app.context.db, move |tx| async move { work(tx).await }.boxed()).await;
    let begun = Instant::now();
    assert_eq!(seal_all(&app.context).await.unwrap(), 1);
    // Far less than others wait for a lock.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    held.release().await;
    assert!(seal_all(&app.context).await.unwrap() >= 1);
    assert!(app.rows("select 1 from journal_pending").await.is_empty());
}

//! Single households and persons: reading, changing, revealing.

use daohu_app::{
    households,
    journal::{Depth, verify_store},
};
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    seed,
};

async fn app(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    app
}

/// Every row is what its last entry says.
async fn verify(app: &TestApp) {
    // The seed writes areas without a journal.
    let watched = households::watched().into_iter().filter(|watched| watched.kind != "area");
    let verdict = verify_store(&app.context, None, Depth::Rows, watched.collect()).await.unwrap();
    assert!(verdict.ok, "{verdict:?}");
}

#[tokio::test]
async fn a_record_is_read_masked_inside_the_scope_only() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["village_clerk@990101100"]).await;
        let (id, _) = seed::household_no(&app, "H002").await;
        let path = format!("/households/{id}");
        let answer = clerk.get(&path).send().await;
        assert_eq!(answer.header("etag"), "\"v1\"");
        let household = answer.expect(200);
        assert_eq!((&household["id"], &household["no"]), (&json!(id), &json!("H002")));
        assert_eq!(
            (&household["phone"], &household["poverty_kind"]),
            (&json!("138******02"), &json!("02"))
        );
        let persons = clerk.get(&format!("{path}/persons")).send().await.expect(200);
        assert_eq!(persons[0]["household_no"], "H002");
        assert_eq!(persons[0]["id_number"].as_str().unwrap().matches('*').count(), 10);
        let person = &persons[0]["id"];
        let person = clerk.get(&format!("/persons/{person}")).send().await.expect(200);
        assert_eq!(person, persons[0]);
        let incomes = clerk.get(&format!("{path}/incomes")).send().await.expect(200);
        assert_eq!((&incomes[0]["year"], &incomes[0]["wage_fen"]), (&json!(2019), &json!(600_050)));
        let dossier = clerk.get(&format!("{path}/dossier")).send().await.expect(200);
        assert_eq!(dossier["persons"].as_array().unwrap().len(), 2);
        let then = clerk.get(&format!("{path}/dossier?as_of=2020-11-22")).send().await.expect(200);
        assert_eq!(then["household"]["poverty_kind"], "02");
        assert_eq!(then["household"]["phone"], "138******02");
        let before = clerk.get(&format!("{path}/dossier?as_of=2020-11-21")).send().await;
        before.problem(404, "record.not_found");
        clerk
            .get(&format!("{path}/dossier?as_of=x"))
            .send()
            .await
            .field_problem("as_of", "request.bad_day");

        let (sibling, version) = seed::household_in(&app, "990101101200").await;
        let (stranger, _) = seed::person_in(&app, "990101101200").await;
        let path = format!("/households/{sibling}");
        for path in [
            path.clone(),
            format!("{path}/dossier"),
            format!("{path}/persons"),
            format!("{path}/incomes"),
            format!("{path}/journal"),
            format!("/persons/{stranger}"),
            "/households/1".to_owned(),
            "/persons/1".to_owned(),
        ] {
            clerk.get(&path).send().await.problem(404, "record.not_found");
        }
        let call = clerk.patch(&path, json!({ "bank_name": "x" })).if_match(version);
        call.send().await.problem(404, "record.not_found");
        let call = clerk.patch(&format!("/persons/{stranger}"), json!({})).if_match(1);
        call.send().await.problem(404, "record.not_found");
        clerk.get("/households/x").send().await.problem(400, "request.bad_path");
    }
}

#[tokio::test]
async fn a_change_needs_the_version_it_was_made_on_and_is_journaled() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (id, _) = seed::household_no(&app, "H001").await;
        let path = format!("/households/{id}");
        let body = json!({ "head_name": "张四", "main_cause": "因残", "phone": "13711112222",
            "is_unsafe": false, "unsafe_grade": null, "other_causes": ["03", "因灾"],
            "floor_area_m2": 80.5 });
        clerk.patch(&path, body.clone()).send().await.problem(428, "request.if_match_missing");
        let stale = clerk.patch(&path, body.clone()).if_match(7).send().await;
        let stale = stale.problem(412, "record.stale");
        assert!(stale["detail"].as_str().unwrap().contains('1'));
        let answer = clerk.patch(&path, body.clone()).if_match(1).send().await;
        assert_eq!(answer.header("etag"), "\"v2\"");
        let changed = answer.expect(200);
        assert_eq!(
            (&changed["main_cause"], &changed["unsafe_grade"]),
            (&json!("02"), &Value::Null)
        );
        assert_eq!(
            (&changed["other_causes"], &changed["phone"]),
            (&json!(["03", "04"]), &json!("137******22"))
        );
        // The same again changes nothing.
        let answer = clerk.patch(&path, body).if_match(2).send().await;
        assert_eq!((answer.status, answer.header("etag")), (200, "\"v2\""));

        let entries = app.journal("household", &id.to_string()).await;
        assert_eq!(entries.len(), 1);
        let (action, who, entry) = &entries[0];
        assert_eq!(action, "updated");
        assert!(who.ends_with("office_clerk@990101"), "{who}");
        assert_eq!(
            (&entry["before"]["head_name"], &entry["after"]["head_name"]),
            (&json!("张三"), &json!("张四"))
        );
        let story = clerk.get(&format!("{path}/journal?limit=1")).send().await.expect(200);
        let told = &story["items"][0];
        assert_eq!((&told["action"], &told["source"]), (&json!("updated"), &json!("api")));
        assert_eq!(
            (&told["before"]["phone"], &told["after"]["phone"]),
            (&json!("138******01"), &json!("137******22"))
        );
        let rest = format!("{path}/journal?after={}", story["next"].as_str().unwrap());
        let rest = clerk.get(&rest).send().await.expect(200);
        assert_eq!(rest["items"][0]["action"], "created");
        verify(&app).await;
    }
}

#[tokio::test]
async fn every_wrong_column_is_named_in_the_language_asked_for() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (id, version) = seed::household_no(&app, "H001").await;
        let path = format!("/households/{id}");
        let body = json!({ "exit_year": 12, "main_cause": "因并", "no": null, "phone": "138******01",
            "floor_area_m2": "8", "colour": 1 });
        let send = async |lang: &str| {
            let call = clerk.patch(&path, body.clone()).if_match(version);
            let problem = call.header("accept-language", lang).send().await;
            problem.problem(422, "request.invalid")["errors"].clone()
        };
        let (zh, en) = (send("zh").await, send("en").await);
        let codes: Vec<&str> =
            zh.as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
        let columns: Vec<&str> =
            zh.as_array().unwrap().iter().map(|e| e["column"].as_str().unwrap()).collect();
        let mut pairs: Vec<_> = columns.into_iter().zip(codes).collect();
        pairs.sort_unstable();
        assert_eq!(
            pairs,
            [
                ("colour", "request.field_unknown"),
                ("exit_year", "cell.not_a_year"),
                ("floor_area_m2", "request.field_type"),
                ("main_cause", "cell.unknown_value"),
                ("no", "cell.required"),
                ("phone", "cell.masked"),
            ]
        );
        let of = |errors: &Value, column: &str| {
            let mut all = errors.as_array().unwrap().iter();
            all.find(|e| e["column"] == column).cloned().unwrap()
        };
        assert_eq!(of(&zh, "exit_year")["message"], "“脱贫年度”填的是 12，不是年份，请写成 2015");
        assert_eq!(of(&en, "exit_year")["message"], "exit_year: 12 is not a year: write 2015");
        assert_eq!(of(&en, "exit_year")["value"], "12");
        assert!(of(&en, "phone")["value"].is_null());
        assert_eq!(of(&zh, "colour")["message"], "没有这个字段");
        let refused = async |body: Value, column: &str, code: &str| {
            let answer = clerk.patch(&path, body).if_match(version).send().await;
            answer.field_problem(column, code);
        };
        refused(json!({ "no": "H002" }), "no", "household.no_taken").await;
        refused(json!({ "group_code": "无" }), "group_code", "household.unknown_group").await;
        let unknown = "household.unknown_village";
        refused(json!({ "village": "990101100999" }), "village", unknown).await;
        refused(json!({ "village": "980101100200" }), "village", unknown).await;
        let wide = app.client(&["office_clerk@98", "office_clerk@99"]).await;
        let body = json!({ "village": "980101100200" });
        let answer = wide.patch(&path, body).if_match(version).send().await;
        answer.field_problem("village", "household.other_county");
    }
}

#[tokio::test]
async fn who_moves_to_another_village_takes_the_members_along_and_stays_in_the_scope() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["village_clerk@990101100"]).await;
        let (id, version) = seed::household_no(&app, "H002").await;
        let path = format!("/households/{id}");
        let body = json!({ "village": "990101101200" });
        let answer = clerk.patch(&path, body).if_match(version).send().await;
        answer.field_problem("village", "household.unknown_village");
        let body = json!({ "village": "990101100201" });
        clerk.patch(&path, body).if_match(version).send().await.expect(200);
        let persons = clerk.get(&format!("{path}/persons")).send().await.expect(200);
        for person in persons.as_array().unwrap() {
            assert_eq!(
                (&person["village"], &person["version"]),
                (&json!("990101100201"), &json!(2))
            );
        }
        verify(&app).await;
    }
}

async fn change(client: &Client, id: i64, version: i64, body: Value) -> crate::harness::Answer {
    client.patch(&format!("/persons/{id}"), body).if_match(version).send().await
}

#[tokio::test]
async fn a_person_is_changed_under_the_rules_of_the_import() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (wife, _) = seed::person_named(&app, "钱二").await;
        let (head, _) = seed::person_named(&app, "张小五").await;
        let taken = seed::id_number("98010119700101001");
        let free = seed::id_number("99010119730303003");
        let old = seed::id_number("99010119720202002");
        let refused = async |body: Value, column: &str, code: &str| {
            change(&clerk, wife, 1, body).await.field_problem(column, code)
        };
        refused(json!({ "relation": "户主" }), "relation", "person.second_head").await;
        refused(json!({ "id_number": taken }), "id_number", "person.id_taken").await;
        let bad = "990101197303030030";
        let problem = refused(json!({ "id_number": bad }), "id_number", "cell.bad_id_number").await;
        assert!(!problem.to_string().contains(bad));
        refused(json!({ "id_number": null }), "id_number", "cell.required").await;
        let fixed = "person.household_fixed";
        refused(json!({ "household_no": "H001" }), "household_no", fixed).await;
        let missing = clerk.patch(&format!("/persons/{wife}"), json!({})).send().await;
        missing.problem(428, "request.if_match_missing");
        change(&clerk, wife, 9, json!({})).await.problem(412, "record.stale");

        let body = json!({ "id_number": free, "name": "钱三" });
        let changed = change(&clerk, wife, 1, body).await.expect(200);
        assert_eq!((&changed["born_on"], &changed["version"]), (&json!("1973-03-03"), &json!(2)));
        let found = clerk.get(&format!("/search?q={free}")).send().await.expect(200);
        assert_eq!(found["items"][0]["id"], wife);
        // The number that was put right is free for its real holder.
        let found = clerk.get(&format!("/search?q={old}")).send().await.expect(200);
        assert_eq!(found["items"], json!([]));
        change(&clerk, head, 1, json!({ "id_number": old })).await.expect(200);
        // When the head leaves, another may become it, and his number is free to be taken on.
        let left = json!({ "change_kind": "死亡", "change_on": "2020-01-01" });
        let left = change(&clerk, head, 2, left).await.expect(200);
        assert_eq!(left["is_current"], false);
        change(&clerk, wife, 2, json!({ "relation": "01" })).await.expect(200);
        change(&clerk, wife, 3, json!({ "id_number": old })).await.expect(200);
        change(&clerk, head, 3, json!({ "change_kind": null }))
            .await
            .field_problem("relation", "person.second_head");
        assert_eq!(app.journal("person", &wife.to_string()).await.len(), 3);
        verify(&app).await;
    }
}

#[tokio::test]
async fn an_income_is_put_whole() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (id, _) = seed::household_no(&app, "H002").await;
        let path = |year: i64| format!("/households/{id}/incomes/{year}");
        let body = json!({ "wage_fen": 100, "members": 2 });
        let answer = clerk.put(&path(2020), body.clone()).send().await;
        assert_eq!(answer.header("etag"), "\"v1\"");
        answer.expect(201);
        let again = clerk.put(&path(2020), body.clone()).send().await;
        again.problem(428, "request.if_match_missing");
        clerk.put(&path(2020), body.clone()).if_match(3).send().await.problem(412, "record.stale");
        clerk.put(&path(2017), body.clone()).if_match(1).send().await.problem(412, "record.stale");
        let put = clerk.put(&path(2020), json!({ "wage_fen": 200 })).if_match(1).send().await;
        let put = put.expect(200);
        assert_eq!(
            (&put["wage_fen"], &put["members"], &put["version"]),
            (&json!(200), &Value::Null, &json!(2))
        );
        let bad = clerk.put(&path(2021), json!({ "wage_fen": "x", "year": 2021 })).send().await;
        assert_eq!(bad.problem(422, "request.invalid")["errors"].as_array().unwrap().len(), 2);
        clerk.put(&path(1), body).send().await.field_problem("year", "income.bad_year");
        let journal = app.journal("income", &format!("{id}/2020")).await;
        let actions: Vec<&str> = journal.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions, ["created", "updated"]);
        verify(&app).await;
    }
}

#[tokio::test]
async fn full_numbers_leave_by_one_door_for_a_reason_on_record() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (home, _) = seed::household_no(&app, "H002").await;
        let (person, _) = seed::person_named(&app, "钱二").await;
        let reason = json!({ "reason": "核对银行卡发放补贴" });
        let path = format!("/households/{home}/reveal");
        let told = clerk.post(&path, reason.clone()).send().await.expect(200);
        let card = "6222000000000000002";
        assert_eq!((&told["phone"], &told["bank_card"]), (&json!("13800000002"), &json!(card)));
        let entries = app.journal("household_reveal", &home.to_string()).await;
        assert_eq!((entries.len(), entries[0].0.as_str()), (1, "disclosed"));
        assert_eq!(entries[0].2["after"], reason);
        let person_path = format!("/persons/{person}/reveal");
        let told = clerk.post(&person_path, reason.clone());
        let told = told.header("idempotency-key", "once").send().await.expect(200);
        assert_eq!(told["id_number"], seed::id_number("99010119720202002"));
        // Sent again it tells nothing, and writes nothing.
        let again = clerk.post(&person_path, reason.clone());
        let again = again.header("idempotency-key", "once").send().await.expect(200);
        assert_eq!(again["id_number"], Value::Null);
        assert_eq!(app.journal("person_reveal", &person.to_string()).await.len(), 1);
        let story = clerk.get(&format!("/households/{home}/journal")).send().await.expect(200);
        let kinds: Vec<&Value> =
            story["items"].as_array().unwrap().iter().map(|told| &told["kind"]).collect();
        assert!(kinds.contains(&&json!("household_reveal")));
        assert!(kinds.contains(&&json!("person_reveal")));

        for (reason, code) in [(" 核 对 ".to_owned(), "short"), ("核".repeat(501), "long")] {
            let answer = clerk.post(&path, json!({ "reason": reason })).send().await;
            answer.field_problem("reason", &format!("reveal.reason_too_{code}"));
        }
        clerk.post(&path, json!({})).send().await.field_problem("reason", "request.field_missing");
        let reader = app.client(&["cadre@990101"]).await;
        reader.post(&path, reason.clone()).send().await.problem(403, "auth.forbidden");
        let other = app.client(&["office_clerk@980101"]).await;
        other.post(&path, reason.clone()).send().await.problem(404, "record.not_found");
        other.post(&person_path, reason.clone()).send().await.problem(404, "record.not_found");
        assert_eq!(app.journal("household_reveal", &home.to_string()).await.len(), 1);

        let curious = app.client(&["office_clerk@990101"]).await;
        for _ in 0..app.context.policy.security().reveals_per_minute {
            curious.post(&path, reason.clone()).send().await.expect(200);
        }
        curious.post(&path, reason).send().await.problem(429, "request.rate_limited");
        verify(&app).await;
    }
}

#[tokio::test]
async fn an_import_comes_in_the_journal_after_what_waits_to_be_sealed() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let (id, version) = seed::household_no(&app, "H005").await;
        let path = format!("/households/{id}");
        let change = office.patch(&path, json!({ "head_name": "张三丰" })).if_match(version);
        change.send().await.expect(200);
        let folder = tempfile::tempdir().unwrap();
        let text = "户编号,行政村代码,户主姓名\nH005,990101101200,张四\n";
        std::fs::write(folder.path().join("households.csv"), text).unwrap();
        let imported = app.import(&[folder.path().to_owned()], crate::exchange::options()).await;
        assert!(imported.committed);
        assert!(app.journal("household", &id.to_string()).await.is_empty(), "{engine:?}");
        verify(&app).await;
        let read = office.get(&format!("{path}/journal")).send().await.expect(200);
        let sources: Vec<&str> = read["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["source"].as_str().unwrap())
            .collect();
        assert_eq!(
            sources,
            ["import test", "api", "import test", "import test"],
            "{engine:?} {read}"
        );
    }
}

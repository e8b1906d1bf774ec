//! Writing single records of registers: as an import of the same row does, and refused where that is.

use daohu_app::{
    journal::{Depth, verify_store},
    registers,
};
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    area_changes,
    exchange::options,
    harness::{Client, TestApp},
    jobs::COUNTY,
    seed,
};

async fn start(engine: Engine) -> (TestApp, Client) {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    seed::helpers(&app).await;
    let office = app.client(COUNTY).await;
    (app, office)
}

async fn import(app: &TestApp, name: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    assert!(summary.committed, "{summary:?}");
}

async fn intact(app: &TestApp) {
    let watched = registers::watched();
    let verdict = verify_store(&app.context, None, Depth::Rows, watched).await.unwrap();
    assert!(verdict.ok, "{verdict:?}");
}

/// What the journal says of a record, without who and when.
async fn story(app: &TestApp, kind: &str, record: &str) -> Vec<[Value; 3]> {
    let inspector = app.client(&["inspector@990101"]).await;
    let path = format!("/journal?county=990101&kind={kind}&record={record}");
    let list = inspector.json(&path).await;
    let lines = list["items"].as_array().unwrap().iter();
    lines.map(|line| ["action", "before", "after"].map(|name| line[name].clone())).collect()
}

fn pairing(subject: &str, object_kind: &str, object: &str) -> Value {
    json!({ "subject_kind": "干部", "subject": subject, "object_kind": object_kind,
        "object": object, "starts_on": "2018-05-01" })
}

/// The path of a record that was made.
fn at(location: &str) -> String {
    location.strip_prefix("/api/v1").unwrap().to_owned()
}

#[tokio::test]
async fn what_is_written_here_is_what_an_import_of_the_same_rows_writes() {
    for engine in Engine::BOTH {
        let ((asked, office), (imported, _)) = (start(engine).await, start(engine).await);
        // A pairing with a household, and one with a township, whose code may be padded.
        let mut paths = Vec::new();
        for (kind, object) in [("户", "H003"), ("乡", "990101100000")] {
            let made = office.post("/pairings", pairing("C2", kind, object)).send().await;
            paths.push(at(made.header("location")));
            made.expect(201);
        }
        let end = json!({ "ends_on": "2019-12-31", "end_reason": "期满" });
        office.patch(&paths[0], end).if_match(1).send().await.expect(200);
        let cadre = json!({ "no": "C9", "name": "新干部", "roles": ["帮扶干部", "农技员"],
            "organisation": "U1", "phone": "199 0000 0009", "area": "990101100" });
        office.post("/cadres", cadre).send().await.expect(201);
        let change = json!({ "post": "组长", "phone": "19900000010" });
        office.patch("/cadres/C9", change).if_match(1).send().await.expect(200);
        let village = json!({ "households": 210, "collective_income_fen": 1_250_050,
            "has_clinic": true, "main_causes": ["缺技术", "缺资金"] });
        office.put("/villages/990101100201/2016", village).send().await.expect(201);

        let header = "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期,结束原因\n";
        let rows = "干部,C2,户,H003,2018-05-01,,\n干部,C2,乡,990101100000,2018-05-01,,\n";
        import(&imported, "pairings.csv", &format!("{header}{rows}")).await;
        let rows = "干部,C2,户,H003,2018-05-01,2019-12-31,期满\n";
        import(&imported, "pairings.csv", &format!("{header}{rows}")).await;
        let header = "工号,姓名,角色,单位编号,职务,联系电话,所在区划代码\n";
        let row = "C9,新干部,帮扶干部、农技员,U1,,199 0000 0009,990101100\n";
        import(&imported, "cadres.csv", &format!("{header}{row}")).await;
        let row = "C9,新干部,帮扶干部、农技员,U1,组长,19900000010,990101100\n";
        import(&imported, "cadres.csv", &format!("{header}{row}")).await;
        let header = "行政村代码,年度,户数,集体经济收入,有无卫生室,主要致贫原因\n";
        let row = "990101100201,2016,210,12500.50,有,缺技术、缺资金\n";
        import(&imported, "villages.csv", &format!("{header}{row}")).await;

        let kind = |path: &str| path.split('/').nth(3).unwrap().parse::<u8>().unwrap();
        let key = |path: &str| {
            let parts: Vec<&str> = path.split('/').skip(4).collect();
            format!(
                "{}/{}/{}/{}/{}",
                kind(path),
                parts[0],
                parts[1].parse::<u8>().unwrap(),
                parts[2],
                parts[3]
            )
        };
        for (kind, record, entries) in [
            ("pairing", key(&paths[0]), 2),
            ("pairing", key(&paths[1]), 1),
            ("cadre", "C9".to_owned(), 2),
            ("village", "990101100201/2016".to_owned(), 1),
        ] {
            let found = story(&asked, kind, &record).await;
            assert_eq!(found.len(), entries, "{kind} {record}");
            assert_eq!(found, story(&imported, kind, &record).await, "{engine:?} {kind} {record}");
        }
        // And an import of the same rows has nothing to do.
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{header}{row}");
        std::fs::write(folder.path().join("villages.csv"), text).unwrap();
        let again = asked.import(&[folder.path().to_owned()], options()).await;
        assert_eq!(again.sheets["villages"].unchanged, 1);
        intact(&asked).await;
    }
}

#[tokio::test]
async fn a_pairing_is_begun_read_and_ended_by_whoever_has_its_object() {
    for engine in Engine::BOTH {
        let (app, office) = start(engine).await;
        let (home, _) = seed::household_no(&app, "H002").await;
        let again =
            || office.post("/pairings", pairing("C4", "户", "H002")).header("idempotency-key", "p");
        let made = again().send().await;
        assert_eq!(made.header("etag"), "\"v1\"");
        let path = at(made.header("location"));
        let made = made.expect(201);
        assert_eq!((&made["household"], &made["object"]), (&json!(home), &json!("H002")));
        // The same request again is the same pairing; another one like it is one too many.
        assert_eq!(again().send().await.expect(201), made);
        let twice = office.post("/pairings", pairing("C4", "户", "H002")).send().await;
        twice.problem(409, "register.exists");
        assert_eq!(office.get(&path).send().await.expect(200), made);
        let village = app.client(&["village_clerk@990101101"]).await;
        village.get(&path).send().await.problem(404, "record.not_found");
        let end = json!({ "ends_on": "2019-01-01", "end_reason": "调离" });
        let ask = |client: &Client, body: Value| client.patch(&path, body).if_match(1);
        ask(&village, end.clone()).send().await.problem(404, "record.not_found");
        let reader = app.client(&["leader@990101"]).await;
        ask(&reader, end.clone()).send().await.problem(403, "auth.forbidden");
        let early = json!({ "ends_on": "2018-01-01" });
        ask(&office, early).send().await.field_problem("ends_on", "cell.before_start");
        let odd = json!({ "end_reason": "不想干" });
        ask(&office, odd).send().await.field_problem("end_reason", "cell.unknown_value");
        let other = json!({ "subject": "C1" });
        ask(&office, other).send().await.field_problem("subject", "request.field_unknown");
        office.patch(&path, end.clone()).send().await.problem(428, "request.if_match_missing");
        let ended = ask(&office, end.clone()).send().await.expect(200);
        assert_eq!((&ended["ends_on"], &ended["version"]), (&json!("2019-01-01"), &json!(2)));
        ask(&office, end).send().await.problem(412, "record.stale");
        // The household's own story tells of it.
        let told = office.json(&format!("/households/{home}/journal")).await;
        let told = &told["items"][0];
        assert_eq!((&told["kind"], &told["action"]), (&json!("pairing"), &json!("updated")));
        intact(&app).await;
    }
}

#[tokio::test]
async fn what_an_import_refuses_is_refused_here_with_its_code() {
    for engine in Engine::BOTH {
        let (app, office) = start(engine).await;
        for (body, column, code) in [
            (pairing("C7", "户", "H002"), "subject", "quality.R03"),
            (pairing("C1", "户", "H777"), "object", "quality.R03"),
            (pairing("C1", "村", "990101100"), "object", "cell.not_an_area"),
            (pairing("C1", "村", "990101100299"), "object", "quality.R03"),
            (pairing("C1", "村", "980101100200"), "object", "quality.R03"),
            (json!({ "subject_kind": "干部" }), "subject", "cell.required"),
        ] {
            office.post("/pairings", body).send().await.field_problem(column, code);
        }
        for (more, column, code) in [
            (json!({ "organisation": "U99" }), "organisation", "quality.R03"),
            (json!({ "area": "980101" }), "area", "quality.R03"),
            (json!({ "area": null }), "area", "row.area_wanted"),
            (json!({ "phone": "199****0001" }), "phone", "cell.masked"),
            (json!({ "wish": "x" }), "wish", "request.field_unknown"),
            // A cadre elsewhere is not told of.
            (json!({ "no": "C4" }), "no", "quality.R03"),
        ] {
            let mut body =
                json!({ "no": "C20", "name": "甲", "roles": ["帮扶干部"], "area": "990101" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            office.post("/cadres", body).send().await.field_problem(column, code);
        }
        let there = json!({ "no": "C1", "name": "甲", "roles": ["帮扶干部"], "area": "990101" });
        office.post("/cadres", there).send().await.problem(409, "register.exists");
        let body = json!({ "post": "x" });
        office.patch("/cadres/C4", body).if_match(1).send().await.problem(404, "record.not_found");
        let away = json!({ "area": "980101" });
        let away = office.patch("/cadres/C1", away).if_match(1).send().await;
        away.field_problem("area", "quality.R03");
        let nameless = office.patch("/cadres/C1", json!({ "name": null })).if_match(1).send().await;
        nameless.field_problem("name", "cell.required");
        assert_eq!(app.count_rows("cadres").await, 4);
        assert_eq!(app.count_rows("pairings").await, 8);

        let put = |path: &str| office.put(path, json!({ "households": 1 }));
        put("/villages/980101100200/2016").send().await.problem(404, "record.not_found");
        put("/villages/990101100200/x").send().await.problem(404, "record.not_found");
        let unknown = put("/villages/990101100299/2016").send().await;
        unknown.field_problem("village", "quality.R03");
        let there = put("/villages/990101100200/2015");
        there.send().await.problem(428, "request.if_match_missing");
        let read = office.get("/villages/990101100200/2015").send().await;
        assert_eq!(read.header("etag"), "\"v1\"");
        let kept = put("/villages/990101100200/2015").if_match(1).send().await.expect(200);
        // What a put does not name is not known.
        assert_eq!((&kept["households"], &kept["main_industry"]), (&json!(1), &Value::Null));
        intact(&app).await;
    }
}

/// Two offices begin the same pairing, or register the same cadre, at once: one of them does.
#[tokio::test]
async fn of_two_at_once_one_record_is_made() {
    for engine in Engine::BOTH {
        let (app, one) = start(engine).await;
        let other = app.client(COUNTY).await;
        let cadre = json!({ "no": "C30", "name": "甲", "roles": ["帮扶干部"], "area": "990101" });
        for (path, body) in [
            ("/cadres", cadre),
            ("/pairings", pairing("C1", "户", "H002")),
            ("/pairings", pairing("C1", "村", "990101100200")),
        ] {
            let (a, b) =
                tokio::join!(one.post(path, body.clone()).send(), other.post(path, body).send());
            let mut statuses = [a.status, b.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409], "{engine:?} {path}");
        }
        intact(&app).await;
    }
}

#[tokio::test]
async fn a_cadres_number_is_revealed_for_a_reason_that_the_journal_has() {
    for engine in Engine::BOTH {
        let (app, office) = start(engine).await;
        assert_ne!(office.json("/cadres/C1").await["phone"], "19900000001");
        let reason = json!({ "reason": "通知参加入户核查" });
        let ask = |client: &Client, no: &str| {
            client.post(&format!("/cadres/{no}/reveal"), reason.clone())
        };
        let told = ask(&office, "C1").header("idempotency-key", "r").send().await.expect(200);
        assert_eq!(told, json!({ "no": "C1", "phone": "19900000001" }));
        // Told once.
        let told = ask(&office, "C1").header("idempotency-key", "r").send().await.expect(200);
        assert_eq!(told["phone"], Value::Null);
        let short = office.post("/cadres/C1/reveal", json!({ "reason": "看" })).send().await;
        short.field_problem("reason", "reveal.reason_too_short");
        ask(&office, "C4").send().await.problem(404, "record.not_found");
        ask(&office, "C77").send().await.problem(404, "record.not_found");
        let leader = app.client(&["leader@990101"]).await;
        ask(&leader, "C1").send().await.problem(403, "auth.forbidden");

        let entries = app.journal("cadre_reveal", "C1").await;
        assert_eq!(entries.len(), 1);
        let (action, _, body) = &entries[0];
        assert_eq!((action.as_str(), &body["after"]), ("disclosed", &reason));
        // Beside the record's other entries, for whoever reads the journal of its area.
        ask(&office, "C3").send().await.expect(200);
        let inspector = app.client(&["inspector@990101100"]).await;
        let list = inspector.json("/journal?county=990101&record=C3").await;
        let kinds: Vec<&Value> =
            list["items"].as_array().unwrap().iter().map(|line| &line["kind"]).collect();
        assert_eq!(kinds, ["cadre_reveal", "cadre"]);
        assert_eq!(list["items"][0]["after"], reason);
    }
}

#[tokio::test]
async fn what_is_told_of_an_area_after_its_last_day_is_refused_here_too() {
    for engine in Engine::BOTH {
        let app = area_changes::start(engine).await;
        let merge = area_changes::line("990101101200", "990101101201", "");
        area_changes::carry_out(&app, vec![merge]).await;
        let office = app.client(COUNTY).await;
        let begun = json!({ "subject_kind": "单位", "subject": "D1", "object_kind": "村",
            "object": "990101101200", "starts_on": "2020-11-23" });
        let refused = office.post("/pairings", begun).send().await;
        let problem = refused.field_problem("object", "area.ended");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("990101101201"), "{engine:?} {message}");
        let cadre = json!({ "no": "C20", "name": "甲", "roles": ["帮扶干部"],
            "area": "990101101200" });
        office.post("/cadres", cadre).send().await.field_problem("area", "area.ended");
        let put = |year: i64| {
            office.put(&format!("/villages/990101101200/{year}"), json!({ "households": 1 }))
        };
        put(2021).send().await.field_problem("village", "area.ended");
        put(2020).send().await.expect(201);
        // Who helped there cannot go on to.
        let list = office.json("/pairings?object=990101101200&subject=D1").await;
        let kinds = ["subject_kind", "object_kind"].map(|name| list["items"][0][name].clone());
        let [subject, object] = kinds.map(|kind| kind.as_str().unwrap().to_owned());
        let path = format!("/pairings/990101/{subject}/D1/{object}/990101101200/2019-01-01");
        let open = office.patch(&path, json!({ "ends_on": null })).if_match(2).send().await;
        open.field_problem("ends_on", "area.ended");
        let earlier = json!({ "ends_on": "2020-06-30" });
        office.patch(&path, earlier).if_match(2).send().await.expect(200);
        intact(&app).await;
    }
}

#[tokio::test]
async fn every_register_is_written_as_an_import_of_the_same_rows_writes_it() {
    for engine in Engine::BOTH {
        let ((asked, office), (imported, _)) = (start(engine).await, start(engine).await);
        let unit = json!({ "no": "U9", "name": "南乙乡政府", "level": "乡", "area": "990101101" });
        office.post("/organisations", unit).send().await.expect(201);
        let change = json!({ "name": "南乙乡人民政府" });
        office.patch("/organisations/U9", change).if_match(1).send().await.expect(200);
        let member = json!({ "no": "T9", "village": "990101100201", "cadre": "C3",
            "starts_on": "2018-01-01" });
        let made = office.post("/teams", member).send().await;
        let path = at(made.header("location"));
        made.expect(201);
        assert_eq!(path, "/teams/990101/T9/C3/2018-01-01");
        let end = json!({ "ends_on": "2018-12-31", "end_reason": "期满", "is_leader": true });
        office.patch(&path, end).if_match(1).send().await.expect(200);
        office.put("/targets/990101100/2016/01", json!({ "target": 5 })).send().await.expect(201);
        let target = office.put("/targets/990101100/2016/01", json!({ "target": 6 })).if_match(1);
        target.send().await.expect(200);
        let figure = json!({ "figure": 1.5, "unit": "元/亩" });
        let path = "/indicators/990101/2016Q1-2/%E4%BA%A9%E4%BA%A7%2F%E5%85%83";
        office.put(path, figure).send().await.expect(201);

        let header = "单位编号,名称,单位级别,所在区划代码\n";
        for name in ["南乙乡政府", "南乙乡人民政府"] {
            let text = format!("{header}U9,{name},乡,990101101\n");
            import(&imported, "organisations.csv", &text).await;
        }
        let header = "队编号,行政村代码,工号,是否队长,开始日期,结束日期,结束原因\n";
        for row in
            ["T9,990101100201,C3,,2018-01-01,,", "T9,990101100201,C3,是,2018-01-01,2018-12-31,期满"]
        {
            import(&imported, "teams.csv", &format!("{header}{row}\n")).await;
        }
        let name = asked.context.policy.list("计划指标").unwrap().name_of(1).unwrap().to_owned();
        for target in [5, 6] {
            let text = format!("区划代码,年度,指标,目标值\n990101100,2016,{name},{target}\n");
            import(&imported, "targets.csv", &text).await;
        }
        let text = "区划代码,期间,指标,数值,计量单位\n990101,2016Q1-2,亩产/元,1.5,元/亩\n";
        import(&imported, "indicators.csv", text).await;

        for (kind, record, entries) in [
            ("organisation", "U9", 2),
            ("team_member", "T9/C3/2018-01-01", 2),
            ("target", "990101100/2016/1", 2),
            ("indicator", "990101/2016Q1-2/亩产%2F元", 1),
        ] {
            let found = story(&asked, kind, record).await;
            assert_eq!(found.len(), entries, "{kind} {record}");
            assert_eq!(found, story(&imported, kind, record).await, "{engine:?} {kind} {record}");
        }
        intact(&asked).await;
    }
}

#[tokio::test]
async fn registers_are_written_by_whoever_has_the_area_and_as_their_sheets_say() {
    for engine in Engine::BOTH {
        let (app, office) = start(engine).await;
        let township = app.client(&["village_clerk@990101101"]).await;
        let read = township.get("/teams/990101/T1/C2/2015-03-01").send().await;
        read.problem(404, "record.not_found");
        let member = |village: &str, cadre: &str| json!({ "no": "T1", "village": village, "cadre": cadre, "starts_on": "2019-01-01" });
        let away = township.post("/teams", member("990101100200", "C2")).send().await;
        away.field_problem("village", "quality.R03");
        let nobody = office.post("/teams", member("990101100200", "C77")).send().await;
        nobody.field_problem("cadre", "quality.R03");
        office.post("/teams", member("990101100200", "C2")).send().await.expect(201);
        let twice = office.post("/teams", member("990101100200", "C2")).send().await;
        twice.problem(409, "register.exists");
        // A team helps villages of its own county.
        let city = app.client(&["office_clerk@99", "office_clerk@98"]).await;
        let path = "/teams/990101/T1/C2/2019-01-01";
        let away = city.patch(path, json!({ "village": "980101100200" })).if_match(1).send().await;
        away.field_problem("village", "quality.R03");
        office
            .patch(path, json!({ "village": "990101100201" }))
            .if_match(1)
            .send()
            .await
            .expect(200);

        let target =
            |area: &str, body: Value| office.put(&format!("/targets/{area}/2016/01"), body);
        let empty = target("990101100", json!({})).send().await;
        empty.field_problem("target", "cell.required");
        let odd = target("990101100", json!({ "target": -1 })).send().await;
        odd.field_problem("target", "cell.out_of_range");
        target("980101", json!({ "target": 1 })).send().await.problem(404, "record.not_found");
        target("990101199", json!({ "target": 1 }))
            .send()
            .await
            .field_problem("area", "quality.R03");
        target("990101100", json!({ "target": 1 })).send().await.expect(201);
        let again = target("990101100", json!({ "target": 1 })).send().await;
        again.problem(428, "request.if_match_missing");
        let read = office.get("/targets/990101100/2016/01").send().await;
        assert_eq!(read.header("etag"), "\"v1\"");
        let period = office.put("/indicators/990101/2016Q5/x", json!({ "figure": 1 })).send().await;
        period.problem(404, "record.not_found");
        let unit = json!({ "no": "U1", "name": "x", "level": "县", "area": "990101" });
        office.post("/organisations", unit).send().await.problem(409, "register.exists");
        intact(&app).await;
    }
}

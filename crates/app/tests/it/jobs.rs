//! Imports over HTTP: uploads, dry runs, refusals, and who sees what of them.

use std::{os::unix::fs::PermissionsExt, path::Path};

use calamine::Reader;
use daohu_app::accounts;
use daohu_db::Engine;
use daohu_policy::Policy;
use serde_json::{Value, json};

use crate::{
    harness::{self, Answer, Call, Client, TestApp},
    seed,
};

/// Two households of different townships; the county's office may import both.
pub const TWO: &str =
    "户编号,行政村代码,户主姓名,备忘\nN001,990101100200,甲,x\nN002,990101101200,乙,\n";
/// One good row, one of a village that does not exist.
const ONE_BAD: &str = "户编号,行政村代码,户主姓名\nN001,990101100200,甲\nN002,990101999999,乙\n";
pub const COUNTY: &[&str] = &["office_clerk@990101"];

impl Client {
    /// An upload of these files with these fields.
    pub fn upload(&self, files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> Call {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
        }
        for (name, bytes) in files {
            let head = "--b\r\ncontent-disposition: form-data; name=\"files\"; filename=";
            body.extend_from_slice(format!("{head}\"{name}\"\r\n\r\n").as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--\r\n");
        self.call(axum::http::Method::POST, "/imports")
            .header("content-type", "multipart/form-data; boundary=b")
            .header("content-length", &body.len().to_string())
            .body(body)
    }

    /// The path of an import of one file that was taken in.
    pub async fn import(&self, text: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.upload(&[("households.csv", text.as_bytes())], fields).send().await;
        let location = answer.header("location").to_owned();
        let job = answer.expect(202);
        assert_eq!(location, format!("/api/v1/imports/{}", job["id"].as_str().unwrap()));
        assert_eq!(job["state"], "queued");
        location.strip_prefix("/api/v1").unwrap().to_owned()
    }

    pub async fn json(&self, path: &str) -> Value {
        self.get(path).send().await.expect(200)
    }
}

pub async fn county(engine: Engine) -> (TestApp, Client) {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    let client = app.client(COUNTY).await;
    (app, client)
}

async fn numbers(client: &Client, no: &str) -> usize {
    client.json(&format!("/households?no={no}")).await["items"].as_array().unwrap().len()
}

/// The cells of the first sheet of a workbook.
pub fn cells(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let mut book = calamine::Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

/// Everything below a folder is for its owner only.
fn check_private(path: &Path) {
    let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| check_private(&entry.unwrap().path()));
    }
}

#[tokio::test]
async fn an_upload_is_stored_and_told_row_by_row() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let path = client.import(TWO, &[]).await;
        check_private(&app.files);
        let waiting = client.json(&path).await;
        assert_eq!((&waiting["rows_done"], &waiting["rows_total"]), (&json!(0), &Value::Null));
        assert_eq!(waiting["files"], json!([{ "name": "households.csv", "bytes": TWO.len() }]));
        client.get(&format!("{path}/report")).send().await.problem(409, "job.not_ended");

        app.jobs.run_queued().await.unwrap();
        let job = client.json(&path).await;
        assert_eq!(job["state"], "done", "{job}");
        assert_eq!((&job["rows_done"], &job["rows_total"]), (&json!(2), &json!(2)));
        let summary = &job["summary"];
        assert_eq!(summary["committed"], true);
        let counts = &summary["sheets"]["households"];
        assert_eq!((&counts["rows"], &counts["created"]), (&json!(2), &json!(2)));
        assert_eq!(summary["unknown_columns"], json!({ "households.csv": ["备忘"] }));
        assert_eq!(numbers(&client, "N001").await + numbers(&client, "N002").await, 2);
        check_private(&app.files);

        // Who did it, under which authority; and no name of a file.
        let id = path.rsplit('/').next().unwrap();
        let (action, by, body) = &app.journal("import_job", id).await[0];
        let user = client.user.clone().unwrap().name;
        assert_eq!((action.as_str(), by), ("created", &format!("{user} office_clerk@990101")));
        assert_eq!(
            (&body["after"]["files"], &body["after"]["dry_run"]),
            (&json!(1), &json!(false))
        );
        assert!(!body.to_string().contains("households.csv"));
        let source = format!("import {id}");
        let stored = app.rows("select source, actor from journal").await;
        let ours = stored.iter().filter(|row| row.text(0).unwrap() == source);
        assert_eq!(ours.filter(|row| row.text(1).unwrap() == user).count(), 2);
        let rows = app.rows("select request, result from jobs").await;
        for i in [0, 1] {
            let text = String::from_utf8_lossy(rows[0].blob(i).unwrap()).into_owned();
            assert!(!text.contains("households"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_is_looked_at_and_then_done() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let path = client.import(TWO, &[("dry_run", "true")]).await;
        let retry = || client.call(axum::http::Method::POST, &format!("{path}/retry")).send();
        retry().await.problem(409, "job.not_ended");
        app.jobs.run_queued().await.unwrap();
        let job = client.json(&path).await;
        assert_eq!((&job["state"], &job["dry_run"]), (&json!("done"), &json!(true)));
        assert_eq!(job["summary"]["committed"], false);
        assert_eq!(job["summary"]["sheets"]["households"]["created"], 2);
        assert_eq!(numbers(&client, "N001").await, 0);

        let job = retry().await.expect(202);
        assert_eq!((&job["state"], &job["dry_run"]), (&json!("queued"), &json!(false)));
        assert!(job.get("summary").is_none());
        app.jobs.run_queued().await.unwrap();
        assert_eq!(client.json(&path).await["summary"]["committed"], true);
        assert_eq!(numbers(&client, "N001").await, 1);
        retry().await.problem(409, "job.stored");
        let cancel = client.post(&format!("{path}/cancel"), json!({})).send().await;
        cancel.problem(409, "job.ended");
    }
}

#[tokio::test]
async fn refused_rows_are_in_the_report_and_the_good_ones_can_still_go_in() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let path = client.import(ONE_BAD, &[("on_error", "abort")]).await;
        app.jobs.run_queued().await.unwrap();
        let job = client.json(&path).await;
        assert_eq!((&job["state"], &job["has_report"]), (&json!("refused"), &json!(true)));
        assert_eq!(job["problem"]["code"], "exchange.rows_rejected");
        assert_eq!(job["summary"]["sheets"]["households"]["rejected"], 1);
        let problem = &job["summary"]["problems"][0];
        assert_eq!((&problem["row"], &problem["outcome"]), (&json!(3), &json!("rejected")));
        assert_eq!(numbers(&client, "N001").await, 0);
        // In a list the rows would be too much.
        let line = &client.json("/imports").await["items"][0];
        assert_eq!(line["summary"]["problems"], json!([]));

        let report = client.get(&format!("{path}/report")).send().await;
        assert_eq!(report.status, 200);
        assert!(report.header("content-disposition").contains("; filename*=UTF-8''"));
        assert_eq!(report.header("content-length"), report.bytes.len().to_string());
        let rows = cells(report.bytes);
        let at = rows[0].iter().position(|cell| cell == "结果").unwrap();
        assert_eq!([&rows[1][at], &rows[2][at]], ["新增", "拒绝"]);
        assert!(!rows[2][at + 1].is_empty());

        let body = json!({ "on_error": "reject-row" });
        client.post(&format!("{path}/retry"), body).send().await.expect(202);
        app.jobs.run_queued().await.unwrap();
        assert_eq!(client.json(&path).await["state"], "done");
        assert_eq!(numbers(&client, "N001").await, 1);
    }
}

#[tokio::test]
async fn to_all_but_its_maker_a_job_does_not_exist() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let path = client.import(ONE_BAD, &[]).await;
        app.jobs.run_queued().await.unwrap();
        // The same office in the same county.
        let other = app.client(COUNTY).await;
        for call in [
            other.get(&path),
            other.get(&format!("{path}/report")),
            other.post(&format!("{path}/cancel"), json!({})),
            other.post(&format!("{path}/retry"), json!({})),
            other.get("/imports/none"),
            // An import is no export.
            client.get(&path.replace("imports", "exports")),
        ] {
            call.send().await.problem(404, "record.not_found");
        }
        assert_eq!(other.json("/imports").await["items"], json!([]));
        assert_eq!(client.json("/imports").await["items"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn rows_of_another_township_are_refused() {
    for engine in Engine::BOTH {
        let (app, office) = county(engine).await;
        // Importing here, reading everywhere: the two do not combine.
        let clerk = app.client(&["village_clerk@990101100", "leader@990101"]).await;
        let path = clerk.import(TWO, &[("on_error", "reject-row")]).await;
        app.jobs.run_queued().await.unwrap();
        let job = clerk.json(&path).await;
        let counts = &job["summary"]["sheets"]["households"];
        assert_eq!((&counts["created"], &counts["rejected"]), (&json!(1), &json!(1)), "{job}");
        assert_eq!(job["summary"]["problems"][0]["row"], 3);
        assert_eq!((numbers(&office, "N001").await, numbers(&office, "N002").await), (1, 0));
    }
}

#[tokio::test]
async fn nothing_is_fetched_from_another_township() {
    for engine in Engine::BOTH {
        let (app, office) = county(engine).await;
        let clerk = app.client(&["village_clerk@990101101"]).await;
        let taking = "户编号,行政村代码,户主姓名\nH002,990101101200,乙\n";
        let path = clerk.import(taking, &[("on_error", "reject-row")]).await;
        app.jobs.run_queued().await.unwrap();
        let job = clerk.json(&path).await;
        assert_eq!(job["summary"]["sheets"]["households"]["rejected"], 1, "{job}");
        let home = office.json("/households?no=H002").await["items"][0].clone();
        assert_eq!(home["village"], "990101100200", "{home}");
        assert_eq!(home["head_name"], "张小五");
        // She left a household of the other township, and joins one here.
        let number = seed::id_number("99010119720202002");
        let head = "户编号,姓名,证件类型,证件号码,与户主关系,变动类型,变动日期\n";
        let left = format!("{head}H002,钱二,居民身份证,{number},配偶,迁出,2020-01-01\n");
        let joined = format!("{head}H005,钱二,居民身份证,{number},配偶,婚入,2020-01-02\n");
        for (client, text) in [(&office, left), (&clerk, joined)] {
            let answer = client.upload(&[("persons.csv", text.as_bytes())], &[]).send().await;
            answer.expect(202);
            app.jobs.run_queued().await.unwrap();
        }
        let rows = app.rows("select village, sealed from persons where name = '钱二' order by id");
        let rows = rows.await;
        let villages: Vec<&str> = rows.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(villages, ["990101100200", "990101101200"], "{engine:?}");
        let here = clerk.json("/search?q=钱二").await;
        assert_eq!(here["items"].as_array().unwrap().len(), 1, "{here}");
    }
}

#[tokio::test]
async fn a_run_that_was_given_up_stores_nothing() {
    for engine in Engine::BOTH {
        let (app, office) = county(engine).await;
        let path = office.import(TWO, &[]).await;
        let job = path.strip_prefix("/imports/").unwrap().to_owned();
        app.execute("update jobs set state = 'interrupted', server = 'another'").await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("households.csv"), TWO).unwrap();
        let run = Some(daohu_app::jobs::Run { job, server: "this one".to_owned() });
        let ticket = daohu_app::jobs::Ticket { run, ..Default::default() };
        let (paths, options) = (vec![folder.path().to_owned()], crate::exchange::options());
        let import = daohu_app::exchange::import::import;
        let done = import(&app.context, app.act(), paths, options, ticket).await;
        assert!(matches!(done, Err(daohu_app::Error::Cancelled)), "{done:?}");
        assert_eq!((numbers(&office, "N001").await, numbers(&office, "N002").await), (0, 0));
    }
}

#[tokio::test]
async fn a_job_runs_with_the_rights_of_the_day_it_begins() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let office = app.client(COUNTY).await;
        let revoked = app.user(&["office_clerk@990101", "leader@990101"]).await;
        let moved = app.user(&["office_clerk@990101"]).await;
        let locked = app.user(COUNTY).await;
        let mut paths = Vec::new();
        for user in [&revoked, &moved, &locked] {
            paths.push(app.signed_in(user).await.import(TWO, &[("on_error", "reject-row")]).await);
        }
        for user in [&revoked, &moved] {
            let grants = accounts::grants_of(&app.context, &user.id).await.unwrap();
            let grant = grants.iter().find(|grant| grant.role == "office_clerk").unwrap();
            let ended = accounts::end_grant(&app.context, app.act(), &user.id, &grant.id).await;
            ended.unwrap();
        }
        let elsewhere = accounts::NewGrant {
            role: "village_clerk".to_owned(),
            area: Some(daohu_base::AreaCode::parse("990101101").unwrap()),
            starts_on: None,
            ends_on: None,
        };
        accounts::add_grant(&app.context, app.act(), &moved.id, elsewhere).await.unwrap();
        app.execute("update users set is_locked = 1 where name = 'user-3'").await;
        assert_eq!(locked.name, "user-3");
        app.jobs.run_queued().await.unwrap();

        // Only what the one who was moved may still import went in.
        assert_eq!((numbers(&office, "N001").await, numbers(&office, "N002").await), (0, 1));
        let client = app.signed_in(&moved).await;
        assert_eq!(client.json(&paths[1]).await["state"], "done");
        app.execute("update users set is_locked = 0").await;
        let give = |role: &str| accounts::NewGrant {
            role: role.to_owned(),
            area: Some(daohu_base::AreaCode::parse("990101").unwrap()),
            starts_on: None,
            ends_on: None,
        };
        let given = give("village_clerk");
        accounts::add_grant(&app.context, app.act(), &revoked.id, given).await.unwrap();
        for (user, path) in [(&revoked, &paths[0]), (&locked, &paths[2])] {
            let client = app.signed_in(user).await;
            let job = client.get(path).header("accept-language", "en").send().await.expect(200);
            assert_eq!((&job["state"], &job["rows_done"]), (&json!("refused"), &json!(0)));
            assert_eq!(job["problem"]["code"], "job.right_lost");
            assert!(job["problem"]["title"].as_str().unwrap().starts_with("When the job"));
        }
    }
}

#[tokio::test]
async fn a_file_cut_short_fails_with_its_reason() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let path = client.import(ONE_BAD, &[]).await;
        app.jobs.run_queued().await.unwrap();
        let book = client.get(&format!("{path}/report")).send().await.bytes;
        let half = &book[..book.len() / 2];
        let answer = client.upload(&[("户.xlsx", half)], &[]).send().await.expect(202);
        let path = format!("/imports/{}", answer["id"].as_str().unwrap());
        app.jobs.run_queued().await.unwrap();
        for (language, words) in [("zh-CN", "文件损坏或不完整"), ("en", "is damaged or cut off")]
        {
            let job = client.get(&path).header("accept-language", language).send().await;
            let job = job.expect(200);
            assert_eq!(job["state"], "failed");
            assert_eq!(job["problem"]["code"], "file.damaged");
            let detail = job["problem"]["detail"].as_str().unwrap();
            assert!(detail.starts_with("户.xlsx") && detail.contains(words), "{detail}");
            assert!(job.get("summary").is_none() && job["has_report"] == false);
        }
        // It is there, and has no report: that is not the same as not being there.
        client.get(&format!("{path}/report")).send().await.problem(409, "job.no_file");
    }
}

#[tokio::test]
async fn a_bad_upload_is_refused_and_leaves_nothing() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let two = TWO.as_bytes();
        let files: Vec<(&str, &[u8])> = vec![("a.csv", two); 21];
        for (call, column, code) in [
            (client.upload(&[], &[("dry_run", "true")]), "files", "exchange.no_files"),
            (client.upload(&files, &[]), "files", "exchange.too_many_files"),
            (client.upload(&[("a.csv", two)], &[("x", "1")]), "x", "request.field_unknown"),
            (client.upload(&[("a.csv", two)], &[("dry_run", "1")]), "dry_run", "request.bad_field"),
            (client.upload(&[("a.csv", two)], &[("blank", "no")]), "blank", "request.bad_field"),
        ] {
            call.send().await.field_problem(column, code);
        }
        let call = client.post("/imports", json!({}));
        call.send().await.problem(415, "exchange.not_multipart");
        let call = client.call(axum::http::Method::POST, "/imports");
        let call = call.header("content-type", "multipart/form-data; boundary=b");
        let head = "--b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nx";
        call.body(head).send().await.problem(400, "exchange.bad_upload");
        let call = client.upload(&[("a.csv", two)], &[]).header("idempotency-key", "k");
        call.send().await.problem(400, "idempotency.unsupported");
        assert_eq!(std::fs::read_dir(&app.files).unwrap().count(), 0);
        assert_eq!(client.json("/imports").await["items"], json!([]));
    }
}

/// An application with other limits of imports and exports.
async fn limited(engine: Engine, from: &str, to: &str) -> (TestApp, Client) {
    let text = include_str!("../../../../policies/national/exchange.toml");
    assert!(text.contains(from));
    let text = text.replace(from, to);
    let policy = Policy::embedded_and([("exchange.toml", text.as_str())]).unwrap();
    let config = harness::config();
    let app = TestApp::governed(engine, config, policy).await;
    seed::registry(&app).await;
    let client = app.client(COUNTY).await;
    (app, client)
}

#[tokio::test]
async fn an_upload_has_a_limit_whatever_it_says_of_itself() {
    for engine in Engine::BOTH {
        let limit = "upload_bytes_max = 2_147_483_648";
        let (app, client) = limited(engine, limit, "upload_bytes_max = 2000").await;
        let long = "户编号,行政村代码\n".repeat(200);
        let send = |text: &str| client.upload(&[("a.csv", text.as_bytes())], &[]).send();
        send(TWO).await.expect(202);
        send(&long).await.problem(413, "request.body_too_large");
        // Without a word about its length.
        let head = "--b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n";
        let body = axum::body::Body::from_stream(futures_util::stream::iter(
            [head.to_owned(), long].map(Ok::<_, std::convert::Infallible>),
        ));
        let call = client.call(axum::http::Method::POST, "/imports");
        let call = call.header("content-type", "multipart/form-data; boundary=b").body(body);
        call.send().await.problem(413, "request.body_too_large");
        assert_eq!(std::fs::read_dir(&app.files).unwrap().count(), 1, "only the one taken in");
    }
}

#[tokio::test]
async fn nothing_is_begun_that_there_is_no_room_for() {
    for engine in Engine::BOTH {
        let spare = "disk_spare_bytes = 268_435_456";
        let (_app, client) = limited(engine, spare, "disk_spare_bytes = 0").await;
        client.upload(&[("a.csv", TWO.as_bytes())], &[]).send().await.expect(202);
        let all = "first_import_bytes_per_csv_byte = 11";
        // More than any disk has: the import itself looks before it begins.
        let huge = "first_import_bytes_per_csv_byte = 1_000_000_000_000_000";
        let (app, client) = limited_later(engine, all, huge).await;
        let path = client.import(TWO, &[]).await;
        app.jobs.run_queued().await.unwrap();
        let job = client.json(&path).await;
        if engine == Engine::Sqlite {
            assert_eq!(job["problem"]["code"], "exchange.disk_full", "{job}");
            assert!(job["problem"]["detail"].as_str().unwrap().contains("MB"));
        } else {
            assert_eq!(job["state"], "done", "PostgreSQL's disk is not ours to see");
        }
    }
}

/// As [`limited`], with the small country stored before the limits hold.
async fn limited_later(engine: Engine, from: &str, to: &str) -> (TestApp, Client) {
    let text = include_str!("../../../../policies/national/exchange.toml").replace(from, to);
    let policy = Policy::embedded_and([("exchange.toml", text.as_str())]).unwrap();
    let config = harness::config();
    let app = TestApp::governed(engine, config, policy).await;
    seed::areas(&app).await;
    let client = app.client(COUNTY).await;
    (app, client)
}

#[tokio::test]
async fn a_full_disk_is_said_before_the_upload() {
    for engine in Engine::BOTH {
        let spare = "disk_spare_bytes = 268_435_456";
        let (app, client) =
            limited_later(engine, spare, "disk_spare_bytes = 9_000_000_000_000_000").await;
        let answer = client.upload(&[("a.csv", TWO.as_bytes())], &[]).send().await;
        let problem = answer.problem(507, "exchange.disk_full");
        assert!(problem["detail"].as_str().unwrap().contains("剩余"));
        assert_eq!(std::fs::read_dir(&app.files).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_user_has_few_jobs_waiting() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let mut last = String::new();
        for _ in 0..5 {
            last = client.import(TWO, &[]).await;
        }
        let send =
            async || -> Answer { client.upload(&[("a.csv", TWO.as_bytes())], &[]).send().await };
        send().await.problem(429, "job.too_many");
        client.post(&format!("{last}/cancel"), json!({})).send().await.expect(202);
        assert_eq!(client.json(&last).await["state"], "cancelled");
        send().await.expect(202);
        app.jobs.run_queued().await.unwrap();
        assert_eq!(client.json(&last).await["state"], "cancelled", "it is not carried out");
    }
}

#[tokio::test]
async fn the_tree_of_areas_is_changed_by_those_alone_who_may() {
    const AREAS: &str = "区划代码,名称,级别\n990101100205,新村,村\n990101101205,新庄,村\n";
    for engine in Engine::BOTH {
        let (app, _) = county(engine).await;
        let import = async |grants: &[&str]| {
            let client = app.client(grants).await;
            let files = [("areas.csv", AREAS.as_bytes()), ("households.csv", TWO.as_bytes())];
            let fields = [("on_error", "reject-row")];
            let job = client.upload(&files, &fields).send().await.expect(202);
            app.jobs.run_queued().await.unwrap();
            client.json(&format!("/imports/{}", job["id"].as_str().unwrap())).await
        };
        let refused = import(&["village_clerk@990101"]).await;
        assert_eq!(refused["state"], "failed", "{engine:?}");
        assert_eq!(refused["problem"]["code"], "file.areas_not_allowed");
        let detail = refused["problem"]["detail"].as_str().unwrap();
        assert!(detail.starts_with("areas.csv"), "{detail}");
        assert_eq!(app.count_rows("areas where name like '新%'").await, 0);

        // The right of one grant does not reach into the area of another.
        let job = import(&["village_clerk@990101", "office_clerk@990101100"]).await;
        let counts = &job["summary"]["sheets"]["areas"];
        assert_eq!((&counts["created"], &counts["rejected"]), (&json!(1), &json!(1)), "{job}");
        let job = import(&["office_clerk@990101"]).await;
        let counts = &job["summary"]["sheets"]["areas"];
        assert_eq!((&counts["created"], &counts["unchanged"]), (&json!(1), &json!(1)), "{job}");
    }
}

#[tokio::test]
async fn lists_are_paged_sorted_and_filtered() {
    for engine in Engine::BOTH {
        let (app, client) = county(engine).await;
        let mut ids = Vec::new();
        for text in [TWO, ONE_BAD, TWO] {
            ids.push(client.import(text, &[]).await.replace("/imports/", ""));
            app.clock.advance_minutes(1);
        }
        app.jobs.run_queued().await.unwrap();
        let of = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap().iter();
            items.map(|job| job["id"].as_str().unwrap().to_owned()).collect()
        };
        for (sort, expected) in [
            ("-created_at", [&ids[2], &ids[1], &ids[0]]),
            ("created_at", [&ids[0], &ids[1], &ids[2]]),
        ] {
            let first = client.json(&format!("/imports?sort={sort}&limit=2")).await;
            let mark = first["next"].as_str().unwrap();
            let second = format!("/imports?sort={sort}&limit=2&after={mark}");
            let second = client.json(&second).await;
            let all: Vec<String> = of(&first).into_iter().chain(of(&second)).collect();
            assert_eq!(all.iter().collect::<Vec<_>>(), expected);
            assert!(second.get("next").is_none());
            let other = if sort == "created_at" { "-created_at" } else { "created_at" };
            let wrong = client.get(&format!("/imports?sort={other}&after={mark}")).send().await;
            wrong.field_problem("after", "page.bad_cursor");
        }
        assert_eq!(of(&client.json("/imports?state=refused").await), [ids[1].clone()]);
        assert_eq!(of(&client.json("/imports?state=queued").await).len(), 0);
        let bad = client.get("/imports?state=gone").send().await;
        bad.field_problem("state", "request.bad_field");
        let bad = client.get("/imports?sort=name").send().await;
        bad.field_problem("sort", "list.unknown_sort");
    }
}

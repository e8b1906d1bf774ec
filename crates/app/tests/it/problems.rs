//! What goes wrong, told in two languages; what is kept out; what the operator sees.

use std::{collections::BTreeSet, path::Path};

use axum::http::Method;
use daohu_app::http;
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::harness::{Log, PASSWORD, TestApp};

#[tokio::test]
async fn every_kind_of_bad_request_is_a_problem_in_both_languages() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let (get, post) = (Method::GET, Method::POST);
        let huge = format!("\"{}\"", "x".repeat(1024 * 1024));
        for (method, path, body, status, code, zh, en) in [
            (
                &get,
                "/nothing",
                "",
                404,
                "request.unknown_route",
                "没有这个网址",
                "There is nothing at",
            ),
            (
                &get,
                "//nothing",
                "",
                404,
                "request.unknown_route",
                "没有这个网址",
                "There is nothing at",
            ),
            (
                &Method::DELETE,
                "/users",
                "",
                405,
                "request.wrong_method",
                "此网址不支持",
                "This address",
            ),
            (
                &post,
                "/users",
                "{",
                400,
                "request.bad_json",
                "请求体不是合法的JSON",
                "The request body is not",
            ),
            (&post, "/users", "{} x", 422, "request.invalid", "提交的内容有误", "What was sent"),
            (
                &post,
                "/users",
                &huge,
                413,
                "request.body_too_large",
                "请求体过大",
                "The request body is too",
            ),
            (
                &get,
                "/users?limit=x",
                "",
                400,
                "request.bad_query",
                "查询参数不正确",
                "A query parameter",
            ),
            (&get, "/users/x", "", 404, "record.not_found", "没有找到", "Not found, or outside"),
        ] {
            let call = || {
                let call = admin.call(method.clone(), path).body(body.to_owned());
                call.header("content-type", "application/json; charset=utf-8")
            };
            let answer = call().send().await;
            assert_eq!(answer.header("content-language"), "zh-CN");
            let problem = answer.problem(status, code);
            assert!(problem["title"].as_str().unwrap().starts_with(zh), "{problem}");
            let answer = call().header("accept-language", "en-GB,en;q=0.8").send().await;
            assert_eq!(answer.header("content-language"), "en");
            let problem = answer.problem(status, code);
            assert!(problem["title"].as_str().unwrap().starts_with(en), "{problem}");
        }
        let call = admin.call(post, "/users").body("name=x");
        call.send().await.problem(415, "request.not_json");
    }
}

#[tokio::test]
async fn fields_are_named_and_values_are_not_repeated() {
    let app = TestApp::new(Engine::Sqlite).await;
    let admin = app.client(&["system_admin"]).await;
    for (body, column, code) in [
        (json!({ "name": "li.na" }), "display_name", "request.field_missing"),
        (json!({ "name": "li.na", "display_name": 77 }), "display_name", "request.field_type"),
        (json!({ "name": "a", "display_name": "b", "rank": 77 }), "rank", "request.field_unknown"),
    ] {
        let problem = admin.post("/users", body).send().await.field_problem(column, code);
        assert!(!problem["errors"].to_string().contains("77"), "{problem}");
    }
    let body = json!({ "name": "a", "password": 12_345_678 });
    let problem = app.stranger().post("/session", body).send().await;
    let problem = problem.field_problem("password", "request.field_type");
    assert!(!problem.to_string().contains("12345678"), "{problem}");
}

#[tokio::test]
async fn what_is_too_much_is_told_with_the_limit() {
    let app = TestApp::new(Engine::Sqlite).await;
    let admin = app.client(&["system_admin"]).await;
    let huge = format!("\"{}\"", "x".repeat(1024 * 1024));
    let call = admin.call(Method::POST, "/users").header("content-type", "application/json");
    let problem = call.body(huge).send().await.problem(413, "request.body_too_large");
    assert_eq!(problem["detail"], "最多 1 MB");
    let problem = admin.get("/users?limit=9999").send().await;
    let problem = problem.field_problem("limit", "page.bad_limit");
    let fault = &problem["errors"][0];
    assert_eq!(
        (&fault["limit"], &fault["message"]),
        (&json!(200), &json!("每页条数须为 1 至 200"))
    );
    let least = app.context.policy.security().password_min_characters;
    let body = json!({ "old": PASSWORD, "new": "Ab1-" });
    let problem = admin.put("/session/password", body).send().await;
    let problem = problem.field_problem("new", "password.too_short");
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains(&format!("至少 {least} 个")), "{message}");
}

#[tokio::test]
async fn no_character_breaks_an_engine() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        for path in ["/users?q=%00", "/users/%00", "/users?role=a%00b"] {
            admin.get(path).send().await.problem(400, "request.bad_path");
        }
        let body = json!({ "name": "a\0b", "password": "c" });
        app.stranger().post("/session", body).send().await.problem(400, "request.bad_json");
        for text in ["'", "%5C", "%27%20or%201=1", "%F0%A0%AE%B7", "%EF%BF%BF", "%7F", "%3F", "$1"]
        {
            admin.get(&format!("/users?q={text}&role={text}")).send().await.expect(200);
            admin.get(&format!("/users/{text}")).send().await.problem(404, "record.not_found");
        }
        admin.get("/users/%FF").send().await.problem(400, "request.bad_path");
    }
}

#[tokio::test]
async fn other_sites_cannot_write() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let body = json!({ "name": "li.na", "display_name": "李娜" });
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("host", "daohu.example")],
            &[("origin", "null"), ("host", "daohu.example")],
        ] {
            let call = admin.post("/users", body.clone());
            let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
            call.send().await.problem(403, "request.cross_site");
        }
        let call = admin.get("/users").header("sec-fetch-site", "cross-site");
        call.send().await.expect(200);
        let call = admin.post("/users", body).header("origin", "https://daohu.example");
        call.header("host", "daohu.example").send().await.expect(201);
    }
}

#[tokio::test]
async fn answers_are_not_sniffed_framed_or_kept() {
    let app = TestApp::new(Engine::Sqlite).await;
    for path in ["/openapi.json", "/session", "//healthz", "//nothing"] {
        let answer = app.stranger().get(path).send().await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    }
}

#[tokio::test]
async fn inner_errors_are_not_told() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        app.execute("alter table users rename to elsewhere").await;
        let answer = admin.get("/users").send().await;
        let told = answer.text.clone();
        answer.problem(500, "server.internal");
        assert!(!told.contains("users") && !told.contains("sql"), "{told}");
    }
}

#[tokio::test]
async fn the_operator_sees_health_and_figures() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let stranger = app.stranger();
        stranger.get("//healthz").send().await.expect(200);
        stranger.get("//readyz").send().await.expect(200);
        let admin = app.client(&["system_admin"]).await;
        admin.get("/users/some-one").send().await.problem(404, "record.not_found");
        stranger.get("//made/up/path").send().await.problem(404, "request.unknown_route");
        let metrics = stranger.get("//metrics").send().await;
        assert_eq!(metrics.status, 200);
        let line = "route=\"/api/v1/users/{id}\",method=\"GET\",status=\"404\"} 1\n";
        assert!(metrics.text.contains(line), "{}", metrics.text);
        assert!(metrics.text.contains("route=\"-\",method=\"GET\",status=\"404\""));
        assert!(metrics.text.contains("process_resident_memory_bytes "));
        assert!(!metrics.text.contains("some-one") && !metrics.text.contains("user-0"));

        app.execute("delete from schema_migrations where number > 1").await;
        stranger.get("//readyz").send().await.problem(503, "server.not_ready");
        stranger.get("//healthz").send().await.expect(200);
    }
}

#[tokio::test]
async fn the_document_is_whole() {
    let app = TestApp::new(Engine::Sqlite).await;
    let served = app.stranger().get("/openapi.json").send().await.expect(200);
    let document: Value = serde_json::from_str(&http::openapi().to_json().unwrap()).unwrap();
    assert_eq!(served, document);
    assert_eq!(document["openapi"], "3.1.0");
    let (mut ids, mut count) = (BTreeSet::new(), 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let (verb, noun) = id.split_once('_').unwrap();
            assert!(!verb.is_empty() && !noun.is_empty(), "{id}");
            count += 1;
            ids.insert(id.to_owned());
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{id}");
            for status in ["401", "500"] {
                assert!(responses[status]["$ref"].is_string(), "{id} {status}");
            }
            if method != "get" && operation["security"].is_null() {
                assert!(responses.contains_key("403") && responses.contains_key("409"), "{id}");
            }
        }
    }
    assert_eq!(ids.len(), count, "an operation id stands twice");
    let codes = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    assert!(codes.as_array().unwrap().contains(&json!("record.stale")));
    unresolved(&document, &document);
}

#[tokio::test]
async fn the_log_names_the_request_and_no_person() {
    let log = Log::of_this_thread();
    let app = TestApp::new(Engine::Sqlite).await;
    let admin = app.client(&["system_admin"]).await;
    let mut stranger = app.stranger();
    stranger.sign_in("li.na", "Secret-9999").await.problem(401, "session.refused");
    let path = "/users/some-one?q=li.na";
    let problem = admin.get(path).send().await.problem(404, "record.not_found");
    app.execute("alter table users rename to elsewhere").await;
    let lost = admin.get("/users").send().await.problem(500, "server.internal");

    let text = log.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |trace: &Value| {
        let mut of = lines.iter().map(|line| &line["fields"]);
        let is = |fields: &&Value| fields["trace_id"] == *trace && fields["route"].is_string();
        of.find(is).unwrap_or_else(|| panic!("{trace} is not in {text}"))
    };
    let fields = of(&problem["trace_id"]);
    assert_eq!(fields["route"], "/api/v1/users/{id}");
    assert_eq!((&fields["method"], &fields["status"]), (&json!("GET"), &json!(404)));
    assert_eq!(fields["user.id"], admin.user.as_ref().unwrap().id);
    assert!(fields["duration_ms"].is_u64());
    for secret in ["li.na", "some-one", "Secret-9999", "user-0", "daohu_session"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // The cause of what the caller was not told stands there once, under the same name.
    let causes = lines.iter().map(|line| &line["fields"]);
    let causes = causes.filter(|f| f["trace_id"] == lost["trace_id"] && f["error"].is_string());
    assert_eq!(causes.count(), 1, "{text}");
}

/// Every `$ref` of the document leads somewhere.
fn unresolved(document: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = target.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{target}");
            }
            fields.values().for_each(|part| unresolved(document, part));
        }
        Value::Array(parts) => parts.iter().for_each(|part| unresolved(document, part)),
        _ => {}
    }
}

/// The codes that the sources name are in the catalogue, and the other way round.
#[test]
fn every_code_is_in_the_catalogue_and_in_use() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let catalogue = std::fs::read_to_string(source.join("http/catalogue.rs")).unwrap();
    let entry = |line: &str| {
        let code = line.trim().strip_prefix("is(\"")?.split('"').next()?;
        Some(code.to_owned())
    };
    let known: BTreeSet<String> = catalogue.lines().filter_map(entry).collect();
    let mut text = String::new();
    read(&source, &mut text);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let unused: Vec<&String> =
        known.iter().filter(|code| !text.contains(&format!("\"{code}\""))).collect();
    assert!(unused.is_empty(), "codes that nothing uses: {unused:?}");
    for opening in ["ApiError::new(\"", "Refused(\""] {
        for part in text.split(opening).skip(1) {
            let code = part.split('"').next().unwrap();
            assert!(known.contains(code), "{code} is not in the catalogue");
        }
    }
}

/// All sources below the folder but the catalogue.
fn read(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, text);
        } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("catalogue.rs")
        {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

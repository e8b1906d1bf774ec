//! Requests that are sent twice.

use daohu_db::Engine;
use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn five_at_once_make_one_user() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let body = json!({ "name": "li.na", "display_name": "李娜" });
        let send = |_| admin.post("/users", body.clone()).header("idempotency-key", "k1").send();
        let answers = futures_util::future::join_all((0..5).map(send)).await;
        let first = answers.iter().filter(|a| a.header("idempotency-replayed").is_empty());
        assert_eq!(first.count(), 1);
        let told = answers.iter().filter(|answer| answer.json["initial_password"].is_string());
        assert_eq!(told.count(), 1, "an initial password is told once");
        let users: Vec<_> = answers.iter().map(|answer| answer.json["user"].clone()).collect();
        for answer in &answers {
            assert_eq!((answer.status, answer.header("etag")), (201, "\"v1\""));
            assert_eq!(answer.header("location"), answers[0].header("location"));
            assert_eq!(answer.header("content-type"), "application/json");
        }
        assert!(users.iter().all(|user| *user == users[0]), "{users:?}");
        assert_eq!(app.rows("select id from users where name = 'li.na'").await.len(), 1);

        // What is stored shows neither the user nor the password.
        let rows = app.rows("select body from idempotency_keys").await;
        let stored = String::from_utf8_lossy(rows[0].blob(0).unwrap()).into_owned();
        assert!(!stored.contains("li.na"));
    }
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_user_for_a_day() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let (admin, other) = (app.user(&["system_admin"]).await, app.user(&["system_admin"]).await);
        let (client, other) = (app.signed_in(&admin).await, app.signed_in(&other).await);
        let body = |name: &str| json!({ "name": name, "display_name": name });
        let post = |client: &crate::harness::Client, name: &str| {
            client.post("/users", body(name)).header("idempotency-key", "k1").send()
        };
        post(&client, "li.na").await.expect(201);
        post(&client, "wang.wei").await.problem(422, "idempotency.mismatch");
        // The same body elsewhere is another request.
        let call = client.post("/users/x/password-reset", body("li.na"));
        call.header("idempotency-key", "k1").send().await.problem(422, "idempotency.mismatch");
        post(&other, "wang.wei").await.expect(201);
        // Without a key it is another request.
        client.post("/users", body("li.na")).send().await.problem(409, "user.name_taken");

        app.clock.advance_minutes(24 * 60);
        let client = app.signed_in(&admin).await;
        assert_eq!(post(&client, "li.na").await.header("idempotency-replayed"), "true");
        app.clock.advance_minutes(1);
        let client = app.signed_in(&admin).await;
        post(&client, "li.na").await.problem(409, "user.name_taken");
    }
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let post = |name: &str| {
            let body = json!({ "name": name, "display_name": "李娜" });
            admin.post("/users", body).header("idempotency-key", "k1").send()
        };
        post("Li").await.field_problem("name", "user.bad_name");
        post("li.na").await.expect(201);
        assert_eq!(post("li.na").await.header("idempotency-replayed"), "true");
    }
}

#[tokio::test]
async fn a_request_that_was_cut_off_is_not_done_twice() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let body = json!({ "name": "li.na", "display_name": "李娜" });
        let post = || admin.post("/users", body.clone()).header("idempotency-key", "k1").send();
        post().await.expect(201);
        // As a server leaves it that dies between the write and the answer.
        app.execute("update idempotency_keys set status = 0").await;
        post().await.problem(409, "idempotency.in_progress");
    }
}

#[tokio::test]
async fn keys_are_short_and_not_for_uploads() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let body = json!({ "name": "li.na", "display_name": "李娜" });
        for key in ["", "two words", "tab\tkey", &"k".repeat(129)] {
            let answer = admin.post("/users", body.clone()).header("idempotency-key", key);
            answer.send().await.problem(400, "request.bad_idempotency_key");
        }
        let call = admin.call(axum::http::Method::POST, "/users").header("idempotency-key", "k");
        let call = call.header("content-type", "multipart/form-data; boundary=x").body("--x--");
        call.send().await.problem(400, "idempotency.unsupported");
        // Strangers have no keys.
        let call = app.stranger().post("/users", body).header("idempotency-key", "k");
        call.send().await.problem(401, "auth.not_signed_in");
    }
}

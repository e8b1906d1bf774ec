//! Creating, changing, listing users.

use daohu_db::Engine;
use serde_json::json;

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn an_administrator_creates_a_user() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let body = json!({ "name": "li.na", "display_name": "李娜" });
        let answer = admin.post("/users", body.clone()).send().await;
        let (location, etag) =
            (answer.header("location").to_owned(), answer.header("etag").to_owned());
        let made = answer.expect(201);
        let id = made["user"]["id"].as_str().unwrap();
        assert_eq!(location, format!("/api/v1/users/{id}"));
        assert_eq!(etag, "\"v1\"");
        assert_eq!(made["user"]["must_change"], true);
        assert_eq!(made["user"]["created_at"], "2020-11-22T01:00:00.000Z");
        let initial = made["initial_password"].as_str().unwrap();
        app.stranger().sign_in("li.na", initial).await.expect(200);

        let read = admin.get(&format!("/users/{id}")).send().await;
        assert_eq!(read.header("etag"), "\"v1\"");
        assert_eq!(read.expect(200), made["user"]);
        admin.post("/users", body).send().await.problem(409, "user.name_taken");
        let body = json!({ "name": "Li", "display_name": "李娜" });
        admin.post("/users", body).send().await.field_problem("name", "user.bad_name");
        let body = json!({ "name": "li.na2", "display_name": " " });
        let answer = admin.post("/users", body).send().await;
        answer.field_problem("display_name", "user.bad_display_name");
        admin.get("/users/nobody").send().await.problem(404, "record.not_found");

        let journal = app.journal("user", id).await;
        assert_eq!(journal.len(), 1);
        let admin = admin.user.unwrap().name;
        assert_eq!(journal[0].1, format!("{admin} system_admin"));
        assert!(!journal[0].2.to_string().contains("argon2"));
    }
}

#[tokio::test]
async fn a_change_names_the_version_it_was_made_on() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let user = app.user(&[]).await;
        let path = format!("/users/{}", user.id);
        let change = json!({ "display_name": "李娜" });
        let answer = admin.patch(&path, change.clone()).send().await;
        answer.problem(428, "request.if_match_missing");
        let answer = admin.patch(&path, change.clone()).header("if-match", "*").send().await;
        answer.problem(400, "request.bad_if_match");
        let answer = admin.patch(&path, change.clone()).if_match(user.version).send().await;
        assert_eq!(answer.header("etag"), "\"v2\"");
        assert_eq!(answer.expect(200)["display_name"], "李娜");
        let stale = admin.patch(&path, change.clone()).if_match(user.version).send().await;
        assert_eq!(stale.problem(412, "record.stale")["detail"], "现为第2版");
        let journal = app.journal("user", &user.id).await;
        let before = json!({ "display_name": user.name, "version": 1 });
        assert_eq!(journal[1].2["before"], before);
        assert_eq!(journal[1].2["after"]["display_name"], "李娜");

        // Of two changes made on one version, one wins.
        let send =
            |name: &str| admin.patch(&path, json!({ "display_name": name })).if_match(2).send();
        let (a, b) = tokio::join!(send("甲"), send("乙"));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
}

#[tokio::test]
async fn a_locked_user_is_out_at_once() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let user = app.user(&["cadre@990101"]).await;
        let client = app.signed_in(&user).await;
        let path = format!("/users/{}", user.id);
        let lock = |is_locked: bool, version| {
            admin.patch(&path, json!({ "is_locked": is_locked })).if_match(version).send()
        };
        lock(true, 1).await.expect(200);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
        app.stranger().sign_in(&user.name, PASSWORD).await.problem(401, "session.refused");
        lock(false, 2).await.expect(200);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
        app.stranger().sign_in(&user.name, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn an_administrator_unlocks_what_failures_locked() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let user = app.user(&[]).await;
        for _ in 0..5 {
            app.stranger().sign_in(&user.name, "wrong").await.problem(401, "session.refused");
        }
        let path = format!("/users/{}", user.id);
        let seen = admin.get(&path).send().await.expect(200);
        assert_eq!(seen["locked_until"], "2020-11-22T01:15:00.000Z");
        let change = json!({ "is_locked": false });
        let seen = admin.patch(&path, change).if_match(1).send().await.expect(200);
        assert_eq!(seen["locked_until"], json!(null));
        app.stranger().sign_in(&user.name, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn a_reset_password_works_once_and_ends_the_sessions() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let user = app.user(&[]).await;
        let client = app.signed_in(&user).await;
        let path = format!("/users/{}/password-reset", user.id);
        let reset = admin.call(axum::http::Method::POST, &path).send().await.expect(200);
        assert_eq!(reset["user"]["must_change"], true);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
        app.stranger().sign_in(&user.name, PASSWORD).await.problem(401, "session.refused");
        let initial = reset["initial_password"].as_str().unwrap();
        let me = app.stranger().sign_in(&user.name, initial).await.expect(200);
        assert_eq!(me["must_change"], true);
        let call = admin.call(axum::http::Method::POST, "/users/nobody/password-reset");
        call.send().await.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn an_administrator_cannot_become_another_by_a_reset() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        for role in ["security_admin", "audit_admin"] {
            let other = app.user(&[role]).await;
            let path = format!("/users/{}/password-reset", other.id);
            let call = admin.call(axum::http::Method::POST, &path);
            call.send().await.problem(403, "user.reset_on_server");
            app.stranger().sign_in(&other.name, PASSWORD).await.expect(200);
        }
    }
}

#[tokio::test]
async fn the_list_pages_by_key_and_filters() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        for _ in 0..4 {
            app.user(&["cadre@990101"]).await;
        }
        app.execute("update users set display_name = '李_娜%' where name = 'user-3'").await;
        app.execute("update users set is_locked = 1 where name = 'user-4'").await;
        let names = async |query: &str| -> Vec<String> {
            let page = admin.get(&format!("/users?{query}")).send().await.expect(200);
            let name = |user: &serde_json::Value| user["name"].as_str().unwrap().to_owned();
            page["items"].as_array().unwrap().iter().map(name).collect()
        };
        assert_eq!(names("").await, ["user-0", "user-1", "user-2", "user-3", "user-4"]);
        assert_eq!(names("q=user-2").await, ["user-2"]);
        assert_eq!(names("q=_%E5%A8%9C%25").await, ["user-3"]);
        assert_eq!(names("q=%25").await, ["user-3"]);
        assert_eq!(names("is_locked=true").await, ["user-4"]);
        assert_eq!(names("role=system_admin").await, ["user-0"]);
        assert_eq!(
            names("role=cadre&is_locked=false&q=user").await,
            ["user-1", "user-2", "user-3"]
        );

        let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
        loop {
            let page = admin.get(&format!("/users?{query}")).send().await.expect(200);
            seen.push(page["items"].as_array().unwrap().len());
            let Some(next) = page["next"].as_str() else { break };
            query = format!("limit=2&after={next}");
        }
        assert_eq!(seen, [2, 2, 1]);
        for (query, column, code) in [
            ("limit=0", "limit", "page.bad_limit"),
            ("limit=201", "limit", "page.bad_limit"),
            ("after=xyz", "after", "page.bad_cursor"),
        ] {
            let answer = admin.get(&format!("/users?{query}")).send().await;
            answer.field_problem(column, code);
        }
        // A filter that is not known is refused, not left out.
        let answer = admin.get("/users?is_loked=true").send().await;
        answer.problem(400, "request.bad_query");
    }
}

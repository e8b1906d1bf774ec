//! Signing in: cookies, lock-out, rate limit, the first password.

use daohu_app::{
    accounts::{self, NewUser},
    http::HttpConfig,
};
use daohu_db::Engine;
use serde_json::json;

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn a_user_signs_in_and_out() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        crate::seed::areas(&app).await;
        let user = app.user(&["office_clerk@990101", "leader@98"]).await;
        let mut client = app.stranger();
        client.get("/session").send().await.problem(401, "auth.not_signed_in");

        let answer = client.sign_in(&user.name, PASSWORD).await;
        let cookie = answer.header("set-cookie").to_owned();
        assert!(cookie.starts_with("daohu_session="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
        let me = answer.expect(200);
        assert_eq!(me["user"]["name"], user.name);
        assert_eq!(me["must_change"], false);
        let grants = me["grants"].as_array().unwrap();
        let clerk = grants.iter().find(|grant| grant["role"] == "office_clerk").unwrap();
        assert_eq!(clerk["role_title"], "扶贫办业务员");
        assert_eq!((&clerk["area"], &clerk["area_name"]), (&json!("990101"), &json!("南县")));
        assert!(me["rights"].as_array().unwrap().contains(&json!("registry.read")));
        assert_eq!(client.get("/session").send().await.expect(200), me);

        // Only the hash is stored.
        let token = client.cookie.clone().unwrap();
        let token = token.strip_prefix("daohu_session=").unwrap();
        let rows = app.rows("select token_hash from sessions").await;
        assert_eq!((rows.len(), rows[0].text(0).unwrap().len()), (1, 64));
        assert_ne!(rows[0].text(0).unwrap(), token);

        let answer = client.delete("/session").send().await;
        assert!(answer.header("set-cookie").starts_with("daohu_session=; Path=/; Max-Age=0;"));
        answer.expect(204);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");

        let seen: Vec<_> = app.journal("session", &user.id).await;
        let actions: Vec<&str> = seen.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions, ["signed_in", "signed_out"]);
        assert_eq!(seen[0].1, format!("{} sign-in", user.name));
        assert_eq!(seen[0].2["after"]["address"], "198.51.100.7");
    }
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let app = TestApp::with(Engine::Sqlite, HttpConfig::default()).await;
    let user = app.user(&[]).await;
    let mut client = app.stranger();
    let answer = client.sign_in(&user.name, PASSWORD).await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-daohu_session="), "{cookie}");
    assert!(cookie.ends_with("; SameSite=Strict; Secure"), "{cookie}");
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    client.get("/session").send().await.expect(200);
}

#[tokio::test]
async fn refusals_look_the_same_whatever_the_reason() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let (user, locked) = (app.user(&[]).await, app.user(&[]).await);
        app.execute("update users set is_locked = 1 where name = 'user-1'").await;
        let mut answers = Vec::new();
        for (name, password) in
            [("no-such-user", PASSWORD), (&user.name, "wrong"), (&locked.name, PASSWORD), ("", "")]
        {
            let answer = app.stranger().sign_in(name, password).await;
            assert!(answer.header("set-cookie").is_empty());
            let mut problem = answer.problem(401, "session.refused");
            problem["trace_id"] = json!(null);
            answers.push(problem);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        // Each is in the journal, without the name that nobody has.
        let nobody = app.journal("session", "nobody").await;
        assert_eq!(nobody.len(), 2);
        assert!(!format!("{nobody:?}").contains("no-such-user"));
        for user in [user, locked] {
            assert_eq!(app.journal("session", &user.id).await[0].0, "sign_in_failed");
        }
    }
}

#[tokio::test]
async fn too_many_failures_lock_out_for_a_while() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let mut client = app.stranger();
        for _ in 0..5 {
            client.sign_in(&user.name, "wrong").await.problem(401, "session.refused");
        }
        client.sign_in(&user.name, PASSWORD).await.problem(401, "session.refused");
        let entries = app.journal("session", &user.id).await;
        let actions: Vec<&str> = entries.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions[..4], ["sign_in_failed"; 4]);
        assert_eq!(actions[4..], ["sign_in_failed", "locked_out", "sign_in_failed"]);

        app.clock.advance_minutes(14);
        // Attempts during the lock-out do not make it longer.
        client.sign_in(&user.name, "wrong").await.problem(401, "session.refused");
        app.clock.advance_minutes(1);
        client.sign_in(&user.name, PASSWORD).await.expect(200);
        // Success begins the count anew.
        for _ in 0..4 {
            client.sign_in(&user.name, "wrong").await.problem(401, "session.refused");
        }
        client.sign_in(&user.name, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn many_attempts_at_once_are_counted_one_by_one() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let attempt = |_| {
            let mut client = app.stranger();
            let name = user.name.clone();
            async move { client.sign_in(&name, "wrong").await.status }
        };
        let statuses = futures_util::future::join_all((0..8).map(attempt)).await;
        assert_eq!(statuses, [401; 8]);
        app.stranger().sign_in(&user.name, PASSWORD).await.problem(401, "session.refused");
        let locked = app.journal("session", &user.id).await;
        assert_eq!(locked.iter().filter(|(action, ..)| action == "locked_out").count(), 1);
    }
}

#[tokio::test]
async fn an_address_may_try_only_so_often() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let mut client = app.stranger();
        for _ in 0..30 {
            client.sign_in("no-such-user", "wrong").await.problem(401, "session.refused");
        }
        let answer = client.sign_in(&user.name, PASSWORD).await;
        assert_eq!(answer.header("retry-after"), "61");
        answer.problem(429, "request.rate_limited");
        let mut elsewhere = app.stranger();
        elsewhere.address = [198, 51, 100, 8].into();
        elsewhere.sign_in(&user.name, PASSWORD).await.expect(200);
        app.clock.advance_minutes(1);
        client.sign_in(&user.name, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn the_address_behind_a_trusted_proxy_counts() {
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let config = HttpConfig { trusted_proxies, secure_cookies: false, ..HttpConfig::default() };
    let app = TestApp::with(Engine::Sqlite, config).await;
    let user = app.user(&[]).await;
    let mut client = app.stranger();
    client.address = [10, 0, 0, 1].into();
    let body = json!({ "name": user.name, "password": "wrong" });
    let from = |forwarded: &str| {
        client.post("/session", body.clone()).header("x-forwarded-for", forwarded).send()
    };
    for _ in 0..30 {
        from("1.2.3.4, 203.0.113.1").await.problem(401, "session.refused");
    }
    from("5.6.7.8, 203.0.113.1").await.problem(429, "request.rate_limited");
    from("203.0.113.2").await.problem(401, "session.refused");
}

#[tokio::test]
async fn the_first_password_must_be_changed_before_anything_else() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let new = NewUser { name: "li.na".into(), display_name: "李娜".into(), password: None };
        let (user, initial) = accounts::create_user(&app.context, app.act(), new).await.unwrap();
        let initial = initial.unwrap().0;
        let mut client = app.stranger();
        let me = client.sign_in("li.na", &initial).await.expect(200);
        assert_eq!(me["must_change"], true);
        for path in ["/session/list", "/users", "/roles"] {
            client.get(path).send().await.problem(403, "account.must_change_password");
        }
        client.get("/session").send().await.expect(200);

        let change = |old: &str, new: &str| {
            client.put("/session/password", json!({ "old": old, "new": new })).send()
        };
        change("wrong", PASSWORD).await.field_problem("old", "password.wrong");
        change(&initial, "short-1A").await.field_problem("new", "password.too_short");
        change(&initial, &initial).await.field_problem("new", "password.unchanged");
        change(&initial, PASSWORD).await.expect(204);
        client.get("/session/list").send().await.expect(200);
        app.stranger().sign_in("li.na", &initial).await.problem(401, "session.refused");
        app.stranger().sign_in("li.na", PASSWORD).await.expect(200);

        let changes = app.journal("user", &user.id).await;
        assert_eq!(changes[1].0, "updated");
        assert_eq!(changes[1].1, "li.na self");
        assert_eq!(changes[1].2["before"]["must_change"], true);
        let all = format!("{changes:?}");
        assert!(!all.contains("argon2") && !all.contains(PASSWORD) && !all.contains(&initial));
    }
}

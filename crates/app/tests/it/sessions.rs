//! Sessions between sign-in and sign-out.

use daohu_app::{accounts, http};
use daohu_db::Engine;
use serde_json::json;

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn a_session_ends_when_idle() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let client = app.client(&[]).await;
        for _ in 0..3 {
            app.clock.advance_minutes(29);
            client.get("/session").send().await.expect(200);
        }
        app.clock.advance_minutes(30);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
    }
}

#[tokio::test]
async fn a_session_ends_after_half_a_day_however_busy() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let client = app.client(&[]).await;
        for _ in 0..35 {
            app.clock.advance_minutes(20);
            client.get("/session").send().await.expect(200);
        }
        app.clock.advance_minutes(20);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
        // The next sign-in sweeps it out.
        app.client(&[]).await;
        assert_eq!(app.rows("select token_hash from sessions").await.len(), 1);
    }
}

#[tokio::test]
async fn use_is_written_once_a_minute() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let client = app.client(&[]).await;
        let sql = "select used_at - created_at from sessions";
        client.get("/session").send().await.expect(200);
        assert_eq!(app.rows(sql).await[0].int(0).unwrap(), 0);
        app.clock.advance_minutes(1);
        client.get("/session").send().await.expect(200);
        assert_eq!(app.rows(sql).await[0].int(0).unwrap(), 60_000);
    }
}

#[tokio::test]
async fn users_see_and_end_their_own_sessions_only() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let (here, there) = (app.signed_in(&user).await, app.signed_in(&user).await);
        let other = app.client(&[]).await;
        let sessions = here.get("/session/list").send().await.expect(200);
        let sessions = sessions.as_array().unwrap();
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions[0]["created_at"], "2020-11-22T01:00:00.000Z");
        assert!(!there.cookie.as_ref().unwrap().contains(sessions[0]["id"].as_str().unwrap()));
        let is_there = |session: &&serde_json::Value| session["is_current"] == false;
        let id = sessions.iter().find(is_there).unwrap()["id"].as_str().unwrap();
        let path = format!("/session/list/{id}");
        other.delete(&path).send().await.problem(404, "record.not_found");
        here.delete(&path).send().await.expect(204);
        there.get("/session").send().await.problem(401, "auth.not_signed_in");
        here.get("/session").send().await.expect(200);
        here.delete(&path).send().await.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn users_end_all_their_other_sessions_at_once() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let (here, there) = (app.signed_in(&user).await, app.signed_in(&user).await);
        let (elsewhere, other) = (app.signed_in(&user).await, app.client(&[]).await);
        here.delete("/session/list").send().await.expect(204);
        for ended in [there, elsewhere] {
            ended.get("/session").send().await.problem(401, "auth.not_signed_in");
        }
        other.get("/session").send().await.expect(200);
        let left = here.get("/session/list").send().await.expect(200);
        assert_eq!(left.as_array().unwrap().len(), 1);
        assert_eq!(left[0]["is_current"], true);
        for what in ["address", "agent", "created_at", "used_at", "ends_at"] {
            assert!(left[0][what].is_string(), "{what}");
        }
        let journal = app.journal("session", &user.id).await;
        let ended = journal.iter().filter(|(action, ..)| action == "signed_out").count();
        assert_eq!(ended, 2);
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let (here, there) = (app.signed_in(&user).await, app.signed_in(&user).await);
        let body = json!({ "old": PASSWORD, "new": "Harvest-2021" });
        here.put("/session/password", body).send().await.expect(204);
        here.get("/session").send().await.expect(200);
        there.get("/session").send().await.problem(401, "auth.not_signed_in");
        let journal = app.journal("session", &user.id).await;
        let ended = journal.iter().filter(|(action, ..)| action == "signed_out").count();
        assert_eq!(ended, 1);
    }
}

#[tokio::test]
async fn whoever_finds_an_open_browser_does_not_find_the_password() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let client = app.client(&[]).await;
        let body = json!({ "old": "wrong", "new": "Harvest-2021" });
        for _ in 0..5 {
            let answer = client.put("/session/password", body.clone()).send().await;
            answer.field_problem("old", "password.wrong");
        }
        let body = json!({ "old": PASSWORD, "new": "Harvest-2021" });
        let answer = client.put("/session/password", body).send().await;
        answer.problem(429, "request.rate_limited");
    }
}

#[tokio::test]
async fn made_up_tokens_open_nothing() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        app.client(&[]).await;
        let hash = app.rows("select token_hash from sessions").await[0].text(0).unwrap().to_owned();
        for token in ["", "x", &hash, "%00", "'; drop table sessions; --"] {
            let mut client = app.stranger();
            client.cookie = Some(format!("a=b; daohu_session={token}; c=d"));
            client.get("/session").send().await.problem(401, "auth.not_signed_in");
        }
    }
}

#[tokio::test]
async fn where_nothing_can_be_written_reading_goes_on() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let client = app.client(&["leader@99"]).await;
        app.execute(match engine {
            Engine::Sqlite => {
                "create trigger full before update on sessions begin select raise(abort, 'full'); end"
            }
            Engine::Postgres => {
                "alter table sessions add constraint unused check (used_at = created_at)"
            }
        })
        .await;
        app.clock.advance_minutes(2);
        client.get("/areas").send().await.expect(200);
    }
}

#[tokio::test]
async fn what_has_ended_is_deleted_also_where_nobody_comes() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["system_admin"]).await;
        let body = json!({ "name": "li.na", "display_name": "李娜" });
        let post = admin.post("/users", body).header("idempotency-key", "k1");
        post.send().await.expect(201);
        let left = async || {
            http::forget_old_answers(&app.context).await.unwrap();
            accounts::forget_ended_sessions(&app.context).await.unwrap();
            [app.count_rows("sessions").await, app.count_rows("idempotency_keys").await]
        };
        // A session is idle for half an hour, an answer is remembered for a day.
        app.clock.advance_minutes(29);
        assert_eq!(left().await, [1, 1], "{engine:?}");
        app.clock.advance_minutes(1);
        assert_eq!(left().await, [0, 1], "{engine:?}");
        app.clock.advance_minutes(24 * 60);
        assert_eq!(left().await, [0, 0], "{engine:?}");
    }
}

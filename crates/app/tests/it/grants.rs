//! Giving and taking roles.

use daohu_app::accounts::{self, NewGrant};
use daohu_base::{AreaCode, Day};
use daohu_db::Engine;
use serde_json::json;

use crate::{area_changes, harness::TestApp};

#[tokio::test]
async fn a_role_is_given_and_taken() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        crate::seed::areas(&app).await;
        let admin = app.client(&["security_admin"]).await;
        let user = app.user(&[]).await;
        let client = app.signed_in(&user).await;
        let path = format!("/users/{}/grants", user.id);
        let body = json!({ "role": "office_clerk", "area": "990101000000" });
        let answer = admin.post(&path, body.clone()).send().await;
        let location = answer.header("location").to_owned();
        let grant = answer.expect(201);
        let id = grant["id"].as_str().unwrap();
        assert_eq!(location, format!("/api/v1{path}/{id}"));
        assert_eq!((&grant["area"], &grant["area_name"]), (&json!("990101"), &json!("南县")));
        assert_eq!(grant["starts_on"], "2020-11-22");
        // The user signs in anew, with the new rights.
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
        admin.post(&path, body).send().await.problem(409, "grant.duplicate");

        let client = app.signed_in(&user).await;
        let grant_path = format!("{path}/{id}");
        admin.delete(&grant_path).send().await.expect(204);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
        admin.delete(&grant_path).send().await.problem(409, "grant.ended");
        admin.delete(&format!("{path}/none")).send().await.problem(404, "record.not_found");
        admin
            .delete(&format!("/users/none/grants/{id}"))
            .send()
            .await
            .problem(404, "record.not_found");
        // It stays as history.
        let grants = admin.get(&path).send().await.expect(200);
        assert_eq!(grants[0]["ends_on"], "2020-11-22");
        let me = app.signed_in(&user).await.get("/session").send().await.expect(200);
        assert_eq!(me["grants"], json!([]));
        admin.get("/users/none/grants").send().await.problem(404, "record.not_found");

        let journal = app.journal("grant", id).await;
        let actions: Vec<&str> = journal.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions, ["created", "updated"]);
        assert_eq!(journal[1].2["before"], json!({ "ends_on": null, "version": 1 }));
    }
}

#[tokio::test]
async fn what_cannot_be_given_is_refused() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["security_admin"]).await;
        let (clerk, auditor) =
            (app.user(&["cadre@990101"]).await, app.user(&["audit_admin"]).await);
        let give = |user: &str, body| admin.post(&format!("/users/{user}/grants"), body).send();
        let area = "990101";
        for (body, column, code) in [
            (json!({ "role": "king" }), "role", "grant.unknown_role"),
            (json!({ "role": "leader" }), "area", "grant.area_missing"),
            (json!({ "role": "leader", "area": "99010" }), "area", "grant.bad_area"),
            (
                json!({ "role": "leader", "area": area, "starts_on": "x" }),
                "starts_on",
                "request.bad_day",
            ),
            (
                json!({ "role": "leader", "area": area, "ends_on": "2020-11-22" }),
                "ends_on",
                "grant.bad_period",
            ),
        ] {
            give(&clerk.id, body).await.field_problem(column, code);
        }
        let answer = give(&clerk.id, json!({ "role": "audit_admin" })).await;
        answer.problem(409, "grant.exclusive");
        let answer = give(&auditor.id, json!({ "role": "system_admin" })).await;
        answer.problem(409, "grant.exclusive");
        let answer = give(&auditor.id, json!({ "role": "leader", "area": area })).await;
        answer.problem(409, "grant.exclusive");
        let own = admin.user.as_ref().unwrap().id.clone();
        let answer = give(&own, json!({ "role": "leader", "area": area })).await;
        answer.problem(403, "grant.to_self");
        let answer = give("none", json!({ "role": "leader", "area": area })).await;
        answer.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn a_role_in_an_area_that_the_tree_does_not_have_is_refused() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        crate::seed::areas(&app).await;
        let admin = app.client(&["security_admin"]).await;
        let user = app.user(&[]).await;
        let path = format!("/users/{}/grants", user.id);
        for area in ["990199", "53"] {
            let body = json!({ "role": "leader", "area": area });
            admin.post(&path, body).send().await.field_problem("area", "grant.unknown_area");
        }
        assert_eq!(admin.get(&path).send().await.expect(200), json!([]));
    }
}

#[tokio::test]
async fn two_at_once_cannot_combine_what_excludes_each_other() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let admin = app.client(&["security_admin"]).await;
        let user = app.user(&[]).await;
        let path = format!("/users/{}/grants", user.id);
        let give = |role: &str| admin.post(&path, json!({ "role": role })).send();
        let (a, b) = tokio::join!(give("system_admin"), give("audit_admin"));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }
}

#[tokio::test]
async fn the_last_administrator_stays() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let (system, security) =
            (app.client(&["system_admin"]).await, app.client(&["security_admin"]).await);
        let auditor = app.user(&["audit_admin"]).await;
        let lock = |id: &str, version| {
            system
                .patch(&format!("/users/{id}"), json!({ "is_locked": true }))
                .if_match(version)
                .send()
        };
        let grant_path = async |id: &str| {
            let path = format!("/users/{id}/grants");
            let grants = security.get(&path).send().await.expect(200);
            format!("{path}/{}", grants[0]["id"].as_str().unwrap())
        };
        lock(&auditor.id, 1).await.problem(409, "account.last_administrator");
        let path = grant_path(&auditor.id).await;
        security.delete(&path).send().await.problem(409, "account.last_administrator");

        // A second one makes the first dispensable; a locked one does not count.
        let second = app.user(&["audit_admin"]).await;
        lock(&second.id, 1).await.expect(200);
        lock(&auditor.id, 1).await.problem(409, "account.last_administrator");
        let unlock = json!({ "is_locked": false });
        let path_2 = format!("/users/{}", second.id);
        system.patch(&path_2, unlock).if_match(2).send().await.expect(200);
        // Of two who are sent away at once, one stays.
        let (a, b) = tokio::join!(lock(&auditor.id, 1), lock(&second.id, 3));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[tokio::test]
async fn a_grant_holds_by_its_days_in_china() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let new = NewGrant {
            role: "cadre".into(),
            area: Some(AreaCode::parse("990101").unwrap()),
            starts_on: Some(Day::parse("2020-11-23").unwrap()),
            ends_on: Some(Day::parse("2020-11-24").unwrap()),
        };
        accounts::add_grant(&app.context, app.act(), &user.id, new).await.unwrap();
        let held = async || {
            let me = app.signed_in(&user).await.get("/session").send().await.expect(200);
            me["grants"].as_array().unwrap().len()
        };
        // It is nine in the morning; fifteen hours later the day begins.
        app.clock.advance_minutes(15 * 60 - 1);
        assert_eq!(held().await, 0);
        app.clock.advance_minutes(1);
        assert_eq!(held().await, 1);
        app.clock.advance_minutes(24 * 60 - 1);
        assert_eq!(held().await, 1);
        app.clock.advance_minutes(1);
        assert_eq!(held().await, 0);
    }
}

#[tokio::test]
async fn a_role_goes_on_in_a_second_grant_also_where_the_area_gets_another_code() {
    for engine in Engine::BOTH {
        let app = area_changes::start(engine).await;
        let admin = app.client(&["security_admin"]).await;
        let user = app.user(&[]).await;
        let path = format!("/users/{}/grants", user.id);
        let give = |from: &str, to: Option<&str>| {
            let body =
                json!({ "role": "cadre", "area": "990101", "starts_on": from, "ends_on": to });
            admin.post(&path, body).send()
        };
        give("2020-11-23", Some("2020-12-01")).await.expect(201);
        // Of two on one day one would be taken away and the other would go on unseen.
        give("2020-11-30", None).await.problem(409, "grant.duplicate");
        give("2020-11-23", Some("2020-11-24")).await.problem(409, "grant.duplicate");
        give("2020-12-01", Some("2020-12-31")).await.expect(201);
        area_changes::carry_out(&app, vec![area_changes::line("990101", "990102", "南区")]).await;
        let grants = admin.get(&path).send().await.expect(200);
        let open = grants.as_array().unwrap().iter().filter(|grant| grant["area"] == "990102");
        let days = open.map(|one| format!("{} {}", one["starts_on"], one["ends_on"]));
        let days: std::collections::BTreeSet<String> = days.collect();
        let expected = ["\"2020-11-23\" \"2020-12-01\"", "\"2020-12-01\" \"2020-12-31\""];
        assert_eq!(days, expected.map(str::to_owned).into(), "{engine:?}");
        // The last day of the first, the first and the last day of the second, and the day behind it.
        for (days, holds) in [(7, 1), (1, 1), (29, 1), (1, 0)] {
            app.clock.advance_minutes(days * 24 * 60);
            let me = app.signed_in(&user).await.get("/session").send().await.expect(200);
            assert_eq!(me["grants"].as_array().unwrap().len(), holds, "{engine:?} {days}");
        }
    }
}

//! Jobs of all kinds in one list, and those that work without files.

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    jobs::{COUNTY, TWO, county},
};

impl TestApp {
    /// Asks for a job, carries it out, and gives what is told of it then.
    pub async fn done(&self, client: &Client, path: &str, body: Value) -> Value {
        let answer = client.post(path, body).send().await;
        let location = answer.header("location").to_owned();
        assert_eq!(answer.expect(202)["state"], "queued");
        self.jobs.run_queued().await.unwrap();
        client.json(location.strip_prefix("/api/v1").unwrap()).await
    }
}

#[tokio::test]
async fn all_jobs_of_a_user_are_one_list_and_work_without_files_is_stopped_and_tried_again() {
    for engine in Engine::BOTH {
        let (app, _) = county(engine).await;
        app.clock.advance_minutes(24 * 60);
        let office = app.client(COUNTY).await;
        let import = office.import(TWO, &[]).await;
        app.jobs.run_queued().await.unwrap();
        app.clock.advance_minutes(1);
        let area = json!({ "area": "990101" });
        let export = office.post("/exports", area).send().await.expect(202);
        app.clock.advance_minutes(1);
        let lines = json!([{ "from": "990101100200", "to": "990101100209", "name": "新村" }]);
        let on = app.act().at.day().to_string();
        let body = json!({ "on": on, "lines": lines });
        let change = office.post("/area-changes", body).send().await.expect(202);
        let change = format!("/jobs/{}", change["id"].as_str().unwrap());
        app.clock.advance_minutes(1);
        let undo = office.post(&format!("{import}/undo"), json!({})).send().await.expect(202);
        let list = async |query: &str| -> Vec<(String, String)> {
            let page = office.json(&format!("/jobs?{query}")).await;
            let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
            let rows = page["items"].as_array().unwrap();
            rows.iter().map(|row| (text(row, "kind"), text(row, "state"))).collect()
        };
        let all = ["undo", "area_change", "export", "import"].map(|kind| {
            (kind.to_owned(), if kind == "import" { "done" } else { "queued" }.to_owned())
        });
        assert_eq!(list("").await, all, "{engine:?}");
        assert_eq!(list("kind=area_change").await, all[1..2]);
        assert_eq!(list("state=queued&sort=created_at&limit=1").await, all[2..3]);
        office.get("/jobs?kind=dance").send().await.field_problem("kind", "request.bad_field");
        let first = office.json("/jobs?limit=3").await;
        let next = format!("limit=3&after={}", first["next"].as_str().unwrap());
        assert_eq!(list(&next).await, all[3..]);
        assert_eq!(office.json("/jobs?kind=export").await["items"][0]["href"], {
            json!(format!("/api/v1/exports/{}", export["id"].as_str().unwrap()))
        });
        // Nobody else's.
        let other = app.client(COUNTY).await;
        assert_eq!(other.json("/jobs").await["items"], json!([]));
        other.get(&change).send().await.problem(404, "record.not_found");
        other
            .post(&format!("{change}/cancel"), json!({}))
            .send()
            .await
            .problem(404, "record.not_found");
        // Of one kind it is no other's.
        let id = change.rsplit('/').next().unwrap();
        for kind in ["imports", "exports"] {
            office.get(&format!("/{kind}/{id}")).send().await.problem(404, "record.not_found");
            let stop = office.post(&format!("/{kind}/{id}/cancel"), json!({})).send().await;
            stop.problem(404, "record.not_found");
        }
        // Stopped before its turn, and asked for again.
        office.post(&format!("{change}/cancel"), json!({})).send().await.expect(202);
        assert_eq!(office.json(&change).await["state"], "cancelled");
        app.jobs.run_queued().await.unwrap();
        assert!(app.rows("select id from area_changes").await.is_empty());
        let undo = format!("/jobs/{}", undo["id"].as_str().unwrap());
        assert_eq!(office.json(&undo).await["undone"]["committed"], true, "{engine:?}");
        let again = app.done(&office, &format!("{change}/retry"), json!({})).await;
        assert_eq!((&again["state"], &again["attempts"]), (&json!("done"), &json!(1)), "{again}");
        assert_eq!(app.rows("select id from area_changes").await.len(), 1);
        // Asked for, stopped, asked for again.
        let noted = "select action from journal where kind = 'area_change_job' union all
                     select action from journal_pending where kind = 'area_change_job'";
        assert_eq!(app.rows(noted).await.len(), 3, "{engine:?}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_when_a_job_begins_is_told_with_its_places() {
    for engine in Engine::BOTH {
        let (app, _) = county(engine).await;
        app.clock.advance_minutes(24 * 60);
        let office = app.client(COUNTY).await;
        // A part of a split that nobody named is found by looking at the households.
        let lines = json!([{ "from": "990101100200", "to": "990101100203", "name": "新村",
            "households": ["H001"] }, { "from": "990101100200", "to": "990101100204", "name": "另村",
            "households": ["H00Z"] }]);
        let on = app.act().at.day().to_string();
        let job = app.done(&office, "/area-changes", json!({ "on": on, "lines": lines })).await;
        assert_eq!(job["state"], "refused", "{engine:?} {job}");
        let problem = &job["problem"];
        assert_eq!(problem["code"], "request.invalid");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error["code"] == "area_change.household_left"));
        assert!(errors.iter().all(|error| !error["message"].as_str().unwrap().is_empty()));
        assert!(app.rows("select id from area_changes").await.is_empty());
    }
}

#[tokio::test]
async fn who_lost_the_right_learns_no_more_than_that_it_ended() {
    for engine in Engine::BOTH {
        let (app, _) = county(engine).await;
        app.clock.advance_minutes(24 * 60);
        let user = app.user(COUNTY).await;
        let office = app.signed_in(&user).await;
        let lines = json!([{ "from": "990101100200", "to": "990101100203", "name": "新村",
            "households": ["H00Z"] }]);
        let on = app.act().at.day().to_string();
        let refused = app.done(&office, "/area-changes", json!({ "on": on, "lines": lines })).await;
        let lines = json!([{ "from": "990101100200", "to": "990101100209", "name": "新村" }]);
        let done = app.done(&office, "/area-changes", json!({ "on": on, "lines": lines })).await;
        assert!(refused["problem"]["errors"][0]["value"].is_string(), "{engine:?} {refused}");
        assert!(done["area_change"].is_object());
        app.execute("delete from grants").await;
        for job in [refused, done] {
            let path = format!("/jobs/{}", job["id"].as_str().unwrap());
            let told = office.json(&path).await;
            assert_eq!(told["state"], job["state"], "{engine:?}");
            assert!(told.get("area_change").is_none(), "{told}");
            assert!(told["problem"].get("errors").is_none_or(|errors| errors == &json!([])));
        }
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_hides_no_other() {
    for engine in Engine::BOTH {
        let (app, _) = county(engine).await;
        let office = app.client(COUNTY).await;
        for _ in 0..3 {
            office.import(TWO, &[]).await;
            app.clock.advance_minutes(1);
        }
        // What the latest of them says is sealed for another.
        const ALTERED: &str = "update jobs set request = (select request from jobs
            order by created_at limit 1)
            where created_at = (select max(created_at) from jobs)";
        app.execute(ALTERED).await;
        for path in ["/jobs", "/imports"] {
            let first = office.json(&format!("{path}?limit=1")).await;
            assert_eq!(first["items"], json!([]), "{engine:?} {path}");
            let after = first["next"].as_str().unwrap();
            let rest = office.json(&format!("{path}?limit=2&after={after}")).await;
            assert_eq!(rest["items"].as_array().unwrap().len(), 2, "{engine:?} {path}");
            assert_eq!(rest["next"], Value::Null, "{engine:?} {path}");
        }
    }
}

#[tokio::test]
async fn whose_roles_follow_a_change_is_told_without_names_to_who_may_not_see_accounts() {
    for engine in Engine::BOTH {
        let (app, _) = county(engine).await;
        app.user(&["cadre@990101100200"]).await;
        app.clock.advance_minutes(24 * 60);
        let office = app.client(COUNTY).await;
        let lines = json!([{ "from": "990101100200", "to": "990101100209", "name": "新村" }]);
        let on = app.act().at.day().to_string();
        let job = app.done(&office, "/area-changes", json!({ "on": on, "lines": lines })).await;
        let grants = job["area_change"]["grants"].as_array().unwrap();
        assert_eq!(grants.len(), 1, "{engine:?} {job}");
        assert!(grants[0].get("user").is_none_or(Value::is_null), "{engine:?} {job}");
        assert_eq!(grants[0]["role"], "cadre", "{engine:?} {job}");
    }
}

//! Who carries jobs out: cancelling, stopping, starting again, cleaning up.

use std::time::{Duration, Instant};

use daohu_app::jobs::Jobs;
use daohu_db::{Engine, FutureExt, Tx, testing};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    harness::{Client, Log, TestApp},
    jobs::{COUNTY, TWO},
    seed,
};

/// Generous: only a runner that hangs reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Enough rows that reading them takes a while.
fn many() -> String {
    let mut text = String::from("户编号,行政村代码\n");
    for i in 0..30_000 {
        text += &format!("M{i:05},990101100200\n");
    }
    text
}

async fn until(client: &Client, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let job = client.json(path).await;
        if is(&job) {
            return job;
        }
        assert!(begun.elapsed() < PATIENCE, "{job}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An import that has begun to run and cannot write before `release` is sent.
struct Held {
    app: TestApp,
    client: Client,
    path: String,
    runner: JoinHandle<()>,
    release: oneshot::Sender<()>,
}

/// Holds what an act on many records takes first, until something is sent; then it does what is the test's.
async fn hold(app: &TestApp, then: Option<&'static str>) -> oneshot::Sender<()> {
    let (release, released) = oneshot::channel::<()>();
    let (taken, when_taken) = oneshot::channel();
    let holding = async move |tx: &mut Tx| {
        // What an import locks before it writes; on SQLite every write waits.
        tx.execute("update serials set next = next", &[]).await?;
        let _ = taken.send(());
        let _ = released.await;
        if let Some(sql) = then {
            tx.execute(sql, &[]).await?;
        }
        Ok::<_, daohu_db::Error>(())
    };
    let db = app.context.db.clone();
    tokio::spawn(async move { db.write(move |tx| async move { holding(tx).await }.boxed()).await });
    when_taken.await.unwrap();
    release
}

/// What else changes before the import may write is the test's.
async fn held(engine: Engine, then: Option<&'static str>) -> Held {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    let client = app.client(COUNTY).await;
    let jobs = app.jobs.clone();
    let runner = tokio::spawn(async move { jobs.run().await });
    let path = client.import(&many(), &[]).await;
    until(&client, &path, |job| job["state"] == "running").await;
    let release = hold(&app, then).await;
    Held { app, client, path, runner, release }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_import_shows_how_far_it_is_and_can_be_stopped() {
    for engine in Engine::BOTH {
        let Held { app, client, path, runner, release } = held(engine, None).await;
        let job = until(&client, &path, |job| job["phase"] == "storing").await;
        assert_eq!(job["rows_total"], 30_000);
        let before = app.count_rows("households").await;
        let (asker, cancel) = (client.clone(), format!("{path}/cancel"));
        // A key is no reason to wait for what is to be stopped.
        let asked = tokio::spawn(async move {
            asker.post(&cancel, json!({})).header("idempotency-key", "k").send().await
        });
        if engine == Engine::Postgres {
            // The other, whom it waits for, is not done yet.
            until(&client, &path, |job| job["state"] == "cancelled").await;
        } else {
            until(&client, &path, |job| job["phase"] == "cancelling").await;
        }
        release.send(()).unwrap();
        asked.await.unwrap().expect(202);
        let job = until(&client, &path, |job| job["state"] != "running").await;
        assert_eq!(job["state"], "cancelled", "{engine:?}");
        assert_eq!(app.count_rows("households").await, before);
        let id = path.rsplit('/').next().unwrap();
        assert_eq!(app.journal("import_job", id).await[1].0, "updated");

        app.jobs.stop();
        tokio::time::timeout(PATIENCE, runner).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_import_of_a_server_that_stops_is_taken_up_by_the_next_one() {
    for engine in Engine::BOTH {
        let Held { app, client, path, runner, release } = held(engine, None).await;
        let waiting = client.import(TWO, &[]);
        app.jobs.stop();
        release.send(()).unwrap();
        let waiting = waiting.await;
        tokio::time::timeout(PATIENCE, runner).await.unwrap().unwrap();
        let job = client.json(&path).await;
        assert_eq!((&job["state"], &job["attempts"]), (&json!("queued"), &json!(0)), "{engine:?}");
        assert_eq!(client.json(&waiting).await["state"], "queued");
        assert_eq!(app.rows("select id from households where no like 'M%'").await.len(), 0);

        // The next run of the server carries both out, unasked.
        let next = Jobs::new(app.context.clone(), app.files.clone()).unwrap();
        next.run_queued().await.unwrap();
        for path in [&path, &waiting] {
            let job = client.json(path).await;
            assert_eq!((&job["state"], &job["attempts"]), (&json!("done"), &json!(1)), "{job}");
        }
        assert_eq!(app.rows("select id from households where no like 'M%'").await.len(), 30_000);
    }
}

#[tokio::test]
async fn a_job_whose_end_cannot_be_written_ends_when_it_can() {
    for (engine, restarted) in Engine::BOTH.into_iter().flat_map(|e| [(e, false), (e, true)]) {
        let log = Log::of_this_thread();
        let lost = "alter table jobs rename column ended_at to elsewhere";
        let Held { app, client, path, runner, release } = held(engine, Some(lost)).await;
        release.send(()).unwrap();
        let begun = Instant::now();
        while !log.text().contains("a job's end is not written") {
            assert!(begun.elapsed() < PATIENCE, "{engine:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if restarted {
            app.jobs.stop();
        }
        app.execute("alter table jobs rename column elsewhere to ended_at").await;
        if restarted {
            tokio::time::timeout(PATIENCE, runner).await.unwrap().unwrap();
            app.clock.advance_minutes(3);
            let next = Jobs::new(app.context.clone(), app.files.clone()).unwrap();
            next.clean().await.unwrap();
        }
        let job = until(&client, &path, |job| job["state"] != "running").await;
        // Its rows were stored, which no restart takes back.
        assert_eq!(job["state"], "done", "{engine:?}");
        assert!(job["ended_at"].is_string());
        assert_eq!(app.rows("select id from households where no like 'M%'").await.len(), 30_000);
    }
}

#[tokio::test]
async fn what_a_killed_server_left_is_taken_up_again_unless_its_rows_are_stored() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let client = app.client(COUNTY).await;
        let (cut, stored) = (client.import(TWO, &[]).await, client.import(TWO, &[]).await);
        let mine = client.import(TWO, &[]).await;
        const KILLED: &str = "update jobs set state = 'running', server = 'dead', alive_at = 0,
            attempts = attempts + 1 where state = 'queued'";
        app.execute(KILLED).await;
        let id = stored.rsplit('/').next().unwrap().to_owned();
        let mark = async move |tx: &mut Tx| {
            tx.execute("update jobs set stored_at = 1 where id = $1", &[id.into()]).await
        };
        let marked: Result<u64, daohu_db::Error> =
            app.context.db.write(move |tx| async move { mark(tx).await }.boxed()).await;
        marked.unwrap();
        client.post(&format!("{mine}/cancel"), json!({})).send().await.expect(202);
        assert_eq!(client.json(&mine).await["phase"], "cancelling");
        app.jobs.clean().await.unwrap();
        assert_eq!(client.json(&mine).await["state"], "cancelled", "{engine:?}");
        assert_eq!(client.json(&stored).await["state"], "done");
        assert_eq!(client.json(&cut).await["state"], "queued");
        // One that kills its server does not do so for ever.
        let attempts = app.context.policy.exchange().job_attempts_max;
        for attempt in 1..attempts {
            assert_eq!(client.json(&cut).await["attempts"], attempt);
            app.execute(KILLED).await;
            app.jobs.clean().await.unwrap();
        }
        assert_eq!(client.json(&cut).await["state"], "interrupted");
        client.post(&format!("{cut}/retry"), json!({})).send().await.expect(202);
        let again = client.post(&format!("{stored}/retry"), json!({})).send().await;
        again.problem(409, "job.stored");
        app.jobs.run_queued().await.unwrap();
        let job = client.json(&cut).await;
        assert_eq!(job["summary"]["sheets"]["households"]["created"], 2, "{job}");
    }
}

#[tokio::test]
async fn on_postgres_a_server_that_is_alive_is_left_alone() {
    let app = TestApp::new(Engine::Postgres).await;
    seed::registry(&app).await;
    let client = app.client(COUNTY).await;
    let path = client.import(TWO, &[]).await;
    let now = app.act().at.0;
    app.execute("update jobs set state = 'running', server = 'other'").await;
    let alive =
        async move |tx: &mut Tx| tx.execute("update jobs set alive_at = $1", &[now.into()]).await;
    let set: Result<u64, daohu_db::Error> =
        app.context.db.write(move |tx| async move { alive(tx).await }.boxed()).await;
    set.unwrap();
    app.jobs.clean().await.unwrap();
    assert_eq!(client.json(&path).await["state"], "running");
    app.clock.advance_minutes(3);
    app.jobs.clean().await.unwrap();
    assert_eq!(client.json(&path).await["state"], "queued");
}

#[tokio::test]
async fn files_go_when_their_time_is_over() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let user = app.user(COUNTY).await;
        let client = app.signed_in(&user).await;
        let dry = client.import(TWO, &[("dry_run", "true")]).await;
        app.jobs.run_queued().await.unwrap();
        let waiting = client.import(TWO, &[]).await;
        // Something else in the folder is not ours.
        std::fs::write(app.files.join("other"), "x").unwrap();
        // Uploads that were cut off with their server: an old one and a new one.
        for (id, seconds) in [("00", 2_592_000), ("01", 1_577_836_800 + 86_400 * 400)] {
            let folder = app.files.join(format!("0175ed76-fe80-78d2-9dc8-80a38f3613{id}.partial"));
            std::fs::create_dir(&folder).unwrap();
            let at = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
            std::fs::File::open(&folder).unwrap().set_modified(at).unwrap();
        }
        // One that is tried again waits as long as if it were new.
        let again = client.import(TWO, &[("dry_run", "true")]).await;
        app.clock.advance_minutes(24 * 60);
        let client = app.signed_in(&user).await;
        let stop = format!("{again}/cancel");
        client.post(&stop, json!({})).send().await.expect(202);
        client.post(&format!("{again}/retry"), json!({})).send().await.expect(202);
        app.clock.advance_minutes(6 * 24 * 60 - 1);
        app.jobs.clean().await.unwrap();
        let client = app.signed_in(&user).await;
        assert_eq!(client.get(&format!("{dry}/report")).send().await.status, 200);

        app.clock.advance_minutes(2);
        app.jobs.clean().await.unwrap();
        let left: Vec<_> = std::fs::read_dir(&app.files).unwrap().collect();
        assert_eq!(left.len(), 3, "{left:?}");
        assert_eq!(client.json(&again).await["state"], "queued", "{engine:?}");
        client.post(&stop, json!({})).send().await.expect(202);
        assert!(app.files.join("other").exists());
        let report = client.get(&format!("{dry}/report")).send().await;
        report.problem(409, "job.files_gone");
        let retry = client.post(&format!("{dry}/retry"), json!({})).send().await;
        retry.problem(409, "job.files_gone");
        let job = client.json(&dry).await;
        assert_eq!((&job["state"], &job["has_report"]), (&json!("done"), &json!(false)));
        assert!(job.get("files_until").is_none());
        // What waited until then will not be carried out any more.
        let job = client.json(&waiting).await;
        assert_eq!(
            (&job["state"], &job["problem"]["code"]),
            (&json!("failed"), &json!("job.files_gone"))
        );
        // In the end the job itself.
        app.clock.advance_minutes(392 * 24 * 60);
        app.jobs.clean().await.unwrap();
        assert_eq!(app.count_rows("jobs").await, 3, "{engine:?}");
        app.clock.advance_minutes(9 * 24 * 60);
        app.jobs.clean().await.unwrap();
        assert_eq!(app.count_rows("jobs").await, 0, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_met_a_change_is_begun_again_as_often_as_is_allowed() {
    // On SQLite nobody writes between what an import reads and what it stores.
    let app = TestApp::new(Engine::Postgres).await;
    seed::registry(&app).await;
    let client = app.client(COUNTY).await;
    let jobs = app.jobs.clone();
    let runner = tokio::spawn(async move { jobs.run().await });
    let attempts_max = app.context.policy.exchange().job_attempts_max;
    for (begun, village) in [(1, "990101100201"), (attempts_max, "990101101200")] {
        // What an import waits for before its first row, when all is decided.
        let lock = "update journal_heads set sequence = sequence";
        let work = async move |tx: &mut Tx| tx.execute(lock, &[]).await.map(drop);
        let held = testing::hold(&app.context.db, move |tx| async move { work(tx).await }.boxed());
        let held = held.await;
        let text = format!("户编号,行政村代码\nH003,{village}\nN{begun},{village}\n");
        let path = client.import(&text, &[]).await;
        // The rows are counted before they are decided: it has to stand at the lock.
        let waits = "select 1 from pg_locks waits join pg_locks writes on writes.pid = waits.pid
                      where not waits.granted and writes.relation = 'journal_heads'::regclass";
        let stands = async {
            while app.rows(waits).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, stands).await.expect("the import to wait");
        app.execute("update households set version = version + 1 where no = 'H003'").await;
        let begun_often = format!("update jobs set attempts = {begun} where state = 'running'");
        app.execute(begun_often.leak()).await;
        held.release().await;
        let job = until(&client, &path, |job| job["ended_at"].is_string()).await;
        let outcome = (&job["state"], &job["attempts"], &job["problem"]["code"]);
        let (again, refused) = (json!(begun + 1), json!("exchange.changed_meanwhile"));
        let expected = match begun {
            1 => (&json!("done"), &again, &Value::Null),
            _ => (&json!("refused"), &json!(begun), &refused),
        };
        assert_eq!(outcome, expected, "{job}");
    }
    let home = "select village from households where no = 'H003'";
    assert_eq!(app.rows(home).await[0].text(0).unwrap(), "990101100201");
    app.jobs.stop();
    tokio::time::timeout(PATIENCE, runner).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_waits_for_its_turn_is_stopped_at_once() {
    // On SQLite who holds the writer holds the wish to stop up as well.
    let app = TestApp::new(Engine::Postgres).await;
    seed::registry(&app).await;
    app.clock.advance_minutes(24 * 60);
    let client = app.client(COUNTY).await;
    let jobs = app.jobs.clone();
    let runner = tokio::spawn(async move { jobs.run().await });
    let release = hold(&app, None).await;
    let lines = json!([{ "from": "990101100200", "to": "990101100209", "name": "新村" }]);
    let on = app.act().at.day().to_string();
    let asked = client.post("/area-changes", json!({ "on": on, "lines": lines })).send().await;
    let change = format!("/jobs/{}", asked.expect(202)["id"].as_str().unwrap());
    until(&client, &change, |job| job["state"] == "running").await;
    client.post(&format!("{change}/cancel"), json!({})).send().await.expect(202);
    let job = until(&client, &change, |job| job["state"] != "running").await;
    assert_eq!(job["state"], "cancelled", "{job}");
    // One that is put back by a server that stops is carried out by the next.
    client.post(&format!("{change}/retry"), json!({})).send().await.expect(202);
    until(&client, &change, |job| job["state"] == "running").await;
    app.jobs.stop();
    tokio::time::timeout(PATIENCE, runner).await.unwrap().unwrap();
    assert_eq!(client.json(&change).await["state"], "queued");
    release.send(()).unwrap();
    assert!(app.rows("select id from area_changes").await.is_empty());
    let next = Jobs::new(app.context.clone(), app.files.clone()).unwrap();
    next.run_queued().await.unwrap();
    assert_eq!(client.json(&change).await["state"], "done");
    assert_eq!(app.rows("select id from area_changes").await.len(), 1);
}

//! How good records were, day by day.

use std::time::Duration;

use daohu_app::{
    journal::seal_all,
    quality::{keep_trend_once, record},
};
use daohu_base::AreaCode;
use daohu_db::{Engine, FutureExt, Tx, testing::hold};
use daohu_policy::Policy;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp, config},
    jobs::TWO,
    quality::{fill, import, second_county},
    seed,
};

const DAY_MINUTES: i64 = 24 * 60;
/// What a point and the report of its area have in common.
const FIGURES: [&str; 3] = ["rows", "clean", "score"];

async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    fill(&app).await;
    app
}

async fn points(client: &Client, path: &str) -> Vec<Value> {
    let told = client.json(path).await;
    told["points"].as_array().unwrap().clone()
}

async fn trend(client: &Client, area: &str) -> Vec<Value> {
    points(client, &format!("/areas/{area}/quality/trend")).await
}

fn hits(point: &Value) -> i64 {
    point["hits"].as_object().unwrap().values().map(|hits| hits.as_i64().unwrap()).sum()
}

/// Keeps the trend as a server does; gives how many counties were judged.
async fn keep(app: &TestApp) -> usize {
    seal_all(&app.context).await.unwrap();
    keep_trend_once(&app.context).await.unwrap()
}

/// Sets fields of the household with faults.
async fn mend(app: &TestApp, fields: Value) {
    let (home, version) = seed::household_no(app, "Q2").await;
    let clerk = app.client(&["office_clerk@990101"]).await;
    let call = clerk.patch(&format!("/households/{home}"), fields).if_match(version);
    call.send().await.expect(200);
}

#[tokio::test]
async fn points_of_one_pass_are_what_the_report_of_each_area_says() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        second_county(&app).await;
        let province = AreaCode::parse("99").unwrap();
        let recorded = json!(record(&app.context, province).await.unwrap());
        let counties =
            [("990101", 7), ("990102", 4)].map(|(c, n)| json!({ "county": c, "points": n }));
        assert_eq!(recorded, json!(counties), "{engine:?}");
        let client = app.client(&["office_clerk@99"]).await;
        let areas = app.rows("select area from quality_trend order by area").await;
        assert_eq!(areas.len(), 11, "{engine:?}");
        for row in &areas {
            let area = row.text(0).unwrap();
            let [point] = &trend(&client, area).await[..] else { panic!("{engine:?} {area}") };
            let report = client.json(&format!("/areas/{area}/quality")).await;
            for name in FIGURES {
                assert_eq!(point[name], report[name], "{engine:?} {area} {name}");
            }
            for rule in report["rules"].as_array().unwrap() {
                let told = &point["hits"][rule["rule"].as_str().unwrap()];
                let told = told.as_i64().unwrap_or_default();
                assert_eq!(json!(told), rule["hits"], "{engine:?} {area} {rule}");
            }
            assert_eq!(point["on"], "2020-11-22");
        }
        // There is something to compare: in villages, and of areas themselves.
        assert!(hits(&trend(&client, "990101101200").await[0]) > 10, "{engine:?}");
        assert_eq!(trend(&client, "990102100").await[0]["hits"]["R33"], 3, "{engine:?}");
    }
}

#[tokio::test]
async fn what_is_mended_shows_the_next_day_and_a_day_has_one_point() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        assert_eq!(keep(&app).await, 1, "{engine:?}");
        let phone = json!({ "phone": "13800000002" });
        mend(&app, phone).await;
        // The day has its point.
        assert_eq!(keep(&app).await, 0, "{engine:?}");
        app.clock.advance_minutes(DAY_MINUTES);
        assert_eq!(keep(&app).await, 1, "{engine:?}");
        let client = app.client(&["office_clerk@990101"]).await;
        for area in ["990101", "990101101", "990101101200"] {
            let told = trend(&client, area).await;
            let days: Vec<&Value> = told.iter().map(|point| &point["on"]).collect();
            assert_eq!(days, ["2020-11-22", "2020-11-23"], "{engine:?} {area}");
            assert_eq!(hits(&told[1]), hits(&told[0]) - 1, "{engine:?} {told:?}");
            assert_eq!(
                (&told[0]["hits"]["R13"], &told[1]["hits"]["R13"]),
                (&json!(1), &json!(null))
            );
        }
        // The household is clean when all is mended; who takes a point by hand replaces the day's.
        let mended = "户编号,行政村代码,户主姓名,脱贫年度,脱贫状态,危房等级,是否危房户,住房面积,经度,纬度\n\
                      Q2,990101101200,坏一,2015,已脱贫,A,否,90,108.5,28.5\n";
        import(&app, &[("households.csv", mended.to_owned())]).await;
        let county = AreaCode::parse("990101").unwrap();
        record(&app.context, county).await.unwrap();
        let told = trend(&client, "990101101200").await;
        assert_eq!(told.len(), 2, "{engine:?} {told:?}");
        assert!(hits(&told[1]) < hits(&told[0]) - 1, "{engine:?} {told:?}");
        let score = |point: &Value| point["score"].as_f64().unwrap();
        assert!(score(&told[1]) >= score(&told[0]), "{engine:?} {told:?}");
        // Days are chosen, and those of a year are all that one answer tells.
        let path = "/areas/990101/quality/trend";
        for (days, count) in [
            ("until=2020-11-22", 1),
            ("from=2020-11-23", 1),
            ("from=2020-11-22&until=2020-11-23", 2),
            ("until=2020-11-21", 0),
        ] {
            let told = points(&client, &format!("{path}?{days}")).await;
            assert_eq!(told.len(), count, "{engine:?} {days}");
        }
        for bad in ["from=2020-11-24", "from=2019-10-20"] {
            let refused = client.get(&format!("{path}?{bad}")).send().await;
            refused.field_problem("from", "quality.bad_period");
        }
    }
}

#[tokio::test]
async fn counties_that_changed_are_judged_and_none_during_an_import() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        second_county(&app).await;
        assert_eq!(keep(&app).await, 2, "{engine:?}");
        app.clock.advance_minutes(DAY_MINUTES);
        assert_eq!(keep(&app).await, 0, "{engine:?}");
        mend(&app, json!({ "phone": "13800000002" })).await;
        // An import that runs, here or on another server.
        let client = app.client(&["office_clerk@99"]).await;
        let job = client.import(TWO, &[]).await;
        app.execute("update jobs set state = 'running', server = 'other'").await;
        assert_eq!(keep(&app).await, 0, "{engine:?}");
        app.execute("update jobs set state = 'queued', server = null").await;
        app.jobs.run_queued().await.unwrap();
        assert_eq!(client.json(&job).await["state"], "done", "{engine:?}");
        assert_eq!(keep(&app).await, 1, "{engine:?}");
        let (first, second) = (trend(&client, "990101").await, trend(&client, "990102").await);
        assert_eq!((first.len(), second.len()), (2, 1), "{engine:?}");
        // What it brought is there.
        let rows = |point: &Value| point["rows"].as_i64().unwrap();
        assert_eq!(rows(&first[1]), rows(&first[0]) + 2, "{engine:?} {first:?}");
    }
}

#[tokio::test]
async fn points_end_when_the_policy_says() {
    let days = "[quality_trend]\nsource = 'a test'\nkept_days = 2\n";
    for engine in Engine::BOTH {
        let policy = Policy::embedded_and([("test.toml", days)]).unwrap();
        let app = TestApp::governed(engine, config(), policy).await;
        fill(&app).await;
        let mut left = Vec::new();
        for n in 0..3 {
            mend(&app, json!({ "phone": format!("1380000000{n}") })).await;
            assert_eq!(keep(&app).await, 1, "{engine:?}");
            left.push(app.count_rows("quality_trend").await);
            app.clock.advance_minutes(DAY_MINUTES);
        }
        // Seven areas, stored anew when half of their time is over; the first day has gone.
        assert_eq!(left, [7, 14, 14], "{engine:?}");
        let client = app.client(&["office_clerk@990101"]).await;
        let days = trend(&client, "990101").await;
        assert_eq!(days[0]["on"], "2020-11-23", "{engine:?}");
        // Without a change as well: what goes was told anew before.
        app.clock.advance_minutes(DAY_MINUTES);
        assert_eq!(keep(&app).await, 1, "{engine:?}");
        assert_eq!(app.count_rows("quality_trend").await, 7, "{engine:?}");
        let client = app.client(&["office_clerk@990101"]).await;
        let told = trend(&client, "990101100200").await;
        assert_eq!(told.len(), 1, "{engine:?}");
        assert_eq!(told[0]["on"], "2020-11-26", "{engine:?}");
    }
}

#[tokio::test]
async fn an_older_picture_does_not_replace_a_newer_one() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        // Somebody who saw more of the county stores a point of it, while it is judged here.
        let newer = async move |tx: &mut Tx| {
            let lock = "update areas set version = version where code = '990101'";
            tx.execute(lock, &[]).await?;
            let point = "insert into quality_trend (county, area, judged_on, row_count, clean_count, hits, sequence)
                         values ('990101', '990101', '2020-11-22', 1, 1, '{}', 1000000)";
            tx.execute(point, &[]).await.map(drop)
        };
        let held = hold(&app.context.db, move |tx| async move { newer(tx).await }.boxed()).await;
        let released = held.release_after(Duration::from_millis(500));
        let recorded = record(&app.context, AreaCode::parse("990101").unwrap()).await.unwrap();
        released.await.unwrap();
        assert_eq!(json!(recorded), json!([{ "county": "990101", "points": 0 }]), "{engine:?}");
        let points = app.rows("select area, row_count from quality_trend").await;
        let [point] = &points[..] else { panic!("{engine:?} {points:?}") };
        assert_eq!(point.int(1).unwrap(), 1, "{engine:?}");
        // On a later day it is the same: what was seen here is older than what is on record.
        app.clock.advance_minutes(DAY_MINUTES);
        assert_eq!(keep(&app).await, 1, "{engine:?}");
        assert_eq!(app.count_rows("quality_trend").await, 1, "{engine:?}");
    }
}

#[tokio::test]
async fn a_county_without_households_says_so_and_what_did_not_change_says_nothing() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        keep(&app).await;
        let (changed, quiet) = ("990101101200", "990101100200");
        app.clock.advance_minutes(DAY_MINUTES);
        mend(&app, json!({ "phone": "13800000002" })).await;
        assert_eq!(keep(&app).await, 1, "{engine:?}");
        let client = app.client(&["office_clerk@990101"]).await;
        // The county, a township and its village have another point; the others go on as they were.
        assert_eq!(app.count_rows("quality_trend").await, 10, "{engine:?}");
        assert_eq!(trend(&client, quiet).await.len(), 1, "{engine:?}");
        // Of a later period, the first day is as it was left.
        for (area, taken_on) in [(changed, "2020-11-23"), (quiet, "2020-11-22")] {
            let path = format!("/areas/{area}/quality/trend");
            let last = trend(&client, area).await.pop().unwrap();
            assert_eq!(last["oldest_on"], taken_on, "{engine:?} {area}");
            let told = points(&client, &format!("{path}?from=2020-11-23")).await;
            let mut expected = last.clone();
            expected["on"] = json!("2020-11-23");
            assert_eq!(told, [expected], "{engine:?} {area}");
        }
        // Taken twice a day, the second time as the day before: nothing is left of the first.
        app.clock.advance_minutes(DAY_MINUTES);
        let county = AreaCode::parse("990101").unwrap();
        let stored = async || json!(record(&app.context, county.clone()).await.unwrap());
        assert_eq!(stored().await[0]["points"], 1, "{engine:?}");
        mend(&app, json!({ "phone": "1380000000" })).await;
        assert_eq!(stored().await[0]["points"], 3, "{engine:?}");
        mend(&app, json!({ "phone": "13800000003" })).await;
        assert_eq!(stored().await[0]["points"], 1, "{engine:?}");
        let client = app.client(&["office_clerk@990101"]).await;
        assert_eq!(trend(&client, changed).await.len(), 2, "{engine:?}");
        // The last household goes, as where an import is undone.
        app.clock.advance_minutes(DAY_MINUTES);
        app.execute("delete from incomes").await;
        app.execute("delete from pairings").await;
        app.execute("delete from persons").await;
        app.execute("delete from households").await;
        app.execute("update journal_heads set sequence = sequence + 1").await;
        assert_eq!(keep(&app).await, 1, "{engine:?}");
        let client = app.client(&["office_clerk@990101"]).await;
        for area in ["990101", "990101101", changed] {
            let told = trend(&client, area).await.pop().unwrap();
            let is = (&told["on"], &told["rows"], &told["score"]);
            assert_eq!(is, (&json!("2020-11-25"), &json!(0), &json!(null)), "{engine:?} {area}");
        }
        assert_eq!(trend(&client, quiet).await.len(), 1, "{engine:?}");
        app.clock.advance_minutes(DAY_MINUTES);
        app.execute("update journal_heads set sequence = sequence + 1").await;
        assert_eq!(keep(&app).await, 0, "{engine:?}");
    }
}

#[tokio::test]
async fn a_trend_is_told_of_areas_inside_the_scope_and_of_no_others() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        keep(&app).await;
        let path = |area: &str| format!("/areas/{area}/quality/trend");
        let clerk = app.client(&["village_clerk@990101101"]).await;
        for inside in ["990101101", "990101101200"] {
            assert_eq!(trend(&clerk, inside).await.len(), 1, "{engine:?} {inside}");
        }
        for outside in ["990101", "990101100", "990101100200", "980101", "99010110120001", "x"] {
            clerk.get(&path(outside)).send().await.problem(404, "record.not_found");
        }
        let office = app.client(&["office_clerk@99"]).await;
        office.get(&path("990199")).send().await.problem(404, "record.not_found");
        clerk.get(&path("9901")).send().await.problem(404, "record.not_found");
        for above in ["99", "9901"] {
            let told = trend(&office, above).await;
            assert_eq!((told.len(), &told[0]["counties"]), (1, &json!(1)), "{engine:?} {above}");
        }
        let system = app.client(&["system_admin"]).await;
        system.get(&path("990101")).send().await.problem(403, "auth.forbidden");
    }
}

#[tokio::test]
async fn the_trend_of_an_earlier_code_stays_with_it() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        keep(&app).await;
        app.clock.advance_minutes(DAY_MINUTES);
        let (old, new) = ("990101101200", "990101101209");
        let office = app.client(&["office_clerk@990101"]).await;
        // Before the change the old code is as it was, afterwards it has nothing and the new one has it.
        let county = AreaCode::parse("990101").unwrap();
        record(&app.context, county.clone()).await.unwrap();
        assert_eq!(trend(&office, old).await.len(), 1, "{engine:?}");
        let change = json!({
            "on": "2020-11-23",
            "lines": [{ "from": old, "to": new, "name": "南乙一村" }], "dry_run": false,
        });
        let job = app.done(&office, "/area-changes", change).await;
        assert_eq!(job["state"], "done", "{job}");
        record(&app.context, county).await.unwrap();
        let (before, after) = (trend(&office, old).await, trend(&office, new).await);
        let days = [&before, &after].map(|points| json!(points)[0]["on"].clone());
        assert_eq!(days, [json!("2020-11-22"), json!("2020-11-23")], "{engine:?}");
        assert_eq!((before.len(), after.len()), (2, 1), "{engine:?}");
        assert_eq!(after[0]["rows"], before[0]["rows"], "{engine:?}");
        assert_eq!((&before[1]["on"], &before[1]["rows"]), (&after[0]["on"], &json!(0)));
    }
}

#[tokio::test]
async fn above_counties_each_day_is_the_sum_of_their_last_points() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        keep(&app).await;
        app.clock.advance_minutes(DAY_MINUTES);
        second_county(&app).await;
        keep(&app).await;
        app.clock.advance_minutes(DAY_MINUTES);
        mend(&app, json!({ "phone": "13800000002" })).await;
        keep(&app).await;
        let client = app.client(&["office_clerk@99"]).await;
        let (first, second) = (trend(&client, "990101").await, trend(&client, "990102").await);
        assert_eq!((first.len(), second.len()), (2, 1), "{engine:?}");
        for area in ["99", "9901"] {
            let told = trend(&client, area).await;
            let days: Vec<&Value> = told.iter().map(|point| &point["on"]).collect();
            assert_eq!(days, ["2020-11-22", "2020-11-23", "2020-11-24"], "{engine:?} {area}");
            // The second county is judged on the second day, and counts with that on the third.
            let parts =
                [(&first[0], None), (&first[0], Some(&second[0])), (&first[1], Some(&second[0]))];
            for (sum, (one, other)) in told.iter().zip(parts) {
                for name in ["rows", "clean"] {
                    let of = |point: &Value| point[name].as_i64().unwrap();
                    let expected = of(one) + other.map_or(0, of);
                    assert_eq!(sum[name], json!(expected), "{engine:?} {sum}");
                }
                assert_eq!(hits(sum), hits(one) + other.map_or(0, hits), "{engine:?} {sum}");
            }
            let made_of =
                |n: usize| ["counties", "without", "oldest_on"].map(|name| told[n][name].clone());
            assert_eq!(made_of(0), [json!(1), json!(1), json!("2020-11-22")], "{engine:?}");
            assert_eq!(made_of(1), [json!(2), json!(0), json!("2020-11-22")], "{engine:?}");
            assert_eq!(made_of(2), [json!(2), json!(0), json!("2020-11-23")], "{engine:?}");
            // Of a shorter period, the last point before it.
            let path = format!("/areas/{area}/quality/trend?from=2020-11-24");
            assert_eq!(points(&client, &path).await, told[2..], "{engine:?}");
        }
        assert_eq!(first[0]["counties"], Value::Null, "{engine:?}");
    }
}

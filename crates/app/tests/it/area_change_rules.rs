//! What a change of areas refuses, whom it tells what, and what begins with it.

use daohu_app::area_changes::Line;
use daohu_base::AreaCode;
use daohu_db::Engine;
use serde_json::json;

use crate::area_changes::{TODAY, YESTERDAY, carry_out, change_on, households, line, part, start};

#[tokio::test]
async fn a_change_is_tried_first_and_only_inside_ones_area() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let body = |from: &str, to: &str, dry_run: bool| json!({ "on": TODAY, "lines": [{ "from": from, "to": to, "name": "新村" }], "dry_run": dry_run });
        let path = "/area-changes";
        let job = app.done(&office, path, body("990101100200", "990101100209", true)).await;
        let tried = &job["area_change"];
        assert_eq!(
            (&job["state"], &tried["committed"], &tried["households"]),
            (&json!("done"), &json!(false), &json!(3)),
            "{engine:?}"
        );
        assert_eq!((&job["rows_done"], &job["rows_total"]), (&json!(3), &json!(3)), "{job}");
        assert_eq!(households(&office, "990101100200").await.len(), 3);
        assert!(app.rows("select 1 from area_changes").await.is_empty());
        // Somebody else's area, from or to; and a county's own code, which lies above.
        for (from, to) in [
            ("980101100200", "980101100209"),
            ("990101100200", "980101100209"),
            ("990101", "990102"),
        ] {
            let refused = office.post(path, body(from, to, false)).send().await;
            assert_eq!(refused.status, 404, "{engine:?} {from}");
        }
        let future = json!({ "on": "2020-11-24", "lines": [{ "from": "990101100200", "to": "990101100209" }] });
        office.post(path, future).send().await.field_problem("on", "area_change.future");
        let clerk = app.client(&["village_clerk@990101"]).await;
        assert_eq!(
            clerk.post(path, body("990101100200", "990101100209", true)).send().await.status,
            403
        );
        // Done on the day; the next change of the same area comes after it.
        let again = format!("/jobs/{}/retry", job["id"].as_str().unwrap());
        let job = app.done(&office, &again, json!({})).await;
        assert_eq!(job["area_change"]["committed"], true, "{engine:?} {job}");
        let again = office.post(&again, json!({})).send().await;
        again.problem(409, "job.stored");
        let again = office.post(path, body("990101100209", "990101100208", false)).send().await;
        again.field_problem("lines.1.from", "area_change.not_begun");
        let listed = office.get(path).send().await.expect(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let foreign = app.client(&["office_clerk@980101"]).await;
        let listed = foreign.get(path).send().await.expect(200);
        assert!(listed["items"].as_array().unwrap().is_empty(), "{engine:?}");
        assert!(AreaCode::parse("990101100209").is_ok());
    }
}

#[tokio::test]
async fn what_a_line_names_must_be_there_and_days_go_forward() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let tried =
            async |on: &str, lines: Vec<Line>| match change_on(&app, (on, None), lines).await {
                Err(daohu_app::Error::Invalid(faults)) => {
                    faults.into_iter().map(|f| (f.value.unwrap_or_default(), f.code)).collect()
                }
                other => panic!("{other:?}"),
            };
        let typo = vec![
            part("990101100200", "990101100200", "", &[], &[]),
            part("990101100200", "990101100203", "南甲三村", &[], &["H00Z"]),
        ];
        let refused: Vec<(String, &str)> = tried(TODAY, typo).await;
        assert_eq!(refused, [("H00Z".to_owned(), "area_change.no_household")], "{engine:?}");
        // A household whose number the other county has.
        let over = tried(TODAY, vec![line("980101100200", "990101100209", "北村")]).await;
        assert_eq!(over, [("H001".to_owned(), "area_change.number_taken")], "{engine:?}");
        // A village whose code began yesterday cannot end the day before, by whatever line.
        carry_out(&app, vec![line("990101100200", "990101100209", "")]).await;
        let refused = tried(YESTERDAY, vec![line("990101100", "990101109", "新乡")]).await;
        let late = |code: &str| (code.to_owned(), "area_change.not_begun");
        assert!(refused.contains(&late("990101100209")), "{engine:?} {refused:?}");
        let refused = tried(YESTERDAY, vec![line("990101100201", "990101100209", "")]).await;
        assert_eq!(refused, [late("990101100209")], "{engine:?}");
    }
}

#[tokio::test]
async fn a_change_is_told_as_far_as_it_is_ones_own() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let lines = vec![
            line("990101100201", "990101100209", ""),
            line("990101101200", "990101101209", ""),
        ];
        carry_out(&app, lines).await;
        let listed = async |grant: &str| {
            let client = app.client(&[grant]).await;
            let page = client.get("/area-changes").send().await.expect(200);
            let change = page["items"][0].clone();
            (change["lines"].as_array().map(Vec::len), change["households"].as_i64())
        };
        assert_eq!(listed("inspector@990101").await, (Some(2), Some(2)), "{engine:?}");
        assert_eq!(listed("inspector@990101101").await, (Some(1), None), "{engine:?}");
        assert_eq!(listed("inspector@980101").await, (None, None), "{engine:?}");
    }
}

#[tokio::test]
async fn a_team_that_begins_with_the_new_code_begins_there() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        app.execute("update teams set starts_on = '2020-12-01', version = 1").await;
        app.execute("delete from journal_pending where kind = 'team_member'").await;
        let lines = vec![line("990101101200", "990101101209", "")];
        let told = change_on(&app, (TODAY, None), lines).await.unwrap();
        assert_eq!(told.helpers, 2, "{engine:?}");
        let rows = app.rows("select village, starts_on, ends_on from teams").await;
        assert_eq!(rows.len(), 1, "{engine:?}");
        assert_eq!(rows[0].text(0).unwrap(), "990101101209");
        assert_eq!(rows[0].opt_text(2).unwrap(), None);
    }
}

#[tokio::test]
async fn a_team_that_begins_later_begins_in_the_other_county() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        app.execute("update teams set starts_on = '2020-12-01', version = 1").await;
        app.execute("delete from journal_pending where kind = 'team_member'").await;
        change_on(&app, (TODAY, None), vec![line("990101", "990102", "南区")]).await.unwrap();
        let sql = "select county, village, starts_on, ends_on from teams order by county";
        let rows = app.rows(sql).await;
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.text(0).unwrap(), row.text(2).unwrap(), row.opt_text(3).unwrap()))
            .collect();
        let day = "2020-12-01";
        let expected = [("990101", day, Some(day)), ("990102", day, None)];
        assert_eq!(rows, expected, "{engine:?}");
    }
}

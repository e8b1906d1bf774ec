//! The trajectory of a household: what changed its state, day by day, as the journal tells it.

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    area_changes::{carry_out, line},
    harness::{Client, TestApp},
    seed,
};

const DAY_MINUTES: i64 = 24 * 60;

/// Ten days later the household is written: a column and its value. Gives the day.
async fn later(app: &TestApp, column: &str, value: &str) -> String {
    app.clock.advance_minutes(10 * DAY_MINUTES);
    let text = format!("户编号,行政村代码,户主姓名,{column}\nH003,990101100200,李四,{value}\n");
    assert!(app.import_text("households", &text).await.committed);
    app.act().at.day().to_string()
}

async fn told(client: &Client, id: i64, query: &str) -> Value {
    client.json(&format!("/households/{id}/trajectory{query}")).await
}

fn rules(event: &Value, kind: &str) -> Vec<(String, Value, Value)> {
    let changes = event["changes"].as_array().unwrap().iter();
    let of_kind = changes.filter(|own| own["kind"] == kind);
    let told = of_kind.map(|own| {
        (own["rule"].as_str().unwrap().to_owned(), own["before"].clone(), own["after"].clone())
    });
    told.collect()
}

#[tokio::test]
async fn every_change_of_state_is_an_event_with_what_was_written() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let first = app.act().at.day().to_string();
        let id = app.rows("select id from households where no = 'H003'").await[0].int(0).unwrap();
        let unsafe_on = later(&app, "饮水是否安全", "否").await;
        later(&app, "联系电话", "13800000009").await;
        let back_on = later(&app, "脱贫状态", "返贫").await;
        let income = "户编号,年度,工资性收入,家庭人口\nH003,2019,9000,1\n";
        app.clock.advance_minutes(DAY_MINUTES);
        assert!(app.import_text("incomes", income).await.committed);

        let office = app.client(&["office_clerk@990101"]).await;
        let whole = told(&office, id, "").await;
        let events = whole["events"].as_array().unwrap();
        let on: Vec<&Value> = events.iter().map(|event| &event["on"]).collect();
        let own = [&back_on, &unsafe_on, &first].map(|day| json!(day));
        assert!(own.iter().all(|day| on.contains(&day)), "{on:?}");
        assert!(on.is_sorted_by(|one, next| one.as_str() > next.as_str()), "{on:?}");

        let event = |day: &str| events.iter().find(|event| event["on"] == day).unwrap();
        let water = event(&unsafe_on);
        assert_eq!(rules(water, "guarantee"), [("water".into(), json!("met"), json!("unmet"))]);
        assert_eq!(
            (&water["overall"], &water["overall_before"]),
            (&json!("未达标"), &json!("待核实"))
        );
        let [wrote] = &water["wrote"].as_array().unwrap()[..] else { panic!("{water}") };
        assert_eq!((&wrote["title"], &wrote["value"]), (&json!("饮水是否安全"), &json!("否")));
        assert!(wrote["source"]["source"].as_str().unwrap().starts_with("import"), "{wrote}");
        let back = rules(event(&back_on), "class");
        assert!(back.contains(&("exited".into(), json!("met"), Value::Null)), "{back:?}");
        let begin = event(&first);
        assert_eq!(begin["overall_before"], Value::Null);

        assert_eq!(
            whole["spells"],
            json!([
                { "from_year": 2015, "from_on": null, "until_year": 2016, "until_on": null,
                  "is_open": false, "is_relapse": false },
                { "from_year": null, "from_on": back_on, "until_year": null, "until_on": null,
                  "is_open": true, "is_relapse": true },
            ])
        );
        let [year] = &whole["years"].as_array().unwrap()[..] else { panic!("{whole}") };
        assert_eq!((&year["year"], &year["income_per_head_fen"]), (&json!(2019), &json!(900_000)));
        assert!(year["line_fen"].as_i64().unwrap() > 200_000);

        // Part by part it is the same.
        let (mut parts, mut query) = (Vec::new(), "?limit=1".to_owned());
        loop {
            let part = told(&office, id, &query).await;
            parts.extend(part["events"].as_array().unwrap().iter().cloned());
            let Some(next) = part["next"].as_str() else { break };
            query = format!("?limit=1&before={next}");
        }
        assert_eq!(&parts, events);

        let path = format!("/households/{id}/trajectory");
        let north = app.client(&["office_clerk@980101"]).await;
        north.get(&path).send().await.problem(404, "record.not_found");
        office.get(&format!("{path}?limit=0")).send().await.problem(422, "request.invalid");

        // It goes along to another county.
        app.clock.advance_minutes(DAY_MINUTES);
        carry_out(&app, vec![line("990101", "990102", "南区")]).await;
        let city = app.client(&["office_clerk@9901"]).await;
        let moved = told(&city, id, "").await;
        assert_eq!((&moved["events"], &moved["spells"]), (&whole["events"], &whole["spells"]));
    }
}

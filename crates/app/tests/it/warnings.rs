//! Warnings: raised once, cleared, closed, counted, and seen by those who may.

use std::sync::atomic::Ordering;

use daohu_app::{
    Error,
    jobs::Ticket,
    undo,
    warnings::{self, Asked, Done, RuleDone},
};
use daohu_base::{Actor, AreaCode, Scope};
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    area_changes::{assert_whole, carry_out, line},
    harness::{Answer, Client, TestApp},
    seed,
};

const REASON: &str = "入户核查，水源不达标";
const DAY_MINUTES: i64 = 24 * 60;

fn asked(area: Option<&str>, dry_run: bool) -> Asked {
    Asked { area: area.map(|area| AreaCode::parse(area).unwrap()), on: None, dry_run }
}

async fn try_run(app: &TestApp, asked: Asked) -> Result<Done, Error> {
    let actor = Actor::command("monitor warn");
    warnings::run(&app.context, &actor, asked, &Ticket::default()).await
}

async fn run(app: &TestApp) -> Done {
    try_run(app, asked(None, false)).await.unwrap()
}

fn water(done: &Done) -> RuleDone {
    done.rules.get("unsafe_water").copied().unwrap_or_default()
}

/// The water of an exited household of 990101.
async fn set_water(app: &TestApp, is_safe: &str) {
    let text = format!(
        "户编号,行政村代码,户主姓名,脱贫状态,饮水是否安全\nH003,990101100200,李四,已脱贫,{is_safe}\n"
    );
    let told = app.import_text("households", &text).await;
    assert!(told.committed, "{told:?}");
}

/// Warnings of the seed's county 990101.
pub async fn some(app: &TestApp) {
    let done = try_run(app, asked(Some("990101"), false)).await.unwrap();
    assert!(done.rules.values().any(|rule| rule.raised > 0), "{done:?}");
}

async fn list(client: &Client, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.json(&format!("/warnings?limit=1{query}{after}")).await;
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

async fn wet(client: &Client) -> Vec<Value> {
    list(client, "&rule=unsafe_water").await
}

async fn close(client: &Client, warning: &Value, outcome: &str) -> Answer {
    let path = format!("/warnings/{}/closing", warning["id"].as_str().unwrap());
    let body = json!({ "outcome": outcome, "reason": REASON });
    client.post(&path, body).if_match(warning["version"].as_i64().unwrap()).send().await
}

#[tokio::test]
async fn a_warning_is_raised_once_cleared_returned_and_quiet_after_it_was_closed() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        assert_eq!(water(&run(&app).await), RuleDone::default());
        set_water(&app, "否").await;
        let raised = RuleDone { met: 1, raised: 1, ..RuleDone::default() };
        assert_eq!(water(&try_run(&app, asked(None, true)).await.unwrap()), raised);
        assert_eq!(water(&run(&app).await), raised, "a try stored something");
        let again = RuleDone { met: 1, ..RuleDone::default() };
        assert_eq!(water(&run(&app).await), again);
        let office = app.client(&["office_clerk@990101"]).await;
        let [own] = wet(&office).await.try_into().unwrap();
        assert_eq!((&own["household_no"], &own["state"]), (&json!("H003"), &json!("open")));
        assert_eq!((&own["level"], &own["assign"]), (&json!("high"), &json!("responsible_cadre")));
        assert_eq!((&own["title"], &own["cleared_on"]), (&json!("饮水不安全"), &Value::Null));

        set_water(&app, "是").await;
        let cleared = RuleDone { cleared: 1, ..RuleDone::default() };
        assert_eq!(water(&run(&app).await), cleared);
        assert_eq!(water(&run(&app).await), RuleDone::default());
        let [own] = wet(&office).await.try_into().unwrap();
        assert_eq!((&own["state"], own["cleared_on"].is_string()), (&json!("open"), true));
        // What is not known clears nothing and returns nothing.
        set_water(&app, "否").await;
        let returned = RuleDone { met: 1, returned: 1, ..RuleDone::default() };
        assert_eq!(water(&run(&app).await), returned);

        app.clock.advance_minutes(20 * DAY_MINUTES);
        let office = app.client(&["office_clerk@990101"]).await;
        let [own] = list(&office, "&rule=unsafe_water&overdue=true").await.try_into().unwrap();
        assert_eq!((&own["age_days"], &own["cleared_on"]), (&json!(20), &Value::Null));
        let closed = close(&office, &own, "01").await.expect(200);
        assert_eq!((&closed["state"], &closed["outcome"]), (&json!("closed"), &json!("01")));
        assert_eq!((&closed["reason"], &closed["age_days"]), (&json!(REASON), &json!(20)));
        assert_eq!(water(&run(&app).await), again);
        app.clock.advance_minutes(89 * DAY_MINUTES);
        assert_eq!(water(&run(&app).await), again, "it is quiet for 90 days");
        app.clock.advance_minutes(DAY_MINUTES);
        assert_eq!(water(&run(&app).await), raised);
        let office = app.client(&["office_clerk@990101"]).await;
        assert_eq!(wet(&office).await.len(), 2);
        assert_eq!(list(&office, "&rule=unsafe_water&state=open").await.len(), 1);
        set_water(&app, "是").await;
        assert_eq!(water(&run(&app).await), cleared, "the open one is cleared, not the closed one");

        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn what_is_not_known_neither_raises_nor_clears() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        set_water(&app, "否").await;
        assert_eq!(water(&run(&app).await).raised, 1);
        let id = app.rows("select id from households where no = 'H003'").await[0].int(0).unwrap();
        let path = format!("/households/{id}");
        let office = app.client(&["office_clerk@990101"]).await;
        let record = office.json(&path).await;
        let version = record["version"].as_i64().unwrap();
        let blank = office.patch(&path, json!({ "water_is_safe": null })).if_match(version);
        blank.send().await.expect(200);
        assert_eq!(water(&run(&app).await), RuleDone::default());
        let [own] = wet(&office).await.try_into().unwrap();
        assert_eq!(own["cleared_on"], Value::Null);
    }
}

#[tokio::test]
async fn an_exited_household_that_pays_much_for_illness_is_warned_of_in_its_time() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let today = app.act().at.day();
        let year = app.context.policy.monitoring().looked_at(today).year();
        // 5,000 yuan are the bound of the pack: H002 is one yuan below, H004 fell back.
        let text = format!(
            "户编号,年度,家庭人口,工资性收入,合规自付医疗支出\nH004,{year},1,20000,9000\n\
             H002,{year},2,40000,4999\nH003,{year},1,20000,5000\n"
        );
        let told = app.import_text("incomes", &text).await;
        assert!(told.committed, "{told:?}");
        run(&app).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let found = list(&office, "&rule=illness_spending_exited").await;
        let households: Vec<&Value> = found.iter().map(|own| &own["household_no"]).collect();
        assert_eq!(households, ["H003"]);
        let own = &found[0];
        assert_eq!((&own["level"], &own["assign"]), (&json!("high"), &json!("responsible_cadre")));
        let due = daohu_base::Day::parse(own["due_on"].as_str().unwrap()).unwrap();
        assert_eq!(due.epoch_days() - today.epoch_days(), 15);
    }
}

#[tokio::test]
async fn who_lies_outside_is_neither_seen_nor_counted_nor_closed() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        set_water(&app, "否").await;
        run(&app).await;
        let county = app.client(&["office_clerk@990101"]).await;
        let township = app.client(&["village_clerk@990101101"]).await;
        let north = app.client(&["office_clerk@980101"]).await;
        let [own] = wet(&county).await.try_into().unwrap();
        assert!(wet(&township).await.is_empty() && wet(&north).await.is_empty());
        let path = format!("/warnings/{}", own["id"].as_str().unwrap());
        assert_eq!(county.json(&path).await, own);
        for other in [&township, &north] {
            other.get(&path).send().await.problem(404, "record.not_found");
            close(other, &own, "01").await.problem(404, "record.not_found");
            other.get("/warnings?area=990101").send().await.problem(404, "record.not_found");
            other.get("/areas/990101/warnings").send().await.problem(404, "record.not_found");
            let household = format!("&household={}", own["household"]);
            assert!(list(other, &household).await.is_empty());
        }
        let leader = app.client(&["leader@990101"]).await;
        close(&leader, &own, "01").await.problem(403, "auth.forbidden");
        let figures = county.json("/areas/990101/warnings").await;
        let of = |counts: &Value| -> Value {
            let own = counts["counts"].as_array().unwrap().iter();
            own.clone().find(|own| own["of"] == "unsafe_water").cloned().unwrap_or_default()
        };
        assert_eq!(of(&figures["area"])["open"], 1, "{figures}");
        let open = |counts: &Value| -> i64 {
            let own = counts["counts"].as_array().unwrap().iter();
            own.map(|own| own["open"].as_i64().unwrap()).sum()
        };
        let children = figures["children"].as_array().unwrap();
        assert_eq!(children.iter().map(open).sum::<i64>(), open(&figures["area"]));
        assert_eq!(
            i64::try_from(list(&county, "&state=open").await.len()).unwrap(),
            open(&figures["area"])
        );

        close(&county, &own, "不知道").await.field_problem("outcome", "follow_up.bad_outcome");
        let closed = close(&county, &own, "不属实").await.expect(200);
        close(&county, &own, "01").await.problem(412, "record.stale");
        close(&county, &closed, "01").await.problem(409, "follow_up.is_closed");
        let figures = county.json("/areas/990101/warnings").await;
        let told = of(&figures["area"]);
        assert_eq!((&told["closed"], &told["precision_percent"]), (&json!(1), &json!(0.0)));

        let file = county.get("/warnings?area=990101&format=csv&rule=unsafe_water").send().await;
        assert_eq!(file.status, 200, "{}", file.text);
        let text = file.text;
        assert!(text.contains("饮水不安全") && text.contains("不属实"), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_stores_nothing_more() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let ticket = Ticket::default();
        ticket.progress.cancelled.store(true, Ordering::Relaxed);
        let actor = Actor::command("monitor warn");
        let stopped = warnings::run(&app.context, &actor, asked(None, false), &ticket).await;
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        assert_eq!(app.count_rows("warnings").await, 0);
        let unknown = try_run(&app, asked(Some("970101"), false)).await;
        assert!(matches!(unknown, Err(Error::NotFound("area"))), "{unknown:?}");
    }
}

#[tokio::test]
async fn warnings_go_where_their_household_goes() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let text =
            "户编号,行政村代码,户主姓名,脱贫状态,饮水是否安全\nH005,990101101200,张三,已脱贫,否\n";
        assert!(app.import_text("households", text).await.committed);
        assert_eq!(water(&run(&app).await).raised, 1);
        let office = app.client(&["office_clerk@990101"]).await;
        let [before] = wet(&office).await.try_into().unwrap();
        close(&office, &before, "02").await.expect(200);
        app.clock.advance_minutes(DAY_MINUTES);
        carry_out(&app, vec![line("990101101200", "980101101200", "南乙一村")]).await;
        let north = app.client(&["office_clerk@980101"]).await;
        let [after] = wet(&north).await.try_into().unwrap();
        for same in ["id", "household", "raised_on", "due_on"] {
            assert_eq!(after[same], before[same], "{same}");
        }
        assert_eq!((&after["county"], &after["outcome"]), (&json!("980101"), &json!("02")));
        assert_eq!(water(&run(&app).await).raised, 0, "it is quiet in its new county");
        assert_whole(&app).await;
    }
}

async fn undo_first_import(app: &TestApp) -> Result<(), Error> {
    let row = &app.rows("select id from imports order by id").await[0];
    let import = row.text(0).unwrap().to_owned();
    let scopes = (Scope::all(), Scope::all());
    let (act, ticket) = (app.act(), Ticket::default());
    undo::undo(&app.context, act, scopes, (&import, false), ticket).await.map(drop)
}

#[tokio::test]
async fn warnings_end_with_the_import_of_their_household_unless_somebody_closed_one() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        run(&app).await;
        assert!(app.count_rows("warnings").await > 0);
        let office = app.client(&["office_clerk@990101"]).await;
        let own = list(&office, "&state=open").await.remove(0);
        close(&office, &own, "01").await.expect(200);
        match undo_first_import(&app).await.unwrap_err() {
            Error::InTheWay(_, fields) => {
                let by = fields.iter().flat_map(|field| &field.by);
                assert_eq!(by.filter(|by| by.kind == "warning").count(), 1, "{fields:?}");
            }
            other => panic!("{other:?}"),
        }

        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        run(&app).await;
        assert!(app.count_rows("warnings").await > 0);
        undo_first_import(&app).await.unwrap();
        assert_eq!((app.count_rows("households").await, app.count_rows("warnings").await), (0, 0));
        assert_whole(&app).await;
    }
}

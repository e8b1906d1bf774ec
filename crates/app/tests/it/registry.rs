//! Codes, areas and lists of households.

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    seed,
};

/// More pages than any list of the small country has.
const PAGES_MAX: usize = 20;

async fn app(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    app
}

/// The numbers of the households of all pages of a list.
async fn numbers(client: &Client, query: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = String::new();
    for _ in 0..PAGES_MAX {
        let page = client.get(&format!("/households?{query}{after}")).send().await.expect(200);
        let no = |item: &Value| item["no"].as_str().unwrap().to_owned();
        all.extend(page["items"].as_array().unwrap().iter().map(no));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
    panic!("{query}: the pages have no end: {all:?}")
}

#[tokio::test]
async fn codes_and_names_are_open_and_figures_are_not() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let anybody = app.client(&[]).await;
        let lists = anybody.get("/codes").send().await.expect(200);
        let lists = lists.as_array().unwrap();
        let list = lists.iter().find(|list| list["name"] == "与户主关系").unwrap();
        assert_eq!(
            list["values"][0],
            json!({ "code": "01", "name": "户主",
            "aliases": ["本人"], "marks": ["head"] })
        );
        let list = async |query: &str| {
            let answer = anybody.get(&format!("/areas?{query}")).send().await.expect(200);
            let items = answer["items"].as_array().unwrap().clone();
            items.iter().map(|a| a["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(list("level=01").await, ["98", "99"]);
        assert_eq!(list("parent=990101").await, ["990101100", "990101101"]);
        assert_eq!(list("parent=99&level=05&limit=2").await, ["990101100200", "990101100201"]);
        assert_eq!(
            list("q=%E5%8C%97%E7%94%B2").await,
            ["980101100", "980101100200", "980101100201"]
        );
        assert!(list("parent=990101100200").await.is_empty());
        anybody.get("/areas?parent=1").send().await.field_problem("parent", "area.bad_code");
        anybody.get("/areas?level=9").send().await.field_problem("level", "area.bad_level");
        let first = anybody.get("/areas?limit=10").send().await.expect(200);
        let after = first["next"].as_str().unwrap();
        assert_eq!(list(&format!("limit=10&after={after}")).await.len(), 6);

        anybody.get("/areas/990101100").send().await.problem(403, "auth.forbidden");
        let clerk = app.client(&["village_clerk@990101100"]).await;
        let answer = clerk.get("/areas/990101100").send().await;
        assert_eq!(answer.header("etag"), "\"v1\"");
        assert_eq!(answer.expect(200)["name"], "南甲乡");
        for outside in ["990101", "990101101", "98", "990101100999", "x"] {
            let path = format!("/areas/{outside}");
            clerk.get(&path).send().await.problem(404, "record.not_found");
        }
    }
}

#[tokio::test]
async fn a_list_shows_the_own_area_and_nothing_beside_it() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["village_clerk@990101100"]).await;
        for sort in ["no", "village", "-updated_at", "-no"] {
            let mut all = numbers(&clerk, &format!("sort={sort}&limit=2")).await;
            all.sort();
            assert_eq!(all, ["H001", "H002", "H003", "H004"], "{sort}");
        }
        assert_eq!(numbers(&clerk, "area=990101100201").await, ["H004"]);
        for outside in ["990101", "990101101", "990101101200", "98", "980101100200"] {
            let path = format!("/households?area={outside}");
            clerk.get(&path).send().await.problem(404, "record.not_found");
        }
        clerk.get("/households?area=1").send().await.field_problem("area", "area.bad_code");
        // A page mark of somebody who sees more does not widen anything.
        let leader = app.client(&["leader@98", "leader@99"]).await;
        for sort in ["no", "-no", "village"] {
            let path = format!("/households?sort={sort}&limit=1");
            let mark = leader.get(&path).send().await.expect(200)["next"].clone();
            let after = format!("sort={sort}&after={}", mark.as_str().unwrap());
            for no in numbers(&clerk, &after).await {
                assert!(["H001", "H002", "H003", "H004"].contains(&no.as_str()), "{sort} {no}");
            }
        }
        app.client(&["system_admin"])
            .await
            .get("/households")
            .send()
            .await
            .problem(403, "auth.forbidden");
    }
}

#[tokio::test]
async fn each_level_works_with_its_own_area() {
    let south = ["H001", "H002", "H003", "H004", "H005", "H006"];
    for engine in Engine::BOTH {
        let app = app(engine).await;
        for (grant, sees, village_of_another) in [
            ("leader@99", &south[..], "980101100200"),
            ("office_clerk@990101", &south[..], "980101100200"),
            ("village_clerk@990101100", &south[..4], "990101101200"),
            ("cadre@990101100201", &south[3..4], "990101100200"),
        ] {
            let client = app.client(&[grant]).await;
            assert_eq!(numbers(&client, "").await, sees, "{grant}");
            for (village, status) in [("990101100201", 200), (village_of_another, 404)] {
                let (id, _) = seed::household_in(&app, village).await;
                client.get(&format!("/households/{id}")).send().await.expect(status);
            }
        }
    }
}

#[tokio::test]
async fn orders_go_over_counties_and_pages_stay_whole_under_inserts() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let leader = app.client(&["leader@98", "leader@990101100", "leader@990101101"]).await;
        let up = ["H001", "H008", "H009", "H001", "H002", "H003", "H004", "H005", "H006"];
        let mut down = up;
        down.reverse();
        let villages = ["H001", "H009", "H008", "H001", "H002", "H003", "H004", "H005", "H006"];
        for limit in [1, 2, 4, 200] {
            assert_eq!(numbers(&leader, &format!("limit={limit}")).await, up);
            assert_eq!(numbers(&leader, &format!("sort=-no&limit={limit}")).await, down);
            assert_eq!(numbers(&leader, &format!("sort=village&limit={limit}")).await, villages);
        }
        let path = "/households?sort=-updated_at";
        leader.get(path).send().await.field_problem("sort", "list.sort_needs_county");
        leader.get("/households?sort=name").send().await.field_problem("sort", "list.unknown_sort");

        let page = leader.get("/households?limit=4&area=98").send().await.expect(200);
        assert!(page["next"].is_null());
        let clerk = app.client(&["office_clerk@990101"]).await;
        let first = clerk.get("/households?limit=2").send().await.expect(200);
        let (id, version) = seed::household_no(&app, "H006").await;
        // A row that moves before the mark neither repeats nor pushes others out.
        let body = json!({ "no": "H000" });
        let path = format!("/households/{id}");
        clerk.patch(&path, body).if_match(version).send().await.expect(200);
        let after = format!("after={}", first["next"].as_str().unwrap());
        assert_eq!(numbers(&clerk, &after).await, ["H003", "H004", "H005"]);
        let latest = numbers(&clerk, "sort=-updated_at").await;
        assert_eq!(latest.len(), 6);
        let after = "sort=-no&after=".to_owned() + first["next"].as_str().unwrap();
        let answer = clerk.get(&format!("/households?{after}")).send().await;
        answer.field_problem("after", "page.bad_cursor");
        app.clock.advance_minutes(1);
        clerk.patch(&path, json!({ "no": "H006" })).if_match(version + 1).send().await.expect(200);
        assert_eq!(numbers(&clerk, "sort=-updated_at&limit=1").await[0], "H006");
    }
}

#[tokio::test]
async fn filters_take_codes_and_names_and_fields_choose_columns() {
    for engine in Engine::BOTH {
        let app = app(engine).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        for (query, expected) in [
            ("no=H001", vec!["H001"]),
            ("no=H001,H005", vec!["H001", "H005"]),
            ("poverty_kind=02", vec!["H002", "H006"]),
            ("poverty_kind=%E4%BA%94%E4%BF%9D%E6%88%B7,02", vec!["H002", "H004", "H006"]),
            ("main_cause=01", vec!["H001", "H005"]),
            ("exit_status=02", vec!["H002", "H003"]),
            ("residence_kind=02", vec!["H004"]),
            ("unsafe_grade=03,04", vec!["H001", "H004"]),
            ("is_unsafe=true", vec!["H001", "H004"]),
            ("water_is_safe=false", vec!["H001", "H004"]),
            ("is_relocated=true", vec!["H003", "H004"]),
            ("identified_year=2014", vec!["H001", "H002"]),
            ("exit_year=2016", vec!["H002", "H003"]),
            ("planned_exit_year=2019,2020&limit=1", vec!["H003", "H004", "H005", "H006"]),
            ("monitoring_kind=01,02", vec!["H003", "H004"]),
            ("exit_status=02&is_relocated=true&area=990101100", vec!["H003"]),
            ("exit_year=unknown", vec!["H001", "H004", "H005", "H006"]),
            ("monitoring_kind=unknown,02&limit=2", vec!["H001", "H002", "H004", "H005", "H006"]),
            ("no=unknown", vec![]),
        ] {
            for sort in ["no", "village"] {
                assert_eq!(numbers(&clerk, &format!("sort={sort}&{query}")).await, expected);
            }
        }
        let leader = app.client(&["leader@98", "leader@99"]).await;
        let both = leader.get("/households?no=H001").send().await.expect(200);
        let counties: Vec<&Value> =
            both["items"].as_array().unwrap().iter().map(|row| &row["county"]).collect();
        assert_eq!(counties, ["980101", "990101"]);

        let path = "/households?fields=no,head_name,phone&limit=1";
        let page = clerk.get(path).send().await.expect(200);
        let row = page["items"][0].as_object().unwrap();
        let mut names: Vec<&str> = row.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["county", "head_name", "id", "no", "phone", "version"]);
        assert_eq!(row["phone"], "138******01");
        let path = "/households?fields=nothing";
        clerk.get(path).send().await.field_problem("fields", "list.unknown_column");
        let call = clerk.get("/households?poverty_kind=x&exit_year=y");
        let problem = call.header("accept-language", "en").send().await.expect(422);
        let wrong = problem["errors"].as_array().unwrap();
        assert_eq!(wrong.len(), 2);
        assert_eq!(
            (&wrong[0]["column"], &wrong[0]["value"]),
            (&json!("poverty_kind"), &json!("x"))
        );
        assert_eq!(wrong[1]["message"], "exit_year: y is not a year: write 2015");
        clerk.get("/households?colour=red").send().await.problem(400, "request.bad_query");
    }
}

#[tokio::test]
async fn what_is_asked_of_a_group_is_refused_and_not_answered_with_nothing() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let group = "99010110020001";
        for path in ["households", "pairings", "suspects"] {
            let refused = office.get(&format!("/{path}?area={group}")).send().await;
            refused.field_problem("area", "area.is_group");
        }
        let refused = office.post("/exports", json!({ "area": group })).send().await;
        refused.field_problem("area", "area.is_group");
    }
}

//! Who answers for whom, from the command line.

use daohu_db::Engine;
use serde_json::json;

use crate::harness::Place;

/// What the county published of who helps its 32,377 households (国家民委, 2017-07-06): with fewer households
/// fewer cadres help them, all the rest is as published.
#[tokio::test]
async fn what_youyang_published_comes_out() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(1_300);
        place.run(&["migrate"]).expect(0);
        place.run(&["import", "--json", &sample]).expect(0);
        let arguments = ["coverage", "--json", "--area", "500242", "--on", "2016-06-01"];
        let told = place.run(&arguments).expect(0).json();
        let area = &told["area"];
        let answered = ["households", "households_answered", "households_unanswered"];
        assert_eq!(answered.map(|name| area[name].clone()), [1_300, 1_300, 0].map(|n| json!(n)));
        let townships = json!({ "total": 39, "paired": 39, "poor": 0, "poor_paired": 0 });
        assert_eq!(area["townships"], townships, "{engine:?}");
        assert_eq!(area["villages"]["total"], 278);
        let poor = ["poor", "poor_paired"].map(|name| area["villages"][name].clone());
        assert_eq!(poor, [130, 130].map(|n| json!(n)));
        for role in area["village_roles"].as_array().unwrap() {
            let (villages, missing) = (&role["villages"], &role["missing"]);
            assert_eq!((villages, missing), (&json!(130), &json!(0)), "{engine:?} {role}");
        }
        let whole = ["villages_complete", "villages_staffed"].map(|name| area[name].clone());
        assert_eq!(whole, [130, 130].map(|n| json!(n)));
        assert_eq!(told["teams"], json!({ "teams": 130, "members": 650 }));
        assert_eq!(told["organisations_by_level"], json!([{ "code": "04", "count": 102 }]));
        let cadres = &told["cadres"];
        // 2,546 for 32,377 households, rounded up.
        assert_eq!(
            (&cadres["helping"], &cadres["households_per_cadre"]),
            (&json!(103), &json!(12.62))
        );
        assert_eq!(cadres["over_limit"], 0);
        let of_role = |code: &str| {
            let mut roles = told["cadres_by_role"].as_array().unwrap().iter();
            roles.find(|role| role["code"] == code).unwrap()["count"].clone()
        };
        for (code, count) in [("03", 36), ("07", 130), ("09", 270)] {
            assert_eq!(of_role(code), count, "{engine:?} {code}");
        }
    }
}

#[tokio::test]
async fn areas_and_rules_that_are_not_there_are_refused() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    place.run(&["migrate"]).expect(0);
    place.run(&["import", "--json", &sample]).expect(0);
    for command in ["coverage", "quality", "suspects"] {
        let told = place.run(&[command, "--area", "990199"]).expect(1).stderr();
        assert!(told.contains("990199"), "{told}");
    }
    let quality = ["quality", "--json", "--area", "500242"];
    let whole = place.run(&quality).expect(0).json();
    let one = place.run(&[&quality[..], &["--rule", "R17"]].concat()).expect(0).json();
    assert_eq!(one["rules"].as_array().unwrap().len(), 1);
    assert_eq!(one["rows"], whole["rows"]);
    place.run(&[&quality[..], &["--rule", "R99"]].concat()).expect(2);
    let list = [&quality[..], &["--rule", "R17", "--worklist"]].concat();
    let list = place.run(&list).expect(0).json();
    let bears = |line: &serde_json::Value| line["findings"].as_i64().unwrap() > 0;
    assert!(list.as_array().unwrap().iter().all(bears), "{list}");
}

#[tokio::test]
async fn what_a_county_comes_to_is_kept_and_told() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    place.run(&["migrate"]).expect(0);
    place.run(&["import", "--json", &sample]).expect(0);
    let trend = ["quality", "--json", "--trend", "--area", "500242"];
    assert_eq!(place.run(&trend).expect(0).json()["points"], json!([]));
    let record = ["quality", "--json", "--record", "--area"];
    let recorded = place.run(&[&record[..], &["50"]].concat()).expect(0).json();
    assert_eq!(recorded[0]["county"], "500242", "{recorded}");
    let told = place.run(&trend).expect(0).json();
    let point = &told["points"][0];
    let on = point["on"].as_str().unwrap();
    let report = place.run(&["quality", "--json", "--area", "500242", "--on", on]).expect(0).json();
    for name in ["rows", "clean", "score"] {
        assert_eq!(point[name], report[name], "{name}");
    }
    // Points are of whole counties; a trend is of no rule alone; above counties it is their sum.
    let township = report["children"][0]["area"].as_str().unwrap();
    let part = place.run(&[&record[..], &[township]].concat()).expect(1).stderr();
    assert!(part.contains("整个县"), "{part}");
    place.run(&[&trend[..], &["--rule", "R17"]].concat()).expect(2);
    place.run(&["quality", "--trend", "--area", "50"]).expect(0);
}

#[tokio::test]
async fn reports_are_tables_in_the_language_of_the_user() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(60);
        place.run(&["migrate"]).expect(0);
        place.run(&["import", "--json", &sample]).expect(0);
        let told = |lang: &str, args: &[&str]| {
            place.run(&[&["--lang", lang], args].concat()).expect(0).stdout()
        };
        let id = ["household", "--id", "50024200000001"];
        let (zh, en) = (told("zh", &id), told("en", &id));
        // Codes by their names, amounts in yuan, numbers masked.
        assert!(zh.contains("户类型            农村") && zh.contains("与户主关系：户主"), "{zh}");
        assert!(
            zh.contains("工资性收入：") && zh.contains(" 元；") && !zh.contains("_fen"),
            "{zh}"
        );
        assert!(zh.contains("证件号码：99") && zh.contains("**********"), "{zh}");
        assert!(en.contains("wage: ") && en.contains(" yuan"), "{en}");
        let area = ["coverage", "--area", "500242", "--on", "2016-06-01"];
        let (zh, en) = (told("zh", &area), told("en", &area));
        assert!(zh.contains("有帮扶责任人") && zh.contains("第一书记"), "{zh}");
        assert!(en.contains("that a cadre answers for") && !en.contains('{'), "{en}");
        let quality = ["quality", "--area", "500242", "--on", "2016-03-01"];
        let zh = told("zh", &quality);
        let line = zh.lines().find(|line| line.starts_with("R01")).unwrap();
        assert!(line.contains("拒绝") && !zh.contains("warn"), "{zh}");
        // Of one rule, the records: as many as are asked for, and how many more.
        let json = place.run(&[&quality[..], &["--json"]].concat()).expect(0).json();
        let rules = json["rules"].as_array().unwrap();
        let rule = rules.iter().max_by_key(|rule| rule["hits"].as_i64().unwrap()).unwrap();
        let (name, hits) = (rule["rule"].as_str().unwrap(), rule["hits"].as_i64().unwrap());
        assert!(hits > 2, "{json}");
        let listed = |limit: &str| {
            let one = ["--rule", name, "--limit", limit];
            told("en", &[&quality[..], &one].concat())
        };
        let few = listed("2");
        assert!(few.contains(&format!("{} more; --limit {hits}", hits - 2)), "{few}");
        let all = listed(&hits.to_string());
        assert!(!all.contains("more;"), "{all}");
        assert_eq!(
            all.lines().count() - few.lines().count(),
            usize::try_from(hits).unwrap() - 3,
            "{all}"
        );
    }
}

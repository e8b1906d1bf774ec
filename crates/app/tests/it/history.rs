//! What is known of the past of a household: who came and went, and where each fact comes from.

use daohu_app::journal::{Action, Change, record, seal_all};
use daohu_db::{Engine, FutureExt, Tx};
use serde_json::{Value, json};

use crate::{
    area_changes::{change_on, part},
    harness::{Client, TestApp},
    seed,
};

const OFFICE: &str = "office_clerk@990101";

/// Imports rows of 户 and 人.
async fn bring(
    app: &TestApp,
    households: &[&str],
    persons: &[(&str, &str, &str, &str, &str, &str)],
) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "户编号,行政村代码,户主姓名\n".to_owned();
    households.iter().for_each(|row| text += &format!("{row}\n"));
    std::fs::write(folder.path().join("households.csv"), text).unwrap();
    let mut text = "户编号,姓名,证件类型,证件号码,与户主关系,变动类型,变动日期\n".to_owned();
    for (no, name, digits, relation, kind, on) in persons {
        let number = seed::id_number(digits);
        text += &format!("{no},{name},居民身份证,{number},{relation},{kind},{on}\n");
    }
    std::fs::write(folder.path().join("persons.csv"), text).unwrap();
    let summary = app.import(&[folder.path().to_owned()], crate::exchange::options()).await;
    let refused = summary.sheets.values().any(|counts| counts.rejected > 0);
    assert!(summary.committed && !refused, "{:?}", summary.problems);
}

const SON: (&str, &str) = ("张小六", "99010119950707007");
const WIFE: (&str, &str) = ("孙三", "99010119960808008");
const ALONE: (&str, &str) = ("王五", "99010119500404004");

/// The first day H002 has four members; on the second two of them make H020; on the third, the only one of H004 goes
/// to H003.
async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    let row = |no, (name, digits), relation, kind, on| (no, name, digits, relation, kind, on);
    bring(&app, &[], &[row("H002", SON, "之子", "", ""), row("H002", WIFE, "之儿媳", "婚入", "")])
        .await;
    app.clock.advance_minutes(60 * 24);
    let split = [
        row("H002", SON, "之子", "分户迁出", "2020-11-20"),
        row("H002", WIFE, "之儿媳", "分户迁出", "2020-11-20"),
        row("H020", SON, "户主", "迁入", ""),
        row("H020", WIFE, "配偶", "迁入", ""),
    ];
    bring(&app, &["H020,990101100201,张小六"], &split).await;
    app.clock.advance_minutes(60 * 24);
    let merged =
        [row("H004", ALONE, "户主", "迁出", ""), row("H003", ALONE, "其他", "迁入", "2020-11-24")];
    bring(&app, &[], &merged).await;
    app
}

/// One side of a dossier: 户编号, day, kind, names and reasons.
async fn side(
    client: &Client,
    app: &TestApp,
    (no, side): (&str, &str),
    as_of: &str,
) -> Vec<String> {
    let (id, _) = seed::household_no(app, no).await;
    side_of(client, (id, side), as_of).await
}

async fn side_of(client: &Client, (id, side): (i64, &str), as_of: &str) -> Vec<String> {
    let dossier = client.json(&format!("/households/{id}/dossier{as_of}")).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let link = |link: &Value| {
        let mut words = ["household_no", "on", "kind"].map(|name| text(&link[name])).to_vec();
        for member in link["members"].as_array().unwrap() {
            let parts = ["name", "left_reason", "joined_reason"].map(|name| text(&member[name]));
            words.push(parts.join("/"));
        }
        words.join(" ")
    };
    dossier[side].as_array().unwrap().iter().map(link).collect()
}

#[tokio::test]
async fn a_dossier_tells_whom_a_household_was_split_from_and_merged_into_as_of_a_day() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let office = app.client(&[OFFICE]).await;
        let told = async |of: (&str, &str), as_of: &str| side(&office, &app, of, as_of).await;
        let split =
            |no: &str| format!("{no} 2020-11-20 split 张小六/分户迁出/迁入 孙三/分户迁出/迁入");
        let merged = |no: &str| format!("{no} 2020-11-24 merged 王五/迁出/迁入");
        for as_of in ["", "?as_of=2020-11-24"] {
            assert_eq!(told(("H002", "went_to"), as_of).await, [split("H020")], "{engine:?}");
            assert_eq!(told(("H020", "came_from"), as_of).await, [split("H002")], "{engine:?}");
            assert_eq!(told(("H004", "went_to"), as_of).await, [merged("H003")], "{engine:?}");
            assert_eq!(told(("H003", "came_from"), as_of).await, [merged("H004")], "{engine:?}");
            assert!(told(("H002", "came_from"), as_of).await.is_empty());
            assert!(told(("H005", "came_from"), as_of).await.is_empty());
        }
        let second = "?as_of=2020-11-23";
        assert_eq!(told(("H002", "went_to"), second).await, [split("H020")], "{engine:?}");
        assert!(told(("H004", "went_to"), second).await.is_empty(), "{engine:?}");
        assert!(told(("H002", "went_to"), "?as_of=2020-11-22").await.is_empty(), "{engine:?}");
        let (new, _) = seed::household_no(&app, "H020").await;
        let before =
            office.get(&format!("/households/{new}/dossier?as_of=2020-11-22")).send().await;
        before.problem(404, "record.not_found");
        // Who sees one village alone is told of a household in another that it is elsewhere, and nothing that is on
        // record there: not how it was joined, nor what was made of it.
        let cadre = app.client(&["cadre@990101100200"]).await;
        let seen = side(&cadre, &app, ("H002", "went_to"), "").await;
        let left = "- 2020-11-20 - 张小六/分户迁出/- 孙三/分户迁出/-";
        assert_eq!(seen, [left], "{engine:?}");
        let cadre = app.client(&["cadre@990101100201"]).await;
        let seen = side(&cadre, &app, ("H020", "came_from"), "").await;
        assert_eq!(seen, ["- 2020-11-23 - 张小六/-/迁入 孙三/-/迁入"], "{engine:?}");
    }
}

#[tokio::test]
async fn who_came_and_went_is_told_where_one_of_the_two_households_went_to_another_county() {
    let gone = |from: &str, homes: &[&str]| part(from, "980101100209", "新村", &[], homes);
    // H001 stands in the other county too: it stays.
    let cases = [
        ("H020 and H004 go", vec![gone("990101100201", &[])]),
        (
            "H002 and H003 go",
            vec![
                gone("990101100200", &["H002", "H003"]),
                part("990101100200", "990101100209", "留村", &[], &[]),
            ],
        ),
    ];
    for (says, lines) in &cases {
        for engine in Engine::BOTH {
            let says = format!("{engine:?}: {says}");
            let app = start(engine).await;
            let mut ids = [0; 4];
            for (id, no) in ids.iter_mut().zip(["H002", "H020", "H003", "H004"]) {
                *id = seed::household_no(&app, no).await.0;
            }
            let (wife, _) = seed::person_named(&app, WIFE.0).await;
            change_on(&app, ("2020-11-24", None), lines.clone()).await.unwrap();
            let both = app.client(&[OFFICE, "office_clerk@980101"]).await;
            let split =
                |no: &str| format!("{no} 2020-11-20 split 张小六/分户迁出/迁入 孙三/分户迁出/迁入");
            let merged = |no: &str| format!("{no} 2020-11-24 merged 王五/迁出/迁入");
            for (of, expected) in [
                ((ids[0], "went_to"), split("H020")),
                ((ids[1], "came_from"), split("H002")),
                ((ids[2], "came_from"), merged("H004")),
                ((ids[3], "went_to"), merged("H003")),
            ] {
                assert_eq!(side_of(&both, of, "").await, [expected], "{says} {of:?}");
            }
            let path = format!("/persons/{wife}/memberships");
            let told = both.json(&path).await;
            let homes: Vec<_> =
                told.as_array().unwrap().iter().map(|one| one["household_no"].clone()).collect();
            assert_eq!(homes, ["H002", "H020"], "{says}");
            let story = both.json(&format!("/households/{}/journal", ids[1])).await.to_string();
            assert!(story.contains(&format!("\"household\":{},", ids[0])), "{says} {story}");
            // Who has one of the two counties learns that somebody was elsewhere.
            for (area, no) in
                [("990101", "H020"), ("980101", "H002"), ("990101", "H002"), ("980101", "H020")]
            {
                let one = app.client(&[&format!("office_clerk@{area}")]).await;
                let (id, side) =
                    if no == "H020" { (ids[1], "came_from") } else { (ids[0], "went_to") };
                if one.get(&format!("/households/{id}")).send().await.status != 200 {
                    continue;
                }
                let seen = side_of(&one, (id, side), "").await;
                assert_eq!(seen.len(), 1, "{says} {area}");
                assert!(seen[0].starts_with("- 2020-11-2"), "{says} {area} {seen:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_person_is_told_of_with_all_households_as_of_a_day() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let office = app.client(&[OFFICE]).await;
        let (id, _) = seed::person_named(&app, WIFE.0).await;
        let told = async |client: &Client, as_of: &str| {
            let path = format!("/persons/{id}/memberships{as_of}");
            let all = client.json(&path).await;
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let line = |one: &Value| {
                let names = ["household_no", "relation", "joined_reason", "left_reason", "left_on"];
                let words = names.map(|name| text(&one[name])).join(" ");
                format!("{words} {}", one["is_current"])
            };
            all.as_array().unwrap().iter().map(line).collect::<Vec<_>>()
        };
        let split = ["H002 05 婚入 分户迁出 2020-11-20 false", "H020 02 迁入 - - true"];
        assert_eq!(told(&office, "").await, split, "{engine:?}");
        let before = told(&office, "?as_of=2020-11-22").await;
        assert_eq!(before, ["H002 05 婚入 - - true"], "{engine:?}");
        // Of the household in another village nothing is told but that there was one.
        let cadre = app.client(&["cadre@990101100201"]).await;
        let own = told(&cadre, "").await;
        assert_eq!(own, ["- - - - - null", "H020 02 迁入 - - true"], "{engine:?}");
        let before = told(&cadre, "?as_of=2020-11-22").await;
        assert_eq!(before, ["- - - - - null"], "{engine:?}");
        let path = format!("/persons/{id}/memberships?as_of=2020-11-21");
        office.get(&path).send().await.problem(404, "record.not_found");
        let other = app.client(&["cadre@980101"]).await;
        let path = format!("/persons/{id}/memberships");
        other.get(&path).send().await.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn a_journal_says_nothing_of_what_a_member_was_in_another_household() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        bring(&app, &[], &[("H002", SON.0, SON.1, "之子", "", "")]).await;
        let office = app.client(&[OFFICE]).await;
        let (old, _) = seed::household_no(&app, "H002").await;
        let (son, version) = seed::person_named(&app, SON.0).await;
        let change = office.patch(&format!("/persons/{son}"), json!({ "relation": "孙子" }));
        change.if_match(version).send().await.expect(200);
        let why = json!({ "reason": "户主张小五核对" });
        office.post(&format!("/persons/{son}/reveal"), why).send().await.expect(200);
        app.clock.advance_minutes(60 * 24);
        let split = [
            ("H002", SON.0, SON.1, "孙子", "分户迁出", "2020-11-20"),
            ("H020", SON.0, SON.1, "户主", "迁入", ""),
        ];
        bring(&app, &["H020,990101100201,张小六"], &split).await;
        let (new, _) = seed::household_no(&app, "H020").await;
        let (son, version) = seed::person_named(&app, SON.0).await;
        let office = app.client(&[OFFICE]).await;
        let change = office.patch(&format!("/persons/{son}"), json!({ "phone": "13900000001" }));
        change.if_match(version).send().await.expect(200);
        let path = format!("/households/{new}/journal");
        let told = async |client: &Client| client.json(&path).await["items"].clone();
        let (all, mut seen) =
            (told(&office).await, told(&app.client(&["cadre@990101100201"]).await).await);
        let other = [
            format!("\"household\":{old},"),
            "990101100200".into(),
            r#""relation":"07""#.into(),
            "户主张小五核对".into(),
        ];
        for word in &other {
            assert!(all.to_string().contains(word), "{engine:?} {word} {all}");
            assert!(!seen.to_string().contains(word), "{engine:?} {word} {seen}");
        }
        // That something was written, by whom and when, is told; and all of the time since.
        let mut withheld = 0;
        for (seen, all) in seen.as_array_mut().unwrap().iter_mut().zip(all.as_array().unwrap()) {
            for side in ["before", "after"] {
                if seen[side].is_null() && !all[side].is_null() {
                    seen[side] = all[side].clone();
                    withheld += 1;
                }
            }
        }
        assert_eq!(seen, all, "{engine:?}");
        let own = all.as_array().unwrap().iter().filter(|one| one["after"]["household"] == new);
        // Created, changed (both sides), revealed, and what it was before the move.
        assert_eq!((withheld, own.count()), (5, 2), "{engine:?} {all}");
        // Page by page the same.
        let first = app.client(&["cadre@990101100201"]).await;
        let (mut after, mut paged) = (String::new(), Vec::new());
        while paged.len() < all.as_array().unwrap().len() {
            let page = first.json(&format!("{path}?limit=1{after}")).await;
            paged.extend(page["items"].as_array().unwrap().clone());
            after = format!("&after={}", page["next"].as_str().unwrap_or_default());
        }
        assert_eq!(json!(paged), told(&first).await, "{engine:?}");
    }
}

/// The sources of one record.
fn of<'a>(sources: &'a Value, kind: &str, record: &str) -> &'a Value {
    let mut records = sources["records"].as_array().unwrap().iter();
    records.find(|one| one["kind"] == kind && one["record"] == record).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn each_column_names_who_wrote_it_last_as_of_a_day() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        seed::helpers(&app).await;
        seal_all(&app.context).await.unwrap();
        app.clock.advance_minutes(60 * 24);
        let office = app.client(&[OFFICE]).await;
        let (id, version) = seed::household_no(&app, "H002").await;
        let path = format!("/households/{id}");
        let body = json!({ "bank_name": "农村信用社", "phone": null });
        office.patch(&path, body).if_match(version).send().await.expect(200);
        let income = office.put(&format!("{path}/incomes/2019"), json!({ "wage_fen": 700 }));
        income.if_match(1).send().await.expect(200);

        let now = office.json(&format!("{path}/sources")).await;
        let household = of(&now, "household", &id.to_string());
        assert_eq!(household["is_whole"], true, "{engine:?}");
        let by_clerk = json!({
            "at": "2020-11-23T01:00:00.000Z",
            "actor": office.user.clone().unwrap().name,
            "authority": OFFICE,
            "source": "api",
            "sequence": null,
        });
        let columns = &household["columns"];
        assert_eq!(
            (&columns["bank_name"], &columns["phone"]),
            (&by_clerk, &by_clerk),
            "{engine:?}"
        );
        let number = &columns["no"];
        assert_eq!(
            (&number["source"], &number["actor"], &number["authority"]),
            (&json!("import test"), &json!("system"), &json!("command test"))
        );
        assert!(number["sequence"].is_i64(), "{engine:?}");
        assert_eq!(columns["rebuilt_year"], Value::Null, "never known");
        let income = of(&now, "income", &format!("{id}/2019"));
        assert_eq!(income["columns"]["wage_fen"], by_clerk, "{engine:?}");
        let untouched = of(&now, "income", &format!("{id}/2018"));
        assert_eq!(untouched["columns"]["wage_fen"]["source"], "import test");
        let (person, _) = seed::person_named(&app, "钱二").await;
        let person = of(&now, "person", &person.to_string());
        assert_eq!(person["columns"]["name"]["source"], "import test");
        let kinds: Vec<&Value> =
            now["records"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
        assert!(kinds.contains(&&json!("pairing")), "{engine:?}");

        let before = office.json(&format!("{path}/sources?as_of=2020-11-22")).await;
        let columns = &of(&before, "household", &id.to_string())["columns"];
        assert_eq!(
            (&columns["bank_name"], &columns["phone"]),
            (&Value::Null, number),
            "{engine:?}"
        );
        let early = office.get(&format!("{path}/sources?as_of=2020-11-21")).send().await;
        early.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn of_a_long_history_every_column_is_told() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let (id, _) = seed::household_no(&app, "H002").await;
        let (keys, act) = (app.context.keys.clone(), app.act());
        let work = async move |tx: &mut Tx| {
            let entry = |n: i64| Change {
                county: "990101".into(),
                kind: "household",
                record: id.to_string(),
                action: Action::Updated,
                before: None,
                after: Some(json!({ "no": "H002", "built_year": n }).to_string()),
            };
            record(tx, &keys, &act, (0..3_100).map(entry).collect()).await
        };
        app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
        let office = app.client(&[OFFICE]).await;
        let sources = office.json(&format!("/households/{id}/sources")).await;
        let household = of(&sources, "household", &id.to_string());
        let number = &household["columns"]["no"];
        assert_eq!(
            (&household["is_whole"], &number["source"]),
            (&json!(true), &json!("import test")),
            "{engine:?}"
        );
        assert_eq!(sources["is_whole"], true, "{engine:?}");
    }
}

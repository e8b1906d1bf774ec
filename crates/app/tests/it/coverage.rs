//! Who answers for whom: counts, and the lists that they open.

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    exchange::options,
    harness::{Client, TestApp},
    seed,
};

const DAY: &str = "on=2016-06-01";

async fn start(engine: Engine) -> (TestApp, Client) {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    seed::helpers(&app).await;
    let poor =
        "区划代码,名称,级别,是否贫困村\n990101100200,南甲一村,村,是\n990101101200,南乙一村,村,是\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("areas.csv"), poor).unwrap();
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    assert!(summary.committed, "{summary:?}");
    let client = app.client(&["office_clerk@990101"]).await;
    (app, client)
}

fn ints<const N: usize>(of: &Value, names: [&str; N]) -> [i64; N] {
    names.map(|name| of[name].as_i64().unwrap_or_else(|| panic!("{name}: {of}")))
}

#[tokio::test]
async fn households_villages_and_cadres_are_counted_as_of_a_day() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        let told = client.json(&format!("/areas/990101/coverage?{DAY}")).await;
        let area = &told["area"];
        let names = ["households", "households_answered", "households_unanswered"];
        assert_eq!(ints(area, names), [6, 2, 4], "{engine:?}");
        let paired = ["total", "paired", "poor", "poor_paired"];
        assert_eq!(ints(&area["counties"], paired), [1, 1, 0, 0]);
        assert_eq!(ints(&area["townships"], paired), [2, 1, 0, 0]);
        assert_eq!(ints(&area["villages"], paired), [4, 1, 2, 1]);
        let roles: Vec<(&str, i64)> = area["village_roles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| (role["name"].as_str().unwrap(), role["villages"].as_i64().unwrap()))
            .collect();
        let expected = [
            ("leader", 1),
            ("team", 1),
            ("helper", 1),
            ("first_secretary", 1),
            ("technician", 1),
            ("department", 1),
        ];
        assert_eq!(roles, expected);
        assert_eq!(ints(area, ["villages_complete", "villages_staffed"]), [1, 0]);
        assert_eq!(ints(&told["teams"], ["teams", "members"]), [1, 1], "one had left");
        let cadres = ["helping", "households_max", "limit", "over_limit"];
        assert_eq!(ints(&told["cadres"], cadres), [1, 2, 15, 0]);
        assert_eq!(told["cadres"]["households_per_cadre"], json!(2.0));
        let levels = json!([{ "code": "02", "count": 1 }, { "code": "04", "count": 1 }]);
        assert_eq!(told["organisations_by_level"], levels);
        // Later another cadre answers for one of them.
        let later = client.json("/areas/990101/coverage?on=2018-06-01").await;
        assert_eq!(later["cadres"]["helping"], 2);
        // Before it began nobody does.
        let before = client.json("/areas/990101/coverage?on=2014-06-01").await;
        assert_eq!(before["area"]["households_answered"], 0);
        assert_eq!(before["area"]["villages"]["paired"], 0);
        // Said twice, with another beginning, it is still one cadre of one household.
        let twice = "主体类型,主体编号,对象类型,对象编号,开始日期\n干部,C2,户,H002,2018-01-01\n";
        app.import_text("pairings.csv", twice).await;
        let again = client.json("/areas/990101/coverage?on=2018-06-01").await;
        assert_eq!(again["cadres"], later["cadres"], "{engine:?}");
        assert_eq!(again["area"], later["area"], "{engine:?}");
        // Who comes from another county, or from no area, helps the village of a household like its own cadres.
        let cadres = "工号,姓名,角色,所在区划代码\nC8,外帮,帮扶干部,980101\nC9,省帮,帮扶干部,\n";
        app.import_text("cadres.csv", cadres).await;
        let helping = async |cadre: &str, village: &str| {
            let head = "主体类型,主体编号,对象类型,对象编号,开始日期";
            app.import_text("pairings.csv", &format!("{head}\n干部,{cadre},户,H005,2018-01-01\n"))
                .await;
            let told = client.json(&format!("/areas/{village}/coverage?on=2018-06-01")).await;
            let roles = told["area"]["village_roles"].as_array().unwrap().clone();
            roles.into_iter().find(|role| role["name"] == "helper").unwrap()["villages"].clone()
        };
        assert_eq!(helping("C8", "990101101200").await, 1, "{engine:?}");
        assert_eq!(helping("C9", "990101").await, 2, "{engine:?}");
    }
}

#[tokio::test]
async fn each_level_is_the_sum_of_those_below_and_each_count_opens_its_list() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        let counts = ["households", "households_answered", "villages_complete", "villages_staffed"];
        for area in ["990101", "990101100", "990101101"] {
            let told = client.json(&format!("/areas/{area}/coverage?{DAY}")).await;
            let mut sum = [0; 4];
            for child in told["children"].as_array().unwrap() {
                let code = child["code"].as_str().unwrap();
                let own = client.json(&format!("/areas/{code}/coverage?{DAY}")).await;
                assert_eq!(&own["area"], child, "{engine:?}");
                let child = ints(child, counts);
                sum.iter_mut().zip(child).for_each(|(sum, part)| *sum += part);
            }
            assert_eq!(ints(&told["area"], counts), sum, "{engine:?} {area}");
            for role in told["area"]["village_roles"].as_array().unwrap() {
                let name = role["name"].as_str().unwrap();
                let list =
                    format!("/areas/{area}/coverage/villages?{DAY}&is_poor=true&missing={name}");
                let list = client.json(&list).await;
                let rows = list["items"].as_array().unwrap().len();
                assert_eq!(json!(rows), role["missing"], "{engine:?} {area} {name}");
            }
        }
        // Above the county it is read in another way.
        let city = app.client(&["office_clerk@9901"]).await;
        let [whole, own] = ["9901", "990101"].map(|code| format!("/areas/{code}/coverage?{DAY}"));
        let (whole, own) = (city.json(&whole).await, city.json(&own).await);
        let children = whole["children"].as_array().unwrap();
        assert!(children.contains(&own["area"]), "{engine:?} {whole}");
        for part in ["cadres", "teams", "organisations_by_level", "cadres_by_role"] {
            assert_eq!(whole[part], own[part], "{engine:?} {part}");
        }
        // Today C2 answers for H002 and C3 for H003.
        let today = client.json("/areas/990101/coverage").await;
        for (answered, name) in [(true, "households_answered"), (false, "households_unanswered")] {
            let list = client.json(&format!("/households?is_answered={answered}")).await;
            let rows = list["items"].as_array().unwrap().len();
            assert_eq!(json!(rows), today["area"][name], "{engine:?} {answered}");
            let part = format!("/households?area=990101100&sort=-no&is_answered={answered}");
            let part = client.json(&part).await;
            assert_eq!(part["items"].as_array().unwrap().len(), 2);
        }
        let loads = client.json("/areas/990101/coverage/cadres?limit=1").await;
        assert_eq!(loads["items"][0]["no"], "C2");
        let next = loads["next"].as_str().unwrap();
        let more = client.json(&format!("/areas/990101/coverage/cadres?after={next}")).await;
        assert_eq!(more["items"][0]["name"], "郑帮");
        assert_eq!(more["items"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn registers_are_listed_page_by_page_and_filtered() {
    for engine in Engine::BOTH {
        let (_app, client) = start(engine).await;
        let keys = async |path: &str, name: &str| {
            let (mut all, mut after) = (Vec::new(), String::new());
            loop {
                let page = client.json(&format!("{path}{after}")).await;
                for item in page["items"].as_array().unwrap() {
                    all.push(item[name].as_str().unwrap_or_default().to_owned());
                }
                match page["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => return all,
                }
            }
        };
        assert_eq!(keys("/cadres?limit=1", "no").await, ["C1", "C2", "C3"]);
        assert_eq!(keys("/cadres?limit=2&sort=-key", "no").await, ["C3", "C2", "C1"]);
        assert_eq!(keys("/cadres?roles=第一书记,县级领导", "no").await, ["C1", "C2"]);
        assert_eq!(keys("/cadres?q=吴", "no").await, ["C2"]);
        assert_eq!(keys("/cadres?organisation=unknown", "no").await, [""; 0]);
        assert_eq!(keys("/organisations?area=990101100", "no").await, ["U3"]);
        let all = ["C1", "C2", "C3", "C3", "C4", "U1", "U2", "T1"];
        assert_eq!(keys("/pairings?limit=1", "subject").await, all);
        let down: Vec<&str> = all.into_iter().rev().collect();
        assert_eq!(keys("/pairings?limit=3&sort=-key", "subject").await, down);
        assert_eq!(keys("/pairings?object=H002&on=2016-06-01", "subject").await, ["C3"]);
        assert_eq!(
            keys("/pairings?area=990101100&object_kind=户", "object").await,
            ["H002", "H002", "H003"]
        );
        assert_eq!(keys("/teams?on=2016-06-01", "cadre").await, ["C2"]);
        let years = ["990101100200", "990101100200", "990101100201"];
        assert_eq!(keys("/villages?limit=1", "village").await, years);
        assert_eq!(keys("/indicators?period=2015", "indicator").await, ["地区生产总值"]);
        assert_eq!(keys("/targets?year=2015", "area").await, ["990101", "990101100"]);
        let cadre = client.json("/cadres/C1").await;
        assert_eq!(cadre["phone"], "199******01");
        client.get("/cadres/C4").send().await.problem(404, "record.not_found");
        client.get("/cadres?sort=name").send().await.problem(422, "request.invalid");
    }
}

#[tokio::test]
async fn a_dossier_tells_who_helps_and_who_helped_as_of_a_day() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        let (id, _) = seed::household_no(&app, "H002").await;
        let helpers = async |client: &Client, path: &str| {
            let dossier = client.json(&format!("/households/{id}/dossier{path}")).await;
            let helpers = dossier["helpers"].as_array().unwrap().clone();
            let of = |name: &str| {
                let texts = helpers.iter().map(|helper| helper[name].as_str().unwrap_or("-"));
                texts.map(str::to_owned).collect::<Vec<_>>()
            };
            (of("subject_name"), of("ends_on"), of("end_reason"))
        };
        let words = |words: [&str; 2]| words.map(str::to_owned).to_vec();
        let now = (words(["吴书记", "郑帮"]), words(["-", "2016-12-31"]), words(["-", "03"]));
        assert_eq!(helpers(&client, "").await, now, "{engine:?}");
        app.clock.advance_minutes(60 * 24);
        let text = "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期,结束原因\n\
                    干部,C2,户,H002,2017-01-01,2019-12-31,期满\n";
        app.import_text("pairings.csv", text).await;
        let client = app.client(&["office_clerk@990101"]).await;
        assert_eq!(helpers(&client, "").await.1, words(["2019-12-31", "2016-12-31"]));
        assert_eq!(helpers(&client, "?as_of=2020-11-22").await, now, "{engine:?}");
        let story = client.json(&format!("/households/{id}/journal")).await;
        let last = &story["items"][0];
        assert_eq!((&last["kind"], &last["action"]), (&json!("pairing"), &json!("updated")));
        assert_eq!(last["after"]["end_reason"], "01");
    }
}

//! Figures of areas: each level adds up, each count opens its list, and nobody sees beyond the own area.

use std::{collections::HashMap, fmt::Write};

use daohu_app::{
    households,
    journal::{Depth, verify_store},
};
use daohu_db::Engine;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    seed,
};

const VILLAGES: [&str; 8] = [
    "990101100200",
    "990101100201",
    "990101101200",
    "990101101201",
    "980101100200",
    "980101100201",
    "980101101200",
    "980101101201",
];
/// Populations drawn for each engine.
const POPULATIONS: usize = 2;
const HOUSEHOLDS: usize = 40;
/// Names of codes as cells have them; an empty cell is not known.
const STATUSES: [&str; 4] = ["", "未脱贫", "已脱贫", "返贫"];
const KINDS: [&str; 4] = ["", "一般贫困户", "低保贫困户", "一般农户"];
const RESIDENCES: [&str; 3] = ["", "农村", "城镇"];
const CAUSES: [&str; 4] = ["", "因病", "因残", "缺技术"];
const CHANGES: [&str; 3] = ["", "出生", "死亡"];
/// The populations of the villages; those of one are not known.
const AREAS: &str = "\
区划代码,名称,级别,是否贫困乡镇,是否贫困村,乡村人口
980101101200,北乙一村,村,,,
980101101,北乙乡,乡,是,,
980101101201,北乙二村,村,,否,40
990101100,南甲乡,乡,否,,
990101100200,南甲一村,村,,是,30
990101100201,南甲二村,村,,是,60
990101101,南乙乡,乡,是,,
990101101200,南乙一村,村,,否,20
990101101201,南乙二村,村,,是,0
";

/// Files of a population drawn at random.
fn draw(runner: &mut TestRunner) -> [(&'static str, String); 3] {
    let codes = (0..STATUSES.len(), 0..KINDS.len(), 0..RESIDENCES.len(), 0..CAUSES.len());
    let household = (0..VILLAGES.len(), codes);
    let members = proptest::collection::vec(0..CHANGES.len(), 0..5);
    let population = proptest::collection::vec((household, members), HOUSEHOLDS);
    let population = population.new_tree(runner).unwrap().current();
    let mut households = "户编号,行政村代码,脱贫状态,贫困户属性,户类型,主要致贫原因\n".to_owned();
    let mut persons = "户编号,姓名,证件类型,与户主关系,出生日期,变动类型\n".to_owned();
    for (i, ((village, codes), members)) in population.into_iter().enumerate() {
        let (village, status, kind) = (VILLAGES[village], STATUSES[codes.0], KINDS[codes.1]);
        let (residence, cause) = (RESIDENCES[codes.2], CAUSES[codes.3]);
        writeln!(households, "R{i:03},{village},{status},{kind},{residence},{cause}").unwrap();
        for (j, change) in members.into_iter().enumerate() {
            let change = CHANGES[change];
            writeln!(persons, "R{i:03},人{j},无证件,其他,1990-01-0{},{change}", j + 1).unwrap();
        }
    }
    [("areas.csv", AREAS.to_owned()), ("households.csv", households), ("persons.csv", persons)]
}

impl TestApp {
    /// Imports files, every row of which must go in.
    async fn take_in(&self, files: &[(&str, String)]) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let done = self.import(&[folder.path().to_owned()], crate::exchange::options()).await;
        let rejected: u64 = done.sheets.values().map(|counts| counts.rejected).sum();
        assert!(done.committed && rejected == 0, "{:?}", done.problems);
    }
}

async fn figures(client: &Client, area: &str) -> Value {
    client.get(&format!("/areas/{area}/figures")).send().await.expect(200)
}

/// The households of a list, over all its pages.
async fn listed(client: &Client, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/households?limit=200&{query}{after}");
        let page = client.get(&path).send().await.expect(200);
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

/// Somebody who opens the lists behind figures.
struct Opener<'c> {
    client: &'c Client,
    /// How many belong to each household now, by its id.
    members: HashMap<i64, usize>,
    /// Filters.
    poor: String,
    rural: String,
    urban: String,
}

impl<'c> Opener<'c> {
    async fn new(client: &'c Client) -> Self {
        let mut members = HashMap::new();
        for household in listed(client, "").await {
            let id = household["id"].as_i64().unwrap();
            let all = client.json(&format!("/households/{id}/persons")).await;
            let all = all.as_array().unwrap().iter();
            members.insert(id, all.filter(|person| person["is_current"] == true).count());
        }
        let poor = format!("exit_status={}", marked(client, "脱贫状态", "poor").await);
        let rural = format!("residence_kind={}", marked(client, "户类型", "rural").await);
        let urban = format!("residence_kind={}", marked(client, "户类型", "urban").await);
        Self { client, members, poor, rural, urban }
    }

    /// What a list says: households, and those who belong to them now.
    async fn count(&self, query: &str) -> Value {
        let households = listed(self.client, query).await;
        let members = |household: &Value| self.members[&household["id"].as_i64().unwrap()];
        let persons: usize = households.iter().map(members).sum();
        json!({ "households": households.len(), "persons": persons })
    }

    /// Every count of a line is what the list shows that is opened with the same area and codes.
    async fn check(&self, line: &Value) {
        let area = format!("area={}", line["code"].as_str().unwrap());
        let Self { poor, rural, urban, .. } = self;
        for (name, filter) in [
            ("total", String::new()),
            ("poor", format!("&{poor}")),
            ("poor_rural", format!("&{poor}&{rural}")),
            ("poor_urban", format!("&{poor}&{urban}")),
            ("poor_residence_unknown", format!("&{poor}&residence_kind=unknown")),
        ] {
            assert_eq!(line[name], self.count(&format!("{area}{filter}")).await, "{area} {name}");
        }
        let poor = format!("{area}&{poor}");
        for (name, filter, whole, list) in [
            ("by_exit_status", "exit_status", "total", &area),
            ("by_poverty_kind", "poverty_kind", "total", &area),
            ("by_main_cause", "main_cause", "total", &area),
            ("poor_by_main_cause", "main_cause", "poor", &poor),
        ] {
            // A code that is missing would be missed at every level alike.
            for what in ["households", "persons"] {
                let of = |told: &Value| told[what].as_i64().unwrap();
                let sum: i64 = line[name].as_array().unwrap().iter().map(of).sum();
                assert_eq!(of(&line[whole]), sum, "{area} {name}");
            }
            for told in line[name].as_array().unwrap() {
                let code = told["code"].as_str().unwrap_or("unknown");
                let list = self.count(&format!("{list}&{filter}={code}")).await;
                let told = json!({ "households": told["households"], "persons": told["persons"] });
                assert_eq!(told, list, "{area} {name} {code}");
            }
        }
    }

    /// Figures of an area and all below it: sums, and the lists behind them. Gives the leaves.
    async fn check_tree(&self, area: &str) -> Vec<Value> {
        let told = figures(self.client, area).await;
        let children = told["children"].as_array().unwrap();
        self.check(&told["area"]).await;
        let mut leaves = Vec::new();
        for child in children {
            let code = child["code"].as_str().unwrap();
            assert_eq!(&figures(self.client, code).await["area"], child);
            leaves.extend(Box::pin(self.check_tree(code)).await);
        }
        if children.is_empty() {
            leaves.push(told["area"].clone());
        }
        let mut sum = vec![0; sums(&told["area"]).len()];
        for leaf in &leaves {
            sum.iter_mut().zip(sums(leaf)).for_each(|(sum, more)| *sum += more);
        }
        assert_eq!(sums(&told["area"]), sum, "{area}");
        leaves
    }
}

/// The codes of a list that bear a mark, as a filter takes them.
async fn marked(client: &Client, list: &str, mark: &str) -> String {
    let lists = client.get("/codes").send().await.expect(200);
    let list = lists.as_array().unwrap().iter().find(|one| one["name"] == list).unwrap().clone();
    let values = list["values"].as_array().unwrap().iter();
    let marked = values.filter(|value| value["marks"].as_array().unwrap().contains(&mark.into()));
    marked.map(|value| value["code"].as_str().unwrap()).collect::<Vec<_>>().join(",")
}

/// What adds up, as numbers.
fn sums(line: &Value) -> Vec<i64> {
    let mut sums = Vec::new();
    for name in ["total", "poor", "poor_rural", "poor_urban", "poor_residence_unknown"] {
        sums.extend(["households", "persons"].map(|what| line[name][what].as_i64().unwrap()));
    }
    for code in ["01", "02", "03", "07"].map(Value::from).into_iter().chain([Value::Null]) {
        for name in ["by_exit_status", "by_poverty_kind", "by_main_cause", "poor_by_main_cause"] {
            let count = line[name].as_array().unwrap().iter().find(|count| count["code"] == code);
            let persons = count.map_or(0, |count| count["persons"].as_i64().unwrap());
            let households = count.map_or(0, |count| count["households"].as_i64().unwrap());
            sums.extend([households, persons]);
        }
    }
    sums.push(line["poor_villages"].as_i64().unwrap());
    sums
}

#[tokio::test]
async fn every_level_is_the_sum_of_its_leaves_and_each_count_opens_its_list() {
    let mut runner = TestRunner::deterministic();
    for engine in Engine::BOTH {
        for _ in 0..POPULATIONS {
            let app = TestApp::new(engine).await;
            seed::areas(&app).await;
            app.take_in(&draw(&mut runner)).await;
            let leader = app.client(&["leader@98", "leader@99"]).await;
            let opener = Opener::new(&leader).await;
            let mut all = 0;
            for province in ["98", "99"] {
                let leaves = opener.check_tree(province).await;
                assert_eq!(leaves.len(), 4);
                all +=
                    leaves.iter().map(|v| v["total"]["households"].as_u64().unwrap()).sum::<u64>();
            }
            assert_eq!(all, HOUSEHOLDS as u64);
        }
    }
}

#[tokio::test]
async fn the_figures_of_a_small_county_come_out() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        app.take_in(&[("areas.csv", AREAS.to_owned())]).await;
        let leader = app.client(&["leader@98", "leader@99"]).await;
        let county = figures(&leader, "990101").await;
        assert_eq!(county["as_of"], "2020-11-22T01:00:00.000Z");
        let area = &county["area"];
        assert_eq!(area["name"], "南县");
        assert_eq!(area["total"], json!({ "households": 6, "persons": 6 }));
        // H001 has no members, H004 fell back and lives in town.
        assert_eq!(area["poor"], json!({ "households": 4, "persons": 3 }));
        assert_eq!(area["poor_rural"], json!({ "households": 3, "persons": 2 }));
        assert_eq!(area["poor_urban"], json!({ "households": 1, "persons": 1 }));
        assert_eq!(
            area["by_exit_status"],
            json!([
                { "code": "01", "households": 3, "persons": 2 },
                { "code": "02", "households": 2, "persons": 3 },
                { "code": "03", "households": 1, "persons": 1 },
            ])
        );
        assert_eq!(
            (&area["rural_population"], &area["incidence_percent"]),
            (&110.into(), &1.82.into())
        );
        let poor = ["poor_counties", "poor_townships", "poor_villages"].map(|name| &area[name]);
        assert_eq!(json!(poor), json!([0, 1, 3]));
        // No population, and a village whose population is not known.
        let village = &figures(&leader, "990101101201").await["area"];
        assert_eq!(village["rural_population"], 0);
        assert_eq!(village["incidence_percent"], Value::Null);
        assert_eq!(figures(&leader, "980101").await["area"]["rural_population"], Value::Null);
    }
}

#[tokio::test]
async fn figures_are_told_of_the_own_area_and_what_lies_below() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let clerk = app.client(&["village_clerk@990101100"]).await;
        for (area, households, children) in
            [("990101100", 4, 2), ("990101100200", 3, 0), ("990101100201", 1, 0)]
        {
            let told = figures(&clerk, area).await;
            assert_eq!(told["area"]["total"]["households"], households, "{area}");
            assert_eq!(told["children"].as_array().unwrap().len(), children, "{area}");
        }
        for outside in ["99", "990101", "990101101", "990101101200", "98", "990101100999", "x"] {
            let call = clerk.get(&format!("/areas/{outside}/figures"));
            call.send().await.problem(404, "record.not_found");
        }
        // Villages are the leaves.
        let group = clerk.get("/areas/99010110020001/figures").send().await;
        group.problem(404, "record.not_found");
        for grants in [&["system_admin"][..], &[]] {
            let call = app.client(grants).await.get("/areas/990101100/figures");
            call.send().await.problem(403, "auth.forbidden");
        }
        // Two grants show each its own, and not what lies around both.
        let two = app.client(&["cadre@990101100", "cadre@990101101200"]).await;
        assert_eq!(figures(&two, "990101101200").await["area"]["total"]["households"], 1);
        two.get("/areas/990101/figures").send().await.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn households_of_villages_that_ended_or_never_were_are_counted() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        app.take_in(&[("areas.csv", AREAS.to_owned())]).await;
        app.execute("update areas set ends_on = '2020-01-01' where code = '990101100201'").await;
        // No import lets a household into such a village.
        let sql = "update households set village = '990101100777' where village = '990101100200'";
        app.execute(sql).await;
        let leader = app.client(&["leader@990101"]).await;
        let township = figures(&leader, "990101100").await;
        let children = township["children"].as_array().unwrap();
        let told = |child: &Value| {
            let households = child["total"]["households"].clone();
            json!([child["code"], child["name"], child["has_ended"], households])
        };
        assert_eq!(
            children.iter().map(told).collect::<Vec<_>>(),
            [
                json!(["990101100200", "南甲一村", false, 0]),
                json!(["990101100201", "南甲二村", true, 1]),
                json!(["990101100777", null, false, 3]),
            ]
        );
        assert_eq!(township["area"]["total"]["households"], 4);
        assert_eq!(township["area"]["poor_villages"], 1);
        assert_eq!(township["area"]["rural_population"], 30);
        let opener = Opener::new(&leader).await;
        opener.check(&township["area"]).await;
        for child in children {
            opener.check(child).await;
        }
        // An ended one can still be looked at, and its villages' groups are nothing of their own.
        assert_eq!(figures(&leader, "990101100201").await["area"]["has_ended"], true);
    }
}

/// 酉阳: 130 poor villages of 278. 墨江: 7 poor townships of 15, 53 poor villages of 168.
#[tokio::test]
async fn poor_villages_and_townships_are_a_register() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let mut text = "区划代码,名称,级别,是否贫困县,是否贫困乡镇,是否贫困村\n".to_owned();
        for (county, townships, poor_townships, villages, poor_villages) in
            [("990242", 39, 0, 278, 130), ("980822", 15, 7, 168, 53)]
        {
            let flag = |is_poor: bool| if is_poor { "是" } else { "否" };
            let (province, city) = (&county[..2], &county[..4]);
            writeln!(text, "{province},省,省,,,\n{city},市,市,,,\n{county},县,县,是,,").unwrap();
            for i in 0..townships {
                let is_poor = flag(i < poor_townships);
                writeln!(text, "{county}{:03},第{i}乡,乡,,{is_poor},", 100 + i).unwrap();
            }
            for i in 0..villages {
                let code = format!("{county}{:03}{:03}", 100 + i % townships, 200 + i / townships);
                writeln!(text, "{code},第{i}村,村,,,{}", flag(i < poor_villages)).unwrap();
            }
        }
        app.take_in(&[("areas.csv", text)]).await;
        // Which areas are poor is open, like their names.
        let anybody = app.client(&[]).await;
        let list = async |query: &str| {
            let (mut codes, mut after) = (Vec::new(), String::new());
            loop {
                let page = anybody.get(&format!("/areas?{query}{after}")).send().await.expect(200);
                let items = page["items"].as_array().unwrap().clone();
                codes.extend(items.iter().map(|area| area["code"].as_str().unwrap().to_owned()));
                match page["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => return codes,
                }
            }
        };
        let leader = app.client(&["leader@98", "leader@99"]).await;
        for (county, townships, villages) in [("990242", 0, 130), ("980822", 7, 53)] {
            let whole = list(&format!("parent={county}&is_poor_village=true&limit=200")).await;
            assert_eq!(whole.len(), villages);
            let pages =
                list(&format!("parent={county}&level=05&is_poor_village=true&limit=30")).await;
            assert_eq!(pages, whole);
            let poor = list(&format!("parent={county}&is_poor_township=true")).await;
            assert_eq!(poor.len(), townships);
            let area = &figures(&leader, county).await["area"];
            assert_eq!(
                (&area["poor_townships"], &area["poor_villages"]),
                (&townships.into(), &villages.into())
            );
            assert_eq!(area["poor_counties"], 1);
        }
        assert_eq!(list("is_poor_county=true").await, ["980822", "990242"]);
        assert_eq!(list("parent=98&is_poor_township=false").await.len(), 8);
        assert_eq!(list("parent=980822100&is_poor_village=true").await.len(), 4);
        let first = anybody.get("/areas?is_poor_village=true&limit=1").send().await.expect(200);
        let first = &first["items"][0];
        assert_eq!(
            (&first["is_poor_village"], &first["is_poor_township"]),
            (&true.into(), &Value::Null)
        );

        // A code that ended last year is in the register, and not in force.
        app.execute("update areas set ends_on = '2019-12-31' where code = '980822100200'").await;
        app.execute("update areas set ends_on = '2020-11-22' where code = '980822101200'").await;
        let poor = "parent=980822&is_poor_village=true&limit=200";
        assert_eq!(list(poor).await.len(), 53);
        assert_eq!(list(&format!("{poor}&in_force=true")).await.len(), 52);
        assert_eq!(figures(&leader, "980822").await["area"]["poor_villages"], 52);
    }
}

#[tokio::test]
async fn each_level_has_its_trail() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let tree = |rural: [u32; 5]| {
            let [province, city, county, township, village] = rural;
            let text = format!(
                "区划代码,名称,级别,乡村人口\n99,省,省,{province}\n9901,市,市,{city}\n990101,县,县,{county}\n\
                 990101100,乡,乡,{township}\n990101100200,村,村,{village}\n"
            );
            [("areas.csv", text)]
        };
        app.take_in(&tree([500, 400, 300, 200, 100])).await;
        app.take_in(&tree([501, 401, 301, 201, 101])).await;
        let inspector = app.client(&["inspector@99"]).await;
        for (county, code, before) in [
            ("990000", "99", 500),
            ("990100", "9901", 400),
            ("990101", "990101", 300),
            ("990101", "990101100", 200),
            ("990101", "990101100200", 100),
        ] {
            let path = format!("/journal?county={county}&kind=area&record={code}");
            let trail = inspector.get(&path).send().await.expect(200);
            let trail = trail["items"].as_array().unwrap();
            assert_eq!(trail.len(), 2, "{code}");
            assert_eq!(
                (&trail[1]["action"], &trail[0]["action"]),
                (&"created".into(), &"updated".into())
            );
            assert_eq!(trail[0]["before"]["rural_population"], before);
            assert_eq!(trail[0]["after"]["rural_population"], before + 1);
            let told = &figures(&inspector, code).await["area"];
            assert_eq!(told["rural_population"], before + 1);
            // Where levels disagree it is seen.
            let below = if code.len() == 12 { Value::Null } else { (before - 100 + 1).into() };
            assert_eq!(told["rural_population_below"], below);
        }
        let verdict =
            verify_store(&app.context, None, Depth::Rows, households::watched()).await.unwrap();
        assert!(verdict.ok, "{verdict:?}");
        app.execute("update areas set rural_population = 102 where code = '990101100200'").await;
        let verdict =
            verify_store(&app.context, None, Depth::Rows, households::watched()).await.unwrap();
        assert!(!verdict.ok, "a figure that was changed behind the journal is found");
    }
}

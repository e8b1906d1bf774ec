//! The checklist of villages: what is counted by hand comes out, each level adds up, and each count opens its list.

use std::{collections::BTreeMap, fmt::Write};

use daohu_db::Engine;
use daohu_policy::Policy;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp, config},
    seed,
    village_figures::{AREAS, listed, take_in},
};

/// One village meets all; one has but a paved road, a trade and a clinic, and what it has of broadband it does not say; one, which
/// ended, tells little more than that it has no road. In 2016 one is not known to fail anything.
const YEARS: &str = "\
行政村代码,年度,户数,安全饮水户数,是否通硬化路,是否通动力电,是否通宽带,主导产业,合作社数,有无卫生室,有无文化室
990101100200,2015,300,300,是,是,是,茶叶,2,有,有
990101100201,2015,200,199,是,否,,玉米,0,有,无
990101101201,2015,,100,否,,,,,,
990101100200,2016,305,305,是,是,是,茶叶,2,有,有
990101101200,2016,150,150,是,是,是,,1,有,有
";

const OUTCOMES: [&str; 3] = ["met", "unmet", "unknown"];

async fn start(engine: Engine, policy: Policy) -> TestApp {
    let app = TestApp::governed(engine, config(), policy).await;
    seed::areas(&app).await;
    take_in(&app, &[("areas.csv", AREAS), ("villages.csv", YEARS)]).await;
    app
}

async fn checklist(client: &Client, area: &str, year: i64) -> Value {
    client.json(&format!("/areas/{area}/village-checklist?year={year}")).await
}

async fn villages(client: &Client, area: &str, item: &str, query: &str) -> Vec<Value> {
    listed(client, &format!("/areas/{area}/village-checklist/{item}/villages?{query}")).await
}

/// Recorded, unrecorded, and how these stand with the whole list.
fn counts(group: &Value) -> [i64; 5] {
    ["recorded", "unrecorded", "met_all", "unmet_some", "undecided"]
        .map(|name| group[name].as_i64().unwrap())
}

/// Met, unmet, unknown and the share, by item.
fn items(group: &Value) -> Vec<Value> {
    let items = group["items"].as_array().unwrap().iter();
    let line = |item: &Value| {
        assert_eq!(
            item["told"].as_i64(),
            Some(item["met"].as_i64().unwrap() + item["unmet"].as_i64().unwrap())
        );
        let counts = OUTCOMES.map(|outcome| item[outcome].clone());
        json!([item["name"], counts, item["share_percent"]])
    };
    items.map(line).collect()
}

/// All counts of a group in one order.
fn numbers(group: &Value) -> Vec<i64> {
    let each = group["items"].as_array().unwrap().iter();
    let each = each.flat_map(|item| OUTCOMES.map(|outcome| item[outcome].as_i64().unwrap()));
    counts(group).into_iter().chain(each).collect()
}

/// Every count of a group is the length of the list that it opens, and together they are those who told.
async fn check_group(client: &Client, area: &str, year: i64, group: &Value, is_poor: bool) {
    let poor = if is_poor { "&is_poor=true" } else { "" };
    let path = format!("/areas/{area}/village-figures/unrecorded?year={year}{poor}");
    assert_eq!(group["unrecorded"], listed(client, &path).await.len(), "{path}");
    let whole = json!({
        "name": "all", "met": group["met_all"], "unmet": group["unmet_some"],
        "unknown": group["undecided"],
    });
    for item in group["items"].as_array().unwrap().iter().chain([&whole]) {
        let name = item["name"].as_str().unwrap();
        let mut codes = Vec::new();
        for outcome in OUTCOMES {
            let query = format!("year={year}&outcome={outcome}{poor}");
            let rows = villages(client, area, name, &query).await;
            assert_eq!(item[outcome], rows.len(), "{area} {name} {query}");
            let is_in = |row: &Value| row["code"].as_str().unwrap().starts_with(area);
            assert!(rows.iter().all(is_in));
            codes.extend(rows.into_iter().map(|row| row["code"].clone()));
        }
        assert_eq!(group["recorded"], codes.len(), "{area} {name}");
        codes.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        codes.dedup();
        assert_eq!(group["recorded"], codes.len(), "{area} {name}: one stands there twice");
    }
}

/// An area and all below it: sums, and the lists behind them.
async fn check_tree(client: &Client, area: &str, year: i64) {
    let told = checklist(client, area, year).await;
    let children = told["children"].as_array().unwrap();
    for (group, is_poor) in [("all", false), ("poor", true)] {
        let whole = &told["area"][group];
        check_group(client, area, year, whole, is_poor).await;
        if area.len() < 12 {
            let mut sum = vec![0; numbers(whole).len()];
            for child in children {
                sum.iter_mut().zip(numbers(&child[group])).for_each(|(sum, more)| *sum += more);
            }
            assert_eq!(numbers(whole), sum, "{area} {group}");
        }
    }
    for child in children {
        let code = child["code"].as_str().unwrap();
        assert_eq!(&checklist(client, code, year).await["area"], child);
        Box::pin(check_tree(client, code, year)).await;
    }
}

#[tokio::test]
async fn a_small_county_is_counted_as_by_hand_and_each_count_opens_its_list() {
    for engine in Engine::BOTH {
        let app = start(engine, Policy::embedded().unwrap()).await;
        let leader = app.client(&["leader@99"]).await;
        for year in [2014, 2015, 2016] {
            check_tree(&leader, "99", year).await;
        }
        let told = checklist(&leader, "990101", 2015).await;
        let (all, poor) = (&told["area"]["all"], &told["area"]["poor"]);
        assert_eq!(counts(all), [3, 1, 1, 2, 0], "{engine:?}");
        assert_eq!(counts(poor), [1, 0, 1, 0, 0]);
        let expected = json!([
            ["road", [2, 1, 0], 66.66],
            ["water", [1, 1, 1], 50.0],
            ["power", [1, 1, 1], 50.0],
            ["communications", [1, 0, 2], 100.0],
            ["industry", [2, 0, 1], null],
            ["cooperative", [1, 1, 1], 50.0],
            ["clinic", [2, 0, 1], 100.0],
            ["culture_room", [1, 1, 1], 50.0],
        ]);
        assert_eq!(json!(items(all)), expected);
        assert_eq!(told["groups"][0]["title"], "四通");
        assert_eq!(all["items"][7]["group"], "four_haves");
        assert!(all["items"][0]["source"].as_str().unwrap().contains("100%"));
        // The one that ended is not missed; the year before is told beside.
        let told = leader.json("/areas/990101/village-checklist").await;
        assert_eq!((&told["year"], counts(&told["area"]["all"])), (&json!(2016), [2, 1, 1, 0, 1]));
        assert_eq!(told["before"][0]["year"], 2015);
        assert_eq!(json!(items(&told["before"][0]["all"])), expected);
        assert_eq!(told["before"].as_array().unwrap().len(), 1);
        // Nobody told anything: shares of nobody are not known.
        let nobody = checklist(&leader, "990101", 2014).await;
        assert_eq!(counts(&nobody["area"]["all"]), [0, 4, 0, 0, 0]);
        assert_eq!(nobody["area"]["all"]["items"][0]["share_percent"], Value::Null);
    }
}

#[tokio::test]
async fn a_list_says_what_each_village_told_page_by_page() {
    for engine in Engine::BOTH {
        let app = start(engine, Policy::embedded().unwrap()).await;
        let leader = app.client(&["leader@990101"]).await;
        let list = async |item: &str, outcome: &str| {
            let query = format!("year=2015&outcome={outcome}");
            let rows = villages(&leader, "990101", item, &query);
            let cells = |row: &Value| {
                json!([row["code"].as_str().unwrap().get(6..), row["value"], row["of"]])
            };
            json!(rows.await.iter().map(cells).collect::<Vec<_>>())
        };
        assert_eq!(list("water", "unmet").await, json!([["100201", 199, 200]]), "{engine:?}");
        assert_eq!(list("water", "unknown").await, json!([["101201", 100, null]]));
        assert_eq!(list("road", "unmet").await, json!([["101201", false, null]]));
        let trades = json!([["100200", "茶叶", null], ["100201", "玉米", null]]);
        assert_eq!(list("industry", "met").await, trades);
        assert_eq!(list("cooperative", "unmet").await, json!([["100201", 0, null]]));
        let failing = json!([["100201", null, null], ["101201", null, null]]);
        assert_eq!(list("all", "unmet").await, failing);
        let not_poor = "year=2015&outcome=unmet&is_poor=false";
        assert_eq!(villages(&leader, "990101", "all", not_poor).await.len(), 2);
        // One at a time they are the same, in the same order.
        let path = "/areas/990101/village-checklist/road/villages?year=2015&outcome=met&limit=1";
        let first = leader.json(path).await;
        assert_eq!(first["items"][0]["name"], "南甲一村");
        let path = format!("{path}&after={}", first["next"].as_str().unwrap());
        let second = leader.json(&path).await;
        assert_eq!(
            second["items"],
            json!([{
                "code": "990101100201", "name": "南甲二村", "value": true, "of": null,
            }])
        );
        assert_eq!(second["next"], Value::Null);
    }
}

/// Villages of two counties so far as generated values want them, a third of them poor ones, and of the next third that
/// is not known.
const VILLAGES: usize = 24;

/// Numbers that look made up, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// One of these texts.
    fn one<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[usize::try_from(self.below(texts.len() as u64)).unwrap()]
    }
}

/// What the item of a flag comes to.
fn of_flag(cell: &str) -> &'static str {
    match cell {
        "是" => "met",
        "否" => "unmet",
        _ => "unknown",
    }
}

/// What the items come to, told from the cells of a row by other words than the product's.
fn expected(cells: &[&str; 9]) -> [&'static str; 8] {
    let [households, water, road, power, net, industry, cooperatives, clinic, culture] = *cells;
    let number = |cell: &str| cell.parse::<i64>().ok();
    let told = |is_met: Option<bool>| match is_met {
        Some(true) => "met",
        Some(false) => "unmet",
        None => "unknown",
    };
    [
        of_flag(road),
        told(number(water).zip(number(households)).map(|(water, all)| water >= all)),
        of_flag(power),
        of_flag(net),
        if industry.is_empty() { "unknown" } else { "met" },
        told(number(cooperatives).map(|count| count > 0)),
        of_flag(clinic),
        of_flag(culture),
    ]
}

#[tokio::test]
async fn whatever_villages_told_every_level_is_the_sum_of_its_villages() {
    let mut numbers = Numbers(143);
    let mut areas =
        "区划代码,名称,级别,是否贫困村\n990102,南二县,县,\n990102100,南丙乡,乡,\n".to_owned();
    let mut years = YEARS.lines().next().unwrap().to_owned() + "\n";
    // By item, how many meet it, fail it or leave it open.
    let mut tally: BTreeMap<(usize, &str), i64> = BTreeMap::new();
    let mut whole: BTreeMap<&str, i64> = BTreeMap::new();
    for i in 0..VILLAGES {
        let township = ["990101100", "990101101", "990102100"][i % 3];
        let village = format!("{township}{}", 300 + i);
        writeln!(areas, "{village},第{i}村,村,{}", ["是", "", "否"][i / 3 % 3]).unwrap();
        if numbers.below(8) == 0 {
            continue;
        }
        // Some tell nearly nothing but yes, so that the whole list is met too.
        let is_good = numbers.below(3) == 0;
        let mut flag = || if is_good { "是" } else { numbers.one(&["是", "是", "否", ""]) };
        let flags: [&str; 5] = std::array::from_fn(|_| flag());
        let [road, power, net, clinic, culture] = flags;
        let (households, water, cooperatives, industry) = if is_good {
            ("100", "100", "1", numbers.one(&["茶", "茶", ""]))
        } else {
            let households = numbers.one(&["100", "101", ""]);
            let (water, count) = (numbers.one(&["100", "99", ""]), numbers.one(&["0", "3", ""]));
            (households, water, count, numbers.one(&["茶", ""]))
        };
        let cells = [households, water, road, power, net, industry, cooperatives, clinic, culture];
        writeln!(years, "{village},2015,{}", cells.join(",")).unwrap();
        let outcomes = expected(&cells);
        for (item, outcome) in outcomes.iter().enumerate() {
            *tally.entry((item, outcome)).or_default() += 1;
        }
        let has = |wanted: &str| outcomes.contains(&wanted);
        let of = if has("unmet") {
            "unmet"
        } else if has("unknown") {
            "unknown"
        } else {
            "met"
        };
        *whole.entry(of).or_default() += 1;
    }
    assert_eq!((tally.len(), whole.len()), (23, 3), "{tally:?} {whole:?}: all that there can be");
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::areas(&app).await;
        take_in(&app, &[("areas.csv", &areas), ("villages.csv", &years)]).await;
        let leader = app.client(&["leader@99"]).await;
        check_tree(&leader, "99", 2015).await;
        let told = checklist(&leader, "99", 2015).await;
        let all = &told["area"]["all"];
        for (i, item) in all["items"].as_array().unwrap().iter().enumerate() {
            let counted = OUTCOMES.map(|outcome| item[outcome].as_i64().unwrap());
            let wanted = OUTCOMES.map(|of| tally.get(&(i, of)).copied().unwrap_or_default());
            assert_eq!(counted, wanted, "{engine:?} {}", item["name"]);
        }
        let [_, _, of_whole @ ..] = counts(all);
        assert_eq!(of_whole, OUTCOMES.map(|of| whole.get(of).copied().unwrap_or_default()));
    }
}

/// A county's own list: of a share, of what is told, of money, and of what is asked for from 2016 on.
const OWN: &str = "\
[[village_group]]
name = 'ours'
title = '本县'
title_en = 'ours'

[[village_item]]
name = 'nearly_all_water'
title = '户户饮水安全，容千分之五'
title_en = 'all but five in a thousand have safe water'
group = 'ours'
column = 'safe_water_households'
share_of = 'households'
share_min = 0.995
source = 'a test'

[[village_item]]
name = 'causes'
title = '致贫原因清楚'
title_en = 'causes are known'
group = 'ours'
column = 'main_causes'
source = 'a test'

[[village_item]]
name = 'income'
title = '集体经济收入'
title_en = 'collective income'
group = 'ours'
column = 'collective_income_fen'
min = 100_000
source = 'a test'

[[village_item]]
name = 'bus'
title = '通客车'
title_en = 'a bus'
group = 'ours'
column = 'has_bus'
since = '2016-01-01'
source = 'a test'
";

#[tokio::test]
async fn a_county_sets_items_of_its_own() {
    let more = "行政村代码,年度,集体经济收入,是否通客车,主要致贫原因\n\
                990101100200,2015,1000,否,缺技术、缺资金\n990101100201,2015,999.99,,\n\
                990101100200,2016,1000,是,缺技术\n";
    for engine in Engine::BOTH {
        let policy = Policy::embedded_and([("county.toml", OWN)]).unwrap();
        let app = start(engine, policy).await;
        take_in(&app, &[("villages.csv", more)]).await;
        let leader = app.client(&["leader@990101"]).await;
        for year in [2015, 2016] {
            check_tree(&leader, "990101", year).await;
        }
        let of_2015 = json!([
            ["nearly_all_water", [2, 0, 1], 100.0],
            ["causes", [1, 0, 2], null],
            ["income", [1, 1, 1], 50.0],
        ]);
        let told = checklist(&leader, "990101", 2015).await;
        assert_eq!(json!(items(&told["area"]["all"])), of_2015, "{engine:?}");
        assert_eq!(counts(&told["area"]["all"]), [3, 1, 1, 1, 1]);
        let village = checklist(&leader, "990101100200", 2016).await;
        let met = |name: &str, share: Option<f64>| json!([name, [1, 0, 0], share]);
        let expected = json!([
            met("nearly_all_water", Some(100.0)),
            met("causes", None),
            met("income", Some(100.0)),
            met("bus", Some(100.0)),
        ]);
        assert_eq!(json!(items(&village["area"]["all"])), expected);
        assert_eq!(counts(&village["area"]["all"]), [1, 0, 1, 0, 0]);
        assert_eq!(json!(items(&village["before"][0]["all"])).as_array().unwrap().len(), 3);
        assert_eq!(
            village["groups"],
            json!([{ "name": "ours", "title": "本县", "title_en": "ours" }])
        );
        let causes = villages(&leader, "990101", "causes", "year=2015&outcome=met").await;
        assert_eq!(causes[0]["value"], "07 09");
        // What the national list asks for is not asked for here, nor the bus of the year before.
        for (item, year) in [("road", 2015), ("bus", 2015), ("x", 2016)] {
            let path = format!("/areas/990101/village-checklist/{item}/villages");
            let call = leader.get(&format!("{path}?year={year}&outcome=met"));
            call.send().await.problem(404, "record.not_found");
        }
    }
}

#[tokio::test]
async fn the_list_is_told_of_the_own_area_and_what_lies_below() {
    for engine in Engine::BOTH {
        let app = start(engine, Policy::embedded().unwrap()).await;
        let clerk = app.client(&["village_clerk@990101100"]).await;
        let own = checklist(&clerk, "990101100", 2015).await;
        assert_eq!(counts(&own["area"]["all"]), [2, 0, 1, 1, 0], "{engine:?}");
        let road = "village-checklist/road/villages?year=2015&outcome=met";
        for outside in ["99", "990101", "990101101", "990101101200", "98", "990101100999", "x"] {
            for path in ["village-checklist", road] {
                let call = clerk.get(&format!("/areas/{outside}/{path}"));
                call.send().await.problem(404, "record.not_found");
            }
        }
        for query in ["year=2015", "year=2015&outcome=perhaps", "outcome=met"] {
            let path = format!("/areas/990101100/village-checklist/road/villages?{query}");
            clerk.get(&path).send().await.problem(400, "request.bad_query");
        }
        let nobody = app.client(&["system_admin"]).await;
        for path in ["village-checklist", road] {
            let call = nobody.get(&format!("/areas/990101100/{path}"));
            call.send().await.problem(403, "auth.forbidden");
        }
    }
}

/// 行政村通畅率 of a city: of the villages that told, those with a paved road; by 2017 all.
#[tokio::test]
async fn the_share_of_villages_with_a_road_comes_out_with_its_denominator() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::areas(&app).await;
        let mut areas = "区划代码,名称,级别\n".to_owned();
        let mut years = "行政村代码,年度,是否通硬化路\n".to_owned();
        for i in 0..168 {
            let village = format!("990101{:03}{:03}", 100 + i % 2, 300 + i / 2);
            writeln!(areas, "{village},第{i}村,村").unwrap();
            let in_2014 = if i < 67 {
                "是"
            } else if i < 160 {
                "否"
            } else {
                ""
            };
            writeln!(years, "{village},2014,{in_2014}\n{village},2017,是").unwrap();
        }
        take_in(&app, &[("areas.csv", &areas), ("villages.csv", &years)]).await;
        let leader = app.client(&["leader@9901"]).await;
        let told = checklist(&leader, "9901", 2017).await;
        let road = |group: &Value| {
            let item = &group["items"][0];
            assert_eq!(item["name"], "road");
            json!([item["met"], item["told"], item["unknown"], item["share_percent"]])
        };
        // 67 of the 160 that told: 41.875 %.
        assert_eq!(road(&told["before"][0]["all"]), json!([67, 160, 8, 41.87]), "{engine:?}");
        assert_eq!(road(&told["area"]["all"]), json!([168, 168, 0, 100.0]));
        // Those of the small country that told nothing are beside, and in no share.
        assert_eq!(told["area"]["all"]["unrecorded"], 4);
    }
}

//! What villages have, year by year: each level adds up, each count opens its list, and the numbers that counties
//! published come out of what was imported.

use std::fmt::Write;

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    seed,
};

/// One village is a poor one, one is not, and of two it is not known; one ended before the second year.
pub const AREAS: &str = "\
区划代码,名称,级别,是否贫困村,停用日期
990101100200,南甲一村,村,是,
990101100201,南甲二村,村,否,
990101101201,南乙二村,村,,2015-12-31
";
const YEARS: &str = "\
行政村代码,年度,户数,集体经济收入,是否通硬化路,是否通客车,有无卫生室,合作社数,是否有电商点,主要致贫原因
990101100200,2015,300,0,否,否,无,,,缺技术、缺资金
990101100201,2015,200,,是,,有,2,否,缺技术
990101101201,2015,100,10.50,否,否,,1,,
990101100200,2016,305,12000.5,是,否,有,3,是,缺资金
990101101200,2016,150,,,是,有,,否,因病、缺资金、缺水
";

async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::areas(&app).await;
    take_in(&app, &[("areas.csv", AREAS), ("villages.csv", YEARS)]).await;
    app
}

/// Imports files, every row of which must go in.
pub async fn take_in(app: &TestApp, files: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let done = app.import(&[folder.path().to_owned()], crate::exchange::options()).await;
    let rejected: u64 = done.sheets.values().map(|counts| counts.rejected).sum();
    assert!(done.committed && rejected == 0, "{:?}", done.problems);
}

/// All rows of a list, over its pages.
pub async fn listed(client: &Client, path: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.json(&format!("{path}&limit=200{after}")).await;
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

async fn figures(client: &Client, area: &str, year: i64) -> Value {
    client.json(&format!("/areas/{area}/village-figures?year={year}")).await
}

/// The line of a column in a group.
fn column<'v>(group: &'v Value, name: &str) -> &'v Value {
    let kinds = ["flags", "lists", "sums"].into_iter().flat_map(|kind| group[kind].as_array());
    kinds.flatten().find(|line| line["column"] == name).unwrap()
}

/// Yes, no, unknown.
fn flag(group: &Value, name: &str) -> [i64; 3] {
    ["yes", "no", "unknown"].map(|what| column(group, name)[what].as_i64().unwrap())
}

/// Told, unknown, sum.
fn sum(group: &Value, name: &str) -> [i64; 3] {
    ["told", "unknown", "sum"].map(|what| column(group, name)[what].as_i64().unwrap())
}

/// All numbers of a group in one order, codes that nobody named as well.
fn numbers(group: &Value) -> Vec<i64> {
    let int = |of: &Value, name: &str| of[name].as_i64().unwrap();
    let mut all = ["villages", "recorded", "unrecorded"].map(|name| int(group, name)).to_vec();
    for line in group["flags"].as_array().unwrap() {
        all.extend(["yes", "no", "unknown"].map(|name| int(line, name)));
    }
    for line in group["lists"].as_array().unwrap() {
        all.extend(["told", "unknown"].map(|name| int(line, name)));
        for code in 1..=99 {
            let is_of = |count: &&Value| count["code"] == format!("{code:02}");
            let count = line["by_code"].as_array().unwrap().iter().find(is_of);
            all.push(count.map_or(0, |count| int(count, "villages")));
        }
    }
    for line in group["sums"].as_array().unwrap() {
        all.extend(["told", "unknown", "sum"].map(|name| int(line, name)));
    }
    all
}

/// Every count of a group is the length of the list that it opens, and every sum that of the list.
async fn check_group(client: &Client, area: &str, year: i64, group: &Value, is_poor: bool) {
    let poor = if is_poor { "&is_poor_village=true" } else { "" };
    let list = format!("/villages?area={area}&year={year}{poor}");
    let rows = listed(client, &list).await;
    assert_eq!(group["recorded"], rows.len());
    let poor = if is_poor { "&is_poor=true" } else { "" };
    let path = format!("/areas/{area}/village-figures/unrecorded?year={year}{poor}");
    assert_eq!(group["unrecorded"], listed(client, &path).await.len(), "{path}");
    let opens = async |count: &Value, name: &Value, value: &str| {
        let path = format!("{list}&{}={value}", name.as_str().unwrap());
        assert_eq!(*count, listed(client, &path).await.len(), "{path}");
    };
    for line in group["flags"].as_array().unwrap() {
        for (what, value) in [("yes", "true"), ("no", "false"), ("unknown", "unknown")] {
            opens(&line[what], &line["column"], value).await;
        }
    }
    for line in group["lists"].as_array().unwrap() {
        opens(&line["unknown"], &line["column"], "unknown").await;
        for count in line["by_code"].as_array().unwrap() {
            opens(&count["villages"], &line["column"], count["code"].as_str().unwrap()).await;
        }
    }
    for line in group["sums"].as_array().unwrap() {
        opens(&line["unknown"], &line["column"], "unknown").await;
        let told = rows.iter().filter_map(|row| row[line["column"].as_str().unwrap()].as_i64());
        assert_eq!(line["told"], told.clone().count());
        assert_eq!(line["sum"], told.sum::<i64>(), "{list} {}", line["column"]);
    }
}

/// Figures of an area and all below it: sums, and the lists behind them.
async fn check_tree(client: &Client, area: &str, year: i64) {
    let told = figures(client, area, year).await;
    for (group, is_poor) in [("all", false), ("poor", true)] {
        let whole = &told["area"][group];
        check_group(client, area, year, whole, is_poor).await;
        let children = told["children"].as_array().unwrap();
        if area.len() < 12 {
            let mut all = vec![0; numbers(whole).len()];
            for child in children {
                all.iter_mut().zip(numbers(&child[group])).for_each(|(all, more)| *all += more);
            }
            assert_eq!(numbers(whole), all, "{area} {group}");
        }
    }
    for child in told["children"].as_array().unwrap() {
        let code = child["code"].as_str().unwrap();
        assert_eq!(&figures(client, code, year).await["area"], child);
        Box::pin(check_tree(client, code, year)).await;
    }
}

#[tokio::test]
async fn every_level_is_the_sum_of_its_villages_and_each_count_opens_its_list() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let leader = app.client(&["leader@99"]).await;
        for year in [2014, 2015, 2016] {
            check_tree(&leader, "99", year).await;
        }
        let told = figures(&leader, "990101", 2015).await;
        let (all, poor) = (&told["area"]["all"], &told["area"]["poor"]);
        let counts = |group: &Value| {
            ["villages", "recorded", "unrecorded"].map(|name| group[name].as_i64().unwrap())
        };
        assert_eq!((counts(all), counts(poor)), ([4, 3, 1], [1, 1, 0]), "{engine:?}");
        assert_eq!(flag(all, "has_paved_road"), [1, 2, 0]);
        assert_eq!(flag(all, "has_bus"), [0, 2, 1], "what is not known is not no");
        assert_eq!(flag(poor, "has_paved_road"), [0, 1, 0]);
        assert_eq!(sum(all, "collective_income_fen"), [2, 1, 1050], "nothing is an income too");
        let causes = json!([{ "code": "07", "villages": 2 }, { "code": "09", "villages": 1 }]);
        assert_eq!(column(all, "main_causes")["by_code"], causes);
        assert_eq!(told["before"], json!([]));
        // Who told nothing of a year is missed as of its end: one village was there until the end of 2015.
        let told = figures(&leader, "990101", 2014).await;
        assert_eq!(counts(&told["area"]["all"]), [4, 0, 4]);
        // One village ended with 2015 and is not missed in 2016.
        let told = leader.json("/areas/990101/village-figures").await;
        assert_eq!(told["year"], 2016);
        assert_eq!(counts(&told["area"]["all"]), [3, 2, 1]);
        assert_eq!(flag(&told["before"][0]["all"], "has_clinic"), [1, 1, 1]);
        assert_eq!(flag(&told["area"]["all"], "has_clinic"), [2, 0, 0]);
        assert_eq!(told["before"][0]["year"], 2015);
        assert_eq!(told["before"].as_array().unwrap().len(), 1);
        // Nobody told anything: this year, and all are missed.
        let nobody = app.client(&["leader@98"]).await.json("/areas/98/village-figures").await;
        assert_eq!((&nobody["year"], counts(&nobody["area"]["all"])), (&json!(2020), [2, 0, 2]));
    }
}

#[tokio::test]
async fn villages_are_told_of_the_own_area_and_what_lies_below() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let clerk = app.client(&["village_clerk@990101100"]).await;
        let own = figures(&clerk, "990101100", 2015).await;
        assert_eq!(own["area"]["all"]["villages"], 2, "{engine:?}");
        let path = "/villages?year=2015&is_poor_village=false,unknown";
        assert_eq!(listed(&clerk, path).await.len(), 1);
        for outside in ["99", "990101", "990101101", "990101101200", "98", "990101100999", "x"] {
            for path in ["village-figures", "village-figures/unrecorded?year=2015"] {
                let call = clerk.get(&format!("/areas/{outside}/{path}"));
                call.send().await.problem(404, "record.not_found");
            }
        }
        let call = clerk.get("/villages?has_bus=maybe").send().await;
        call.problem(422, "request.invalid");
        let nobody = app.client(&["system_admin"]).await;
        let call = nobody.get("/areas/990101100/village-figures").send().await;
        call.problem(403, "auth.forbidden");
    }
}

/// Villages of 9901 so far as published numbers want them: 168, of which 100 are poor.
const VILLAGES: usize = 168;
const POOR: usize = 100;

fn village(i: usize) -> String {
    format!("990101{:03}{:03}", 100 + i % 2, 200 + i / 2)
}

async fn published(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::areas(&app).await;
    let mut areas = "区划代码,名称,级别,是否贫困村\n".to_owned();
    for i in 0..VILLAGES {
        let is_poor = if i < POOR { "是" } else { "否" };
        writeln!(areas, "{},第{i}村,村,{is_poor}", village(i)).unwrap();
    }
    take_in(&app, &[("areas.csv", &areas)]).await;
    app
}

/// 行政村通畅率 100 % by 2017; water, power, road and communications; 100 poor villages with e-commerce.
#[tokio::test]
async fn what_was_published_of_villages_comes_out_year_by_year() {
    for engine in Engine::BOTH {
        let app = published(engine).await;
        let mut text = "行政村代码,年度,户数,是否通硬化路,是否通动力电,是否通宽带,安全饮水户数,是否有电商点,有无卫生室\n".to_owned();
        for (i, year) in (0..VILLAGES).flat_map(|i| [(i, 2014), (i, 2017)]) {
            let has = |from: usize| if i >= from || year == 2017 { "是" } else { "否" };
            let sells = if i < POOR && year == 2017 { "是" } else { "否" };
            let water = if year == 2017 { 100 } else { 40 };
            let clinic = if year == 2017 { "有" } else { "无" };
            let facts = [has(POOR), has(20), has(160), &water.to_string(), sells, clinic].join(",");
            writeln!(text, "{},{year},100,{facts}", village(i)).unwrap();
        }
        take_in(&app, &[("villages.csv", &text)]).await;
        let leader = app.client(&["leader@990101"]).await;
        let told = figures(&leader, "990101", 2017).await;
        let (area, before) = (&told["area"], &told["before"][0]);
        let roads = |of: &Value| ["all", "poor"].map(|group| flag(&of[group], "has_paved_road"));
        assert_eq!(roads(before), [[68, 100, 0], [0, 100, 0]], "{engine:?}");
        assert_eq!(roads(area), [[168, 0, 0], [100, 0, 0]]);
        assert_eq!(flag(&before["all"], "has_production_power"), [148, 20, 0]);
        assert_eq!(flag(&area["all"], "has_production_power"), [168, 0, 0]);
        assert_eq!(flag(&before["all"], "has_broadband"), [8, 160, 0]);
        assert_eq!(flag(&area["all"], "has_broadband"), [168, 0, 0]);
        assert_eq!(sum(&before["all"], "safe_water_households"), [168, 0, 6_720]);
        assert_eq!(sum(&area["all"], "safe_water_households"), [168, 0, 16_800]);
        assert_eq!(sum(&area["all"], "households"), [168, 0, 16_800]);
        assert_eq!(flag(&before["poor"], "has_e_commerce"), [0, 100, 0]);
        assert_eq!(flag(&area["poor"], "has_e_commerce"), [100, 0, 0]);
        assert_eq!(flag(&area["all"], "has_e_commerce"), [100, 68, 0]);
        assert_eq!(flag(&area["poor"], "has_clinic"), [100, 0, 0]);
    }
}

/// The statistics of areas as they were published, each with its unit: poor population and incidence, business
/// entities, what parks came to.
#[tokio::test]
async fn what_was_published_of_areas_is_a_series_and_stands_beside_its_target() {
    const FIGURES: &str = "\
区划代码,期间,指标,数值,计量单位,来源
9901,2012,贫困人口,2020000,人,市
9901,2014,贫困人口,1659000,人,市
9901,2012,贫困发生率,8.5,%,市
9901,2014,贫困发生率,7.1,%,市
990101,2014,贫困发生率,20.06,%,县
990101,2015,新培育小微企业,435,户,县
990101,2015,新培育产业化龙头企业,2,个,县
990101,2015,新培育农民专合组织,22,个,县
990101,2015,新培育家庭农场,15,个,县
990101,2015,新培育专业大户,23,户,县
9901,2015,扶贫示范园区产值,384.03,亿元,省
9901,2015,扶贫示范园区销售收入,278.67,亿元,省
9901,2015,扶贫示范园区入园企业,910,个,省
9901,2015,省级及以上龙头企业,136,个,省
9901,2015,出列村,30,个,市
9901,2015Q1-3,出列村,20,个,市
";
    const TARGETS: &str = "区划代码,年度,指标,目标值\n9901,2017,出列村,50\n9901,2015,出列村,38\n990101,2015,出列村,9\n";
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::areas(&app).await;
        take_in(&app, &[("indicators.csv", FIGURES), ("targets.csv", TARGETS)]).await;
        let leader = app.client(&["leader@9901"]).await;
        let series = async |area: &str, name: &str| {
            let path = format!("/indicators?area={area}&indicator={name}");
            let of =
                |row: &Value| (row["area"].clone(), row["period"].clone(), row["figure"].clone());
            let rows = listed(&leader, &path).await;
            json!(rows.iter().map(of).collect::<Vec<_>>())
        };
        let poor = json!([["9901", "2012", 2_020_000.0], ["9901", "2014", 1_659_000.0]]);
        assert_eq!(series("9901", "贫困人口").await, poor, "{engine:?}");
        let incidence =
            json!([["9901", "2012", 8.5], ["9901", "2014", 7.1], ["990101", "2014", 20.06]]);
        assert_eq!(series("9901", "贫困发生率").await, incidence);
        let year = listed(&leader, "/indicators?area=9901&period=2015").await;
        let told: Vec<String> = year
            .iter()
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap();
                format!("{} {} {}", text("indicator"), row["figure"], text("unit"))
            })
            .collect();
        for published in [
            "新培育小微企业 435.0 户",
            "新培育产业化龙头企业 2.0 个",
            "新培育农民专合组织 22.0 个",
            "新培育家庭农场 15.0 个",
            "新培育专业大户 23.0 户",
            "扶贫示范园区产值 384.03 亿元",
            "扶贫示范园区销售收入 278.67 亿元",
            "扶贫示范园区入园企业 910.0 个",
            "省级及以上龙头企业 136.0 个",
        ] {
            assert!(told.iter().any(|line| line == published), "{published}: {told:?}");
        }
        // A year's figure, not that of its first quarters, and of the area itself.
        let targets = leader.json("/areas/9901/village-figures").await["targets"].clone();
        let target = |year, target, reached: Option<f64>| json!({ "year": year, "indicator": "03", "target": target, "reached": reached });
        assert_eq!(targets, json!([target(2015, 38.0, Some(30.0)), target(2017, 50.0, None)]));
        let county = app.client(&["leader@990101"]).await;
        assert_eq!(listed(&county, "/indicators?indicator=贫困发生率").await.len(), 1);
        county.get("/areas/9901/village-figures").send().await.problem(404, "record.not_found");
    }
}

/// 168 teams with 733 persons, some in villages that are not poor; a first secretary and a team for each poor
/// village; five persons in a village, whom their organisation sends, others each year.
#[tokio::test]
async fn what_was_published_of_teams_comes_out() {
    const PERSONS: usize = 733;
    for engine in Engine::BOTH {
        let app = published(engine).await;
        let mut cadres = "工号,姓名,角色,单位编号,所在区划代码\n".to_owned();
        let mut teams = "队编号,行政村代码,工号,是否队长,开始日期,结束日期,结束原因\n".to_owned();
        for (i, year) in (0..PERSONS).flat_map(|i| [(i, 2015), (i, 2016)]) {
            let (place, is_first) = (i % VILLAGES, i < VILLAGES);
            let role = if is_first { "第一书记、驻村队员" } else { "驻村队员" };
            writeln!(cadres, "C{year}N{i},干{i},{role},U{place},990101").unwrap();
            let end = if year == 2015 { "2015-12-31,期满" } else { "," };
            let leads = if is_first { "是" } else { "否" };
            let village = village(place);
            writeln!(teams, "T{place},{village},C{year}N{i},{leads},{year}-01-01,{end}").unwrap();
        }
        let mut organisations = "单位编号,名称,单位级别,所在区划代码\n".to_owned();
        for place in 0..VILLAGES {
            writeln!(organisations, "U{place},第{place}局,县,990101").unwrap();
        }
        let files = [
            ("organisations.csv", &*organisations),
            ("cadres.csv", &cadres),
            ("teams.csv", &teams),
        ];
        take_in(&app, &files).await;
        let leader = app.client(&["leader@990101"]).await;
        // 61 villages have five persons, all of them poor ones; the others have four.
        for day in ["2015-06-01", "2016-06-01"] {
            let told = leader.json(&format!("/areas/990101/coverage?on={day}")).await;
            assert_eq!(told["teams"], json!({ "teams": 168, "members": 733 }), "{engine:?}");
            let roles = told["area"]["village_roles"].as_array().unwrap();
            for name in ["first_secretary", "team"] {
                let role = roles.iter().find(|role| role["name"] == name).unwrap();
                assert_eq!((&role["villages"], &role["missing"]), (&json!(100), &json!(0)));
            }
            assert_eq!(told["area"]["villages_staffed"], 61);
            let path = format!("/areas/990101/coverage/villages?on={day}&missing=persons");
            assert_eq!(listed(&leader, &path).await.len(), 168 - 61);
            let by_role = told["cadres_by_role"].as_array().unwrap();
            let first = by_role.iter().find(|role| role["code"] == "07").unwrap();
            assert_eq!(first["count"], 2 * 168, "those of both years");
            let members = listed(&leader, &format!("/teams?on={day}")).await;
            assert_eq!(members.len(), PERSONS);
            let batch = format!("C{}N", &day[..4]);
            let is_of = |row: &Value| row["cadre"].as_str().unwrap().starts_with(&batch);
            assert!(members.iter().all(is_of), "others each year");
        }
        let roster = listed(&leader, "/cadres?organisation=U60").await;
        assert_eq!(roster.len(), 10, "five of each year");
    }
}

//! How good records are: counts, and the records that they open.

use daohu_app::exchange::{Outcome, import::ImportOptions};
use daohu_base::{AreaCode, Scope};
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    exchange::options,
    harness::{Client, TestApp},
    seed,
};

/// A good household in 南乙一村, and one with faults of each sheet; a third has a member alike one of the
/// second.
const HOUSEHOLDS: &str = "\
户编号,行政村代码,户主姓名,联系电话,贫困户属性,主要致贫原因,识别年度,脱贫年度,脱贫状态,危房等级,是否危房户,住房面积,经度,纬度
Q1,990101101200,好一,13800000001,一般贫困户,因病,2014,,未脱贫,A,否,90,108.5,28.5
Q2,990101101200,坏一,123,一般贫困户,因残,2014,2013,已脱贫,D,否,5000,,
Q3,990101101201,坏三,13800000003,一般贫困户,缺技术,2014,,未脱贫,A,否,90,108.5,28.5
";
const INCOMES: &str = "\
户编号,年度,家庭人口,工资性收入,转移性收入,低保金,生产经营性收入,财产性收入,生产经营性支出
Q1,2014,1,3000,0,,,,
Q1,2015,1,3100,0,,,,
Q2,2014,1,3000,0,,,,
Q2,2015,3,12000,100,500,,,
Q3,2015,1,3000,0,,,,
";

/// Number of the household, name, first 17 digits of the ID number, and what follows.
const PERSONS: [(&str, &str, &str, &str); 3] = [
    ("Q1", "好一", "99010119800101101", "初中,,慢性病,普通劳动力,是,否,是"),
    ("Q2", "张伟", "99010119800202201", ",,,,是,是,"),
    ("Q3", "章伟", "99010119800202301", "初中,,健康,普通劳动力,是,否,是"),
];

async fn start(engine: Engine) -> (TestApp, Client) {
    let app = TestApp::new(engine).await;
    fill(&app).await;
    let client = app.client(&["office_clerk@990101"]).await;
    (app, client)
}

/// The small country with the households above.
pub async fn fill(app: &TestApp) {
    seed::areas(app).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("households.csv", HOUSEHOLDS);
    write("incomes.csv", INCOMES);
    let mut persons = "户编号,姓名,证件号码,与户主关系,性别,文化程度,在校生状况,健康状况,劳动技能,城乡居民基本医疗保险,\
                       职工基本医疗保险,大病保险\n"
        .to_owned();
    for (no, name, digits, rest) in PERSONS {
        persons += &format!("{no},{name},{},户主,男,{rest}\n", seed::id_number(digits));
    }
    write("persons.csv", &persons);
    write("cadres.csv", "工号,姓名,角色,所在区划代码\nC1,帮,帮扶干部,990101\n");
    write(
        "pairings.csv",
        "主体类型,主体编号,对象类型,对象编号,开始日期\n干部,C1,户,Q1,2015-01-01\n干部,C1,户,Q3,2015-01-01\n",
    );
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    let refused = summary.problems.iter().any(|row| row.outcome == Outcome::Rejected);
    assert!(summary.committed && !refused, "{:?}", summary.problems);
}

fn hits(told: &Value) -> Vec<(&str, i64)> {
    let rules = told["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| (rule["rule"].as_str().unwrap(), rule["hits"].as_i64().unwrap()))
        .filter(|(_, hits)| *hits > 0)
        .collect()
}

#[tokio::test]
async fn an_area_is_judged_and_each_count_opens_its_records() {
    for engine in Engine::BOTH {
        let (_app, client) = start(engine).await;
        let told = client.json("/areas/990101/quality?on=2016-03-01").await;
        let expected = [
            ("R07", 1),
            ("R08", 1),
            ("R09", 1),
            ("R11", 1),
            ("R12", 1),
            ("R13", 1),
            ("R23", 1),
            ("R24", 1),
            ("R26", 1),
            ("R27", 1),
            ("R28", 1),
            ("R30", 1),
            ("R31", 1),
            ("R32", 2),
        ];
        assert_eq!(hits(&told), expected, "{engine:?}");
        // Three households, three persons, five years; of Q1 nothing is found.
        assert_eq!((&told["rows"], &told["clean"]), (&json!(11), &json!(7)), "{told}");
        assert_eq!(told["score"], json!(0.6363));
        for (rule, hits) in hits(&told) {
            let list = client
                .json(&format!("/areas/990101/quality/findings?on=2016-03-01&rule={rule}"))
                .await;
            let items = list["items"].as_array().unwrap();
            assert_eq!(i64::try_from(items.len()).unwrap(), hits, "{engine:?} {rule}");
            assert!(items.iter().all(|item| item["rule"] == rule), "{rule}");
        }
        let all: i64 = hits(&told).iter().map(|(_, hits)| hits).sum();
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/areas/990101/quality/findings?on=2016-03-01&limit=3{after}");
            let page = client.json(&path).await;
            found.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(i64::try_from(found.len()).unwrap(), all, "{engine:?}");
        let alike: Vec<&Value> =
            found.iter().filter(|item| item["rule"] == "R32").map(|item| &item["name"]).collect();
        assert_eq!(alike, ["张伟", "章伟"]);
    }
}

#[tokio::test]
async fn areas_add_up_and_rules_have_days() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        let county = client.json("/areas/990101/quality?on=2016-03-01").await;
        let township = client.json("/areas/990101101/quality?on=2016-03-01").await;
        assert_eq!(county["rows"], township["rows"]);
        let names = ["rows", "clean"];
        for told in [&county, &township] {
            for name in names {
                let children = told["children"].as_array().unwrap().iter();
                let sum: i64 = children.map(|child| child[name].as_i64().unwrap()).sum();
                assert_eq!(told[name], json!(sum), "{engine:?} {name}");
            }
        }
        // A year later nobody has a record of the year before.
        let later = client.json("/areas/990101/quality?on=2018-03-01").await;
        assert!(hits(&later).contains(&("R34", 3)), "{:?}", hits(&later));
        let rules = client.json("/quality/rules").await;
        let monitored = rules.as_array().unwrap().iter().find(|rule| rule["rule"] == "R29");
        assert_eq!(monitored.unwrap()["is_active"], json!(false));
        assert_eq!(rules.as_array().unwrap().len(), 34);
        let elsewhere = app.client(&["office_clerk@990101100"]).await;
        let path = "/areas/990101101/quality/findings";
        elsewhere.get(path).send().await.problem(404, "record.not_found");
        let empty = elsewhere.json("/areas/990101100/quality").await;
        assert_eq!((&empty["rows"], &empty["score"]), (&json!(0), &Value::Null));
        let unknown = client.get("/areas/990101/quality/findings?rule=R99").send().await;
        unknown.problem(422, "request.invalid");
    }
}

/// What an import says of persons who may be others.
#[tokio::test]
async fn rows_that_may_be_another_person_are_suspected() {
    for engine in Engine::BOTH {
        let (app, _client) = start(engine).await;
        // As in the store: 李娜, and in two households of this import 王芳 and 汪方, born on one day.
        let row = |no: &str, name: &str, digits: &str| {
            format!("{no},{name},{},户主\n", seed::id_number(digits))
        };
        let header = "户编号,姓名,证件号码,与户主关系\n".to_owned();
        let persons = header.clone()
            + &row("Q1", "好壹", "99010119800101101")
            + &row("N1", "王芳", "99010119850505101")
            + &row("N2", "汪方", "99010119850505201")
            + &row("N3", "王芳", "99010119850505301")
            + &row("N4", "张薇", "99010119800202401")
            + &row("N5", "张伟", "99010119800202501");
        let households = "户编号,行政村代码\nN1,990101101200\nN2,990101101201\nN3,990101100200\n\
                          N4,990101101200\nN5,990101100200\n";
        let import = async |persons: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("households.csv"), households).unwrap();
            std::fs::write(folder.path().join("persons.csv"), persons).unwrap();
            app.import(&[folder.path().to_owned()], options()).await
        };
        // Who may not see the other household is told no number of it.
        let of_village = |code: &str| {
            let scope = Scope::of([AreaCode::parse(code).unwrap()]);
            ImportOptions { scope, dry_run: true, ..options() }
        };
        for (village, name, digits, number) in [
            ("990101101200", "张伟", "99010119800202601", Some("Q2")),
            ("990101101201", "张伟", "99010119800202601", Some("Q3")),
            ("990101101201", "好一", "99010119800101601", None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let file =
                |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
            file("households.csv", &format!("户编号,行政村代码\nN9,{village}\n"));
            file("persons.csv", &(header.clone() + &row("N9", name, digits)));
            let tried = app.import(&[folder.path().to_owned()], of_village(village)).await;
            let mut notes = tried.problems.iter().flat_map(|row| &row.notes);
            let note = notes.find(|note| note.code == "quality.R32");
            assert!(note.is_some(), "{engine:?} {village} {name} {tried:?}");
            let note = &note.unwrap().message;
            let told = note.split_once("（户编号：").map(|(_, no)| no.trim_end_matches('）'));
            assert_eq!(told, number, "{engine:?} {village} {note}");
        }
        let summary = import(&persons).await;
        let suspected = |row: u64| {
            let mut rows = summary.problems.iter();
            let report = rows.find(|report| report.sheet == "persons" && report.row == row);
            let report = report.filter(|report| report.outcome == Outcome::Suspected);
            let mut notes = report.into_iter().flat_map(|report| &report.notes);
            let note = notes.find(|note| note.code == "quality.R32");
            note.map(|note| note.message.rsplit('：').next().unwrap().to_owned())
        };
        // The same person with the name written anew is nobody else; another township is far away.
        let expected = [None, Some("N2）"), Some("N1）"), None, Some("Q2）"), None];
        for (row, expected) in (2..).zip(expected) {
            assert_eq!(suspected(row).as_deref(), expected, "{engine:?} {row} {summary:?}");
        }
        let counts = summary.sheets["persons"];
        assert_eq!((counts.suspected, counts.created, counts.updated), (3, 2, 1), "{counts:?}");
        let again = import(&persons).await.sheets["persons"];
        assert_eq!((again.unchanged, again.suspected), (6, 0), "{engine:?} {again:?}");
        // Who moves is not another's duplicate.
        let moved = header + &row("N2", "王芳", "99010119850505101").replace("户主", "其他");
        let moved = import(&moved).await;
        let counts = moved.sheets["persons"];
        assert_eq!((counts.rejected, counts.suspected), (1, 0), "{:?}", moved.problems);
    }
}

#[tokio::test]
async fn causes_and_incomes_that_do_not_fit_are_doubted() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        // Ill, and all are healthy; support in hardship, and somebody can work; income that jumps.
        let households = "户编号,行政村代码,主要致贫原因,贫困户属性\n\
                          D1,990101101200,因病,一般贫困户\nD2,990101101200,缺劳力,五保户\n";
        let persons = "户编号,姓名,证件号码,与户主关系,健康状况,劳动技能\n".to_owned()
            + &format!("D1,甲,{},户主,健康,无劳动力\n", seed::id_number("99010119800101111"))
            + &format!("D2,乙,{},户主,慢性病,普通劳动力\n", seed::id_number("99010119800101211"));
        let incomes = "户编号,年度,家庭人口,工资性收入\nD1,2014,1,1000\nD1,2015,1,3001\n\
                       D2,2014,1,1000\nD2,2015,1,3000\nD2,2012,1,26251\n";
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("households.csv", households);
        write("persons.csv", &persons);
        write("incomes.csv", incomes);
        let summary = app.import(&[folder.path().to_owned()], options()).await;
        let noted = |rule: &str| -> Vec<(&str, u64)> {
            let rows = summary
                .problems
                .iter()
                .filter(|row| row.notes.iter().any(|note| note.code == format!("quality.{rule}")));
            rows.map(|row| (row.sheet.as_str(), row.row)).collect()
        };
        assert_eq!(noted("R20"), [("households", 2), ("households", 3)], "{engine:?}");
        assert_eq!(noted("R21"), [("households", 3)]);
        // More than three times the year before; more than ten times the line of 2012.
        assert_eq!(noted("R25"), [("incomes", 3), ("incomes", 6)], "{:?}", summary.problems);
        for (rule, rows) in [("R20", 2), ("R21", 1), ("R25", 2)] {
            let path = format!("/areas/990101/quality/findings?on=2016-03-01&rule={rule}");
            let list = client.json(&path).await;
            assert_eq!(list["items"].as_array().unwrap().len(), rows, "{engine:?} {rule}");
        }
    }
}

/// A second county, with a poor township and two poor villages.
const SECOND_COUNTY: &str = "\
区划代码,名称,级别,是否贫困村,乡村人口
990102,东县,县,,
990102100,东甲乡,乡,,
990102100200,东甲一村,村,是,
990102100201,东甲二村,村,是,900
";

/// Imports tables, of which every row must go in.
pub async fn import(app: &TestApp, tables: &[(&str, String)]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in tables {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    assert!(summary.committed, "{:?}", summary.problems);
    let refused = summary.problems.iter().any(|row| row.outcome == Outcome::Rejected);
    assert!(!refused, "{:?}", summary.problems);
}

/// Two rural poor households and three more in the second county.
pub async fn second_county(app: &TestApp) {
    let mut households = "户编号,行政村代码,户类型,脱贫状态,住房面积,耕地面积\n".to_owned();
    let mut persons = "户编号,姓名,证件号码,与户主关系\n".to_owned();
    for n in 1..=5 {
        let (village, kind) = if n < 3 { (200, "农村") } else { (201, "城镇") };
        households += &format!("E{n},990102100{village},{kind},未脱贫,5000,5000\n");
        let id = seed::id_number(&format!("9901021990010100{n}"));
        persons += &format!("E{n},甲{n},{id},户主\n");
    }
    let tables = [
        ("areas.csv", SECOND_COUNTY.to_owned()),
        ("households.csv", households),
        ("persons.csv", persons),
    ];
    import(app, &tables).await;
}

#[tokio::test]
async fn readers_who_share_a_report_come_to_what_each_county_does() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        second_county(&app).await;
        let office = app.client(&["office_clerk@99"]).await;
        let province = office.json("/areas/99/quality?on=2016-03-01").await;
        let other = app.client(&["office_clerk@990102"]).await;
        let first = client.json("/areas/990101/quality?on=2016-03-01").await;
        let second = other.json("/areas/990102/quality?on=2016-03-01").await;
        for name in ["rows", "clean"] {
            let sum = first[name].as_i64().unwrap() + second[name].as_i64().unwrap();
            assert_eq!(province[name], json!(sum), "{engine:?} {name}");
        }
        assert_eq!(second["rows"], json!(10));
        let of = |told: &Value, rule: &str| {
            hits(told).into_iter().find(|(id, _)| *id == rule).map_or(0, |(_, hits)| hits)
        };
        for rule in province["rules"].as_array().unwrap() {
            let rule = rule["rule"].as_str().unwrap();
            let sum = of(&first, rule) + of(&second, rule);
            assert_eq!(of(&province, rule), sum, "{engine:?} {rule}");
        }
        // Every time the same, whoever takes which county.
        for _ in 0..5 {
            assert_eq!(office.json("/areas/99/quality?on=2016-03-01").await, province);
        }
    }
}

#[tokio::test]
async fn areas_without_leaders_or_population_are_named_one_by_one() {
    for engine in Engine::BOTH {
        let (app, _client) = start(engine).await;
        second_county(&app).await;
        // The second village has a first secretary and a team; the first is led by nobody.
        let cadres = "工号,姓名,角色,所在区划代码\nC2,书记,第一书记,990102\n";
        let teams = "队编号,行政村代码,工号,是否队长,开始日期\nT1,990102100201,C2,是,2015-01-01\n";
        import(&app, &[("cadres.csv", cadres.to_owned()), ("teams.csv", teams.to_owned())]).await;
        let client = app.client(&["office_clerk@990102"]).await;
        let told = client.json("/areas/990102/quality?on=2016-03-01").await;
        let path = "/areas/990102/quality/findings?on=2016-03-01";
        let list = client.json(&format!("{path}&rule=R33")).await;
        let places: Vec<(&str, &str)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["area"].as_str().unwrap(), item["column"].as_str().unwrap()))
            .collect();
        // Of the village's population nothing is known, nor therefore of those above it.
        let expected =
            [("990102", "乡村人口"), ("990102100", "乡村人口"), ("990102100200", "是否贫困村")];
        assert_eq!(places, expected, "{engine:?} {list}");
        assert!(hits(&told).contains(&("R33", 3)), "{engine:?} {:?}", hits(&told));
        let first = &list["items"][0];
        assert_eq!((&first["sheet"], &first["household"]), (&json!("areas"), &Value::Null));
        // What is found of a part is told of the part, and its own beside what lies below.
        let township = client.json("/areas/990102100/quality?on=2016-03-01").await;
        assert!(hits(&township).contains(&("R33", 2)), "{engine:?} {:?}", hits(&township));
        let children = told["children"].as_array().unwrap();
        assert_eq!(children[0]["hits"]["R33"], json!(2), "{engine:?} {told}");
        // Before the team came, both villages lacked it.
        let before = client.json("/areas/990102/quality?on=2014-03-01").await;
        assert!(hits(&before).contains(&("R33", 4)), "{engine:?} {:?}", hits(&before));
        // Page by page: areas first, then records; a record breaks a rule once.
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = client.json(&format!("{path}&limit=2{after}")).await;
            found.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let all: i64 = hits(&told).iter().map(|(_, hits)| hits).sum();
        assert_eq!(i64::try_from(found.len()).unwrap(), all, "{engine:?}");
        assert!(found[..3].iter().all(|item| item["rule"] == "R33"), "{engine:?} {found:?}");
        let odd = found.iter().filter(|item| item["rule"] == "R27").count();
        assert_eq!(odd, 5, "{engine:?}");
        let rules = client.json("/quality/rules").await;
        let unchecked = |id: &str| {
            let rule = rules.as_array().unwrap().iter().find(|rule| rule["rule"] == id).unwrap();
            (rule["is_active"].as_bool().unwrap(), rule["unchecked_en"].is_string())
        };
        assert_eq!(
            [unchecked("R30"), unchecked("R31"), unchecked("R33")],
            [(true, true), (true, true), (true, false)]
        );
    }
}

#[tokio::test]
async fn each_cadre_has_a_list_of_what_is_to_be_put_right() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        // Of Q2, the one with faults, nobody answers yet; then two do, one of them no longer.
        let path = "/areas/990101/quality";
        let on = "on=2016-03-01";
        let duties = async || client.json(&format!("{path}/cadres?{on}")).await["items"].clone();
        let told = duties().await;
        let nobody = &told[0];
        assert_eq!((&nobody["cadre"], &nobody["households"]), (&Value::Null, &json!(1)), "{told}");
        let cadres = "工号,姓名,角色,所在区划代码\nC2,二,帮扶干部,990101\nC3,三,帮扶干部,990101\n";
        let pairings = "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期\n\
                        干部,C2,户,Q2,2015-01-01,\n干部,C1,户,Q2,2015-01-01,\n\
                        干部,C3,户,Q2,2015-01-01,2015-12-31\n";
        let tables = [("cadres.csv", cadres.to_owned()), ("pairings.csv", pairings.to_owned())];
        import(&app, &tables).await;
        let told = duties().await;
        let lines = told.as_array().unwrap();
        let numbers: Vec<&str> = lines.iter().map(|line| line["cadre"].as_str().unwrap()).collect();
        assert_eq!(numbers, ["C1", "C2"], "{engine:?} {told}");
        assert_eq!((&lines[1]["name"], &lines[1]["households"]), (&json!("二"), &json!(1)));
        // Each count is the length of the list that it opens, also with other conditions.
        for more in ["", "&rule=R32", "&level=warn", "&level=reject"] {
            let told = client.json(&format!("{path}/cadres?{on}{more}")).await;
            for line in told["items"].as_array().unwrap() {
                let cadre = line["cadre"].as_str().unwrap();
                let list = format!("{path}/findings?{on}{more}&cadre={cadre}&limit=200");
                let items = client.json(&list).await["items"].clone();
                let items = items.as_array().unwrap();
                assert_eq!(json!(items.len()), line["findings"], "{engine:?} {list}");
                let is_theirs =
                    |item: &Value| item["cadres"].as_array().unwrap().contains(&json!(cadre));
                assert!(items.iter().all(is_theirs), "{engine:?} {items:?}");
            }
        }
        let rejects = client.json(&format!("{path}/cadres?{on}&level=reject")).await;
        assert_eq!(rejects["items"], json!([]), "{engine:?}");
        // Page by page; nobody is left without an answer, and a former cadre has nothing to do.
        let first = client.json(&format!("{path}/cadres?{on}&limit=1")).await;
        let after = first["next"].as_str().unwrap();
        let second = client.json(&format!("{path}/cadres?{on}&limit=1&after={after}")).await;
        assert_eq!(second["items"], json!([lines[1]]), "{engine:?}");
        for none in ["cadre=C3", "is_answered=false"] {
            let list = client.json(&format!("{path}/findings?{on}&{none}")).await;
            assert_eq!(list["items"], json!([]), "{engine:?} {none}");
        }
        let unknown = client.get(&format!("{path}/findings?level=bad")).send().await;
        unknown.problem(422, "request.invalid");
        let elsewhere = app.client(&["office_clerk@990101100"]).await;
        elsewhere.get(&format!("{path}/cadres")).send().await.problem(404, "record.not_found");
    }
}

//! Classes that poor households are helped by.

use daohu_db::Engine;
use daohu_policy::Policy;
use serde_json::json;

use crate::{
    exchange::options,
    harness::{TestApp, config},
    seed,
};

/// Each household with the classes that it is of. C1: land, a worker and no work; C2: illness beside another
/// cause; C3: nobody able, no trade; C4: bad roads, and an orchard.
const HOUSEHOLDS: &str = "\
户编号,行政村代码,主要致贫原因,其他致贫原因,耕地面积,林地面积,产业类型
C1,990101100200,自身发展动力不足,,0.5,0.6,
C2,990101100200,缺土地,因病,,,养殖
C3,990101100201,因残,,3,,
C4,990101101200,交通条件落后,缺资金,,,林果
";
const PERSONS: [(&str, &str, &str); 5] = [
    ("C1", "99010119800101101", "普通劳动力,"),
    ("C1", "99010119500101102", "无劳动力,"),
    ("C2", "99010119800101201", "普通劳动力,"),
    ("C3", "99010119400101301", "无劳动力,"),
    ("C4", "99010119800101401", "普通劳动力,10"),
];

async fn fill(app: &TestApp) {
    seed::areas(app).await;
    let mut persons = "户编号,姓名,证件号码,与户主关系,劳动技能,务工时间\n".to_owned();
    for (no, digits, rest) in PERSONS {
        persons += &format!("{no},甲,{},其他,{rest}\n", seed::id_number(digits));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("households.csv"), HOUSEHOLDS).unwrap();
    std::fs::write(folder.path().join("persons.csv"), persons).unwrap();
    assert!(app.import(&[folder.path().to_owned()], options()).await.committed);
}

#[tokio::test]
async fn a_page_ends_when_enough_was_looked_at() {
    const NARROW: &str = "[quality_reports]\nsource = \"a test\"\nturns_left = 1\n\
                          page_records_max = 1\nfile_records_max = 1\n";
    for engine in Engine::BOTH {
        let policy = Policy::embedded_and([("test.toml", NARROW)]).unwrap();
        let app = TestApp::governed(engine, config(), policy).await;
        fill(&app).await;
        let client = app.client(&["office_clerk@990101"]).await;
        let path = "/areas/990101/classes/two_lacks/households?limit=1";
        let (mut pages, mut after) = (Vec::new(), String::new());
        loop {
            let page = client.json(&format!("{path}{after}")).await;
            pages.push(page["items"].as_array().unwrap().len());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        // The fourth of four households, and the end.
        assert_eq!(pages, [0, 0, 0, 1, 0], "{engine:?}");
    }
}

#[tokio::test]
async fn households_are_of_the_classes_that_the_pack_describes() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        fill(&app).await;
        let client = app.client(&["office_clerk@990101"]).await;
        let told = client.json("/areas/990101/classes").await;
        let counts: Vec<(&str, i64, i64)> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|class| {
                let count = |name: &str| class[name].as_i64().unwrap();
                (class["name"].as_str().unwrap(), count("households"), count("persons"))
            })
            .collect();
        let expected =
            [("two_haves", 1, 2), ("two_causes", 1, 1), ("two_nones", 1, 1), ("two_lacks", 1, 1)];
        assert_eq!(counts, expected, "{engine:?}");
        for (class, no) in
            [("two_haves", "C1"), ("two_causes", "C2"), ("two_nones", "C3"), ("two_lacks", "C4")]
        {
            let list = client.json(&format!("/areas/990101/classes/{class}/households")).await;
            assert_eq!(list["items"][0]["no"], no, "{engine:?} {class}");
            assert_eq!(list["items"].as_array().unwrap().len(), 1);
        }
        let township = client.json("/areas/990101101/classes").await;
        assert_eq!(township[0]["households"], json!(0));
        // One who works away is occupied.
        let work = "户编号,姓名,证件号码,与户主关系,务工时间\n".to_owned()
            + &format!("C1,甲,{},其他,6\n", seed::id_number("99010119800101101"));
        app.import_text("persons.csv", &work).await;
        let told = client.json("/areas/990101/classes").await;
        assert_eq!(told[0]["households"], json!(0), "{engine:?} {told}");
        let unknown = client.get("/areas/990101/classes/rich/households").send().await;
        unknown.problem(404, "record.not_found");
    }
}

//! What counts as income, as packs say it for an area and its days, on both engines.

use std::sync::Arc;

use daohu_app::{
    Context, Error,
    monitoring::{Asked, IndicesAsked, Live, indices, run},
};
use daohu_base::{AreaCode, Day, Scope};
use daohu_db::Engine;
use daohu_policy::Policy;

use crate::{harness::TestApp, monitoring::read, seed};

/// Pensions count no longer from 2016 on; nobody books costs.
const PACK: &str = "area = '9901'
[[income_part]]
id = 'pension'
counted = false
since = '2016-01-01'
source = 'a test'
[[income_part]]
id = 'property'
counted = false
year = 2017
source = 'a test'
[[cost_ratio]]
product = '养殖'
ratio = 0.4
since = '2016-01-01'
source = 'a test'
[[cost_ratio]]
product = 'any'
ratio = 0.1
since = '2016-01-01'
source = 'a test'
[[cost_ratio]]
product = '林果'
ratio = 0.9
open = true
source = 'a test'
";

const HOUSEHOLDS: &str = "户编号,行政村代码,产业类型
E1,990101100200,养殖
E2,990101100200,养殖、林果
E3,990101100200,
E4,990101100200,林果
";

/// Each with what a head had by the pack, and without it.
const INCOMES: [(&str, &str, &str); 9] = [
    // Before the pack's days.
    ("E1,2015,2,,1000,,600,600,", "800.00", "800.00"),
    // 40 % of 1000 are costs, and the pension of 600 is left out of 700.
    ("E1,2016,2,,1000,,700,600,", "350.00", "850.00"),
    // What was booked goes before.
    ("E1,2017,2,,1000,,700,600,10", "545.00", "845.00"),
    // Two industries: what is said of all of them. Halves of a fen away from zero.
    ("E2,2016,1,,0.05,,,,", "0.04", "0.05"),
    ("E2,2017,1,,,500,0.10,,", "0.10", "500.10"),
    // Nothing of what was told counts: it is not known what they live on.
    ("E3,2017,1,,,500,,,", "", "500.00"),
    // A pension that no total has is none of it.
    ("E3,2016,1,100,,,,600,", "100.00", "100.00"),
    // What is open does not hold.
    ("E4,2016,1,,1000,,,,", "900.00", "1000.00"),
    ("E4,2015,1,,1000,,,,", "1000.00", "1000.00"),
];

async fn filled(engine: Engine) -> TestApp {
    let test = TestApp::new(engine).await;
    seed::areas(&test).await;
    assert!(test.import_text("households.csv", HOUSEHOLDS).await.committed);
    let mut text = "户编号,年度,家庭人口,工资性收入,生产经营性收入,财产性收入,转移性收入,养老保险金,生产经营性支出\n".to_owned();
    INCOMES.iter().for_each(|(row, ..)| text += &format!("{row}\n"));
    assert!(test.import_text("incomes.csv", &text).await.committed);
    test
}

fn under(test: &TestApp, pack: &str) -> Context {
    let policy = Policy::embedded_and([("own.toml", pack)]).unwrap();
    Context { policy: Arc::new(policy), live: Live::default(), ..test.context.clone() }
}

#[tokio::test]
async fn an_area_counts_as_income_what_its_pack_says() {
    for engine in Engine::BOTH {
        let test = filled(engine).await;
        let other_area = PACK.replace("'9901'", "'9902'");
        for (context, is_own) in [
            (under(&test, PACK), true),
            (under(&test, &other_area), false),
            (test.context.clone(), false),
        ] {
            for year in [2015, 2016, 2017] {
                let folder = tempfile::tempdir().unwrap();
                let out = folder.path().join("statuses.csv");
                let on = Day::new(year, 12, 31).unwrap();
                let area = AreaCode::parse("990101").unwrap();
                let asked = Asked { area, on, out: Some(out.clone()), repeat: 1 };
                run(&context, &Scope::all(), asked).await.unwrap();
                let (columns, rows) = read(&out);
                let place = |name: &str| columns.iter().position(|own| own == name).unwrap();
                for (row, own, plain) in INCOMES {
                    let cells: Vec<&str> = row.split(',').collect();
                    if cells[1] != year.to_string() {
                        continue;
                    }
                    let told = rows.iter().find(|told| told[place("户编号")] == cells[0]).unwrap();
                    let wanted = if is_own { own } else { plain };
                    assert_eq!(told[place("人均纯收入")], wanted, "{engine:?} {row} {is_own}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_a_server_keeps_is_counted_anew_under_another_pack() {
    for engine in Engine::BOTH {
        let test = filled(engine).await;
        let a_head = async |context: &Context| {
            let area = AreaCode::parse("990101").unwrap();
            let asked = IndicesAsked { area, year: 2016, by: None, class: None };
            let told = indices(context, &Scope::all(), asked).await.unwrap();
            told.whole.income_per_head_fen.unwrap()
        };
        assert!(test.context.live.is_kept());
        assert_eq!(a_head(&test.context).await, 56_001);
        let live = test.context.live.clone();
        let governed = Context { live, ..under(&test, PACK) };
        assert_eq!(a_head(&governed).await, 34_001);
        assert_eq!(a_head(&test.context).await, 56_001, "{engine:?}");
    }
}

#[tokio::test]
async fn a_part_of_income_that_there_is_not_is_refused_by_name() {
    let test = TestApp::new(Engine::Sqlite).await;
    for (pack, says) in [
        (
            "[[income_part]]\nid = 'pensions'\ncounted = false\nsource = ''\n",
            "there is no pensions; there are: wage, business, property, transfer, family_planning",
        ),
        (
            "\n[[cost_ratio]]\nproduct = '养猪'\nratio = 0.5\nsource = ''\n",
            "there is no 养猪; there are: 种植、养殖",
        ),
    ] {
        let context = under(&test, pack);
        let area = AreaCode::parse("990101").unwrap();
        let on = Day::parse("2016-12-31").unwrap();
        let asked = Asked { area, on, out: None, repeat: 1 };
        let refused = run(&context, &Scope::all(), asked).await;
        let Err(Error::Policy(bad)) = refused else { panic!("{refused:?}") };
        assert!(bad.reason.contains(says), "{bad}");
        assert!(bad.file == "own.toml" && bad.reason.starts_with("line "), "{bad}");
    }
}

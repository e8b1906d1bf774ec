//! What the guarantees say of households, on both engines.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use daohu_app::{
    Error,
    exchange::import::{ImportOptions, OnError},
    monitoring::{Asked, Summary, run},
};
use daohu_base::{AreaCode, Day, Scope};
use daohu_db::Engine;

use crate::{exchange::options, harness::TestApp};

pub fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statuses")
}

/// The cells of a CSV file, by row, with its header.
pub fn read(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut csv = csv::Reader::from_path(path).unwrap();
    let owned = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = owned(csv.headers().unwrap());
    (header, csv.records().map(|row| owned(&row.unwrap())).collect())
}

impl TestApp {
    /// What the guarantees come to, with the line of each household in a file.
    async fn statuses(&self, area: &str, on: &str, out: &Path) -> Summary {
        let (area, on) = (AreaCode::parse(area).unwrap(), Day::parse(on).unwrap());
        let asked = Asked { area, on, out: Some(out.to_owned()), repeat: 1 };
        run(&self.context, &Scope::all(), asked).await.unwrap()
    }

    pub async fn with_cases(engine: Engine) -> Self {
        let test = Self::new(engine).await;
        let folder = self::fixture();
        let names = ["areas", "households", "persons", "incomes"];
        let files = names.map(|name| folder.join(format!("{name}.csv"))).to_vec();
        let all = ImportOptions { on_error: OnError::Abort, ..options() };
        assert!(test.import(&files, all).await.committed);
        test
    }
}

#[tokio::test]
async fn the_cases_have_exactly_their_statuses() {
    let (columns, expected) = read(&fixture().join("expected.csv"));
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("statuses.csv");
        let summary = test.statuses("990102", "2015-12-31", &out).await;
        let (header, rows) = read(&out);
        // The file of the cases calls the state of all by another name.
        let named = |column: &String| match column.as_str() {
            "overall" => "总体状态".to_owned(),
            _ => column.clone(),
        };
        let places: Vec<usize> = columns
            .iter()
            .map(|column| header.iter().position(|own| *own == named(column)).unwrap())
            .collect();
        let told: Vec<Vec<String>> =
            rows.iter().map(|row| places.iter().map(|i| row[*i].clone()).collect()).collect();
        assert_eq!(told.len(), expected.len());
        for (told, expected) in told.iter().zip(&expected) {
            assert_eq!(told, expected, "{engine:?}");
        }
        let column = |name: &str| header.iter().position(|own| own == name).unwrap();
        let (year, line) = (column("年度"), column("贫困标准"));
        assert!(rows.iter().all(|row| row[year] == "2015" && row[line] == "2855"));
        for rule in &summary.rules {
            let i = column(&rule.rule);
            let count = |state: &str| rows.iter().filter(|row| row[i] == state).count();
            let told = (rule.met, rule.unmet, rule.unknown);
            assert_eq!(told, (count("met"), count("unmet"), count("unknown")), "{}", rule.rule);
        }
        let overall = (summary.overall.met, summary.overall.unmet, summary.overall.unknown);
        let last = column("总体状态");
        let count = |state: &str| rows.iter().filter(|row| row[last] == state).count();
        assert_eq!(overall, (count("达标"), count("未达标"), count("待核实")));
    }
}

#[tokio::test]
async fn an_area_is_the_sum_of_those_below_and_nobody_counts_outside_his_own() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("statuses.csv");
        let whole = test.statuses("990102", "2015-12-31", &out).await;
        let villages: BTreeSet<String> = read(&fixture().join("households.csv"))
            .1
            .into_iter()
            .map(|row| row[1].clone())
            .collect();
        assert!(villages.len() > 1);
        let mut sum: Option<Summary> = None;
        for village in &villages {
            let own = test.statuses(village, "2015-12-31", &out).await;
            let Some(sum) = &mut sum else {
                sum = Some(own);
                continue;
            };
            sum.households += own.households;
            sum.members += own.members;
            for (sum, own) in sum.rules.iter_mut().zip(&own.rules) {
                (sum.met, sum.unmet, sum.unknown) =
                    (sum.met + own.met, sum.unmet + own.unmet, sum.unknown + own.unknown);
            }
            sum.overall.met += own.overall.met;
            sum.overall.unmet += own.overall.unmet;
            sum.overall.unknown += own.overall.unknown;
        }
        let sum = sum.unwrap();
        assert_eq!((sum.households, sum.members), (whole.households, whole.members));
        assert_eq!((&sum.rules, &sum.overall), (&whole.rules, &whole.overall), "{engine:?}");

        let village = AreaCode::parse(villages.first().unwrap()).unwrap();
        let on = Day::parse("2015-12-31").unwrap();
        let asked = Asked { area: AreaCode::parse("990102").unwrap(), on, out: None, repeat: 1 };
        let refused = run(&test.context, &Scope::of([village]), asked).await;
        assert!(matches!(refused, Err(Error::NotFound("area"))), "{engine:?} {refused:?}");
    }
}

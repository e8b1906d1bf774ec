//! What is sampled is imported whole, what is exported is read back as the same.

use daohu_db::Engine;

use crate::harness::Place;

const SHEETS: [&str; 4] = ["areas", "households", "persons", "incomes"];

#[tokio::test]
async fn a_sample_goes_in_changes_nothing_twice_and_comes_out_the_same_everywhere() {
    let from = Place::new(Engine::Sqlite).await;
    let sample = from.sample(60);
    let first = from.run(&["import", "--json", &sample]).expect(0).json();
    assert_eq!(first["committed"], true);
    for sheet in SHEETS {
        let counts = &first["sheets"][sheet];
        assert!(counts["rows"].as_u64().unwrap() > 0);
        assert_eq!(counts["rows"], counts["created"], "{sheet}");
    }
    let again = from.run(&["import", "--json", &sample]).expect(0).json();
    for sheet in SHEETS {
        assert_eq!(again["sheets"][sheet]["rows"], again["sheets"][sheet]["unchanged"], "{sheet}");
    }
    let export = |place: &Place, format: &str, out: &str| {
        let out = place.folder().join(out).display().to_string();
        let args = ["export", "--area", "500242", "--format", format, "--out", &out];
        place.run(&args).expect(0);
        out
    };
    let csv = export(&from, "csv", "csv");
    let xlsx = export(&from, "xlsx", "all.xlsx");
    for (engine, files) in
        [(Engine::Postgres, &csv), (Engine::Sqlite, &csv), (Engine::Postgres, &xlsx)]
    {
        let to = Place::new(engine).await;
        to.run(&["import", "--json", files]).expect(0);
        let back = export(&to, "csv", "csv");
        for sheet in SHEETS {
            let read = |folder: &str| std::fs::read(format!("{folder}/{sheet}.csv")).unwrap();
            assert!(read(&csv) == read(&back), "{engine:?} {files} {sheet}");
        }
        to.run(&["journal", "verify", "--deep", "--json"]).expect(0);
    }
}

#[tokio::test]
async fn reading_commands_refuse_a_database_that_is_not_there() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let run = place.run(&["household", "--id", "1", "--json"]).expect(3);
        assert!(!run.stderr().is_empty());
        place.run(&["migrate", "--json"]).expect(0);
        place.run(&["household", "--id", "1", "--json"]).expect(1);
        place.run(&["export", "--nonsense"]).expect(2);
    }
}

#[tokio::test]
async fn a_masked_export_is_never_imported() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    place.run(&["import", "--json", &sample]).expect(0);
    let out = place.folder().join("masked").display().to_string();
    let args = ["export", "--area", "50", "--format", "csv", "--masked", "--out", &out];
    place.run(&args).expect(0);
    let run = place.run(&["import", "--json", "--dry-run", &out]).expect(1).json();
    let problems = run["problems"].as_array().unwrap();
    assert!(problems.iter().any(|p| p["notes"][0]["code"] == "cell.masked"), "{problems:?}");
}

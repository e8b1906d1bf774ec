//! What an import says on a terminal, and what it refuses before it begins.

use daohu_db::Engine;

use crate::harness::Place;

#[tokio::test]
async fn a_folder_without_sheets_is_refused() {
    let place = Place::new(Engine::Sqlite).await;
    let folder = place.folder().join("given");
    std::fs::create_dir(&folder).unwrap();
    let name = folder.display().to_string();
    for (file, skipped) in [(None, ""), (Some("notes.docx"), "notes.docx")] {
        if let Some(file) = file {
            std::fs::write(folder.join(file), "x").unwrap();
        }
        let told = place.run(&["--lang", "en", "import", &name]).expect(1).stderr();
        assert!(told.contains("no sheets found") && told.contains(&name), "{told}");
        assert!(told.contains(skipped), "{told}");
    }
}

#[tokio::test]
async fn refused_rows_come_first_and_what_to_do_comes_last() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let out = place.folder().join("dirty").display().to_string();
        let args = ["--county", "500242", "--households", "300", "--dirty", "0.05", "--out", &out];
        place.run(&[&["sample"][..], &args].concat()).expect(0);
        let told = place.run(&["--lang", "en", "import", &out]).expect(1).stdout();
        let is_row = |line: &&str| line.contains(".csv:");
        let rows: Vec<&str> = told.lines().filter(is_row).collect();
        let refused = rows.iter().filter(|line| line.starts_with("rejected")).count();
        assert!(refused > 0, "{told}");
        assert!(rows.iter().take(refused).all(|line| line.starts_with("rejected")), "{told}");
        assert!(told.contains("more; --report FILE.xlsx has them all"), "{told}");
        assert!(told.contains("--on-error reject-row"), "{told}");
        assert!(told.contains("nothing was stored"), "{told}");
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_written_stops_an_import_before_it_begins() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(20);
        let folder = place.folder().display().to_string();
        for report in [format!("{folder}/no/such/report.xlsx"), folder.clone()] {
            let run = place.run(&["import", "--report", &report, &sample]).expect(1);
            assert!(run.stderr().contains(&report), "{}", run.stderr());
        }
        place.run(&["household", "--id", "50024200000001"]).expect(3);
        // One that can be written leaves nothing of the trial behind when the import does not begin.
        let report = format!("{folder}/report.xlsx");
        place.run(&["import", "--report", &report, "nothing.csv"]).expect(1);
        assert!(!std::path::Path::new(&report).exists());
    }
}

#[tokio::test]
async fn a_dry_run_creates_nothing_where_there_is_nothing() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(20);
        let run = place.run(&["import", "--json", "--dry-run", &sample]).expect(0).json();
        assert!(run["sheets"]["households"]["created"].as_u64().unwrap() > 0);
        assert!(!place.keys.exists());
        place.run(&["household", "--id", "50024200000001"]).expect(3);
    }
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    let folder = place.folder().join("not-yet");
    let db = format!("sqlite:{}", folder.join("x.db").display());
    place.run(&["import", "--dry-run", "--db", &db, &sample]).expect(0);
    assert!(!folder.exists());
}

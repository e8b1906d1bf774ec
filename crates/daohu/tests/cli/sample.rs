//! What `sample` writes, and what it leaves alone.

use daohu_db::Engine;

use crate::harness::Place;

/// Each in the file that is called so, with `.csv` behind.
const SHEETS: [&str; 11] = [
    "areas",
    "cadres",
    "households",
    "incomes",
    "indicators",
    "organisations",
    "pairings",
    "persons",
    "targets",
    "teams",
    "villages",
];

fn sample(out: &str) -> [&str; 8] {
    ["sample", "--json", "--county", "500242", "--households", "20", "--out", out]
}

#[tokio::test]
async fn every_sheet_is_a_file_with_as_many_rows_as_were_counted() {
    let place = Place::new(Engine::Sqlite).await;
    let out = place.folder().join("all");
    let counts = place.run(&sample(&out.display().to_string())).expect(0).json();
    assert!(counts.as_object().unwrap().keys().eq(SHEETS));
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), SHEETS.len());
    for sheet in SHEETS {
        let text = std::fs::read_to_string(out.join(format!("{sheet}.csv"))).unwrap();
        let rows = text.lines().count() as u64 - 1;
        assert_eq!(counts[sheet]["rows"].as_u64(), Some(rows), "{sheet}");
        assert!(rows > 0, "{sheet}");
    }
}

#[tokio::test]
async fn a_file_of_any_sheet_keeps_the_sample_out_of_its_folder() {
    let place = Place::new(Engine::Sqlite).await;
    for sheet in SHEETS {
        let out = place.folder().join(sheet);
        std::fs::create_dir(&out).unwrap();
        let file = out.join(format!("{sheet}.csv"));
        std::fs::write(&file, "mine").unwrap();
        let told = place.run(&sample(&out.display().to_string())).expect(1).stderr();
        assert!(told.contains(&file.display().to_string()), "{told}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_refused_sample_leaves_nothing_behind() {
    let place = Place::new(Engine::Sqlite).await;
    for format in ["csv", "xlsx"] {
        let out = place.folder().join("new").join("folder");
        let name = out.display().to_string();
        let args = ["sample", "--county", "999999", "--households", "20", "--format", format];
        place.run(&[&args[..], &["--out", &name]].concat()).expect(1);
        assert!(!place.folder().join("new").exists(), "{format}");
        // A folder that was there stays, with what was in it.
        std::fs::create_dir_all(&out).unwrap();
        std::fs::write(out.join("mine"), "mine").unwrap();
        place.run(&[&args[..], &["--out", &name]].concat()).expect(1);
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1, "{format}");
        std::fs::remove_dir_all(place.folder().join("new")).unwrap();
    }
}

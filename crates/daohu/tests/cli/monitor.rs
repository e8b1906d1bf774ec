//! Monitoring from the command line, and the packs that it asks.

use std::fs;

use daohu_db::Engine;
use serde_json::Value;

use crate::harness::Place;

const RUN: [&str; 6] = ["monitor", "run", "--area", "500242", "--on", "2015-12-31"];

/// Met, unmet and unknown of a rule.
fn counts(told: &Value, rule: &str) -> [u64; 3] {
    let mut rules = told["rules"].as_array().unwrap().iter();
    let rule = rules.find(|own| own["rule"] == rule).unwrap();
    ["met", "unmet", "unknown"].map(|state| rule[state].as_u64().unwrap())
}

#[tokio::test]
async fn a_pack_moves_the_line_and_the_counts_follow() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(300);
        place.run(&["migrate"]).expect(0);
        place.run(&["import", "--json", &sample]).expect(0);
        let out = place.folder().join("statuses.csv").display().to_string();
        let before = place.run(&[&RUN[..], &["--json", "--out", &out]].concat()).expect(0).json();
        let [met, unmet, unknown] = counts(&before, "income");
        assert_eq!((met + unmet + unknown, &before["households"]), (300, &300.into()));
        assert!(met > 0 && unmet > 0, "{engine:?} {before}");
        let written = fs::read_to_string(&out).unwrap();
        assert_eq!(written.lines().count(), 301);
        let unmet_lines = written.lines().filter(|line| line.split(',').nth(5) == Some("unmet"));
        assert_eq!(unmet_lines.count() as u64, unmet);

        let pack = place.folder().join("pack");
        fs::create_dir(&pack).unwrap();
        let line = "[[value]]\nof = 'line'\nyear = 2015\nvalue = 100000000\nsource = 'a test'\n";
        fs::write(pack.join("line.toml"), line).unwrap();
        let pack = pack.display().to_string();
        place.run(&["policy", "check", &pack]).expect(0);
        let moved = place.run(&[&RUN[..], &["--json", "--pack", &pack]].concat()).expect(0).json();
        assert_eq!(counts(&moved, "income"), [0, met + unmet, unknown], "{engine:?}");
        assert_eq!(counts(&moved, "water"), counts(&before, "water"));
        let again = place.run(&[&RUN[..], &["--json"]].concat()).expect(0).json();
        assert_eq!(again["rules"], before["rules"]);
        let shown = place.run(&[&RUN[..], &["--lang", "zh"]].concat()).expect(0).stdout();
        assert!(shown.contains("住房安全") && shown.contains("待核实"), "{shown}");
        let elsewhere = ["monitor", "run", "--area", "500299", "--on", "2015-12-31"];
        assert!(place.run(&elsewhere).expect(1).stderr().contains("500299"));
    }
}

#[tokio::test]
async fn a_pack_that_cannot_be_asked_is_refused_with_file_line_and_advice() {
    let place = Place::new(Engine::Sqlite).await;
    place.run(&["migrate"]).expect(0);
    let pack = place.folder().join("pack");
    fs::create_dir(&pack).unwrap();
    let folder = pack.display().to_string();
    assert!(place.run(&["policy", "check", &folder]).expect(2).stderr().contains(".toml"));
    let head = "[[guarantee]]\nid = 'water'\ntitle = '水'\ntitle_en = 'water'\nsource = 'a test'\n";
    for (unmet, line, says) in [
        ("'!water_is_safe || water_is_herd'", 6, "water_is_hard"),
        ("\"\"\"!water_is_safe ||\n  unsafe_grade in ['E']\"\"\"", 7, "危房等级"),
        ("'income_per_head / 0 < line'", 6, "除数"),
        ("'line >'", 6, ""),
    ] {
        let text = format!("{head}unmet = {unmet}\nmet = 'water_is_safe'\n");
        fs::write(pack.join("own.toml"), text).unwrap();
        let told = place.run(&["policy", "check", &folder, "--lang", "zh"]).expect(1).stderr();
        assert!(told.contains("own.toml"), "{told}");
        assert!(told.contains(&format!("line {line}")), "{told}");
        assert!(told.contains(says), "{told}");
    }
    let twice = format!("{head}unmet = 'is_unsafe'\nmet = 'water_is_safe'\n").repeat(2);
    fs::write(pack.join("own.toml"), twice).unwrap();
    assert!(place.run(&["policy", "check", &folder]).expect(1).stderr().contains("twice"));
}

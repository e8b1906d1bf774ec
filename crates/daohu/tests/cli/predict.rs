//! Prediction from the command line.

use std::fs;

use daohu_db::Engine;

use crate::harness::Place;

const PREDICT: [&str; 5] = ["predict", "--area", "500242", "--year", "2015"];

#[tokio::test]
async fn the_next_year_is_predicted_explained_judged_and_written_down() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(900);
        place.run(&["migrate"]).expect(0);
        place.run(&["import", "--json", &sample]).expect(0);
        let predict = |more: &[&str]| place.run(&[&PREDICT[..], more].concat());

        let out = place.folder().join("prediction.csv");
        let name = out.display().to_string();
        let told = predict(&["--json", "--out", &name]).expect(0).json();
        assert_eq!((&told["households"], &told["predicted_year"]), (&900.into(), &2016.into()));
        let written = fs::read_to_string(&out).unwrap();
        assert_eq!(written.lines().count() as u64, 1 + told["asked"].as_u64().unwrap());
        assert!(written.starts_with(
            "户编号,预测年度,概率,预期人均纯收入,预期下限,预期上限,理由1,理由2,理由3"
        ));
        fs::write(&out, "mine").unwrap();
        assert!(predict(&["--out", &name]).expect(1).stderr().contains("--force"));
        assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
        predict(&["--out", &name, "--force"]).expect(0);
        assert_eq!(fs::read_to_string(&out).unwrap(), written, "the same again");

        let mut csv = csv::Reader::from_reader(written.as_bytes());
        let row = csv.records().next().unwrap().unwrap();
        let own = predict(&["--household", &row[0], "--json", "--lang", "zh"]).expect(0).json();
        let probability = own["probability"].as_f64().unwrap();
        assert_eq!(format!("{probability:.4}"), row[2]);
        assert_eq!(own["reasons"][0], row[6]);
        let shown = predict(&["--household", &row[0], "--lang", "en"]).expect(0).stdout();
        assert!(shown.contains("percentage points") && shown.contains("never decides"), "{shown}");
        let nobody = predict(&["--household", "none", "--lang", "en"]).expect(1).stderr();
        assert!(nobody.contains("none"), "{nobody}");

        let card = place.folder().join("card.md");
        let name = card.display().to_string();
        let test = ["--backtest", "--card", &name, "--note", "made up"];
        let tested = predict(&[&test[..], &["--json"]].concat()).expect(0).json();
        let cohorts = tested["cohorts"].as_array().unwrap();
        // Households are registered from 2013 on: the first year has none before it to learn from.
        assert_eq!(
            (&cohorts[0]["year"], &cohorts[0]["scores"]),
            (&2013.into(), &None::<u8>.into())
        );
        let methods = cohorts[1]["scores"]["methods"].as_array().unwrap();
        assert_eq!(methods.len(), 3);
        assert!(methods.iter().all(|own| own["auc"][0].is_f64() && own["brier"][0].is_f64()));
        let text = fs::read_to_string(&card).unwrap();
        assert!(text.contains("made up") && text.contains("不作决定"));
        assert!(predict(&test).expect(1).stderr().contains("--force"));
        let shown = predict(&["--backtest", "--lang", "zh"]).expect(0).stdout();
        assert!(
            ["AUC", "Brier", "校准斜率", "去年状态", "仅看收入", "尚无逐年历史"]
                .iter()
                .all(|says| shown.contains(says)),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn too_little_is_told_and_gives_no_figure() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(60);
    place.run(&["migrate"]).expect(0);
    place.run(&["import", "--json", &sample]).expect(0);
    let out = place.folder().join("out.csv").display().to_string();
    let told = |more: &[&str]| place.run(&[&PREDICT[..], more].concat()).expect(1);
    assert!(told(&["--lang", "en", "--out", &out]).stderr().contains("too little data"));
    assert!(told(&["--lang", "zh", "--relapse"]).stderr().contains("数据太少"));
    assert!(told(&["--lang", "zh", "--backtest"]).stdout().contains("数据太少"));
    assert!(!fs::exists(&out).unwrap());
    let elsewhere = ["predict", "--area", "500299", "--year", "2015", "--lang", "en"];
    assert!(place.run(&elsewhere).expect(1).stderr().contains("500299"));
    place.run(&[&PREDICT[..], &["--card", &out]].concat()).expect(2);
}

//! Taking back: an import that is undone, areas that are changed; killed in the middle too.

use std::time::{Duration, Instant};

use daohu_db::Engine;
use serde_json::json;

use crate::{
    harness::Place,
    kill::{moments, number},
};

const UNDO_KILLS: (&str, u32) = ("DAOHU_UNDO_KILLS", 5);

#[tokio::test]
async fn an_import_is_undone_and_areas_are_changed_from_the_command_line() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(60);
        place.run(&["migrate"]).expect(0);
        let id = place.run(&["import", "--json", &sample]).expect(0).json()["id"].clone();
        let id = id.as_str().unwrap();
        let tried = place.run(&["undo", "--dry-run", "--json", id]).expect(0).json();
        assert_eq!(
            (&tried["committed"], &tried["removed"]["household"]),
            (&json!(false), &json!(60))
        );
        let list = place.run(&["--lang", "zh", "undo", "--list"]).expect(0).stdout();
        assert!(list.contains(id) && list.contains("自动建立的村民小组"), "{list}");
        let tried = place.run(&["--lang", "zh", "undo", "--dry-run", id]).expect(0).stdout();
        assert!(tried.contains("年度收入") && tried.contains("试算"), "{tried}");
        place.run(&["undo", "--json", id]).expect(0);
        let again = place.run(&["import", "--json", &sample]).expect(0).json();
        assert_eq!(again["sheets"]["households"]["created"], 60, "{engine:?}");

        let file = place.folder().join("changes.csv");
        std::fs::write(&file, "原代码,新代码,新名称\n500242001,500242099,新镇\n").unwrap();
        let file = file.to_str().unwrap();
        let change =
            ["area", "change", "--json", "--on", "2016-06-01", "--document", "渝府〔2016〕1号"];
        let change = |more: &[&str]| place.run(&[&change[..], more, &[file]].concat());
        let tried = change(&["--dry-run"]).expect(0).json();
        let told = change(&[]).expect(0).json();
        assert_eq!((&tried["committed"], &told["committed"]), (&json!(false), &json!(true)));
        assert_eq!(tried["households"], told["households"]);
        assert_eq!(told["begun"]["500242099"], "新镇", "{engine:?}");
        let area = |code: &'static str| {
            place
                .run(&["coverage", "--json", "--area", code, "--on", "2016-06-01"])
                .expect(0)
                .json()
        };
        assert_eq!(area("500242099")["area"]["households"], told["households"], "{engine:?}");
        assert_eq!(area("500242001")["area"]["households"], 0, "{engine:?}");
        assert_eq!(area("500242")["area"]["households"], 60, "{engine:?}");
        // What the lines get wrong is said by row, and what was built on stays.
        let refused = change(&[]).expect(1).stderr();
        assert!(refused.contains("changes.csv:2 原代码: “500242001”"), "{refused}");
        // What spreadsheets save is read, and a column that is none is not passed over.
        let gbk = b"\xd4\xad\xb4\xfa\xc2\xeb,\xd0\xc2\xb4\xfa\xc2\xeb,\xd0\xc2\xc3\xfb\xb3\xc6\n500242002,500242098,\xd0\xc2\xcf\xe7\n";
        std::fs::write(file, gbk).unwrap();
        assert_eq!(change(&["--dry-run"]).expect(0).json()["begun"]["500242098"], "新乡");
        std::fs::write(file, "原代码,新代码,新名\n500242002,500242098,新乡\n").unwrap();
        let refused = change(&["--dry-run"]).expect(1).stderr();
        assert!(refused.contains("新名") && refused.contains("新名称"), "{refused}");
        std::fs::write(file, "原代码,新名称\n500242002,新乡\n").unwrap();
        let refused = change(&["--dry-run"]).expect(1).stderr();
        assert!(refused.contains("新代码") && !refused.contains("原代码"), "{refused}");
        let refused = place.run(&["undo", again["id"].as_str().unwrap()]).expect(1).stderr();
        assert!(refused.contains("import.written_since"), "{refused}");
        // A program is told as well, and by code.
        let args = ["undo", "--json", again["id"].as_str().unwrap()];
        let refused = place.run(&args).expect(1).json();
        let problem = &refused["problem"];
        assert_eq!(
            (&refused["committed"], &problem["code"]),
            (&json!(false), &json!("import.in_the_way"))
        );
        assert_eq!(problem["errors"][0]["code"], "import.written_since", "{engine:?} {refused}");
        let refused = change(&["--dry-run"]).expect(1).json();
        assert!(refused["problem"]["title"].is_string(), "{refused}");
        let refused = place.run(&["undo", "none"]).expect(1).stderr();
        assert!(refused.contains("none"), "{refused}");
        place.run(&["journal", "verify", "--deep"]).expect(0);
    }
}

#[tokio::test]
async fn a_killed_undo_leaves_all_or_nothing() {
    for engine in Engine::BOTH {
        let source = Place::new(engine).await;
        let sample = source.sample(60);
        let prepared = async || {
            let place = Place::new(engine).await;
            place.run(&["migrate"]).expect(0);
            let told = place.run(&["import", "--json", &sample]).expect(0).json();
            (place, told["id"].as_str().unwrap().to_owned())
        };
        let (place, id) = prepared().await;
        let started = Instant::now();
        place.run(&["undo", &id]).expect(0);
        let span: Duration = started.elapsed().mul_f64(1.1);
        let mut killed = 0;
        for moment in moments(span, number(UNDO_KILLS)) {
            let (place, id) = prepared().await;
            let mut child = place.start(&["undo", &id]);
            std::thread::sleep(moment);
            child.kill().unwrap();
            killed += u32::from(child.wait().unwrap().code().is_none());
            place.run(&["journal", "verify", "--deep"]).expect(0);
            let next = place.run(&["import", "--json", &sample]).expect(0).json();
            let counts = &next["sheets"]["households"];
            let is_whole = counts["unchanged"] == 60;
            assert!(is_whole || counts["created"] == 60, "{engine:?} {moment:?}: {counts}");
            // What was not undone is undone now; what was, is not twice.
            place.run(&["undo", &id]).expect(if is_whole { 0 } else { 1 });
        }
        assert!(killed > 0, "{engine:?}: no kill came in time");
    }
}

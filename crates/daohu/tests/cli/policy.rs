//! Packs that are published, from the command line.

use std::{fs, path::Path};

use daohu_db::Engine;
use serde_json::Value;

use crate::harness::Place;

fn line_of(area: Option<&str>, yuan: &str) -> String {
    let area = area.map_or_else(String::new, |area| format!("area = '{area}'\n"));
    format!("{area}[[value]]\nof = 'line'\nyear = 2015\nvalue = {yuan}\nsource = 'a test'\n")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    fs::write(folder.join(name), text).unwrap();
    folder.display().to_string()
}

impl Place {
    /// The line that holds in an area, and the file that says so.
    fn line_in(&self, area: &str, more: &[&str]) -> (String, String) {
        let asked = ["policy", "explain", "--area", area, "--on", "2015-12-31", "--item", "line"];
        let told = self.run(&[&asked[..], more, &["--json"]].concat()).expect(0).json();
        let own = &told["items"][0]["in_force"];
        let text = |name: &str| own[name].as_str().unwrap().to_owned();
        (text("value"), text("file"))
    }

    fn income_unmet(&self) -> u64 {
        let asked = ["monitor", "run", "--area", "500242", "--on", "2015-12-31", "--json"];
        let told = self.run(&asked).expect(0).json();
        let rules = told["rules"].as_array().unwrap();
        rules.iter().find(|own| own["rule"] == "income").unwrap()["unmet"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn what_is_published_holds_until_it_is_withdrawn() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(200);
        place.run(&["migrate"]).expect(0);
        place.run(&["import", "--json", &sample]).expect(0);
        let national = ("2855".to_owned(), "national/lines.toml".to_owned());
        assert_eq!(place.line_in("500242", &[]), national);
        let before = place.income_unmet();

        let folder = place.folder().join("county");
        let pack = write(&folder, "own/line.toml", &line_of(Some("500242"), "3100"));
        let tried = place.run(&["policy", "load", &pack, "--dry-run", "--json"]).expect(0).json();
        assert_eq!(tried["outcome"], "tried");
        assert_eq!(place.line_in("500242", &[]), national, "it was only tried");
        let loaded = ["policy", "load", &pack, "--note", "省定标准", "--json"];
        let loaded = place.run(&loaded).expect(0).json();
        assert_eq!((&loaded["outcome"], &loaded["pack"]), (&"published".into(), &"county".into()));
        assert_eq!(loaded["version"], tried["version"]);
        let own = ("3100".to_owned(), "own/line.toml".to_owned());
        assert_eq!(place.line_in("500242100201", &[]), own, "{engine:?}");
        assert_eq!(place.line_in("500241", &[]), national, "the county's alone");
        assert!(place.income_unmet() > before);
        let again = place.run(&["policy", "load", &pack, "--json"]).expect(0).json();
        assert_eq!(again["outcome"], "unchanged");

        // A folder for one question goes before what is published.
        let other = place.folder().join("other");
        let other = write(&other, "line.toml", &line_of(Some("500242"), "3200"));
        assert_eq!(place.line_in("500242", &["--pack", &other]).0, "3200");
        assert_eq!(place.line_in("500242", &[]), own);

        // What cannot be used is refused with all that is wrong, and nothing changes.
        write(&folder, "own/line.toml", &line_of(Some("500242"), "2000"));
        let refused = place.run(&["policy", "load", &pack, "--lang", "zh"]).expect(1).stderr();
        assert!(refused.contains("own/line.toml") && refused.contains("低于上级"), "{refused}");
        let class = |id: &str, when: &str| {
            format!(
                "[[class]]\nid = '{id}'\ntitle = 'x'\ntitle_en = 'x'\nsource = 'x'\nwhen = '{when}'\n"
            )
        };
        let text = class("one", "two || is_unsafe") + &class("two", "one");
        let text = text
            + &class("never", "is_unsafe && !is_unsafe")
            + &class("water_is_safe", "is_unsafe");
        write(&folder, "own/line.toml", &text);
        let refused = place.run(&["policy", "load", &pack, "--lang", "en"]).expect(1).stderr();
        assert!(refused.contains("water_is_safe"), "{refused}");
        write(&folder, "own/line.toml", &text.replace("water_is_safe", "another"));
        let refused = place.run(&["policy", "check", &pack, "--lang", "en"]).expect(1).stderr();
        for says in ["one → two → one", "two → one → two", "no household can be so", "line 18"]
        {
            assert!(refused.contains(says), "{says}: {refused}");
        }
        assert_eq!(place.line_in("500242", &[]), own);

        let withdrawn = place.run(&["policy", "withdraw", "county", "--json"]).expect(0).json();
        assert_eq!(withdrawn["outcome"], "published");
        assert_eq!(place.line_in("500242", &[]), national);
        assert_eq!(place.income_unmet(), before);
        place.run(&["policy", "withdraw", "county"]).expect(1);
        let all = place.run(&["policy", "list", "--json"]).expect(0).json();
        let told = |name: &str| -> Vec<Value> {
            all.as_array().unwrap().iter().map(|own| own[name].clone()).collect()
        };
        assert_eq!(told("pack"), ["county", "county", "shipped"], "the last first");
        assert_eq!(told("note")[1], "省定标准");
        assert_eq!(told("files")[0], Value::Array(Vec::new()));
        assert_ne!(told("version")[0], told("version")[1]);
        assert_eq!(told("version")[0], told("version")[2], "as it was shipped");
        place.run(&["journal", "verify", "--deep"]).expect(0);
    }
}

#[tokio::test]
async fn an_item_that_there_is_not_is_told_with_those_that_there_are() {
    let place = Place::new(Engine::Sqlite).await;
    place.run(&["migrate"]).expect(0);
    let asked = ["policy", "explain", "--area", "500242", "--on", "2015-12-31"];
    let told = place.run(&[&asked[..], &["--item", "lime"]].concat()).expect(2).stderr();
    assert!(told.contains("line") && told.contains("housing"), "{told}");
    let shown = place.run(&[&asked[..], &["--item", "line", "--lang", "zh"]].concat()).expect(0);
    let shown = shown.stdout();
    assert!(shown.contains("2855") && shown.contains("待定") && shown.contains("lines.toml:"));
}

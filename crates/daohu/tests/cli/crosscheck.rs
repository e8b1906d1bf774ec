//! Lists of departments from the command line.

use std::fs;

use daohu_db::Engine;
use serde_json::Value;

use crate::harness::Place;

const ON: &str = "2016-06-01";

/// The ID numbers of a sample's persons, with their names.
fn numbers(sample: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(format!("{sample}/persons.csv")).unwrap();
    let mut lines = text.lines();
    let headers: Vec<&str> =
        lines.next().unwrap().trim_start_matches('\u{feff}').split(',').collect();
    let at = |header: &str| headers.iter().position(|own| *own == header).unwrap();
    let (number, name, change) = (at("证件号码"), at("姓名"), at("变动类型"));
    let rows = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let current = rows.filter(|row| row[number].len() == 18 && row[change].is_empty());
    current.map(|row| (row[number].to_owned(), row[name].to_owned())).collect()
}

fn list<'t>(told: &'t Value, check: &str) -> &'t Value {
    let mut lists = told["lists"].as_array().unwrap().iter();
    lists.find(|list| list["check"] == check).unwrap()
}

#[tokio::test]
async fn lists_are_looked_through_tried_first_and_run_again() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(200);
        place.run(&["migrate"]).expect(0);
        place.run(&["import", "--json", &sample]).expect(0);
        let known = numbers(&sample);
        let write = |name: &str, text: String| {
            let path = place.folder().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let rows = known[..10].iter().map(|(number, name)| format!("{number},{name}\n"));
        let deaths = write("deaths.csv", format!("身份证号,姓名\n{}", rows.collect::<String>()));
        let rows = known[5..12].iter().map(|(number, _)| format!("{number},甲\n"));
        let payroll =
            write("payroll.csv", format!("证件号码,姓名\n{}坏号码,乙\n", rows.collect::<String>()));
        let lists = [format!("deaths={deaths}"), format!("payroll={payroll}")];
        let args = [
            "crosscheck",
            "--list",
            &lists[0],
            "--list",
            &lists[1],
            "--on",
            ON,
            "--area",
            "500242",
        ];

        let tried = place.run(&[&args[..], &["--json", "--dry-run"]].concat()).expect(1).json();
        let first = place.run(&[&args[..], &["--json"]].concat()).expect(1).json();
        assert_eq!(tried["lists"], first["lists"], "{engine:?}: a try counts what a run does");
        let deaths = list(&first, "deaths");
        for (name, count) in
            [("rows", 10), ("bad_rows", 0), ("matched", 10), ("leads_new", 10), ("name_differs", 0)]
        {
            assert_eq!(deaths[name], count, "{name} {deaths}");
        }
        let payroll = list(&first, "payroll");
        assert_eq!(
            (&payroll["rows"], &payroll["bad_rows"], &payroll["matched"]),
            (&8.into(), &1.into(), &7.into())
        );
        assert_eq!(
            (&payroll["bad"][0]["row"], &payroll["bad"][0]["column"]),
            (&9.into(), &"证件号码".into())
        );
        let new = payroll["leads_new"].as_u64().unwrap();
        assert_eq!(new + payroll["passed_over"].as_u64().unwrap(), 7, "{payroll}");
        assert_eq!(payroll["name_differs"], new);
        assert!(first["seconds"].as_f64().unwrap() > 0.0);
        assert!(first["peak_rss_bytes"].as_u64().unwrap() > 1_000_000);

        let again = place.run(&[&args[..], &["--json"]].concat()).expect(1).json();
        let deaths = list(&again, "deaths");
        assert_eq!((&deaths["leads_new"], &deaths["leads_known"]), (&0.into(), &10.into()));
        let shown = place.run(&[&args[..], &["--lang", "zh"]].concat()).expect(1).stdout();
        assert!(shown.contains("财政供养人员") && shown.contains("payroll.csv:9"), "{shown}");
        place.run(&["journal", "verify", "--deep"]).expect(0);
        assert_eq!(
            place.run(&["keys", "rotate", "--json"]).expect(0).json()["resealed"].as_u64(),
            place_sealed(&place).await
        );
        place.run(&["journal", "verify", "--deep"]).expect(0);

        let elsewhere = [&args[..7], &["--area", "500299"]].concat();
        assert!(place.run(&elsewhere).expect(1).stderr().contains("500299"));
        place.run(&["crosscheck", "--list", "deaths"]).expect(2);
        let nothing = place.run(&["crosscheck", "--list", "deaths=/nowhere.csv", "--lang", "en"]);
        assert!(nothing.expect(1).stderr().contains("no such file"));
    }
}

/// How many rows have sealed cells: all of them are sealed anew by a rotation.
async fn place_sealed(place: &Place) -> Option<u64> {
    let row = place.row(
        "select cast((select count(*) from households where sealed is not null)
                   + (select count(*) from persons where sealed is not null)
                   + (select count(*) from cadres where sealed is not null)
                   + (select count(*) from leads where sealed is not null) as bigint)",
    );
    row.await.int(0).ok().and_then(|rows| u64::try_from(rows).ok())
}

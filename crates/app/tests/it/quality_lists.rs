//! Lists of findings and of duties: pages that cost what they show, orders, and files.

use daohu_db::Engine;
use daohu_policy::Policy;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp, config},
    jobs::cells,
    quality::{fill, import, second_county},
};

const ON: &str = "on=2016-03-01";

/// A page ends when one record was looked at; a household without a cadre breaks a rule that refuses.
const NARROW: &str = "
[quality_reports]
source = \"a test\"
turns_left = 1
page_records_max = 1
file_records_max = 4

[[rule]]
id = \"R30\"
level = \"reject\"
says = \"没有帮扶责任人\"
says_en = \"no responsible cadre\"
needs = [\"households\", \"pairings\"]
source = \"a test\"
";

async fn start(engine: Engine, policy: Policy) -> (TestApp, Client) {
    let app = TestApp::governed(engine, config(), policy).await;
    fill(&app).await;
    second_county(&app).await;
    let client = app.client(&["office_clerk@99"]).await;
    (app, client)
}

/// All rows of a list, and the number of its pages.
async fn all(client: &Client, path: &str) -> (Vec<Value>, usize) {
    let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = client.json(&format!("{path}{after}")).await;
        found.extend(page["items"].as_array().unwrap().clone());
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (found, pages),
        }
    }
}

#[tokio::test]
async fn a_page_ends_when_enough_was_looked_at_and_the_list_stays_the_same() {
    for engine in Engine::BOTH {
        let (_app, wide) = start(engine, Policy::embedded().unwrap()).await;
        let narrow = Policy::embedded_and([("test.toml", NARROW)]).unwrap();
        let (_other, narrow) = start(engine, narrow).await;
        for area in ["99", "990101", "990102", "990102100200"] {
            for more in [
                "",
                "&rule=R33",
                "&rule=R13",
                "&is_answered=true",
                "&is_answered=false",
                "&cadre=C1",
            ] {
                let path = format!("/areas/{area}/quality/findings?{ON}{more}&limit=2");
                let ((expected, _), (found, pages)) =
                    (all(&wide, &path).await, all(&narrow, &path).await);
                let of = |found: &[Value]| -> Vec<Value> {
                    let name = |of: &Value| {
                        json!([of["rule"], of["area"], of["household"], of["person"], of["year"]])
                    };
                    found.iter().map(name).collect()
                };
                assert_eq!(of(&found), of(&expected), "{engine:?} {path}");
                // A rule that one of eight households breaks is found in as many pages.
                assert!(
                    area != "99" || !more.contains("R13") || pages > 8,
                    "{engine:?} {path} {pages}"
                );
            }
            let path = format!("/areas/{area}/quality/cadres?{ON}&limit=2");
            assert_eq!(all(&narrow, &path).await.0, all(&wide, &path).await.0, "{engine:?} {path}");
        }
        // Rules that refuse come first, and then the same records in the same order.
        let path = format!("/areas/99/quality/findings?{ON}&limit=3");
        let (found, _) = all(&narrow, &format!("{path}&sort=level")).await;
        let (expected, _) = all(&narrow, &path).await;
        let of = |level: &'static str| expected.iter().filter(move |one| one["level"] == level);
        let sorted: Vec<&Value> = of("reject").chain(of("warn")).collect();
        assert_eq!(of("reject").count(), 6, "{engine:?}");
        assert_eq!(found.iter().collect::<Vec<_>>(), sorted, "{engine:?}");
        // A mark of one order is none of another.
        let next = narrow.json(&path).await["next"].as_str().unwrap().to_owned();
        let other = narrow.get(&format!("{path}&sort=level&after={next}")).send().await;
        other.field_problem("after", "page.bad_cursor");
        let unknown = narrow.get(&format!("{path}&sort=name")).send().await;
        unknown.field_problem("sort", "list.unknown_sort");
    }
}

#[tokio::test]
async fn what_was_told_of_one_household_is_not_held_against_the_next() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine, Policy::embedded().unwrap()).await;
        let path = format!("/areas/990102/quality/findings?{ON}&is_answered=false");
        let (before, _) = all(&client, &path).await;
        let first = client.json(&format!("{path}&limit=1")).await;
        assert_eq!(first["items"][0]["household_no"], "E1", "{engine:?}");
        // The household that the page ended in leaves the list.
        let pairing = "主体类型,主体编号,对象类型,对象编号,开始日期\n干部,C1,户,E1,2015-01-01\n";
        import(&app, &[("pairings.csv", pairing.to_owned())]).await;
        let after = first["next"].as_str().unwrap();
        let rest = client.json(&format!("{path}&limit=200&after={after}")).await["items"].clone();
        let expected: Vec<&Value> =
            before.iter().filter(|one| one["household_no"] != "E1").collect();
        assert_eq!(rest.as_array().unwrap().iter().collect::<Vec<_>>(), expected, "{engine:?}");
    }
}

#[tokio::test]
async fn a_cadre_is_told_of_the_area_that_is_asked_for_alone() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine, Policy::embedded().unwrap()).await;
        // One of the two counties answers for a household of the other.
        let pairing = "主体类型,主体编号,对象类型,对象编号,开始日期\n干部,C1,户,E3,2015-01-01\n\
                       干部,C1,户,E4,2015-01-01\n";
        import(&app, &[("pairings.csv", pairing.to_owned())]).await;
        let line = async |area: &str| {
            let (lines, _) = all(&client, &format!("/areas/{area}/quality/cadres?{ON}")).await;
            lines
                .into_iter()
                .find(|line| line["cadre"] == "C1")
                .map(|line| line["households"].clone())
        };
        // Q1 is clean; Q3, E3 and E4 are not.
        for (area, households) in [
            ("99", Some(3)),
            ("990101", Some(1)),
            ("990102", Some(2)),
            ("990102100201", Some(2)),
            ("990102100200", None),
        ] {
            assert_eq!(line(area).await, households.map(|n| json!(n)), "{engine:?} {area}");
        }
    }
}

#[tokio::test]
async fn findings_are_taken_as_a_file_by_who_may_export() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine, Policy::embedded().unwrap()).await;
        let path = format!("/areas/990101/quality/findings?{ON}");
        let (found, _) = all(&client, &path).await;
        let csv = client.get(&format!("{path}&format=csv")).send().await;
        assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert!(csv.header("content-disposition").ends_with("990101.csv"));
        let lines: Vec<&str> = csv.text.lines().collect();
        assert_eq!(lines[0].trim_start_matches('\u{feff}').split(',').next(), Some("规则"));
        assert_eq!(lines.len(), found.len() + 1, "{engine:?} {}", csv.text);
        // In the words of the language asked for.
        assert!(csv.text.contains(",提示,") && !csv.text.contains(",warn,"), "{}", csv.text);
        assert!(csv.text.contains(",人,") && !csv.text.contains(",persons,"), "{}", csv.text);
        let xlsx = client.get(&format!("{path}&format=xlsx&rule=R32")).send().await;
        let rows = cells(xlsx.bytes);
        let names: Vec<&str> = rows.iter().map(|row| row[8].as_str()).collect();
        assert_eq!(names, ["姓名", "张伟", "章伟"], "{engine:?}");
        // Each is in the journal, with what it was of, and a look at the area.
        let entries = app.journal("export", "990101").await;
        let lists: Vec<&Value> =
            entries.iter().map(|(_, _, body)| &body["after"]["rule"]).collect();
        assert_eq!(lists, [&Value::Null, &json!("R32")], "{engine:?} {entries:?}");
        app.state.accesses().flush().await.unwrap();
        let looks = "select cast(sum(times) as bigint) from accesses
                     where what = 'export' and area = '990101'";
        assert_eq!(app.rows(looks).await[0].int(0).unwrap(), 2, "{engine:?}");
        // A helper reads the list and takes no file; nobody takes one of elsewhere.
        let cadre = app.client(&["cadre@990101"]).await;
        cadre.json(&path).await;
        cadre.get(&format!("{path}&format=csv")).send().await.problem(403, "auth.forbidden");
        let elsewhere = app.client(&["office_clerk@990102"]).await;
        elsewhere.get(&format!("{path}&format=csv")).send().await.problem(404, "record.not_found");
        assert_eq!(app.journal("export", "990101").await.len(), 2, "{engine:?}");
        let unknown = client.get(&format!("{path}&format=pdf")).send().await;
        unknown.field_problem("format", "list.unknown_format");
    }
}

#[tokio::test]
async fn a_file_that_too_much_would_be_looked_at_for_is_asked_for_by_smaller_areas() {
    for engine in Engine::BOTH {
        let narrow = Policy::embedded_and([("test.toml", NARROW)]).unwrap();
        let (_app, client) = start(engine, narrow).await;
        let file = async |area: &str| {
            let path = format!("/areas/{area}/quality/findings?{ON}&rule=R13&format=csv");
            client.get(&path).send().await
        };
        file("99").await.problem(422, "list.too_many_records");
        let village = file("990102100201").await;
        assert_eq!(village.status, 200, "{engine:?} {}", village.text);
    }
}

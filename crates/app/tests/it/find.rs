//! The search.

use daohu_db::Engine;
use serde_json::Value;

use crate::{
    harness::{Client, TestApp},
    seed,
};

/// What was found: how, and the household's number.
async fn found(client: &Client, query: &str) -> Vec<(String, String)> {
    let answer = client.get(&format!("/search?q={query}")).send().await.expect(200);
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| (text(item, "match"), text(item, "no"))).collect()
}

fn all(how: &str, numbers: &[&str]) -> Vec<(String, String)> {
    numbers.iter().map(|no| (how.to_owned(), (*no).to_owned())).collect()
}

const ZHANG_SAN: &str = "%E5%BC%A0%E4%B8%89";
const ZHANG: &str = "%E5%BC%A0";
const SMALL: &str = "%E5%B0%8F";

#[tokio::test]
async fn each_kind_of_match_is_found_and_named() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let clerk = app.client(&["office_clerk@990101"]).await;
        let leader = app.client(&["leader@98", "leader@99"]).await;
        assert_eq!(found(&clerk, "H001").await, all("no", &["H001"]));
        assert_eq!(found(&leader, "H001").await, all("no", &["H001", "H001"]));
        let many = ["H001", "H002", "H003", "H004", "H005", "H006"];
        let mut prefix = found(&clerk, "H00").await;
        prefix.sort();
        assert_eq!(prefix, all("no_prefix", &many));
        // The household of the head, and the head where he is registered as a person.
        let names = all("name", &["H001", "H005", "H005"]);
        assert_eq!(found(&clerk, ZHANG_SAN).await, names);
        let prefixes = all("name_prefix", &["H001", "H002", "H005", "H002", "H005"]);
        assert_eq!(found(&clerk, ZHANG).await, prefixes);
        assert_eq!(found(&clerk, "zs").await, all("initials", &["H001", "H005", "H005"]));
        assert_eq!(found(&clerk, "ZX").await, all("initials_prefix", &["H002", "H002"]));
        // A part of a name only within a village.
        assert_eq!(found(&clerk, SMALL).await, []);
        let part = all("name_part", &["H002", "H002"]);
        assert_eq!(found(&clerk, &format!("{SMALL}&area=990101100200")).await, part);

        let number = seed::id_number("99010119700101001");
        let answer = clerk.get(&format!("/search?q={number}")).send().await;
        assert!(!answer.text.contains(&number), "{}", answer.text);
        let answer = answer.expect(200);
        let item = &answer["items"][0];
        assert_eq!((&item["match"], &item["kind"]), (&"id_number".into(), &"person".into()));
        assert_eq!((&item["no"], &item["name"]), (&"H002".into(), &"张小五".into()));
        assert_eq!(item["village_name"], "南甲一村");
        assert_eq!(item["id_number"], daohu_base::mask_id_number(&number));
        let tail = number.get(12..).unwrap().to_lowercase();
        assert_eq!(found(&clerk, &tail).await, all("id_tail", &["H002"]));
        let answer = clerk.get(&format!("/search?q={tail}")).send().await.expect(200);
        assert!(answer["looked_for"].as_array().unwrap().contains(&"id_tail".into()));
        let answer = clerk.get("/search?q=H00&limit=2").send().await.expect(200);
        assert_eq!((answer["items"].as_array().unwrap().len(), &answer["more"]), (2, &true.into()));
        clerk.get("/search?q=%20").send().await.field_problem("q", "search.bad_text");
        clerk.get("/search?q=a&limit=51").send().await.field_problem("limit", "page.bad_limit");
    }
}

#[tokio::test]
async fn nothing_is_found_outside_the_scope() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let clerk = app.client(&["village_clerk@990101100"]).await;
        let sibling = seed::id_number("99010119800505005");
        let tail = sibling.get(12..).unwrap().to_owned();
        for text in ["H005", "H006", "H008", "zl", "%E8%B5%B5%E5%85%AD", &sibling, &tail] {
            assert_eq!(found(&clerk, text).await, [], "{text}");
        }
        assert_eq!(found(&clerk, ZHANG_SAN).await, all("name", &["H001"]));
        assert_eq!(found(&clerk, "H001").await, all("no", &["H001"]));
        for area in ["990101", "990101101", "980101100200"] {
            let path = format!("/search?q=H0&area={area}");
            clerk.get(&path).send().await.problem(404, "record.not_found");
        }
        // Two grants are one scope, and no more than it.
        let two = app.client(&["cadre@990101100201", "cadre@980101100201"]).await;
        let mut numbers = found(&two, "H0").await;
        numbers.sort();
        assert_eq!(numbers, all("no_prefix", &["H004", "H008"]));
    }
}

#[tokio::test]
async fn tails_are_looked_for_at_a_limited_rate() {
    let app = TestApp::new(Engine::Sqlite).await;
    seed::registry(&app).await;
    let clerk = app.client(&["office_clerk@990101"]).await;
    let rate = app.context.policy.security().id_tail_searches_per_minute;
    for _ in 0..rate {
        clerk.get("/search?q=01001X").send().await.expect(200);
    }
    clerk.get("/search?q=01001X").send().await.problem(429, "request.rate_limited");
    clerk.get("/search?q=H001").send().await.expect(200);
    app.clock.advance_minutes(1);
    clerk.get("/search?q=01001X").send().await.expect(200);
}

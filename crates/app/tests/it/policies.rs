//! Policy packs over HTTP: published, replaced and withdrawn by whoever has the areas that they are for, on both engines.

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

const ON: &str = "2015-12-31";

fn line(area: Option<&str>, yuan: u32) -> String {
    let area = area.map_or_else(String::new, |area| format!("area = '{area}'\n"));
    format!("{area}[[value]]\nof = 'line'\nyear = 2015\nvalue = {yuan}\nsource = '县文件'\n")
}

fn pack(name: &str, text: &str) -> Value {
    json!({ "pack": name, "files": [{ "name": "lines.toml", "text": text }], "note": "试行" })
}

/// The line in force in the county, and how many households are below it.
async fn poor(client: &Client) -> (String, u64) {
    let told = client.json(&format!("/areas/990102/policy?on={ON}&item=line")).await;
    let value = told["items"][0]["in_force"]["value"].as_str().unwrap().to_owned();
    let told = client.json("/areas/990102/indices?year=2015").await;
    (value, told["whole"]["poor"]["households"].as_u64().unwrap())
}

#[tokio::test]
async fn a_line_that_is_published_counts_at_once_and_is_taken_back() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let client = test.client(&["office_clerk@990102"]).await;
        let before = poor(&client).await;
        assert_eq!(before.0, "2855");

        let own = pack("县线", &line(Some("990102"), 6000));
        let mut tried = own.clone();
        tried["dry_run"] = json!(true);
        let told = client.post("/policies", tried).send().await.expect(200);
        assert_eq!(told["outcome"], "tried");
        assert_eq!(poor(&client).await, before, "nothing was published");

        let told = client.post("/policies", own.clone()).send().await.expect(200);
        assert_eq!(told["outcome"], "published");
        // A server that goes on serving takes it up; each request looks at the policy of its installation.
        let client = test.client(&["office_clerk@990102"]).await;
        let raised = poor(&client).await;
        assert!(raised.0 == "6000" && raised.1 > before.1, "{before:?} {raised:?}");
        let told = client.post("/policies", own).send().await.expect(200);
        assert_eq!((&told["outcome"], &told["version"]), (&json!("unchanged"), &Value::Null));

        let lower = pack("县线", &line(Some("990102"), 3000));
        client.post("/policies", lower).send().await.expect(200);
        assert_eq!(poor(&client).await.0, "3000", "it is replaced by name");
        let body = json!({ "note": "试行结束" });
        client.post("/policies/县线/withdrawal", body.clone()).send().await.expect(200);
        assert_eq!(poor(&client).await, before);
        client
            .post("/policies/县线/withdrawal", body)
            .send()
            .await
            .problem(404, "record.not_found");

        // All of it can be read again, the last first.
        let first = client.json("/policies?pack=县线&limit=2").await;
        let files = |page: &Value| {
            let all = page["items"].as_array().unwrap().iter();
            all.map(|own| own["files"].as_array().unwrap().len()).collect::<Vec<_>>()
        };
        assert_eq!(files(&first), [0, 1], "{engine:?} {first}");
        let after = first["next"].as_str().unwrap();
        let last = client.json(&format!("/policies?pack=县线&limit=2&after={after}")).await;
        assert_eq!((files(&last), &last["next"]), (vec![1], &Value::Null));
        let id = &last["items"][0]["id"];
        let told = client.json(&format!("/policies/{id}")).await;
        assert_eq!(told["texts"][0]["text"], line(Some("990102"), 6000));
        assert_eq!(told["note"], "试行");
        client.get("/policies/999999").send().await.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_file_and_line_and_changes_nothing() {
    let test = TestApp::with_cases(Engine::Sqlite).await;
    let client = test.client(&["office_clerk@990102"]).await;
    let before = poor(&client).await;
    let class = "area = '990102'\n\n[[class]]\nid = 'own'\ntitle = '甲'\ntitle_en = 'a'\nwhen = 'incom_per_head < line'\nsource = ''\n";
    let two = json!({ "pack": "x", "files": [
        { "name": "a.toml", "text": class },
        { "name": "b.toml", "text": class.replace("'own'", "'other'").replace("< line", "< lien") },
    ]});
    let answer = client.post("/policies", two).send().await;
    let errors = answer.json["errors"].as_array().cloned().unwrap();
    answer.problem(422, "request.invalid");
    assert_eq!(errors.len(), 2, "{errors:?}");
    for (error, file) in errors.iter().zip(["a.toml", "b.toml"]) {
        assert_eq!((&error["column"], &error["code"]), (&json!(file), &json!("policy.bad_pack")));
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("income_per_head") && message.contains("line 7"), "{message}");
    }
    let broken = pack("x", "[[value]\n");
    client.post("/policies", broken).send().await.field_problem("lines.toml", "policy.bad_pack");
    let low = pack("x", &line(Some("990102"), 100));
    client.post("/policies", low).send().await.field_problem("lines.toml", "policy.bad_pack");
    let nameless = pack("a/b", &line(Some("990102"), 6000));
    client.post("/policies", nameless).send().await.field_problem("pack", "policy.bad_name");
    let nothing = json!({ "pack": "x", "files": [] });
    client.post("/policies", nothing).send().await.field_problem("files", "policy.no_files");
    let unknown = client.get("/areas/990102/policy?item=lime").send().await;
    unknown.field_problem("item", "policy.unknown_item");
    assert_eq!(poor(&client).await, before);
    assert_eq!(client.json("/policies").await["items"], json!([]));
}

#[tokio::test]
async fn a_county_publishes_for_itself_and_who_has_all_counties_for_all() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let areas = "区划代码,名称,级别\n990103,邻县,县\n";
        assert!(test.import_text("areas.csv", areas).await.committed);
        let county = test.client(&["office_clerk@990102"]).await;
        let city = test.client(&["office_clerk@9901"]).await;
        let post = async |client: &Client, name: &str, text: &str| {
            client.post("/policies", pack(name, text)).send().await
        };
        for text in [line(Some("990103"), 6000), line(Some("9901"), 6000), line(None, 6000)] {
            post(&county, "county", &text).await.problem(403, "policy.outside");
        }
        post(&city, "all", &line(None, 4000)).await.expect(200);
        post(&city, "city", &line(Some("9901"), 5000)).await.expect(200);
        assert_eq!(poor(&county).await.0, "5000");
        // Nor is a pack of somebody else's replaced or withdrawn.
        post(&county, "city", &line(Some("990102"), 6000)).await.problem(403, "policy.outside");
        let taken = county.post("/policies/all/withdrawal", json!({})).send().await;
        taken.problem(403, "policy.outside");
        post(&county, "county", &line(Some("990102"), 6000)).await.expect(200);
        assert_eq!(poor(&county).await.0, "6000", "{engine:?}");
        let leader = test.client(&["leader@990102"]).await;
        post(&leader, "own", &line(Some("990102"), 6000)).await.problem(403, "auth.forbidden");
        assert_eq!(poor(&leader).await.0, "6000");
    }
}

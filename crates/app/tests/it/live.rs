//! The households that a server keeps in memory are those of the database, whatever is written, on both engines.

use std::collections::BTreeMap;

use daohu_app::{
    Context,
    exchange::{Outcome, RowReport, import::Summary},
    journal,
    monitoring::{Asked, IndicesAsked, Live, WhatIf, indices, run, whatif},
};
use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    monitoring::{fixture, read},
    seed,
    undo::take_back,
};

const COUNTY: &str = "990102";
const ON: &str = "2015-12-31";
const OUTCOMES: [&str; 3] = ["met", "unmet", "unknown"];

/// By household: all guarantees together, each by itself, and the income.
type Standings = BTreeMap<String, Vec<String>>;

/// The lists of a server: every household stands in one of them.
async fn listed(client: &Client) -> Standings {
    let mut found = Standings::new();
    for outcome in OUTCOMES {
        let path =
            format!("/areas/{COUNTY}/monitoring/households?on={ON}&outcome={outcome}&limit=7");
        let mut after = String::new();
        loop {
            let page = client.get(&format!("{path}{after}")).send().await.expect(200);
            for row in page["items"].as_array().unwrap() {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                assert_eq!(row["overall"], outcome);
                let mut told = vec![outcome.to_owned(), text("village")];
                let guarantees = row["guarantees"].as_object().unwrap();
                told.extend(guarantees.iter().map(|(id, own)| format!("{id} {own}")));
                told.push(row["income_per_head_fen"].to_string());
                assert_eq!(found.insert(text("no"), told), None, "twice: {row}");
            }
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
    }
    found
}

/// As a command reads it from the database.
async fn stored(context: &Context) -> Standings {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("statuses.csv");
    let (area, on) = (AreaCode::parse(COUNTY).unwrap(), Day::parse(ON).unwrap());
    let asked = Asked { area, on, out: Some(out.clone()), repeat: 1 };
    run(context, &Scope::all(), asked).await.unwrap();
    let (header, rows) = read(&out);
    let sql = "select no, village from households where county = '990102'";
    let query = async move |tx: &mut daohu_db::Tx| tx.query(sql, &[]).await;
    let villages: Result<_, daohu_db::Error> =
        context.db.read(move |tx| daohu_db::FutureExt::boxed(async move { query(tx).await })).await;
    let villages: BTreeMap<String, String> = villages
        .unwrap()
        .iter()
        .map(|row| (row.text(0).unwrap().to_owned(), row.text(1).unwrap().to_owned()))
        .collect();
    let column = |name: &str| header.iter().position(|own| own == name).unwrap();
    let (overall, income) = (column("总体状态"), column("人均纯收入"));
    let rules: BTreeMap<&str, usize> =
        ["income", "food", "clothing", "education", "health", "housing", "water"]
            .map(|rule| (rule, column(rule)))
            .into();
    let standing = |row: &Vec<String>| {
        let state = match row[overall].as_str() {
            "达标" => "met",
            "未达标" => "unmet",
            _ => "unknown",
        };
        let mut told = vec![state.to_owned(), villages[&row[0]].clone()];
        told.extend(rules.iter().map(|(id, i)| format!("{id} \"{}\"", row[*i])));
        let fen = row[income].replace('.', "");
        told.push(if fen.is_empty() { "null".to_owned() } else { unpadded(&fen) });
        (row[0].clone(), told)
    };
    rows.iter().map(standing).collect()
}

fn unpadded(fen: &str) -> String {
    fen.parse::<i64>().unwrap().to_string()
}

/// The same installation as a command sees it, which keeps nothing.
fn command(test: &TestApp) -> Context {
    Context { live: Live::default(), ..test.context.clone() }
}

/// The figures that a server tells of areas are those that a command counts.
async fn assert_tallied(test: &TestApp, client: &Client, (on, what): (Day, &str)) {
    let area = AreaCode::parse(COUNTY).unwrap();
    let asked = Asked { area, on, out: None, repeat: 1 };
    let counted = run(&command(test), &Scope::all(), asked).await.unwrap();
    let counted = serde_json::to_value(&counted).unwrap();
    let told = client.json(&format!("/areas/{COUNTY}/monitoring?on={on}&by=village")).await;
    for (own, other) in [
        ("households", "households"),
        ("overall", "overall"),
        ("guarantees", "rules"),
        ("classes", "classes"),
        ("warnings", "warnings"),
        ("coverages", "coverages"),
    ] {
        assert_eq!(told[own], counted[other], "{what}: {own}");
    }
    let villages = told["children"].as_array().unwrap();
    let sum = |of: &dyn Fn(&Value) -> Option<u64>| villages.iter().filter_map(of).sum::<u64>();
    assert_eq!(Some(sum(&|own| own["households"].as_u64())), told["households"].as_u64(), "{what}");
    for rule in told["guarantees"].as_array().unwrap() {
        let id = rule["rule"].as_str().unwrap();
        assert_eq!(Some(sum(&|own| own["unmet"][id].as_u64())), rule["unmet"].as_u64(), "{what}");
    }
}

async fn assert_same(test: &TestApp, client: &Client, what: &str) -> Standings {
    assert_tallied(test, client, (Day::parse(ON).unwrap(), what)).await;
    // Those of the year that is kept are not counted anew for each answer.
    let today = test.context.clock.now().day();
    let kept = test.context.policy.monitoring().looked_at(today);
    assert_tallied(test, client, (kept, what)).await;
    let (kept, read) = (listed(client).await, stored(&command(test)).await);
    assert_eq!(kept, read, "{what}");
    for (by, class) in [(Some(AreaLevel::Village), None), (None, Some("below_line".to_owned()))] {
        let area = AreaCode::parse(COUNTY).unwrap();
        let asked = IndicesAsked { area, year: 2015, by, class };
        let kept = indices(&test.context, &Scope::all(), asked.clone()).await.unwrap();
        assert_eq!(kept, indices(&command(test), &Scope::all(), asked).await.unwrap(), "{what}");
    }
    let thought = || WhatIf {
        area: AreaCode::parse(COUNTY).unwrap(),
        on: Day::parse(ON).unwrap(),
        set: vec![("line".to_owned(), "6000".to_owned())],
        transfer: None,
        pack: None,
        by: Some(AreaLevel::Village),
    };
    let kept = whatif(&test.context, &Scope::all(), thought()).await.unwrap().unwrap();
    let read_anew = whatif(&command(test), &Scope::all(), thought()).await.unwrap().unwrap();
    assert_eq!((kept.whole, kept.parts), (read_anew.whole, read_anew.parts), "{what}");
    read
}

async fn committed(test: &TestApp, name: &str, text: &str) -> Summary {
    let told = test.import_text(name, text).await;
    let is_refused = |row: &RowReport| row.outcome == Outcome::Rejected;
    assert!(told.committed && !told.problems.iter().any(is_refused), "{told:?}");
    told
}

#[tokio::test]
async fn whatever_is_written_what_is_kept_is_what_stands_in_the_database() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        assert!(test.context.live.is_kept() && !command(&test).live.is_kept());
        let client = test.client(&["office_clerk@990102"]).await;
        let mut before = assert_same(&test, &client, "read once").await;
        let mut differs = async |what: &str| {
            let now = assert_same(&test, &client, what).await;
            assert_ne!(now, before, "{what} changes nothing");
            before = now;
        };
        let (_, rows) = read(&fixture().join("households.csv"));
        let (first, second) = (rows[0].clone(), rows[1].clone());

        let text =
            format!("户编号,行政村代码,饮水是否安全,是否不愁吃\n{},{},否,否\n", first[0], first[1]);
        committed(&test, "households.csv", &text).await;
        differs("a household's facts").await;

        journal::seal_all(&test.context).await.unwrap();
        assert_same(&test, &client, "what waited is sealed").await;

        let text = format!(
            "户编号,姓名,证件类型,与户主关系,性别,出生日期,是否失学辍学\n{},新来,无证件,之女,女,2006-05-04,是\n",
            second[0]
        );
        committed(&test, "persons.csv", &text).await;
        differs("a child that came").await;

        let village = &rows.iter().find(|row| row[1] != first[1]).unwrap()[1];
        let text = format!(
            "户编号,行政村代码,是否不愁吃\n00000000000001,{village},是\nZZ999,{},是\n",
            first[1]
        );
        let added = committed(&test, "households.csv", &text).await;
        differs("households that came, before and behind the others").await;

        let text = "户编号,年度,家庭人口,工资性收入\n00000000000001,2015,2,99999999999.99\n00000000000001,2013,2,50\n";
        committed(&test, "incomes.csv", text).await;
        differs("an income that is large, and one of a year that nobody had").await;

        let text = format!("户编号,行政村代码\n{},{village}\n", first[0]);
        committed(&test, "households.csv", &text).await;
        differs("a household in another village").await;

        let id = added.id.clone().unwrap();
        assert!(take_back(&test, &id, false).await.is_err(), "what came later stands in the way");
        let text = "户编号,行政村代码,是否不愁吃\nYY999,990102101205,否\n";
        let added = committed(&test, "households.csv", text).await;
        differs("one more").await;
        take_back(&test, &added.id.unwrap(), false).await.unwrap();
        differs("an import that was undone").await;
        journal::seal_all(&test.context).await.unwrap();
        assert_same(&test, &client, "all is sealed").await;
    }
}

#[tokio::test]
async fn a_database_that_was_put_back_is_read_anew() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let client = test.client(&["office_clerk@990102"]).await;
        journal::seal_all(&test.context).await.unwrap();
        let before = assert_same(&test, &client, "read once").await;
        // A backup from before the first entry: rows are others, and the journal says nothing of it.
        test.execute("delete from journal_heads where county = '990102'").await;
        test.execute("delete from journal where county = '990102'").await;
        test.execute("update households set has_enough_food = 0 where county = '990102'").await;
        let after = assert_same(&test, &client, "put back").await;
        assert_ne!(before, after);
    }
}

#[tokio::test]
async fn figures_of_an_area_open_lists_of_as_many_and_add_up() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let client = test.client(&["office_clerk@990102"]).await;
        let whole = client
            .get(&format!("/areas/{COUNTY}/monitoring?on={ON}&by=village"))
            .send()
            .await
            .expect(200);
        let count = async |area: &str, query: &str| {
            let path = format!("/areas/{area}/monitoring/households?on={ON}&{query}&limit=200");
            let page = client.get(&path).send().await.expect(200);
            assert_eq!(page["next"], Value::Null);
            page["items"].as_array().unwrap().len()
        };
        for outcome in OUTCOMES {
            let told = count(COUNTY, &format!("outcome={outcome}")).await;
            assert_eq!(whole["overall"][outcome], told, "{outcome}");
        }
        let kinds = [
            ("guarantees", "guarantee"),
            ("classes", "class"),
            ("warnings", "warning"),
            ("coverages", "coverage"),
        ];
        let mut seen = 0;
        for (name, of) in kinds {
            for rule in whole[name].as_array().unwrap() {
                let outcome = if of == "guarantee" || of == "coverage" { "unmet" } else { "met" };
                let id = rule["rule"].as_str().unwrap();
                let told = count(COUNTY, &format!("of={of}&rule={id}&outcome={outcome}")).await;
                assert_eq!(rule[outcome], told, "{of} {id}");
                seen += usize::from(told > 0);
            }
        }
        assert!(seen > 20, "{seen} rules are true of somebody");
        let children = whole["children"].as_array().unwrap();
        assert!(children.len() > 2);
        let sum = |of: &dyn Fn(&Value) -> &Value| -> u64 {
            children.iter().map(|child| of(child).as_u64().unwrap()).sum()
        };
        assert_eq!(whole["households"], sum(&|child| &child["households"]));
        for outcome in OUTCOMES {
            assert_eq!(whole["overall"][outcome], sum(&|child| &child["overall"][outcome]));
        }
        for rule in whole["guarantees"].as_array().unwrap() {
            let id = rule["rule"].as_str().unwrap();
            assert_eq!(rule["unmet"], sum(&|child| &child["unmet"][id]), "{id}");
            assert_eq!(rule["unknown"], sum(&|child| &child["unknown"][id]), "{id}");
        }
        for rule in whole["warnings"].as_array().unwrap() {
            let id = rule["rule"].as_str().unwrap();
            assert_eq!(rule["met"], sum(&|child| &child["warnings"][id]), "{id}");
        }
        // A village is told of as by itself.
        for child in children {
            let area = child["area"].as_str().unwrap();
            let path = format!("/areas/{area}/monitoring?on={ON}");
            let own = client.get(&path).send().await.expect(200);
            assert_eq!(own["households"], child["households"]);
            assert_eq!(own["overall"], child["overall"], "{area}");
            assert_eq!(child["overall"]["unmet"], count(area, "outcome=unmet").await);
        }
    }
}

#[tokio::test]
async fn who_may_not_list_a_household_may_not_count_it() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let (_, rows) = read(&fixture().join("households.csv"));
        let village = rows[0][1].clone();
        let other = rows.iter().find(|row| row[1] != village).unwrap()[1].clone();
        let client = test.client(&[&format!("village_clerk@{village}")]).await;
        let body = json!({ "on": ON });
        for area in [COUNTY, other.as_str(), "99", "990199"] {
            for path in ["monitoring", "indices", "monitoring/households?outcome=unmet"] {
                let answer = client.get(&format!("/areas/{area}/{path}")).send().await;
                answer.problem(404, "record.not_found");
            }
            let answer = client.post(&format!("/areas/{area}/what-if"), body.clone()).send().await;
            answer.problem(404, "record.not_found");
        }
        let own = rows.iter().filter(|row| row[1] == village).count();
        let path = format!("/areas/{village}/monitoring?on={ON}");
        let told = client.get(&path).send().await.expect(200);
        assert_eq!(told["households"], own);
        let told = client.post(&format!("/areas/{village}/what-if"), body).send().await.expect(200);
        let before = &told["whole"]["before"];
        let sum: u64 = OUTCOMES.iter().map(|own| before[own].as_u64().unwrap()).sum();
        assert_eq!(sum, u64::try_from(own).unwrap());
    }
}

#[tokio::test]
async fn a_household_is_explained_and_a_list_is_taken_as_a_file() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let client = test.client(&["office_clerk@990102"]).await;
        let path = format!("/areas/{COUNTY}/monitoring/households?on={ON}");
        let unmet = format!("{path}&rule=water&outcome=unmet");
        let page = client.get(&format!("{unmet}&limit=200")).send().await.expect(200);
        let rows = page["items"].as_array().unwrap();
        let id = rows[0]["id"].as_i64().unwrap();
        let why =
            client.get(&format!("/households/{id}/monitoring?on={ON}")).send().await.expect(200);
        let water = why["guarantees"].as_array().unwrap().iter().find(|own| own["rule"] == "water");
        let water = water.unwrap();
        assert_eq!(water["outcome"], "unmet");
        assert!(water["because"][0]["words"].as_str().unwrap().starts_with("饮水"));

        let file = client.get(&format!("{unmet}&format=csv")).send().await;
        assert_eq!(file.status, 200);
        let lines: Vec<&str> = file.text.lines().collect();
        assert!(lines[0].contains("户编号") && lines[0].contains("总体状态"), "{}", lines[0]);
        assert_eq!(lines.len(), rows.len() + 1);
        let disclosed = test.entries().await.into_iter().filter(|own| own.action == "disclosed");
        assert_eq!(disclosed.count(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let client = test.client(&["office_clerk@990102"]).await;
        let list = format!("/areas/{COUNTY}/monitoring/households");
        for (query, column, code) in [
            ("outcome=bad", "outcome", "monitor.unknown_outcome"),
            ("outcome=met&rule=nothing", "rule", "monitor.unknown_rule"),
            ("outcome=met&of=nothing", "of", "monitor.unknown_kind"),
            ("outcome=met&of=class", "rule", "monitor.unknown_rule"),
            ("outcome=met&on=2015-02-30", "on", "request.bad_day"),
        ] {
            let answer = client.get(&format!("{list}?{query}")).send().await;
            answer.field_problem(column, code);
        }
        for (query, column, code) in [
            ("monitoring?by=province", "by", "monitor.unknown_level"),
            ("monitoring?by=city", "by", "monitor.level_above"),
            ("indices?year=123456", "year", "monitor.bad_year"),
        ] {
            let answer = client.get(&format!("/areas/{COUNTY}/{query}")).send().await;
            answer.field_problem(column, code);
        }
        let what_if =
            async |body: Value| client.post(&format!("/areas/{COUNTY}/what-if"), body).send().await;
        let set = json!({ "set": [{ "standard": "nothing", "amount": 1 }] });
        what_if(set).await.field_problem("set", "monitor.unknown_standard");
        let transfer = json!({ "transfer": { "per_head_fen": 1, "class": "nothing" } });
        what_if(transfer).await.field_problem("transfer", "monitor.unknown_rule");
        let pack = json!({ "pack": [{ "name": "own.toml", "text": "[[clas]]\nid = 1\n" }] });
        let told = what_if(pack).await.problem(422, "monitor.bad_pack");
        assert!(told["detail"].as_str().unwrap().contains("own.toml"), "{told}");
    }
}

#[tokio::test]
async fn a_slider_moves_households_and_changes_nothing() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let client = test.client(&["office_clerk@990102"]).await;
        let ask = async |body: Value| {
            let path = format!("/areas/{COUNTY}/what-if");
            client.post(&path, body).send().await.expect(200)["whole"].clone()
        };
        let same = ask(json!({ "on": ON })).await;
        assert_eq!(same["before"], same["after"]);
        let line =
            |amount: i64| json!({ "on": ON, "set": [{ "standard": "line", "amount": amount }] });
        let higher = ask(line(6000)).await;
        let poor = |own: &Value, when: &str| own[when]["households"].as_u64().unwrap();
        assert!(poor(&higher, "poor_after") > poor(&same, "poor_before"));
        assert_eq!(poor(&higher, "poor_before"), poor(&same, "poor_before"));
        let given = json!({ "on": ON, "transfer": { "per_head_fen": 100_000 } });
        let given = ask(given).await;
        assert!(given["cost_fen"].as_i64().unwrap() > 0);
        assert!(
            given["gap_after_fen"].as_i64().unwrap() < given["gap_before_fen"].as_i64().unwrap()
        );
        assert_eq!(ask(json!({ "on": ON })).await, same);
    }
}

/// A server's memory of an installation, as it starts.
async fn started(test: &TestApp, path: &std::path::Path) -> Context {
    let context = command(test);
    context.live.save_in(path.to_owned());
    context.live.catch_up(&context).await.unwrap();
    context
}

#[tokio::test]
async fn what_was_saved_is_brought_up_to_the_database_and_never_believed_against_it() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("census.snapshot");
        let first = started(&app, &path).await;
        assert!(first.live.save(&first).await.unwrap());
        assert!(!first.live.save(&first).await.unwrap(), "nothing was written since");
        let mode = std::fs::metadata(&path).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
        assert_eq!(mode & 0o777, 0o600);

        // Who starts has it from the file, and what was written since from the database.
        let second = started(&app, &path).await;
        assert!(!second.live.save(&second).await.unwrap(), "it was not read from the file");
        let text = "户编号,行政村代码,户主姓名,饮水是否安全\nH003,990101100201,李四,否\n";
        assert!(app.import_text("households", text).await.committed);
        journal::seal_all(&app.context).await.unwrap();
        let third = started(&app, &path).await;
        assert!(third.live.save(&third).await.unwrap(), "what was written since was not read");
        let proof = third.live.prove(&third).await.unwrap();
        assert_eq!((proof.difference, proof.households), (None, 9), "{proof:?}");

        // A file that was altered, cut, or of other packs is of no use.
        let whole = std::fs::read(&path).unwrap();
        let mut altered = whole.clone();
        let at = altered.len() - 9;
        altered[at] ^= 1;
        for bytes in [&altered[..], &whole[..whole.len() / 2], b"", &whole[1..]] {
            std::fs::write(&path, bytes).unwrap();
            let context = started(&app, &path).await;
            assert_eq!(context.live.prove(&context).await.unwrap().difference, None);
            assert!(context.live.save(&context).await.unwrap(), "it was read from a bad file");
        }
        let own =
            "area = '980101'\n[[value]]\nof = 'vehicle_price'\nvalue = 60000\nsource = 'a test'\n";
        let policy = daohu_policy::Policy::embedded_and([("own.toml", own)]).unwrap();
        let governed = Context { policy: policy.into(), ..command(&app) };
        governed.live.save_in(path.clone());
        governed.live.catch_up(&governed).await.unwrap();
        assert!(governed.live.save(&governed).await.unwrap(), "it was made under other packs");

        // The file of another database.
        let other = TestApp::new(engine).await;
        seed::areas(&other).await;
        let text = "户编号,行政村代码,户主姓名\nH003,990101100200,别家\n";
        assert!(other.import_text("households", text).await.committed);
        journal::seal_all(&other.context).await.unwrap();
        let other = Context { policy: governed.policy.clone(), ..command(&other) };
        other.live.save_in(path.clone());
        let proof = other.live.prove(&other).await.unwrap();
        assert_eq!((proof.difference, proof.households), (None, 1));
    }
}

//! Persons who may be one: who is listed, what is judged of them, and records that are merged.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use daohu_app::{
    exchange::{Outcome, import::Summary},
    households,
    journal::{Depth, verify_store},
    suspects,
};
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    area_changes::{assert_whole, carry_out, change_on, line},
    exchange::options,
    harness::{Answer, Client, TestApp},
    moves::told,
    seed,
};

const HOUSEHOLDS: &str = "户编号,行政村代码,户主姓名\n\
    S1,990101100200,张伟\nS2,990101100201,章伟\nS3,990101100201,李大\nS4,990101101200,张伟\n\
    S5,990101100201,王七\nN1,980101100200,北一\n";
const HEADER: &str = "户编号,姓名,证件类型,证件号码,与户主关系,出生日期,联系电话,变动类型\n";
/// The first digits of the numbers of those in S1 and S2.
const DIGITS: [&str; 2] = ["99010119800202101", "99010119800202201"];
const REASON: &str = "入户核对后认定";

/// A row of 人: household, name, ID number by its first digits or none, relation, telephone, change.
fn row(no: &str, name: &str, digits: &str, rest: &str) -> String {
    match digits {
        "" => format!("{no},{name},无证件,,{rest}\n"),
        digits => format!("{no},{name},居民身份证,{},{rest}\n", seed::id_number(digits)),
    }
}

/// Three persons of a township who sound alike and were born on one day, one of them without a number; a
/// fourth in another township.
fn persons() -> String {
    HEADER.to_owned()
        + &row("S1", "张伟", DIGITS[0], "户主,,,")
        + &row("S1", "张小", "99010120100303101", "之子,,,")
        + &row("S2", "章伟", DIGITS[1], "户主,,,")
        + &row("S3", "李大", "99010119500404101", "户主,,,")
        + &row("S3", "张伟", "", "之子,1980-02-02,,")
        + &row("S4", "张伟", "99010119800202401", "户主,,,")
        + &row("S5", "王七", "99010119700707101", "户主,,,")
}

struct County {
    app: TestApp,
    clerk: Client,
    /// The ids of the three, by household: S1, S2, S3.
    ids: [i64; 3],
}

async fn county(engine: Engine) -> County {
    let app = TestApp::new(engine).await;
    seed::areas(&app).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("households.csv"), HOUSEHOLDS).unwrap();
    std::fs::write(folder.path().join("persons.csv"), persons()).unwrap();
    std::fs::write(folder.path().join("incomes.csv"), "户编号,年度,工资性收入\nS2,2019,1000\n")
        .unwrap();
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    assert!(summary.committed && told(&summary) == "created 4, suspected 3", "{summary:?}");
    let clerk = app.client(&["office_clerk@990101"]).await;
    let mut ids = [0; 3];
    for (id, (no, name)) in ids.iter_mut().zip([("S1", "张伟"), ("S2", "章伟"), ("S3", "张伟")])
    {
        let (home, _) = seed::household_no(&app, no).await;
        let members = clerk.get(&format!("/households/{home}/persons")).send().await.expect(200);
        let mut members = members.as_array().unwrap().iter();
        *id = members.find(|member| member["name"] == name).unwrap()["id"].as_i64().unwrap();
    }
    County { app, clerk, ids }
}

impl County {
    async fn pair(&self, one: usize, other: usize) -> Value {
        let path = format!("/suspects/{}/{}", self.ids[one], self.ids[other]);
        self.clerk.get(&path).send().await.expect(200)
    }

    /// Sends what is judged of two of the three as the version that they have now.
    async fn send(&self, (one, other): (usize, usize), what: &str, body: Value) -> Answer {
        let version = self.pair(one, other).await["version"].as_i64().unwrap();
        self.send_at((one, other), what, body, version).await
    }

    async fn send_at(
        &self,
        (one, other): (usize, usize),
        what: &str,
        body: Value,
        version: i64,
    ) -> Answer {
        let path = format!("/suspects/{}/{}/{what}", self.ids[one], self.ids[other]);
        self.clerk.post(&path, body).if_match(version).send().await
    }

    async fn judge(&self, pair: (usize, usize), verdict: &str) -> Answer {
        self.send(pair, "judgement", json!({ "verdict": verdict, "reason": REASON })).await
    }

    async fn merge(&self, pair: (usize, usize), keep: usize) -> Answer {
        self.send(pair, "merge", json!({ "keep": self.ids[keep], "reason": REASON })).await
    }

    async fn undo(&self, pair: (usize, usize)) -> Answer {
        self.send(pair, "undo", json!({ "reason": REASON })).await
    }

    async fn person(&self, nth: usize) -> Value {
        self.clerk.get(&format!("/persons/{}", self.ids[nth])).send().await.expect(200)
    }

    /// The files of an export, by name.
    async fn exported(&self) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let (files, _) = self.app.export_to(folder.path(), "99").await;
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
    }

    /// What must hold whatever was merged: each number of a member is held by that member and nobody else is
    /// said to hold it, rows are as the journal tells, and what is exported comes back unchanged.
    async fn check_laws(&self, says: &str) {
        let held = "select cast(count(*) as bigint) from persons p
                    left join person_keys k on k.identity = p.identity
                    where p.is_current = 1 and p.identity is not null and
                      (k.identity is null or k.is_current = 0 or k.county <> p.county
                       or k.person <> p.id or k.household <> p.household)";
        assert_eq!(self.app.rows(held).await[0].int(0).unwrap(), 0, "{says}: who holds what");
        let stale = "select cast(count(*) as bigint) from person_keys k
                     join persons p on p.county = k.county and p.id = k.person
                     where k.is_current <> p.is_current or k.identity <> p.identity
                        or p.identity is null";
        assert_eq!(self.app.rows(stale).await[0].int(0).unwrap(), 0, "{says}: held by nobody");
        let watched = households::watched().into_iter().filter(|watched| watched.kind != "area");
        let watched = watched.chain(suspects::watched()).collect();
        let verdict = verify_store(&self.app.context, None, Depth::Rows, watched).await.unwrap();
        assert!(verdict.ok, "{says}: {verdict:?}");
        let folder = tempfile::tempdir().unwrap();
        self.app.export_to(folder.path(), "99").await;
        let again = self.app.import(&[folder.path().to_owned()], options()).await;
        for (sheet, counts) in &again.sheets {
            assert_eq!(counts.unchanged, counts.rows, "{says}: {sheet} {:?}", again.problems);
        }
    }
}

/// All pairs of a list, page by page, as the ids of the two.
async fn listed(client: &Client, query: &str) -> Vec<(i64, i64)> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.json(&format!("/suspects?limit=1&{query}{after}")).await;
        let ids = |pair: &Value| {
            let id = |nth: usize| pair["persons"][nth]["id"].as_i64().unwrap();
            (id(0), id(1))
        };
        found.extend(page["items"].as_array().unwrap().iter().map(ids));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let count = client.json(&format!("/suspects/count?{query}")).await;
    assert_eq!(count["pairs"], found.len(), "{query}");
    found
}

/// Those of whom the quality report says that they may be another.
async fn reported(client: &Client, area: &str) -> BTreeSet<i64> {
    let path = format!("/areas/{area}/quality/findings?rule=R32");
    let findings = client.json(&path).await;
    let findings = findings["items"].as_array().unwrap().iter();
    findings.map(|finding| finding["person"].as_i64().unwrap()).collect()
}

/// The refused rows: number and code, and the words of the last of them.
fn refused(summary: &Summary) -> (Vec<(u64, &str)>, String) {
    let rows = summary.problems.iter().filter(|row| row.outcome == Outcome::Rejected);
    let words = rows.clone().next_back().map(|row| row.notes[0].message.clone());
    (rows.map(|row| (row.row, row.notes[0].code.as_str())).collect(), words.unwrap_or_default())
}

#[tokio::test]
async fn pairs_are_those_of_the_report_and_a_count_is_its_list() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        let [one, two, three] = county.ids;
        let all = BTreeSet::from([(one, two), (one, three), (two, three)]);
        let sorted = async |query: &str| -> BTreeSet<(i64, i64)> {
            listed(&county.clerk, query).await.into_iter().collect()
        };
        assert_eq!(sorted("area=990101").await, all, "{engine:?}");
        assert_eq!(sorted("").await, all);
        assert_eq!(sorted("ground=name").await, BTreeSet::from([(one, three)]));
        assert_eq!(sorted("ground=sound").await.len(), 2);
        assert!(sorted("area=990101101").await.is_empty());
        // Of an area: pairs of which one lives there.
        let of_village = sorted("area=990101100200").await;
        assert_eq!(of_village, BTreeSet::from([(one, two), (one, three)]));
        for area in ["990101", "990101100", "990101100200", "990101100201"] {
            let pairs = listed(&county.clerk, &format!("area={area}")).await;
            let report = reported(&county.clerk, area).await;
            let persons: BTreeSet<i64> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
            assert!(report.is_subset(&persons) && !report.is_empty(), "{engine:?} {area}");
            assert!(area.len() == 12 || report == persons, "{engine:?} {area}");
        }
        let pair = county.pair(1, 0).await;
        assert_eq!((&pair["verdict"], &pair["ground"]), (&json!("open"), &json!("sound")));
        let person = &pair["persons"][0];
        let told = ["household_no", "village", "born_on", "name"].map(|name| person[name].clone());
        assert_eq!(told, ["S1", "990101100200", "1980-02-02", "张伟"].map(|text| json!(text)));
        assert!(person["id_number"].as_str().unwrap().contains("****"), "{person}");
        // Who does not see both sees no pair.
        let of_village = county.app.client(&["village_clerk@990101100201"]).await;
        assert_eq!(listed(&of_village, "").await, [(two, three)]);
        let path = format!("/suspects/{one}/{two}");
        of_village.get(&path).send().await.problem(404, "record.not_found");
        let body = json!({ "verdict": "same", "reason": REASON });
        let judged = of_village.post(&format!("{path}/judgement"), body).if_match(2).send().await;
        judged.problem(404, "record.not_found");
        of_village.get("/suspects?area=990101").send().await.problem(404, "record.not_found");
        // Nor is a pair what is none.
        let (child, _) = seed::person_named(&county.app, "张小").await;
        for path in [format!("/suspects/{one}/{child}"), format!("/suspects/{one}/{one}")] {
            county.clerk.get(&path).send().await.problem(404, "record.not_found");
        }
        for (query, column) in [("verdict=maybe", "verdict"), ("ground=face", "ground")] {
            let answer = county.clerk.get(&format!("/suspects?{query}")).send().await;
            answer.field_problem(column, &format!("suspect.bad_{column}"));
        }
    }
}

#[tokio::test]
async fn who_was_told_apart_is_suspected_again_when_one_changes() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        let ([one, two, three], clerk) = (county.ids, &county.clerk);
        let short = json!({ "verdict": "different", "reason": "一" });
        let answer = county.send((0, 1), "judgement", short).await;
        answer.field_problem("reason", "suspect.reason_too_short");
        let judged = county.judge((0, 1), "different").await.expect(200);
        assert_eq!((&judged["verdict"], &judged["reason"]), (&json!("different"), &json!(REASON)));
        let body = json!({ "verdict": "same", "reason": REASON });
        let stale = county.send_at((0, 1), "judgement", body, 2).await;
        stale.problem(412, "record.stale");
        assert_eq!(listed(clerk, "").await.len(), 2, "{engine:?}");
        assert_eq!(listed(clerk, "verdict=different").await, [(one, two)]);
        assert_eq!(reported(clerk, "990101").await.len(), 3);
        county.judge((0, 2), "different").await.expect(200);
        assert_eq!(listed(clerk, "verdict=open").await, [(two, three)]);
        assert_eq!(reported(clerk, "990101").await, BTreeSet::from([two, three]), "{engine:?}");
        let entries = county.app.journal("judgement", &format!("{one}/{two}")).await;
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].2["after"]["verdict"], "different");
        // An import of both changes them, and suspects who may still be another.
        let phones = |phone: &str| {
            HEADER.to_owned()
                + &row("S1", "张伟", DIGITS[0], &format!("户主,,{phone},"))
                + &row("S2", "章伟", DIGITS[1], &format!("户主,,{phone},"))
        };
        let import = async |text: &str| told(&county.app.import_text("persons.csv", text).await);
        assert_eq!(import(&phones("19900000001")).await, "updated 1, suspected 1", "{engine:?}");
        county.judge((1, 2), "different").await.expect(200);
        assert_eq!(import(&phones("19900000002")).await, "updated 2", "{engine:?}");
        assert!(listed(clerk, "").await.is_empty() && reported(clerk, "990101").await.is_empty());
        // A name that is written anew is another's name: the report, the list and an import ask again.
        let renamed = row("S2", "张伟", DIGITS[1], "户主,,,");
        assert_eq!(import(&(HEADER.to_owned() + &renamed)).await, "suspected 1");
        let again = BTreeSet::from([(one, two), (two, three)]);
        assert_eq!(listed(clerk, "").await.into_iter().collect::<BTreeSet<_>>(), again);
        assert_eq!(reported(clerk, "990101").await.len(), 3);
        assert_eq!(listed(clerk, "verdict=different").await, [(one, three)]);
        let pair = county.pair(0, 1).await;
        assert_eq!((&pair["verdict"], &pair["reason"]), (&json!("open"), &Value::Null));
        // What is known to be one is still to be done.
        county.judge((0, 1), "same").await.expect(200);
        assert_eq!(listed(clerk, "verdict=same").await, [(one, two)]);
        assert_eq!(listed(clerk, "verdict=open").await, [(two, three)]);
        assert_eq!(listed(clerk, "").await.len(), 2);
        county.check_laws("judged").await;
    }
}

#[tokio::test]
async fn a_merge_that_is_undone_leaves_everything_as_it_was() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        county.clerk.json("/suspects").await;
        let before = county.exported().await;
        let values = async |nth| {
            let mut person = county.person(nth).await;
            let fields = person.as_object_mut().unwrap();
            fields.retain(|name, _| !["version", "updated_at"].contains(&name.as_str()));
            person
        };
        let was = [values(0).await, values(1).await, values(2).await];
        // Who stays, who ends; twice, so that what was undone can be done again.
        for (keep, end) in [(0, 1), (0, 2), (1, 2), (2, 1), (2, 1), (0, 1)] {
            let says = format!("{engine:?}: {keep} stays, {end} ends");
            let merged = county.merge((keep, end), keep).await.expect(200);
            assert_eq!(merged["verdict"], "merged", "{says}");
            assert_eq!(merged["kept"], county.ids[keep]);
            let (kept, ended) = (county.person(keep).await, county.person(end).await);
            assert_eq!((&kept["is_current"], &ended["is_current"]), (&json!(true), &json!(false)));
            assert_eq!(ended["merged_into"], county.ids[keep], "{says}");
            assert_eq!(
                (&ended["change_kind"], &ended["change_on"]),
                (&json!("15"), &json!("2020-11-22"))
            );
            assert_eq!(kept["household"], was[keep]["household"]);
            let has_number = |person: &Value| !person["id_number"].is_null();
            assert!(has_number(&kept), "{says}");
            assert_eq!(has_number(&ended), has_number(&was[end]), "{says}");
            let pair = county.pair(keep, end).await;
            let ids = [&pair["persons"][0]["id"], &pair["persons"][1]["id"]];
            assert!(ids.contains(&&json!(county.ids[end])), "reachable from both");
            assert_eq!(listed(&county.clerk, "verdict=merged").await.len(), 1);
            assert_eq!(listed(&county.clerk, "").await.len(), 1, "{says}");
            assert_ne!(county.exported().await, before, "{says}");
            county.check_laws(&says).await;
            let undone = county.undo((keep, end)).await.expect(200);
            assert_eq!((&undone["verdict"], &undone["kept"]), (&json!("open"), &Value::Null));
            for (nth, was) in was.iter().enumerate() {
                assert_eq!(values(nth).await, *was, "{says}: {nth}");
            }
            assert_eq!(county.exported().await, before, "{says}");
            county.check_laws(&says).await;
        }
        let entries = county.app.journal("person", &county.ids[2].to_string()).await;
        // Ended and back, twice; got a number and gave it back, twice; each with an entry of its own.
        assert_eq!(entries.len(), 2 * 4, "{engine:?}");
    }
}

#[tokio::test]
async fn merges_that_break_a_rule_are_refused() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        // The child of S1 would have no head.
        county.merge((0, 1), 1).await.problem(409, "suspect.head_ends");
        let stranger = json!({ "keep": 1, "reason": REASON });
        let answer = county.send((0, 1), "merge", stranger).await;
        answer.field_problem("keep", "suspect.keep_unknown");
        county.undo((0, 1)).await.problem(409, "suspect.not_merged");
        county.judge((0, 1), "merged").await.field_problem("verdict", "suspect.bad_verdict");
        county.judge((0, 1), "different").await.expect(200);
        county.merge((0, 1), 0).await.problem(409, "suspect.is_different");
        county.judge((0, 1), "open").await.expect(200);
        county.merge((0, 1), 0).await.expect(200);
        county.merge((0, 1), 0).await.problem(409, "suspect.is_merged");
        county.judge((0, 1), "different").await.problem(409, "suspect.is_merged");
        // The record that ended comes back by an undo, not by a change.
        let ended = county.person(1).await;
        let path = format!("/persons/{}", county.ids[1]);
        let version = ended["version"].as_i64().unwrap();
        let back = county.clerk.patch(&path, json!({ "change_kind": null })).if_match(version);
        back.send().await.problem(409, "person.merged");
        // Who changed since is named.
        let phone = |phone: &str| json!({ "phone": phone });
        let change = county.clerk.patch(&path, phone("19900000001")).if_match(version);
        change.send().await.expect(200);
        county.undo((0, 1)).await.field_problem("ended", "suspect.changed_since");
        let kept = county.person(0).await["version"].as_i64().unwrap();
        let path = format!("/persons/{}", county.ids[0]);
        let change = county.clerk.patch(&path, phone("19900000002")).if_match(kept);
        change.send().await.expect(200);
        county.undo((0, 1)).await.field_problem("kept", "suspect.changed_since");
        // Nobody suspects a record that ended.
        let path = format!("/suspects/{}/{}", county.ids[1], county.ids[2]);
        county.clerk.get(&path).send().await.problem(404, "record.not_found");
        county.check_laws("refused").await;
    }
}

#[tokio::test]
async fn a_head_does_not_come_back_beside_another() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        county.merge((0, 1), 0).await.expect(200);
        let head = row("S2", "新人", "99010119900101101", "户主,,,");
        let summary = county.app.import_text("persons.csv", &(HEADER.to_owned() + &head)).await;
        assert_eq!(told(&summary), "created 1");
        county.undo((0, 1)).await.field_problem("ended", "person.second_head");
        county.check_laws("another head").await;
    }
}

#[tokio::test]
async fn last_years_file_brings_no_merged_record_back() {
    for engine in Engine::BOTH {
        for (keep, end, line, home) in [(2, 1, 4, "S3"), (0, 1, 4, "S1"), (0, 2, 6, "S1")] {
            let says = format!("{engine:?}: {keep} stays, {end} ends");
            let county = county(engine).await;
            county.merge((keep, end), keep).await.expect(200);
            let state = county.exported().await;
            let import = async |text: &str| county.app.import_text("persons.csv", text).await;
            let summary = import(&persons()).await;
            let (rows, words) = refused(&summary);
            assert_eq!(rows, [(line, "person.merged")], "{says}");
            assert!(words.contains(home), "{says}: {words}");
            let counts = summary.sheets["persons"];
            assert_eq!(counts.unchanged + counts.rejected, counts.rows, "{says}");
            assert_eq!(county.exported().await, state, "{says}");
            if end == 2 {
                continue;
            }
            // Nor does a row that says how he came back, or one of another household or county; how he
            // left may be put right.
            for no in ["S2", "S5", "N1"] {
                let came = row(no, "章伟", DIGITS[1], "其他,,,迁入");
                let summary = import(&(HEADER.to_owned() + &came)).await;
                // Where the number went to the record that stays, it is that of a member of S3.
                let code = if keep == 2 && no != "S2" { "quality.R02" } else { "person.merged" };
                assert_eq!(refused(&summary).0, [(2, code)], "{says} {no}");
            }
            assert_eq!(county.exported().await, state, "{says}");
            let left = row("S2", "章伟", DIGITS[1], "户主,,,迁出");
            assert_eq!(told(&import(&(HEADER.to_owned() + &left)).await), "updated 1", "{says}");
            assert_eq!(county.person(1).await["merged_into"], county.ids[keep], "{says}");
            county.check_laws(&says).await;
        }
    }
}

#[tokio::test]
async fn whose_records_were_merged_moves_on_as_one_person() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        county.merge((2, 1), 2).await.expect(200);
        // The household of the record that ended is decided last.
        let (home, version) = seed::household_no(&county.app, "S2").await;
        let change = county.clerk.patch(&format!("/households/{home}"), json!({ "no": "T2" }));
        change.if_match(version).send().await.expect(200);
        let file = HEADER.to_owned()
            + &row("T2", "章伟", DIGITS[1], "户主,,,其他减少")
            + &row("S3", "张伟", DIGITS[1], "之子,,,迁出")
            + &row("S5", "张伟", DIGITS[1], "其他,,,迁入");
        let summary = county.app.import_text("persons.csv", &file).await;
        // He is still alike the one of S1.
        assert_eq!(told(&summary), "updated 1, unchanged 1, suspected 1", "{engine:?}");
        let (kept, ended) = (county.person(2).await, county.person(1).await);
        let homes = [&kept["household_no"], &ended["household_no"], &ended["merged_into"]];
        assert_eq!(homes, [&json!("S5"), &json!("T2"), &json!(county.ids[2])], "{engine:?}");
        county.check_laws("moved on").await;
    }
}

#[tokio::test]
async fn of_two_clerks_who_judge_one_pair_one_is_refused() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        let version = county.pair(1, 2).await["version"].as_i64().unwrap();
        let merge = |keep: usize| json!({ "keep": county.ids[keep], "reason": REASON });
        let judge = json!({ "verdict": "different", "reason": REASON });
        let (one, other, third) = tokio::join!(
            county.send_at((1, 2), "merge", merge(1), version),
            county.send_at((1, 2), "merge", merge(2), version),
            county.send_at((1, 2), "judgement", judge, version),
        );
        let mut statuses = [one.status, other.status, third.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412], "{engine:?} {} {}", one.text, other.text);
        county.check_laws("two clerks").await;
    }
}

/// A day on which areas may be changed.
async fn on_the_next_day(engine: Engine) -> County {
    let mut county = county(engine).await;
    county.app.clock.advance_minutes(24 * 60);
    county.clerk = county.app.client(&["office_clerk@990101"]).await;
    county
}

#[tokio::test]
async fn a_merge_is_undone_where_areas_changed_since() {
    // Who stays and who ends; which village goes, and where to.
    for (keep, end, village, to) in [
        (0, 1, "990101100201", "990101100209"),
        (0, 1, "990101100201", "980101100209"),
        (0, 1, "990101100200", "980101100209"),
        (2, 1, "990101100201", "980101100209"),
    ] {
        for engine in Engine::BOTH {
            let says = format!("{engine:?}: {keep} stays, {end} ends, {village} becomes {to}");
            let county = on_the_next_day(engine).await;
            let both = county.app.client(&["office_clerk@99", "office_clerk@98"]).await;
            let person = async |nth: usize| {
                let path = format!("/persons/{}", county.ids[nth]);
                let mut person = both.get(&path).send().await.expect(200);
                let fields = person.as_object_mut().unwrap();
                let placed = ["version", "updated_at", "county", "village"];
                fields.retain(|name, _| !placed.contains(&name.as_str()));
                person
            };
            let was = [person(keep).await, person(end).await];
            county.merge((keep, end), keep).await.expect(200);
            carry_out(&county.app, vec![line(village, to, "新村")]).await;
            let pair = format!("/suspects/{}/{}", county.ids[keep], county.ids[end]);
            let version = both.json(&pair).await["version"].as_i64().unwrap();
            assert_eq!(listed(&both, "verdict=merged").await.len(), 1, "{says}");
            // It is one of the county that each of them is in now.
            let persons = both.json(&pair).await["persons"].clone();
            for person in persons.as_array().unwrap() {
                let county = &person["village"].as_str().unwrap()[..6];
                let query = format!("verdict=merged&area={county}");
                assert_eq!(listed(&both, &query).await.len(), 1, "{says}: {county}");
            }
            let undo = |client: &Client| {
                client.post(&format!("{pair}/undo"), json!({ "reason": REASON })).if_match(version)
            };
            if to.starts_with("98") {
                // Who sees one of the two alone, or none, sees no pair.
                undo(&county.clerk).send().await.problem(404, "record.not_found");
            }
            let undone = undo(&both).send().await.expect(200);
            assert_eq!(undone["verdict"], "open", "{says}");
            assert_eq!([person(keep).await, person(end).await], was, "{says}");
            assert_whole(&county.app).await;
            assert!(listed(&both, "verdict=merged").await.is_empty(), "{says}");
        }
    }
}

#[tokio::test]
async fn pairs_of_two_counties_that_were_one_are_listed_in_both_while_they_are_merged() {
    for (merged, query) in [(true, "verdict=merged"), (false, "verdict=different")] {
        for engine in Engine::BOTH {
            let says = format!("{engine:?} {query}");
            let county = on_the_next_day(engine).await;
            match merged {
                true => county.merge((0, 1), 0).await.expect(200),
                false => county.judge((0, 1), "different").await.expect(200),
            };
            // The village of one goes to another county; what is left of the old one gets another code.
            carry_out(&county.app, vec![line("990101100201", "980101100209", "新村")]).await;
            county.app.clock.advance_minutes(24 * 60);
            let rest = vec![line("990101", "990102", "南区")];
            change_on(&county.app, ("2020-11-24", None), rest).await.unwrap();
            let both = county.app.client(&["office_clerk@99", "office_clerk@98"]).await;
            let pair = (county.ids[0], county.ids[1]);
            let expected = if merged { vec![pair] } else { vec![] };
            for area in ["", "&area=98", "&area=99", "&area=980101", "&area=990102"] {
                let query = format!("{query}{area}");
                assert_eq!(listed(&both, &query).await, expected, "{says}{area}");
            }
            let path = format!("/suspects/{}/{}", pair.0, pair.1);
            let status = both.get(&path).send().await.status;
            assert_eq!(status, if merged { 200 } else { 404 }, "{says}");
        }
    }
}

#[tokio::test]
async fn who_was_changed_after_the_areas_stays_merged() {
    for engine in Engine::BOTH {
        let county = on_the_next_day(engine).await;
        county.merge((0, 1), 0).await.expect(200);
        carry_out(&county.app, vec![line("990101100201", "990101100209", "新村")]).await;
        let version = county.person(1).await["version"].as_i64().unwrap();
        let phone = json!({ "phone": "19900000001" });
        let path = format!("/persons/{}", county.ids[1]);
        county.clerk.patch(&path, phone).if_match(version).send().await.expect(200);
        county.undo((0, 1)).await.field_problem("ended", "suspect.changed_since");
        assert_whole(&county.app).await;
    }
}

#[tokio::test]
async fn pairs_are_taken_as_a_file_by_who_may_export() {
    for engine in Engine::BOTH {
        let county = county(engine).await;
        let csv = county.clerk.get("/suspects?format=csv").send().await;
        let rows: Vec<&str> = csv.text.lines().collect();
        assert_eq!((csv.status, rows.len()), (200, 4), "{engine:?} {}", csv.text);
        assert_eq!(rows[1].split(',').count(), 14, "{engine:?} {}", csv.text);
        assert!(csv.text.contains("****") && !csv.text.contains(&seed::id_number(DIGITS[0])));
        assert_eq!(csv.text.matches("姓名相同,未判断").count(), 1, "{engine:?} {}", csv.text);
        let entries = county.app.journal("export", "990101").await;
        assert_eq!(entries[0].2["after"]["list"], "suspects", "{engine:?}");
        let cadre = county.app.client(&["cadre@990101"]).await;
        cadre.get("/suspects?format=xlsx").send().await.problem(403, "auth.forbidden");
    }
}

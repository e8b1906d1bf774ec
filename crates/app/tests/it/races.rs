//! Clerks who change records between an import's reading and its writing. On SQLite they wait until it
//! is stored, so that these tests are of PostgreSQL.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use daohu_app::{
    Error,
    exchange::import::{Summary, import},
    jobs::{Progress, Ticket},
};
use daohu_db::{Engine, FutureExt, Tx, testing::hold};
use serde_json::{Value, json};

use crate::{
    exchange::options,
    harness::{Client, TestApp},
    moves::{check_laws, told},
    relocations::check_places,
    seed,
};

const PERSONS: &str = "户编号,姓名,证件类型,证件号码,与户主关系,变动类型\n";

/// A county with a household, H010, whose only member is no head.
async fn county() -> (TestApp, Client) {
    let app = TestApp::new(Engine::Postgres).await;
    seed::registry(&app).await;
    let child = row("H010", "张三子", "99010120100101011", "之子");
    let file = format!("户编号,行政村代码\nH010,990101100200\n\0{PERSONS}{child}");
    let summary = app.import_files(&file).await.unwrap();
    assert_eq!(told(&summary), "created 1");
    let clerk = app.client(&["office_clerk@990101"]).await;
    (app, clerk)
}

/// A row of 人: the ID number by its first digits.
fn row(no: &str, name: &str, digits: &str, relation: &str) -> String {
    format!("{no},{name},居民身份证,{},{relation},\n", seed::id_number(digits))
}

/// A change of a record, made while an import is held; it must succeed.
async fn change(clerk: &Client, path: &str, (id, version): (i64, i64), body: Value) {
    clerk.patch(&format!("/{path}/{id}"), body).if_match(version).send().await.expect(200);
}

impl TestApp {
    /// Imports tables of CSV with a NUL between them.
    async fn import_files(&self, text: &str) -> Result<Summary, Error> {
        self.import_watched(text, Arc::default()).await
    }

    async fn import_watched(&self, text: &str, progress: Arc<Progress>) -> Result<Summary, Error> {
        let folder = tempfile::tempdir().unwrap();
        for table in text.split('\0') {
            let name = match table.split('\n').next().unwrap() {
                head if head.contains("姓名,") => "persons.csv",
                head if head.contains("年度") => "incomes.csv",
                _ => "households.csv",
            };
            std::fs::write(folder.path().join(name), table).unwrap();
        }
        let paths = vec![folder.path().to_owned()];
        let ticket = Ticket { progress, run: None };
        import(&self.context, self.act(), paths, options(), ticket).await
    }

    /// Imports, and lets `between` act when all is decided and nothing is written.
    async fn import_with(&self, text: &str, between: impl AsyncFnOnce()) -> Result<Summary, Error> {
        // What an import waits for before its first row, and a clerk does not.
        let lock = "update journal_heads set sequence = sequence";
        let work = async move |tx: &mut Tx| tx.execute(lock, &[]).await.map(drop);
        let held = hold(&self.context.db, move |tx| async move { work(tx).await }.boxed()).await;
        let progress = Arc::<Progress>::default();
        let watched = Arc::clone(&progress);
        let meanwhile = async {
            let rows = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
            while rows(&watched.rows_total) == 0
                || rows(&watched.rows_done) < rows(&watched.rows_total)
            {
                tokio::task::yield_now().await;
            }
            between().await;
            held.release().await;
        };
        let (summary, ()) = tokio::join!(self.import_watched(text, progress), meanwhile);
        summary
    }
}

/// The import met what somebody changed meanwhile; nothing of it is stored.
#[track_caller]
fn refused(summary: Result<Summary, Error>) {
    let error = summary.map(|summary| summary.sheets).unwrap_err();
    assert!(matches!(error, Error::Refused("exchange.changed_meanwhile")), "{error}");
}

#[tokio::test]
async fn a_number_given_to_two_persons_at_once_is_held_by_one() {
    let (app, clerk) = county().await;
    let digits = "99010119900101012";
    let file = format!("{PERSONS}{}", row("H003", "新人", digits, "之子"));
    let other = seed::person_named(&app, "王五").await;
    let body = json!({ "id_number": seed::id_number(digits) });
    let done = app.import_with(&file, async || change(&clerk, "persons", other, body).await).await;
    refused(done);
    let again = app.import_files(&file).await.unwrap();
    assert_eq!(told(&again), "rejected 1 R02@2");
    check_laws(&app, "one number").await;
}

#[tokio::test]
async fn a_number_goes_to_another_county_only_while_it_is_free() {
    let (app, clerk) = county().await;
    let digits = "99010119600303003";
    let leaves = row("H003", "李四", digits, "户主").replace(",\n", ",迁出\n");
    app.import_files(&format!("{PERSONS}{leaves}")).await.unwrap();
    let file = format!("{PERSONS}{}", row("H009", "李四", digits, "其他"));
    let who = seed::person_named(&app, "李四").await;
    let body = json!({ "change_kind": null });
    let done = app.import_with(&file, async || change(&clerk, "persons", who, body).await).await;
    refused(done);
    let again = app.import_files(&file).await.unwrap();
    assert_eq!(told(&again), "rejected 1 R02@2");
    check_laws(&app, "two counties").await;
}

#[tokio::test]
async fn who_joins_a_household_that_moves_meanwhile_lives_where_it_is() {
    let (app, clerk) = county().await;
    let files = [
        format!("{PERSONS}{}", row("H003", "新人", "99010119900101012", "之子")),
        "户编号,年度,工资性收入\nH003,2020,7000\n".to_owned(),
    ];
    for (file, village) in files.iter().zip(["990101100201", "990101101200"]) {
        let home = seed::household_no(&app, "H003").await;
        let body = json!({ "village": village });
        let done = app.import_with(file, async || change(&clerk, "households", home, body).await);
        refused(done.await);
        let again = app.import_files(file).await.unwrap();
        assert!(again.sheets.values().all(|counts| counts.created == counts.rows));
        check_places(&app, village).await;
    }
    check_laws(&app, "a household that moves").await;
}

#[tokio::test]
async fn of_two_heads_at_once_one_is_refused() {
    let (app, clerk) = county().await;
    let file = format!("{PERSONS}{}", row("H010", "新人", "99010119900101012", "户主"));
    let child = seed::person_named(&app, "张三子").await;
    let body = json!({ "relation": "户主" });
    let done = app.import_with(&file, async || change(&clerk, "persons", child, body).await).await;
    refused(done);
    let again = app.import_files(&file).await.unwrap();
    assert_eq!(told(&again), "rejected 1 R04@2");
    check_laws(&app, "two heads").await;
}

#[tokio::test]
async fn changes_that_no_rule_looks_at_stop_no_import() {
    let (app, clerk) = county().await;
    let person = row("H003", "新人", "99010119900101012", "之子");
    let file = format!("{PERSONS}{person}\0户编号,年度,工资性收入\nH003,2020,7000\n");
    let home = seed::household_no(&app, "H003").await;
    let head = seed::person_named(&app, "李四").await;
    let between = async || {
        change(&clerk, "households", home, json!({ "phone": "13800000009" })).await;
        change(&clerk, "persons", head, json!({ "phone": "13800000009" })).await;
    };
    let summary = app.import_with(&file, between).await.unwrap();
    assert!(summary.committed && summary.sheets.values().all(|counts| counts.created == 1));
    check_laws(&app, "telephones").await;
}

#[tokio::test]
async fn an_import_of_a_record_that_is_merged_meanwhile_stores_nothing() {
    let (app, clerk) = county().await;
    // 李四 stands in H003; now also in H010, as one who left no number.
    let twin = "户编号,姓名,证件类型,出生日期,与户主关系\nH010,李四,无证件,1960-03-03,之父\n";
    assert_eq!(told(&app.import_files(twin).await.unwrap()), "suspected 1");
    let pair = clerk.get("/suspects").send().await.expect(200)["items"][0].clone();
    let (one, other) = (&pair["persons"][0]["id"], &pair["persons"][1]["id"]);
    let (path, version) = (format!("/suspects/{one}/{other}/merge"), pair["version"].as_i64());
    let body = json!({ "keep": one, "reason": "同一人登记了两次" });
    let file = twin.replace("之父", "之祖父");
    let between = async || {
        clerk.post(&path, body).if_match(version.unwrap()).send().await.expect(200);
    };
    refused(app.import_with(&file, between).await);
    let again = app.import_files(&file).await.unwrap();
    assert_eq!(told(&again), "rejected 1 person.merged@2");
}

/// What is named while an undo takes it away: the undo is waited for, and then nobody is left to be named.
#[tokio::test]
async fn what_an_undo_takes_away_meanwhile_is_not_named() {
    let (app, office) = county().await;
    let cadre = json!({ "no": "C30", "name": "甲", "roles": ["帮扶干部"], "area": "990101" });
    office.post("/cadres", cadre).send().await.expect(201);
    app.import_files("户编号,行政村代码,村民小组\nH002,990101100200,一组\n").await.unwrap();
    let admin = app.client(&["security_admin"]).await;
    let user = app.user(&[]).await;
    let (home, version) = seed::household_no(&app, "H003").await;
    let pairing = json!({ "subject_kind": "干部", "subject": "C30", "object_kind": "户",
        "object": "H003", "starts_on": "2018-05-01" });
    let group = office.patch(&format!("/households/{home}"), json!({ "group_code": "一组" }));
    let cadre = json!({ "no": "C31", "name": "乙", "roles": ["帮扶干部"], "area": "990101101201" });
    let grant = json!({ "role": "village_clerk", "area": "990101101200" });
    let grant = admin.post(&format!("/users/{}/grants", user.id), grant);
    for (undo, call, column, code) in [
        (
            "delete from cadres where no = 'C30'",
            office.post("/pairings", pairing),
            "subject",
            "quality.R03",
        ),
        (
            "delete from areas where name = '一组'",
            group.if_match(version),
            "group_code",
            "household.unknown_group",
        ),
        (
            "delete from areas where code = '990101101201'",
            office.post("/cadres", cadre),
            "area",
            "quality.R03",
        ),
        ("delete from areas where code = '990101101200'", grant, "area", "grant.unknown_area"),
    ] {
        let work = async move |tx: &mut Tx| tx.execute(undo, &[]).await.map(drop);
        let held = hold(&app.context.db, move |tx| async move { work(tx).await }.boxed()).await;
        let released = held.release_after(Duration::from_millis(300));
        call.send().await.field_problem(column, code);
        released.await.unwrap();
    }
}

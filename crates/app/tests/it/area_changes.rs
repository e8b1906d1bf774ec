//! Areas are renamed, get other codes, are merged and split: households, helpers, offices, rights and history.

use daohu_app::{
    Error,
    area_changes::{Line, Request, Told, change},
    exchange::Outcome,
    jobs::Ticket,
    journal::{Depth, verify_store},
    schema::MIGRATIONS,
};
use daohu_base::{Day, Scope};
use daohu_db::{Engine, tables_of};
use serde_json::{Value, json};

use crate::{
    exchange::options,
    harness::{Client, TestApp},
    seed,
};

/// Who helps: the county's office, a team and a cadre; of households, areas and villages.
const FILES: [(&str, &str); 4] = [
    (
        "organisations.csv",
        "单位编号,名称,单位级别,单位类型,所在区划代码\nD1,甲乡政府,乡,党政机关,990101100\nD2,乙村委会,村,党政机关,990101101200\n",
    ),
    (
        "cadres.csv",
        "工号,姓名,单位编号,角色,所在区划代码\nC1,陈一,D1,帮扶干部,990101101\nC2,陈二,D2,第一书记,990101101200\n",
    ),
    (
        "teams.csv",
        "队编号,行政村代码,工号,是否队长,开始日期,结束日期,结束原因\nT1,990101101200,C2,是,2019-01-01,,\n",
    ),
    (
        "pairings.csv",
        "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期,结束原因\n\
         单位,D1,村,990101101200,2019-01-01,,\n\
         单位,D1,村,990101100200,2019-01-01,,\n\
         干部,C1,户,H005,2019-01-01,,\n\
         干部,C2,村,990101101200,2018-01-01,2018-12-31,期满\n",
    ),
];

pub async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let groups = "户编号,行政村代码,村民小组\nH002,990101100200,一组\nH003,990101100200,二组\n";
    std::fs::write(folder.path().join("households.csv"), groups).unwrap();
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    let refused = summary.problems.iter().filter(|row| row.outcome == Outcome::Rejected);
    assert_eq!(refused.count(), 0, "{:?}", summary.problems);
    app.execute("update areas set is_poor_village = 1, rural_population = 800, rural_households = 200 where level = 5").await;
    app.execute("update areas set rural_population = 1600 where level = 4").await;
    app.clock.advance_minutes(24 * 60);
    app
}

/// The day on which the tests' clock stands after [`start`].
pub const TODAY: &str = "2020-11-23";
pub const YESTERDAY: &str = "2020-11-22";

pub fn line(from: &str, to: &str, name: &str) -> Line {
    part(from, to, name, &[], &[])
}

pub fn part(from: &str, to: &str, name: &str, groups: &[&str], households: &[&str]) -> Line {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Line {
        from: from.to_owned(),
        to: Some(to.to_owned()),
        name: (!name.is_empty()).then(|| name.to_owned()),
        groups: owned(groups),
        households: owned(households),
    }
}

/// Changes areas on a day, by a document or none, as whoever may change all of them.
pub async fn change_on(
    app: &TestApp,
    (on, document): (&str, Option<&str>),
    lines: Vec<Line>,
) -> Result<Told, Error> {
    let (on, document) = (Day::parse(on).unwrap(), document.map(str::to_owned));
    let request = Request { on, document, lines, dry_run: false };
    change(&app.context, app.act(), Scope::all(), request, Ticket::default()).await
}

pub async fn carry_out(app: &TestApp, lines: Vec<Line>) -> Told {
    let told = change_on(app, (TODAY, Some("南府〔2020〕9号")), lines).await.unwrap();
    assert!(told.committed);
    assert_whole(app).await;
    told
}

/// Every row is what its last entry says.
pub async fn assert_whole(app: &TestApp) {
    let watched = [
        daohu_app::households::watched(),
        daohu_app::registers::watched(),
        daohu_app::area_changes::watched(),
        daohu_app::suspects::watched(),
        daohu_app::crosscheck::watched(),
        daohu_app::warnings::watched(),
        daohu_app::accounts::watched(),
    ];
    let mut watched = watched.concat();
    // The areas of the seed were put in by hand.
    watched.retain(|watched| watched.kind != "area");
    let verdict = verify_store(&app.context, None, Depth::Rows, watched).await.unwrap();
    assert!(verdict.ok, "{:?}", verdict.named);
}

/// Two persons of one name and birth date in two households, judged to be two.
async fn told_apart(app: &TestApp) -> (i64, i64) {
    let folder = tempfile::tempdir().unwrap();
    let text = "户编号,姓名,证件类型,证件号码,与户主关系,出生日期\n\
                H005,孙重,无证件,,其他,1990-01-01\nH006,孙重,无证件,,其他,1990-01-01\n";
    std::fs::write(folder.path().join("persons.csv"), text).unwrap();
    assert!(app.import(&[folder.path().to_owned()], options()).await.committed);
    let clerk = app.client(&["office_clerk@990101"]).await;
    let pairs = clerk.get("/suspects?area=990101").send().await.expect(200);
    let pair = &pairs["items"][0];
    let id = |i: usize| pair["persons"][i]["id"].as_i64().unwrap();
    let path = format!("/suspects/{}/{}/judgement", id(0), id(1));
    let body = json!({ "verdict": "different", "reason": "两人同名，经核实不是同一人" });
    clerk.post(&path, body).if_match(pair["version"].as_i64().unwrap()).send().await.expect(200);
    (id(0), id(1))
}

/// The numbers of the households that somebody sees in an area.
pub async fn households(client: &Client, area: &str) -> Vec<String> {
    let page = client.get(&format!("/households?area={area}")).send().await.expect(200);
    page["items"].as_array().unwrap().iter().map(|row| row["no"].as_str().unwrap().into()).collect()
}

/// True if somebody may not even ask for an area's households.
async fn is_hidden(client: &Client, area: &str) -> bool {
    client.get(&format!("/households?area={area}")).send().await.status == 404
}

async fn id_of(app: &TestApp, no: &'static str) -> i64 {
    let rows = app.rows("select id, no from households").await;
    let row = rows
        .iter()
        .find(|row| row.text(1).unwrap() == no && row.int(0).unwrap() / 1_000_000_000 == 990_101);
    row.unwrap().int(0).unwrap()
}

async fn dossier(client: &Client, id: i64, as_of: Option<&str>) -> Value {
    let as_of = as_of.map(|day| format!("?as_of={day}")).unwrap_or_default();
    client.get(&format!("/households/{id}/dossier{as_of}")).send().await.expect(200)
}

/// The figures of an area: households, persons and the rural population, and that they add up.
async fn figures(client: &Client, area: &str) -> (i64, i64) {
    let told = client.get(&format!("/areas/{area}/figures")).send().await.expect(200);
    let count = |line: &Value, name: &str| line["total"][name].as_i64().unwrap();
    for name in ["households", "persons"] {
        let children = told["children"].as_array().unwrap();
        let sum: i64 = children.iter().map(|child| count(child, name)).sum();
        assert!(children.is_empty() || sum == count(&told["area"], name), "{area} {name}: {told}");
    }
    (count(&told["area"], "households"), count(&told["area"], "persons"))
}

fn names(dossier: &Value) -> Vec<&str> {
    dossier["place"].as_array().unwrap().iter().map(|at| at["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_renamed_county_has_its_old_name_on_the_day_before() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let id = id_of(&app, "H002").await;
        // The tests' areas have no journal: one change first gives the county one.
        app.execute("update areas set updated_at = 0").await;
        carry_out(&app, vec![line("990101", "990101", "南区")]).await;
        app.clock.advance_minutes(24 * 60);
        let lines = vec![line("990101", "990101", "新南区")];
        change_on(&app, ("2020-11-24", None), lines).await.unwrap();
        let client = app.client(&["office_clerk@990101"]).await;
        let now = dossier(&client, id, None).await;
        assert_eq!(
            names(&now),
            ["南省", "南市", "新南区", "南甲乡", "南甲一村", "一组"],
            "{engine:?}"
        );
        let then = dossier(&client, id, Some(TODAY)).await;
        assert_eq!(names(&then)[2], "南区", "{engine:?}");
        let told = client.get("/areas/990101/successions").send().await.expect(200);
        let days: Vec<_> = told["successions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["changed_on"].clone())
            .collect();
        assert_eq!(days, ["2020-11-24", TODAY]);
        let changes = client.get("/area-changes").send().await.expect(200);
        let documents: Vec<_> =
            changes["items"].as_array().unwrap().iter().map(|c| c["document"].clone()).collect();
        assert_eq!(documents, [Value::Null, json!("南府〔2020〕9号")]);
    }
}

#[tokio::test]
async fn a_township_merged_into_another_takes_everything_along() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let of_old = app.user(&["village_clerk@990101101"]).await;
        let of_new = app.client(&["village_clerk@990101100"]).await;
        let before = figures(&office, "990101").await;
        assert_eq!(households(&of_new, "990101100").await.len(), 4);
        let id = id_of(&app, "H005").await;

        let told = carry_out(
            &app,
            vec![
                line("990101101", "990101100", "南甲镇"),
                line("990101101200", "990101100210", ""),
                line("990101101201", "990101100211", ""),
            ],
        )
        .await;
        assert_eq!((told.households, told.persons), (2, 2), "{engine:?}");
        assert_eq!((told.helpers, told.offices), (2, 3), "{engine:?}");

        // Sums at every level, and the lists that they open.
        assert_eq!(figures(&office, "990101").await, before, "{engine:?}");
        assert_eq!(figures(&office, "990101100").await, before);
        assert_eq!(figures(&office, "990101101").await, (0, 0));
        assert_eq!(households(&office, "990101100").await.len(), 6);
        assert_eq!(households(&office, "990101100210").await, ["H005"]);
        let population = app.rows("select code, rural_population, ends_on from areas where level = 4 and code like '9901%' order by code").await;
        let population: Vec<_> = population
            .iter()
            .map(|row| (row.opt_int(1).unwrap(), row.opt_text(2).unwrap()))
            .collect();
        assert_eq!(population, [(Some(3_200), None), (Some(1_600), Some(YESTERDAY))]);

        // Who had the old township sees its villages where they are now, and no others.
        let of_old = app.signed_in(&of_old).await;
        let mut seen = households(&of_old, "990101100210").await;
        seen.extend(households(&of_old, "990101100211").await);
        assert_eq!(seen, ["H005", "H006"], "{engine:?}");
        assert!(is_hidden(&of_old, "990101100200").await, "{engine:?}");
        assert_eq!(of_old.get("/areas/990101100/figures").send().await.status, 404);
        // Who has the township that goes on has it as it now is.
        assert_eq!(households(&of_new, "990101100").await.len(), 6);

        // The dossier, before and after.
        let now = dossier(&office, id, None).await;
        assert_eq!(now["household"]["village"], "990101100210");
        assert_eq!(names(&now)[3..], ["南甲镇", "南乙一村"]);
        let then = dossier(&office, id, Some(YESTERDAY)).await;
        assert_eq!(then["household"]["village"], "990101101200", "{engine:?}");
        assert_eq!(then["persons"].as_array().unwrap().len(), 1);
        assert_eq!(names(&then)[3..], ["南乙乡", "南乙一村"]);

        // Who helps: the old record ends for this reason, a new one begins; a past one stays as it was.
        let pairings = app
            .rows("select subject, object, starts_on, ends_on, end_reason from pairings where household is null order by object, subject, starts_on")
            .await;
        let pairings: Vec<_> = pairings
            .iter()
            .map(|row| {
                (
                    row.text(0).unwrap(),
                    row.text(1).unwrap(),
                    row.opt_text(3).unwrap(),
                    row.opt_int(4).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            pairings,
            [
                ("D1", "990101100200", None, None),
                ("D1", "990101100210", None, None),
                ("C2", "990101101200", Some("2018-12-31"), Some(1)),
                ("D1", "990101101200", Some(YESTERDAY), Some(8)),
            ],
            "{engine:?}"
        );
        let teams = app.rows("select village, ends_on from teams order by village").await;
        let teams: Vec<_> =
            teams.iter().map(|row| (row.text(0).unwrap(), row.opt_text(1).unwrap())).collect();
        assert_eq!(teams, [("990101100210", None), ("990101101200", Some(YESTERDAY))]);
        let areas = app
            .rows("select area from cadres union all select area from organisations order by area")
            .await;
        let areas: Vec<_> = areas.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(areas, ["990101100", "990101100", "990101100210", "990101100210"]);

        // Coverage of the day before counts where everything was then.
        let covered = async |area: &str, on: &str| {
            let told =
                office.get(&format!("/areas/{area}/coverage?on={on}")).send().await.expect(200);
            let area = &told["area"];
            (area["households"].as_i64().unwrap(), area["villages"]["paired"].as_i64().unwrap())
        };
        assert_eq!(covered("990101101", YESTERDAY).await, (2, 1), "{engine:?}");
        assert_eq!(covered("990101100", YESTERDAY).await, (4, 1));
        assert_eq!(covered("990101101", TODAY).await, (0, 0));
        assert_eq!(covered("990101100", TODAY).await, (6, 2));
        assert_eq!(covered("990101", YESTERDAY).await, (6, 2));
        assert_eq!(covered("990101", TODAY).await, (6, 2));
    }
}

#[tokio::test]
async fn a_village_is_split_and_another_merged_into_it() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let split = app.user(&["cadre@990101100200"]).await;
        let merged = app.user(&["cadre@990101100201"]).await;
        let before = figures(&office, "990101").await;
        let told = carry_out(
            &app,
            vec![
                part("990101100200", "990101100203", "南甲三村", &["一组"], &["H001"]),
                part("990101100200", "990101100204", "南甲四村", &[], &[]),
                line("990101100201", "990101100204", ""),
            ],
        )
        .await;
        assert_eq!(told.households, 4, "{engine:?}");
        assert_eq!(figures(&office, "990101").await, before);
        assert_eq!(households(&office, "990101100203").await, ["H001", "H002"]);
        assert_eq!(households(&office, "990101100204").await, ["H003", "H004"]);
        let groups = app
            .rows("select no, group_code from households where group_code is not null order by no")
            .await;
        let groups: Vec<_> =
            groups.iter().map(|row| (row.text(0).unwrap(), row.text(1).unwrap())).collect();
        assert_eq!(groups, [("H002", "99010110020301"), ("H003", "99010110020402")]);
        // A right never grows: one part is made of the old village alone, the other is not.
        let split = app.signed_in(&split).await;
        assert_eq!(households(&split, "990101100203").await, ["H001", "H002"]);
        assert!(is_hidden(&split, "990101100204").await, "{engine:?}");
        let merged = app.signed_in(&merged).await;
        let left = merged.get("/households?area=990101100204").send().await;
        assert_eq!(left.status, 403, "{engine:?}: no role is left");
        let nowhere: Vec<_> = told
            .grants
            .iter()
            .filter(|grant| grant.to.is_empty())
            .map(|grant| grant.from.as_str())
            .collect();
        assert_eq!(nowhere, ["990101100201"]);
        // What nobody told is not known, and that is said.
        let notes = told.notes.iter().map(|note| (note.code.as_str(), note.areas.join(" ")));
        let parts = "990101100203 990101100204".to_owned();
        let unknown = ("area_change.population_unknown", parts);
        assert_eq!(notes.collect::<Vec<_>>(), [unknown], "{engine:?}");
        let known = app.rows("select rural_population, is_poor_village from areas where code >= '990101100203' and code < '990101100205' and level = 5").await;
        for row in known {
            assert_eq!((row.opt_int(0).unwrap(), row.opt_int(1).unwrap()), (None, Some(1)));
        }
        let codes = |told: &std::collections::BTreeMap<String, String>| {
            told.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(
            codes(&told.begun),
            ["990101100203", "99010110020301", "990101100204", "99010110020402"]
        );
        // What is not told where it goes stays, and nothing is stored.
        let lines = vec![part("990101101200", "990101101203", "乙三", &[], &["H999"])];
        let refused = change_on(&app, (TODAY, None), lines).await.unwrap_err();
        let daohu_app::Error::Invalid(faults) = refused else { panic!("{refused:?}") };
        assert_eq!(
            (faults[0].code, faults[0].value.as_deref()),
            ("area_change.household_left", Some("H005"))
        );
        assert_whole(&app).await;
    }
}

/// The tables whose rows are about households or persons and go where these go, whatever slice they belong to: not
/// what was seen of them, which stays where it was written.
fn tables_of_homes() -> Vec<String> {
    let tables = tables_of(&MIGRATIONS).unwrap().into_iter().filter(|table| {
        let has = |name: &str| table.columns.iter().any(|column| column.name == name);
        let is_about = has("household") || has("person") || table.name == "households";
        has("county") && is_about && table.name != "accesses"
    });
    tables.map(|table| table.name).collect()
}

/// Rows of a table that are of the county.
async fn rows_of(app: &TestApp, table: &str) -> usize {
    let own = if table == "pairings" { " and household is not null" } else { "" };
    let sql = format!("select 1 from {table} where county = '990101'{own}");
    app.rows(sql.leak()).await.len()
}

#[tokio::test]
async fn a_county_with_another_code_keeps_ids_history_and_rights() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let (one, other) = told_apart(&app).await;
        // Somebody who belonged to another household before.
        let number = seed::id_number("99010119850606006");
        let moves = format!(
            "户编号,姓名,证件类型,证件号码,与户主关系,变动类型,变动日期\n\
             H006,赵六,居民身份证,{number},户主,婚出,2020-11-01\n\
             H005,赵六,居民身份证,{number},配偶,婚入,2020-11-01\n"
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("persons.csv"), moves).unwrap();
        assert!(app.import(&[folder.path().to_owned()], options()).await.committed);
        assert_eq!(app.count_rows("memberships").await, 1, "{engine:?}");
        crate::crosscheck::one_lead(&app).await;
        crate::warnings::some(&app).await;
        let office = app.user(&["office_clerk@990101"]).await;
        let city = app.client(&["office_clerk@9901"]).await;
        let (id, before) = (id_of(&app, "H002").await, figures(&city, "9901").await);
        city.get(&format!("/households/{id}")).send().await.expect(200);
        app.state.accesses().flush().await.unwrap();
        let all = households(&city, "9901").await;
        // A table that is empty here would be forgotten by the change, and nobody would see it.
        for table in tables_of_homes().iter().filter(|table| *table != "former_villages") {
            assert!(rows_of(&app, table).await > 0, "{engine:?} {table}");
        }
        let told = carry_out(&app, vec![line("990101", "990102", "南区")]).await;
        assert_eq!((told.households, told.persons), (6, 8), "{engine:?}");
        assert_eq!(figures(&city, "9901").await, before);
        assert_eq!(figures(&city, "990102").await, before);
        assert_eq!(households(&city, "990102").await, all);
        for table in tables_of_homes() {
            assert_eq!(rows_of(&app, &table).await, 0, "{engine:?} {table}");
        }

        // The same grant, the same household, with its history.
        let office = app.signed_in(&office).await;
        assert_eq!(households(&office, "990102").await, all);
        let now = dossier(&office, id, None).await;
        assert_eq!(
            (&now["county"], &now["household"]["village"]),
            (&json!("990102"), &json!("990102100200"))
        );
        assert_eq!(now["incomes"].as_array().unwrap().len(), 2);
        let then = dossier(&office, id, Some(YESTERDAY)).await;
        assert_eq!(then["household"]["village"], "990101100200", "{engine:?}");
        assert_eq!(then["persons"].as_array().unwrap().len(), 2);
        assert_eq!(then["incomes"].as_array().unwrap().len(), 2);
        assert_eq!(names(&then)[2], "南县");
        assert_eq!(now["version"].as_i64().unwrap(), then["version"].as_i64().unwrap() + 1);
        let story = office.get(&format!("/households/{id}/journal")).send().await.expect(200);
        let actions: Vec<_> = story["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["action"].as_str().unwrap())
            .collect();
        assert!(actions.contains(&"moved") && actions.contains(&"created"), "{actions:?}");
        // So are the sources of its facts, who came from where, and who belonged where.
        let sources = office.get(&format!("/households/{id}/sources")).send().await.expect(200);
        let of_household = &sources["records"][0];
        assert_eq!(of_household["is_whole"], true, "{engine:?} {of_household}");
        let (of_head, of_village) =
            (&of_household["columns"]["head_name"], &of_household["columns"]["village"]);
        assert!(of_head["source"] != of_village["source"], "{engine:?} {of_household}");
        let path = format!("/households/{id}/sources?as_of={YESTERDAY}");
        let then = office.get(&path).send().await.expect(200);
        assert_eq!(then["records"].as_array().unwrap().len(), 5, "{engine:?} {then}");
        let (person, _) = seed::person_named_in(&app, "钱二").await;
        let path = format!("/persons/{person}/memberships?as_of={YESTERDAY}");
        let then = office.get(&path).send().await.expect(200);
        assert!(then.to_string().contains("H002"), "{engine:?} {then}");
        // Who was told apart stays so, and who looked is known.
        let pair = office.get(&format!("/suspects/{one}/{other}")).send().await.expect(200);
        assert_eq!(pair["verdict"], "different", "{engine:?}");
        app.state.accesses().flush().await.unwrap();
        let seen = office.get(&format!("/households/{id}/accesses")).send().await.expect(200);
        let whats: Vec<_> = seen["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["what"].as_str().unwrap())
            .collect();
        assert_eq!(whats.iter().filter(|what| **what == "household").count(), 1, "{whats:?}");
        // Its old county's journal is still its own to read.
        let inspector = app.client(&["inspector@990102"]).await;
        let entries = inspector.get("/journal?county=990101&limit=200").send().await.expect(200);
        let sql = "select 1 from journal where county = '990101'
                   union all select 1 from journal_pending where county = '990101'";
        let all = app.rows(sql).await.len();
        assert_eq!(entries["items"].as_array().unwrap().len(), all, "{engine:?}");
        let foreign = app.client(&["inspector@980101"]).await;
        assert_eq!(foreign.get("/journal?county=990101").send().await.status, 404);

        // Who answers for it goes on to, and what was ended stays with the old code.
        let helped = dossier(&office, id_of(&app, "H005").await, None).await;
        assert_eq!(helped["helpers"].as_array().unwrap().len(), 1, "{engine:?}");
        let on = |area: &str, day: &str| format!("/areas/{area}/coverage?on={day}");
        let count = async |city: &Client, path: String| {
            let told = city.get(&path).send().await.expect(200);
            told["area"]["households_answered"].as_i64().unwrap()
        };
        assert_eq!(count(&city, on("990102", TODAY)).await, 1);
        assert_eq!(count(&city, on("990101", YESTERDAY)).await, 1, "{engine:?}");
        assert_eq!(count(&city, on("990102", YESTERDAY)).await, 0);
        assert_eq!(count(&city, on("9901", YESTERDAY)).await, 1);

        // An ID number is still held by whom it was: the same person in another household is refused.
        let folder = tempfile::tempdir().unwrap();
        let number = seed::id_number("99010119700101001");
        let text = format!(
            "户编号,姓名,证件类型,证件号码,与户主关系\nH006,张小五,居民身份证,{number},其他\n"
        );
        std::fs::write(folder.path().join("persons.csv"), text).unwrap();
        let summary = app.import(&[folder.path().to_owned()], options()).await;
        let code = summary.problems.first().map(|row| row.notes[0].code.as_str());
        assert_eq!(code, Some("quality.R02"), "{engine:?}");
        // And it goes back the same way, behind the first day.
        app.clock.advance_minutes(24 * 60);
        change_on(&app, ("2020-11-24", None), vec![line("990102", "990103", "南县")])
            .await
            .unwrap();
        assert_whole(&app).await;
        let city = app.client(&["office_clerk@9901"]).await;
        let then = dossier(&city, id, Some(YESTERDAY)).await;
        assert_eq!(then["household"]["village"], "990101100200", "{engine:?}");
        assert_eq!(count(&city, on("990101", YESTERDAY)).await, 1, "{engine:?}");
        assert_eq!(count(&city, on("990102", TODAY)).await, 1, "{engine:?}");
    }
}

#[tokio::test]
async fn a_number_stays_with_its_holder_where_who_had_it_before_goes_to_another_county() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        // 钱二 of H002 has left; the number turns out to be that of 王五, of H004.
        let number = seed::id_number("99010119720202002");
        let left = format!(
            "户编号,姓名,证件类型,证件号码,与户主关系,变动类型\nH002,钱二,居民身份证,{number},配偶,婚出\n"
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("persons.csv"), left).unwrap();
        assert!(app.import(&[folder.path().to_owned()], options()).await.committed);
        let office = app.client(&["office_clerk@990101"]).await;
        let (holder, version) = seed::person_named(&app, "王五").await;
        let right = office.patch(&format!("/persons/{holder}"), json!({ "id_number": number }));
        right.if_match(version).send().await.expect(200);
        let split = part("990101100200", "980101100209", "新村", &[], &["H002", "H003"]);
        let rest = part("990101100200", "990101100209", "留村", &[], &[]);
        carry_out(&app, vec![split, rest]).await;
        for (name, county) in [("王五", "990101"), ("张小五", "980101")] {
            let sql: &'static str = format!(
                "select k.county from person_keys k join persons p
                   on p.identity = k.identity and p.id = k.person and p.county = k.county
                 where p.name = '{name}'"
            )
            .leak();
            let rows = app.rows(sql).await;
            let counties: Vec<_> = rows.iter().map(|row| row.text(0).unwrap()).collect();
            assert_eq!(counties, [county], "{engine:?} {name}");
        }
    }
}

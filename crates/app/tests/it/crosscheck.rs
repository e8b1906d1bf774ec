//! Lists of departments: who is found in them, and what becomes of the leads.

use std::path::PathBuf;

use daohu_app::{
    Error, Lang,
    crosscheck::{self, Asked, Checked},
    exchange::{FileProblem, Outcome},
    households,
    jobs::Ticket,
    journal::{Depth, verify_store},
};
use daohu_base::{Actor, AreaCode, Day};
use daohu_db::Engine;
use serde_json::{Value, json};

use crate::{
    area_changes::{assert_whole, carry_out, line},
    exchange::options,
    harness::{Client, TestApp, config},
    seed::{self, id_number},
};

/// First digits of the numbers of the seed.
const ZHANG: &str = "99010119700101001";
const WANG: &str = "99010119500404004";
const SAN: &str = "99010119800505005";
const ZHAO: &str = "99010119850606006";
const BA: &str = "98010119700101001";
/// A child in the household of H004.
const CHILD: &str = "99010120110909007";
const ON: &str = "2020-06-01";
const REASON: &str = "入户核对，确有此事";

/// A list in a file of its own.
struct File {
    /// Removed with the file in it when the test ends.
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(name: &str, text: &str) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    File { _folder: folder, path }
}

fn cars(rows: &[(&str, &str, &str, &str)]) -> File {
    let rows = rows.iter().map(|(digits, name, price, plate)| {
        format!("{},{name},{price},{plate}\n", id_number(digits))
    });
    file("cars.csv", &format!("身份证号,姓名,购车价格,号牌号码\n{}", rows.collect::<String>()))
}

fn asked(lists: &[(&str, &File)], area: Option<&str>) -> Asked {
    Asked {
        lists: lists.iter().map(|(check, file)| ((*check).to_owned(), file.path.clone())).collect(),
        area: area.map(|area| AreaCode::parse(area).unwrap()),
        on: Day::parse(ON).unwrap(),
        dry_run: false,
        lang: Lang::En,
    }
}

async fn try_run(app: &TestApp, asked: Asked) -> Result<Vec<Checked>, Error> {
    let actor = Actor::command("crosscheck");
    crosscheck::run(&app.context, &actor, asked, &Ticket::default()).await
}

async fn run(app: &TestApp, lists: &[(&str, &File)], area: Option<&str>) -> Vec<Checked> {
    try_run(app, asked(lists, area)).await.unwrap()
}

/// One list of vehicles for the whole store.
async fn run_cars(app: &TestApp, list: &File) -> Checked {
    run(app, &[("vehicles", list)], None).await.remove(0)
}

/// A lead of the seed's county 990101.
pub async fn one_lead(app: &TestApp) {
    let told = run_cars(app, &cars(&[(SAN, "张三", "40000", "南A2")])).await;
    assert_eq!(told.counts.leads_new, 1);
}

async fn leads(client: &Client, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.json(&format!("/leads?limit=1{query}{after}")).await;
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

async fn close(client: &Client, lead: &Value, outcome: &str) -> crate::harness::Answer {
    let path = format!("/leads/{}/closing", lead["id"].as_str().unwrap());
    let body = json!({ "outcome": outcome, "reason": REASON });
    client.post(&path, body).if_match(lead["version"].as_i64().unwrap()).send().await
}

#[tokio::test]
async fn members_on_a_list_become_leads_and_the_list_says_no_more_than_is_asked() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let list = cars(&[
            (WANG, "王五", "35000", "南A1"),
            (SAN, "张三", "29999.99", "南A2"),
            // Exited, and looked for nowhere.
            (ZHANG, "张小五", "90000", "南A3"),
            (ZHAO, "赵六", "", "南A4"),
            (BA, "周八", "30000", "北A1"),
            ("99010119990101001", "没有", "90000", "南A5"),
        ]);
        let told = run_cars(&app, &list).await;
        let c = &told.counts;
        assert_eq!((c.rows, c.bad_rows, c.matched, c.passed_over), (6, 0, 5, 2), "{c:?}");
        assert_eq!((c.leads_new, c.leads_known, c.amount_unknown), (3, 0, 1), "{c:?}");
        let office = app.client(&["office_clerk@99"]).await;
        let found = leads(&office, "").await;
        let says = |lead: &Value| {
            (lead["person_name"].clone(), lead["amount_fen"].clone(), lead["due_on"].clone())
        };
        let due = json!("2020-06-16");
        let all: Vec<_> = found.iter().map(says).collect();
        assert_eq!(all.len(), 2, "{found:?}");
        assert!(all.contains(&(json!("王五"), json!(3_500_000), due.clone())), "{all:?}");
        assert!(all.contains(&(json!("赵六"), Value::Null, due)), "{all:?}");
        let wang = found.iter().find(|lead| lead["person_name"] == "王五").unwrap();
        assert_eq!(wang["list"], told.digest.as_str());
        assert_eq!((&wang["list_row"], &wang["name_differs"]), (&json!(2), &json!(false)));
        assert_eq!((&wang["level"], &wang["assign"]), (&json!("medium"), &json!("township")));
        // Neither the number nor the amount stands in the rows in the clear; the plate nowhere.
        for row in app.rows("select sealed, fact from leads where sealed is not null").await {
            assert!(!String::from_utf8_lossy(row.blob(0).unwrap()).contains("amount"));
            assert_eq!(row.text(1).unwrap().len(), 16);
        }
        assert_eq!(app.count_rows("checked_lists").await, 1);
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn what_is_found_twice_is_one_lead_and_what_is_closed_stays_closed() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let office = app.client(&["office_clerk@990101"]).await;
        // The same number twice: of one plate, and of another.
        let list = cars(&[
            (WANG, "王五", "35000", "南A1"),
            (WANG, "王五", "36000", "南A1"),
            (WANG, "王五", "50000", "南A7"),
        ]);
        let first = run_cars(&app, &list).await;
        let c = &first.counts;
        assert_eq!((c.rows, c.repeated, c.matched, c.leads_new), (3, 2, 1, 2), "{c:?}");
        let before = leads(&office, "").await;
        let amounts = |leads: &[Value]| {
            let mut all: Vec<(i64, i64)> = leads
                .iter()
                .map(|lead| {
                    (lead["amount_fen"].as_i64().unwrap(), lead["list_rows"].as_i64().unwrap())
                })
                .collect();
            all.sort_unstable();
            all
        };
        assert_eq!(amounts(&before), [(3_600_000, 2), (5_000_000, 1)]);

        // The same list on the same day says nothing new.
        let again = run_cars(&app, &list).await;
        assert_eq!((again.counts.leads_new, again.counts.leads_known), (0, 2));
        assert_eq!(leads(&office, "").await, before);

        close(&office, &before[0], "03").await.expect(200);
        let list = cars(&[(WANG, "王五", "35000", "南A1"), (WANG, "王五", "50000", "南A7")]);
        let on = Day::parse("2020-07-01").unwrap();
        let later = Asked { on, ..asked(&[("vehicles", &list)], None) };
        let told = try_run(&app, later).await.unwrap().remove(0);
        let c = &told.counts;
        assert_eq!((c.leads_new, c.leads_known, c.leads_closed), (0, 2, 1), "{c:?}");
        let after = leads(&office, "").await;
        assert_eq!(after.len(), 2);
        for lead in &after {
            assert_eq!(lead["last_seen_on"], "2020-07-01");
            assert_eq!(
                (&lead["first_seen_on"], &lead["due_on"]),
                (&json!(ON), &json!("2020-06-16"))
            );
            assert_eq!(lead["list"], told.digest.as_str());
        }
        assert_eq!(leads(&office, "&state=closed").await.len(), 1);
        assert_eq!(leads(&office, "&state=open&check=vehicles").await.len(), 1);
        assert_eq!(leads(&office, "&check=deaths").await.len(), 0);
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn a_dirty_list_is_put_right_or_told_with_row_and_column() {
    for engine in [Engine::Sqlite] {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let (wang, san, zhao) = (id_number(WANG), id_number(SAN), id_number(ZHAO));
        let wide: String =
            wang.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        let spaced = format!("{} {}", &san[..6], san[6..].to_lowercase());
        let text = format!(
            "序号,公民身份号码*,姓名,购车价格\n\
             1,{wide},王五,\"35,000\"\n\
             2,{spaced},张三,四万\n\
             3,990101********1234,张三,40000\n\
             4,5.00242E+17,李四,40000\n\
             5,,合计,80000\n\
             6,{}9,赵六,40000\n\
             7,{zhao},{},40000\n",
            &zhao[..17],
            "很长的姓名".repeat(20),
        );
        let told = run_cars(&app, &file("车.csv", &text)).await;
        let c = &told.counts;
        assert_eq!((c.rows, c.bad_rows, c.cleaned, c.doubtful), (7, 4, 2, 2), "{:?}", told.bad);
        assert_eq!((c.matched, c.leads_new, c.amount_unknown), (3, 3, 1), "{c:?}");
        let bad: Vec<(u64, &str, &str)> =
            told.bad.iter().map(|cell| (cell.row, cell.column.as_str(), cell.code)).collect();
        assert_eq!(
            bad,
            [
                (3, "金额", "cell.not_a_number"),
                (4, "证件号码", "cell.masked"),
                (5, "证件号码", "cell.lost_precision"),
                (6, "证件号码", "cell.required"),
                (7, "证件号码", "cell.bad_id_number"),
                (8, "姓名", "cell.too_long"),
            ]
        );
        let words = serde_json::to_string(&told).unwrap();
        for number in [&wang, &san, &zhao] {
            assert!(!words.contains(&number[..14]), "{words}");
        }
        assert_eq!(told.missing_columns, ["fact"]);
        // A list without numbers, one that is no table, a check that nobody knows.
        let error =
            try_run(&app, asked(&[("vehicles", &file("a.csv", "姓名,价格\n王五,1\n"))], None))
                .await;
        match error.unwrap_err() {
            Error::Spreadsheet(error) => {
                assert!(matches!(error.problem, FileProblem::NoListColumn { .. }), "{error:?}");
            }
            other => panic!("{other:?}"),
        }
        let list = cars(&[]);
        let error = try_run(&app, asked(&[("yachts", &list)], None)).await.unwrap_err();
        assert!(format!("{error}").contains("crosscheck.unknown_check"), "{error}");
        assert_eq!(app.count_rows("checked_lists").await, 1);
    }
}

#[tokio::test]
async fn another_name_and_who_left_or_comes_later() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let text = format!(
            "户编号,姓名,证件类型,证件号码,与户主关系,变动类型,变动日期\n\
             H005,张三,居民身份证,{},户主,死亡,2020-01-01\n\
             H004,王小,居民身份证,{CHILD_NUMBER},之子,出生,2020-08-01\n",
            id_number(SAN),
            CHILD_NUMBER = id_number(CHILD),
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("persons.csv"), text).unwrap();
        let summary = app.import(&[folder.path().to_owned()], options()).await;
        let rejected = summary.problems.iter().any(|row| row.outcome == Outcome::Rejected);
        assert!(summary.committed && !rejected, "{summary:?}");
        let text = format!(
            "身份证号,姓名\n{},王 五\n{},张三\n{},赵大六\n{},王小\n",
            id_number(WANG),
            id_number(SAN),
            id_number(ZHAO),
            id_number(CHILD),
        );
        let deaths = file("deaths.csv", &text);
        let told = run(&app, &[("deaths", &deaths)], None).await.remove(0);
        let c = &told.counts;
        assert_eq!((c.rows, c.matched, c.leads_new, c.name_differs), (4, 2, 2, 1), "{c:?}");
        let office = app.client(&["office_clerk@990101"]).await;
        for lead in leads(&office, "").await {
            let differs = lead["person_name"] == "赵六";
            assert_eq!(lead["name_differs"], differs, "{lead}");
            let name = if differs { json!("赵大六") } else { Value::Null };
            assert_eq!(lead["name_on_list"], name, "{lead}");
        }
        let later =
            Asked { on: Day::parse("2020-08-01").unwrap(), ..asked(&[("deaths", &deaths)], None) };
        let told = try_run(&app, later).await.unwrap().remove(0);
        assert_eq!((told.counts.matched, told.counts.leads_new), (3, 1), "{:?}", told.counts);
    }
}

#[tokio::test]
async fn who_should_be_on_a_list_and_is_not_is_found_within_an_area() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let other = "99010120121010008";
        let text = format!(
            "户编号,姓名,证件类型,证件号码,与户主关系,出生日期\n\
             H004,王小,居民身份证,{},之子,\nH005,张小,居民身份证,{},之子,\n\
             H005,张无,无证件,,之女,2012-03-03\n\
             H005,张大,居民身份证,{},之子,\nH008,周小,居民身份证,{},之子,\n",
            id_number(CHILD),
            id_number(other),
            id_number("99010120040101009"),
            id_number("98010120110909007"),
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("persons.csv"), text).unwrap();
        assert!(app.import(&[folder.path().to_owned()], options()).await.committed);
        let roll = file("roll.csv", &format!("学生身份证号,学生姓名\n{},张小\n", id_number(other)));
        let told = run(&app, &[("school_roll", &roll)], Some("990101")).await.remove(0);
        let c = &told.counts;
        assert_eq!((c.matched, c.leads_new, c.unknown), (1, 1, 1), "{c:?}");
        let office = app.client(&["office_clerk@99"]).await;
        let found = leads(&office, "").await;
        assert_eq!((found.len(), &found[0]["person_name"]), (1, &json!("王小")));
        assert_eq!(
            (&found[0]["list_row"], &found[0]["name_differs"]),
            (&Value::Null, &Value::Null)
        );

        let error = try_run(&app, asked(&[("school_roll", &roll)], None)).await.unwrap_err();
        assert!(format!("{error}").contains("crosscheck.area_needed"), "{error}");
        let empty = file("roll.csv", "身份证号\n不详\n");
        let error = try_run(&app, asked(&[("school_roll", &empty)], Some("990101"))).await;
        assert!(format!("{}", error.unwrap_err()).contains("crosscheck.empty_list"));
    }
}

#[tokio::test]
async fn who_lies_outside_is_neither_looked_up_nor_seen_nor_counted() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let list = cars(&[
            (WANG, "王五", "35000", "南A1"),
            (SAN, "张三", "40000", "南A2"),
            (BA, "周八", "50000", "北A1"),
        ]);
        let told = run(&app, &[("vehicles", &list)], Some("990101100")).await.remove(0);
        assert_eq!((told.counts.matched, told.counts.leads_new), (1, 1), "{:?}", told.counts);
        let told = run_cars(&app, &list).await;
        assert_eq!((told.counts.leads_new, told.counts.leads_known), (2, 1));
        let township = app.client(&["village_clerk@990101100"]).await;
        let county = app.client(&["office_clerk@990101"]).await;
        let north = app.client(&["office_clerk@980101"]).await;
        let [own] = leads(&township, "").await.try_into().unwrap();
        assert_eq!(own["person_name"], "王五");
        let all = leads(&county, "").await;
        let other = all.iter().find(|lead| lead["person_name"] == "张三").unwrap();
        assert_eq!((all.len(), leads(&north, "").await.len()), (2, 1));
        let path = format!("/leads/{}", other["id"].as_str().unwrap());
        township.get(&path).send().await.problem(404, "record.not_found");
        close(&township, other, "01").await.problem(404, "record.not_found");
        township.get("/leads?area=990101").send().await.problem(404, "record.not_found");
        township.get("/areas/990101/leads").send().await.problem(404, "record.not_found");
        let figures = township.json("/areas/990101100/leads").await;
        assert_eq!(figures["area"]["counts"][0]["open"], 1, "{figures}");
        let figures = county.json("/areas/990101/leads").await;
        assert_eq!(figures["area"]["counts"][0]["open"], 2, "{figures}");
        let areas: Vec<_> =
            figures["children"].as_array().unwrap().iter().map(|c| &c["area"]).collect();
        assert_eq!(areas, ["990101100", "990101101"]);
    }
}

#[tokio::test]
async fn a_lead_is_closed_once_by_who_read_it_and_precision_counts_the_closed() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let list = cars(&[
            (WANG, "王五", "35000", "南A1"),
            (SAN, "张三", "40000", "南A2"),
            (ZHAO, "赵六", "40000", "南A3"),
        ]);
        run_cars(&app, &list).await;
        let office = app.client(&["office_clerk@990101"]).await;
        let all = leads(&office, "").await;
        let lead = &all[0];
        let path = format!("/leads/{}", lead["id"].as_str().unwrap());
        close(&office, lead, "不知道").await.field_problem("outcome", "follow_up.bad_outcome");
        let short = json!({ "outcome": "01", "reason": "是" });
        let short = office.post(&format!("{path}/closing"), short).if_match(1).send().await;
        short.field_problem("reason", "follow_up.reason_too_short");
        let leader = app.client(&["leader@990101"]).await;
        close(&leader, lead, "01").await.problem(403, "auth.forbidden");
        let closed = close(&office, lead, "01").await.expect(200);
        assert_eq!((&closed["state"], &closed["outcome"]), (&json!("closed"), &json!("01")));
        assert_eq!((&closed["reason"], &closed["version"]), (&json!(REASON), &json!(2)));
        assert_eq!(office.json(&path).await, closed);
        close(&office, lead, "02").await.problem(412, "record.stale");
        close(&office, &closed, "02").await.problem(409, "follow_up.is_closed");
        close(&office, &all[1], "02").await.expect(200);

        let figures = office.json("/areas/990101/leads").await;
        let check = &figures["area"]["counts"][0];
        let count = |name: &str| check[name].as_i64().unwrap();
        assert_eq!(
            (count("open"), count("closed"), count("confirmed"), &check["precision_percent"]),
            (1, 2, 1, &json!(50.0)),
            "{figures}"
        );
        let record = format!("{}/{}", lead["household"], lead["id"].as_str().unwrap());
        let entries = app.journal("lead", &record).await;
        let (action, who, body) = &entries[0];
        assert_eq!((entries.len(), action.as_str()), (1, "updated"));
        assert!(who.contains("office_clerk@990101"), "{who}");
        assert_eq!(
            (&body["before"]["state"], &body["after"]["state"]),
            (&json!("open"), &json!("closed"))
        );
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn a_try_and_a_stopped_run_leave_nothing() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let list = cars(&[(WANG, "王五", "35000", "南A1")]);
        let tried = Asked { dry_run: true, ..asked(&[("vehicles", &list)], None) };
        let told = try_run(&app, tried).await.unwrap().remove(0);
        assert_eq!((told.counts.matched, told.counts.leads_new), (1, 1));
        let ticket = Ticket::default();
        ticket.progress.cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
        let actor = Actor::command("crosscheck");
        let asked = asked(&[("vehicles", &list)], None);
        let stopped = crosscheck::run(&app.context, &actor, asked, &ticket).await;
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        assert_eq!((app.count_rows("leads").await, app.count_rows("checked_lists").await), (0, 0));
    }
}

#[tokio::test]
async fn leads_go_where_their_household_goes_and_keep_an_import_from_being_undone() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        seed::registry(&app).await;
        let row = &app.rows("select id from imports").await[0];
        let import = row.text(0).unwrap().to_owned();
        run_cars(&app, &cars(&[(SAN, "张三", "40000", "南A2")])).await;
        let undone = daohu_app::undo::undo(
            &app.context,
            app.act(),
            (daohu_base::Scope::all(), daohu_base::Scope::all()),
            (&import, false),
            Ticket::default(),
        );
        match undone.await.unwrap_err() {
            Error::InTheWay(_, fields) => {
                let named = fields.iter().flat_map(|field| &field.by).any(|by| by.kind == "lead");
                assert!(named, "{fields:?}");
            }
            other => panic!("{other:?}"),
        }
        // The village goes to the other province's county.
        app.clock.advance_minutes(24 * 60);
        carry_out(&app, vec![line("990101101200", "980101101200", "南乙一村")]).await;
        let office = app.client(&["office_clerk@99", "office_clerk@98"]).await;
        let [lead] = leads(&office, "").await.try_into().unwrap();
        assert_eq!((&lead["county"], &lead["village"]), (&json!("980101"), &json!("980101101200")));
        assert_eq!(lead["amount_fen"], 4_000_000);
        let told = run_cars(&app, &cars(&[(SAN, "张三", "40000", "南A2")])).await;
        assert_eq!((told.counts.leads_new, told.counts.leads_known), (0, 1));
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn an_areas_own_check_and_threshold_go_before_and_workbooks_are_lists() {
    for engine in [Engine::Sqlite] {
        let own =
            "area = '980101'\n[[value]]\nof = 'vehicle_price'\nvalue = 60000\nsource = 'a test'\n";
        let policy = daohu_policy::Policy::embedded_and([("own.toml", own)]).unwrap();
        let app = TestApp::governed(engine, config(), policy).await;
        seed::registry(&app).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cars.xlsx");
        let mut book = rust_xlsxwriter::Workbook::new();
        let notes = book.add_worksheet().set_name("说明").unwrap();
        notes.write(0, 0, "车辆管理所提供").unwrap();
        let sheet = book.add_worksheet().set_name("数据").unwrap();
        for (i, header) in ["车主姓名", "车主身份证号", "价格"].iter().enumerate() {
            sheet.write(0, u16::try_from(i).unwrap(), *header).unwrap();
        }
        for (i, (name, digits)) in [("王五", WANG), ("周八", BA)].iter().enumerate() {
            let row = u32::try_from(i + 1).unwrap();
            sheet.write(row, 0, *name).unwrap();
            sheet.write(row, 1, id_number(digits)).unwrap();
            sheet.write(row, 2, 50000).unwrap();
        }
        book.save(&path).unwrap();
        let told = run_cars(&app, &File { _folder: folder, path }).await;
        let c = &told.counts;
        assert_eq!((c.rows, c.matched, c.passed_over, c.leads_new), (2, 2, 1, 1), "{c:?}");
        let watched = households::watched().into_iter().filter(|watched| watched.kind != "area");
        let watched = watched.chain(crosscheck::watched()).collect();
        assert!(verify_store(&app.context, None, Depth::Rows, watched).await.unwrap().ok);
    }
}

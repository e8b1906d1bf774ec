//! An import that is undone: everything is as it was, or nothing is touched.

use std::{collections::BTreeMap, path::Path};

use daohu_app::{
    Error, Referrer,
    exchange::import::{Blank, ImportOptions, Summary},
    jobs::Ticket,
    journal::{Depth, verify_store},
    undo::{Undone, undo},
};
use daohu_base::Scope;
use daohu_db::Engine;
use serde_json::json;

use crate::{
    exchange::options,
    harness::TestApp,
    seed::{self, id_number},
};

/// Last year's state: who helps, and a group.
const BEFORE: [(&str, &str); 4] = [
    (
        "organisations.csv",
        "单位编号,名称,单位级别,单位类型,所在区划代码\nD1,甲乡政府,乡,党政机关,990101100\n",
    ),
    (
        "cadres.csv",
        "工号,姓名,单位编号,角色,联系电话,所在区划代码\nC1,陈一,D1,帮扶干部,13800000009,990101100\n",
    ),
    (
        "pairings.csv",
        "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期\n干部,C1,户,H002,2019-01-01,\n",
    ),
    ("households.csv", "户编号,行政村代码,村民小组\nH002,990101100200,一组\n"),
];

/// This year's files: everything that an import can do to what is there.
fn files() -> Vec<(&'static str, String)> {
    let (new, moved) = (id_number("99010119900101001"), id_number("99010119720202002"));
    let head = id_number("99010119600303003");
    vec![
        ("areas.csv", "区划代码,名称,级别\n990101100299,新村,村\n990101100,南甲镇,乡\n".into()),
        ("organisations.csv", "单位编号,名称,单位级别,单位类型\nD2,新单位,县,党政机关\nD1,甲镇政府,乡,党政机关\n".into()),
        ("villages.csv", "行政村代码,年度,户数\n990101100200,2019,3\n".into()),
        ("cadres.csv", "工号,姓名,单位编号,角色,联系电话\nC2,陈二,D2,帮扶干部,13800000008\nC1,陈一,D2,帮扶干部,\n".into()),
        ("teams.csv", "队编号,行政村代码,工号,是否队长,开始日期\nT1,990101100200,C2,是,2019-01-01\n".into()),
        (
            "households.csv",
            "户编号,行政村代码,村民小组,户主姓名,联系电话,住房面积,识别年度\n\
             N001,990101100299,新组,新一,13800000077,80,2019\n\
             H003,990101100201,,李四,,55.5,2015\n\
             H002,990101100200,二组,,,,\n"
                .into(),
        ),
        (
            // A new person; one who goes to another household; one who died; one whose row says nothing new.
            "persons.csv",
            format!(
                "户编号,姓名,证件类型,证件号码,与户主关系,联系电话,变动类型,变动日期\n\
                 N001,新一,居民身份证,{new},户主,13900000077,,\n\
                 H002,钱二,居民身份证,{moved},配偶,,婚出,2020-03-01\n\
                 N001,钱二,居民身份证,{moved},配偶,,婚入,2020-03-01\n\
                 H003,李四,居民身份证,{head},户主,,死亡,2020-02-01\n"
            ),
        ),
        ("incomes.csv", "户编号,年度,工资性收入\nN001,2019,100\nH002,2018,\nH002,2019,7000\n".into()),
        ("pairings.csv", "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期\n干部,C2,户,N001,2020-01-01,\n干部,C1,户,H002,2019-01-01,2020-06-30\n单位,D2,村,990101100299,2020-01-01,\n".into()),
        ("targets.csv", "区划代码,年度,指标,目标值\n990101,2020,脱贫户,3\n".into()),
        ("indicators.csv", "区划代码,期间,指标,数值\n990101,2019,地区生产总值,1.5\n".into()),
    ]
}

fn write(folder: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

pub async fn import(app: &TestApp, files: &[(&str, String)]) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let options = ImportOptions { blank: Blank::Clears, ..options() };
    let summary = app.import(&[folder.path().to_owned()], options).await;
    let refused: u64 = summary.sheets.values().map(|counts| counts.rejected).sum();
    assert!(summary.committed && refused == 0, "{:?}", summary.problems);
    summary
}

pub async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    let before = BEFORE.map(|(name, text)| (name, text.to_owned()));
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &before);
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    let refused: u64 = summary.sheets.values().map(|counts| counts.rejected).sum();
    assert!(summary.committed && refused == 0, "{:?}", summary.problems);
    // The journal knows nothing of the areas of the seed; an import that changes one could not be undone.
    let areas = "区划代码,名称,级别\n990101100,南甲乡镇,乡\n".to_owned();
    import(&app, &[("areas.csv", areas)]).await;
    app.clock.advance_minutes(10);
    app
}

/// Every sheet of both provinces, by name.
pub async fn exported(app: &TestApp) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut found = BTreeMap::new();
    for province in ["98", "99"] {
        let place = folder.path().join(province);
        app.export_to(&place, province).await;
        for file in std::fs::read_dir(&place).unwrap() {
            let file = file.unwrap();
            let name = format!("{province}/{}", file.file_name().to_string_lossy());
            found.insert(name, std::fs::read_to_string(file.path()).unwrap());
        }
    }
    found
}

pub async fn take_back(app: &TestApp, id: &str, dry_run: bool) -> Result<Undone, Error> {
    let scopes = (Scope::all(), Scope::all());
    undo(&app.context, app.act(), scopes, (id, dry_run), Ticket::default()).await
}

/// Rows are what the journal says, and who holds an ID number is who has it.
pub async fn assert_whole(app: &TestApp) {
    let watched = [daohu_app::households::watched(), daohu_app::registers::watched()].concat();
    let watched = watched.into_iter().filter(|watched| watched.kind != "area").collect();
    let verdict = verify_store(&app.context, None, Depth::Rows, watched).await.unwrap();
    assert!(verdict.ok, "{:?}", verdict.named);
    let sql = "select 1 from person_keys k
               left join persons p on p.county = k.county and p.id = k.person
                                  and p.household = k.household and p.identity = k.identity
                                  and p.is_current = k.is_current
               where p.id is null";
    assert!(app.rows(sql).await.is_empty(), "a number is held by nobody");
    let sql = "select 1 from persons p left join person_keys k on k.identity = p.identity
               where p.identity is not null and k.identity is null";
    assert!(app.rows(sql).await.is_empty(), "somebody's number is free");
    let sql = "select identity from persons where is_current = 1 and identity is not null
               group by identity having count(*) > 1";
    assert!(app.rows(sql).await.is_empty(), "a number has two members of households");
    let sql = "select household from persons where is_current = 1 and relation = 1
               group by county, household having count(*) > 1";
    assert!(app.rows(sql).await.is_empty(), "a household has two heads");
    let sql = "select p.id from persons p
               left join households h on h.county = p.county and h.id = p.household
               where h.id is null or h.village <> p.village";
    assert!(app.rows(sql).await.is_empty(), "somebody does not live with the household");
    let sql = "select h.id from households h left join areas a on a.code = h.village
               left join areas g on g.code = h.group_code
               where a.code is null or (h.group_code is not null and g.code is null)";
    assert!(app.rows(sql).await.is_empty(), "a household is nowhere");
}

/// What stands in the way: kind, key and code.
pub fn faults(refused: Result<Undone, Error>) -> Vec<(String, String, &'static str)> {
    let Err(Error::InTheWay("import.in_the_way", faults)) = refused else { panic!("{refused:?}") };
    let mut faults: Vec<_> = faults
        .into_iter()
        .map(|fault| (fault.column, fault.value.unwrap_or_default(), fault.code))
        .collect();
    faults.sort();
    faults.dedup();
    faults
}

#[tokio::test]
async fn everything_is_as_it_was_and_the_same_files_do_the_same_again() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let before = exported(&app).await;
        let keys = "select identity, county, person, household, is_current from person_keys order by identity";
        let held = app.rows(keys).await;
        let first = import(&app, &files()).await;
        let id = first.id.clone().unwrap();
        let after = exported(&app).await;
        assert_ne!(after, before);
        assert_whole(&app).await;

        let tried = take_back(&app, &id, true).await.unwrap();
        assert!(!tried.committed);
        assert_eq!(exported(&app).await, after, "{engine:?}: it was only tried");
        app.clock.advance_minutes(1);
        let undone = take_back(&app, &id, false).await.unwrap();
        assert_eq!(
            (undone.committed, &undone.removed, &undone.restored),
            (true, &tried.removed, &tried.restored)
        );
        let counts = |kinds: &BTreeMap<String, u64>| {
            kinds.iter().map(|(kind, count)| (kind.clone(), *count)).collect::<Vec<_>>()
        };
        let expected = |all: &[(&str, u64)]| {
            all.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect::<Vec<_>>()
        };
        assert_eq!(
            counts(&undone.removed),
            expected(&[
                ("area", 3),
                ("cadre", 1),
                ("household", 1),
                ("income", 1),
                ("indicator", 1),
                ("membership", 1),
                ("organisation", 1),
                ("pairing", 2),
                ("person", 1),
                ("target", 1),
                ("team_member", 1),
                ("village", 1),
            ]),
            "{engine:?}"
        );
        assert_eq!(
            counts(&undone.restored),
            expected(&[
                ("area", 1),
                ("cadre", 1),
                ("household", 2),
                ("income", 2),
                ("organisation", 1),
                ("pairing", 1),
                ("person", 2),
            ])
        );
        let now = exported(&app).await;
        for (name, text) in &before {
            assert_eq!(now.get(name), Some(text), "{engine:?} {name}");
        }
        assert_eq!(now.len(), before.len());
        assert_eq!(app.rows(keys).await, held, "{engine:?}");
        assert_whole(&app).await;
        assert!(matches!(take_back(&app, &id, false).await, Err(Error::Refused("import.undone"))));

        let again = import(&app, &files()).await;
        for (sheet, counts) in &first.sheets {
            assert_eq!(again.sheets[sheet].created, counts.created, "{engine:?} {sheet}");
            assert_eq!(again.sheets[sheet].updated, counts.updated, "{engine:?} {sheet}");
        }
        assert_eq!(exported(&app).await, after, "{engine:?}");
        take_back(&app, &again.id.unwrap(), false).await.unwrap();
        assert_eq!(exported(&app).await, before, "{engine:?}");
    }
}

#[tokio::test]
async fn what_was_built_on_it_stands_in_the_way_and_is_named() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let first = import(&app, &files()).await.id.unwrap();
        let state = exported(&app).await;
        let office = app.client(&["office_clerk@9901"]).await;
        // A record that was changed since.
        let (home, version) = seed::household_no(&app, "N001").await;
        let changed = office.patch(&format!("/households/{home}"), json!({ "built_year": 2001 }));
        changed.if_match(version).send().await.expect(200);
        let refused = faults(take_back(&app, &first, false).await);
        let expected = vec![("household".to_owned(), "N001".to_owned(), "import.written_since")];
        assert_eq!(refused, expected, "{engine:?}");
        app.execute("update households set built_year = null where no = 'N001'").await;

        // Something new that refers to what it made: not to the same records.
        let app = start(engine).await;
        let first = import(&app, &files()).await.id.unwrap();
        let second = import(
            &app,
            &[
                ("incomes.csv", "户编号,年度,工资性收入\nN001,2020,5\n".into()),
                (
                    "pairings.csv",
                    "主体类型,主体编号,对象类型,对象编号,开始日期\n干部,C2,户,H004,2020-01-01\n"
                        .into(),
                ),
                ("households.csv", "户编号,行政村代码,村民小组\nH001,990101100200,二组\n".into()),
                ("targets.csv", "区划代码,年度,指标,目标值\n990101100299,2020,脱贫户,1\n".into()),
            ],
        )
        .await
        .id
        .unwrap();
        let with_both = exported(&app).await;
        let refused = faults(take_back(&app, &first, false).await);
        assert_eq!(
            refused,
            [
                ("area".into(), "990101100299".into(), "import.built_on"),
                ("cadre".into(), "C2".into(), "import.built_on"),
                ("household".into(), "N001".into(), "import.built_on"),
            ],
            "{engine:?}"
        );
        // And what refers to each.
        let Err(Error::InTheWay(_, told)) = take_back(&app, &first, false).await else { panic!() };
        let by = |column: &str| {
            let of = told.iter().find(|fault| fault.column == column).unwrap();
            let name = |by: &Referrer| (by.kind.clone(), by.record.clone().unwrap_or_default());
            of.by.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(by("household"), [("income".to_owned(), "N001/2020".to_owned())], "{engine:?}");
        let target = "990101100299/2020/1".to_owned();
        assert_eq!(by("area"), [("target".to_owned(), target)], "{engine:?}");
        let pairing = &by("cadre")[0];
        assert!(pairing.0 == "pairing" && pairing.1.ends_with("/H004/2020-01-01"), "{pairing:?}");
        assert_eq!(exported(&app).await, with_both, "{engine:?}: nothing was touched");
        // The later one first, then the earlier one.
        take_back(&app, &second, false).await.unwrap();
        assert_eq!(exported(&app).await, state, "{engine:?}");
        take_back(&app, &first, false).await.unwrap();
        assert_whole(&app).await;
        assert!(matches!(take_back(&app, "nothing", false).await, Err(Error::NotFound("import"))));
    }
}

#[tokio::test]
async fn a_group_that_others_use_stays() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let group = |no: &str| {
            vec![(
                "households.csv",
                format!("户编号,行政村代码,村民小组\n{no},990101100200,九组\n"),
            )]
        };
        let first = import(&app, &group("H002")).await.id.unwrap();
        import(&app, &group("H003")).await;
        let undone = take_back(&app, &first, false).await.unwrap();
        assert_eq!((undone.kept_groups, undone.removed.get("area")), (1, Some(&0)), "{engine:?}");
        let rows = app
            .rows("select no from households where group_code = '99010110020002' order by no")
            .await;
        assert_eq!(rows.len(), 1, "{engine:?}");
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn only_ones_own_import_is_undone_over_http() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let user = app.user(&["office_clerk@990101"]).await;
        let clerk = app.signed_in(&user).await;
        let text = "户编号,行政村代码,户主姓名\nN009,990101100200,新九\n";
        let sent =
            clerk.upload(&[("households.csv", text.as_bytes())], &[]).send().await.expect(202);
        app.jobs.run_queued().await.unwrap();
        let path = format!("/imports/{}/undo", sent["id"].as_str().unwrap());
        let other = app.client(&["office_clerk@990101"]).await;
        other.post(&path, json!({})).send().await.problem(404, "record.not_found");
        let tried = app.done(&clerk, &path, json!({ "dry_run": true })).await;
        assert_eq!(
            (&tried["undone"]["committed"], &tried["undone"]["removed"]["household"]),
            (&json!(false), &json!(1)),
            "{engine:?} {tried}"
        );
        let import = path.strip_suffix("/undo").unwrap();
        assert!(clerk.json(import).await["undone_at"].is_null());
        let undone = app.done(&clerk, &path, json!({})).await;
        assert_eq!(undone["undone"]["committed"], true, "{engine:?}");
        assert!(clerk.json(import).await["undone_at"].is_string());
        assert!(clerk.json("/imports").await["items"][0]["undone_at"].is_string());
        assert!(app.rows("select 1 from households where no = 'N009'").await.is_empty());
        clerk.post(&path, json!({})).send().await.problem(409, "import.undone");
    }
}

//! Who helps, what villages have, and figures of areas: in and out.

use std::path::Path;

use daohu_app::{
    exchange::{
        Outcome,
        import::{Blank, ImportOptions, OnError, Summary},
    },
    journal::{Depth, verify_store},
    registers,
};
use daohu_base::{AreaCode, Scope};
use daohu_db::Engine;

use crate::{area_changes, exchange::options, harness::TestApp, seed};

async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    app
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

async fn import(app: &TestApp, files: &[(&str, &str)], options: ImportOptions) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    app.import(&[folder.path().to_owned()], options).await
}

/// Each refused row: sheet, row, column and code.
fn refused(summary: &Summary) -> Vec<(&str, u64, &str, &str)> {
    let rows = summary.problems.iter().filter(|row| row.outcome == Outcome::Rejected);
    rows.map(|row| {
        let note = &row.notes[0];
        (row.sheet.as_str(), row.row, note.column.as_str(), note.code.as_str())
    })
    .collect()
}

async fn intact(app: &TestApp) {
    let watched = registers::watched();
    let verdict = verify_store(&app.context, None, Depth::Rows, watched).await.unwrap();
    assert!(verdict.ok, "{verdict:?}");
}

#[tokio::test]
async fn registers_come_in_in_one_import_and_change_nothing_the_second_time() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        seed::helpers(&app).await;
        let again = import(&app, &seed::HELPERS, options()).await;
        for (sheet, counts) in &again.sheets {
            assert_eq!(counts.unchanged, counts.rows, "{engine:?} {sheet}: {:?}", again.problems);
        }
        assert_eq!(again.sheets.len(), seed::HELPERS.len());
        intact(&app).await;
    }
}

#[tokio::test]
async fn what_changes_is_updated_and_journaled_and_blanks_stay_or_clear() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        seed::helpers(&app).await;
        let files = [
            ("cadres.csv", "工号,姓名,角色,职务\nC1,周县长,县级领导,县长\nC2,吴书记,第一书记,\n"),
            (
                "pairings.csv",
                "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期,结束原因\n\
                 干部,C2,户,H002,2017-01-01,2018-12-31,召回\n\
                 干部,C1,乡,990101100000,2015-01-01,2015-12-31,期满\n",
            ),
        ];
        let summary = import(&app, &files, options()).await;
        assert_eq!(summary.sheets["cadres"].updated, 2, "{:?}", summary.problems);
        assert_eq!(summary.sheets["pairings"].updated, 2, "{:?}", summary.problems);
        intact(&app).await;
        let clears = ImportOptions { blank: Blank::Clears, ..options() };
        let summary = import(&app, &files[..1], clears).await;
        let cadres = &summary.sheets["cadres"];
        assert_eq!((cadres.unchanged, cadres.updated, cadres.cleared), (1, 1, 1), "{cadres:?}");
        intact(&app).await;
    }
}

#[tokio::test]
async fn rows_that_name_nobody_or_break_a_rule_are_refused() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        seed::helpers(&app).await;
        let files = [
            (
                "organisations.csv",
                "单位编号,名称,单位级别,所在区划代码\n\
                 U7,甲,县,990199\n\
                 U8,乙,县,990101\n\
                 U8,丙,县,990101\n\
                 U9,丁,国家级,990101\n",
            ),
            (
                "cadres.csv",
                "工号,姓名,角色,单位编号,联系电话\n\
                 C7,甲,帮扶干部,U7,\n\
                 C8,乙,帮扶干部,U9,\n\
                 C9,丙,,U1,\n\
                 C10,丁,帮扶干部,U1,199****0001\n",
            ),
            (
                "teams.csv",
                "队编号,行政村代码,工号,开始日期,结束日期\n\
                 T7,990101100200,C7,2015-01-01,\n\
                 T8,990101100299,C1,2015-01-01,\n\
                 T9,990101100200,C1,2015-01-01,2014-01-01\n",
            ),
            (
                "pairings.csv",
                "主体类型,主体编号,对象类型,对象编号,开始日期\n\
                 干部,C7,户,H002,2015-01-01\n\
                 工作队,T7,村,990101100200,2015-01-01\n\
                 干部,C1,户,H777,2015-01-01\n\
                 干部,C1,村,990101100,2015-01-01\n\
                 干部,C1,户,H001,2015-01-01\n\
                 干部,C1,户,H003,2015-01-01\n\
                 干部,C1,户,H003,2015/1/1\n\
                 单位,C1,户,H003,2015-01-01\n",
            ),
            ("villages.csv", "行政村代码,年度\n990101100299,2015\n990101100,2015\n"),
            ("targets.csv", "区划代码,年度,指标,目标值\n990101,2015,出列村,-1\n"),
            ("indicators.csv", "区划代码,期间,指标,数值\n990101,2015Q5,产值,1\n"),
        ];
        let summary = import(&app, &files, options()).await;
        let expected = [
            ("organisations", 2, "所在区划代码", "quality.R03"),
            ("organisations", 3, "单位编号", "row.duplicate_key"),
            ("organisations", 4, "单位编号", "row.duplicate_key"),
            ("organisations", 5, "单位级别", "cell.unknown_value"),
            ("villages", 2, "行政村代码", "quality.R03"),
            ("villages", 3, "行政村代码", "cell.not_an_area"),
            ("cadres", 2, "单位编号", "quality.R03"),
            ("cadres", 3, "单位编号", "quality.R03"),
            ("cadres", 4, "角色", "cell.required"),
            ("cadres", 5, "联系电话", "cell.masked"),
            ("teams", 2, "工号", "quality.R03"),
            ("teams", 3, "行政村代码", "quality.R03"),
            ("teams", 4, "结束日期", "cell.before_start"),
            ("pairings", 2, "主体编号", "quality.R03"),
            ("pairings", 3, "主体编号", "quality.R03"),
            ("pairings", 4, "对象编号", "quality.R03"),
            ("pairings", 5, "对象编号", "cell.not_an_area"),
            ("pairings", 6, "对象编号", "row.ambiguous_household"),
            ("pairings", 7, "主体类型", "row.duplicate_key"),
            ("pairings", 8, "主体类型", "row.duplicate_key"),
            ("pairings", 9, "主体编号", "quality.R03"),
            ("targets", 2, "目标值", "cell.out_of_range"),
            ("indicators", 2, "期间", "cell.not_a_period"),
        ];
        assert_eq!(refused(&summary), expected, "{engine:?}");
        for (sheet, counts) in &summary.sheets {
            assert_eq!(counts.rejected, counts.rows, "{engine:?} {sheet}");
        }
        let abort = ImportOptions { on_error: OnError::Abort, ..options() };
        let good = ("organisations.csv", "单位编号,名称,单位级别\nU20,甲,县\n");
        let bad = ("cadres.csv", "工号,姓名,角色,单位编号\nC20,甲,帮扶干部,U99\n");
        let summary = import(&app, &[good, bad], abort).await;
        assert!(!summary.committed);
        assert_eq!(app.count_rows("organisations").await, 3);
    }
}

#[tokio::test]
async fn a_county_takes_what_is_its_own() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        seed::helpers(&app).await;
        let north = AreaCode::parse("980101").unwrap();
        let own = ImportOptions { scope: Scope::of([north]), ..options() };
        let files = [
            (
                "organisations.csv",
                "单位编号,名称,单位级别,所在区划代码\n\
                 U1,换名,县,980101\n\
                 U5,北县教育局,县,980101\n\
                 U6,无区划,县,\n\
                 U2,南省农科院,省,99\n",
            ),
            ("cadres.csv", "工号,姓名,角色,所在区划代码\nC5,甲,帮扶干部,980101100\n"),
            (
                "pairings.csv",
                "主体类型,主体编号,对象类型,对象编号,开始日期\n\
                 干部,C5,户,H009,2015-01-01\n\
                 干部,C5,户,H002,2015-01-01\n\
                 单位,U2,县,980101,2015-01-01\n\
                 单位,U5,县,990101,2015-01-01\n",
            ),
        ];
        let summary = import(&app, &files, own).await;
        let expected = [
            // The number is another county's.
            ("organisations", 2, "单位编号", "quality.R03"),
            ("organisations", 4, "所在区划代码", "row.area_wanted"),
            ("organisations", 5, "所在区划代码", "quality.R03"),
            ("pairings", 3, "对象编号", "quality.R03"),
            ("pairings", 5, "对象编号", "quality.R03"),
        ];
        assert_eq!(refused(&summary), expected, "{engine:?}");
        intact(&app).await;
    }
}

/// What the owner of a store takes out of it, of an area: its files and their bytes.
async fn exported(app: &TestApp, area: &str) -> (tempfile::TempDir, Vec<(String, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = app.export_to(folder.path(), area).await;
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files = files.iter().map(|file| (name(file), std::fs::read(file).unwrap()));
    let files = files.collect();
    (folder, files)
}

#[tokio::test]
async fn what_the_owner_exports_fills_an_empty_store_of_the_other_engine() {
    for (engine, other) in Engine::BOTH.into_iter().zip(Engine::BOTH.into_iter().rev()) {
        let app = start(engine).await;
        seed::helpers(&app).await;
        for (area, cadres) in [("990101", 4), ("990101100", 4), ("980101", 0)] {
            let (folder, files) = exported(&app, area).await;
            let empty = TestApp::new(other).await;
            let summary = empty.import(&[folder.path().to_owned()], options()).await;
            for (sheet, counts) in &summary.sheets {
                let (created, rows) = (counts.created, counts.rows);
                assert_eq!(created, rows, "{engine:?} {area} {sheet} {:?}", summary.problems);
            }
            assert_eq!(empty.count_rows("cadres").await, cadres, "{area}");
            let (_folder, again) = exported(&empty, area).await;
            for (one, other) in files.iter().zip(&again) {
                let [one, other] = [one, other]
                    .map(|(name, bytes)| (name, String::from_utf8_lossy(bytes).into_owned()));
                assert_eq!(one, other, "{engine:?} {area}");
            }
        }
    }
}

/// Rows about a village that was merged into the next one on 2020-11-23.
const OF_AN_ENDED_VILLAGE: [(&str, &str); 8] = [
    ("households.csv", "户编号,行政村代码\nH099,990101101200\n"),
    ("organisations.csv", "单位编号,名称,单位级别,所在区划代码\nD9,丙,村,990101101200\n"),
    ("villages.csv", "行政村代码,年度,户数\n990101101200,2020,7\n990101101200,2021,7\n"),
    ("cadres.csv", "工号,姓名,角色,所在区划代码\nC9,甲,帮扶干部,990101101200\n"),
    (
        "teams.csv",
        "队编号,行政村代码,工号,开始日期,结束日期\n\
         T9,990101101200,C1,2015-01-01,2016-01-01\n\
         T9,990101101200,C1,2020-12-01,\n",
    ),
    (
        "pairings.csv",
        "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期\n\
         单位,D1,村,990101101200,2017-01-01,2018-01-01\n\
         单位,D1,村,990101101200,2018-05-01,\n\
         单位,D1,村,990101101200,2019-01-01,\n\
         单位,D1,村,990101101200,2020-11-23,\n",
    ),
    (
        "targets.csv",
        "区划代码,年度,指标,目标值\n990101101200,2020,脱贫人口,1\n990101101200,2021,脱贫人口,1\n",
    ),
    (
        "indicators.csv",
        "区划代码,期间,指标,数值\n990101101200,2020-11,产值,1\n990101101200,2020-12,产值,1\n",
    ),
];

#[tokio::test]
async fn what_is_told_of_an_area_after_its_last_day_is_refused_and_what_followed_it_is_named() {
    for engine in Engine::BOTH {
        let app = area_changes::start(engine).await;
        let merge = area_changes::line("990101101200", "990101101201", "");
        area_changes::carry_out(&app, vec![merge]).await;
        let summary = import(&app, &OF_AN_ENDED_VILLAGE, options()).await;
        let mut told = refused(&summary);
        told.sort_unstable();
        let expected = [
            ("cadres", 2, "所在区划代码", "area.ended"),
            ("households", 2, "行政村代码", "quality.R03"),
            ("indicators", 3, "区划代码", "area.ended"),
            ("organisations", 2, "所在区划代码", "area.ended"),
            ("pairings", 3, "结束日期", "area.ended"),
            ("pairings", 5, "对象编号", "area.ended"),
            ("targets", 3, "区划代码", "area.ended"),
            ("teams", 3, "行政村代码", "area.ended"),
            ("villages", 3, "行政村代码", "area.ended"),
        ];
        assert_eq!(told, expected, "{engine:?}");
        let says = "990101101200 已于 2020-11-22 停用，由 990101101201（南乙二村）接续";
        for row in summary.problems.iter().filter(|row| row.outcome == Outcome::Rejected) {
            assert!(row.notes[0].message.contains(says), "{engine:?} {:?}", row.notes[0]);
        }
        // What was before, and what is stored as it was, goes in.
        for sheet in ["villages", "teams", "targets", "indicators"] {
            assert_eq!(summary.sheets[sheet].created, 1, "{engine:?} {sheet}");
        }
        let pairings = &summary.sheets["pairings"];
        assert_eq!((pairings.created, pairings.unchanged), (1, 1), "{engine:?} {pairings:?}");
        // Nor does a blank that clears open an end again.
        let clears = ImportOptions { blank: Blank::Clears, ..options() };
        let summary = import(&app, &OF_AN_ENDED_VILLAGE[5..6], clears).await;
        let last = refused(&summary).contains(&("pairings", 4, "结束日期", "area.ended"));
        assert!(last, "{engine:?} {:?}", summary.problems);
        intact(&app).await;
    }
}

//! What a blank cell does to what is stored: it leaves it, or erases it where the import says so.

use daohu_app::exchange::import::{Blank, ImportOptions, Summary};
use daohu_db::{Engine, Value};

use crate::{exchange::options, harness::TestApp, jobs::cells, seed};

/// What is stored before each case, in every column that a case looks at.
const STORED: [(&str, &str); 4] = [
    ("areas.csv", "区划代码,名称,级别,乡村户数,是否贫困村\n990101100299,新村,村,120,是\n"),
    (
        "households.csv",
        "户编号,行政村代码,村民小组,户主姓名,联系电话,主要致贫原因,其他致贫原因,住房面积,是否危房户\n\
         H1,990101100200,一组,甲,13800000001,因病,因残、因学,80.5,否\n",
    ),
    (
        "persons.csv",
        "户编号,姓名,证件类型,证件号码,与户主关系,出生日期,民族,健康状况,联系电话\n\
         H1,甲,居民身份证,{ID},户主,,汉族,健康,13800000002\n",
    ),
    ("incomes.csv", "户编号,年度,家庭人口,工资性收入,财产性收入\nH1,2019,1,5000,0\n"),
];

/// Where the values of a file stand, and which of its columns are looked at.
const LOOKED_AT: [(&str, &str); 4] = [
    ("areas.csv", "select name, rural_households, is_poor_village from areas where name = '新村'"),
    (
        "households.csv",
        "select head_name, group_code, main_cause, other_causes, floor_area_m2, is_unsafe
         from households",
    ),
    ("persons.csv", "select name, relation, born_on, ethnic_group, health from persons"),
    ("incomes.csv", "select members, wage_fen, property_fen from incomes"),
];

/// A file with blanks: how many stored values it erases if blanks erase, and which of the columns
/// that are looked at. No count: the row is refused.
struct Case {
    file: &'static str,
    text: &'static str,
    cleared: Option<u64>,
    erased: &'static [usize],
}

const CASES: &[Case] = &[
    Case {
        file: "areas.csv",
        text: "区划代码,名称,级别,乡村户数,是否贫困村\n990101100299,新村,村,,\n",
        cleared: Some(2),
        erased: &[1, 2],
    },
    Case {
        file: "households.csv",
        text: "户编号,行政村代码,户主姓名,联系电话,主要致贫原因,其他致贫原因,住房面积,是否危房户,村民小组\n\
               H1,990101100200,,,,,,,\n",
        cleared: Some(7),
        erased: &[0, 1, 2, 3, 4, 5],
    },
    // Columns that the file does not have are not blank; spaces are.
    Case {
        file: "households.csv",
        text: "户编号,行政村代码,主要致贫原因,住房面积\nH1,990101100200,因病,  \n",
        cleared: Some(1),
        erased: &[4],
    },
    // What is not known already cannot be erased.
    Case {
        file: "households.csv",
        text: "户编号,行政村代码,银行卡号,建房年份\nH1,990101100200,,\n",
        cleared: Some(0),
        erased: &[],
    },
    // A key and a required column are never erased: the row is refused.
    Case {
        file: "households.csv",
        text: "户编号,行政村代码,户主姓名\nH1,,\n",
        cleared: None,
        erased: &[],
    },
    Case {
        file: "persons.csv",
        text: "户编号,姓名,证件类型,证件号码,与户主关系,出生日期,民族,健康状况\nH1,甲,居民身份证,{ID},户主,,,\n",
        cleared: Some(2),
        // Not the birth date, which the number tells.
        erased: &[3, 4],
    },
    Case {
        file: "persons.csv",
        text: "户编号,姓名,证件类型,证件号码,与户主关系,民族\nH1,甲,居民身份证,{ID},,\n",
        cleared: None,
        erased: &[],
    },
    Case {
        file: "persons.csv",
        text: "户编号,姓名,证件类型,证件号码,与户主关系,民族\nH1,甲,居民身份证,,户主,\n",
        cleared: None,
        erased: &[],
    },
    Case {
        file: "persons.csv",
        text: "户编号,姓名,证件类型,证件号码,与户主关系\nH1,,居民身份证,{ID},户主\n",
        cleared: None,
        erased: &[],
    },
    Case {
        file: "incomes.csv",
        text: "户编号,年度,家庭人口,工资性收入,财产性收入\nH1,2019,,,0\n",
        cleared: Some(2),
        erased: &[0, 1],
    },
    Case {
        file: "incomes.csv",
        text: "户编号,年度,工资性收入\nH1,,\n",
        cleared: None,
        erased: &[],
    },
];

async fn start(engine: Engine) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::areas(&app).await;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in STORED {
        std::fs::write(folder.path().join(name), filled(text)).unwrap();
    }
    let summary = app.import(&[folder.path().to_owned()], options()).await;
    assert!(summary.sheets.values().all(|counts| counts.created == counts.rows), "{summary:?}");
    app
}

fn filled(text: &str) -> String {
    text.replace("{ID}", &seed::id_number("99010119700101001"))
}

/// The values that are looked at.
async fn stored(app: &TestApp, file: &str) -> Vec<Value> {
    let (_, sql) = LOOKED_AT.iter().find(|(name, _)| *name == file).unwrap();
    app.rows(sql).await.remove(0).0
}

#[tokio::test]
async fn a_blank_erases_where_the_import_says_so_and_nowhere_else() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        for Case { file, text, cleared, .. } in CASES {
            let before = stored(&app, file).await;
            let summary = import(&app, file, text, Blank::Keep).await;
            let counts = summary.sheets.values().next().unwrap();
            let is_refused = u64::from(cleared.is_none());
            assert_eq!(
                (counts.rejected, counts.unchanged, counts.cleared),
                (is_refused, 1 - is_refused, 0),
                "{text}"
            );
            assert_eq!(stored(&app, file).await, before, "{text}");
        }
        for Case { file, text, cleared, erased } in CASES {
            let app = start(engine).await;
            let before = stored(&app, file).await;
            assert!(before.iter().all(|value| !value.is_null()), "{before:?}");
            let summary = import(&app, file, text, Blank::Clears).await;
            let counts = *summary.sheets.values().next().unwrap();
            assert_eq!(counts.cleared, cleared.unwrap_or_default(), "{text}");
            assert_eq!(counts.rejected, u64::from(cleared.is_none()), "{text}");
            assert_eq!(counts.updated, u64::from(cleared.is_some_and(|n| n > 0)), "{text}");
            let mut expected = before.clone();
            erased.iter().for_each(|i| expected[*i] = Value::Null);
            assert_eq!(stored(&app, file).await, expected, "{text}");
            // Once erased, there is nothing more to erase.
            let again = import(&app, file, text, Blank::Clears).await;
            assert_eq!(again.sheets.values().next().unwrap().cleared, 0, "{text}");
        }
    }
}

async fn import(app: &TestApp, file: &str, text: &str, blank: Blank) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::write(&path, filled(text)).unwrap();
    app.import(&[path], ImportOptions { blank, ..options() }).await
}

#[tokio::test]
async fn the_report_names_the_columns_that_blanks_erased() {
    for engine in Engine::BOTH {
        for (blank, erased) in [(Blank::Keep, ""), (Blank::Clears, "主要致贫原因、住房面积")]
        {
            let app = start(engine).await;
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("households.csv");
            let text = "户编号,行政村代码,主要致贫原因,住房面积,建房年份\nH1,990101100200,,,\n";
            std::fs::write(&path, text).unwrap();
            let report = folder.path().join("report.xlsx");
            let wanted = ImportOptions { blank, report: Some(report.clone()), ..options() };
            app.import(&[path], wanted).await;
            let rows = cells(std::fs::read(report).unwrap());
            let why = rows[0].iter().position(|cell| cell == "原因").unwrap();
            assert_eq!(rows[1][why].is_empty(), erased.is_empty(), "{engine:?} {rows:?}");
            assert!(rows[1][why].ends_with(erased), "{engine:?} {rows:?}");
        }
    }
}

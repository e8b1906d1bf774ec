//! A small country: two provinces with a county each, two townships in a county, two villages in a
//! township.

use daohu_app::exchange::Outcome;
use daohu_db::{FutureExt, Tx, Value};

use crate::harness::TestApp;

/// The areas of every level, code and name. No such provinces exist.
const AREAS: [(&str, &str); 16] = [
    ("98", "北省"),
    ("99", "南省"),
    ("9801", "北市"),
    ("9901", "南市"),
    ("980101", "北县"),
    ("990101", "南县"),
    ("980101100", "北甲乡"),
    ("980101101", "北乙乡"),
    ("990101100", "南甲乡"),
    ("990101101", "南乙乡"),
    ("980101100200", "北甲一村"),
    ("980101100201", "北甲二村"),
    ("990101100200", "南甲一村"),
    ("990101100201", "南甲二村"),
    ("990101101200", "南乙一村"),
    ("990101101201", "南乙二村"),
];

/// Inserts the areas.
pub async fn areas(app: &TestApp) {
    let now = app.act().at.0;
    let work = async move |tx: &mut Tx| {
        let sql =
            "insert into areas (code, name, level, created_at, created_by, updated_at, version)
                   values ($1, $2, $3, $4, 'test', $4, 1)";
        for (code, name) in AREAS {
            let lengths = [2, 4, 6, 9, 12];
            let level = lengths.iter().position(|length| *length == code.len()).unwrap();
            let level = i64::try_from(level + 1).unwrap();
            let row: [Value; 4] = [code.into(), name.into(), level.into(), now.into()];
            tx.execute(sql, &row).await?;
        }
        Ok::<_, daohu_db::Error>(())
    };
    app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
}

/// A resident ID number that follows the standard: county, birth date and serial of 17 digits.
pub fn id_number(digits: &str) -> String {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digit = |c: char| c.to_digit(10).unwrap();
    let sum: u32 = digits.chars().zip(weights).map(|(c, weight)| digit(c) * weight).sum();
    let check = "10X98765432".chars().nth((sum % 11) as usize).unwrap();
    format!("{digits}{check}")
}

/// The households of the small country: number, village, head, and some columns to filter by. H001
/// stands in two counties.
const HOUSEHOLDS: &str = "\
户编号,行政村代码,户主姓名,联系电话,银行卡号,户类型,识别年度,贫困户属性,主要致贫原因,计划脱贫年度,脱贫年度,脱贫状态,监测对象类别,是否易地搬迁户,是否危房户,危房等级,饮水是否安全
H001,990101100200,张三,13800000001,6222000000000000001,农村,2014,一般贫困户,因病,2018,,未脱贫,,否,是,D,否
H002,990101100200,张小五,13800000002,6222000000000000002,农村,2014,低保贫困户,因残,2018,2016,已脱贫,,否,否,A,是
H003,990101100200,李四,,,农村,2015,一般贫困户,因学,2019,2016,已脱贫,脱贫不稳定户,是,否,B,是
H004,990101100201,王五,,,城镇,2015,五保户,因灾,2019,,返贫,边缘易致贫户,是,是,C,否
H005,990101101200,张三,,,农村,2016,一般贫困户,因病,2020,,未脱贫,,否,否,A,是
H006,990101101201,赵六,,,农村,2016,低保贫困户,因残,2020,,未脱贫,,否,否,A,是
H001,980101100200,孙七,,,农村,2014,一般贫困户,因病,2018,,未脱贫,,否,否,A,是
H009,980101100200,吴九,,,农村,2014,一般贫困户,因病,2018,,未脱贫,,否,否,A,是
H008,980101100201,周八,,,农村,2014,一般贫困户,因病,2018,,未脱贫,,否,否,A,是
";

/// The members: number of the household, name, first 17 digits of the ID number, relation.
const PERSONS: [(&str, &str, &str, &str); 8] = [
    ("H002", "张小五", "99010119700101001", "户主"),
    ("H002", "钱二", "99010119720202002", "配偶"),
    ("H003", "李四", "99010119600303003", "户主"),
    ("H004", "王五", "99010119500404004", "户主"),
    ("H005", "张三", "99010119800505005", "户主"),
    ("H006", "赵六", "99010119850606006", "户主"),
    ("H008", "周八", "98010119700101001", "户主"),
    ("H009", "吴九", "98010119710101001", "户主"),
];

/// Inserts the areas, and imports households, persons and incomes.
pub async fn registry(app: &TestApp) {
    areas(app).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("households.csv", HOUSEHOLDS);
    let mut persons = "户编号,姓名,证件类型,证件号码,与户主关系,联系电话\n".to_owned();
    for (no, name, digits, relation) in PERSONS {
        let number = id_number(digits);
        persons += &format!("{no},{name},居民身份证,{number},{relation},13900000000\n");
    }
    write("persons.csv", &persons);
    write("incomes.csv", "户编号,年度,工资性收入\nH002,2018,5000\nH002,2019,6000.50\n");
    let summary = app.import(&[folder.path().to_owned()], crate::exchange::options()).await;
    assert!(
        summary.committed && summary.problems.iter().all(|p| p.outcome != Outcome::Rejected),
        "{:?}",
        summary.problems
    );
}

/// The id and version of the first household of a village, by number.
pub async fn household_in(app: &TestApp, village: &str) -> (i64, i64) {
    let sql = "select id, version from households where village = $1 order by no";
    one(app, sql, village).await
}

/// The version of the cadre of a village.
pub async fn cadre_in(app: &TestApp, village: &str) -> i64 {
    one(app, "select version, version from cadres where area = $1", village).await.0
}

/// The version of the organisation of a village.
pub async fn organisation_in(app: &TestApp, village: &str) -> i64 {
    one(app, "select version, version from organisations where area = $1", village).await.0
}

/// The version of the oldest time in the team of a village.
pub async fn member_in(app: &TestApp, village: &str) -> i64 {
    let sql = "select version, version from teams where village = $1 order by starts_on";
    one(app, sql, village).await.0
}

/// The code of the target that [`helpers_of_villages`] sets.
pub async fn target_in(app: &TestApp, village: &str) -> i64 {
    let sql = "select indicator, version from targets where area = $1 order by year desc";
    one(app, sql, village).await.0
}

/// The version of the oldest pairing with a village, and the code of what a cadre is there.
pub async fn pairing_in(app: &TestApp, village: &str) -> (i64, i64) {
    let sql = "select version, subject_kind from pairings where object = $1 order by starts_on";
    one(app, sql, village).await
}

/// The id and version of the first person of a village.
pub async fn person_in(app: &TestApp, village: &str) -> (i64, i64) {
    let sql = "select id, version from persons where village = $1 order by id";
    one(app, sql, village).await
}

/// Two persons of a village who may be one, each alone in a household, put into the tables by hand.
pub async fn suspects_in(app: &TestApp, village: &str) -> (i64, i64) {
    let county = village[..6].to_owned();
    let first = county.parse::<i64>().unwrap() * 1_000_000_000
        + 500_000
        + app.count_rows("households").await;
    let village = village.to_owned();
    let work = async move |tx: &mut Tx| {
        for id in [first, first + 1] {
            let (no, alike) = (format!("Z{id}"), first);
            let home = "insert into households (county, id, no, village, created_at, created_by,
                                                updated_at, version)
                        values ($1, $2, $3, $4, 0, 'test', 0, 1)";
            let row: [Value; 4] =
                [county.as_str().into(), id.into(), no.into(), village.as_str().into()];
            tx.execute(home, &row).await?;
            let person = "insert into persons (county, id, household, village, name, id_kind, relation,
                                               born_on, is_current, alike, created_at, created_by,
                                               updated_at, version)
                          values ($1, $2, $2, $3, '重复', 5, 1, '1990-01-01', 1, $4, 0, 'test', 0, 1)";
            let row: [Value; 4] =
                [county.as_str().into(), id.into(), village.as_str().into(), alike.into()];
            tx.execute(person, &row).await?;
        }
        Ok::<_, daohu_db::Error>(())
    };
    app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
    (first, first + 1)
}

/// A lead about a person of a village, put into the tables by hand.
pub async fn lead_in(app: &TestApp, village: &str) -> String {
    let (person, _) = suspects_in(app, village).await;
    let id = format!("{person:032}");
    let row: [Value; 3] = [village[..6].into(), id.as_str().into(), person.into()];
    let work = async move |tx: &mut Tx| {
        let sql = "insert into leads (county, id, household, person, check_id, fact, list, list_rows, level,
                                      assign, first_seen_on, last_seen_on, due_on, state, created_at,
                                      created_by, updated_at, version)
                   values ($1, $2, $3, $3, 'payroll', '', '', 1, 'high', 'county', '2020-01-01',
                           '2020-01-01', '2020-01-16', 'open', 0, 'test', 0, 1)";
        tx.execute(sql, &row).await.map(drop)
    };
    app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
    id
}

/// The id and version of the person of this name in the county 990101.
pub async fn person_named(app: &TestApp, name: &str) -> (i64, i64) {
    let sql = "select id, version from persons where county = '990101' and name = $1";
    one(app, sql, name).await
}

/// The id and version of the household of this number in the county 990101.
pub async fn household_no(app: &TestApp, no: &str) -> (i64, i64) {
    let sql = "select id, version from households where county = '990101' and no = $1";
    one(app, sql, no).await
}

async fn one(app: &TestApp, sql: &'static str, param: &str) -> (i64, i64) {
    let param = param.to_owned();
    let work = async move |tx: &mut Tx| tx.query_one(sql, &[param.into()]).await;
    let row = app.context.db.read(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
    (row.int(0).unwrap(), row.int(1).unwrap())
}

/// Who helps in the small country, what its villages have, and its figures: a file for each register.
pub const HELPERS: [(&str, &str); 7] = [
    (
        "organisations.csv",
        "单位编号,名称,单位级别,单位类型,统一社会信用代码,所在区划代码\n\
         U1,南县交通局,县,党政机关,,990101\n\
         U2,南省农科院,省,事业单位,,99\n\
         U3,南甲乡政府,乡,党政机关,,990101100\n",
    ),
    (
        "villages.csv",
        "行政村代码,年度,户数,人口,集体经济收入,是否通硬化路,有无卫生室,主要致贫原因,主导产业\n\
         990101100200,2014,300,1000,0,否,无,缺技术、缺资金,玉米\n\
         990101100200,2015,305,1010,12000.50,是,有,缺技术,茶叶\n\
         990101100201,2015,200,700,,是,无,,\n",
    ),
    (
        "cadres.csv",
        "工号,姓名,性别,单位编号,职务,角色,联系电话,所在区划代码\n\
         C1,周县长,男,U1,副县长,县级领导,19900000001,990101\n\
         C2,吴书记,女,U1,科长,第一书记、驻村队员,19900000002,990101\n\
         C3,郑帮,男,U3,,帮扶干部,19900000003,990101100\n\
         C4,冯技,男,U2,研究员,农技员,,99\n",
    ),
    (
        "teams.csv",
        "队编号,行政村代码,工号,是否队长,开始日期,结束日期,结束原因\n\
         T1,990101100200,C2,是,2015-03-01,,\n\
         T1,990101100200,C3,否,2015-03-01,2016-02-29,调离\n",
    ),
    (
        "pairings.csv",
        "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期,结束原因\n\
         干部,C1,乡,990101100,2015-01-01,,\n\
         干部,C3,户,H002,2015-01-01,2016-12-31,调离\n\
         干部,C2,户,H002,2017-01-01,,\n\
         干部,C3,户,H003,2015-01-01,,\n\
         干部,C4,村,990101100200,2015-01-01,,\n\
         单位,U1,村,990101100200,2015-01-01,,\n\
         单位,U2,县,990101,2015-01-01,,\n\
         工作队,T1,村,990101100200,2015-03-01,,\n",
    ),
    (
        "targets.csv",
        "区划代码,年度,指标,目标值\n\
         990101,2015,出列村,38\n\
         990101100,2015,脱贫人口,1200\n",
    ),
    (
        "indicators.csv",
        "区划代码,期间,指标,数值,计量单位,来源\n\
         990101,2015,地区生产总值,117,亿元,统计公报\n\
         990101,2015Q1-3,固定资产投资,154.5,亿元,\n",
    ),
];

/// Imports [`HELPERS`] beside a registry.
pub async fn helpers(app: &TestApp) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in HELPERS {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let summary = app.import(&[folder.path().to_owned()], crate::exchange::options()).await;
    assert!(summary.committed, "{summary:?}");
    for (sheet, counts) in summary.sheets {
        assert_eq!(counts.created, counts.rows, "{sheet} {:?}", summary.problems);
    }
}

/// Imports an organisation, a cadre and a team of each village, `U`, `C` and `T` with the village's code, that cadre's
/// pairing with the village and time in the team, and its record, target and figure of 2015.
pub async fn helpers_of_villages(app: &TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let villages = AREAS.iter().filter(|(code, _)| code.len() == 12);
    let (mut units, mut cadres) = (
        "单位编号,名称,单位级别,所在区划代码\n".to_owned(),
        "工号,姓名,角色,所在区划代码\n".to_owned(),
    );
    let mut pairings = "主体类型,主体编号,对象类型,对象编号,开始日期\n".to_owned();
    let mut years = "行政村代码,年度\n".to_owned();
    let mut teams = "队编号,行政村代码,工号,开始日期\n".to_owned();
    let mut targets = "区划代码,年度,指标,目标值\n".to_owned();
    let mut figures = "区划代码,期间,指标,数值\n".to_owned();
    for (code, name) in villages {
        units += &format!("U{code},{name}委员会,村,{code}\n");
        cadres += &format!("C{code},孙帮,帮扶干部,{code}\n");
        pairings += &format!("干部,C{code},村,{code},2015-01-01\n");
        years += &format!("{code},2015\n");
        teams += &format!("T{code},{code},C{code},2015-01-01\n");
        targets += &format!("{code},2015,脱贫人口,1\n");
        figures += &format!("{code},2015,产值,1\n");
    }
    std::fs::write(folder.path().join("organisations.csv"), units).unwrap();
    std::fs::write(folder.path().join("cadres.csv"), cadres).unwrap();
    std::fs::write(folder.path().join("pairings.csv"), pairings).unwrap();
    std::fs::write(folder.path().join("villages.csv"), years).unwrap();
    std::fs::write(folder.path().join("teams.csv"), teams).unwrap();
    std::fs::write(folder.path().join("targets.csv"), targets).unwrap();
    std::fs::write(folder.path().join("indicators.csv"), figures).unwrap();
    let summary = app.import(&[folder.path().to_owned()], crate::exchange::options()).await;
    assert!(summary.committed, "{summary:?}");
}

/// The id and version of the person of this name, in whatever county.
pub async fn person_named_in(app: &TestApp, name: &str) -> (i64, i64) {
    one(app, "select id, version from persons where name = $1", name).await
}

/// The id of a warning of a household of the village, made for this.
pub async fn warning_in(app: &TestApp, village: &str) -> String {
    let (person, _) = suspects_in(app, village).await;
    let id = format!("{person:032}");
    let row: [Value; 3] = [village[..6].into(), id.as_str().into(), person.into()];
    let work = async move |tx: &mut Tx| {
        let sql = "insert into warnings (county, id, household, rule, level, assign, raised_on, looked_on,
                                         due_on, created_at, created_by, updated_at, version)
                   values ($1, $2, (select household from persons where county = $1 and id = $3),
                           'unsafe_water', 'high', 'county', '2020-01-01', '2020-01-01', '2020-01-16',
                           0, 'test', 0, 1)";
        tx.execute(sql, &row).await.map(drop)
    };
    app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
    id
}

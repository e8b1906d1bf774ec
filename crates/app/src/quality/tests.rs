//! Each rule by a household that breaks it and one that just does not: what is changed of a household of which nothing
//! is found, and what is found then.

use daohu_base::Day;
use daohu_db::Value;
use daohu_policy::Policy;

use super::{
    judge::{Record as Of, judge},
    model::Checks,
};
use crate::{
    households::{Home, HouseholdRow, IncomeRow, Marks, PersonRow},
    sheet::{HOUSEHOLDS, INCOMES, Kind, Meta, PERSONS, Record, Sheet, income, person},
};

const TODAY: &str = "2016-03-01";

/// A couple and their child at school; `P4` is the man's mother, who is there where a case says something of her.
const CLEAN: &str = "
    H 联系电话=13800000000 主要致贫原因=缺资金 贫困户属性=一般贫困户 脱贫状态=未脱贫 识别年度=2014 耕地面积=3
    H 住房面积=90 是否危房户=否 危房等级=A 经度=108.7 纬度=28.8
    P1 与户主关系=户主 性别=男 出生日期=1975-05-01 证件号码=990101197505010013 文化程度=初中 健康状况=健康
    P1 劳动技能=普通劳动力 务工所在地=县内 务工时间=6
    P2 与户主关系=配偶 性别=女 出生日期=1977-02-03 文化程度=小学 健康状况=长期慢性病 劳动技能=普通劳动力
    P3 与户主关系=之女 性别=女 出生日期=2005-09-01 在校生状况=小学 健康状况=健康 劳动技能=无劳动力
    P4 与户主关系=之母 性别=女 出生日期=1950-01-01 文化程度=文盲或半文盲 健康状况=残疾 劳动技能=丧失劳动力
    P1 城乡居民基本医疗保险=是 大病保险=是
    P2 城乡居民基本医疗保险=是 大病保险=是
    P3 城乡居民基本医疗保险=是 大病保险=是
    P4 城乡居民基本医疗保险=是 大病保险=是
    I2014 家庭人口=3 工资性收入=6000 转移性收入=600 计划生育金=600
    I2015 家庭人口=3 工资性收入=9000 转移性收入=600 计划生育金=600";

/// What is found, of which record, and what is changed; `-` is nothing.
const CASES: &str = "
    -             | H 户编号=Q1
    H:R04         | P1 变动类型=死亡 变动日期=2016-02-01
    H:R04         | P2 与户主关系=户主 性别=女
    P2:R05 P4:R05 | P4 与户主关系=配偶 + I2015 家庭人口=4 + I2014 家庭人口=4
    P2:R06        | P2 性别=男
    -             | P2 性别=
    P2:R07        | P2 文化程度=
    P3:R07        | P3 文化程度=小学
    P2:R08        | P2 健康状况=
    P2:R08        | P2 健康状况=健康、长期慢性病
    -             | P2 健康状况=长期慢性病、残疾
    P2:R09        | P2 劳动技能=
    P1:R10        | P1 务工所在地=
    P1:R10        | P1 务工时间=
    P1:R10        | P1 务工时间=0
    -             | P1 务工时间=12
    P1:R10        | P1 务工时间=13
    P1:R11        | P1 职工基本医疗保险=是
    P1:R11        | P1 城乡居民基本医疗保险=否 职工基本医疗保险=否
    -             | P1 职工基本医疗保险=否
    P1:R12        | P1 大病保险=
    P1:R12        | P1 大病保险=否
    H:R13         | H 联系电话=1380000000
    -             | H 联系电话=023-12345678
    H:R13         | H 联系电话=23800000000
    P1:R13        | P1 联系电话=12345
    -             | P1 联系电话=
    P3:R14        | P3 劳动技能=丧失劳动力
    -             | P3 在校生状况=学前教育 劳动技能=弱劳动力或半劳动力 出生日期=2009-06-01
    P1:R15        | P1 劳动技能=丧失劳动力 务工所在地= 务工时间=
    -             | P1 劳动技能=丧失劳动力 务工所在地= 务工时间= 出生日期=1956-03-01 证件号码=
    P1:R15        | P1 劳动技能=丧失劳动力 务工所在地= 务工时间= 出生日期=1956-03-02 证件号码=
    -             | P2 劳动技能=丧失劳动力
    P2:R16        | P2 劳动技能=丧失劳动力 务工所在地=县内 务工时间=1
    P3:R17        | P3 在校生状况=七年级
    -             | P3 在校生状况=七年级 出生日期=2005-03-01
    P3:R17        | P3 在校生状况=小学 出生日期=2002-03-01
    -             | P3 在校生状况=小学 出生日期=2002-03-02
    P1:R18        | P1 出生日期=1975-05-02
    P1:R18        | P1 性别=女 + P2 性别=男
    -             | P1 性别=
    P1:R18        | P1 证件号码=990101197505010021
    -             | P1 证件类型=户口簿 证件号码=990101197505010021
    P3:R19        | P3 在校生状况= 文化程度=小学
    -             | P3 在校生状况= 文化程度=小学 是否失学辍学=否
    -             | P3 在校生状况= 文化程度=小学 出生日期=2000-03-01 劳动技能=普通劳动力
    P3:R19        | P3 在校生状况= 文化程度=小学 出生日期=2000-03-02
    H:R20         | H 主要致贫原因=因病 + P2 健康状况=健康
    -             | H 主要致贫原因=因病
    H:R20         | H 主要致贫原因=因残
    P2:R08        | H 主要致贫原因=因残 + P2 健康状况=
    -             | H 主要致贫原因=因学
    H:R20         | H 主要致贫原因=因学 + P3 在校生状况= 文化程度=小学 是否失学辍学=否
    H:R20         | H 主要致贫原因=缺劳力
    -             | H 主要致贫原因=缺劳力 + P2 劳动技能=丧失劳动力
    H:R21         | H 贫困户属性=特困供养贫困户
    -             | H 贫困户属性=特困供养贫困户 + P1 劳动技能=丧失劳动力 务工所在地= 务工时间= 健康状况=残疾 + P2 劳动技能=丧失劳动力
    I2015:R22     | I2015 低保金=100 转移性收入=700 + P1 是否享受低保=否 + P2 是否享受低保=否 + P3 是否享受低保=否
    -             | I2015 低保金=100 转移性收入=700 + P1 是否享受低保=否 + P2 是否享受低保=否
    I2015:R22     | I2015 养老保险金=100 转移性收入=700
    -             | I2015 养老保险金=100 转移性收入=700 + P2 出生日期=1960-12-31
    I2015:R22     | I2015 养老保险金=100 转移性收入=700 + P2 出生日期=1961-01-01
    -             | I2015 养老保险金=100 转移性收入=700 + P1 出生日期=1955-12-31 证件号码=
    I2015:R22     | I2015 养老保险金=100 转移性收入=700 + P1 出生日期=1956-01-01 证件号码=
    I2014:R24 I2014:R22 | P1 变动类型=迁入 变动日期=2015-01-01 + P2 变动类型=婚入 变动日期=2015-01-01
    I2015:R23     | I2015 计划生育金=600.01
    -             | I2015 计划生育金=599
    I2015:R23     | I2015 低保金=0 特困供养金=0 养老保险金=0 生态补偿金=0 其他转移性收入=0 计划生育金=599.99
    -             | I2015 低保金=0 特困供养金=0 养老保险金=0 生态补偿金=0 其他转移性收入=0
    I2015:R24     | I2015 家庭人口=4
    I2015:R24     | I2015 家庭人口=2
    -             | I2015 家庭人口=
    -             | P4 变动类型=死亡 变动日期=2013-06-01
    I2014:R24     | P4 变动类型=死亡 变动日期=2015-01-01
    -             | I2014 工资性收入=2600
    I2015:R25     | I2014 工资性收入=2599.99
    I2015:R25     | I2014 工资性收入=80000
    I2015:R25     | I2014 工资性收入=29400.01
    -             | I2014 工资性收入=28200
    I2015:R25     | I2015 工资性收入=85053 + I2014 工资性收入=80000
    -             | I2015 工资性收入=85050 + I2014 工资性收入=80000
    H:R26         | H 是否危房户=是
    H:R26         | H 是否危房户=
    H:R26         | H 危房等级=C
    -             | H 是否危房户=是 危房等级=D
    -             | H 危房等级=
    -             | H 住房面积=300
    H:R27         | H 住房面积=300.3
    H:R27         | H 住房面积=14.9
    -             | H 住房面积=15 耕地面积=150
    H:R27         | H 耕地面积=150.3
    H:R28         | H 脱贫状态=已脱贫
    H:R28         | H 脱贫状态=已脱贫 脱贫年度=2013
    -             | H 脱贫状态=已脱贫 脱贫年度=2014
    H:R31         | H 纬度=
    H:R34         | I2015 年度=2013 + I2014 年度=2012";

/// A record's values by its name in a case.
type Records = Vec<(String, &'static Sheet, Vec<Value>)>;

fn sheet_of(record: &str) -> &'static Sheet {
    match record.chars().next().unwrap() {
        'H' => &HOUSEHOLDS,
        'P' => &PERSONS,
        _ => &INCOMES,
    }
}

fn stored(policy: &Policy, kind: Kind, text: &str) -> Value {
    let code = |list: &str, text: &str| policy.list(list).unwrap().parse(text).unwrap();
    match kind {
        _ if text.is_empty() => Value::Null,
        Kind::Code(list) => i64::from(code(list, text)).into(),
        Kind::Codes(list, _) => {
            let codes = text.split('、').map(|text| format!("{:02}", code(list, text)));
            codes.collect::<Vec<_>>().join(" ").into()
        }
        Kind::Flag => i64::from(text == "是").into(),
        Kind::Yuan => {
            let (yuan, fen) = text.split_once('.').unwrap_or((text, "00"));
            format!("{yuan}{fen}").parse::<i64>().unwrap().into()
        }
        Kind::Quantity(..) => Value::Real(text.parse().unwrap()),
        Kind::Count(_) | Kind::Year => text.parse::<i64>().unwrap().into(),
        _ => text.into(),
    }
}

/// Puts the words of a line, a record and its cells, into the records.
fn put(policy: &Policy, records: &mut Records, line: &str) {
    let mut words = line.split_whitespace();
    let record = words.next().unwrap();
    let sheet = sheet_of(record);
    if !records.iter().any(|(name, ..)| name == record) {
        let mut values = vec![Value::Null; sheet.columns.len()];
        if let Some(year) = record.strip_prefix('I') {
            values[income::YEAR] = year.parse::<i64>().unwrap().into();
        }
        records.push((record.to_owned(), sheet, values));
    }
    let (.., values) = records.iter_mut().find(|(name, ..)| name == record).unwrap();
    for cell in words {
        let (header, text) = cell.split_once('=').unwrap();
        let column = sheet.columns.iter().position(|column| column.header == header);
        let column = column.unwrap_or_else(|| panic!("no column {header} in {record}"));
        values[column] = stored(policy, sheet.columns[column].kind, text);
    }
}

fn home(policy: &Policy, changes: &str) -> Home {
    let mut records = Records::new();
    let is_there = |line: &&str| !line.starts_with("P4") || changes.contains("P4 ");
    let lines = CLEAN.trim().lines().map(str::trim);
    lines.filter(is_there).for_each(|line| put(policy, &mut records, line));
    changes.split('+').for_each(|line| put(policy, &mut records, line));
    let row = |name: &str, values: &[Value]| {
        let id = name[1..].parse::<i64>().unwrap_or_default();
        let leaves =
            |values: &[Value]| Marks::new(policy).leaves(values[person::CHANGE_KIND].as_int());
        let is_current = name.starts_with('P') && !leaves(values);
        let meta = Meta { created_at: 0, created_by: String::new(), updated_at: 0, version: 1 };
        let lead = vec!["990101".into(), id.into(), 1.into()];
        Record { lead, values: values.to_vec(), derived: vec![i64::from(is_current).into()], meta }
    };
    let of = |start: char| {
        let own = records.iter().filter(move |(name, ..)| name.starts_with(start));
        own.map(|(name, _, values)| row(name, values)).collect::<Vec<_>>()
    };
    Home {
        household: HouseholdRow(of('H').remove(0)),
        persons: of('P').into_iter().map(PersonRow).collect(),
        incomes: of('I').into_iter().map(IncomeRow).collect(),
    }
}

#[test]
fn each_rule_holds_where_it_says_and_nowhere_else() {
    let policy = Policy::embedded().unwrap();
    let checks = Checks::new(&policy, Day::parse(TODAY).unwrap());
    let mut wrong = Vec::new();
    for case in CASES.trim().lines() {
        let (expected, changes) = case.split_once('|').unwrap();
        let home = home(&policy, changes.trim());
        let mut found: Vec<String> = judge(&checks, &home, (&Default::default(), true))
            .into_iter()
            .map(|(record, finding)| {
                let name = match record {
                    Of::Person(id) => format!("P{id}"),
                    Of::Income(year) => format!("I{year}"),
                    _ => "H".to_owned(),
                };
                format!("{name}:{}", finding.rule)
            })
            .collect();
        found.sort();
        let mut expected: Vec<&str> =
            expected.split_whitespace().filter(|word| *word != "-").collect();
        expected.sort_unstable();
        if found != expected {
            wrong.push(format!("{} gives {found:?}", case.trim()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_stands_outside_the_household_is_found_of_it() {
    let policy = Policy::embedded().unwrap();
    let checks = Checks::new(&policy, Day::parse(TODAY).unwrap());
    let home = home(&policy, "H 户编号=Q1");
    let rules = |suspects: &[i64], is_answered| -> Vec<&str> {
        let suspects = suspects.iter().copied().collect();
        let found = judge(&checks, &home, (&suspects, is_answered));
        found.into_iter().map(|(_, finding)| finding.rule).collect()
    };
    assert_eq!(rules(&[], true), [""; 0]);
    assert_eq!(rules(&[], false), ["R30"]);
    assert_eq!(rules(&[2, 9], true), ["R32"]);
}

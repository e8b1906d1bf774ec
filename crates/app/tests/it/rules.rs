//! Each rule that is shipped, asked of a household of which it is so and of one of which it is just not so, on both engines.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fs,
    path::Path,
};

use daohu_base::Day;
use daohu_db::Engine;
use daohu_policy::{Item, Items, Policy};

use crate::{
    exchange::options,
    harness::{Client, TestApp, config},
    seed,
};

/// Where households live, if a case says nothing else.
const VILLAGE: &str = "990101100200";
const ON: &str = "2015-12-31";

/// Amounts that no shipped pack has, where one village of the test lies.
const AMOUNTS: &str = "area = '990101101200'
[[value]]
of = 'allowance_monthly'
year = 2015
value = 230
source = 'a test'
[[value]]
of = 'alignment_line'
year = 2015
value = 2760
source = 'a test'
[[value]]
of = 'allowance_monthly'
year = 2021
value = 500
source = 'a test'
";

/// Villages of the shipped packs, with the areas above them.
const AREAS: [&str; 5] =
    ["500242100200", "520102100200", "511623100200", "530822100200", "990101101200"];

type Row = BTreeMap<String, String>;

/// A household of a case: its columns, its members, and its incomes by year.
struct Home {
    household: Row,
    members: BTreeMap<String, Row>,
    incomes: BTreeMap<i64, Row>,
}

/// What is asked of it.
struct Case {
    /// File and line, for whoever reads what failed.
    at: String,
    rule: String,
    on: String,
    /// `met`, `unmet` or `unknown`.
    outcome: &'static str,
    home: Home,
}

fn row(cells: &str) -> Row {
    let cell = |cell: &str| {
        let (column, value) = cell.split_once('=').unwrap();
        (column.to_owned(), value.to_owned())
    };
    cells.split_whitespace().map(cell).collect()
}

/// Nothing is wrong with these; each case says what is.
fn like(profile: &str) -> Row {
    let of_all =
        "户类型=农村 是否不愁吃=是 是否不愁穿=是 是否危房户=否 饮水是否困难=否 饮水是否安全=是";
    let own = match profile {
        "@poor" => "脱贫状态=未脱贫 贫困户属性=一般贫困户 主要致贫原因=缺技术",
        "@exited" => "脱贫状态=已脱贫 贫困户属性=一般脱贫户 主要致贫原因=缺技术",
        "@never" => "贫困户属性=一般农户",
        other => panic!("{other}"),
    };
    row(&format!("{of_all} {own} 行政村代码={VILLAGE}"))
}

fn member(name: &str) -> Row {
    let relation = if name == "甲" { "户主" } else { "其他" };
    row(&format!(
        "姓名={name} 与户主关系={relation} 出生日期=1970-01-01 文化程度=小学 健康状况=健康 劳动技能=普通劳动力 \
         城乡居民基本医疗保险=是 职工基本医疗保险=否 大病保险=是 是否享受低保=否 是否特困供养=否"
    ))
}

impl Home {
    fn of(text: &str, on: &str) -> Self {
        let year: i64 = on[..4].parse().unwrap();
        let profile = text.split_whitespace().find(|cell| cell.starts_with('@'));
        let mut home = Self {
            household: like(profile.unwrap_or("@poor")),
            members: [("甲".to_owned(), member("甲"))].into(),
            incomes: [(year, row("家庭人口=1 工资性收入=10000"))].into(),
        };
        for cell in text.split_whitespace().filter(|cell| !cell.starts_with('@')) {
            let (column, value) = cell.split_once('=').unwrap_or_else(|| panic!("{text}"));
            let (own, column) = match column.split_once('.') {
                None => (&mut home.household, column),
                Some(("收", column)) => (home.incomes.entry(year).or_default(), column),
                Some(("前", column)) => {
                    let before = home.incomes.entry(year - 1);
                    (before.or_insert_with(|| row("家庭人口=1")), column)
                }
                Some((name, column)) => {
                    let own = home.members.entry(name.to_owned());
                    (own.or_insert_with(|| member(name)), column)
                }
            };
            own.insert(column.to_owned(), value.to_owned());
        }
        home
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        for (nth, line) in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            let [rule, on, homes @ ..] = &cells[..] else { panic!("{line}") };
            let on = if on.is_empty() { ON } else { on };
            for (text, outcome) in homes.iter().zip(["met", "unmet", "unknown"]) {
                if text.is_empty() {
                    continue;
                }
                let name = file.file_name().unwrap().to_string_lossy();
                let at = format!("{name}:{} {rule}", nth + 1);
                let home = Home::of(text, on);
                let (rule, on) = ((*rule).to_owned(), on.to_owned());
                cases.push(Case { at, rule, on, outcome, home });
            }
        }
    }
    cases
}

/// Rows as a sheet: all columns that one of them has.
fn sheet(rows: &[Row]) -> String {
    let columns: BTreeSet<&String> = rows.iter().flat_map(BTreeMap::keys).collect();
    let titles: Vec<&str> = columns.iter().map(|own| own.as_str()).collect();
    let mut text = titles.join(",") + "\n";
    for row in rows {
        let cells = columns.iter().map(|column| row.get(*column).map_or("", String::as_str));
        text += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

fn number(nth: usize) -> String {
    format!("R{nth:04}")
}

/// Imports the households of the cases; none is refused.
async fn fill(test: &TestApp, cases: &[Case]) {
    seed::areas(test).await;
    let levels = [(2, "省"), (4, "市"), (6, "县"), (9, "乡"), (12, "村")];
    let parts =
        AREAS.iter().flat_map(|code| levels.map(|(digits, level)| (&code[..digits], level)));
    let parts: BTreeSet<(&str, &str)> = parts.collect();
    let seeded = |code: &str| code.starts_with("99");
    let mut areas = "区划代码,名称,级别\n".to_owned();
    for (code, level) in parts.iter().filter(|(code, _)| !seeded(code)) {
        areas += &format!("{code},地{code},{level}\n");
    }
    let (mut households, mut persons, mut incomes) = (Vec::new(), Vec::new(), Vec::new());
    for (nth, case) in cases.iter().enumerate() {
        let with_number = |row: &Row| {
            let mut row = row.clone();
            row.insert("户编号".to_owned(), number(nth));
            row
        };
        households.push(with_number(&case.home.household));
        for member in case.home.members.values() {
            let mut row = with_number(member);
            let born = row["出生日期"].replace('-', "");
            let digits = format!("990101{born}{:03}", persons.len());
            row.insert("证件号码".to_owned(), seed::id_number(&digits));
            persons.push(row);
        }
        for (year, income) in &case.home.incomes {
            let mut row = with_number(income);
            row.insert("年度".to_owned(), year.to_string());
            incomes.push(row);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("areas", areas),
        ("households", sheet(&households)),
        ("persons", sheet(&persons)),
        ("incomes", sheet(&incomes)),
    ] {
        fs::write(folder.path().join(format!("{name}.csv")), text).unwrap();
    }
    let told = test.import(&[folder.path().to_owned()], options()).await;
    let rejected: Vec<_> = told
        .problems
        .iter()
        .filter(|own| own.outcome == daohu_app::exchange::Outcome::Rejected)
        .collect();
    assert!(told.committed && rejected.is_empty(), "{rejected:#?}");
}

/// The numbers of the households of a county of which a rule says so.
async fn listed(
    client: &Client,
    (kind, rule): (&str, &str),
    (county, on): (&str, &str),
    outcome: &str,
) -> BTreeSet<String> {
    let path = format!(
        "/areas/{county}/monitoring/households?on={on}&of={kind}&rule={rule}&outcome={outcome}&limit=200"
    );
    let (mut found, mut after) = (BTreeSet::new(), String::new());
    loop {
        let page = client.json(&format!("{path}{after}")).await;
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().map(|own| own["no"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

fn kind_of(policy: &Policy, rule: &str) -> &'static str {
    let kinds = [
        ("guarantee", policy.guarantees().ids()),
        ("class", policy.classes().ids()),
        ("warning", policy.warnings().ids()),
        ("coverage", policy.coverages().ids()),
    ];
    let found = kinds.into_iter().find(|(_, ids)| ids.contains(&rule));
    found.unwrap_or_else(|| panic!("no pack has {rule}")).0
}

#[tokio::test]
async fn every_case_is_as_its_rule_says() {
    let cases = cases();
    for engine in Engine::BOTH {
        let policy = Policy::embedded_and([("amounts.toml", AMOUNTS)]).unwrap();
        let test = TestApp::governed(engine, config(), policy).await;
        fill(&test, &cases).await;
        let tops = ["99", "50", "51", "52", "53"].map(|top| format!("leader@{top}"));
        let client = test.client(&tops.each_ref().map(String::as_str)).await;
        let mut lists: BTreeMap<[&str; 4], BTreeSet<String>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for (nth, case) in cases.iter().enumerate() {
            let (rule, on) = (case.rule.as_str(), case.on.as_str());
            let county = &case.home.household["行政村代码"][..6];
            let mut said = Vec::new();
            for outcome in ["met", "unmet", "unknown"] {
                let key = [rule, on, county, outcome];
                if let Entry::Vacant(list) = lists.entry(key) {
                    let kind = kind_of(&test.context.policy, rule);
                    list.insert(listed(&client, (kind, rule), (county, on), outcome).await);
                }
                if lists[&key].contains(&number(nth)) {
                    said.push(outcome);
                }
            }
            if said != [case.outcome] {
                wrong.push(format!("{} is {said:?}, not {}", case.at, case.outcome));
            }
        }
        assert!(
            wrong.is_empty(),
            "{engine:?}: {} of {}\n{}",
            wrong.len(),
            cases.len(),
            wrong.join("\n")
        );
    }
}

#[test]
fn every_rule_that_is_shipped_has_a_household_of_which_it_is_so_and_one_of_which_it_is_not() {
    let policy = Policy::embedded().unwrap();
    let cases = cases();
    let mut missing = lacking(policy.guarantees(), &cases);
    missing.extend(lacking(policy.classes(), &cases));
    missing.extend(lacking(policy.warnings(), &cases));
    missing.extend(lacking(policy.coverages(), &cases));
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The items that hold and are asked in no case, or whose cases all say the same.
fn lacking<T: Item>(items: &Items<T>, cases: &[Case]) -> Vec<String> {
    let mut lacking = Vec::new();
    for item in items.all().iter().filter(|item| !item.standing().open) {
        let standing = item.standing();
        let asks = |case: &&Case| {
            let (village, on) = (&case.home.household["行政村代码"], Day::parse(&case.on).unwrap());
            let found = items.find(item.id(), village, on);
            case.rule == item.id() && found.is_some_and(|found| found.standing() == standing)
        };
        for outcome in ["met", "unmet"] {
            if !cases.iter().filter(asks).any(|case| case.outcome == outcome) {
                let (file, line) = (&standing.file, standing.line);
                lacking.push(format!("{file}:{line} {} has no case that is {outcome}", item.id()));
            }
        }
    }
    lacking
}

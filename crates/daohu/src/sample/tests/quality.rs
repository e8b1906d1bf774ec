//! How often the clean sample trips the warning rules of the quality catalogue, and whether
//! incomes look like those of registered households. Ages are those at the end of the last year.

use std::collections::{BTreeMap, HashMap};

use super::super::Sheet;
use super::{Kept, county, made};

const YEAR: i32 = 2015;
const LINES: [(i32, f64); 5] =
    [(2011, 2536.0), (2012, 2625.0), (2013, 2736.0), (2014, 2800.0), (2015, 2855.0)];
const GONE: &[&str] = &["死亡", "婚出", "迁出", "参军", "分户迁出"];

type Named<'a> = HashMap<&'static str, &'a str>;

/// A household with the rows that hang on it.
struct Home<'a> {
    row: Named<'a>,
    all: Vec<Named<'a>>,
    incomes: Vec<Named<'a>>,
}

fn homes(kept: &Kept) -> Vec<Home<'_>> {
    let mut persons = kept.named(Sheet::Persons).peekable();
    let mut incomes = kept.named(Sheet::Incomes).peekable();
    kept.named(Sheet::Households)
        .map(|row| {
            let number = row["户编号"];
            let all = std::iter::from_fn(|| persons.next_if(|p| p["户编号"] == number)).collect();
            let of = |i: &Named<'_>| i["户编号"] == number;
            let incomes = std::iter::from_fn(|| incomes.next_if(of)).collect();
            Home { row, all, incomes }
        })
        .collect()
}

impl<'a> Home<'a> {
    fn current(&self) -> impl Iterator<Item = &Named<'a>> {
        self.all.iter().filter(|person| !GONE.contains(&person["变动类型"]))
    }
}

fn age(person: &Named<'_>, year: i32) -> i32 {
    let number = person["证件号码"];
    let birth = person["出生日期"];
    year - if number.is_empty() { &birth[..4] } else { &number[6..10] }.parse::<i32>().unwrap()
}

fn money(row: &Named<'_>, column: &str) -> f64 {
    row[column].parse().unwrap_or(0.0)
}

fn is_able(person: &Named<'_>) -> bool {
    ["普通劳动力", "技能劳动力", "弱劳动力或半劳动力"].contains(&person["劳动技能"])
}

/// Whether nobody is able by what the row says; a blank is not known.
fn is_unable(person: &Named<'_>) -> bool {
    ["无劳动力", "丧失劳动力"].contains(&person["劳动技能"])
}

fn person_warnings(person: &Named<'_>) -> Vec<&'static str> {
    let age = age(person, YEAR);
    let stage = person["在校生状况"];
    let filled = |column: &str| !person[column].is_empty();
    let worked = money(person, "务工时间") > 0.0;
    let ages = match stage {
        "学前教育" => 3..=6,
        "小学" => 6..=13,
        "七年级" | "八年级" | "九年级" => 11..=17,
        "硕士研究生及以上" => 19..=99,
        _ if stage.starts_with("普通高中") || stage.starts_with("中职") => 14..=21,
        _ if stage.starts_with("高职高专") || stage.starts_with("本科") => 17..=27,
        _ => 0..=99,
    };
    let phone = person["联系电话"];
    let healthy = person["健康状况"] == "健康";
    [
        ("R07", filled("文化程度") == filled("在校生状况")),
        ("R08", !filled("健康状况") || person["健康状况"].contains("健康、")),
        ("R09", !filled("劳动技能")),
        ("R10", worked != filled("务工所在地") || money(person, "务工时间") > 12.0),
        (
            "R11",
            filled("职工基本医疗保险")
                && person["城乡居民基本医疗保险"] == person["职工基本医疗保险"],
        ),
        ("R12", person["大病保险"] != "是"),
        ("R13", !phone.is_empty() && (phone.len() != 11 || !phone.starts_with('1'))),
        ("R14", !stage.is_empty() && !["无劳动力", ""].contains(&person["劳动技能"])),
        ("R15", healthy && (16..=59).contains(&age) && stage.is_empty() && is_unable(person)),
        ("R16", is_unable(person) && worked),
        ("R17", !ages.contains(&age)),
        ("R19", (6..=15).contains(&age) && !filled("是否失学辍学") && stage.is_empty()),
    ]
    .into_iter()
    .filter_map(|(rule, trips)| trips.then_some(rule))
    .collect()
}

fn household_warnings(home: &Home<'_>) -> Vec<&'static str> {
    let row = &home.row;
    let current = || home.current();
    let of = |relation| current().filter(move |person| person["与户主关系"] == relation);
    let people = current().count() as f64;
    let sex = |relation| of(relation).next().map_or("", |person| person["性别"]);
    let able = current().filter(|person| is_able(person)).count() as f64;
    let student = |person: &&Named<'_>| !["", "学龄前儿童"].contains(&person["在校生状况"]);
    let cause = match row["主要致贫原因"] {
        "因病" => current().all(|person| person["健康状况"] == "健康"),
        "因残" => !current().any(|person| person["健康状况"].contains("残疾")),
        "因学" => current().find(student).is_none(),
        "缺劳力" => able * 2.0 > people,
        _ => false,
    };
    let working = |person: &Named<'_>| (16..=59).contains(&age(person, YEAR)) && is_able(person);
    let area = money(row, "住房面积") / people;
    let phone = row["联系电话"];
    [
        ("R04", of("户主").count() != 1),
        ("R05", of("配偶").count() > 1),
        ("R06", !sex("户主").is_empty() && sex("户主") == sex("配偶")),
        ("R13", !phone.is_empty() && (phone.len() != 11 || !phone.starts_with('1'))),
        ("R20", cause),
        ("R21", row["贫困户属性"] == "特困供养贫困户" && current().any(working)),
        (
            "R26",
            (row["是否危房户"] == "是") != ["C", "D"].contains(&row["危房等级"])
                || (row["是否危房户"].is_empty() && !row["危房等级"].is_empty()),
        ),
        ("R27", !(5.0..=100.0).contains(&area) || money(row, "耕地面积") > 50.0 * people),
        ("R28", row["脱贫状态"] == "已脱贫" && row["脱贫年度"] < row["识别年度"]),
        ("R31", row["经度"].is_empty()),
    ]
    .into_iter()
    .filter_map(|(rule, trips)| trips.then_some(rule))
    .collect()
}

const PARTS: [&str; 6] =
    ["计划生育金", "低保金", "特困供养金", "养老保险金", "生态补偿金", "其他转移性收入"];

fn per_head(income: &Named<'_>) -> f64 {
    let gains = ["工资性收入", "生产经营性收入", "财产性收入", "转移性收入"];
    let gains: f64 = gains.iter().map(|column| money(income, column)).sum();
    (gains - money(income, "生产经营性支出")) / money(income, "家庭人口")
}

fn income_warnings(home: &Home<'_>, income: &Named<'_>, before: Option<f64>) -> Vec<&'static str> {
    let year: i32 = income["年度"].parse().unwrap();
    let parts: f64 = PARTS.iter().map(|part| money(income, part)).sum();
    let end = format!("{year}-12-31");
    let members = home.all.iter().filter(|person| {
        let (kind, day) = (person["变动类型"], person["变动日期"]);
        if GONE.contains(&kind) { day > end.as_str() } else { day <= end.as_str() }
    });
    let old =
        |person: &Named<'_>| age(person, year) >= if person["性别"] == "女" { 55 } else { 60 };
    let now = per_head(income);
    let leap =
        before.is_some_and(|before| before > 0.0 && !(before / 3.0..=before * 3.0).contains(&now));
    let dibao = home.current().any(|person| person["是否享受低保"] == "是");
    [
        ("R22", money(income, "工资性收入") > 0.0 && !home.all.iter().any(|p| age(p, year) >= 16)),
        ("R22", money(income, "低保金") > 0.0 && !dibao),
        ("R22", money(income, "养老保险金") > 0.0 && !home.current().any(old)),
        ("R23", (parts - money(income, "转移性收入")).abs() > 0.005),
        ("R24", members.count().to_string() != income["家庭人口"]),
        ("R25", leap || now > 28_550.0),
    ]
    .into_iter()
    .filter_map(|(rule, trips)| trips.then_some(rule))
    .collect()
}

#[test]
fn few_rows_trip_a_warning() {
    let (kept, _) = made(&county("500242", 12_000));
    let mut trips: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |rules: Vec<&'static str>| {
        for rule in rules {
            *trips.entry(rule).or_default() += 1;
        }
    };
    for home in homes(&kept) {
        count(household_warnings(&home));
        home.current().for_each(|person| count(person_warnings(person)));
        let mut before = None;
        for income in &home.incomes {
            count(income_warnings(&home, income, before));
            before = Some(per_head(income));
        }
    }
    for (rule, trips) in &trips {
        let rows = match *rule {
            "R07" | "R08" | "R09" | "R11" | "R12" | "R15" => kept.rows(Sheet::Persons).len(),
            "R22" | "R25" => kept.rows(Sheet::Incomes).len(),
            "R20" | "R31" => kept.rows(Sheet::Households).len(),
            // All the others hold without exception.
            _ => 0,
        };
        println!("{rule}: {trips} of {rows}");
        assert!(trips * 20 < rows, "{rule} trips {trips} times");
    }
    // The gaps are there.
    assert!(["R07", "R08", "R09", "R12", "R31"].iter().all(|rule| trips.contains_key(rule)));
}

#[test]
fn incomes_grow_stay_near_the_line_and_can_be_predicted() {
    let (kept, _) = made(&county("500242", 12_000));
    let mut heads: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
    for income in kept.named(Sheet::Incomes) {
        heads.entry(income["年度"].parse().unwrap()).or_default().push(per_head(&income));
    }
    assert_eq!(heads.keys().copied().collect::<Vec<_>>(), LINES.map(|(year, _)| year));
    let above = |year: i32, line: f64| {
        heads[&year].iter().filter(|head| **head >= line).count() as f64 / 12_000.0
    };
    let shares = LINES.map(|(year, line)| above(year, line));
    let means = LINES.map(|(year, _)| heads[&year].iter().sum::<f64>() / 12_000.0);
    let growth = (means[4] / means[0]).powf(0.25);
    let correlation = correlation(&heads[&2014], &heads[&2015]);
    println!("above {shares:.3?}, means {means:.0?}, growth {growth:.3}, r {correlation:.3}");
    assert!((0.40..0.50).contains(&shares[4]) && shares[2] < 0.1);
    assert!((1.10..1.14).contains(&growth));
    assert!((0.74..0.84).contains(&correlation));
}

fn correlation(xs: &[f64], ys: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(xs), mean(ys));
    let sum = |f: &dyn Fn(f64, f64) -> f64| {
        xs.iter().zip(ys).map(|(x, y)| f(x - mx, y - my)).sum::<f64>()
    };
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

#[test]
fn who_is_out_of_poverty_earned_it() {
    let (kept, _) = made(&county("500242", 8_000));
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for home in homes(&kept) {
        let row = &home.row;
        *seen.entry(row["脱贫状态"]).or_default() += 1;
        let out = row["脱贫状态"] == "已脱贫";
        assert_eq!(row["贫困户属性"].ends_with("脱贫户"), out);
        assert_eq!(row["脱贫状态"] == "返贫", !row["返贫原因"].is_empty());
        assert!(row["主要致贫原因"] != row["其他致贫原因"]);
        if row["脱贫状态"] == "未脱贫" {
            assert!(row["脱贫年度"].is_empty());
            continue;
        }
        let exit = home.incomes.iter().find(|income| income["年度"] == row["脱贫年度"]).unwrap();
        let year: i32 = row["脱贫年度"].parse().unwrap();
        let (_, line) = LINES.into_iter().find(|(of, _)| *of == year).unwrap();
        assert!(per_head(exit) > line && row["是否危房户"] != "是" && row["饮水是否安全"] != "否");
    }
    assert!(seen["已脱贫"] > 2000 && seen["未脱贫"] > 4000 && seen["返贫"] > 5, "{seen:?}");
}

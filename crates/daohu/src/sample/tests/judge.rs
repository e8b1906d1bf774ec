//! A small reading of the exchange format, written from its description and apart from the
//! generator: what an import into an empty store would make of each row.

use std::collections::{HashMap, HashSet};

use super::super::{Row, Sheet, SheetCounts};
use super::Kept;

/// What an import makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Clean,
    Cleaned,
    Rejected,
    Orphaned,
}

/// Legal names and aliases, by list.
struct Codes {
    names: HashSet<(&'static str, &'static str)>,
    aliases: HashSet<(&'static str, &'static str)>,
}

impl Codes {
    fn read() -> Self {
        let (mut names, mut aliases) = (HashSet::new(), HashSet::new());
        for line in include_str!("codes.tsv").lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            names.insert((cells[0], cells[2]));
            aliases.extend(cells[3].split(';').map(|alias| (cells[0], alias)));
        }
        Self { names, aliases }
    }
}

const MULTIPLE: &[&str] = &["其他致贫原因", "健康状况", "角色"];
const DATES: &[&str] = &["出生日期", "变动日期", "开始日期", "结束日期"];
const FREE: &[&str] = &[
    "户编号",
    "名称",
    "村民小组",
    "户主姓名",
    "开户银行",
    "姓名",
    "务工所在地",
    "技能培训",
    "前身代码",
    "启用日期",
    "停用日期",
    "单位编号",
    "统一社会信用代码",
    "工号",
    "职务",
    "队编号",
    "主体编号",
    "对象编号",
    "期间",
    "指标",
    "计量单位",
    "来源",
];
const INSURANCE: &[&str] = &[
    "城乡居民基本医疗保险",
    "职工基本医疗保险",
    "大病保险",
    "商业补充医疗保险",
    "城乡居民养老保险",
];

/// The code list of a column.
fn list(sheet: Sheet, column: &'static str) -> Option<&'static str> {
    match column {
        "级别" => Some("区划级别"),
        "类型" if sheet == Sheet::Areas => Some("区划类型"),
        "主要致贫原因" | "其他致贫原因" => Some("致贫原因"),
        "主导产业" => Some("产业类型"),
        "角色" => Some("干部角色"),
        "结束原因" => Some("结对结束原因"),
        "指标" if sheet == Sheet::Targets => Some("计划指标"),
        "单位级别" | "单位类型" | "主体类型" | "对象类型" => Some(column),
        "户类型" | "识别标准" | "贫困户属性" | "因病情形" | "脱贫状态" | "返贫原因"
        | "监测对象类别" | "入户路类型" | "住房结构" | "危房等级" | "主要燃料类型" | "产业类型"
        | "证件类型" | "与户主关系" | "性别" | "民族" | "文化程度" | "在校生状况" | "失学原因"
        | "健康状况" | "劳动技能" | "政治面貌" | "变动类型" => Some(column),
        _ if column.starts_with("是否") || column.starts_with("有无") => Some("是否"),
        "饮水是否困难" | "饮水是否安全" => Some("是否"),
        _ if INSURANCE.contains(&column) => Some("是否"),
        _ => None,
    }
}

fn required(sheet: Sheet, column: &str) -> bool {
    match sheet {
        Sheet::Areas => ["区划代码", "名称", "级别"].contains(&column),
        Sheet::Households => ["户编号", "行政村代码"].contains(&column),
        Sheet::Persons => ["户编号", "姓名", "与户主关系"].contains(&column),
        Sheet::Incomes => ["户编号", "年度"].contains(&column),
        Sheet::Organisations => ["单位编号", "名称", "单位级别"].contains(&column),
        Sheet::Villages => ["行政村代码", "年度"].contains(&column),
        Sheet::Cadres => ["工号", "姓名", "角色"].contains(&column),
        Sheet::Teams => !["结束日期", "结束原因"].contains(&column),
        Sheet::Pairings => !["结束日期", "结束原因"].contains(&column),
        Sheet::Targets => true,
        Sheet::Indicators => !["计量单位", "来源"].contains(&column),
    }
}

/// The cell without stray spaces and full-width digits.
fn tidied(cell: &str) -> String {
    cell.trim()
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from(b'0' + u8::try_from(u32::from(c) - 0xff10).unwrap()),
            other => other,
        })
        .collect()
}

fn is_real_day(text: &str) -> bool {
    let parts: Vec<u32> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    let [year, month, day] = parts[..] else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1900..=2020).contains(&year) && (1..=days).contains(&day)
}

pub(super) fn is_real_number(number: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    if !matches!(number.len(), 18 | 20) || !number[..17].bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 =
        number.bytes().zip(WEIGHTS).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    let birth = format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]);
    number.as_bytes()[17] == b"10X98765432"[sum as usize % 11] && is_real_day(&birth)
}

/// A plain decimal with at most two digits behind the point, as the sample's numbers are.
fn is_number(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole.strip_prefix('-').unwrap_or(whole)) && digits(part) && part.len() <= 5
}

/// One cell on its own.
fn cell(codes: &Codes, sheet: Sheet, column: &'static str, raw: &str) -> Verdict {
    let value = tidied(raw);
    let seen = if value == raw { Verdict::Clean } else { Verdict::Cleaned };
    if value.is_empty() {
        return if required(sheet, column) { Verdict::Rejected } else { seen };
    }
    let good = if let Some(list) = list(sheet, column) {
        let values: Vec<&str> = match MULTIPLE.contains(&column) {
            true => value.split('、').collect(),
            false => vec![&value],
        };
        let legal =
            |set: &HashSet<(&str, &str)>| values.iter().all(|value| set.contains(&(list, *value)));
        if !legal(&codes.names) && values.len() == 1 && legal(&codes.aliases) {
            return Verdict::Cleaned;
        }
        legal(&codes.names)
    } else if DATES.contains(&column) {
        is_real_day(&value)
    } else if FREE.contains(&column) {
        true
    } else if column == "证件号码" {
        is_real_number(&value)
    } else if column.ends_with("代码") && value.ends_with(".0") {
        return Verdict::Cleaned;
    } else if value.contains(',') {
        return if is_number(&value.replace(',', "")) {
            Verdict::Cleaned
        } else {
            Verdict::Rejected
        };
    } else {
        let money = column.ends_with('金') || column.contains("收入") || column.contains("支出");
        let part = value.split_once('.').map_or("", |(_, part)| part);
        is_number(&value) && !(money && part.len() > 2) && !part.ends_with('0')
    };
    if good { seen } else { Verdict::Rejected }
}

/// One row on its own, with the village or household that it names.
fn alone(codes: &Codes, sheet: Sheet, row: &Row, parents: &HashSet<String>) -> Verdict {
    let mut verdict = Verdict::Clean;
    let mut paper = String::new();
    for (column, raw) in sheet.header().iter().zip(row.cells()) {
        match cell(codes, sheet, column, raw) {
            Verdict::Rejected => return Verdict::Rejected,
            Verdict::Cleaned => verdict = Verdict::Cleaned,
            _ => {}
        }
        let parent = match sheet {
            Sheet::Households => *column == "行政村代码",
            Sheet::Persons | Sheet::Incomes => *column == "户编号",
            _ => false,
        };
        let value = tidied(raw);
        if parent && !parents.contains(value.strip_suffix(".0").unwrap_or(&value)) {
            return Verdict::Rejected;
        }
        if *column == "证件类型" {
            paper = value;
        } else if *column == "证件号码"
            && value.is_empty()
            && paper.ends_with('证')
            && paper != "无证件"
        {
            return Verdict::Rejected;
        }
    }
    verdict
}

/// The key of a row, as text.
fn key(sheet: Sheet, row: &Row) -> String {
    let cells: Vec<String> = row.cells().map(tidied).collect();
    match sheet {
        Sheet::Incomes => format!("{} {}", cells[0], cells[1]),
        Sheet::Persons if cells[3].is_empty() => format!("{} {} {}", cells[0], cells[1], cells[6]),
        Sheet::Persons => format!("{} {}", cells[0], cells[3]),
        _ => cells[0].clone(),
    }
}

/// The verdicts on all rows of a sheet. `parents` are the keys in the file that rows may name,
/// `standing` those of them that were not rejected.
fn judge(
    codes: &Codes,
    kept: &Kept,
    sheet: Sheet,
    parents: &HashSet<String>,
    standing: &HashSet<String>,
) -> Vec<Verdict> {
    let rows = kept.rows(sheet);
    let mut times: HashMap<String, u32> = HashMap::new();
    for row in rows {
        *times.entry(key(sheet, row)).or_default() += 1;
    }
    let mut heads: HashSet<String> = HashSet::new();
    let mut numbers: HashSet<String> = HashSet::new();
    let verdict = |row: &Row| {
        let verdict = alone(codes, sheet, row, parents);
        if verdict == Verdict::Rejected || times[&key(sheet, row)] > 1 {
            return Verdict::Rejected;
        }
        let household = tidied(row.cell(0));
        if sheet == Sheet::Persons {
            let head = ["户主", "本人"].contains(&row.cell(4)) && row.cell(30).is_empty();
            let number: String = tidied(row.cell(3)).chars().take(18).collect();
            if (head && !heads.insert(household.clone()))
                || (!number.is_empty() && !numbers.insert(number))
            {
                return Verdict::Rejected;
            }
        }
        let child = matches!(sheet, Sheet::Persons | Sheet::Incomes);
        if child && !standing.contains(&household) { Verdict::Orphaned } else { verdict }
    };
    rows.iter().map(verdict).collect()
}

/// Whether each cell of the rows is legal as it stands.
pub(super) fn is_clean(kept: &Kept, sheet: Sheet) -> bool {
    let codes = Codes::read();
    let none = HashSet::new();
    kept.rows(sheet).iter().all(|row| alone(&codes, sheet, row, &none) == Verdict::Clean)
}

/// The numbers of the values, by code list and name.
pub(super) fn codes() -> HashMap<(&'static str, &'static str), &'static str> {
    let lines = include_str!("codes.tsv").lines().skip(1);
    let cells = lines.map(|line| line.split('\t').collect::<Vec<_>>());
    cells.map(|cells| ((cells[0], cells[2]), cells[1])).collect()
}

/// Counts of an import by verdict: areas, households, persons, incomes.
pub(super) fn count(kept: &Kept) -> [SheetCounts; 4] {
    let codes = Codes::read();
    let codes_of = |rows: &[Row]| rows.iter().map(|row| row.cell(0).to_owned()).collect();
    let villages: HashSet<String> = codes_of(kept.rows(Sheet::Areas));
    let households: HashSet<String> = codes_of(kept.rows(Sheet::Households));
    let judged = judge(&codes, kept, Sheet::Households, &villages, &villages);
    let standing: HashSet<String> = kept
        .rows(Sheet::Households)
        .iter()
        .zip(&judged)
        .filter(|(_, verdict)| **verdict != Verdict::Rejected)
        .map(|(row, _)| tidied(row.cell(0)))
        .collect();
    // A household without a number in its row is still one that its members' rows name.
    let named: HashSet<String> =
        kept.rows(Sheet::Incomes).iter().map(|row| row.cell(0).to_owned()).collect();
    let real = |code: &&String| !code.ends_with("99999999");
    let named: HashSet<String> = named.union(&households).filter(real).cloned().collect();
    let sheets = [
        judge(&codes, kept, Sheet::Areas, &villages, &villages),
        judged,
        judge(&codes, kept, Sheet::Persons, &named, &standing),
        judge(&codes, kept, Sheet::Incomes, &named, &standing),
    ];
    sheets.map(|verdicts| {
        let of = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count() as u64;
        SheetCounts {
            rows: verdicts.len() as u64,
            cleanable: of(Verdict::Cleaned),
            rejectable: of(Verdict::Rejected),
            orphaned: of(Verdict::Orphaned),
        }
    })
}

//! A yardstick of `cargo xtask bench`: the national guarantees as one hand-written pass over arrays, and as a bare
//! reading of the same arrays, which nothing can be faster than.
//!
//! `fused_pass DIR ON LINE_YUAN RUNS [OUT]` reads the sheets of the exchange format and prints one line of JSON.
//! It shares no code with the product: what it says of each household (OUT) is compared with what the product says.
#![expect(clippy::indexing_slicing, reason = "a yardstick, not a server")]

use std::{collections::HashMap, fs, hint::black_box, path::Path, time::Instant};

use anyhow::{Context, ensure};
use serde_json::json;

/// 是 is 1, 否 is 0, and what is not known is −1.
type Flag = i8;

#[derive(Default)]
struct Columns {
    no: Vec<String>,
    food: Vec<Flag>,
    clothing: Vec<Flag>,
    is_unsafe: Vec<Flag>,
    /// A to D are 1 to 4; 0 is not known.
    grade: Vec<i8>,
    hard: Vec<Flag>,
    safe: Vec<Flag>,
    /// Where the members of each household begin; one more at the end.
    from: Vec<u32>,
    birth: Vec<i32>,
    dropped: Vec<Flag>,
    excused: Vec<i8>,
    at_school: Vec<i8>,
    resident: Vec<Flag>,
    employee: Vec<Flag>,
    critical: Vec<Flag>,
    net_fen: Vec<i64>,
    /// 0 where the income is not known.
    sharing: Vec<i64>,
}

const MET: u8 = 1;
const UNMET: u8 = 0;
const UNKNOWN: u8 = 2;
const WORDS: [&str; 3] = ["unmet", "met", "unknown"];
const RULES: [&str; 7] = ["income", "food", "clothing", "education", "health", "housing", "water"];
const LEFT: [&str; 8] = ["死亡", "婚出", "迁出", "参军", "服刑", "失踪", "分户迁出", "其他减少"];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    ensure!(args.len() >= 4, "fused_pass DIR ON LINE_YUAN RUNS [OUT]");
    let on: i32 = args[1].replace('-', "").parse()?;
    let line_fen = args[2].parse::<i64>()? * 100;
    let columns = read(Path::new(&args[0]), &args[1])?;
    let mut said: Vec<[u8; 7]> = vec![[0; 7]; columns.no.len()];
    let (mut fused, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..args[3].parse::<usize>()?.max(1) {
        let start = Instant::now();
        in_two(&mut said, |from, said| pass(&columns, (on, line_fen), from, said));
        fused.push(start.elapsed().as_secs_f64());
        black_box(&said);
        let start = Instant::now();
        black_box(touch(&columns));
        floor.push(start.elapsed().as_secs_f64());
    }
    if let Some(out) = args.get(4) {
        let mut order: Vec<usize> = (0..said.len()).collect();
        order.sort_by_key(|nth| &columns.no[*nth]);
        let mut text = format!("户编号,{}\n", RULES.join(","));
        for nth in order {
            let words = said[nth].map(|state| WORDS[usize::from(state)]).join(",");
            text.push_str(&format!("{},{words}\n", columns.no[nth]));
        }
        fs::write(out, text)?;
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (fused_s, floor_s) = (median(&mut fused), median(&mut floor));
    let (households, members) = (columns.no.len(), columns.birth.len());
    println!(
        "{}",
        json!({ "households": households, "members": members, "fused_s": fused_s, "floor_s": floor_s })
    );
    Ok(())
}

/// Halves of the households, each on a thread.
fn in_two(said: &mut [[u8; 7]], work: impl Fn(usize, &mut [[u8; 7]]) + Sync) {
    let half = said.len() / 2;
    let (first, second) = said.split_at_mut(half);
    std::thread::scope(|scope| {
        scope.spawn(|| work(half, second));
        work(0, first);
    });
}

/// One pass, everything at once.
fn pass(c: &Columns, (on, line_fen): (i32, i64), from: usize, said: &mut [[u8; 7]]) {
    for (i, said) in said.iter_mut().enumerate() {
        let h = from + i;
        let n = c.sharing[h];
        let income = if n > 0 {
            let net = c.net_fen[h];
            let per_head = net.signum() * ((2 * net.abs() + n) / (2 * n));
            u8::from(per_head >= line_fen)
        } else {
            UNKNOWN
        };
        let members = c.from[h] as usize..c.from[h + 1] as usize;
        let (mut education, mut health) =
            if members.is_empty() { (UNKNOWN, UNKNOWN) } else { (MET, MET) };
        for m in members {
            let age = on - c.birth[m];
            if (60_000..160_000).contains(&age) {
                if c.dropped[m] == 1 && c.excused[m] == 0 {
                    education = UNMET;
                } else if c.dropped[m] == -1 && c.at_school[m] == 0 && education != UNMET {
                    education = UNKNOWN;
                }
            }
            if c.resident[m] == 0 && c.employee[m] == 0 || c.critical[m] == 0 {
                health = UNMET;
            } else if !((c.resident[m] == 1 || c.employee[m] == 1) && c.critical[m] == 1)
                && health != UNMET
            {
                health = UNKNOWN;
            }
        }
        let housing = match (c.is_unsafe[h], c.grade[h]) {
            (1, _) | (_, 3 | 4) => UNMET,
            (0, _) | (_, 1 | 2) => MET,
            _ => UNKNOWN,
        };
        let water = match (c.safe[h], c.hard[h]) {
            (0, _) | (_, 1) => UNMET,
            (1, _) => MET,
            _ => UNKNOWN,
        };
        let flag = |flag: Flag| u8::try_from(flag).unwrap_or(UNKNOWN);
        *said = [income, flag(c.food[h]), flag(c.clothing[h]), education, health, housing, water];
    }
}

/// Reads all that the pass reads, and adds it up.
fn touch(c: &Columns) -> u64 {
    let half = |nth: usize, len: usize| if nth == 0 { 0..len / 2 } else { len / 2..len };
    let bytes =
        |column: &[i8]| column.iter().map(|byte| u64::from(byte.unsigned_abs())).sum::<u64>();
    let work = |nth: usize| {
        let (h, m) = (half(nth, c.food.len()), half(nth, c.birth.len()));
        let households = [&c.food, &c.clothing, &c.is_unsafe, &c.grade, &c.hard, &c.safe];
        let members = [&c.dropped, &c.excused, &c.at_school, &c.resident, &c.employee, &c.critical];
        let own = households.into_iter().map(|column| bytes(&column[h.clone()])).sum::<u64>();
        let of_members = members.into_iter().map(|column| bytes(&column[m.clone()])).sum::<u64>();
        let birth = c.birth[m].iter().map(|day| u64::from(day.unsigned_abs())).sum::<u64>();
        let net = c.net_fen[h.clone()].iter().map(|fen| fen.unsigned_abs()).sum::<u64>();
        let sharing = c.sharing[h.clone()].iter().map(|n| n.unsigned_abs()).sum::<u64>();
        own + of_members
            + birth
            + net
            + sharing
            + c.from[h].iter().map(|from| u64::from(*from)).sum::<u64>()
    };
    std::thread::scope(|scope| {
        let second = scope.spawn(|| work(1));
        work(0) + second.join().unwrap_or_default()
    })
}

/// Hands on the rows of a sheet, each as a way from a column's header to its cell.
fn rows(path: &Path, mut each: impl FnMut(&dyn Fn(&str) -> String)) -> anyhow::Result<()> {
    let mut csv = csv::Reader::from_path(path).with_context(|| format!("{}", path.display()))?;
    let header = csv.headers()?.clone();
    let places: HashMap<&str, usize> = header
        .iter()
        .enumerate()
        .map(|(i, name)| (name.trim_start_matches('\u{feff}'), i))
        .collect();
    let mut row = csv::StringRecord::new();
    while csv.read_record(&mut row)? {
        each(&|name: &str| {
            places.get(name).and_then(|i| row.get(*i)).unwrap_or_default().to_owned()
        });
    }
    Ok(())
}

fn flag(cell: &str) -> Flag {
    match cell {
        "是" => 1,
        "否" => 0,
        _ => -1,
    }
}

fn read(folder: &Path, on: &str) -> anyhow::Result<Columns> {
    let mut c = Columns::default();
    rows(&folder.join("households.csv"), |cell| {
        c.no.push(cell("户编号"));
        c.food.push(flag(&cell("是否不愁吃")));
        c.clothing.push(flag(&cell("是否不愁穿")));
        c.is_unsafe.push(flag(&cell("是否危房户")));
        let grade = "ABCD".find(cell("危房等级").as_str()).filter(|_| !cell("危房等级").is_empty());
        c.grade.push(grade.map_or(0, |i| i8::try_from(i + 1).unwrap_or(0)));
        c.hard.push(flag(&cell("饮水是否困难")));
        c.safe.push(flag(&cell("饮水是否安全")));
    })?;
    let nth: HashMap<&str, usize> =
        c.no.iter().enumerate().map(|(i, no)| (no.as_str(), i)).collect();
    let mut members: Vec<Vec<(i32, [i8; 6])>> = vec![Vec::new(); c.no.len()];
    rows(&folder.join("persons.csv"), |cell| {
        let gone = cell("变动日期");
        let has_left =
            LEFT.contains(&cell("变动类型").as_str()) && !gone.is_empty() && gone.as_str() <= on;
        let Some(home) = nth.get(cell("户编号").as_str()).filter(|_| !has_left) else { return };
        // Characters 7 to 14 of an ID number are the birth date.
        let birth =
            cell("证件号码").get(6..14).and_then(|day| day.parse().ok()).unwrap_or(99_999_999);
        let excused = ["因病", "因残"].contains(&cell("失学原因").as_str());
        let six = [
            flag(&cell("是否失学辍学")),
            i8::from(excused),
            i8::from(!cell("在校生状况").is_empty()),
            flag(&cell("城乡居民基本医疗保险")),
            flag(&cell("职工基本医疗保险")),
            flag(&cell("大病保险")),
        ];
        members[*home].push((birth, six));
    })?;
    let (mut net, mut sharing) = (vec![0; c.no.len()], vec![0; c.no.len()]);
    let year = on.get(..4).unwrap_or_default();
    rows(&folder.join("incomes.csv"), |cell| {
        let Some(home) = nth.get(cell("户编号").as_str()).filter(|_| cell("年度") == year)
        else {
            return;
        };
        let fen = |name: &str| cell(name).parse::<f64>().ok().map(|yuan| (yuan * 100.0).round());
        let kinds = ["工资性收入", "生产经营性收入", "财产性收入", "转移性收入"].map(fen);
        if kinds.iter().any(Option::is_some) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "fen are whole numbers far below 2^53"
            )]
            let whole = |fen: Option<f64>| fen.unwrap_or_default() as i64;
            net[*home] = kinds.into_iter().map(whole).sum::<i64>() - whole(fen("生产经营性支出"));
            sharing[*home] = cell("家庭人口").parse().unwrap_or(0);
        }
    })?;
    drop(nth);
    (c.net_fen, c.sharing) = (net, sharing);
    c.from.push(0);
    for home in members {
        for (birth, [dropped, excused, at_school, resident, employee, critical]) in home {
            c.birth.push(birth);
            c.dropped.push(dropped);
            c.excused.push(excused);
            c.at_school.push(at_school);
            c.resident.push(resident);
            c.employee.push(employee);
            c.critical.push(critical);
        }
        c.from.push(u32::try_from(c.birth.len())?);
    }
    Ok(c)
}

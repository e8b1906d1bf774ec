//! 村, 计划 and 指标: published figures, sums, and villages that agree with the area sheet.

use std::collections::HashMap;

use super::super::{Options, Sheet, read_areas, write};
use super::{Kept, county, judge, made, province};

type Named<'a> = HashMap<&'static str, &'a str>;

/// 邻水, whose villages are not among the other tests' areas.
pub(super) fn linshui(households: u64) -> Kept {
    const COUNTRY: &str = include_str!("../../../../../data/areas/country.csv");
    const LINSHUI: &str = include_str!("../../../../../data/areas/511623.csv");
    let mut areas = read_areas(COUNTRY.as_bytes()).unwrap();
    areas.extend(read_areas(LINSHUI.as_bytes()).unwrap());
    let mut kept = Kept::default();
    write(&areas, &county("511623", households), &mut kept).unwrap();
    kept
}

/// The published rows: each has a source.
fn indicators(kept: &Kept) -> Vec<String> {
    let told = |row: Named<'_>| {
        assert!(!row["来源"].is_empty());
        format!("{} {} {} {}", row["期间"], row["指标"], row["数值"], row["计量单位"])
    };
    let mut indicators: Vec<String> = kept.named(Sheet::Indicators).map(told).collect();
    indicators.sort_unstable();
    indicators
}

fn sorted<const N: usize>(mut rows: [&str; N]) -> [&str; N] {
    rows.sort_unstable();
    rows
}

#[test]
fn the_counties_have_their_published_indicators() {
    let (youyang, _) = made(&county("500242", 30));
    let published = sorted([
        "2015 地区生产总值 117 亿元",
        "2015 工业总产值 131.2 亿元",
        "2015 本级财政支出 51.2 亿元",
        "2015 金融机构存贷款总量 240 亿元",
        "2015 总人口 85 万人",
        "2015 少数民族人口 76.7 万人",
        "2015 脱贫销号村 38 个",
        "2015 脱贫越线人口 50628 人",
        "2015 整合资金 17.49 亿元",
    ]);
    assert_eq!(indicators(&youyang), published);
    let published = sorted([
        "2015Q1-3 地区生产总值 154.7 亿元",
        "2015Q1-3 固定资产投资 154.5 亿元",
        "2015Q1-3 社会消费品零售总额 60.3 亿元",
        "2015Q1-3 地方公共财政收入 6.2 亿元",
    ]);
    assert_eq!(indicators(&linshui(30)), published);
    assert_eq!(indicators(&made(&county("530822", 30)).0).len(), 4);
    assert!(indicators(&made(&province(30)).0).is_empty());
}

/// Targets by area, year and figure.
fn targets(kept: &Kept) -> HashMap<(&str, &str, &str), u64> {
    let rows = kept.rows(Sheet::Targets).iter();
    rows.map(|row| ((row.cell(0), row.cell(1), row.cell(2)), row.cell(3).parse().unwrap()))
        .collect()
}

/// The townships' targets add up to their county's, whatever is planned.
fn adds_up(kept: &Kept) {
    let targets = targets(kept);
    let mut sums: HashMap<(&str, &str, &str), u64> = HashMap::new();
    for ((area, year, planned), value) in &targets {
        if area.len() == 9 {
            *sums.entry((&area[..6], year, planned)).or_default() += value;
        }
    }
    let counties: HashMap<_, _> = targets.into_iter().filter(|(key, _)| key.0.len() == 6).collect();
    assert!(!counties.is_empty());
    assert_eq!(sums, counties);
}

#[test]
fn targets_are_the_published_ones_and_add_up() {
    for households in [0, 30, 32_377] {
        let (kept, _) = made(&county("500242", households));
        let county: HashMap<_, _> =
            targets(&kept).into_iter().filter(|(key, _)| key.0 == "500242").collect();
        let published =
            [(("500242", "2015", "脱贫人口"), 50_628), (("500242", "2015", "出列村"), 38)];
        assert_eq!(county, HashMap::from(published));
        adds_up(&kept);
    }
    let (mojiang, _) = made(&county("530822", 22_000));
    adds_up(&mojiang);
    let targets = targets(&mojiang);
    let moved = ["2016", "2017", "2018"]
        .map(|year| ["搬迁户", "搬迁人口"].map(|planned| targets[&("530822", year, planned)]));
    assert_eq!(moved, [[2381, 9830], [2101, 8298], [1919, 7507]]);
    adds_up(&linshui(500));
    adds_up(&made(&province(20_000)).0);
}

#[test]
fn a_township_plans_no_more_villages_than_it_has_poor_ones() {
    let (kept, _) = made(&county("500242", 3_000));
    let mut poor: HashMap<&str, u64> = HashMap::new();
    for row in kept.rows(Sheet::Areas).iter().filter(|row| row.cell(6) == "是") {
        *poor.entry(&row.cell(0)[..9]).or_default() += 1;
    }
    for ((area, _, planned), value) in targets(&kept) {
        assert!(planned != "出列村" || area.len() == 6 || value <= poor[area]);
    }
}

#[test]
fn villages_agree_with_the_area_sheet_and_with_themselves() {
    for year in [2014, 2015, 2020] {
        let (kept, _) = made(&Options { year, ..county("500242", 3_000) });
        let areas: HashMap<&str, (&str, &str)> = kept
            .rows(Sheet::Areas)
            .iter()
            .filter(|row| row.cell(0).len() == 12)
            .map(|row| (row.cell(0), (row.cell(7), row.cell(8))))
            .collect();
        let mut years: HashMap<&str, Vec<i32>> = HashMap::new();
        for row in kept.named(Sheet::Villages) {
            assert_eq!((row["户数"], row["人口"]), areas[row["行政村代码"]]);
            let number = |column: &str| row[column].parse::<i64>().unwrap_or(0);
            assert!(number("安全饮水户数") <= number("户数"));
            assert!(number("劳动力") < number("人口"));
            assert!(row["劳动力"].is_empty() || number("外出务工人数") < number("劳动力"));
            assert_eq!(row["有无卫生室"] == "否", number("执业医师数") == 0);
            years.entry(row["行政村代码"]).or_default().push(row["年度"].parse().unwrap());
        }
        assert_eq!(years.len(), areas.len());
        let wanted: Vec<i32> = (year - 4..=year).map(i32::from).collect();
        assert!(years.values().all(|years| *years == wanted));
        assert!(judge::is_clean(&kept, Sheet::Villages));
    }
}

#[test]
fn villages_get_roads_and_poor_ones_have_less() {
    let (kept, _) = made(&county("500242", 3_000));
    let share = |year: &str, poor: bool, column: &str| {
        let is_poor: HashMap<&str, bool> =
            kept.rows(Sheet::Areas).iter().map(|row| (row.cell(0), row.cell(6) == "是")).collect();
        let rows = kept.named(Sheet::Villages);
        let rows = rows.filter(|row| row["年度"] == year && is_poor[row["行政村代码"]] == poor);
        let (has, all) =
            rows.fold((0, 0), |(has, all), row| (has + u32::from(row[column] == "是"), all + 1));
        f64::from(has) / f64::from(all)
    };
    for column in
        ["是否通硬化路", "是否通客车", "是否通动力电", "是否通宽带", "有无卫生室", "有无文化室"]
    {
        assert!(share("2011", true, column) < share("2015", true, column), "{column}");
        assert!(share("2015", true, column) < share("2015", false, column), "{column}");
    }
    assert!(share("2015", true, "是否有电商点") > 0.0);
}

//! Spoiled rows: the counts are those that an independent reading finds.

use super::super::Sheet::{self, Households, Incomes, Persons};
use super::super::dirt_kinds::at;
use super::super::{Counts, Options};
use super::{county, judge, made};

fn spoiled(dirty: f64) -> Options {
    Options { dirty, ..county("500242", 3000) }
}

fn sheets(counts: &Counts) -> [super::super::SheetCounts; 4] {
    [
        *counts.of(Sheet::Areas),
        *counts.of(Sheet::Households),
        *counts.of(Sheet::Persons),
        *counts.of(Sheet::Incomes),
    ]
}

#[test]
fn counts_are_those_of_an_independent_reading() {
    for dirty in [0.0, 0.03, 0.5, 1.0] {
        let (kept, counts) = made(&spoiled(dirty));
        assert_eq!(sheets(&counts), judge::count(&kept), "dirty {dirty}");
    }
}

#[test]
fn the_share_is_met_and_areas_stay_clean() {
    let (_, clean) = made(&spoiled(0.0));
    for counts in sheets(&clean) {
        assert_eq!((counts.cleanable, counts.rejectable, counts.orphaned), (0, 0, 0));
    }
    let (_, counts) = made(&spoiled(0.2));
    assert_eq!(*counts.of(Sheet::Areas), *clean.of(Sheet::Areas));
    for sheet in
        [*counts.of(Sheet::Households), *counts.of(Sheet::Persons), *counts.of(Sheet::Incomes)]
    {
        // Doubled rows count twice, and orphans hide whether they could have been cleaned.
        let share = (sheet.cleanable + sheet.rejectable) as f64 / sheet.rows as f64;
        assert!((0.17..0.23).contains(&share), "{share}");
        assert!(sheet.cleanable > sheet.rejectable && sheet.rejectable > 0);
    }
    let (_, counts) = made(&spoiled(1.0));
    assert_eq!(
        counts.of(Sheet::Incomes).cleanable
            + counts.of(Sheet::Incomes).rejectable
            + counts.of(Sheet::Incomes).orphaned,
        counts.of(Sheet::Incomes).rows
    );
}

#[test]
fn the_sheets_of_helpers_and_figures_stay_clean() {
    let (clean, clean_counts) = made(&spoiled(0.0));
    let (dirty, counts) = made(&spoiled(1.0));
    for sheet in
        Sheet::ALL.into_iter().filter(|sheet| ![Households, Persons, Incomes].contains(sheet))
    {
        assert!(clean.rows(sheet) == dirty.rows(sheet), "{sheet:?}");
        assert_eq!(clean_counts.of(sheet), counts.of(sheet));
        assert_eq!(counts.of(sheet).rows, clean.rows(sheet).len() as u64);
    }
}

#[test]
fn spoiling_leaves_the_other_rows_alone() {
    let (clean, _) = made(&spoiled(0.0));
    let (dirty, counts) = made(&spoiled(0.1));
    for sheet in [Sheet::Households, Sheet::Persons, Sheet::Incomes] {
        let all: std::collections::HashSet<String> =
            clean.rows(sheet).iter().map(|row| row.cells().collect::<Vec<_>>().join(",")).collect();
        let changed = dirty
            .rows(sheet)
            .iter()
            .filter(|row| !all.contains(&row.cells().collect::<Vec<_>>().join(",")))
            .count();
        let spoiled = match sheet {
            Sheet::Households => *counts.of(Sheet::Households),
            Sheet::Persons => *counts.of(Sheet::Persons),
            _ => *counts.of(Sheet::Incomes),
        };
        // Doubled rows are not changed; the dirty rows of orphans are.
        let least = spoiled.cleanable;
        let most = spoiled.cleanable + spoiled.rejectable + spoiled.orphaned;
        let changed = changed as u64;
        assert!((least..=most).contains(&changed), "{least} {changed} {most}");
    }
}

#[test]
fn every_defect_occurs() {
    let (kept, _) = made(&Options { households: 6000, ..spoiled(1.0) });
    let any = |sheet: Sheet, column: usize, found: &dyn Fn(&str) -> bool| {
        kept.rows(sheet).iter().any(|row| found(row.cell(column)))
    };
    let is = |wanted: &'static str| move |cell: &str| cell == wanted;
    let ends = |wanted: &'static str| move |cell: &str| cell.ends_with(wanted);
    let wide = |cell: &str| cell.chars().any(|c| ('０'..='９').contains(&c));
    assert!(any(Households, at::HOUSEHOLD, &is("")));
    assert!(any(Households, at::H_VILLAGE, &ends("E+11")));
    assert!(any(Households, at::H_VILLAGE, &ends(".0")));
    assert!(any(Households, at::H_VILLAGE, &ends("999")));
    assert!(any(Households, at::H_CATEGORY, &is("五保户")));
    assert!(any(Households, at::H_CAUSE, &is("因并")));
    assert!(any(Households, at::H_CAUSE, &is("缺劳动力")));
    assert!(any(Households, at::H_STRUCTURE, &is("砖混")));
    assert!(any(Households, at::H_AREA, &is("八十")));
    assert!(any(Households, at::H_FARMLAND, &wide) && any(Households, at::H_PHONE, &wide));
    assert!(any(Households, at::H_NAME, &ends("\u{3000}")));
    assert!(any(Persons, at::P_NUMBER, &ends("E+17")) && any(Persons, at::P_NUMBER, &wide));
    assert!(any(Persons, at::P_RELATION, &is("妻子")) && any(Persons, at::P_RELATION, &is("")));
    assert!(any(Persons, at::P_PAPER, &is("身份证")) && any(Persons, at::P_SEX, &is("1")));
    assert!(any(Persons, at::P_HEALTH, &is("慢性病")) && any(Persons, at::P_NAME, &is("")));
    assert!(any(Persons, at::P_PEOPLE, &is("土家簇")));
    assert!(any(Persons, at::P_CHANGED, &is("2015-02-30")));
    assert!(any(Incomes, at::I_YEAR, &ends("年")) && any(Incomes, at::I_YEAR, &wide));
    assert!(any(Incomes, at::I_WAGE, &is("八千")));
    assert!(any(Incomes, at::I_WAGE, &|cell: &str| cell.starts_with('￥')));
    assert!(any(Incomes, at::I_PRODUCTION, &ends(".125")));
    assert!(any(Incomes, at::I_TRANSFERS, &|cell: &str| cell.contains(',')));
}

#[test]
fn defects_name_the_right_columns() {
    let name = |sheet: Sheet, column: usize| sheet.header()[column];
    for (sheet, column, wanted) in [
        (Households, at::HOUSEHOLD, "户编号"),
        (Households, at::H_VILLAGE, "行政村代码"),
        (Households, at::H_NAME, "户主姓名"),
        (Households, at::H_PHONE, "联系电话"),
        (Households, at::H_CATEGORY, "贫困户属性"),
        (Households, at::H_CAUSE, "主要致贫原因"),
        (Households, at::H_FARMLAND, "耕地面积"),
        (Households, at::H_AREA, "住房面积"),
        (Households, at::H_STRUCTURE, "住房结构"),
        (Persons, at::HOUSEHOLD, "户编号"),
        (Persons, at::P_NAME, "姓名"),
        (Persons, at::P_PAPER, "证件类型"),
        (Persons, at::P_NUMBER, "证件号码"),
        (Persons, at::P_RELATION, "与户主关系"),
        (Persons, at::P_SEX, "性别"),
        (Persons, at::P_PEOPLE, "民族"),
        (Persons, at::P_HEALTH, "健康状况"),
        (Persons, at::P_CHANGE, "变动类型"),
        (Persons, at::P_CHANGED, "变动日期"),
        (Incomes, at::HOUSEHOLD, "户编号"),
        (Incomes, at::I_YEAR, "年度"),
        (Incomes, at::I_WAGE, "工资性收入"),
        (Incomes, at::I_PRODUCTION, "生产经营性收入"),
        (Incomes, at::I_TRANSFERS, "转移性收入"),
    ] {
        assert_eq!(name(sheet, column), wanted);
    }
}

//! The order of the rows: by key as bytes, code lists by their codes, and no key twice.

use super::super::{Row, Sheet};
use super::judge::codes;
use super::{Kept, county, made, province};

/// The columns of a sheet's key, and the code lists of those that have one.
fn key_columns(sheet: Sheet) -> &'static [(&'static str, Option<&'static str>)] {
    match sheet {
        Sheet::Areas => &[("区划代码", None)],
        Sheet::Organisations => &[("单位编号", None)],
        Sheet::Villages => &[("行政村代码", None), ("年度", None)],
        Sheet::Cadres => &[("工号", None)],
        Sheet::Teams => &[("队编号", None), ("工号", None), ("开始日期", None)],
        // Persons follow their household, the head first.
        Sheet::Households | Sheet::Persons => &[("户编号", None)],
        Sheet::Incomes => &[("户编号", None), ("年度", None)],
        Sheet::Pairings => &[
            ("主体类型", Some("主体类型")),
            ("主体编号", None),
            ("对象类型", Some("对象类型")),
            ("对象编号", None),
            ("开始日期", None),
        ],
        Sheet::Targets => &[("区划代码", None), ("年度", None), ("指标", Some("计划指标"))],
        Sheet::Indicators => &[("区划代码", None), ("期间", None), ("指标", None)],
    }
}

/// Every sheet ascends by its key.
pub(super) fn ascending(kept: &Kept) {
    let codes = codes();
    for sheet in Sheet::ALL {
        let column = |name: &str| sheet.header().iter().position(|header| *header == name).unwrap();
        let columns = key_columns(sheet).iter().map(|(name, list)| (column(name), *list));
        let columns: Vec<(usize, Option<&str>)> = columns.collect();
        let key = |row: &Row| -> Vec<String> {
            let part = |(column, list): &(usize, Option<&'static str>)| {
                let cell = row.cell(*column);
                list.map_or(cell, |list| codes[&(list, cell)]).to_owned()
            };
            columns.iter().map(part).collect()
        };
        let keys: Vec<Vec<String>> = kept.rows(sheet).iter().map(key).collect();
        for pair in keys.windows(2) {
            let same = sheet == Sheet::Persons && pair[0] == pair[1];
            assert!(pair[0] < pair[1] || same, "{sheet:?} {pair:?}");
        }
    }
}

#[test]
fn rows_ascend_in_counties_and_across_a_province() {
    for options in [county("500242", 400), county("530822", 0), province(3_000), province(0)] {
        let (kept, _) = made(&options);
        ascending(&kept);
        assert!(!kept.rows(Sheet::Pairings).is_empty());
    }
}

#[test]
fn numbers_are_text_keys_that_begin_with_their_county() {
    let (kept, _) = made(&province(3_000));
    for (sheet, column) in [(Sheet::Organisations, 0), (Sheet::Cadres, 0), (Sheet::Teams, 0)] {
        for row in kept.rows(sheet) {
            let number = row.cell(column);
            assert!(number.len() <= 32 && number.bytes().all(|b| b.is_ascii_alphanumeric()));
            assert!(number.starts_with("52") && number[..6].bytes().all(|b| b.is_ascii_digit()));
            assert!(!number.contains(['E', 'e']), "{number}");
        }
    }
}

//! What is written is read back as it was.

use std::path::Path;

use daohu_db::Value;
use daohu_policy::Policy;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{Scratch, read_all, rows};
use crate::{
    exchange::{ByteOrderMark, TableWriter, read_table, tables, write_report},
    sheet::{HOUSEHOLDS, Masking, PERSONS, Printer, Reader, Sheet, tests::legal},
};

fn print(sheet: &'static Sheet, policy: &Policy, values: &[Value]) -> Vec<String> {
    let printer = Printer::new(sheet, policy, Masking::Full);
    let mut cells = vec![String::new(); values.len()];
    for (i, (value, cell)) in values.iter().zip(&mut cells).enumerate() {
        printer.print(i, value, cell);
    }
    cells
}

/// Rows of all sheets, in the order of the sheets.
fn sample(policy: &Policy, count: usize) -> Vec<Vec<Vec<Value>>> {
    let mut runner = TestRunner::deterministic();
    Sheet::ALL
        .into_iter()
        .map(|sheet| {
            let rows = proptest::collection::vec(legal::row(sheet, policy), count);
            rows.new_tree(&mut runner).unwrap().current()
        })
        .collect()
}

fn write(
    mut out: TableWriter,
    policy: &Policy,
    data: &[Vec<Vec<Value>>],
) -> Vec<std::path::PathBuf> {
    for (sheet, rows) in Sheet::ALL.into_iter().zip(data) {
        out.begin(sheet, &[]).unwrap();
        for values in rows {
            out.row(&print(sheet, policy, values)).unwrap();
        }
    }
    out.finish().unwrap()
}

/// Reads a file or folder to values; every cell needs no cleaning.
fn read_back(path: &Path, policy: &Policy) -> Vec<Vec<Vec<Value>>> {
    let mut data = vec![Vec::new(); Sheet::ALL.len()];
    for table in tables(path).unwrap() {
        assert!(table.unknown.is_empty());
        let at = Sheet::ALL.iter().position(|sheet| sheet.name == table.sheet.name).unwrap();
        let reader = Reader::new(table.sheet, policy);
        read_table(&table, &mut |number, cells| {
            let read = cells.iter().enumerate().map(|(i, raw)| {
                let read = reader.read(i, *raw);
                let (value, cleaned) = read.unwrap_or_else(|error| {
                    panic!("row {number} {}: {raw:?} {error:?}", table.sheet.columns[i].header)
                });
                assert!(!cleaned, "{raw:?}");
                value
            });
            data[at].push(read.collect());
            Ok(())
        })
        .unwrap();
    }
    data
}

#[test]
fn every_sheet_survives_every_format() {
    let scratch = Scratch::new();
    let policy = Policy::embedded().unwrap();
    let data = sample(&policy, 60);
    for mark in [ByteOrderMark::Without, ByteOrderMark::With] {
        let files = write(TableWriter::csv(scratch.0.path(), mark), &policy, &data);
        assert_eq!(files.len(), Sheet::ALL.len());
        assert_eq!(read_back(scratch.0.path(), &policy), data, "{mark:?}");
        let first = std::fs::read(&files[0]).unwrap();
        assert_eq!(first.starts_with(b"\xef\xbb\xbf"), mark == ByteOrderMark::With);
        assert!(!first.contains(&b'\r'));
        files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
    let path = scratch.path("户.xlsx");
    write(TableWriter::xlsx(&path).unwrap(), &policy, &data);
    assert_eq!(read_back(&path, &policy), data);
}

#[test]
fn the_same_tables_make_the_same_workbook_at_another_time() {
    let scratch = Scratch::new();
    let policy = Policy::embedded().unwrap();
    let data = sample(&policy, 5);
    let written = |name: &str| {
        let path = scratch.path(name);
        write(TableWriter::xlsx(&path).unwrap(), &policy, &data);
        std::fs::read(path).unwrap()
    };
    let first = written("先.xlsx");
    // A workbook tells seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(first == written("后.xlsx"));
}

#[test]
fn a_large_table_goes_on_in_the_next_worksheet() {
    let scratch = Scratch::new();
    let policy = Policy::embedded().unwrap();
    let data = sample(&policy, 8);
    let path = scratch.path("大.xlsx");
    write(TableWriter::xlsx_split(&path, 3).unwrap(), &policy, &data);
    let titles: Vec<_> = tables(&path).unwrap().into_iter().map(|t| t.worksheet.unwrap()).collect();
    assert_eq!(titles[..3], ["行政区划", "行政区划 2", "行政区划 3"]);
    assert_eq!(read_back(&path, &policy), data);
}

#[test]
fn codes_are_written_as_text_and_measures_as_numbers() {
    let scratch = Scratch::new();
    let path = scratch.path("户.xlsx");
    let mut out = TableWriter::xlsx(&path).unwrap();
    out.begin(&HOUSEHOLDS, &[]).unwrap();
    let mut cells = vec![""; HOUSEHOLDS.columns.len()];
    for (header, cell) in [
        ("户编号", "001"),
        ("行政村代码", "990102100200"),
        ("户主姓名", "_x0041_ =1+1"),
        ("银行卡号", "9900001234567890123"),
        ("识别年度", "2015"),
        ("住房面积", "80.5"),
        ("耕地面积", "1234567890.12345678901"),
    ] {
        cells[HOUSEHOLDS.column_of(header).unwrap()] = cell;
    }
    out.row(&cells).unwrap();
    out.finish().unwrap();
    assert_eq!(
        read_all(&path).unwrap()[0].1,
        [
            "no=Text(\"001\")",
            "village=Text(\"990102100200\")",
            "head_name=Text(\"_x0041_ =1+1\")",
            "bank_card=Text(\"9900001234567890123\")",
            "identified_year=Number(2015.0)",
            "farmland_mu=Text(\"1234567890.12345678901\")",
            "floor_area_m2=Number(80.5)",
        ]
    );
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let scratch = Scratch::new();
    scratch.file("persons.csv", "old");
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(scratch.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let cells = vec!["1"; PERSONS.columns.len()];
    for is_csv in [true, false] {
        let mut out = match is_csv {
            true => TableWriter::csv(scratch.0.path(), ByteOrderMark::Without),
            false => TableWriter::xlsx(&scratch.path("人.xlsx")).unwrap(),
        };
        out.begin(&PERSONS, &[]).unwrap();
        out.row(&cells).unwrap();
        assert!(names().iter().any(|name| name.ends_with(".partial")));
        drop(out);
        assert_eq!(names(), ["persons.csv"]);
    }
    assert_eq!(std::fs::read(scratch.path("persons.csv")).unwrap(), b"old");
    let mut out = TableWriter::csv(scratch.0.path(), ByteOrderMark::Without);
    out.begin(&PERSONS, &[]).unwrap();
    out.finish().unwrap();
    assert_eq!(names(), ["persons.csv"]);
    assert!(out_of_place(&scratch).is_err());
}

/// A row before any sheet.
fn out_of_place(scratch: &Scratch) -> Result<(), crate::Error> {
    TableWriter::csv(scratch.0.path(), ByteOrderMark::Without).row(&["1"])
}

#[test]
fn a_report_is_the_same_rows_with_their_outcomes() {
    let scratch = Scratch::new();
    let huge = "长".repeat(40_000);
    let text = format!(
        "户编号,行政村代码,住房面积,户主姓名\nH1,1,80,测一\n\nH2,1,八十,{huge}\nH3,1,,测\0三\n"
    );
    let mut found = tables(&scratch.file("households.csv", text)).unwrap();
    found.extend(tables(&scratch.file("b.csv", "户编号,行政村代码\nH4,1\n")).unwrap());
    let path = scratch.path("report.xlsx");
    let mut asked = Vec::new();
    write_report(&found, TableWriter::xlsx(&path).unwrap(), &mut |table, row| {
        asked.push((table, row));
        (row != 5).then(|| ("拒绝".to_owned(), format!("第 {row} 行")))
    })
    .unwrap();
    assert_eq!(asked, [(0, 2), (0, 4), (0, 5), (1, 2)]);
    let report = tables(&path).unwrap();
    assert_eq!(report.len(), 1);
    assert_eq!(report[0].unknown, ["结果", "原因"]);
    let read = rows(&report[0]).unwrap();
    assert_eq!(read.len(), 4);
    assert!(read[0].1.contains(&"floor_area_m2=Number(80.0)".to_owned()));
    assert!(read[1].1.contains(&"floor_area_m2=Text(\"八十\")".to_owned()));
    // A broken cell is cut to what a spreadsheet holds.
    assert!(read[1].1.iter().any(|cell| cell.starts_with("head_name=") && cell.contains('…')));
}

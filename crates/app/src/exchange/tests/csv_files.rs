//! CSV files.

use encoding_rs::GBK;

use super::{Scratch, read_all, refusal, rows};
use crate::exchange::tables;

const TEXT: &str = "户编号,行政村代码,户主姓名\nH001,990102100200,测一\nH002,990102100201,测二\n";

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn the_encoding_is_found_out() {
    let scratch = Scratch::new();
    let plain = scratch.file("households.csv", TEXT);
    let expected = read_all(&plain).unwrap();
    assert_eq!(expected[0].0, 2);
    assert_eq!(expected[1].1[2], "head_name=Text(\"测二\")");
    for (name, bytes) in [
        ("mark", format!("\u{feff}{TEXT}").into_bytes()),
        ("gbk", GBK.encode(TEXT).0.into_owned()),
        ("little", utf16(TEXT, u16::to_le_bytes)),
        ("big", utf16(TEXT, u16::to_be_bytes)),
        ("crlf", TEXT.replace('\n', "\r\n").into_bytes()),
        ("no line end", TEXT.trim_end().as_bytes().to_vec()),
        ("quoted", TEXT.replace("测二", "\"测二\"").into_bytes()),
    ] {
        let path = scratch.file("户.csv", bytes);
        assert_eq!(read_all(&path).unwrap(), expected, "{name}");
    }
    // Only the cells tell that it is GBK.
    let (gbk, ..) = GBK.encode("aar012,户编号,行政村代码\n1,H001,990102100200\n");
    assert_eq!(read_all(&scratch.file("households.csv", gbk)).unwrap().len(), 1);
}

#[test]
fn characters_across_the_borders_of_buffers_are_read() {
    let scratch = Scratch::new();
    let mut text = "户编号,行政村代码,户主姓名\n".to_owned();
    for i in 0..20_000 {
        text += &format!("H{i},990102100200,测{}\n", "一".repeat(i % 7));
    }
    let plain = read_all(&scratch.file("households.csv", &text)).unwrap();
    let gbk = read_all(&scratch.file("households.csv", GBK.encode(&text).0)).unwrap();
    assert_eq!(plain.len(), 20_000);
    assert_eq!(plain, gbk);
}

#[test]
fn columns_are_found_by_header_or_item_id_in_any_order() {
    let scratch = Scratch::new();
    let text = "aac007,＊户编号*,备注, 行政村代码 ,\n因病,H001,好,990102100200,\n";
    let path = scratch.file("households.csv", text);
    let table = &tables(&path).unwrap()[0];
    assert_eq!(table.unknown, ["备注"]);
    let read = rows(table).unwrap();
    assert_eq!(
        read[0].1,
        ["no=Text(\"H001\")", "village=Text(\"990102100200\")", "main_cause=Text(\"因病\")"]
    );
    // A file of any name is known by its header.
    let path = scratch.file("导出 (3).csv", TEXT);
    assert_eq!(tables(&path).unwrap()[0].sheet.name, "households");
}

#[test]
fn rows_are_numbered_as_a_spreadsheet_shows_them() {
    let scratch = Scratch::new();
    let text = "户编号,行政村代码\nH1,1\n\n\nH2,\"1\"\n,\n\"\nH3\n\n\"\"x\n\ny\",1\n\n5\"H4,1";
    for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("{text}\n\n\n")] {
        let read = read_all(&scratch.file("households.csv", &text)).unwrap();
        let numbers: Vec<u64> = read.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [2, 5, 7, 9], "{text:?}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let scratch = Scratch::new();
    let header = "户编号,行政村代码,户主姓名\n";
    for (text, expected) in [
        ("", "no_header - - -"),
        ("\n\n", "no_header - - -"),
        (" , ,\nH001,1,2\n", "no_header - - -"),
        ("户编号;行政村代码\nH001;1\n", "wrong_delimiter - 1 -"),
        ("户编号\t行政村代码\nH001\t1\n", "wrong_delimiter - 1 -"),
        ("户编号|行政村代码\n", "wrong_delimiter - 1 -"),
        ("户编号，行政村代码\n", "wrong_delimiter - 1 -"),
        ("户编号,户主姓名\nH001,测一\n", "missing_columns - 1 -"),
        ("户编号,行政村代码,主要致贫原因,aac007\n", "duplicate_column - 1 主要致贫原因"),
        (&format!("{header}H001,990102100200,测一\nH002,99,测,二\n"), "too_many_columns - 3 -"),
        (&format!("{header}H001,1,测一\nH002,1,\"测二\nH003,1,测三\n"), "open_quote - 3 -"),
        (&format!("户编号,行政村代码{}\n", ",x".repeat(1_000_000)), "too_many_columns - 1 -"),
        (
            &format!("户编号,行政村代码\nH001,1{}\n", ",x".repeat(1_000_000)),
            "too_many_columns - 2 -",
        ),
    ] {
        let path = scratch.file("households.csv", text);
        assert_eq!(refusal(&path), expected, "{}", text.get(..60).unwrap_or(text));
    }
    let path = scratch.file("a.csv", "甲,乙\n1,2\n");
    assert_eq!(refusal(&path), "unknown_sheet - 1 -");
    assert_eq!(refusal(&scratch.path("none.csv")), "not_found - - -");
}

#[test]
fn a_header_longer_than_any_is_still_text() {
    let scratch = Scratch::new();
    // One of these is cut within a character where the encoding is looked for.
    for padding in ["", "x", "xx"] {
        let text = format!("户编号{padding},行政村代码{}\n", ",列".repeat(40_000));
        let path = scratch.file("households.csv", text);
        assert_eq!(refusal(&path), "too_many_columns - 1 -");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let scratch = Scratch::new();
    let mut mixed = TEXT.as_bytes().to_vec();
    mixed.extend_from_slice(b"H003,990102100200,\xb2\xe2\xff\n");
    let path = scratch.file("households.csv", mixed);
    assert!(refusal(&path).starts_with("bad_encoding - "), "{}", refusal(&path));
    for name in ["户.xls", "households.csv"] {
        let path = scratch.file(name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest");
        assert_eq!(refusal(&path), "not_a_spreadsheet - - -");
        let path = scratch.file(name, b"%PDF-1.7");
        assert_eq!(refusal(&path), "not_a_spreadsheet - - -");
    }
    let path = scratch.file("户.xlsx", "户编号,行政村代码\n");
    assert_eq!(refusal(&path), "damaged - - -");
    assert!(refusal(&scratch.file("households.csv", vec![0; 1000])).contains("columns"));
}

#[test]
fn a_nul_byte_reaches_the_cell_and_is_refused_there() {
    let scratch = Scratch::new();
    let path = scratch.file("households.csv", "户编号,行政村代码,户主姓名\nH001,1,测\0一\n");
    assert_eq!(read_all(&path).unwrap()[0].1[2], "head_name=Text(\"测\\0一\")");
}

#[test]
fn a_row_has_a_limit_and_a_cell_of_ten_megabytes_is_under_it() {
    let scratch = Scratch::new();
    let cell = |bytes| format!("户编号,行政村代码,户主姓名\nH001,1,{}\n", "x".repeat(bytes));
    let path = scratch.file("households.csv", cell(10 << 20));
    assert_eq!(read_all(&path).unwrap().len(), 1);
    let path = scratch.file("households.csv", cell(17 << 20));
    assert_eq!(refusal(&path), "row_too_large - 2 -");
    let open = format!("户编号,行政村代码\nH001,\"1{}", "\nH002,1".repeat(3 << 20));
    assert_eq!(refusal(&scratch.file("households.csv", open)), "row_too_large - 2 -");
}

#[test]
fn a_folder_is_its_files_without_those_of_open_programs() {
    let scratch = Scratch::new();
    scratch.file("households.csv", TEXT);
    scratch.file("~$户.xlsx", "lock");
    scratch.file(".abc.csv", "hidden");
    scratch.file("README.md", "words");
    assert_eq!(tables(scratch.0.path()).unwrap().len(), 1);
}

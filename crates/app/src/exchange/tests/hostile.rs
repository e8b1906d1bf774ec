//! Workbooks that are broken, careless or made to hurt.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{
    Scratch,
    book::{Book, header, row},
    read_all, refusal,
};

fn households(data: &str) -> Book {
    Book::of(&format!("{}{data}", header(1)))
}

#[test]
fn a_workbook_cut_off_anywhere_is_refused() {
    let scratch = Scratch::new();
    let whole = households(&row(2, &["H1", "1", "测一"])).bytes();
    assert!(read_all(&scratch.file("表.xlsx", &whole)).is_ok());
    for length in (4..whole.len()).step_by(7) {
        let path = scratch.file("表.xlsx", &whole[..length]);
        assert_eq!(refusal(&path), "damaged - - -", "{length}");
    }
}

#[test]
fn other_archives_are_no_spreadsheets() {
    let scratch = Scratch::new();
    let book = households("");
    let document = book.clone().part("xl/workbook.xml", "<w:document/>");
    assert_eq!(refusal(&document.save(&scratch)), "not_a_spreadsheet - - -");
    let empty = book.clone().part("_rels/.rels", "<Relationships/>");
    assert_eq!(refusal(&empty.save(&scratch)), "not_a_spreadsheet - - -");
    let lost = book.clone().part("xl/_rels/workbook.xml.rels", "<Relationships/>");
    assert_eq!(refusal(&lost.save(&scratch)), "not_a_spreadsheet - - -");
    let broken = book.part("xl/sharedStrings.xml", "<sst><si><t>x");
    assert_eq!(refusal(&broken.save(&scratch)), "damaged - - -");
}

#[test]
fn merged_cells_in_or_below_the_header_are_refused() {
    let scratch = Scratch::new();
    let book = |range: &str, header_row: usize| {
        let data = format!("{}{}", header(header_row), row(header_row + 1, &["H1", "1"]));
        let merged = format!("<mergeCells count=\"1\"><mergeCell ref=\"{range}\"/></mergeCells>");
        Book::default().sheet("户", &data, &merged).save(&scratch)
    };
    assert_eq!(refusal(&book("A2:A3", 1)), "merged_cells 户 2 A");
    assert_eq!(refusal(&book("B1:C1", 1)), "merged_cells 户 1 B");
    assert_eq!(refusal(&book("AA7:AB9", 1)), "merged_cells 户 7 AA");
    assert!(read_all(&book("A1:C2", 3)).is_ok());
    assert!(read_all(&book("A2:A2", 1)).is_ok());
    // A title merged over the table.
    let data = format!("{}{}", row(1, &["贫困户登记表"]), header(2));
    let merged = "<mergeCells><mergeCell ref=\"A1:C1\"/></mergeCells>";
    let path = Book::default().sheet("户", &data, merged).save(&scratch);
    assert_eq!(refusal(&path), "merged_cells 户 1 A");
}

#[test]
fn formulas_need_a_value() {
    let scratch = Scratch::new();
    for (cell, expected) in [
        ("<c r=\"C2\"><f>A2</f></c>", "formula_without_value 户 2 C"),
        ("<c r=\"C2\"><f>A2</f><v/></c>", "formula_without_value 户 2 C"),
        ("<c r=\"C2\"><f>A2</f><v></v></c>", "formula_without_value 户 2 C"),
        ("<c r=\"C2\" t=\"str\"><f>A2</f></c>", "formula_without_value 户 2 C"),
        ("<c r=\"C2\"><f t=\"shared\" si=\"0\"/></c>", "formula_without_value 户 2 C"),
    ] {
        let path = households(&format!("<row r=\"2\">{cell}</row>")).save(&scratch);
        assert_eq!(refusal(&path), expected, "{cell}");
    }
    // The empty text is a value.
    let cell = "<c r=\"C2\" t=\"str\"><f>A2</f><v></v></c>";
    let path = households(&format!("<row r=\"2\">{cell}</row>")).save(&scratch);
    assert_eq!(read_all(&path), Ok(vec![]));
}

#[test]
fn columns_beyond_any_form_are_refused() {
    let scratch = Scratch::new();
    for (place, expected) in [
        ("ALM2", "too_many_columns 户 2 ALM"),
        ("XFD2", "too_many_columns 户 2 XFD"),
        ("BDWGN2", "too_many_columns 户 2 BDWGN"),
        ("AAAAAAAAAAA2", "damaged 户 - -"),
        ("A99999999999", "damaged 户 - -"),
        ("A0", "damaged 户 - -"),
        ("2", "damaged 户 - -"),
        ("A1048577", "damaged 户 - -"),
        ("A1", "damaged 户 - -"),
    ] {
        let cell = format!("<row r=\"2\"><c r=\"{place}\"><v>1</v></c></row>");
        assert_eq!(refusal(&households(&cell).save(&scratch)), expected, "{place}");
    }
    let wide = format!("<row r=\"1\">{}</row>", "<c><v>1</v></c>".repeat(16_384));
    assert_eq!(refusal(&Book::of(&wide).save(&scratch)), "too_many_columns 户 1 ALM");
    let xml = "<worksheet><dimension ref=\"C3:A1\"/><sheetData/></worksheet>";
    let path = Book::default().raw_sheet("户", xml).save(&scratch);
    assert_eq!(refusal(&path), "damaged 户 - -");
}

#[test]
fn rows_that_run_backwards_or_stand_twice_are_refused() {
    let scratch = Scratch::new();
    for numbers in [[3, 2], [2, 2]] {
        let data: String = numbers.iter().map(|n| row(*n, &["H1"])).collect();
        assert_eq!(refusal(&households(&data).save(&scratch)), "damaged 户 - -");
    }
}

#[test]
fn ten_megabytes_in_a_cell_are_refused_with_their_place() {
    let scratch = Scratch::new();
    // Not compressible a thousandfold, so that it is the cell that is refused.
    let huge: String =
        (0..10 << 20).map(|i: u64| char::from(b'a' + u8::try_from(i * i % 23).unwrap())).collect();
    let path = households(&row(2, &["H1", "1", &huge])).save(&scratch);
    assert_eq!(refusal(&path), "cell_too_large 户 2 C");
    let runs = format!("<r><t>{}</t></r>", "y".repeat(1000)).repeat(2000);
    let cell = format!("<row r=\"2\"><c r=\"B2\" t=\"inlineStr\"><is>{runs}</is></c></row>");
    assert_eq!(refusal(&households(&cell).save(&scratch)), "cell_too_large 户 2 B");
    // What stands once in the shared strings is named where it is used.
    let shared = households("<row r=\"2\"><c r=\"C2\" t=\"s\"><v>0</v></c></row>")
        .part("xl/sharedStrings.xml", format!("<sst><si><t>{huge}</t></si></sst>"));
    assert_eq!(refusal(&shared.save(&scratch)), "cell_too_large 户 2 C");
    // In the header too.
    let path = Book::of(&row(1, &["户编号", &huge])).save(&scratch);
    assert_eq!(refusal(&path), "cell_too_large 户 1 B");
    // Many cells, each small, in one row.
    let cells = format!("<c r=\"A2\"><v>{}</v></c>", "1".repeat(100_000)).repeat(200);
    let path = households(&format!("<row r=\"2\">{cells}</row>")).save(&scratch);
    assert_eq!(refusal(&path), "row_too_large 户 2 -");
}

#[test]
fn bombs_are_refused_before_they_burst() {
    let scratch = Scratch::new();
    let begun = Instant::now();
    let spaces = vec![b' '; 100 << 20];
    let sheet = Book::default().raw_sheet("户", [b"<worksheet>".to_vec(), spaces.clone()].concat());
    let strings = households("").part("xl/sharedStrings.xml", spaces);
    for book in [&sheet, &strings] {
        let bytes = book.bytes();
        assert!(bytes.len() < 1 << 20);
        let path = scratch.file("表.xlsx", &bytes);
        assert!(refusal(&path).starts_with("too_large "), "{}", refusal(&path));
        // The same with a directory that says it is small.
        let path = scratch.file("表.xlsx", understated(bytes));
        assert!(refusal(&path).starts_with("damaged "), "{}", refusal(&path));
    }
    let styles = households("").part("xl/styles.xml", "<xf/>".repeat(3_000_000));
    assert_eq!(refusal(&styles.save(&scratch)), "too_large - - -");
    let promise =
        households("").part("xl/sharedStrings.xml", "<sst uniqueCount=\"999999999999\"/>");
    assert_eq!(refusal(&promise.save(&scratch)), "too_large - - -");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// The same archive, its directory saying that big parts unpack to 1,000 bytes.
fn understated(mut archive: Vec<u8>) -> Vec<u8> {
    let entries: Vec<usize> = archive
        .windows(4)
        .enumerate()
        .filter(|(_, w)| w == b"PK\x01\x02")
        .map(|(i, _)| i)
        .collect();
    for at in entries {
        let size = &mut archive[at + 24..at + 28];
        if u32::from_le_bytes(size.try_into().unwrap()) > 1 << 20 {
            size.copy_from_slice(&1000_u32.to_le_bytes());
        }
    }
    archive
}

#[test]
fn xml_that_two_parsers_could_read_differently_is_refused() {
    let scratch = Scratch::new();
    let utf16 = "\u{feff}<worksheet><sheetData/></worksheet>";
    let utf16: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for xml in [
        utf16,
        b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><worksheet><sheetData/></worksheet>".to_vec(),
        b"<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet><sheetData/></worksheet>".to_vec(),
        b"<worksheet><sheetData x=\"<c>\"/></worksheet>".to_vec(),
        b"<worksheet><sheetData><!-- <c>".to_vec(),
        [b"<worksheet ".to_vec(), vec![b' '; 1 << 20]].concat(),
    ] {
        let path = Book::default().raw_sheet("户", xml).save(&scratch);
        assert_eq!(refusal(&path), "damaged 户 - -");
    }
    let double = households("").part("XL/Worksheets/Sheet1.xml", "<worksheet/>");
    assert_eq!(refusal(&double.save(&scratch)), "damaged - - -");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever is done to its parts, a workbook is read or refused; nothing falls over.
    #[test]
    fn damaged_parts_never_panic(
        part in 0..3_usize,
        cuts in proptest::collection::vec((0..2000_usize, "[<>/\"=&;:A-Z0-9 crvft!?-]{0,6}"), 1..4),
    ) {
        let scratch = Scratch::new();
        let data = format!(
            "{}{}<row r=\"3\"><c r=\"A3\" t=\"s\"><v>0</v></c><c r=\"C3\" s=\"1\"><f>1</f><v>2</v></c></row>",
            header(1), row(2, &["H1", "1", "测一"]));
        let parts = [
            ("xl/worksheets/sheet1.xml", format!("<worksheet><dimension ref=\"A1:C3\"/><sheetData>\
                {data}</sheetData><mergeCells><mergeCell ref=\"D1:D1\"/></mergeCells></worksheet>")),
            ("xl/sharedStrings.xml", "<sst uniqueCount=\"1\"><si><t>x</t></si></sst>".to_owned()),
            ("xl/styles.xml", "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy[h]\"/>\
                </numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>".to_owned()),
        ];
        let mut book = households("");
        for (i, (name, xml)) in parts.into_iter().enumerate() {
            let mut xml = xml;
            for (at, text) in cuts.iter().filter(|_| i == part) {
                let mut at = at % xml.len();
                while !xml.is_char_boundary(at) {
                    at -= 1;
                }
                let end = (at..=xml.len()).filter(|i| xml.is_char_boundary(*i)).nth(1).unwrap_or(at);
                xml.replace_range(at..end, text);
            }
            book = book.part(name, xml);
        }
        let _ = read_all(&book.save(&scratch));
    }
}

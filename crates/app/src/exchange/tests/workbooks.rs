//! Workbooks as spreadsheet programs write them.

use super::{
    Scratch,
    book::{Book, header, row},
    read_all, refusal,
};
use crate::exchange::tables;

#[test]
fn worksheets_are_known_by_title_or_header() {
    let scratch = Scratch::new();
    let village = row(2, &["H1", "990102100200"]);
    let data = format!("{}{village}", header(1));
    let book = Book::default()
        .sheet("说明", &row(1, &["填表说明"]), "")
        .sheet("户", &data, "")
        .sheet("户 2", &data, "")
        .sheet("户(3)", &data, "")
        .sheet("户（4）", &data, "")
        .sheet("Sheet1", &data, "")
        .sheet("空", "", "")
        .sheet("年度收入", &row(3, &["户编号", "年度"]), "");
    let tables = tables(&book.save(&scratch)).unwrap();
    let found: Vec<_> = tables
        .iter()
        .map(|table| (table.worksheet.as_deref().unwrap(), table.sheet.name))
        .collect();
    assert_eq!(
        found,
        [
            ("户", "households"),
            ("户 2", "households"),
            ("户(3)", "households"),
            ("户（4）", "households"),
            ("Sheet1", "households"),
            ("年度收入", "incomes")
        ]
    );
    assert_eq!(tables[0].other_worksheets, ["说明"]);
}

#[test]
fn a_workbook_without_a_known_worksheet_is_refused() {
    let scratch = Scratch::new();
    let book = Book::default().sheet("说明", &row(4, &["填表说明"]), "").sheet("空", "", "");
    assert_eq!(refusal(&book.save(&scratch)), "unknown_sheet 说明 4 -");
    assert_eq!(refusal(&Book::of("").save(&scratch)), "no_header - - -");
    let book = Book::of(&row(2, &["户编号", "户主姓名"]));
    assert_eq!(refusal(&book.save(&scratch)), "missing_columns 户 2 -");
}

/// Styles 1 and 2 are dates, 3 is a duration.
const STYLES: &str = "<styleSheet><numFmts><numFmt numFmtId=\"164\" \
    formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;\"/></numFmts><cellXfs>\
    <xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"46\"/>\
    </cellXfs></styleSheet>";
const STRINGS: &str = "<sst uniqueCount=\"3\"><si><t>测一</t></si>\
    <si><r><t>测</t></r><rPh sb=\"0\" eb=\"1\"><t>ce</t></rPh><r><t xml:space=\"preserve\">二 </t></r></si>\
    <si><t>A&amp;B&lt;</t></si></sst>";

#[test]
fn cells_of_every_type_are_read() {
    let scratch = Scratch::new();
    let book = |data: &str| {
        let book = Book::of(&format!("{}{data}", header(1)));
        book.part("xl/styles.xml", STYLES).part("xl/sharedStrings.xml", STRINGS)
    };
    for (cell, expected) in [
        ("<c r=\"C2\" t=\"s\"><v>0</v></c>", "Text(\"测一\")"),
        ("<c r=\"C2\" t=\"s\"><v>1</v></c>", "Text(\"测二 \")"),
        ("<c r=\"C2\" t=\"s\"><v>2</v></c>", "Text(\"A&B<\")"),
        ("<c r=\"C2\" t=\"inlineStr\"><is><t>测三</t></is></c>", "Text(\"测三\")"),
        ("<c r=\"C2\" t=\"inlineStr\"><is><t><![CDATA[<b>]]></t></is></c>", "Text(\"<b>\")"),
        ("<c r=\"C2\"><v>12.5</v></c>", "Number(12.5)"),
        ("<c r=\"C2\" t=\"n\"><v>9.90102197001010112E17</v></c>", "Number(9.901021970010102e17)"),
        ("<c r=\"C2\" s=\"1\"><v>42369</v></c>", "Date(42369.0)"),
        ("<c r=\"C2\" s=\"2\"><v>42369.5</v></c>", "Date(42369.5)"),
        ("<c r=\"C2\" s=\"3\"><v>1.5</v></c>", "Number(1.5)"),
        ("<c r=\"C2\" t=\"d\"><v>2015-12-31</v></c>", "Text(\"2015-12-31\")"),
        ("<c r=\"C2\" t=\"b\"><v>1</v></c>", "Flag(true)"),
        ("<c r=\"C2\" t=\"e\"><v>#N/A</v></c>", "Broken(\"#N/A\")"),
        ("<c r=\"C2\"><f>1+1</f><v>2</v></c>", "Number(2.0)"),
        ("<c r=\"C2\" t=\"str\"><f>A2&amp;B2</f><v>x</v></c>", "Text(\"x\")"),
        ("<c r=\"C2\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>", "Broken(\"#DIV/0!\")"),
        ("<c r=\"C2\"><f t=\"shared\" si=\"0\"/><v>3</v></c>", "Number(3.0)"),
        ("<!-- a comment --><c r=\"C2\"><v>4</v></c>", "Number(4.0)"),
    ] {
        let path = book(&format!("<row r=\"2\">{cell}</row>")).save(&scratch);
        let expected = format!("head_name={expected}");
        assert_eq!(read_all(&path), Ok(vec![(2, vec![expected])]), "{cell}");
    }
    let dates = book("<row r=\"2\"><c r=\"C2\" s=\"1\"><v>40907</v></c></row>").since_1904();
    let read = read_all(&dates.save(&scratch)).unwrap();
    assert_eq!(read[0].1, ["head_name=Date(42369.0)"]);
}

#[test]
fn rows_keep_the_numbers_that_the_spreadsheet_shows() {
    let scratch = Scratch::new();
    let blank =
        "<row r=\"6\"><c r=\"A6\" s=\"0\"/><c r=\"B6\" t=\"inlineStr\"><is><t> </t></is></c></row>";
    let data = format!(
        "<row r=\"1\"/>{}{}{blank}{}",
        header(2),
        row(5, &["H1", "1"]),
        row(900_000, &["H2", "1"])
    );
    let read = read_all(&Book::of(&data).save(&scratch)).unwrap();
    let numbers: Vec<u64> = read.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [5, 900_000]);
}

#[test]
fn names_of_places_and_namespaces_may_be_left_out_or_given() {
    let scratch = Scratch::new();
    let cell = |text: &str| format!("<x:c t=\"inlineStr\"><x:is><x:t>{text}</x:t></x:is></x:c>");
    let row = |a: &str, b: &str| format!("<x:row>{}<x:c/>{}</x:row>", cell(a), cell(b));
    let data = format!("{}{}", row("户编号", "行政村代码"), row("H1", "990102100200"));
    let xml = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?><x:worksheet xmlns:x=\"u\">\
         <x:dimension ref=\"A1:C2\"/><x:sheetPr codeName=\"a&gt;>b\"/>\
         <x:sheetData>{data}</x:sheetData></x:worksheet>"
    );
    let read = read_all(&Book::default().raw_sheet("户", xml).save(&scratch)).unwrap();
    assert_eq!(
        read,
        [(2, vec!["no=Text(\"H1\")".to_owned(), "village=Text(\"990102100200\")".to_owned()])]
    );
}

#[test]
fn cells_without_a_header_are_not_read() {
    let scratch = Scratch::new();
    let data = format!("{}{}", header(1), row(2, &["H1", "1", "测一", "旁注"]));
    let read = read_all(&Book::of(&data).save(&scratch)).unwrap();
    assert_eq!(read[0].1.len(), 3);
}

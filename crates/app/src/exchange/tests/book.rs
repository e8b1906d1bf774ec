//! Workbooks made by hand, as careless or hostile as a test needs them.

use std::{
    io::{Cursor, Write},
    path::PathBuf,
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::Scratch;

const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of a workbook.
#[derive(Clone, Default)]
pub(super) struct Book {
    titles: Vec<String>,
    parts: Vec<(String, Vec<u8>)>,
    properties: String,
}

impl Book {
    /// A workbook of one worksheet 户 with this content of `sheetData`.
    pub(super) fn of(data: &str) -> Self {
        Self::default().sheet("户", data, "")
    }

    /// Adds a worksheet: the content of `sheetData`, and what follows it.
    pub(super) fn sheet(self, title: &str, data: &str, after: &str) -> Self {
        let xml = format!("<worksheet><sheetData>{data}</sheetData>{after}</worksheet>");
        self.raw_sheet(title, xml)
    }

    /// Adds a worksheet with this whole content.
    pub(super) fn raw_sheet(mut self, title: &str, xml: impl Into<Vec<u8>>) -> Self {
        self.titles.push(title.to_owned());
        let name = format!("xl/worksheets/sheet{}.xml", self.titles.len());
        self.part(&name, xml)
    }

    /// Adds or replaces a part.
    pub(super) fn part(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.parts.retain(|(other, _)| other != name);
        self.parts.push((name.to_owned(), content.into()));
        self
    }

    /// Counts days from 1904.
    pub(super) fn since_1904(mut self) -> Self {
        self.properties = "<workbookPr date1904=\"1\"/>".to_owned();
        self
    }

    /// The archive.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut sheets = String::new();
        let mut relations = String::new();
        for (i, title) in self.titles.iter().enumerate() {
            sheets += &format!("<sheet name=\"{title}\" sheetId=\"{i}\" r:id=\"rId{i}\"/>");
            relations += &format!(
                "<Relationship Id=\"rId{i}\" Type=\"{TYPES}/worksheet\" \
                 Target=\"worksheets/sheet{}.xml\"/>",
                i + 1
            );
        }
        let root = format!(
            "<Relationships><Relationship Id=\"r\" Type=\"{TYPES}/officeDocument\" \
             Target=\"xl/workbook.xml\"/></Relationships>"
        );
        let workbook = format!("<workbook>{}<sheets>{sheets}</sheets></workbook>", self.properties);
        let relations = format!("<Relationships>{relations}</Relationships>");
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let own = [
            ("_rels/.rels", root.as_bytes()),
            ("xl/workbook.xml", workbook.as_bytes()),
            ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ];
        let own = own.into_iter().filter(|(name, _)| self.parts.iter().all(|(n, _)| n != name));
        let others = self.parts.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
        for (name, content) in own.chain(others) {
            zip.start_file(name, options).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// Writes it.
    pub(super) fn save(&self, scratch: &Scratch) -> PathBuf {
        scratch.file("表.xlsx", self.bytes())
    }
}

/// A row of text cells, the first in column A.
pub(super) fn row(number: usize, cells: &[&str]) -> String {
    let cell = |(i, text): (usize, &&str)| {
        let column = char::from(b'A' + u8::try_from(i).unwrap());
        format!("<c r=\"{column}{number}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    };
    let cells: String = cells.iter().enumerate().map(cell).collect();
    format!("<row r=\"{number}\">{cells}</row>")
}

/// The header of the smallest legal sheet of households, in row `number`.
pub(super) fn header(number: usize) -> String {
    row(number, &["户编号", "行政村代码", "户主姓名"])
}

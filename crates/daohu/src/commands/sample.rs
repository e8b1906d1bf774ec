//! `daohu sample`: a made-up county or province in the exchange format.

use std::{path::Path, process::ExitCode};

use daohu_app::{
    Lang,
    exchange::{TableWriter, read_table, tables},
    sheet::Sheet,
};

use super::Done;
use crate::{
    cli::{FormatArg, SampleArgs},
    output::{Failure, json, line},
    sample::{self, AreaRow, Counts, CsvSink, Options, Place, SheetCounts},
    tables::print_rows,
    traces::{Traces, is_there},
};

/// The areas that the program carries: the country to its counties, and three counties whole.
const AREAS: [&str; 4] = [
    include_str!("../../../../data/areas/country.csv"),
    include_str!("../../../../data/areas/500242.csv"),
    include_str!("../../../../data/areas/511623.csv"),
    include_str!("../../../../data/areas/530822.csv"),
];

/// The name of a sample in one file.
const WORKBOOK: &str = "sample.xlsx";

pub(crate) fn run(args: &SampleArgs, lang: Lang) -> Done {
    let place = match (&args.county, &args.province) {
        (Some(code), _) => Place::County { code: code.clone() },
        (None, code) => Place::Province { code: code.clone().unwrap_or_default() },
    };
    let (households, seed, year, dirty) = (args.households, args.seed, args.year, args.dirty);
    let options = Options { households, seed, year, dirty, place };
    let names = match args.format {
        FormatArg::Csv => sample::Sheet::ALL.map(sample::Sheet::file).to_vec(),
        FormatArg::Xlsx => vec![WORKBOOK.to_owned()],
    };
    if let Some(file) = names.iter().map(|name| args.out.join(name)).find(|file| is_there(file)) {
        let file = file.display();
        return Err(Failure::refusal(
            format!("{file} 已经存在；请换一个 --out，或先移走它"),
            format!("{file} is there already: choose another --out, or move it away"),
        ));
    }
    let traces = Traces::before(&args.out, names.iter().map(|name| args.out.join(name)));
    let counts = match write_as(args.format, &options, &args.out) {
        Ok(counts) => counts,
        Err(failure) => {
            traces.remove();
            return Err(failure);
        }
    };
    let rows = |sheet: SheetCounts| {
        serde_json::json!({
            "rows": sheet.rows,
            "cleanable": sheet.cleanable,
            "rejectable": sheet.rejectable,
            "orphaned": sheet.orphaned,
        })
    };
    if args.json {
        let sheets = counts.each().map(|(sheet, counts)| (sheet.name().to_owned(), rows(*counts)));
        json(&serde_json::Value::from(sheets.collect::<serde_json::Map<_, _>>()))?;
    } else {
        print(&counts, lang)?;
        line(args.out.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(counts: &Counts, lang: Lang) -> Result<(), Failure> {
    let heads = match lang {
        Lang::Zh => ["表", "行", "可改正", "应拒绝", "连带拒绝"],
        Lang::En => ["sheet", "rows", "cleanable", "rejectable", "orphaned"],
    };
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(counts.each().map(|(sheet, counts)| {
        let title = Sheet::called_by(sheet.name(), lang);
        let counts = [counts.rows, counts.cleanable, counts.rejectable, counts.orphaned];
        let counts = counts.into_iter().map(|count| count.to_string());
        std::iter::once(title.to_owned()).chain(counts).collect()
    }));
    print_rows(rows)
}

fn write_as(format: FormatArg, options: &Options, out: &Path) -> Result<Counts, Failure> {
    match format {
        FormatArg::Csv => write(options, out),
        FormatArg::Xlsx => {
            let folder = tempfile::tempdir()?;
            let counts = write(options, folder.path())?;
            std::fs::create_dir_all(out)?;
            workbook(folder.path(), &out.join(WORKBOOK))?;
            Ok(counts)
        }
    }
}

/// Writes CSV files.
pub(crate) fn write(options: &Options, folder: &Path) -> Result<Counts, Failure> {
    let refuse = |error: sample::Error| {
        Failure::refusal(
            format!("样本没有写出：{error}"),
            format!("no sample was written: {error}"),
        )
    };
    let mut areas: Vec<AreaRow> = Vec::new();
    for text in AREAS {
        areas.extend(sample::read_areas(text.as_bytes()).map_err(refuse)?);
    }
    let mut sink = CsvSink::create(folder).map_err(refuse)?;
    let counts = sample::write(&areas, options, &mut sink).map_err(refuse)?;
    sink.finish().map_err(refuse)?;
    Ok(counts)
}

/// Puts the sheets that an import reads from a folder into one workbook.
fn workbook(folder: &Path, file: &Path) -> Result<(), Failure> {
    let mut out = TableWriter::xlsx(file)?;
    let files = Sheet::ALL.into_iter().map(|sheet| folder.join(format!("{}.csv", sheet.name)));
    for file in files.filter(|file| file.exists()) {
        for table in tables(&file)? {
            out.begin(table.sheet, &[])?;
            read_table(&table, &mut |_, cells| {
                let row: Vec<String> = cells.iter().map(ToString::to_string).collect();
                out.row(&row)
            })?;
        }
    }
    out.finish()?;
    Ok(())
}

//! Parquet exports, read back with a reader that knows nothing of the program.

use std::{fs::File, path::Path};

use daohu_app::sheet::{Kind, Sheet};
use daohu_base::{Day, Fen};
use daohu_db::Engine;
use parquet::{
    basic::{LogicalType, Type},
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

use crate::harness::Place;

fn export(place: &Place, format: &str, name: &str, more: &[&str]) -> String {
    let out = place.folder().join(name).display().to_string();
    let args = ["export", "--area", "500242", "--format", format, "--out", &out];
    place.run(&[&args[..], more].concat()).expect(0);
    out
}

fn open(folder: &str, sheet: &Sheet) -> SerializedFileReader<File> {
    let path = Path::new(folder).join(format!("{}.parquet", sheet.name));
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

/// A cell as CSV has it.
fn shown(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Bool(flag) => if *flag { "是" } else { "否" }.to_owned(),
        Field::Long(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Date(days) => Day::from_epoch_days(i64::from(*days)).to_string(),
        Field::Decimal(yuan) => {
            assert_eq!((yuan.precision(), yuan.scale()), (18, 2));
            Fen(i64::from_be_bytes(yuan.data().try_into().unwrap())).to_string()
        }
        Field::Str(text) => text.clone(),
        other => unreachable!("{other:?}"),
    }
}

/// Compares each cell of a folder of Parquet files with CSV; gives how many are filled.
fn compare(parquet: &str, csv: &str) -> usize {
    let mut filled = 0;
    for sheet in Sheet::ALL {
        let reader = open(parquet, sheet);
        let mut csv =
            csv::Reader::from_path(Path::new(csv).join(format!("{}.csv", sheet.name))).unwrap();
        let headers: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
        let columns = reader.metadata().file_metadata().schema_descr().columns();
        let titles: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let headers: Vec<&str> = headers.iter().map(|h| h.trim_start_matches('\u{feff}')).collect();
        assert_eq!(titles, headers, "{}", sheet.name);
        let mut rows = reader.get_row_iter(None).unwrap();
        for record in csv.records() {
            let (record, row) = (record.unwrap(), rows.next().unwrap().unwrap());
            let cells: Vec<String> = row.get_column_iter().map(|(_, cell)| shown(cell)).collect();
            assert_eq!(cells, record.iter().collect::<Vec<_>>(), "{}", sheet.name);
            filled += cells.iter().filter(|cell| !cell.is_empty()).count();
        }
        assert!(rows.next().is_none(), "{}", sheet.name);
    }
    filled
}

#[tokio::test]
async fn a_parquet_export_holds_the_cells_of_the_csv_export_in_the_same_bytes_everywhere() {
    let mut first: Option<Vec<Vec<u8>>> = None;
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(60);
        place.run(&["import", "--json", &sample]).expect(0);
        let (csv, out) = (export(&place, "csv", "csv", &[]), export(&place, "parquet", "one", &[]));
        assert!(compare(&out, &csv) > 5_000, "{engine:?}");
        let masked = export(&place, "csv", "masked", &["--masked"]);
        let covered = export(&place, "parquet", "covered", &["--masked"]);
        compare(&covered, &masked);
        let again = export(&place, "parquet", "two", &[]);
        let read = |folder: &str| -> Vec<Vec<u8>> {
            let path = |sheet: &Sheet| Path::new(folder).join(format!("{}.parquet", sheet.name));
            Sheet::ALL.iter().map(|sheet| std::fs::read(path(sheet)).unwrap()).collect()
        };
        let bytes = read(&out);
        assert!(bytes == read(&again), "{engine:?}: two exports of one state differ");
        assert!(first.as_ref().is_none_or(|first| *first == bytes), "the engines differ");
        first = Some(bytes);
    }
}

#[tokio::test]
async fn parquet_columns_have_the_types_of_what_they_hold_and_files_say_what_they_are() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    place.run(&["import", "--json", &sample]).expect(0);
    let out = export(&place, "parquet", "out", &["--masked"]);
    for sheet in Sheet::ALL {
        let reader = open(&out, sheet);
        let file = reader.metadata().file_metadata();
        for (column, found) in sheet.columns.iter().zip(file.schema_descr().columns()) {
            let wanted = match column.kind {
                Kind::Flag => (Type::BOOLEAN, None),
                Kind::Day => (Type::INT32, Some(LogicalType::Date)),
                Kind::Yuan => (Type::INT64, Some(LogicalType::decimal(2, 18))),
                Kind::Count(_) | Kind::Year => (Type::INT64, None),
                Kind::Quantity(..) => (Type::DOUBLE, None),
                _ => (Type::BYTE_ARRAY, Some(LogicalType::String)),
            };
            let found = (found.physical_type(), found.logical_type_ref().cloned());
            assert_eq!(found, wanted, "{} {}", sheet.name, column.header);
        }
        let told = file.key_value_metadata().unwrap();
        let told = |key: &str| told.iter().find(|pair| pair.key == key).unwrap().value.clone();
        assert_eq!(told("daohu.sheet").as_deref(), Some(sheet.name));
        assert_eq!(told("daohu.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(told("daohu.masked").as_deref(), Some("true"));
        let columns: serde_json::Value =
            serde_json::from_str(&told("daohu.columns").unwrap()).unwrap();
        for (told, column) in columns.as_array().unwrap().iter().zip(sheet.columns) {
            assert_eq!(
                (&told["title"], &told["name"]),
                (&column.header.into(), &column.name.into())
            );
        }
    }
}

#[tokio::test]
async fn parquet_files_are_not_imported_and_who_tries_is_told_what_to_do() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    place.run(&["import", "--json", &sample]).expect(0);
    let out = export(&place, "parquet", "out", &["--what", "persons"]);
    let file = format!("{out}/persons.parquet");
    for path in [&file, &out] {
        let told = place.run(&["--lang", "en", "import", path]).expect(1).stderr();
        assert!(
            told.contains("persons.parquet") && told.contains("export as CSV or XLSX"),
            "{told}"
        );
        let told = place.run(&["--lang", "zh", "import", path]).expect(1).stderr();
        assert!(told.contains("CSV 或 XLSX"), "{told}");
    }
}

#[tokio::test]
async fn several_sheets_are_exported_by_their_names_and_others_refused() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    place.run(&["import", "--json", &sample]).expect(0);
    let every = Sheet::ALL.map(|sheet| format!("{}.csv", sheet.name));
    for (what, names) in [
        ("persons, households,户", vec!["households.csv", "persons.csv"]),
        ("pairings", vec!["pairings.csv"]),
        ("all,pairings", every.iter().map(String::as_str).collect()),
    ] {
        let out = export(&place, "csv", what, &["--what", what]);
        let mut found: Vec<String> = std::fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        let mut names = names;
        names.sort_unstable();
        assert_eq!(found, names, "{what}");
    }
    let out = place.folder().join("none").display().to_string();
    for what in ["wishes", "households,wishes", "households,", ""] {
        let args = ["export", "--area", "500242", "--out", &out, "--what", what];
        let told = place.run(&args).expect(2).stderr();
        for sheet in Sheet::ALL {
            assert!(told.contains(sheet.name), "{told}");
        }
    }
    assert!(!Path::new(&out).exists());
}

//! Parquet files of several row groups.

use daohu_db::Value;
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

use crate::{
    exchange::parquet_writer::ParquetFolder,
    sheet::{VILLAGES, village},
};

#[test]
fn rows_beyond_a_row_group_go_into_the_next_and_money_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = ParquetFolder::split(folder.path(), 3);
    out.begin(&VILLAGES).unwrap();
    // More digits than a float holds.
    let fen = |i: i64| 123_456_789_012_345_678 - i;
    for i in 0..10_i64 {
        let mut values = vec![Value::Null; VILLAGES.columns.len()];
        values[village::VILLAGE] = format!("99010110000{i}").into();
        values[village::YEAR] = (2000 + i).into();
        if i % 2 == 0 {
            values[village::COLLECTIVE_INCOME_FEN] = fen(i).into();
        }
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            value => format!("{value:?}"),
        };
        let texts: Vec<String> = values.iter().map(text).collect();
        out.row(&values, &texts).unwrap();
    }
    let files = out.finish().unwrap();
    assert_eq!(files, [folder.path().join("villages.parquet")]);
    let reader = SerializedFileReader::new(std::fs::File::open(&files[0]).unwrap()).unwrap();
    let groups = reader.metadata().row_groups().iter().map(|group| group.num_rows());
    assert_eq!(groups.collect::<Vec<_>>(), [3, 3, 3, 1]);
    for (i, row) in (0..).zip(reader.get_row_iter(None).unwrap()) {
        let cells: Vec<Field> =
            row.unwrap().get_column_iter().map(|(_, cell)| cell.clone()).collect();
        assert_eq!(cells[village::YEAR], Field::Long(2000 + i));
        match &cells[village::COLLECTIVE_INCOME_FEN] {
            Field::Decimal(yuan) => assert_eq!(yuan.data(), fen(i).to_be_bytes()),
            other => assert_eq!((other, i % 2), (&Field::Null, 1)),
        }
    }
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = ParquetFolder::split(folder.path(), 3);
    out.begin(&VILLAGES).unwrap();
    drop(out);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

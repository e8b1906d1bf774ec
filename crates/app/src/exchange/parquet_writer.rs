//! Tables written as a folder of Parquet files, for programs that count and compare: every column has
//! a type, and null is not known.
//!
//! Nothing in a file depends on the run or the engine, so that two exports of one state are the same
//! bytes. As with spreadsheets, a file has its name only when it is whole.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use daohu_base::Day;
use daohu_db::Value;
use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel},
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};

use super::table_writer::{Partial, not_begun};
use crate::{
    Error,
    sheet::{Column, Kind, Masking, Sheet},
};

/// Rows that wait in memory to be written column by column: the widest sheet takes some 30 MB.
const ROW_GROUP_ROWS: usize = 32_768;
/// Amounts are yuan with two decimals, held as whole fen; a whole number of 64 bits has 18 digits.
const MONEY_DIGITS: i32 = 18;
const MONEY_DECIMALS: i32 = 2;
/// Who wrote the file, as readers know it from other programs.
const CREATED_BY: &str = concat!("daohu version ", env!("CARGO_PKG_VERSION"));

/// Writes tables: [`begin`](Self::begin) a sheet, write its rows, begin the next, and
/// [`finish`](Self::finish). Dropped before that, it leaves nothing.
pub(super) struct ParquetFolder {
    folder: PathBuf,
    masking: Masking,
    row_group_rows: usize,
    whole: Vec<Partial>,
    current: Option<ParquetFile>,
}

struct ParquetFile {
    file: Partial,
    writer: SerializedFileWriter<File>,
    columns: Vec<Cells>,
    rows: usize,
}

/// The cells of a column that wait to be written.
struct Cells {
    /// Which rows have one: 1, or 0 for null.
    levels: Vec<i16>,
    held: Held,
}

/// Cells that are not null.
enum Held {
    Flags(Vec<bool>),
    Days(Vec<i32>),
    Whole(Vec<i64>),
    Measured(Vec<f64>),
    /// Texts, one behind the other, and where each ends.
    Words(Vec<u8>, Vec<usize>),
}

impl ParquetFolder {
    /// One file for each sheet in an existing folder. `masking` is what the cells are printed with, for
    /// the files to tell.
    pub(super) fn new(folder: &Path, masking: Masking) -> Self {
        let (folder, row_group_rows) = (folder.to_owned(), ROW_GROUP_ROWS);
        Self { folder, masking, row_group_rows, whole: Vec::new(), current: None }
    }

    /// One whose row groups hold few rows.
    #[cfg(test)]
    pub(super) fn split(folder: &Path, row_group_rows: usize) -> Self {
        Self { row_group_rows, ..Self::new(folder, Masking::Full) }
    }

    /// Begins a sheet.
    pub(super) fn begin(&mut self, sheet: &'static Sheet) -> Result<(), Error> {
        self.end()?;
        let file = Partial::create(&self.folder.join(format!("{}.parquet", sheet.name)))?;
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(about(sheet, self.masking)))
            .build();
        let handle = file.temporary.as_file().try_clone()?;
        let writer = SerializedFileWriter::new(handle, schema(sheet)?, Arc::new(properties));
        let columns = sheet.columns.iter().map(|column| Cells::of(column.kind)).collect();
        let writer = writer.map_err(failed)?;
        self.current = Some(ParquetFile { file, writer, columns, rows: 0 });
        Ok(())
    }

    /// Writes a row: of each column the value, and the cell as [`crate::sheet::Printer`] prints it.
    pub(super) fn row(&mut self, values: &[Value], texts: &[String]) -> Result<(), Error> {
        let file = self.current.as_mut().ok_or_else(not_begun)?;
        for ((cells, value), text) in file.columns.iter_mut().zip(values).zip(texts) {
            cells.push(value, text)?;
        }
        file.rows += 1;
        if file.rows == self.row_group_rows { file.flush() } else { Ok(()) }
    }

    /// Puts the files under their names; gives these.
    pub(super) fn finish(mut self) -> Result<Vec<PathBuf>, Error> {
        self.end()?;
        // All are whole before the first gets its name.
        self.whole.into_iter().map(|file| Ok(file.finish()?)).collect()
    }

    /// Ends the file that is being written.
    fn end(&mut self) -> Result<(), Error> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        current.flush()?;
        current.writer.close().map_err(failed)?;
        self.whole.push(current.file);
        Ok(())
    }
}

impl ParquetFile {
    /// Writes the rows that wait as a row group.
    fn flush(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.rows) == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for cells in &mut self.columns {
            let column = group.next_column().map_err(failed)?.ok_or_else(not_begun)?;
            cells.write(column).map_err(failed)?;
        }
        group.close().map_err(failed)?;
        Ok(())
    }
}

impl Cells {
    fn of(kind: Kind) -> Self {
        let held = match kind {
            Kind::Flag => Held::Flags(Vec::new()),
            Kind::Day => Held::Days(Vec::new()),
            Kind::Yuan | Kind::Count(_) | Kind::Year => Held::Whole(Vec::new()),
            Kind::Quantity(..) => Held::Measured(Vec::new()),
            Kind::Text(_)
            | Kind::Key
            | Kind::Area(_)
            | Kind::Group
            | Kind::Code(_)
            | Kind::Codes(..)
            | Kind::Period
            | Kind::Secret(_) => Held::Words(Vec::new(), Vec::new()),
        };
        Self { levels: Vec::new(), held }
    }

    fn push(&mut self, value: &Value, text: &str) -> Result<(), Error> {
        if text.is_empty() {
            self.levels.push(0);
            return Ok(());
        }
        match (&mut self.held, value) {
            (Held::Flags(cells), Value::Int(flag)) => cells.push(*flag != 0),
            (Held::Whole(cells), Value::Int(number)) => cells.push(*number),
            (Held::Measured(cells), Value::Real(number)) => cells.push(*number),
            (Held::Days(cells), Value::Text(day)) => {
                let day = Day::parse(day).map_err(io::Error::other)?;
                cells.push(i32::try_from(day.epoch_days()).map_err(io::Error::other)?);
            }
            (Held::Words(words, ends), _) => {
                words.extend_from_slice(text.as_bytes());
                ends.push(words.len());
            }
            _ => return Err(io::Error::other("a value of another type than its column").into()),
        }
        self.levels.push(1);
        Ok(())
    }

    /// Writes the cells; none is left.
    fn write(&mut self, mut column: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = Some(self.levels.as_slice());
        match &mut self.held {
            Held::Flags(cells) => {
                column.typed::<BoolType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Held::Days(cells) => {
                column.typed::<Int32Type>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Held::Whole(cells) => {
                column.typed::<Int64Type>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Held::Measured(cells) => {
                column.typed::<DoubleType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Held::Words(words, ends) => {
                let (words, mut from) = (Bytes::from(std::mem::take(words)), 0);
                let cut =
                    |to: usize| ByteArray::from(words.slice(std::mem::replace(&mut from, to)..to));
                let cells: Vec<ByteArray> = ends.drain(..).map(cut).collect();
                column.typed::<ByteArrayType>().write_batch(&cells, levels, None)?;
            }
        }
        self.levels.clear();
        column.close()
    }
}

/// The columns under the titles that they have in a spreadsheet.
fn schema(sheet: &Sheet) -> Result<TypePtr, Error> {
    let fields: Result<Vec<TypePtr>, ParquetError> = sheet.columns.iter().map(field).collect();
    let schema = Type::group_type_builder(sheet.name).with_fields(fields.map_err(failed)?);
    Ok(Arc::new(schema.build().map_err(failed)?))
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let field = |physical, logical| {
        Type::primitive_type_builder(column.header, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
    };
    let field = match (Cells::of(column.kind).held, column.kind) {
        (Held::Flags(_), _) => field(Physical::BOOLEAN, None),
        (Held::Days(_), _) => field(Physical::INT32, Some(LogicalType::Date)),
        (Held::Whole(_), Kind::Yuan) => {
            let money = LogicalType::decimal(MONEY_DECIMALS, MONEY_DIGITS);
            let field = field(Physical::INT64, Some(money));
            field.with_precision(MONEY_DIGITS).with_scale(MONEY_DECIMALS)
        }
        (Held::Whole(_), _) => field(Physical::INT64, None),
        (Held::Measured(_), _) => field(Physical::DOUBLE, None),
        (Held::Words(..), _) => field(Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Ok(Arc::new(field.build()?))
}

/// What a reader should know of a file beside its rows.
fn about(sheet: &Sheet, masking: Masking) -> Vec<KeyValue> {
    let column = |column: &Column| serde_json::json!({ "title": column.header, "name": column.name, "meaning": column.doc });
    let columns: Vec<serde_json::Value> = sheet.columns.iter().map(column).collect();
    let masked = masking == Masking::Masked;
    [
        ("daohu.sheet", sheet.name.to_owned()),
        ("daohu.title", sheet.title.to_owned()),
        ("daohu.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("daohu.masked", masked.to_string()),
        ("daohu.columns", serde_json::Value::from(columns).to_string()),
    ]
    .into_iter()
    .map(|(key, value)| KeyValue::new(key.to_owned(), value))
    .collect()
}

/// A full disk is told as what it is.
fn failed(error: ParquetError) -> Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => (*cause).into(),
            Err(cause) => io::Error::other(cause).into(),
        },
        other => io::Error::other(other.to_string()).into(),
    }
}

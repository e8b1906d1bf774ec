//! The archive's contents: what its parts are, how rows become bytes, and the sums by which tables are compared.
//! The whole of the format: `docs/backup-format.md`.

use daohu_db::{Applied, Migration, StoredTable, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::BackupError;
use crate::{journal::Position, keys::hex};

/// The first bytes of an archive.
pub(super) const MAGIC: [u8; 8] = *b"daohu-bk";
/// The version of the format that this program writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;
/// A block of rows ends with the row that reaches this length.
pub(super) const BLOCK_BYTES: usize = 1 << 20;
/// No block is longer: bounds the memory of whoever reads. A row is never cut.
pub(super) const BLOCK_BYTES_MAX: usize = 64 << 20;

/// The first byte of a block: what it holds.
const TABLE: u8 = b'T';
const ROWS: u8 = b'R';
const END: u8 = b'E';

/// The first byte of a cell.
const NULL: u8 = 0;
const INT: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;

/// What an archive tells without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Names the backup; its journal entry has it, too.
    pub(super) id: String,
    /// The version of the program that wrote it.
    pub(super) program: String,
    /// When its picture was taken, in milliseconds.
    pub(super) created_at: i64,
    /// The key file that opens it: see `Keys::name`.
    pub(super) key_file: String,
    /// The migrations that made its tables, in order.
    pub(super) schema: Vec<Applied>,
    /// How far the journal had come.
    pub(super) journal: Position,
}

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// The table's name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The sum of the SHA-256 of all rows modulo 2²⁵⁶, in hex: the same in whatever order the rows stand.
    pub hash: String,
}

/// A table as it was read, and as it was found where it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedTable {
    /// What was read.
    #[serde(flatten)]
    pub source: TableSum,
    /// The rows that are stored.
    pub target_rows: u64,
    /// Their sum.
    pub target_hash: String,
}

/// The last block: what the archive holds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trailer {
    tables: Vec<TableSum>,
}

/// A part of an archive.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// A table begins: the rows that follow are its.
    Table(StoredTable),
    /// Rows of the table that began last.
    Rows(Vec<Vec<Value>>),
    /// All tables were there; what they hold.
    End(Vec<TableSum>),
}

/// A block of rows in the making.
#[derive(Debug, Default)]
pub(super) struct RowsBlock {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl RowsBlock {
    /// Adds a row; true if the block is full.
    pub(super) fn push(&mut self, row: &[Value]) -> bool {
        if self.bytes.is_empty() {
            self.bytes.push(ROWS);
        }
        put_row(&mut self.bytes, row);
        self.ends.push(self.bytes.len());
        self.bytes.len() >= BLOCK_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Empties it; its room stays.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// The block as it is stored.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(1).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start..*end))
    }
}

impl Part {
    /// The block of a table's beginning.
    pub(super) fn table(table: &StoredTable) -> Result<Vec<u8>, serde_json::Error> {
        Ok([&[TABLE], serde_json::to_vec(table)?.as_slice()].concat())
    }

    /// The last block.
    pub(super) fn end(tables: &[TableSum]) -> Result<Vec<u8>, serde_json::Error> {
        let trailer = Trailer { tables: tables.to_vec() };
        Ok([&[END], serde_json::to_vec(&trailer)?.as_slice()].concat())
    }

    /// Reads a block; `width` is the number of columns of the table that began last.
    pub(super) fn read(block: &[u8], width: usize) -> Option<Self> {
        let (kind, rest) = block.split_first()?;
        match *kind {
            TABLE => serde_json::from_slice(rest).ok().map(Self::Table),
            ROWS => read_rows(rest, width).map(Self::Rows),
            END => {
                let trailer: Trailer = serde_json::from_slice(rest).ok()?;
                Some(Self::End(trailer.tables))
            }
            _ => None,
        }
    }
}

/// The bytes of a row: those of its cells, one after the other.
fn put_row(out: &mut Vec<u8>, row: &[Value]) {
    for cell in row {
        match cell {
            Value::Null => out.push(NULL),
            Value::Int(i) => {
                out.push(INT);
                // Small numbers of either sign become short ones: 0, -1, 1, -2 …
                put_length(out, ((i << 1) ^ (i >> 63)).cast_unsigned());
            }
            Value::Real(x) => {
                out.push(REAL);
                // SQLite knows but one zero.
                let x = if *x == 0.0 { 0.0 } else { *x };
                out.extend_from_slice(&x.to_le_bytes());
            }
            Value::Text(text) => put_bytes(out, TEXT, text.as_bytes()),
            Value::Blob(bytes) => put_bytes(out, BLOB, bytes),
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    put_length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Seven bits a byte, the low ones first; the eighth says that more follow.
fn put_length(out: &mut Vec<u8>, mut length: u64) {
    loop {
        let [low, ..] = length.to_le_bytes();
        length >>= 7;
        if length == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn read_rows(mut bytes: &[u8], width: usize) -> Option<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        // Rows without cells would never end.
        let row = (width > 0).then(|| read_row(&mut bytes, width))??;
        rows.push(row);
    }
    Some(rows)
}

fn read_row(bytes: &mut &[u8], width: usize) -> Option<Vec<Value>> {
    (0..width).map(|_| read_cell(bytes)).collect()
}

fn read_cell(bytes: &mut &[u8]) -> Option<Value> {
    Some(match take::<1>(bytes)? {
        [NULL] => Value::Null,
        [INT] => {
            let folded = read_length(bytes)?;
            Value::Int((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
        }
        [REAL] => Value::Real(f64::from_le_bytes(take(bytes)?)),
        [TEXT] => Value::Text(str::from_utf8(read_bytes(bytes)?).ok()?.to_owned()),
        [BLOB] => Value::Blob(read_bytes(bytes)?.to_vec()),
        _ => return None,
    })
}

fn read_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(read_length(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn read_length(bytes: &mut &[u8]) -> Option<u64> {
    let mut length = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let [byte] = take(bytes)?;
        length |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(length);
        }
    }
    None
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

/// The sum of a table, row by row.
#[derive(Debug, Default)]
struct Sum {
    rows: u64,
    /// The low part first.
    hash: [u64; 4],
}

impl Sum {
    /// Adds the bytes of a row.
    fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        let digest: [u8; 32] = Sha256::digest(row).into();
        let (parts, _) = digest.as_chunks::<8>();
        let mut carry = false;
        for (sum, part) in self.hash.iter_mut().zip(parts.iter().rev()) {
            let (with_part, over) = sum.overflowing_add(u64::from_be_bytes(*part));
            let (with_carry, over_again) = with_part.overflowing_add(u64::from(carry));
            (*sum, carry) = (with_carry, over || over_again);
        }
    }

    /// What the table holds.
    fn of(&self, table: &str) -> TableSum {
        let bytes: Vec<u8> = self.hash.iter().rev().flat_map(|part| part.to_be_bytes()).collect();
        TableSum { table: table.to_owned(), rows: self.rows, hash: hex(&bytes) }
    }
}

/// The sums of tables, one after the other.
#[derive(Debug, Default)]
pub(super) struct Sums {
    done: Vec<TableSum>,
    current: Option<(String, Sum)>,
}

impl Sums {
    /// The rows that follow are of this table.
    pub(super) fn begin(&mut self, table: &str) {
        self.end_table();
        self.current = Some((table.to_owned(), Sum::default()));
    }

    pub(super) fn add_block(&mut self, block: &RowsBlock) {
        if let Some((_, sum)) = &mut self.current {
            block.rows().for_each(|row| sum.add(row));
        }
    }

    /// What all of them hold.
    pub(super) fn finish(&mut self) -> Vec<TableSum> {
        self.end_table();
        std::mem::take(&mut self.done)
    }

    fn end_table(&mut self) {
        let ended = self.current.take().map(|(table, sum)| sum.of(&table));
        self.done.extend(ended);
    }
}

/// Sets what was read beside what was found, table by table. An error names one where they differ.
pub(super) fn compare(
    source: Vec<TableSum>,
    target: Vec<TableSum>,
) -> Result<Vec<ComparedTable>, BackupError> {
    if let Some((sum, _)) = source.iter().zip(&target).find(|(sum, found)| sum != found) {
        return Err(BackupError::Differs { table: sum.table.clone() });
    }
    let beside = |(source, target): (TableSum, TableSum)| {
        let TableSum { rows: target_rows, hash: target_hash, .. } = target;
        ComparedTable { source, target_rows, target_hash }
    };
    Ok(source.into_iter().zip(target).map(beside).collect())
}

/// The migrations that made an archive's tables: the first of those that the program knows.
pub(super) fn schema_of(
    header: &Header,
    known: &'static [Migration],
) -> Result<&'static [Migration], BackupError> {
    let newest = |numbers: Option<i64>| numbers.unwrap_or_default();
    let found = newest(header.schema.last().map(|applied| applied.number));
    let newer = BackupError::NewerSchema { found, known: newest(known.last().map(|m| m.number)) };
    for (applied, mine) in header.schema.iter().zip(known) {
        if mine.applied() != *applied {
            return Err(BackupError::OtherSchema(applied.number));
        }
    }
    known.get(..header.schema.len()).ok_or(newer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Int),
            (-300_i64..300).prop_map(Value::Int),
            any::<f64>().prop_filter("not a number", |x| !x.is_nan()).prop_map(Value::Real),
            ".{0,200}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..200).prop_map(Value::Blob),
        ]
    }

    fn block(rows: &[Vec<Value>]) -> RowsBlock {
        let mut block = RowsBlock::default();
        for row in rows {
            block.push(row);
        }
        block
    }

    fn sum(rows: &[Vec<Value>]) -> TableSum {
        let mut sums = Sums::default();
        sums.begin("t");
        sums.add_block(&block(rows));
        let [sum] = sums.finish().try_into().unwrap();
        sum
    }

    proptest! {
        #[test]
        fn rows_come_back_from_their_bytes(
            rows in (1_usize..5).prop_flat_map(|width| {
                let row = proptest::collection::vec(cell(), width);
                proptest::collection::vec(row, 1..20)
            }),
        ) {
            let width = rows[0].len();
            let read = Part::read(block(&rows).bytes(), width);
            prop_assert_eq!(read, Some(Part::Rows(rows)));
        }

        #[test]
        fn a_sum_does_not_depend_on_the_order_and_tells_any_other_row(
            rows in proptest::collection::vec(proptest::collection::vec(cell(), 2), 1..20),
            turn in any::<prop::sample::Index>(),
        ) {
            let turn = turn.index(rows.len());
            let mut turned = rows.clone();
            turned.rotate_left(turn);
            prop_assert_eq!(sum(&turned), sum(&rows));
            turned[0][0] = match &turned[0][0] {
                Value::Null => Value::Int(0),
                _ => Value::Null,
            };
            prop_assert_ne!(sum(&turned), sum(&rows));
        }

        #[test]
        fn bytes_that_are_no_rows_are_refused_quietly(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            width in 0_usize..4,
        ) {
            Part::read(&bytes, width);
        }
    }

    #[test]
    fn the_bytes_of_a_row_are_those_of_the_format() {
        let row = [
            Value::Null,
            (-1).into(),
            300.into(),
            (-0.0).into(),
            "户".into(),
            vec![0_u8; 130].into(),
        ];
        let head =
            [0, 1, 1, 1, 0xd8, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 0xe6, 0x88, 0xb7, 4, 0x82, 1];
        let block = block(&[row.to_vec()]);
        assert_eq!(block.bytes()[1..], [&head[..], &[0; 130]].concat());
        assert_eq!(block.rows().count(), 1);
        assert_eq!(block.rows().next(), block.bytes().get(1..));
    }

    #[test]
    fn the_carry_of_a_sum_goes_through() {
        let mut sum = Sum { rows: 0, hash: [u64::MAX, u64::MAX, u64::MAX, 0] };
        sum.add(b"");
        // The SHA-256 of nothing, and 2^192 - 1 before it.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = "e3b0c44298fc1c159afbf4c8996fb92427ae41e4649b934ca495991b7852b854";
        assert_eq!(sum.of("t").hash, expected);
        let mut sum = Sum::default();
        sum.add(b"");
        assert_eq!(sum.of("t"), TableSum { table: "t".into(), rows: 1, hash: empty.into() });
    }

    #[test]
    fn an_archive_of_a_later_or_another_schema_is_told() {
        static KNOWN: [Migration; 2] = [
            Migration { number: 1, name: "a", sql: "create table a (id bigint);" },
            Migration { number: 2, name: "b", sql: "create table b (id bigint);" },
        ];
        let header = |schema: Vec<Applied>| Header {
            id: "id".into(),
            program: "0".into(),
            created_at: 0,
            key_file: "k".into(),
            schema,
            journal: Position::default(),
        };
        let of = |schema: &[Applied]| schema_of(&header(schema.to_vec()), &KNOWN);
        let all: Vec<Applied> = KNOWN.iter().map(Migration::applied).collect();
        assert_eq!(of(&all[..1]).unwrap().len(), 1);
        assert_eq!(of(&all).unwrap().len(), 2);
        let later = Applied { number: 3, name: "c".into(), hash: "0".into() };
        let newer = BackupError::NewerSchema { found: 3, known: 2 };
        assert_eq!(of(&[all.clone(), vec![later]].concat()).unwrap_err(), newer);
        let other = Applied { hash: "0".into(), ..all[1].clone() };
        let other = [all[0].clone(), other];
        assert_eq!(of(&other).unwrap_err(), BackupError::OtherSchema(2));
    }
}

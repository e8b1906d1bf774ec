//! Reading a list: its numbers become blind indexes row by row, and nothing else of it is kept that is not asked for.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use daohu_base::Day;
use daohu_db::Value;
use daohu_policy::{Crosscheck, Policy};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::model::{Counts, Index, Told};
use crate::{
    Error, FieldError, Lang,
    exchange::{FileError, FileProblem, list_tables, read_table},
    jobs::Progress,
    keys::{Keys, hex},
    sheet::{CellError, Column, Kind, Raw, Reader, Secret, Sheet, field_error, id_number},
};

/// Rows between two looks at whether somebody asked to stop.
const LOOK_ROWS: u64 = 4096;
/// Longest name that is compared.
const NAME_CHARACTERS_MAX: usize = 50;
/// Longest text that tells a fact.
const FACT_CHARACTERS_MAX: usize = 100;

const fn column(header: &'static str, name: &'static str, kind: Kind, required: bool) -> Column {
    Column { header, aliases: &[], name, kind, required, doc: "" }
}

/// What is read of a list. Its headers are those of the pack.
static LIST: Sheet = Sheet {
    name: "checked_list",
    title: "比对名单",
    columns: &[
        column("证件号码", "id_number", Kind::Secret(Secret::IdNumber), true),
        column("姓名", "name", Kind::Text(NAME_CHARACTERS_MAX), false),
        column("金额", "amount", Kind::Yuan, false),
        column("事项", "fact", Kind::Text(FACT_CHARACTERS_MAX), false),
    ],
};

const ID_NUMBER: usize = 0;
const NAME: usize = 1;
const AMOUNT: usize = 2;
const FACT: usize = 3;

/// A cell of a list that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each name says what it is")]
pub struct BadCell {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worksheet: Option<String>,
    /// From 1, the header.
    pub row: u64,
    pub column: String,
    pub code: &'static str,
    pub message: String,
}

/// A list as it was read.
#[derive(Debug)]
pub(super) struct List {
    pub(super) check: String,
    /// The file's name without its folders.
    pub(super) name: String,
    /// SHA-256 of the file, in hex.
    pub(super) digest: String,
    pub(super) counts: Counts,
    /// Some of the cells that cannot be used.
    pub(super) bad: Vec<BadCell>,
    /// Columns of the check that the file has not.
    pub(super) missing: Vec<&'static str>,
    pub(super) index: Index,
}

/// What reading needs besides the file.
pub(super) struct Reading<'a> {
    pub(super) keys: &'a Keys,
    pub(super) policy: &'a Policy,
    /// Bounds birth dates.
    pub(super) today: Day,
    pub(super) lang: Lang,
    pub(super) progress: &'a Progress,
}

impl Reading<'_> {
    /// Reads a list that a check is asked of.
    pub(super) fn list(&self, check: &Crosscheck, path: &Path) -> Result<List, Error> {
        let names = self.policy.crosschecks();
        let [amount, fact] =
            [&check.amount, &check.fact].map(|headers| headers.as_deref().unwrap_or_default());
        let headers = [&names.id_number[..], &names.name[..], amount, fact];
        let tables = list_tables(path, &LIST, &headers)?;
        let has = |column: usize| tables.iter().all(|table| table.map.contains(&Some(column)));
        let wanted = [(NAME, true), (AMOUNT, !amount.is_empty()), (FACT, !fact.is_empty())];
        let missing = wanted.into_iter().filter(|(column, is_wanted)| *is_wanted && !has(*column));
        let missing = missing.filter_map(|(column, _)| LIST.columns.get(column));
        let mut list = List {
            check: check.head.id.clone(),
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            digest: digest(path)?,
            counts: Counts::default(),
            bad: Vec::new(),
            missing: missing.map(|column| column.name).collect(),
            index: Index::default(),
        };
        let reader = Reader::new(&LIST, self.policy);
        for table in &tables {
            read_table(table, &mut |row, cells| {
                if list.counts.rows.is_multiple_of(LOOK_ROWS) {
                    self.progress.check()?;
                }
                self.row(&reader, &mut list, (table.worksheet.as_deref(), row), cells).map_err(
                    |problem| FileError::new(PathBuf::from(path), problem).at_row(row).into(),
                )
            })?;
        }
        let usable = list.counts.rows - list.counts.bad_rows;
        list.counts.repeated = usable.saturating_sub(list.index.finish());
        Ok(list)
    }

    fn row(
        &self,
        reader: &Reader<'_>,
        list: &mut List,
        place: (Option<&str>, u64),
        cells: &[Raw<'_>],
    ) -> Result<(), FileProblem> {
        let at = |i: usize| cells.get(i).copied().unwrap_or(Raw::Empty);
        list.counts.rows += 1;
        self.progress.rows_done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let number = reader.read(ID_NUMBER, at(ID_NUMBER)).and_then(|(value, is_cleaned)| {
            Ok((id_number(value.as_text().unwrap_or_default(), self.today)?, is_cleaned))
        });
        let (number, is_cleaned) = match number {
            Ok(number) => number,
            Err(error) => {
                list.counts.bad_rows += 1;
                self.tell(list, place, ID_NUMBER, (at(ID_NUMBER), &error));
                return Ok(());
            }
        };
        list.counts.cleaned += u64::from(is_cleaned);
        let mut is_doubtful = false;
        let [name, amount, fact] = [NAME, AMOUNT, FACT].map(|i| match reader.read(i, at(i)) {
            Ok((value, _)) => value,
            Err(error) => {
                is_doubtful = true;
                self.tell(list, place, i, (at(i), &error));
                Value::Null
            }
        });
        list.counts.doubtful += u64::from(is_doubtful);
        let row = u32::try_from(place.1).unwrap_or(u32::MAX);
        let fact = fact.as_text().map(|fact| self.fact(fact));
        let told = Told { row, name: name.as_text(), amount_fen: amount.as_int(), fact };
        let is_kept = list.index.push(self.keys.identity(number.person()), told);
        let bytes_max = u64::from(u32::MAX);
        if is_kept { Ok(()) } else { Err(FileProblem::TooLarge { bytes_max }) }
    }

    /// A blind index of what tells a fact; never 0.
    fn fact(&self, text: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.keys.identity(&format!("fact {text}"));
        u64::from_be_bytes([a, b, c, d, e, f, g, h]).max(1)
    }

    /// Notes a cell that cannot be used, while there are few.
    fn tell(
        &self,
        list: &mut List,
        (worksheet, row): (Option<&str>, u64),
        column: usize,
        (raw, error): (Raw<'_>, &CellError),
    ) {
        let Some(column) = LIST.columns.get(column) else { return };
        if list.bad.len() >= self.policy.crosschecks().told_rows_max {
            return;
        }
        // Names are not repeated: what is told may be kept where the list is not.
        let shown = Some(raw.to_string()).filter(|_| column.kind == Kind::Yuan);
        let FieldError { code, message, .. } =
            field_error(column, shown.as_deref(), error, self.lang);
        let (worksheet, column) = (worksheet.map(str::to_owned), column.header.to_owned());
        list.bad.push(BadCell { worksheet, row, column, code, message });
    }
}

fn digest(path: &Path) -> Result<String, Error> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}

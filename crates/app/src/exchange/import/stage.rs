//! The first pass: cells are read, rows checked by themselves and sorted: those of a household together,
//! those of a register by their key.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use daohu_db::Value;
use daohu_policy::Policy;
use serde::{Deserialize, Serialize};

use super::{
    check::{Checker, cell_note},
    registers,
};
use crate::{
    Error,
    exchange::{
        outcome::{Note, Outcome, Outcomes, Place},
        source::{TableRef, read_table},
        spill::{Sorted, Spill},
    },
    households::{Derived, alike},
    jobs::Progress,
    keys::Keys,
    quality::Cells,
    registers::rules::{self, BadCell},
    sheet::{
        AREAS, HOUSEHOLDS, INCOMES, Kind, PAIRINGS, PERSONS, Raw, Reader, Sheet, household, income,
        pairing, person,
    },
};

/// Memory for rows that wait to be decided.
const ROWS_BYTES: usize = 32 << 20;
/// Memory for rows of registers that wait to be decided.
const REGISTER_BYTES: usize = 8 << 20;
/// Memory for names and birth dates that wait to be compared.
const ALIKES_BYTES: usize = 8 << 20;
/// Memory for ID numbers that wait to be compared.
const NUMBERS_BYTES: usize = 16 << 20;
/// Tables read at the same time: the deciding half takes longer than this many readers.
const THREADS_MAX: usize = 4;
/// How much of a value a message repeats.
const SHOWN_CHARACTERS: usize = 40;

/// A row that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) place: Place,
    /// In the order of the sheet's columns.
    pub(super) values: Vec<Value>,
    /// What is doubtful about it, so far.
    pub(super) notes: Vec<Note>,
    /// True if it was refused already and only stands for its key.
    pub(super) is_dead: bool,
    /// What the person of a good row of 人 has in common with others, computed once.
    pub(super) alike: Option<i64>,
}

/// All rows of an import, ready to be decided.
pub(super) struct Staged {
    /// Rows of 行政区划, in the order of the files.
    pub(super) areas: Vec<Row>,
    /// Rows of households, and of what hangs on them: by 户编号, sheet and place.
    pub(super) rows: Sorted,
    /// Rows of registers: by sheet, key and place.
    pub(super) registers: Sorted,
    /// ID numbers: blind index and place, with the 户编号.
    pub(super) numbers: Sorted,
    /// What probable duplicates have in common, and place, with the 户编号.
    pub(super) alikes: Sorted,
    /// What became of the rows refused so far.
    pub(super) outcomes: Outcomes,
    /// For each table, the columns that its file has.
    pub(super) present: Vec<Vec<bool>>,
    /// Where it was sorted.
    pub(super) folder: Arc<Path>,
}

/// What reading needs.
pub(super) struct Reading {
    pub(super) policy: Arc<Policy>,
    pub(super) keys: Arc<Keys>,
    pub(super) progress: Arc<Progress>,
    pub(super) today: daohu_base::Day,
    pub(super) lang: crate::Lang,
    /// Where what does not fit into memory is sorted.
    pub(super) folder: Arc<Path>,
}

/// Reads all tables, several at a time. Blocks: files are read and cells are parsed.
pub(super) fn stage(
    reading: &Reading,
    tables: &[TableRef],
    outcomes: impl Fn() -> Outcomes + Sync,
) -> Result<Staged, Error> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(tables.len()).clamp(1, THREADS_MAX);
    let next = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let work = || {
        let mut part = Part::new(threads, &reading.folder);
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(table) = tables.get(i) else { return part };
            let mut read = outcomes();
            let done = part.read(reading, table, i, &mut read, &has_failed);
            has_failed.fetch_or(done.is_err(), Ordering::Relaxed);
            part.outcomes.insert(i, done.map(|()| read));
        }
    };
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let parts = threads.into_iter().map(|thread| thread.join().map_err(|_| Error::Cancelled));
        parts.collect::<Result<Vec<Part>, Error>>()
    })?;
    let total = reading.progress.rows_done.swap(0, Ordering::Relaxed);
    reading.progress.rows_total.store(total, Ordering::Relaxed);
    together(tables, parts, outcomes(), Arc::clone(&reading.folder))
}

/// Puts together what the threads read; of several failures, that of the first table is told.
fn together(
    tables: &[TableRef],
    parts: Vec<Part>,
    mut outcomes: Outcomes,
    folder: Arc<Path>,
) -> Result<Staged, Error> {
    let (mut areas, mut rows) = (Vec::new(), Vec::new());
    let (mut registers, mut numbers, mut alikes) = (Vec::new(), Vec::new(), Vec::new());
    let mut by_table = BTreeMap::new();
    for part in parts {
        areas.extend(part.areas);
        rows.push(part.rows);
        registers.push(part.registers);
        numbers.push(part.numbers);
        alikes.push(part.alikes);
        by_table.extend(part.outcomes);
    }
    let mut stopped = None;
    for read in by_table.into_values() {
        match read {
            Ok(read) => outcomes.add(read),
            // Another table's failure made this one stop.
            Err(Error::Cancelled) => stopped = Some(Error::Cancelled),
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    areas.sort_by_key(|row: &Row| row.place);
    let has = |table: &TableRef| {
        let has = |column| table.map.contains(&Some(column));
        (0..table.sheet.columns.len()).map(has).collect()
    };
    let present = tables.iter().map(has).collect();
    let (rows, numbers) = (Spill::merged(rows)?, Spill::merged(numbers)?);
    let (registers, alikes) = (Spill::merged(registers)?, Spill::merged(alikes)?);
    Ok(Staged { areas, rows, registers, numbers, alikes, outcomes, present, folder })
}

/// What one thread reads.
struct Part {
    areas: Vec<Row>,
    rows: Spill,
    registers: Spill,
    numbers: Spill,
    alikes: Spill,
    outcomes: BTreeMap<usize, Result<Outcomes, Error>>,
    buffer: Vec<u8>,
}

impl Part {
    /// The part of one of so many threads.
    fn new(threads: usize, folder: &Arc<Path>) -> Self {
        Self {
            areas: Vec::new(),
            rows: Spill::new(ROWS_BYTES / threads, folder),
            registers: Spill::new(REGISTER_BYTES / threads, folder),
            numbers: Spill::new(NUMBERS_BYTES / threads, folder),
            alikes: Spill::new(ALIKES_BYTES / threads, folder),
            outcomes: BTreeMap::new(),
            buffer: Vec::new(),
        }
    }

    fn read(
        &mut self,
        reading: &Reading,
        table: &TableRef,
        i: usize,
        outcomes: &mut Outcomes,
        has_failed: &AtomicBool,
    ) -> Result<(), Error> {
        let table_no = u16::try_from(i).unwrap_or(u16::MAX);
        let mut parser = Parser::new(reading, table.sheet, table_no);
        read_table(table, &mut |number, cells| {
            reading.progress.check()?;
            if has_failed.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            let row = parser.parse(number, cells, outcomes)?;
            reading.progress.rows_done.fetch_add(1, Ordering::Relaxed);
            self.keep(reading, table.sheet, row)
        })?;
        outcomes.count_cleaned(table_no, parser.cleaned);
        Ok(())
    }

    fn keep(&mut self, reading: &Reading, sheet: &'static Sheet, row: Row) -> Result<(), Error> {
        if std::ptr::eq(sheet, &raw const AREAS) {
            self.areas.push(row);
            return Ok(());
        }
        if std::ptr::eq(sheet, &raw const PERSONS) && !row.is_dead {
            push_number(reading, &row, &mut self.numbers)?;
            push_alike(&row, &mut self.alikes)?;
        }
        let (key, spill) = match household_column(sheet, &row, &reading.policy) {
            Some(i) => (sort_key(sheet, &row, i), &mut self.rows),
            None => (registers::sort_key(sheet, &row), &mut self.registers),
        };
        let Some(key) = key else { return Ok(()) };
        self.buffer.clear();
        postcard::to_io(&row, &mut self.buffer).map_err(std::io::Error::other)?;
        Ok(spill.push(&key, &self.buffer)?)
    }
}

/// The column of 户编号 of what hangs on a household.
fn household_column(sheet: &Sheet, row: &Row, policy: &Policy) -> Option<usize> {
    match sheet.name {
        name if name == HOUSEHOLDS.name => Some(household::NO),
        name if name == PERSONS.name => Some(person::HOUSEHOLD_NO),
        name if name == INCOMES.name => Some(income::HOUSEHOLD_NO),
        name if name == PAIRINGS.name => {
            rules::helps_household(policy, &row.values).then_some(pairing::OBJECT)
        }
        _ => None,
    }
}

/// 户编号, zero, sheet, place: groups a household's rows, households first.
fn sort_key(sheet: &Sheet, row: &Row, i: usize) -> Option<Vec<u8>> {
    let no = Cells(&row.values).text(i)?;
    let mut key = no.as_bytes().to_vec();
    key.push(0);
    key.push(u8::try_from(sheet.order()).unwrap_or(u8::MAX));
    key.extend(row.place.to_bytes());
    Some(key)
}

/// The parts of [`sort_key`]: 户编号 and the sheet.
pub(super) fn split_key(key: &[u8]) -> Option<(&[u8], &'static Sheet)> {
    let end = key.len().checked_sub(12)?;
    let sheet = Sheet::ALL.get(usize::from(*key.get(end + 1)?))?;
    Some((key.get(..end)?, sheet))
}

fn push_alike(row: &Row, alikes: &mut Spill) -> Result<(), Error> {
    if let Some(alike) = row.alike {
        let key: Vec<u8> = alike.to_be_bytes().into_iter().chain(row.place.to_bytes()).collect();
        let no = Cells(&row.values).text(person::HOUSEHOLD_NO).unwrap_or_default();
        alikes.push(&key, no.as_bytes())?;
    }
    Ok(())
}

fn push_number(reading: &Reading, row: &Row, numbers: &mut Spill) -> Result<(), Error> {
    let marks = crate::households::Marks::new(&reading.policy);
    let derived = Derived::of(marks, &reading.keys, &row.values);
    if let (Some(identity), true) = (derived.identity, derived.is_unique) {
        let key: Vec<u8> = identity.into_iter().chain(row.place.to_bytes()).collect();
        let no = Cells(&row.values).text(person::HOUSEHOLD_NO).unwrap_or_default();
        numbers.push(&key, no.as_bytes())?;
    }
    Ok(())
}

/// Reads the rows of one table.
struct Parser<'c> {
    sheet: &'static Sheet,
    table: u16,
    reader: Reader<'c>,
    checker: Checker<'c>,
    cleaned: u64,
}

impl<'c> Parser<'c> {
    fn new(reading: &'c Reading, sheet: &'static Sheet, table: u16) -> Self {
        let reader = Reader::new(sheet, &reading.policy);
        let checker = Checker::new(&reading.policy, reading.today, reading.lang);
        Self { sheet, table, reader, checker, cleaned: 0 }
    }

    /// The row, dead if it was refused.
    fn parse(
        &mut self,
        number: u64,
        cells: &[Raw<'_>],
        outcomes: &mut Outcomes,
    ) -> Result<Row, Error> {
        let place = Place { table: self.table, row: number };
        let mut values = Vec::with_capacity(cells.len());
        let mut refused = Vec::new();
        for (i, raw) in cells.iter().enumerate() {
            match self.reader.read(i, *raw) {
                Ok((value, cleaned)) => {
                    self.cleaned += u64::from(cleaned);
                    values.push(value);
                }
                Err(error) => {
                    let shown = self.shown(i, *raw);
                    refused.push(cell_note(self.sheet, i, shown, &error, self.checker.lang));
                    values.push(Value::Null);
                }
            }
        }
        let mut notes = Vec::new();
        if refused.is_empty() {
            match self.accept(&mut values) {
                Ok(doubts) => notes = doubts,
                Err(note) => refused.push(note),
            }
        }
        let is_dead = !refused.is_empty();
        if is_dead {
            outcomes.record(place, Outcome::Rejected, refused)?;
        }
        let is_person = std::ptr::eq(self.sheet, &raw const PERSONS) && !is_dead;
        let alike = if is_person { alike(&values) } else { None };
        Ok(Row { place, values, notes, is_dead, alike })
    }

    /// Rules that the row can break by itself: what is doubtful, or why it is refused.
    fn accept(&self, values: &mut [Value]) -> Result<Vec<Note>, Note> {
        if std::ptr::eq(self.sheet, &raw const PERSONS) {
            let born = Cells(values).text(person::BORN_ON).map(str::to_owned);
            self.checker.accept_person(values)?;
            return Ok(self.checker.doubt_person(values, born.as_deref()));
        }
        let mut accepted = rules::accept_period(self.sheet, values);
        if std::ptr::eq(self.sheet, &raw const PAIRINGS) {
            accepted = accepted.and_then(|()| rules::accept_object(self.checker.marks, values));
        }
        let note = |bad: BadCell| {
            cell_note(self.sheet, bad.column, bad.shown, &bad.error, self.checker.lang)
        };
        accepted.map(|()| Vec::new()).map_err(note)
    }

    /// The value as typed, cut; nothing of a number that names a person.
    fn shown(&self, i: usize, raw: Raw<'_>) -> Option<String> {
        let column = self.sheet.columns.get(i)?;
        if matches!(column.kind, Kind::Secret(_)) {
            return None;
        }
        let text = match raw {
            Raw::Empty => return None,
            Raw::Text(text) | Raw::Broken(text) => text.to_owned(),
            Raw::Number(number) | Raw::Date(number) => number.to_string(),
            Raw::Flag(flag) => flag.to_string(),
        };
        let mut shown: String =
            text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARACTERS).collect();
        if shown.len() < text.len() && text.chars().count() > SHOWN_CHARACTERS {
            shown.push('…');
        }
        Some(shown).filter(|shown| !shown.trim().is_empty())
    }
}

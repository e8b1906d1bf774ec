//! Rows of registers: each has a key of its own, belongs to an area, and may name others.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher,
};

use daohu_base::{AreaCode, Scope};
use daohu_db::{Tx, Value};

use super::{
    decide::{Decided, Decider, Home, Reason},
    group::{Existing, Group},
    stage::Row,
    writes::Kind,
};
use crate::{
    Error, Lang,
    exchange::{
        outcome::{Note, Outcome, Place},
        spill::Sorted,
    },
    households::{Marks, merge},
    keys::Keys,
    quality::Cells,
    registers::{
        Register, household_of, rows,
        rules::{Named, named_by, outlives},
    },
    sheet::{PAIRINGS, Record, Sheet, pairing},
};

/// Keys looked up together.
const KEYS: usize = 200;
/// Behind each part of a key: no part has it, so that no two keys begin alike.
const END_OF_PART: u8 = 0;
/// Bytes of a place.
const PLACE: usize = 10;

/// Sheet, key, place: the rows of one key stand together.
pub(super) fn sort_key(sheet: &'static Sheet, row: &Row) -> Option<Vec<u8>> {
    let register = Register::of(sheet)?;
    let mut key = vec![u8::try_from(sheet.order()).unwrap_or(u8::MAX)];
    for i in register.key {
        match row.values.get(*i)? {
            Value::Text(text) => key.extend(text.as_bytes()),
            // Years, and codes of two digits.
            Value::Int(number) => key.extend(format!("{number:04}").as_bytes()),
            _ => return None,
        }
        key.push(END_OF_PART);
    }
    key.extend(row.place.to_bytes());
    Some(key)
}

/// Organisations, cadres and teams that rows of this import brought. Of each a hash is kept: eight bytes
/// for each that the files have, some hundred thousand in a province.
#[derive(Default)]
pub(super) struct Brought {
    hashes: HashSet<u64>,
    state: RandomState,
}

impl Brought {
    fn add(&mut self, named: Named, no: &str) {
        self.hashes.insert(self.state.hash_one((named, no)));
    }

    fn has(&self, named: Named, no: &str) -> bool {
        self.hashes.contains(&self.state.hash_one((named, no)))
    }
}

/// What the store knows of those whom some rows name.
#[derive(Default)]
pub(super) struct Stored(HashSet<(Named, String)>);

impl Stored {
    /// Looks up those whom these rows name and this import did not bring.
    pub(super) async fn load<'r>(
        tx: &mut Tx,
        (marks, brought): (Marks<'_>, &Brought),
        sheet: &Sheet,
        rows: impl Iterator<Item = &'r Row>,
    ) -> Result<Self, Error> {
        let mut wanted: HashMap<Named, HashSet<String>> = HashMap::new();
        for row in rows.filter(|row| !row.is_dead) {
            if let Some((_, named, no)) = named_by(marks, sheet, &row.values)
                && !brought.has(named, &no)
            {
                wanted.entry(named).or_default().insert(no);
            }
        }
        let mut stored = HashSet::new();
        for (named, numbers) in wanted {
            let Some(register) = Register::of(named.sheet()) else { continue };
            let known = rows::known(tx, register, numbers.into_iter().collect()).await?;
            stored.extend(known.into_iter().map(|no| (named, no)));
        }
        Ok(Self(stored))
    }
}

/// The rows of one key.
pub(super) struct Keyed {
    key: Vec<u8>,
    pub(super) rows: Vec<Row>,
}

/// Hands out rows of registers, sheet by sheet, in the order of their keys.
pub(super) struct Registers {
    rows: Sorted,
    next: Option<(Vec<u8>, Vec<u8>)>,
}

impl Registers {
    pub(super) fn new(mut rows: Sorted) -> Result<Self, Error> {
        let next = rows.next()?;
        Ok(Self { rows, next })
    }

    /// The next keys of one register, of those read before this sheet, or of all; none where there are no
    /// more.
    pub(super) fn batch(
        &mut self,
        before: Option<&Sheet>,
    ) -> Result<Option<(&'static Register, Vec<Keyed>)>, Error> {
        let mut batch: Option<(&'static Register, Vec<Keyed>)> = None;
        while let Some((key, value)) = self.next.take() {
            let sheet = key.first().and_then(|order| Sheet::ALL.get(usize::from(*order)));
            let is_due = |sheet: &Sheet| before.is_none_or(|before| sheet.order() < before.order());
            let register = sheet.filter(|sheet| is_due(sheet));
            let Some(register) = register.and_then(|sheet| Register::of(sheet)) else {
                self.next = Some((key, value));
                return Ok(batch);
            };
            let (_, keyed) = batch.get_or_insert_with(|| (register, Vec::new()));
            let end = key.len().saturating_sub(PLACE);
            let goes_on = keyed.last().is_some_and(|last| Some(&*last.key) == key.get(..end));
            let is_other = keyed.last().is_some_and(|last| last.key.first() != key.first());
            if is_other || (!goes_on && keyed.len() == KEYS) {
                self.next = Some((key, value));
                return Ok(batch);
            }
            let row: Row = postcard::from_bytes(&value).map_err(std::io::Error::other)?;
            match keyed.last_mut().filter(|_| goes_on) {
                Some(last) => last.rows.push(row),
                None => {
                    let key = key.get(..end).unwrap_or_default().to_vec();
                    keyed.push(Keyed { key, rows: vec![row] });
                }
            }
            self.next = self.rows.next()?;
        }
        Ok(batch)
    }
}

/// What the store has of a batch.
pub(super) struct Known {
    records: HashMap<(String, String), Record>,
    stored: Stored,
}

impl Known {
    /// Looks up the records of a batch, and those whom its rows name.
    pub(super) async fn load(
        tx: &mut Tx,
        keys: &Keys,
        (marks, brought): (Marks<'_>, &Brought),
        register: &'static Register,
        batch: &[Keyed],
    ) -> Result<Self, Error> {
        let rows = || batch.iter().flat_map(|keyed| &keyed.rows).filter(|row| !row.is_dead);
        let mut counties: Vec<String> =
            rows().map(|row| register.county_of(register.area_of(&row.values).as_ref())).collect();
        counties.sort_unstable();
        counties.dedup();
        let mut values: Vec<Value> = rows().map(|row| register.lookup_of(&row.values)).collect();
        values.dedup();
        let found = match values.is_empty() {
            true => Vec::new(),
            false => rows::looked_up(tx, keys, register, counties, values).await?,
        };
        let records = found.into_iter().map(|record| (id_of(register, &record), record)).collect();
        let stored = Stored::load(tx, (marks, brought), register.sheet, rows()).await?;
        Ok(Self { records, stored })
    }
}

/// What tells a record from all others of its register: the county, unless it is known everywhere, and the
/// key.
fn id_of(register: &Register, record: &Record) -> (String, String) {
    let county = if register.is_everywhere { "" } else { record.county() };
    (county.to_owned(), register.key_of(&record.values))
}

impl Decider<'_> {
    /// Decides the rows of a batch and adds what is to be written.
    pub(super) fn decide_registers(
        &mut self,
        register: &'static Register,
        batch: &[Keyed],
        known: &Known,
    ) -> Result<(), Error> {
        for Keyed { rows, .. } in batch {
            for row in rows.iter().filter(|row| !row.is_dead) {
                let decided = match self.accept_record(register, row, rows, known) {
                    Ok(area) => self.decide_record(register, row, area.as_ref(), known)?,
                    Err(note) => Decided::rejected(row, note),
                };
                self.outcomes.record(decided.place, decided.outcome, decided.notes)?;
            }
        }
        Ok(())
    }

    /// The area of a row; or why it is refused.
    fn accept_record(
        &self,
        register: &'static Register,
        row: &Row,
        rows: &[Row],
        known: &Known,
    ) -> Result<Option<AreaCode>, Note> {
        let (sheet, i) = (register.sheet, register.area);
        if rows.len() > 1 {
            return Err(self.twice(register, row, rows.iter().map(|twin| twin.place)));
        }
        let area = register.area_of(&row.values);
        match &area {
            Some(area) if self.tree.get(area).is_none() || !self.scope.contains(area) => {
                return Err(self.unknown(sheet, i, row));
            }
            // What belongs nowhere is for those who see everything.
            None if *self.scope != Scope::all() => {
                let (zh, en) =
                    ("必须填写：您只能登记本区划内的", "must be filled: yours alone are taken");
                return Err(self.say(sheet, i, "row.area_wanted", zh, en));
            }
            _ => {}
        }
        self.accept_named(sheet, row, &known.stored)?;
        Ok(area)
    }

    /// Refuses who names somebody that is not known.
    fn accept_named(&self, sheet: &Sheet, row: &Row, stored: &Stored) -> Result<(), Note> {
        let Some((i, named, no)) = named_by(self.checker.marks, sheet, &row.values) else {
            return Ok(());
        };
        let is_known = self.brought.has(named, &no) || stored.0.contains(&(named, no));
        if is_known { Ok(()) } else { Err(self.unknown(sheet, i, row)) }
    }

    /// The note that a key stands in several rows, at the first of its columns.
    fn twice(&self, register: &Register, row: &Row, twins: impl Iterator<Item = Place>) -> Note {
        let column = register.key.first().copied().unwrap_or_default();
        self.duplicate(register.sheet, column, row, twins)
    }

    fn decide_record(
        &mut self,
        register: &'static Register,
        row: &Row,
        area: Option<&AreaCode>,
        known: &Known,
    ) -> Result<Decided, Error> {
        let county = register.county_of(area);
        let place = if register.is_everywhere { String::new() } else { county.clone() };
        let stored = known.records.get(&(place, register.key_of(&row.values)));
        // The number belongs to a record elsewhere, which a row cannot fetch from there.
        if let Some(stored) = stored
            && !self.is_mine(register, stored)
        {
            let i = register.key.first().copied().unwrap_or_default();
            return Ok(Decided::rejected(row, self.unknown(register.sheet, i, row)));
        }
        let mut lead = vec![county.as_str().into()];
        lead.resize(register.layout().lead_names().count(), Value::Null);
        let decided = self.write_record(register, row, lead, stored)?;
        if decided.outcome != Outcome::Rejected
            && let Some(named) = Named::of(register.sheet)
            && let Some(no) = Cells(&row.values).text(register.key.first().copied().unwrap_or(0))
        {
            self.brought.add(named, no);
        }
        Ok(decided)
    }

    /// Why a record is refused that says something of an area after that area's last day.
    fn refuse_ended(
        &self,
        register: &Register,
        row: &Row,
        (stored, record): (Option<&Record>, &Record),
    ) -> Option<Note> {
        if household_of(record).is_some() {
            return None;
        }
        let area = register.area_of(&record.values)?;
        let end = self.tree.end_of(&area)?;
        let values = (stored.map(|stored| &*stored.values), &*record.values);
        let i = outlives(register, values, (end.on, self.checker.today))?;
        let [zh, en] = [Lang::Zh, Lang::En].map(|lang| end.says(&area, lang));
        let value = Cells(&row.values).text(i).map(str::to_owned);
        let zh = format!("：{zh}");
        Some(Note { value, ..self.say(register.sheet, i, "area.ended", &zh, &en) })
    }

    /// True if whoever imports may change a stored record.
    fn is_mine(&self, register: &Register, stored: &Record) -> bool {
        match register.area_of(&stored.values) {
            Some(area) => self.scope.contains(&area),
            None => *self.scope == Scope::all(),
        }
    }

    fn write_record(
        &mut self,
        register: &'static Register,
        row: &Row,
        lead: Vec<Value>,
        stored: Option<&Record>,
    ) -> Result<Decided, Error> {
        let (kind, key) = (Kind::Of(register), register.key_of(&row.values));
        let Some(stored) = stored else {
            let (values, derived) = (row.values.clone(), Vec::new());
            let record = Record { lead, values, derived, meta: self.author.meta() };
            if let Some(note) = self.refuse_ended(register, row, (None, &record)) {
                return Ok(Decided::rejected(row, note));
            }
            let county = record.county().to_owned();
            self.writes.create(&self.author, kind, &county, key, &record)?;
            return Ok(Decided::accepted(row, Outcome::Created));
        };
        let merged = merge(&stored.values, &row.values, self.clears(row.place));
        if merged.changed.is_empty() {
            return Ok(Decided::accepted(row, Outcome::Unchanged));
        }
        let mut record = Record { values: merged.values.clone(), ..stored.clone() };
        if let Some(note) = self.refuse_ended(register, row, (Some(stored), &record)) {
            return Ok(Decided::rejected(row, note));
        }
        self.outcomes.clear(row.place, &merged);
        let (county, before, changed) = (stored.county(), &stored.values, &merged.changed);
        self.writes.update(&self.author, kind, county, key, &mut record, before, changed)?;
        Ok(Decided::accepted(row, Outcome::Updated))
    }

    /// Decides the rows of 结对 that help a household.
    pub(super) fn decide_pairings(
        &mut self,
        group: &Group,
        existing: &Existing,
        home: &Result<Home, Reason>,
        decided: &mut Vec<Decided>,
    ) -> Result<(), Error> {
        let Some(register) = Register::of(&PAIRINGS) else { return Ok(()) };
        let key = |row: &Row| register.key_of(&row.values);
        for row in group.pairings.iter().filter(|row| !row.is_dead) {
            let others = group.pairings.iter().filter(|other| other.place != row.place);
            let mut twins = others.filter(|other| key(other) == key(row)).peekable();
            if twins.peek().is_some() {
                let note = self.twice(register, row, twins.map(|twin| twin.place));
                decided.push(Decided::rejected(row, note));
                continue;
            }
            let home = match home {
                Ok(home) => home,
                Err(reason) => {
                    let note = self.homeless(&PAIRINGS, pairing::OBJECT, row, reason);
                    decided.push(Decided::rejected(row, note));
                    continue;
                }
            };
            if let Err(note) = self.accept_named(&PAIRINGS, row, &existing.named) {
                decided.push(Decided::rejected(row, note));
                continue;
            }
            let mut stored = existing.pairings_of(home.id).iter();
            let stored = stored.find(|stored| register.key_of(&stored.values) == key(row));
            let lead = vec![home.county.as_str().into(), home.id.into()];
            decided.push(self.write_record(register, row, lead, stored)?);
        }
        Ok(())
    }
}

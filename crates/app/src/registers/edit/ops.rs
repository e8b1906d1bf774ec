//! Beginning, changing and revealing records of registers.

use daohu_base::Scope;
use daohu_db::{Error as DbError, FutureExt, Tx, Value, Violation};
use serde_json::{Map, Value as Json};

use crate::{
    Context, Error, FieldError, Lang, areas, households,
    households::Marks,
    journal::{self, Act},
    quality::Cells,
    registers::{
        Register, household_of,
        rules::{self, BadCell},
        sql,
    },
    sheet::{
        CADRES, Frame, PAIRINGS, Raw, Reader, Record, cadre, check_version, field_error, lay,
        pairing, read, read_new,
    },
};

/// Which record: where it is stored, unless its key says so, and the values of its key.
pub(super) struct Wanted {
    county: Option<String>,
    values: Vec<Value>,
}

impl Wanted {
    /// The record of a key as an address spells it; what cannot be a key is no record.
    pub(super) fn read(
        context: &Context,
        register: &'static Register,
        county: Option<String>,
        key: &[&str],
    ) -> Result<Self, Error> {
        let reader = Reader::new(register.sheet, &context.policy);
        let mut values = vec![Value::Null; register.sheet.columns.len()];
        for (i, text) in register.key.iter().zip(key) {
            let read = reader.read(*i, Raw::Text(text));
            let (value, _) = read.map_err(|_| Error::NotFound(register.kind))?;
            lay(&mut values, &vec![(*i, value)]);
        }
        Ok(Self { county, values })
    }
}

/// Stores a new record; of a pairing that helps a household, `county` says which one where several
/// counties have its number.
pub(super) async fn create(
    context: &Context,
    frame: Frame,
    register: &'static Register,
    county: Option<String>,
    body: &Map<String, Json>,
) -> Result<Record, Error> {
    let values = read_new(register.sheet, &frame.policy, body, &[], frame.lang)?;
    let work = async move |tx: &mut Tx| {
        insert(tx, &frame, register, county.as_deref(), values.clone()).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Changes columns of a record that the caller read at `version`.
pub(super) async fn change(
    context: &Context,
    mut frame: Frame,
    register: &'static Register,
    (wanted, version): (Wanted, i64),
    body: &Map<String, Json>,
) -> Result<Record, Error> {
    let changes = read(register.sheet, &frame.policy, body, register.key, frame.lang)?;
    let mut work = async move |tx: &mut Tx| {
        let stored = held(tx, &frame, register, &wanted).await?;
        let stored = stored.ok_or(Error::NotFound(register.kind))?;
        let mut values = stored.values.clone();
        lay(&mut values, &changes);
        update(tx, &mut frame, register, (stored, version), values).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Puts a record: what the body does not name is not known. `version` is none for one that is not there
/// yet. Its key says where it lies. Gives whether it is new.
pub(super) async fn put(
    context: &Context,
    mut frame: Frame,
    register: &'static Register,
    (wanted, version): (Wanted, Option<i64>),
    body: &Map<String, Json>,
) -> Result<(Record, bool), Error> {
    let is_mine = register.area_of(&wanted.values).is_some_and(|area| frame.scope.contains(&area));
    if !is_mine {
        return Err(Error::NotFound(register.kind));
    }
    let mut values = read_new(register.sheet, &frame.policy, body, register.key, frame.lang)?;
    for i in register.key {
        if let (Some(slot), Some(key)) = (values.get_mut(*i), wanted.values.get(*i)) {
            slot.clone_from(key);
        }
    }
    let mut work = async move |tx: &mut Tx| {
        let values = values.clone();
        match (held(tx, &frame, register, &wanted).await?, version) {
            (Some(_), None) => Err(Error::Refused("request.if_match_missing")),
            (None, Some(_)) => Err(Error::Stale { what: register.kind, current: 0 }),
            (Some(stored), Some(version)) => {
                let put = update(tx, &mut frame, register, (stored, version), values).await?;
                Ok((put, false))
            }
            (None, None) => Ok((insert(tx, &frame, register, None, values).await?, true)),
        }
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// The record of a key, if it lies in the scope.
pub(super) async fn get(
    context: &Context,
    scope: Scope,
    register: &'static Register,
    wanted: Wanted,
) -> Result<Record, Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let found = sql::of_key(tx, &keys, register, (wanted.county.as_deref(), &wanted.values));
        match found.await? {
            Some(found) if is_seen(tx, register, &scope, &found).await? => Ok(found),
            _ => Err(Error::NotFound(register.kind)),
        }
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// Tells a cadre's telephone number in full: for a reason, and not before that is on record.
pub(super) async fn reveal(
    context: &Context,
    act: Act,
    scope: Scope,
    no: String,
    reason: &str,
) -> Result<Option<String>, Error> {
    let reason = households::check_reason(context, reason)?;
    let register = Register::of(&CADRES).ok_or(Error::NotFound("cadre"))?;
    let wanted = Wanted::read(context, register, None, &[&no])?;
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let found = sql::of_key(tx, &keys, register, (None, &wanted.values)).await?;
        let Some(found) = found.filter(|found| is_mine(register, &scope, found)) else {
            return Err(Error::NotFound(register.kind));
        };
        let key = register.key_of(&found.values);
        let change = households::disclosure(found.county(), "cadre_reveal", key, &reason);
        journal::record(tx, &keys, &act, vec![change]).await?;
        Ok(Cells(&found.values).text(cadre::PHONE).map(str::to_owned))
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

async fn insert(
    tx: &mut Tx,
    frame: &Frame,
    register: &'static Register,
    county: Option<&str>,
    mut values: Vec<Value>,
) -> Result<Record, Error> {
    accept_alone(frame, register, &mut values)?;
    let lead = lead_of(tx, frame, register, county, &values).await?;
    accept_named(tx, frame, register, &values).await?;
    let place = lead.first().and_then(Value::as_text);
    if let Some(stored) = sql::of_key(tx, &frame.keys, register, (place, &values)).await? {
        // A number that belongs to a record elsewhere is told of as an import tells of it.
        return Err(match is_seen(tx, register, &frame.scope, &stored).await? {
            true => Error::Refused("register.exists"),
            false => unknown(frame, register, register.key.first().copied(), &values),
        });
    }
    let table = (register.layout(), register.kind, register.key_of(&values));
    let (record, entry) = frame.create(tx, table, (lead, values)).await.map_err(|e| match e {
        // Somebody else was quicker.
        Error::Store(DbError::Violation(Violation::Unique)) => Error::Refused("register.exists"),
        other => other,
    })?;
    frame.record(tx, vec![entry]).await?;
    Ok(record)
}

async fn update(
    tx: &mut Tx,
    frame: &mut Frame,
    register: &'static Register,
    (stored, version): (Record, i64),
    mut values: Vec<Value>,
) -> Result<Record, Error> {
    check_version(register.kind, &stored, version)?;
    accept_alone(frame, register, &mut values)?;
    if values == stored.values {
        return Ok(stored);
    }
    if !register.key.contains(&register.area) {
        accept_area(tx, frame, register, &values).await?;
        // Its county is part of the key.
        let county = register.county_of(register.area_of(&values).as_ref());
        if !register.is_everywhere && county != stored.county() {
            return Err(unknown(frame, register, Some(register.area), &values));
        }
    }
    if household_of(&stored).is_none() {
        accept_days(tx, frame, register, (Some(&stored.values), &values)).await?;
    }
    accept_named(tx, frame, register, &values).await?;
    frame.follow([&stored]);
    let mut record = Record { values, ..stored.clone() };
    let table = (register.layout(), register.kind, register.key_of(&record.values));
    let entry = frame.save(tx, table, &stored.values, &mut record).await?;
    frame.record(tx, vec![entry]).await?;
    Ok(record)
}

/// The record of a key, if it lies in the scope, locked until the transaction ends.
async fn held(
    tx: &mut Tx,
    frame: &Frame,
    register: &'static Register,
    wanted: &Wanted,
) -> Result<Option<Record>, Error> {
    let key = (wanted.county.as_deref(), wanted.values.as_slice());
    let Some(found) = sql::of_key(tx, &frame.keys, register, key).await? else { return Ok(None) };
    sql::lock(tx, register, &found).await?;
    let found = sql::of_key(tx, &frame.keys, register, key).await?;
    match found {
        Some(found) if is_seen(tx, register, &frame.scope, &found).await? => Ok(Some(found)),
        _ => Ok(None),
    }
}

/// True if a stored record lies in the scope.
async fn is_seen(
    tx: &mut Tx,
    register: &Register,
    scope: &Scope,
    record: &Record,
) -> Result<bool, Error> {
    let Some(id) = household_of(record) else {
        return Ok(is_mine(register, scope, record));
    };
    let (id, counties) = (id.to_string(), [record.county().to_owned()]);
    let village = households::village_in(tx, &counties, "household", &id).await?;
    Ok(village.is_some_and(|village| scope.covers(&village)))
}

fn is_mine(register: &Register, scope: &Scope, record: &Record) -> bool {
    match register.area_of(&record.values) {
        Some(area) => scope.contains(&area),
        None => *scope == Scope::all(),
    }
}

/// Rules that a row can break by itself.
fn accept_alone(frame: &Frame, register: &Register, values: &mut [Value]) -> Result<(), Error> {
    let mut accepted = rules::accept_period(register.sheet, values);
    if std::ptr::eq(register.sheet, &raw const PAIRINGS) {
        accepted = accepted.and_then(|()| rules::accept_object(Marks::new(&frame.policy), values));
    }
    accepted.map_err(|bad| {
        let BadCell { column, shown, error } = bad;
        let column = register.sheet.columns.get(column);
        let field = |column| field_error(column, shown.as_deref(), &error, frame.lang);
        Error::Invalid(column.map(field).into_iter().collect())
    })
}

/// The columns that a new record leads with: its county, and the household that a pairing helps.
async fn lead_of(
    tx: &mut Tx,
    frame: &Frame,
    register: &Register,
    county: Option<&str>,
    values: &[Value],
) -> Result<Vec<Value>, Error> {
    let is_pairing = std::ptr::eq(register.sheet, &raw const PAIRINGS);
    if is_pairing && rules::helps_household(&frame.policy, values) {
        let no = Cells(values).text(pairing::OBJECT).unwrap_or_default();
        let reference = county.map_or_else(|| no.to_owned(), |county| format!("{county}/{no}"));
        let home = households::hold(tx, &frame.keys, &frame.scope, &reference).await;
        let home = home.map_err(|error| match error {
            Error::NotFound(_) => unknown(frame, register, Some(pairing::OBJECT), values),
            other => other,
        })?;
        return Ok(vec![home.county().into(), home.id().into()]);
    }
    accept_area(tx, frame, register, values).await?;
    accept_days(tx, frame, register, (None, values)).await?;
    let mut lead = vec![register.county_of(register.area_of(values).as_ref()).into()];
    lead.resize(register.layout().lead_names().count(), Value::Null);
    Ok(lead)
}

/// Refuses an area that is not known or not the caller's.
async fn accept_area(
    tx: &mut Tx,
    frame: &Frame,
    register: &Register,
    values: &[Value],
) -> Result<(), Error> {
    match register.area_of(values) {
        Some(area) => {
            let is_known = areas::ops::hold(tx, &area).await?;
            if is_known && frame.scope.contains(&area) {
                return Ok(());
            }
            Err(unknown(frame, register, Some(register.area), values))
        }
        // What belongs nowhere is for those who see everything.
        None if frame.scope == Scope::all() => Ok(()),
        None => {
            let name = register.sheet.columns.get(register.area).map_or("", |column| column.name);
            Err(crate::sheet::refused(name, "row.area_wanted"))
        }
    }
}

/// Refuses what is said of an area after that area's last day.
async fn accept_days(
    tx: &mut Tx,
    frame: &Frame,
    register: &Register,
    (stored, values): (Option<&[Value]>, &[Value]),
) -> Result<(), Error> {
    let Some(area) = register.area_of(values) else { return Ok(()) };
    // A change of areas that ends it waits, or is over.
    areas::rows::lock(tx, &[area.clone()].into()).await?;
    let today = frame.act.at.day();
    let Some(end) = areas::ops::end_of(tx, &frame.keys, &area, today).await? else {
        return Ok(());
    };
    let Some(i) = rules::outlives(register, (stored, values), (end.on, today)) else {
        return Ok(());
    };
    let column = register.sheet.columns.get(i).map_or("", |column| column.name).to_owned();
    let value = Cells(values).text(i).map(str::to_owned);
    let message = end.says(&area, frame.lang);
    Err(Error::Invalid(vec![FieldError {
        column,
        value,
        code: "area.ended",
        message,
        ..FieldError::default()
    }]))
}

/// Refuses who names somebody that is not known.
async fn accept_named(
    tx: &mut Tx,
    frame: &Frame,
    register: &Register,
    values: &[Value],
) -> Result<(), Error> {
    let marks = Marks::new(&frame.policy);
    let Some((i, named, no)) = rules::named_by(marks, register.sheet, values) else {
        return Ok(());
    };
    let Some(other) = Register::of(named.sheet()) else { return Ok(()) };
    if sql::lock_number(tx, other, &no).await? {
        Ok(())
    } else {
        Err(unknown(frame, register, Some(i), values))
    }
}

/// What is named is not known, or not to the caller: the rule R03, as an import says it.
fn unknown(frame: &Frame, register: &Register, i: Option<usize>, values: &[Value]) -> Error {
    let column = i.and_then(|i| register.sheet.columns.get(i)).map_or("", |column| column.name);
    let value = i.and_then(|i| Cells(values).text(i)).map(str::to_owned);
    let rule = frame.policy.rule("R03");
    let message = rule.map(|rule| match frame.lang {
        Lang::Zh => format!("{} {}", rule.id, rule.says),
        Lang::En => format!("{} {}", rule.id, rule.says_en),
    });
    let (column, message) = (column.to_owned(), message.unwrap_or_default());
    Error::Invalid(vec![FieldError {
        column,
        value,
        code: "quality.R03",
        message,
        ..FieldError::default()
    }])
}

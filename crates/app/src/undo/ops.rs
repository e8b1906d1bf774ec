//! Undoing an import.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use daohu_base::{AreaCode, AreaLevel, Scope, Timestamp};
use daohu_db::{Filter, FutureExt, Tx, Value};
use daohu_policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::{
    after::Afterwards,
    faults::Faults,
    model::restored,
    references,
    sql::{self, Imported, Number},
};
use crate::{
    Context, Error,
    areas::{self, AREA},
    error::Stop,
    exchange::import::Kind,
    households::{self, Derived, Marks, layouts, rows},
    jobs::{Progress, Ticket},
    journal::{self, Act, Action, Entry, Span},
    keys::Keys,
    registers,
    sheet::{self, Batch, Record, area, household},
    warnings,
};

/// Entries taken back at once.
const ENTRIES: i64 = 1_000;

/// What undoing an import did, or would do.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = UndoneImport)]
pub struct Undone {
    /// The import's id.
    pub id: String,
    /// False if it was only tried.
    pub committed: bool,
    /// Records that the import had made and that are not there any more, by kind.
    pub removed: BTreeMap<String, u64>,
    /// Records that the import had changed and that are as before, by kind.
    pub restored: BTreeMap<String, u64>,
    /// Villagers' groups that the import had made and that others use by now: they stay.
    pub kept_groups: u64,
}

/// Undoes an import as one transaction, if nothing was built on it: no record of it was written since, nothing else
/// refers to what it made, and what it changed fits what is there now. All of its records lie in `scope`, and would
/// again as they were before, its areas in `areas`.
///
/// Errors: no such import, or not all of it inside; undone already; what stands in the way, by kind and key.
pub async fn undo(
    context: &Context,
    act: Act,
    (scope, areas): (Scope, Scope),
    (id, dry_run): (&str, bool),
    ticket: Ticket,
) -> Result<Undone, Error> {
    let (keys, policy, clock) =
        (context.keys.clone(), context.policy.clone(), context.clock.clone());
    let id = id.to_owned();
    let at_turn = ticket.clone();
    let work = async move |tx: &mut Tx| -> Result<Undone, Stop<Undone>> {
        // Other imports wait: what they find must not go while they read.
        rows::lock_serials(tx).await?;
        at_turn.progress.begin()?;
        match sql::undone_at(tx, &id).await? {
            None => return Err(Error::NotFound("import").into()),
            Some(Some(_)) => return Err(Error::Refused("import.undone").into()),
            Some(None) => {}
        }
        let spans = sql::spans(tx, &id).await?;
        let mut act = act.anew(&*clock);
        for span in &spans {
            act.follow(journal::ended_at(tx, span).await?);
        }
        let entries: i64 = spans.iter().map(|span| span.last - span.first + 1).sum();
        at_turn.progress.expect(u64::try_from(entries).unwrap_or_default());
        let mut undoer = Undoer {
            keys: &keys,
            policy: &policy,
            scope: (&scope, &areas),
            at: act.at,
            batch: Batch::new(&keys, &act),
            told: Undone { id: id.clone(), ..Undone::default() },
            faults: Faults::default(),
            after: Afterwards::default(),
            groups: Vec::new(),
            homes_gone: BTreeMap::new(),
        };
        for span in &spans {
            undoer.take_back(tx, span.clone(), &at_turn.progress).await?;
        }
        let told = undoer.end(tx, &spans).await?;
        sql::set_undone(tx, &id, (act.at, &act.actor.name)).await?;
        if dry_run {
            return Err(Stop::Tried(told));
        }
        at_turn.set_stored(tx, act.at).await?;
        Ok(Undone { committed: true, ..told })
    };
    let db = context.db.clone();
    let write = async move {
        Stop::told(db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await)
    };
    ticket.carry_out(write).await
}

/// An error if this import was undone: whoever asks learns it at once.
pub(crate) async fn check_undoable(context: &Context, id: &str) -> Result<(), Error> {
    let id = [id.to_owned()];
    let find = async move |tx: &mut Tx| sql::undone_of(tx, &id).await;
    let undone = context.db.read(move |tx| async move { find(tx).await }.boxed()).await?;
    if undone.is_empty() { Ok(()) } else { Err(Error::Refused("import.undone")) }
}

/// What was imported, the latest first: for whoever has the database.
pub async fn imports(context: &Context, limit: i64) -> Result<Vec<Imported>, Error> {
    let list = async move |tx: &mut Tx| sql::imports(tx, limit).await;
    Ok(context.db.read(move |tx| async move { list(tx).await }.boxed()).await?)
}

struct Undoer<'a> {
    keys: &'a Keys,
    policy: &'a Policy,
    /// Of records, and of areas.
    scope: (&'a Scope, &'a Scope),
    at: Timestamp,
    batch: Batch<'a>,
    told: Undone,
    faults: Faults,
    after: Afterwards,
    /// Villagers' groups that go, unless others use them.
    groups: Vec<Record>,
    /// Households that the import had made, by county.
    homes_gone: BTreeMap<String, Vec<i64>>,
}

/// A number that one person alone holds, and in which state.
#[derive(PartialEq, Eq)]
struct Held {
    number: Number,
    is_current: bool,
    household: i64,
}

/// A page of a county's entries, with what their records are now and were before.
struct Page {
    entries: Vec<(i64, Entry)>,
    now: HashMap<(&'static str, String), Record>,
    before: HashMap<(String, String), Map<String, Json>>,
}

impl Undoer<'_> {
    /// Takes a county's entries back, from the last to the first.
    async fn take_back(
        &mut self,
        tx: &mut Tx,
        mut span: Span,
        progress: &Progress,
    ) -> Result<(), Error> {
        let (county, last) = (span.county.clone(), span.last);
        while span.last >= span.first {
            let entries = journal::page_of(tx, &span, ENTRIES).await?;
            let Some((lowest, _)) = entries.last() else { break };
            span.last = lowest - 1;
            progress.add(entries.len())?;
            let page = self.read(tx, &county, (entries, span.first)).await?;
            // What is written after this was read fails by its version.
            let name = |(_, entry): &(i64, Entry)| (entry.kind.clone(), entry.record.clone());
            let records: Vec<_> = page.entries.iter().map(name).collect();
            for (kind, record) in journal::written_since(tx, &county, &records, last).await? {
                self.faults.add(&kind, &county, &record, "import.written_since");
            }
            if self.faults.is_empty() {
                self.take_page(tx, &county, page).await?;
            } else if self.faults.are_enough() {
                break;
            }
        }
        Ok(())
    }

    /// What the records of entries are now, and were before the import.
    async fn read(
        &self,
        tx: &mut Tx,
        county: &str,
        (entries, first): (Vec<(i64, Entry)>, i64),
    ) -> Result<Page, Error> {
        let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (_, entry) in &entries {
            by_kind.entry(&entry.kind).or_default().push(&entry.record);
        }
        let mut now: HashMap<(&'static str, String), Record> = HashMap::new();
        for (kind, keys) in by_kind {
            let Some(kind) = Kind::named(kind) else { continue };
            for (key, record) in current(tx, self.keys, county, (kind, &keys)).await? {
                now.insert((kind.name(), key), record);
            }
        }
        let changed = entries.iter().filter(|(_, entry)| !is_new(entry));
        let changed: Vec<_> =
            changed.map(|(_, entry)| (entry.kind.clone(), entry.record.clone())).collect();
        let before = journal::states_before(tx, self.keys, county, &changed, first).await?;
        Ok(Page { entries, now, before })
    }

    async fn take_page(&mut self, tx: &mut Tx, county: &str, page: Page) -> Result<(), Error> {
        let Page { entries, mut now, mut before } = page;
        let mut numbers = Vec::new();
        for (_, entry) in entries {
            let is_new = is_new(&entry);
            let before = before.remove(&(entry.kind.clone(), entry.record.clone()));
            let Some(kind) = Kind::named(&entry.kind) else {
                self.count(&entry.kind, is_new);
                self.take_membership(tx, county, &entry.record, before).await?;
                continue;
            };
            let Some(now) = now.remove(&(kind.name(), entry.record.clone())) else {
                self.faults.add(&entry.kind, county, &entry.record, "import.written_since");
                continue;
            };
            self.check_scope(tx, kind, &now).await?;
            self.count(kind.name(), is_new);
            let named = (kind.layout(), kind.name(), entry.record.clone());
            if is_new {
                numbers.extend(self.held(kind, &now).map(|held| held.number));
                self.remove(county, (named, kind), now);
                continue;
            }
            let Some(before) = before else {
                // It was there before the journal was: what it was, nobody knows.
                self.faults.add(&entry.kind, county, &entry.record, "import.no_history");
                continue;
            };
            let marks = Marks::new(self.policy);
            let then = restored(kind.layout(), &before, &now, (marks, self.keys));
            self.check_scope(tx, kind, &then).await?;
            let (held, holds) = (self.held(kind, &now), self.held(kind, &then));
            if held != holds {
                numbers.extend(held.into_iter().chain(holds).map(|held| held.number));
            }
            self.after.restored(marks, kind, &now, &then);
            self.batch.update(named, (county, Action::Undone), &now.values, then)?;
        }
        self.batch.flush(tx).await?;
        self.after.settle(tx, numbers).await?;
        self.after.check_merged(tx, county, &mut self.faults).await
    }

    fn count(&mut self, kind: &str, is_new: bool) {
        let counts = if is_new { &mut self.told.removed } else { &mut self.told.restored };
        *counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// An error unless a record lies inside, as it is or would be again.
    async fn check_scope(&self, tx: &mut Tx, kind: Kind, record: &Record) -> Result<(), Error> {
        let (scope, areas) = self.scope;
        let text = |values: &[Value], i: usize| {
            AreaCode::parse(values.get(i).and_then(Value::as_text).unwrap_or_default()).ok()
        };
        let (inside, area) = match kind {
            Kind::Household => (scope, text(&record.values, household::VILLAGE)),
            Kind::Person => (scope, text(&record.lead, 3)),
            Kind::Income => {
                let home = record.lead.get(1).and_then(Value::as_int).unwrap_or_default();
                return self.check_scope_of_home(tx, record.county(), home).await;
            }
            Kind::Area => {
                let code = text(&record.values, area::CODE);
                // Groups come with their households.
                let is_group = code.as_ref().is_some_and(|code| code.level() == AreaLevel::Group);
                (if is_group { scope } else { areas }, code)
            }
            Kind::Of(register) => {
                if let Some(home) = registers::household_of(record) {
                    return self.check_scope_of_home(tx, record.county(), home).await;
                }
                let area = register.area_of(&record.values);
                // What belongs to no area was anybody's to make.
                if area.is_none() && register.is_everywhere {
                    return Ok(());
                }
                (scope, area)
            }
        };
        match area {
            Some(area) if inside.contains(&area) => Ok(()),
            _ if inside.ranges().is_none() => Ok(()),
            _ => Err(Error::NotFound("import")),
        }
    }

    /// The same for what lies where its household does.
    async fn check_scope_of_home(
        &self,
        tx: &mut Tx,
        county: &str,
        household: i64,
    ) -> Result<(), Error> {
        let (scope, _) = self.scope;
        if scope.covers(county) {
            return Ok(());
        }
        match rows::place_of(tx, county, household).await? {
            Some((_, village)) if scope.covers(&village) => Ok(()),
            _ => Err(Error::NotFound("import")),
        }
    }

    /// Takes away what the import had made.
    fn remove(
        &mut self,
        county: &str,
        ((layout, name, key), kind): (sheet::Named, Kind),
        now: Record,
    ) {
        if matches!(kind, Kind::Area) && key.len() == AreaLevel::Group.digits() {
            // Whether others use it is known when all of the import is taken back.
            self.groups.push(now);
            return;
        }
        if matches!(kind, Kind::Household) {
            let homes = self.homes_gone.entry(county.to_owned()).or_default();
            homes.extend(now.lead.get(1).and_then(Value::as_int));
        }
        self.after.removed(kind, county, &now);
        self.batch.remove((layout, name, key), (county, Action::Undone), now);
    }

    /// A membership of the past that the import had made, or changed.
    async fn take_membership(
        &mut self,
        tx: &mut Tx,
        county: &str,
        key: &str,
        before: Option<Map<String, Json>>,
    ) -> Result<(), Error> {
        let Some((household, person)) = key.split_once('/') else { return Ok(()) };
        let ids = (household.parse().unwrap_or_default(), person.parse().unwrap_or_default());
        self.check_scope_of_home(tx, county, ids.0).await?;
        let after = match before {
            None => {
                sql::remove_membership(tx, county, ids).await?;
                None
            }
            Some(before) => {
                let number = |name: &str| Value::from(before.get(name).and_then(Json::as_i64));
                let on = before.get("change_on").and_then(Json::as_str);
                let was = [number("relation"), number("change_kind"), on.into()];
                sql::restore_membership(tx, county, ids, was, self.at).await?;
                let now = rows::past_memberships_of(tx, county, &[ids.0]).await?;
                let now = now.into_iter().find(|past| past.person == ids.1);
                now.map(|past| past.to_journal(county))
            }
        };
        self.batch.note(county, "membership", key.to_owned(), (Action::Undone, None, after));
        Ok(())
    }

    /// The number that a person holds alone, and how.
    fn held(&self, kind: Kind, record: &Record) -> Option<Held> {
        if !matches!(kind, Kind::Person) {
            return None;
        }
        let Derived { is_current, identity, tail, is_unique } =
            Derived::of(Marks::new(self.policy), self.keys, &record.values);
        let household = record.lead.get(2).and_then(Value::as_int).unwrap_or_default();
        let number = (identity.filter(|_| is_unique)?, tail?);
        Some(Held { number, is_current, household })
    }

    /// Writes the rest, and looks whether all fits together.
    async fn end(mut self, tx: &mut Tx, spans: &[Span]) -> Result<Undone, Error> {
        // What stands in the way so far was not taken back: what refers to it says nothing.
        if self.faults.is_empty() {
            self.take_groups(tx).await?;
            let marks = Marks::new(self.policy);
            self.after.check(tx, (marks, self.at.day()), &mut self.faults).await?;
        }
        if !self.faults.is_empty() {
            return Err(self.faults.told(tx, self.keys, (spans, self.scope.0)).await?);
        }
        for (county, homes) in std::mem::take(&mut self.homes_gone) {
            for key in warnings::rows::take_away(tx, &county, &homes).await? {
                self.batch.note(&county, warnings::WARNING, key, (Action::Undone, None, None));
            }
        }
        self.batch.end(tx).await?;
        Ok(self.told)
    }

    /// Takes away the villagers' groups that nobody uses.
    async fn take_groups(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let code_of = |group: &Record| {
            let code = group.values.get(area::CODE).and_then(Value::as_text);
            AreaCode::parse(code.unwrap_or_default()).ok()
        };
        // Whoever puts a household into one waits, or did so before and is seen.
        let codes: BTreeSet<AreaCode> = self.groups.iter().filter_map(code_of).collect();
        areas::rows::lock(tx, &codes).await?;
        for group in std::mem::take(&mut self.groups) {
            let Some(code) = code_of(&group) else { continue };
            let name = Kind::Area.name();
            if references::is_group_used(tx, &code).await? {
                self.told.kept_groups += 1;
                if let Some(count) = self.told.removed.get_mut(name) {
                    *count -= 1;
                }
                continue;
            }
            let (named, county) = ((Kind::Area.layout(), name, code.to_string()), code.county());
            self.batch.remove(named, (&county, Action::Undone), group);
        }
        self.batch.flush(tx).await
    }
}

/// True if the import had made what an entry is about.
fn is_new(entry: &Entry) -> bool {
    entry.action == Action::Created.as_str()
}

/// The present rows of these records, by key.
async fn current(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    (kind, records): (Kind, &[&str]),
) -> Result<Vec<(String, Record)>, Error> {
    let first = |record: &&str| record.split('/').next().unwrap_or_default().parse().ok();
    let ids: Vec<i64> = records.iter().filter_map(first).collect();
    let of_table = async |tx: &mut Tx, layout: &'static sheet::Layout, column, list: Vec<Value>| {
        let mut filter = Filter::new();
        filter.and_in(column, list);
        if layout.table.key.contains(&"county") {
            filter.and("county = ?", [county.into()]);
        }
        sheet::records(tx, keys, layout, &filter).await
    };
    let by_id = || ids.iter().copied().map(Value::from).collect::<Vec<_>>();
    let id = |record: &Record| {
        record.lead.get(1).and_then(Value::as_int).unwrap_or_default().to_string()
    };
    Ok(match kind {
        Kind::Household => {
            let found = of_table(tx, &layouts::HOUSEHOLD, "id", by_id()).await?;
            found.into_iter().map(|record| (id(&record), record)).collect()
        }
        Kind::Person => {
            let found = of_table(tx, &layouts::PERSON, "id", by_id()).await?;
            found.into_iter().map(|record| (id(&record), record)).collect()
        }
        Kind::Income => {
            let found = rows::incomes_of(tx, keys, county, &ids).await?;
            let key = |income: &households::IncomeRow| {
                format!("{}/{}", income.household(), income.year())
            };
            found.into_iter().map(|income| (key(&income), income.0)).collect()
        }
        Kind::Area => {
            let codes = records.iter().map(|record| Value::from(*record)).collect();
            let found = of_table(tx, &AREA, "code", codes).await?;
            let code = |record: &Record| {
                record
                    .values
                    .get(area::CODE)
                    .and_then(Value::as_text)
                    .unwrap_or_default()
                    .to_owned()
            };
            found.into_iter().map(|record| (code(&record), record)).collect()
        }
        Kind::Of(register) => {
            let values: Vec<Value> =
                records.iter().map(|record| register.lookup_of_key(record)).collect();
            let counties = vec![county.to_owned()];
            let found = registers::rows::looked_up(tx, keys, register, counties, values).await?;
            let key = |record: &Record| register.key_of(&record.values);
            found.into_iter().map(|record| (key(&record), record)).collect()
        }
    })
}

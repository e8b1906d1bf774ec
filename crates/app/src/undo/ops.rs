//! Undoing an import.

use std::collections::{BTreeMap, HashMap};

use daohu_base::{AreaLevel, Scope};
use daohu_db::{Filter, FutureExt, Tx, Value};
use daohu_policy::Policy;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::{
    model::restored,
    sql::{self, AREA_REFERENCES, Holder, REFERENCES},
};
use crate::{
    Context, Error, FieldError,
    areas::AREA,
    error::Stop,
    exchange::import::Kind,
    households::{self, Marks, layouts, rows},
    journal::{self, Act, Action, Entry, Span},
    keys::Keys,
    registers,
    sheet::{self, Batch, Record, area, to_journal},
};

/// Entries taken back at once.
const ENTRIES: i64 = 500;
/// What stands in the way is named up to here.
const NAMED_MAX: usize = 100;

/// What undoing an import did, or would do.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
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

/// Undoes an import as one transaction, if nothing was built on it: no record of it was written since, and nothing
/// else refers to what it made. All of its records lie in `scope`, its areas in `areas`.
///
/// Errors: no such import, or not all of it inside; undone already; what stands in the way, by kind and key.
pub async fn undo(
    context: &Context,
    act: Act,
    (scope, areas): (Scope, Scope),
    id: &str,
    dry_run: bool,
) -> Result<Undone, Error> {
    let (keys, policy, clock) =
        (context.keys.clone(), context.policy.clone(), context.clock.clone());
    let id = id.to_owned();
    let work = async move |tx: &mut Tx| -> Result<Undone, Stop<Undone>> {
        // Other imports wait: what they find must not go while they read.
        rows::lock_serials(tx).await?;
        let act = act.anew(&*clock);
        match sql::undone_at(tx, &id).await? {
            None => return Err(Error::NotFound("import").into()),
            Some(Some(_)) => return Err(Error::Refused("import.undone").into()),
            Some(None) => {}
        }
        let mut undoer = Undoer {
            keys: &keys,
            policy: &policy,
            act: &act,
            scope: (&scope, &areas),
            batch: Batch::new(&keys, &act),
            told: Undone { id: id.clone(), ..Undone::default() },
            faults: Vec::new(),
            removed: BTreeMap::new(),
            numbers: HashMap::new(),
        };
        for span in sql::spans(tx, &id).await? {
            undoer.take_back(tx, span).await?;
        }
        let told = undoer.end(tx).await?;
        sql::set_undone(tx, &id, (act.at, &act.actor.name)).await?;
        if dry_run { Err(Stop::Tried(told)) } else { Ok(Undone { committed: true, ..told }) }
    };
    Stop::told(context.db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await)
}

struct Undoer<'a> {
    keys: &'a Keys,
    policy: &'a Policy,
    act: &'a Act,
    /// Of records, and of areas.
    scope: (&'a Scope, &'a Scope),
    batch: Batch<'a>,
    told: Undone,
    faults: Vec<FieldError>,
    /// The keys of what went, by kind and county: nothing may refer to them.
    removed: BTreeMap<(&'static str, String), Vec<Value>>,
    /// ID numbers of persons that went or changed, each with what finds who has it now.
    numbers: HashMap<Vec<u8>, (Option<i64>, Option<Holder>)>,
}

impl Undoer<'_> {
    /// Takes a county's entries back, from the last to the first.
    async fn take_back(&mut self, tx: &mut Tx, mut span: Span) -> Result<(), Error> {
        let last = span.last;
        while span.last >= span.first {
            let entries = journal::page_of(tx, &span, ENTRIES).await?;
            let Some((lowest, _)) = entries.last() else { break };
            span.last = lowest - 1;
            self.check(tx, &span.county, &entries, last).await?;
            if self.faults.is_empty() {
                self.take_page(tx, &span.county, entries).await?;
                self.batch.breathe(tx).await?;
            } else if self.faults.len() >= NAMED_MAX {
                break;
            }
        }
        Ok(())
    }

    /// Notes what was written since, and refuses what lies outside.
    async fn check(
        &mut self,
        tx: &mut Tx,
        county: &str,
        entries: &[(i64, Entry)],
        last: i64,
    ) -> Result<(), Error> {
        let name = |(_, entry): &(i64, Entry)| (entry.kind.clone(), entry.record.clone());
        let records: Vec<_> = entries.iter().map(name).collect();
        for (kind, record) in journal::written_since(tx, county, &records, last).await? {
            self.fault(&kind, &record, "import.written_since");
        }
        let (scope, areas) = self.scope;
        let is_owner = scope.ranges().is_none() && areas.ranges().is_none();
        let covers_all = is_owner || scope.covers(county) && areas.covers(county);
        for (kind, record) in records.iter().filter(|_| !covers_all) {
            let (inside, area) = match Kind::named(kind) {
                Some(Kind::Area) => {
                    // Groups come with their households.
                    let is_group = record.len() == AreaLevel::Group.digits();
                    (if is_group { scope } else { areas }, Some(record.clone()))
                }
                Some(Kind::Of(register)) => {
                    let area = registers::area_of(tx, county, kind, record).await?;
                    // What belongs to no area was anybody's to make.
                    if area.is_none() && register.is_everywhere {
                        continue;
                    }
                    (scope, area)
                }
                _ => (scope, households::village_of(tx, county, kind, record).await?),
            };
            if !area.is_some_and(|area| inside.covers(&area)) {
                return Err(Error::NotFound("import"));
            }
        }
        Ok(())
    }

    fn fault(&mut self, kind: &str, record: &str, code: &'static str) {
        if self.faults.len() < NAMED_MAX {
            let (column, value) = (kind.to_owned(), Some(record.to_owned()));
            self.faults.push(FieldError { column, value, code, message: String::new() });
        }
    }

    async fn take_page(
        &mut self,
        tx: &mut Tx,
        county: &str,
        entries: Vec<(i64, Entry)>,
    ) -> Result<(), Error> {
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
        for (sequence, entry) in &entries {
            let is_new = entry.action == Action::Created.as_str();
            let counts = if is_new { &mut self.told.removed } else { &mut self.told.restored };
            *counts.entry(entry.kind.clone()).or_default() += 1;
            let record = (county, entry.kind.as_str(), entry.record.as_str());
            let before = match is_new {
                true => None,
                false => journal::state_before(tx, self.keys, record, *sequence).await?,
            };
            let Some(kind) = Kind::named(&entry.kind) else {
                self.take_membership(tx, county, &entry.record, before).await?;
                continue;
            };
            let layout = kind.layout();
            let Some(now) = now.remove(&(kind.name(), entry.record.clone())) else {
                self.fault(&entry.kind, &entry.record, "import.written_since");
                continue;
            };
            let named = (layout, kind.name(), entry.record.clone());
            if is_new {
                self.remove(tx, county, (named, kind), now).await?;
                continue;
            }
            let Some(before) = before else {
                // It was there before the journal was: what it was, nobody knows.
                self.fault(&entry.kind, &entry.record, "import.no_history");
                continue;
            };
            let marks = (Marks::new(self.policy), self.keys);
            let then = restored(layout, &before, &now, marks);
            self.number(kind, &now, None);
            self.number(kind, &then, Some(&then));
            let at = (county, Action::Undone);
            self.batch.update(named, at, &now.values, then)?;
        }
        Ok(())
    }

    /// Takes away what the import had made.
    async fn remove(
        &mut self,
        tx: &mut Tx,
        county: &str,
        ((layout, name, key), kind): (sheet::Named, Kind),
        now: Record,
    ) -> Result<(), Error> {
        let reference = match kind {
            Kind::Household | Kind::Person => now.lead.get(1).cloned().unwrap_or_default(),
            _ => now.values.first().cloned().unwrap_or_default(),
        };
        if matches!(kind, Kind::Area) && key.len() == AreaLevel::Group.digits() {
            self.batch.flush(tx).await?;
            let used = ("households", "group_code");
            if !sql::named_in(tx, used, None, &[key.as_str().into()]).await?.is_empty() {
                self.told.kept_groups += 1;
                if let Some(count) = self.told.removed.get_mut(name) {
                    *count -= 1;
                }
                return Ok(());
            }
        }
        self.number(kind, &now, None);
        sheet::remove(tx, layout, &now).await?;
        let before = Some(to_journal(layout, &now));
        self.batch.note(county, name, key, (Action::Undone, before, None));
        self.removed.entry((name, county.to_owned())).or_default().push(reference);
        Ok(())
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
        let after = match before {
            None => {
                sql::remove_membership(tx, county, ids).await?;
                None
            }
            Some(before) => {
                let number = |name: &str| Value::from(before.get(name).and_then(Json::as_i64));
                let on = before.get("change_on").and_then(Json::as_str);
                let was = [number("relation"), number("change_kind"), on.into()];
                sql::restore_membership(tx, county, ids, was, self.act.at).await?;
                let now = rows::past_memberships_of(tx, county, &[ids.0]).await?;
                let now = now.into_iter().find(|past| past.person == ids.1);
                now.map(|past| past.to_journal(county))
            }
        };
        self.batch.note(county, "membership", key.to_owned(), (Action::Undone, None, after));
        Ok(())
    }

    /// Remembers a person's ID number, and who has it now where that is known.
    fn number(&mut self, kind: Kind, record: &Record, holds: Option<&Record>) {
        if !matches!(kind, Kind::Person) {
            return;
        }
        let identity = record.derived.get(2).and_then(Value::as_blob);
        let Some(identity) = identity.map(<[u8]>::to_vec) else { return };
        let tail = record.derived.get(3).and_then(Value::as_int);
        let int = |values: &[Value], i: usize| values.get(i).and_then(Value::as_int);
        let holder = holds.map(|record| Holder {
            county: record.county().to_owned(),
            person: int(&record.lead, 1).unwrap_or_default(),
            household: int(&record.lead, 2).unwrap_or_default(),
            is_current: int(&record.derived, 0) == Some(1),
        });
        let known = self.numbers.entry(identity).or_insert((tail, None));
        known.1 = holder.or(known.1.take());
    }

    /// Writes the rest, and looks whether anything still refers to what went.
    async fn end(mut self, tx: &mut Tx) -> Result<Undone, Error> {
        // What stands in the way so far was not taken back: what refers to it says nothing.
        if !self.faults.is_empty() {
            return Err(Error::Invalid(self.faults));
        }
        self.batch.flush(tx).await?;
        for ((name, county), keys) in std::mem::take(&mut self.removed) {
            for (table, columns) in REFERENCES.iter().filter(|(kind, _)| *kind == name) {
                for reference in *columns {
                    // Organisations and cadres are known in every county by their number.
                    let of = (*table == "household" || *table == "person").then_some(&*county);
                    self.dangling(tx, name, *reference, of, &keys).await?;
                }
            }
            if name == Kind::Area.name() {
                self.check_areas(tx, &keys).await?;
            }
        }
        if !self.faults.is_empty() {
            return Err(Error::Invalid(self.faults));
        }
        for (identity, (tail, holder)) in std::mem::take(&mut self.numbers) {
            sql::settle_holder(tx, &identity, tail, holder).await?;
        }
        self.batch.end(tx).await?;
        Ok(self.told)
    }

    async fn check_areas(&mut self, tx: &mut Tx, codes: &[Value]) -> Result<(), Error> {
        for reference in AREA_REFERENCES {
            self.dangling(tx, Kind::Area.name(), reference, None, codes).await?;
        }
        for code in codes.iter().filter_map(Value::as_text) {
            if sql::any_below(tx, code).await? {
                self.fault(Kind::Area.name(), code, "import.built_on");
            }
        }
        Ok(())
    }

    async fn dangling(
        &mut self,
        tx: &mut Tx,
        kind: &str,
        reference: (&'static str, &'static str),
        county: Option<&str>,
        keys: &[Value],
    ) -> Result<(), Error> {
        for key in sql::named_in(tx, reference, county, keys).await? {
            let key = match key {
                Value::Int(id) => id.to_string(),
                other => other.as_text().unwrap_or_default().to_owned(),
            };
            self.fault(kind, &key, "import.built_on");
        }
        Ok(())
    }
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

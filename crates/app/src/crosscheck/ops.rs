//! Looking members up in lists, and keeping what was found.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use daohu_base::{Actor, AreaCode, Day, Scope};
use daohu_db::{FutureExt, Tx};
use daohu_policy::{Crosscheck, Finds, Policy};
use serde::Serialize;

use super::{
    model::{Asking, Counts, Fact, Lead, Member, Miss, is_of_age},
    read::{BadCell, List, Reading},
    sql::{self, CheckedList, Holder},
};
use crate::{
    Context, Error, FieldError, Lang, accounts, areas,
    follow_ups::State,
    households::{Marks, rows},
    jobs::{Progress, Ticket},
    journal::{Act, Action, Bulk, Change, Draft, NO_COUNTY},
    keys::Keys,
    sheet::{Meta, refused},
};

/// Members whose records are read and written together.
const MEMBERS: usize = 500;
/// Holders between two looks at whether somebody asked to stop.
const LOOK_HOLDERS: u64 = 16_384;
/// What the journal calls a list that was looked through.
pub(super) const LIST: &str = "checked_list";
/// What the journal calls a lead.
pub(crate) const LEAD: &str = "lead";

/// What is to be looked up, and where.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Lists, each with the check that it is for.
    pub lists: Vec<(String, PathBuf)>,
    /// Members of this area; all if there is none.
    pub area: Option<AreaCode>,
    /// Who belongs to a household on this day.
    pub on: Day,
    /// Counts alone; nothing is stored.
    pub dry_run: bool,
    /// The language of what is told of rows.
    pub lang: Lang,
}

/// What came of one list.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "each name says what it is")]
pub struct Checked {
    pub check: String,
    pub title: String,
    pub title_en: String,
    /// The file's name.
    pub list: String,
    /// SHA-256 of the file.
    pub digest: String,
    #[serde(flatten)]
    pub counts: Counts,
    /// Columns that the check looks at and the file has not: `name`, `amount`, `fact`.
    pub missing_columns: Vec<&'static str>,
    /// Some of the cells that cannot be used.
    pub bad: Vec<BadCell>,
}

/// Somebody with a number of a list, or with none of it.
#[derive(Clone, Copy)]
struct Hit {
    county: u32,
    household: i64,
    person: i64,
    identity: [u8; 16],
}

/// What was found in the store: of each list its hits, and of how many members it can say nothing.
#[derive(Default)]
struct Found {
    counties: Vec<String>,
    hits: Vec<Vec<Hit>>,
    unknown: Vec<u64>,
}

impl Found {
    fn new(lists: usize) -> Self {
        Self { hits: vec![Vec::new(); lists], unknown: vec![0; lists], ..Self::default() }
    }

    fn county(&mut self, county: &str) -> u32 {
        // Rows of a county come together, or nearly so.
        let known = self.counties.iter().rposition(|known| known == county);
        let place = known.unwrap_or_else(|| {
            self.counties.push(county.to_owned());
            self.counties.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    fn add(&mut self, list: usize, identity: [u8; 16], holder: &Holder<'_>) {
        let Holder { county, household, person, .. } = *holder;
        let county = self.county(county);
        if let Some(hits) = self.hits.get_mut(list) {
            hits.push(Hit { county, household, person, identity });
        }
    }
}

/// What all parts of one run share.
#[derive(Clone)]
struct Run {
    keys: Arc<Keys>,
    policy: Arc<Policy>,
    scope: Scope,
    area: Option<AreaCode>,
    on: Day,
    dry_run: bool,
    progress: Arc<Progress>,
}

impl Run {
    /// The check of an id, as it holds in a place.
    fn check(&self, id: &str, place: &str) -> Option<&Crosscheck> {
        self.policy.crosscheck_list().find(id, place, self.on)
    }

    fn place(&self) -> &str {
        self.area.as_ref().map_or("", AreaCode::as_str)
    }

    fn asking<'p>(&'p self, id: &str, place: &str) -> Option<Asking<'p>> {
        let check = self.check(id, place)?;
        let amount = |standard: &String| self.policy.amount(standard, place, self.on);
        #[expect(clippy::cast_possible_truncation, reason = "amounts of money are whole fen")]
        let at_least_fen = check.at_least.as_ref().and_then(amount).map(|fen| fen as i64);
        let marks = Marks::new(&self.policy);
        let codes = |mark: &String| marks.codes("脱贫状态", mark);
        let except = check.except.iter().flatten().flat_map(codes).collect();
        Some(Asking { check, on: self.on, at_least_fen, except })
    }
}

/// Looks the members of an area up in lists: all lists are read first, then the members once, and what was found is stored list
/// by list, each in one transaction. What was found before is known, so that a run that was stopped is simply run again.
///
/// Errors: a check that no pack has; a list that cannot be read; a list of those who should be on it that has nobody, or is asked of
/// no area.
pub async fn run(
    context: &Context,
    actor: &Actor,
    asked: Asked,
    ticket: &Ticket,
) -> Result<Vec<Checked>, Error> {
    let scope = match &asked.area {
        Some(area) => {
            areas::ops::check_known(context, area).await?;
            Scope::of([area.clone()])
        }
        None => Scope::all(),
    };
    let run = Run {
        keys: context.keys.clone(),
        policy: context.policy.clone(),
        scope,
        area: asked.area.clone(),
        on: asked.on,
        dry_run: asked.dry_run,
        progress: Arc::clone(&ticket.progress),
    };
    check_asked(&run, &asked.lists)?;
    let lists = Arc::new(read_lists(context, &run, asked).await?);
    let found = look_up(context, &run, &lists).await?;
    let mut told = Vec::new();
    for (nth, list) in lists.iter().enumerate() {
        let hits = found.hits.get(nth).cloned().unwrap_or_default();
        let unknown = found.unknown.get(nth).copied().unwrap_or_default();
        let counts = Counts { unknown, ..list.counts.clone() };
        let counts = keep(context, (&run, actor), (&lists, nth), (&found.counties, hits), counts);
        let counts = counts.await?;
        let check = run.check(&list.check, run.place());
        let title = |pick: fn(&daohu_policy::Head) -> &String| {
            check.map(|check| pick(&check.head).clone()).unwrap_or_default()
        };
        told.push(Checked {
            check: list.check.clone(),
            title: title(|head| &head.title),
            title_en: title(|head| &head.title_en),
            list: list.name.clone(),
            digest: list.digest.clone(),
            counts,
            missing_columns: list.missing.clone(),
            bad: list.bad.clone(),
        });
    }
    Ok(told)
}

/// The checks are there, and who is looked for outside a list is looked for in an area.
fn check_asked(run: &Run, lists: &[(String, PathBuf)]) -> Result<(), Error> {
    for (id, _) in lists {
        let fault = |code| FieldError {
            column: "list".to_owned(),
            value: Some(id.clone()),
            code,
            ..FieldError::default()
        };
        match run.check(id, run.place()) {
            None => return Err(Error::Invalid(vec![fault("crosscheck.unknown_check")])),
            Some(check) if check.finds == Finds::Absent && run.area.is_none() => {
                return Err(Error::Invalid(vec![fault("crosscheck.area_needed")]));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

async fn read_lists(context: &Context, run: &Run, asked: Asked) -> Result<Vec<List>, Error> {
    let today = context.clock.now().day();
    let (run, lang) = (run.clone(), asked.lang);
    let read = move |(id, path): (String, PathBuf)| -> Result<List, Error> {
        let (keys, policy, progress) = (&*run.keys, &*run.policy, &*run.progress);
        let reading = Reading { keys, policy, today, lang, progress };
        let check = run.check(&id, run.place()).ok_or(Error::NotFound("crosscheck"))?;
        let list = reading.list(check, &path)?;
        if check.finds == Finds::Absent && list.counts.rows == list.counts.bad_rows {
            return Err(refused("list", "crosscheck.empty_list"));
        }
        Ok(list)
    };
    let read = Arc::new(read);
    let mut lists = Vec::new();
    let mut left = asked.lists.into_iter();
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    loop {
        let some: Vec<_> = left.by_ref().take(at_once).collect();
        if some.is_empty() {
            return Ok(lists);
        }
        let tasks: Vec<_> = some
            .into_iter()
            .map(|own| {
                let read = Arc::clone(&read);
                tokio::task::spawn_blocking(move || read(own))
            })
            .collect();
        for task in tasks {
            lists.push(task.await.map_err(std::io::Error::other)??);
        }
    }
}

/// Reads the members once, and asks each list of each.
async fn look_up(context: &Context, run: &Run, lists: &Arc<Vec<List>>) -> Result<Found, Error> {
    let (run, lists) = (run.clone(), Arc::clone(lists));
    let work = async move |tx: &mut Tx| {
        let mut found = Found::new(lists.len());
        let finds = |list: &List| run.check(&list.check, run.place()).map(|check| check.finds);
        let of = |wanted: Finds| {
            let lists = lists.iter().enumerate();
            lists.filter(move |(_, list)| finds(list) == Some(wanted)).collect::<Vec<_>>()
        };
        let present = of(Finds::Present);
        let mut seen = 0_u64;
        if !present.is_empty() {
            sql::each_holder(tx, &run.scope, |holder| {
                seen += 1;
                if seen.is_multiple_of(LOOK_HOLDERS) {
                    run.progress.expect(seen);
                    run.progress.check()?;
                }
                let Some(identity) = holder.identity else { return Ok(()) };
                for (nth, list) in &present {
                    if !list.index.of(identity).is_empty() {
                        found.add(*nth, identity, &holder);
                    }
                }
                Ok(())
            })
            .await?;
        }
        for (nth, list) in of(Finds::Absent) {
            missing_from(tx, &run, (nth, list), &mut found).await?;
        }
        Ok(found)
    };
    context.db.read_bulk(move |tx| async move { work(tx).await }.boxed()).await
}

/// The members of the ages that a check asks about who are not on a list.
async fn missing_from(
    tx: &mut Tx,
    run: &Run,
    (nth, list): (usize, &List),
    found: &mut Found,
) -> Result<(), Error> {
    let Some(check) = run.check(&list.check, run.place()) else { return Ok(()) };
    let year = |age: Option<i64>, other: i64| age.map_or(other, |age| run.on.year() - age);
    let from = format!("{:04}-01-01", year(check.age_to, 1) - 1);
    let to = format!("{:04}-12-31", year(check.age_from, 9999));
    let mut unknown = 0;
    sql::each_member_born(tx, &run.scope, (&from, &to), |holder| {
        match holder.identity {
            Some(identity) if holder.born_on.is_some() => {
                let is_asked = is_of_age(check, run.on, holder.born_on);
                if is_asked && list.index.of(identity).is_empty() {
                    found.add(nth, identity, &holder);
                }
            }
            // Without a number, of those ages, or without a birth date.
            _ if holder.born_on.is_none() || is_of_age(check, run.on, holder.born_on) => {
                unknown += 1
            }
            _ => {}
        }
        Ok(())
    })
    .await?;
    if let Some(slot) = found.unknown.get_mut(nth) {
        *slot = unknown;
    }
    Ok(())
}

/// Keeps what one list found: leads, what the list was, and the journal of both, in one transaction.
async fn keep(
    context: &Context,
    (run, actor): (&Run, &Actor),
    (lists, nth): (&Arc<Vec<List>>, usize),
    (counties, hits): (&[String], Vec<Hit>),
    counts: Counts,
) -> Result<Counts, Error> {
    let mut by_county: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
    for hit in hits {
        let county = usize::try_from(hit.county).ok().and_then(|nth| counties.get(nth));
        by_county.entry(county.cloned().unwrap_or_default()).or_default().push(hit);
    }
    let act = Act::new(actor.clone(), &*context.clock, "crosscheck");
    let (lists, run) = (Arc::clone(lists), run.clone());
    let dry_run = run.dry_run;
    let clock = Arc::clone(&context.clock);
    let work = async move |tx: &mut Tx| {
        let Some(list) = lists.get(nth) else { return Ok(counts) };
        let act = act.anew(&*clock);
        let mut keeping =
            Keeping { run: &run, list, act, counts, journal: Bulk::default(), position: 0 };
        for (county, mut hits) in by_county {
            // In one order, so that of two who lock the same households neither waits for the other.
            hits.sort_unstable_by_key(|hit| (hit.household, hit.person));
            for some in hits.chunks(MEMBERS) {
                run.progress.check()?;
                keeping.members(tx, &county, some).await?;
            }
        }
        keeping.finish(tx).await
    };
    let done = match dry_run {
        true => context.db.read_bulk(move |tx| async move { work(tx).await }.boxed()).await,
        false => context.db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await,
    };
    done.map_err(Error::met_meanwhile)
}

/// What is kept of one list.
struct Keeping<'r> {
    run: &'r Run,
    list: &'r List,
    act: Act,
    counts: Counts,
    journal: Bulk,
    position: i64,
}

impl Keeping<'_> {
    async fn members(&mut self, tx: &mut Tx, county: &str, hits: &[Hit]) -> Result<(), Error> {
        let run = self.run;
        let Some(asking) = run.asking(&self.list.check, county) else { return Ok(()) };
        if !run.dry_run {
            let mut homes: Vec<i64> = hits.iter().map(|hit| hit.household).collect();
            homes.dedup();
            rows::lock_villages(tx, county, &homes).await?;
        }
        let members = sql::members(tx, county, hits.iter().map(|hit| hit.person)).await?;
        let members: HashMap<i64, Member> =
            members.into_iter().map(|member| (member.person, member)).collect();
        let mut leads = Vec::new();
        for hit in hits {
            let member = members.get(&hit.person);
            // Whoever left or went elsewhere since the members were read is met by the next run.
            let Some(member) = member.filter(|own| run.scope.covers(&own.village)) else {
                continue;
            };
            self.leads_of(county, &asking, (hit, member), &mut leads);
        }
        self.store(tx, county, leads).await
    }

    /// What the list says of a member, as leads.
    fn leads_of(
        &mut self,
        county: &str,
        asking: &Asking<'_>,
        (hit, member): (&Hit, &Member),
        leads: &mut Vec<Lead>,
    ) {
        let asked = asking.asks(member);
        if asked == Err(Miss::NotYet) {
            return;
        }
        self.counts.matched += 1;
        let (index, adds_up) = (&self.list.index, asking.check.adds_up == Some(true));
        let facts = match asking.check.finds {
            Finds::Present => index.facts(index.of(hit.identity), adds_up),
            Finds::Absent => vec![Fact::default()],
        };
        let meta = Meta { version: 1, ..Meta::new(&self.act) };
        let before = leads.len();
        if asked.is_ok() {
            for fact in facts.into_iter().filter(|fact| asking.is_enough(fact)) {
                let has_amount = asking.at_least_fen.is_none() || fact.amount_fen.is_some();
                self.counts.amount_unknown += u64::from(!has_amount);
                let of = (&*self.run.keys, county, self.list.digest.as_str());
                leads.push(Lead::new(of, asking, member, fact, meta.clone()));
            }
        }
        let own = leads.get(before..).unwrap_or_default();
        self.counts.passed_over += u64::from(own.is_empty());
        let differs = own.iter().any(|lead| lead.name_differs == Some(true));
        self.counts.name_differs += u64::from(differs);
    }

    /// Writes those that are new, or were found before and say something new.
    async fn store(&mut self, tx: &mut Tx, county: &str, leads: Vec<Lead>) -> Result<(), Error> {
        let keys = &*self.run.keys;
        let ids: Vec<&str> = leads.iter().map(|lead| lead.id.as_str()).collect();
        let known = sql::by_ids(tx, keys, county, &ids).await?;
        let known: HashMap<String, Lead> =
            known.into_iter().map(|lead| (lead.id.clone(), lead)).collect();
        for before in known.values() {
            self.act.follow(daohu_base::Timestamp(before.meta.updated_at));
        }
        let (mut new, mut changed, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for lead in leads {
            let Some(before) = known.get(&lead.id) else {
                self.counts.leads_new += 1;
                entries.push(change(None, &lead));
                new.push(lead);
                continue;
            };
            self.counts.leads_known += 1;
            self.counts.leads_closed += u64::from(before.state == State::Closed);
            if let Some(mut again) = before.found_again(&lead) {
                again.meta.updated_at = self.act.at.0;
                again.meta.version += 1;
                entries.push(change(Some(before), &again));
                changed.push(again);
            }
        }
        if self.run.dry_run {
            return Ok(());
        }
        sql::insert(tx, keys, &new).await?;
        sql::save(tx, keys, &changed).await?;
        self.record(tx, entries).await
    }

    async fn record(&mut self, tx: &mut Tx, changes: Vec<Change>) -> Result<(), Error> {
        let count = i64::try_from(changes.len()).unwrap_or_default();
        let draft = Draft { act: self.act.clone(), position: self.position, changes };
        self.position += count;
        self.journal.lock_for(tx, &draft).await?;
        self.journal.link(&self.run.keys, draft)?.insert(tx).await
    }

    /// Says what list it was.
    async fn finish(mut self, tx: &mut Tx) -> Result<Counts, Error> {
        if self.run.dry_run {
            return Ok(self.counts);
        }
        let list = CheckedList {
            id: accounts::new_id(self.act.at)?,
            check: self.list.check.clone(),
            name: self.list.name.clone(),
            digest: self.list.digest.clone(),
            area: self.run.area.as_ref().map(AreaCode::to_string),
            on: self.run.on.to_string(),
            counts: serde_json::to_string(&self.counts).map_err(std::io::Error::other)?,
            created_at: self.act.at.0,
            created_by: self.act.actor.name.clone(),
        };
        sql::insert_list(tx, &list).await?;
        let entry = Change {
            county: NO_COUNTY.to_owned(),
            kind: LIST,
            record: list.id.clone(),
            action: Action::Created,
            before: None,
            after: Some(list.to_journal()),
        };
        self.record(tx, vec![entry]).await?;
        // The last moment at which it can be stopped.
        self.run.progress.check()?;
        self.journal.finish(tx, self.act.at).await?;
        Ok(self.counts)
    }
}

/// The journal's entry of a lead that is new or changed.
pub(super) fn change(before: Option<&Lead>, after: &Lead) -> Change {
    Change {
        county: after.county.clone(),
        kind: LEAD,
        record: after.key(),
        action: if before.is_none() { Action::Created } else { Action::Updated },
        before: before.map(Lead::to_journal),
        after: Some(after.to_journal()),
    }
}

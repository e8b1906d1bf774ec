//! Carrying a change of areas out.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, AreaLevel, Day, Scope, Timestamp};
use daohu_db::{BoxFuture, FutureExt, Tx};
use serde::{Deserialize, Serialize};

use super::{
    carry::Carrier,
    model::{Before, Line, Plan, Tree},
    sql::{self, Stored, Succession},
    told::Told,
};
use crate::{
    Context, Error, FieldError,
    accounts::{self, new_id},
    areas,
    error::Stop,
    households::rows as households,
    jobs::Ticket,
    journal::{Act, Watched},
    keys::Keys,
    quality::Cells,
    registers,
    sheet::{Record, area},
};

/// What is to be changed, from which day on, by which document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The first day of the new codes: today or a day before, behind the last change of the same areas.
    pub on: Day,
    /// The number of the document that orders it.
    pub document: Option<String>,
    /// What becomes of what.
    pub lines: Vec<Line>,
    /// True if nothing is to be stored.
    pub dry_run: bool,
}

/// Carries a change out, as one transaction; all areas concerned lie in the scope.
///
/// Errors: lines that do not fit the tree, by row and column; households of a village that is split for which
/// no part is named; whatever stands in the way of a move to another county.
pub async fn change(
    context: &Context,
    act: Act,
    scope: Scope,
    request: Request,
    ticket: Ticket,
) -> Result<Told, Error> {
    let (keys, policy, clock) =
        (context.keys.clone(), context.policy.clone(), context.clock.clone());
    let at_turn = ticket.clone();
    let work = async move |tx: &mut Tx| -> Result<Told, Stop<Told>> {
        // Whoever imports relies on the tree: one after the other.
        households::lock_serials(tx).await?;
        at_turn.progress.begin()?;
        let act = act.anew(&*clock);
        let stored = areas::rows::all(tx, &keys).await?;
        let (tree, plan) = planned(&stored, &request, &act, &scope)?;
        let concerned = concerned(&plan);
        at_turn.progress.expect(lock(tx, &plan, &concerned).await?);
        check_days(tx, &request, &stored, &concerned).await?;
        let mut act = act;
        act.follow(Timestamp(sql::last_written(tx, &concerned).await?));
        let id = new_id(act.at)?;
        let mut carrier = Carrier::new((&keys, &policy), &act, (request.on, &id), &tree, plan);
        carrier.homes(tx, &at_turn.progress).await?;
        carrier.helpers(tx).await?;
        carrier.offices(tx).await?;
        carrier.areas(tx, &stored).await?;
        let followers: BTreeMap<AreaCode, Vec<AreaCode>> = carrier
            .plan
            .granted()
            .map(|code| (code.clone(), carrier.plan.followers(code)))
            .collect();
        let (grants, changes) = accounts::follow_areas(tx, &act, &followers).await?;
        carrier.batch.add_changes(changes);
        let change = stored_change(&request, &act, id.clone(), carrier.told.households)?;
        carrier.note(&change);
        let (mut told, plan) = carrier.end(tx).await?;
        sql::insert(tx, &change).await?;
        sql::insert_successions(tx, &successions(&plan, &change)).await?;
        told.grants = grants;
        if request.dry_run {
            return Err(Stop::Tried(told));
        }
        at_turn.set_stored(tx, act.at).await?;
        Ok(Told { id: Some(id), committed: true, ..told })
    };
    let db = context.db.clone();
    let write = async move {
        Stop::told(db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await)
    };
    ticket.carry_out(write).await
}

/// What of a change can be said before its turn comes: whoever asks for it learns now, not from a job that was
/// refused. What stands in the way when it is carried out is asked again then.
pub(super) async fn check_now(
    context: &Context,
    act: Act,
    scope: &Scope,
    request: &Request,
) -> Result<(), Error> {
    let (keys, scope, request) = (context.keys.clone(), scope.clone(), request.clone());
    let work = async move |tx: &mut Tx| {
        let stored = areas::rows::all(tx, &keys).await?;
        let plan = planned(&stored, &request, &act, &scope)?.1;
        check_days(tx, &request, &stored, &concerned(&plan)).await
    };
    // The whole tree is read.
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// The tree before a change, and what becomes of it; all of it inside the scope.
fn planned(
    stored: &[Record],
    request: &Request,
    act: &Act,
    scope: &Scope,
) -> Result<(Tree, Plan), Error> {
    let tree = tree(stored, request.on);
    check(request, act, scope)?;
    let plan = Plan::make(&tree, &request.lines).map_err(Error::Invalid)?;
    check_scope(scope, &plan)?;
    Ok((tree, plan))
}

/// The tree before a change.
fn tree(stored: &[Record], on: Day) -> Tree {
    let on = on.to_string();
    let before = |record: &Record| {
        let text = |i: usize| Cells(&record.values).text(i);
        let code = AreaCode::parse(text(area::CODE)?).ok()?;
        let name = text(area::NAME).unwrap_or_default().to_owned();
        let has_ended = text(area::ENDS_ON).is_some_and(|end| end < on.as_str());
        Some((code, Before { name, has_ended }))
    };
    stored.iter().filter_map(before).collect()
}

/// The day is no day to come, the document has a number that fits, and what is named lies in the scope.
fn check(request: &Request, act: &Act, scope: &Scope) -> Result<(), Error> {
    let mut faults = Vec::new();
    let mut fault = |column: &str, value: String, code| {
        let (column, message) = (column.to_owned(), String::new());
        faults.push(FieldError {
            column,
            value: Some(value),
            code,
            message,
            ..FieldError::default()
        });
    };
    if request.on > act.at.day() {
        fault("on", request.on.to_string(), "area_change.future");
    }
    let document = request.document.as_deref().unwrap_or_default();
    if document.chars().count() > DOCUMENT_CHARACTERS_MAX {
        fault("document", document.to_owned(), "request.bad_field");
    }
    let outside = |code: &str| AreaCode::parse(code).is_ok_and(|code| !scope.contains(&code));
    if request.lines.iter().any(|line| outside(&line.from)) {
        return Err(Error::NotFound("area"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// As the interface says.
const DOCUMENT_CHARACTERS_MAX: usize = 100;

/// The areas that a plan concerns.
fn concerned(plan: &Plan) -> BTreeSet<AreaCode> {
    let targets = plan.targets.values().flatten().map(|target| target.to.clone());
    let all = targets.chain(plan.targets.keys().cloned()).chain(plan.renamed.keys().cloned());
    all.collect()
}

/// Locks the areas that a plan concerns with all that is moved: what clerks write meanwhile waits, or was
/// written before and is read. Nobody seals it behind what is written here. Gives how many households there are.
async fn lock(tx: &mut Tx, plan: &Plan, concerned: &BTreeSet<AreaCode>) -> Result<u64, Error> {
    areas::rows::lock(tx, concerned).await?;
    for register in &registers::rows::ALL {
        registers::rows::lock_of_areas(tx, register, concerned).await?;
    }
    let villages = plan.targets.keys().filter(|code| code.level() == AreaLevel::Village);
    let mut households = 0;
    for village in villages {
        households += sql::lock_village(tx, village).await?;
    }
    Ok(households)
}

/// The day comes after the first of every area concerned, and not before the last change of one: who changed an
/// area last month cannot change it again before that.
async fn check_days(
    tx: &mut Tx,
    request: &Request,
    stored: &[Record],
    concerned: &BTreeSet<AreaCode>,
) -> Result<(), Error> {
    let on = request.on.to_string();
    let text =
        |record: &Record, i: usize| Cells(&record.values).text(i).unwrap_or_default().to_owned();
    let begun = stored.iter().filter(|record| text(record, area::STARTS_ON) >= on);
    let mut late: BTreeSet<String> = begun
        .map(|record| text(record, area::CODE))
        .filter(|code| AreaCode::parse(code).is_ok_and(|code| concerned.contains(&code)))
        .collect();
    late.extend(sql::changed_after(tx, concerned, &on).await?);
    if late.is_empty() {
        return Ok(());
    }
    let lines = (1..).zip(&request.lines);
    let faults = late.into_iter().map(|code| {
        // The line that names it, or what it lies in.
        let named = |(_, line): &(usize, &Line)| code.starts_with(&line.from);
        let row = lines.clone().filter(named).map(|(row, _)| row).last().unwrap_or_default();
        let (column, message) = (format!("lines.{row}.from"), String::new());
        FieldError {
            column,
            value: Some(code),
            code: "area_change.not_begun",
            message,
            ..FieldError::default()
        }
    });
    Err(Error::Invalid(faults.collect()))
}

/// Every area that ends, begins or goes on otherwise lies in the scope.
fn check_scope(scope: &Scope, plan: &Plan) -> Result<(), Error> {
    let targets = plan.targets.values().flatten().map(|target| &target.to);
    let mut all = targets.chain(plan.targets.keys()).chain(plan.renamed.keys());
    if all.all(|code| scope.contains(code)) { Ok(()) } else { Err(Error::NotFound("area")) }
}

fn stored_change(
    request: &Request,
    act: &Act,
    id: String,
    households: u64,
) -> Result<Stored, Error> {
    Ok(Stored {
        id,
        changed_on: request.on.to_string(),
        document: request.document.clone(),
        lines: serde_json::to_string(&request.lines).map_err(std::io::Error::other)?,
        households: i64::try_from(households).unwrap_or(i64::MAX),
        created_at: act.at.0,
        created_by: act.actor.name.clone(),
    })
}

/// Who followed whom, down to the villages; a name that changed is a succession too.
fn successions(plan: &Plan, change: &Stored) -> Vec<Succession> {
    let succession = |from: &AreaCode, to: &AreaCode, is_whole| Succession {
        predecessor: from.to_string(),
        successor: to.to_string(),
        change: change.id.clone(),
        changed_on: change.changed_on.clone(),
        is_whole,
    };
    let mut found = Vec::new();
    for (from, targets) in &plan.targets {
        if from.level() != AreaLevel::Group {
            let is_whole = plan.is_whole(from);
            found.extend(targets.iter().map(|target| succession(from, &target.to, is_whole)));
        }
    }
    let of_itself = |code: &&AreaCode| {
        let targets = plan.targets.get(code);
        !targets.is_some_and(|targets| targets.iter().any(|target| target.to == **code))
    };
    found.extend(plan.renamed.keys().filter(of_itself).map(|code| succession(code, code, true)));
    found
}

/// A change as far as somebody may see it.
pub(super) struct Seen {
    pub(super) change: Stored,
    /// Those that name an area of the scope.
    pub(super) lines: Vec<Line>,
    /// True if these are all.
    pub(super) is_whole: bool,
}

impl Seen {
    fn new(change: Stored, scope: &Scope) -> Self {
        let mut lines: Vec<Line> = serde_json::from_str(&change.lines).unwrap_or_default();
        let all = lines.len();
        lines.retain(|line| {
            scope.covers(&line.from) || line.to.as_deref().is_some_and(|to| scope.covers(to))
        });
        let is_whole = lines.len() == all;
        Self { change, lines, is_whole }
    }
}

/// Changes of areas of a scope, the latest first.
pub(super) async fn list(
    context: &Context,
    scope: Scope,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Seen>, Error> {
    let mine = scope.clone();
    let work = async move |tx: &mut Tx| sql::list(tx, &mine, before, limit).await;
    let found = context.db.read(move |tx| async move { work(tx).await }.boxed()).await?;
    Ok(found.into_iter().map(|change| Seen::new(change, &scope)).collect())
}

/// What an area followed, and what followed it.
pub(super) async fn successions_of(
    context: &Context,
    area: AreaCode,
) -> Result<Vec<Succession>, Error> {
    let work = async move |tx: &mut Tx| {
        if !areas::ops::is_known(tx, &area).await? {
            return Err(Error::NotFound("area"));
        }
        Ok(sql::successions(tx, &area).await?)
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// What the journal calls a change of areas.
pub(super) const KIND: &str = "area_change";

/// What `journal verify --deep` compares.
pub fn watched() -> Vec<Watched> {
    vec![Watched { kind: KIND, table: "area_changes", current, household: None }]
}

fn current<'t>(
    tx: &'t mut Tx,
    _: &'t Keys,
    _: &'t str,
    record: &'t str,
) -> BoxFuture<'t, Result<Option<String>, Error>> {
    async move { Ok(sql::one(tx, record).await?.map(|change| change.to_journal())) }.boxed()
}

//! Carrying a change of areas out.

use std::collections::BTreeMap;

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::{BoxFuture, FutureExt, Tx, Value};

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
    households::rows as households,
    journal::{Act, Watched},
    keys::Keys,
    sheet::{Record, area},
};

/// What is to be changed, from which day on, by which document.
#[derive(Clone, Debug)]
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
) -> Result<Told, Error> {
    let (keys, policy, clock) =
        (context.keys.clone(), context.policy.clone(), context.clock.clone());
    let work = async move |tx: &mut Tx| -> Result<Told, Stop> {
        // Whoever imports relies on the tree: one after the other.
        households::lock_serials(tx).await?;
        let act = act.anew(&*clock);
        let stored = areas::rows::all(tx, &keys).await?;
        let tree = tree(&stored, request.on);
        check(&request, &act, &scope, &stored)?;
        let plan = Plan::make(&tree, &request.lines).map_err(Error::Invalid)?;
        check_scope(&scope, &plan)?;
        let id = new_id(act.at)?;
        let mut carrier = Carrier::new((&keys, &policy), &act, (request.on, &id), &tree, plan);
        carrier.homes(tx).await?;
        carrier.helpers(tx).await?;
        carrier.offices(tx).await?;
        carrier.areas(tx, &stored).await?;
        let followers: BTreeMap<AreaCode, Vec<AreaCode>> =
            carrier.plan.ended().map(|code| (code.clone(), carrier.plan.followers(code))).collect();
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
        Ok(Told { id: Some(id), committed: true, ..told })
    };
    match context.db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await {
        Err(Stop::Tried(told)) => Ok(told),
        Err(Stop::Error(error)) => Err(error),
        Ok(told) => Ok(told),
    }
}

/// Why the transaction is rolled back.
enum Stop {
    /// It was only tried: what came of it is told, and nothing is left of it.
    Tried(Told),
    Error(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// The tree before a change.
fn tree(stored: &[Record], on: Day) -> Tree {
    let on = on.to_string();
    let before = |record: &Record| {
        let text = |i: usize| record.values.get(i).and_then(Value::as_text);
        let code = AreaCode::parse(text(area::CODE)?).ok()?;
        let name = text(area::NAME).unwrap_or_default().to_owned();
        let has_ended = text(area::ENDS_ON).is_some_and(|end| end < on.as_str());
        Some((code, Before { name, has_ended }))
    };
    stored.iter().filter_map(before).collect()
}

/// The day is no day to come, and comes after the first of every area concerned: who changed an area last
/// month cannot change it again before that.
fn check(request: &Request, act: &Act, scope: &Scope, stored: &[Record]) -> Result<(), Error> {
    let mut faults = Vec::new();
    let mut fault = |column: String, value: Option<String>, code| {
        faults.push(FieldError { column, value, code, message: String::new() });
    };
    if request.on > act.at.day() {
        fault("on".to_owned(), Some(request.on.to_string()), "area_change.future");
    }
    let starts: BTreeMap<&str, &str> = stored
        .iter()
        .filter_map(|record| {
            let text = |i: usize| record.values.get(i).and_then(Value::as_text);
            Some((text(area::CODE)?, text(area::STARTS_ON)?))
        })
        .collect();
    let on = request.on.to_string();
    for (row, line) in (1..).zip(&request.lines) {
        let Ok(from) = AreaCode::parse(&line.from) else { continue };
        if !scope.contains(&from) {
            return Err(Error::NotFound("area"));
        }
        let Some(begun) = starts.get(from.as_str()) else { continue };
        if *begun >= on.as_str() {
            fault(format!("lines.{row}.from"), Some((*begun).to_owned()), "area_change.not_begun");
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
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
            let is_whole = targets.len() == 1;
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

/// Changes of areas of a scope, the latest first.
pub(super) async fn list(
    context: &Context,
    scope: Scope,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let work = async move |tx: &mut Tx| sql::list(tx, &scope, before, limit).await;
    Ok(context.db.read(move |tx| async move { work(tx).await }.boxed()).await?)
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

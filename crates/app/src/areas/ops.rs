//! Use cases of areas.

use std::collections::{BTreeMap, HashMap};

use daohu_base::{AreaCode, AreaLevel, Day, Scope, Timestamp};
use daohu_db::{FutureExt, Tx};

use super::{
    model::{End, POOR_LEVELS, node, predecessors},
    sql,
};
use crate::{Context, Error, journal, keys::Keys, sheet::Record};

pub(crate) use super::sql::AreaLine;

/// Which areas are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedAreas {
    /// The areas below this one: its children unless a level is wanted.
    pub(crate) parent: Option<AreaCode>,
    /// Of this level.
    pub(crate) level: Option<AreaLevel>,
    /// Poor, or known not to be, by the flag of each of [`POOR_LEVELS`].
    pub(crate) is_poor: [Option<bool>; 3],
    /// With a code that has not ended before this day.
    pub(crate) in_force_on: Option<String>,
    /// The name begins with it.
    pub(crate) text: Option<String>,
}

/// The first village of a county, by code; empty if it has none.
pub async fn first_village(context: &Context, county: &str) -> Result<String, Error> {
    let county = county.to_owned();
    let read =
        context.db.read(move |tx| async move { sql::first_village(tx, &county).await }.boxed());
    read.await
}

/// True if there is no area yet.
pub async fn is_empty(context: &Context) -> Result<bool, Error> {
    let read = context.db.read(move |tx| async move { any(tx).await }.boxed());
    read.await.map(|any| !any)
}

/// True if there is any area.
pub(crate) async fn any(tx: &mut Tx) -> Result<bool, Error> {
    Ok(sql::any(tx).await?)
}

/// True if the tree has this area, in force or not.
pub(crate) async fn is_known(tx: &mut Tx, code: &AreaCode) -> Result<bool, Error> {
    Ok(sql::names(tx, [code.to_string()]).await?.contains_key(code.as_str()))
}

/// Locks an area that is to be named until the transaction ends; false if the tree does not have it. An undo that takes
/// it away is over then, or waits and meets what names it.
pub(crate) async fn hold(tx: &mut Tx, code: &AreaCode) -> Result<bool, Error> {
    sql::lock(tx, &[code.clone()].into()).await?;
    is_known(tx, code).await
}

/// The areas of a scope, if the tree has the one that it is made of.
pub(crate) async fn lines_of(
    tx: &mut Tx,
    scope: &Scope,
    area: &AreaCode,
) -> Result<Vec<AreaLine>, Error> {
    let lines = sql::with_population(tx, scope).await?;
    let lines: Vec<AreaLine> = lines.into_iter().map(|(line, _)| line).collect();
    let is_known = lines.iter().any(|line| line.code == area.as_str());
    if is_known { Ok(lines) } else { Err(Error::NotFound("area")) }
}

/// When the code of an area ends, if that is known, and the areas in force that follow it.
pub(crate) async fn end_of(
    tx: &mut Tx,
    keys: &Keys,
    code: &AreaCode,
    today: Day,
) -> Result<Option<End>, Error> {
    let today = today.to_string();
    let area = sql::one(tx, keys, code.as_str()).await?;
    // Nearly all go on, and then nobody need look at what followed what.
    if area.and_then(|area| node(&area, &today)).is_none_or(|(_, node)| node.ends_on.is_none()) {
        return Ok(None);
    }
    Ok(sql::tree_behind(tx, keys, &today, code).await?.end_of(code))
}

/// An area and all those that it followed, each until the instant at which what came of it had another code.
pub(crate) async fn with_predecessors(
    tx: &mut Tx,
    code: &AreaCode,
) -> Result<BTreeMap<AreaCode, Timestamp>, Error> {
    Ok(predecessors(code, &sql::successions(tx).await?))
}

/// An error if the tree does not have this area.
pub(crate) async fn check_known(context: &Context, code: &AreaCode) -> Result<(), Error> {
    let code = code.clone();
    let known = context.db.read(move |tx| async move { is_known(tx, &code).await }.boxed());
    if known.await? { Ok(()) } else { Err(Error::NotFound("area")) }
}

/// The codes of all counties, ended ones too: who has them all has the whole installation.
pub(crate) async fn all_counties(context: &Context) -> Result<Vec<AreaCode>, Error> {
    let read = async move |tx: &mut Tx| sql::counties(tx, &Scope::all()).await;
    let found = context.db.read(move |tx| async move { read(tx).await }.boxed()).await?;
    Ok(found.iter().filter_map(|line| AreaCode::parse(&line.code).ok()).collect())
}

/// The area as a scope of its own, where figures of it may be told: the whole of it lies inside the caller's
/// scope, and it is no villagers' group.
pub(crate) fn reported(scope: &Scope, area: &AreaCode) -> Result<Scope, Error> {
    if !scope.contains(area) || area.level() == AreaLevel::Group {
        return Err(Error::NotFound("area"));
    }
    Ok(Scope::of([area.clone()]))
}

/// Names of areas by code, after `after`. Names are open: no scope.
pub(crate) async fn list(
    context: &Context,
    mut wanted: WantedAreas,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<AreaLine>, Error> {
    // A flag says which level it is about.
    let flagged = POOR_LEVELS.into_iter().zip(wanted.is_poor).find(|(_, flag)| flag.is_some());
    wanted.level = wanted.level.or(flagged.map(|(level, _)| level));
    if let Some(parent) = wanted.parent.as_ref().filter(|_| wanted.level.is_none()) {
        let Some(child) = parent.level().below() else {
            return Ok(Vec::new());
        };
        wanted.level = Some(child);
    }
    let read = context.db.read(move |tx| {
        async move { sql::list(tx, &wanted, after.as_deref(), limit).await }.boxed()
    });
    Ok(read.await?)
}

/// One area with its figures, if the whole of it lies inside the scope.
pub(crate) async fn get(context: &Context, scope: &Scope, code: AreaCode) -> Result<Record, Error> {
    if !scope.contains(&code) {
        return Err(Error::NotFound("area"));
    }
    let keys = context.keys.clone();
    let read =
        context.db.read(move |tx| async move { sql::one(tx, &keys, code.as_str()).await }.boxed());
    read.await?.ok_or(Error::NotFound("area"))
}

/// True if rows may be registered in this village on a day.
pub(crate) async fn is_open_village(
    tx: &mut Tx,
    keys: &Keys,
    code: &AreaCode,
    today: Day,
) -> Result<bool, Error> {
    let area = sql::one(tx, keys, code.as_str()).await?;
    let today = today.to_string();
    let open = area.and_then(|area| node(&area, &today)).is_some_and(|(_, node)| !node.has_ended);
    Ok(open && code.level() == AreaLevel::Village)
}

/// The code of a village's group, by its name or its code; locked until the transaction ends.
pub(crate) async fn hold_group(
    tx: &mut Tx,
    village: &str,
    text: &str,
) -> Result<Option<String>, Error> {
    let Some(code) = sql::group_of(tx, village, text).await? else { return Ok(None) };
    let Ok(group) = AreaCode::parse(&code) else { return Ok(None) };
    Ok(hold(tx, &group).await?.then_some(code))
}

/// An area that something lies in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Place {
    /// Its code.
    pub code: String,
    /// Its name, as it was then.
    pub name: String,
}

/// The areas that this one lies in, from the province down to itself, by the names that they have or, as the
/// journal tells it, had at an instant.
pub(crate) async fn place(
    tx: &mut Tx,
    keys: &Keys,
    code: &str,
    until: Option<Timestamp>,
) -> Result<Vec<Place>, Error> {
    let Ok(area) = AreaCode::parse(code) else { return Ok(Vec::new()) };
    let mut areas: Vec<AreaCode> = std::iter::successors(Some(area), AreaCode::parent).collect();
    areas.reverse();
    let lines = sql::changed(tx, areas.iter().map(AreaCode::to_string)).await?;
    let mut place = Vec::new();
    for area in areas {
        let Some((name, updated_at)) = lines.get(area.as_str()) else { continue };
        let (code, mut name) = (area.to_string(), name.clone());
        if let Some(until) = until.filter(|until| *updated_at > until.0) {
            let record = (area.county(), code.clone());
            let then = journal::state_at(tx, keys, (&record.0, "area", &record.1), until).await?;
            let then = then.and_then(|(_, body)| journal::after_of(&body));
            let then = then.and_then(|then| then.get("name")?.as_str().map(str::to_owned));
            name = then.unwrap_or(name);
        }
        place.push(Place { code, name });
    }
    Ok(place)
}

/// The names of these areas, as far as they are known.
pub(crate) async fn names(
    tx: &mut Tx,
    codes: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, String>, Error> {
    Ok(sql::names(tx, codes).await?)
}

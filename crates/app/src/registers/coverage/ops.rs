//! Reading coverage.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::{FutureExt, Tx};
use daohu_policy::{Helper, Policy};
use rustc_hash::FxHashMap;

use super::{
    model::{Coverage, Load, Tally, Village},
    sql::{self, Kinds},
};
use crate::{
    Context, Error,
    area_changes::{self, rows::Elsewhere},
    areas::{self, rows::AreaLine},
    households::Marks,
    registers::cadre_names,
};

/// The coverage of an area on a day, with its own name and those of the areas below.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) coverage: Coverage,
    pub(super) names: BTreeMap<String, String>,
    /// By the code of 干部角色: cadres of the area who have the role.
    pub(super) by_role: BTreeMap<i64, i64>,
}

/// The coverage of an area on a day, if the whole of it lies inside the scope.
pub(super) async fn coverage(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
    on: Day,
) -> Result<Told, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let policy = Arc::clone(&context.policy);
    let day = on.to_string();
    let work = async move |tx: &mut Tx| {
        let areas = areas::ops::lines_of(tx, &scope, &area).await?;
        let coverage = read(tx, &policy, (&scope, &area), &areas, &day).await?;
        let names = areas.into_iter().map(|area| (area.code, area.name)).collect();
        let mut by_role = BTreeMap::new();
        for (roles, count) in sql::cadres_by_roles(tx, &scope).await? {
            for code in roles.split(' ').filter_map(|code| code.parse().ok()) {
                *by_role.entry(code).or_default() += count;
            }
        }
        Ok(Told { coverage, names, by_role })
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

async fn read(
    tx: &mut Tx,
    policy: &Policy,
    (scope, area): (&Scope, &AreaCode),
    areas: &[AreaLine],
    day: &str,
) -> Result<Coverage, Error> {
    let limits = (policy.village_roles(), policy.helping());
    let mut tally = Tally::new(Marks::new(policy), limits, area, areas, day);
    let kinds = kinds(policy);
    let [(_, cadre), ..] = &kinds;
    for county in counties(tx, area, areas).await? {
        // Of one county at a time: changes of areas may have moved every household of a province.
        let elsewhere = area_changes::rows::elsewhere_on(tx, &county, day).await?;
        let then = then(&elsewhere);
        let lies = |id: i64, village: &str| match then.get(&id) {
            Some(then) if scope.covers(then) => tally.household(id, then),
            Some(_) => {}
            None => tally.household(id, village),
        };
        sql::each_household(tx, (scope, &county), &then, lies).await?;
        tally.households_read();
        sql::each_answer(tx, (&county, day), cadre, |household, cadre| {
            tally.answer(household, cadre);
        })
        .await?;
        let roles = sql::roles_of(tx, &county, &tally.answers_read()).await?;
        tally.end_county(&roles);
    }
    read_areas(tx, &mut tally, (scope, area), (&kinds, day)).await?;
    Ok(tally.coverage())
}

/// Reads who helps areas, and teams.
async fn read_areas(
    tx: &mut Tx,
    tally: &mut Tally<'_>,
    (scope, area): (&Scope, &AreaCode),
    (kinds, day): (&Kinds, &str),
) -> Result<(), Error> {
    for pairing in sql::area_pairings(tx, (scope, day), kinds).await? {
        tally.pairing(&pairing);
    }
    // Who leads a township leads its villages, also where only one of them is asked for.
    if let Some(township) = area.at(AreaLevel::Township).filter(|township| township != area) {
        let above = Scope::of([township.clone()]);
        for pairing in sql::area_pairings(tx, (&above, day), kinds).await? {
            if pairing.area == township.as_str() {
                tally.township_of_village(&pairing);
            }
        }
    }
    for member in sql::members(tx, (scope, day)).await? {
        tally.member(&member);
    }
    Ok(())
}

/// The poor villages of an area in force that lack one of these village roles, by code. Who answers for
/// households is not looked at: a role that is borne by that alone counts as lacking.
pub(crate) async fn villages_without(
    tx: &mut Tx,
    policy: &Policy,
    (scope, area): (&Scope, &AreaCode),
    (areas, day): (&[AreaLine], &str),
    wanted: &[String],
) -> Result<Vec<String>, Error> {
    let roles = policy.village_roles();
    let mut tally = Tally::new(Marks::new(policy), (roles, policy.helping()), area, areas, day);
    read_areas(tx, &mut tally, (scope, area), (&kinds(policy), day)).await?;
    let lacks = |village: &Village| {
        let mut own = roles.iter().zip(&village.roles);
        own.any(|(role, has)| !has && wanted.contains(&role.name))
    };
    let villages = tally.coverage().villages.into_iter();
    let told = villages.filter(|village| village.is_poor && village.name.is_some());
    Ok(told.filter(lacks).map(|village| village.code).collect())
}

/// The codes of 主体类型 by what they are.
fn kinds(policy: &Policy) -> Kinds {
    let marks =
        [(Helper::Cadre, "cadre"), (Helper::Organisation, "organisation"), (Helper::Team, "team")];
    marks.map(|(helper, mark)| (helper, Marks::new(policy).codes("主体类型", mark)))
}

/// The codes of 主体类型 that are cadres.
pub(crate) fn cadre_kinds(policy: &Policy) -> Vec<i64> {
    let [(_, cadres), ..] = kinds(policy);
    cadres
}

/// Of the households of a county that lay elsewhere, the village then: before the first change since.
fn then(elsewhere: &[Elsewhere]) -> FxHashMap<i64, &str> {
    elsewhere.iter().map(|home| (home.household, home.village.as_str())).collect()
}

/// The counties of an area, or the one it lies in, and those that households of these went to; ended ones too, where
/// households may be left.
async fn counties(
    tx: &mut Tx,
    area: &AreaCode,
    areas: &[AreaLine],
) -> Result<BTreeSet<String>, Error> {
    let own = match area.at(AreaLevel::County) {
        Some(county) => vec![county.to_string()],
        None => {
            let is_county = |area: &&AreaLine| area.code.len() == AreaLevel::County.digits();
            areas.iter().filter(is_county).map(|area| area.code.clone()).collect()
        }
    };
    Ok(area_changes::rows::all_after(tx, &own).await?)
}

/// The names of these cadres.
pub(super) async fn names(
    context: &Context,
    loads: &[Load],
) -> Result<HashMap<String, String>, Error> {
    let numbers = loads.iter().map(|load| load.no.clone()).collect();
    let read = context.db.read(move |tx| async move { cadre_names(tx, numbers).await }.boxed());
    read.await
}

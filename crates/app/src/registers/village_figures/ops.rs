//! Reading what villages have.

use std::collections::BTreeMap;

use daohu_base::{AreaCode, Scope};
use daohu_db::{FutureExt, Tx};

use super::{
    checklist::model::Checklist,
    model::{Goal, Report, Tally, counts_in, goals, is_poor},
    sql,
};
use crate::{
    Context, Error,
    areas::{self, rows::AreaLine},
    registers::{Register, sql::looked_up},
    sheet::{INDICATORS, Record, Sheet, TARGETS},
};

/// What is told of an area, with its own name and those of the areas below.
pub(super) struct Told {
    pub(super) report: Report,
    pub(super) goals: Vec<Goal>,
    pub(super) names: BTreeMap<String, String>,
}

/// What the villages of an area have in a year and had before, if the whole of the area lies inside the scope.
pub(super) async fn figures(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
    year: Option<i64>,
) -> Result<Told, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let (own_context, today) = (context.clone(), context.clock.now().day().to_string());
    let work = async move |tx: &mut Tx| {
        let nothing = Checklist::default();
        let (report, names) = report(tx, (&scope, &area), (year, &today), nothing).await?;
        let targets = own(tx, &own_context, &TARGETS, &area).await?;
        let indicators = own(tx, &own_context, &INDICATORS, &area).await?;
        let goals = goals(&own_context.policy, &targets, &indicators);
        Ok(Told { report, goals, names })
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// What is counted of an area's villages, in one pass over what they told up to a year, with the names of the areas.
pub(super) async fn report(
    tx: &mut Tx,
    (scope, area): (&Scope, &AreaCode),
    (year, today): (Option<i64>, &str),
    checklist: Checklist<'_>,
) -> Result<(Report, BTreeMap<String, String>), Error> {
    let areas = areas::ops::lines_of(tx, scope, area).await?;
    let mut tally = Tally::new(area, &areas, today, checklist);
    sql::each_year(tx, (scope, year), |village, year, values| tally.count(village, year, values))
        .await?;
    let report = tally.report(year);
    Ok((report, areas.into_iter().map(|area| (area.code, area.name)).collect()))
}

/// The villages of an area that told nothing of a year in which they were there, by code.
pub(super) async fn unrecorded(
    context: &Context,
    scope: &Scope,
    (area, year): (AreaCode, i64),
    wanted_poor: Option<bool>,
) -> Result<Vec<AreaLine>, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let today = context.clock.now().day().to_string();
    let work = async move |tx: &mut Tx| {
        let mut areas = areas::ops::lines_of(tx, &scope, &area).await?;
        let recorded = sql::recorded(tx, &scope, year).await?;
        let counts = counts_in(year, &today);
        areas.retain(|area| {
            counts(area)
                && !recorded.contains(&area.code)
                && wanted_poor.is_none_or(|wanted| wanted == is_poor(area))
        });
        Ok(areas)
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// The records of a register that are about an area itself, of all years.
async fn own(
    tx: &mut Tx,
    context: &Context,
    sheet: &'static Sheet,
    area: &AreaCode,
) -> Result<Vec<Record>, Error> {
    let register = Register::of(sheet).ok_or(Error::NotFound("area"))?;
    let counties = vec![register.county_of(Some(area))];
    looked_up(tx, &context.keys, register, counties, vec![area.as_str().into()]).await
}

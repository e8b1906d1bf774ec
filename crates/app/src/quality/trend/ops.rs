//! Taking points, and telling them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::{FutureExt, Tx};
use tokio::time::{Instant, MissedTickBehavior};

use super::{
    model::{self, Point, Sums},
    sql,
};
use crate::{Context, Error, areas, households, jobs, journal, quality::ops::of_county};

/// How often a server looks for counties that are to be judged. The first time comes as late: who starts a server
/// wants to work with it.
const LOOK: Duration = Duration::from_mins(15);

/// The points of an area within these days, the first day's as it stood, if the whole of it lies inside the scope;
/// above counties, the sums of theirs.
pub(super) async fn points(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
    days: (Day, Day),
) -> Result<Vec<Point>, Error> {
    areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    let read = async move |tx: &mut Tx| {
        if area.level() >= AreaLevel::County {
            return Ok(model::told_from(days.0, sql::points(tx, &area, days).await?));
        }
        let mut sums = Sums::new(days);
        for line in areas::rows::counties(tx, &Scope::of([area])).await? {
            let Ok(county) = AreaCode::parse(&line.code) else { continue };
            let points = sql::points(tx, &county, days).await?;
            sums.add(&points, (line.starts_on.as_deref(), line.ends_on.as_deref()));
        }
        Ok(sums.points())
    };
    context.db.read(move |tx| async move { read(tx).await }.boxed()).await
}

/// Judges the counties of an area now, one after the other, and stores today's points of all their areas; gives
/// how many each has.
pub(super) async fn record_all(
    context: &Context,
    area: AreaCode,
) -> Result<Vec<(String, usize)>, Error> {
    areas::ops::check_known(context, &area).await?;
    if area.level() > AreaLevel::County {
        return Err(Error::Refused("quality.no_whole_county"));
    }
    let mut done = Vec::new();
    for county in counties(context, Scope::of([area])).await? {
        let points = record_county(context, &county).await?;
        done.push((county.to_string(), points));
    }
    Ok(done)
}

/// The counties of a scope that have households, or had some when they were judged last.
async fn counties(context: &Context, scope: Scope) -> Result<Vec<AreaCode>, Error> {
    let read = async move |tx: &mut Tx| {
        let mut codes = BTreeSet::from_iter(households::rows::counties(tx, &scope).await?);
        for line in areas::rows::counties(tx, &scope).await? {
            let had_rows = sql::last(tx, &line.code).await?.is_some_and(|last| last.rows > 0);
            if had_rows {
                codes.insert(line.code);
            }
        }
        Ok::<_, Error>(codes)
    };
    let codes = context.db.read(move |tx| async move { read(tx).await }.boxed()).await?;
    Ok(codes.iter().filter_map(|code| AreaCode::parse(code).ok()).collect())
}

/// Judges a county, with one reader, and stores its points of today; gives how many. None are stored where a later
/// picture was.
async fn record_county(context: &Context, county: &AreaCode) -> Result<usize, Error> {
    let on = context.clock.now().day();
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let of = county.clone();
    let judge = async move |tx: &mut Tx| {
        // Of the picture that is judged: what comes later moves it again.
        let sequence = journal::sequence(tx, of.as_str()).await?;
        let figures = of_county(tx, (keys, policy), of, on).await?;
        Ok::<_, Error>((sequence, figures))
    };
    let judged = context.db.read_scan(move |tx| async move { judge(tx).await }.boxed());
    let (sequence, figures) = judged.await?;
    let (of, day) = (county.clone(), on.to_string());
    let old = model::last_renewed(on, context.policy.quality_trend().kept_days);
    let store = async move |tx: &mut Tx| {
        // Whoever else stores points of the county waits, or is over.
        areas::rows::lock(tx, &[of.clone()].into()).await?;
        if model::is_late(sql::last(tx, of.as_str()).await?.as_ref(), &day, sequence) {
            return Ok(0);
        }
        let lasts = sql::lasts(tx, (of.as_str(), &day)).await?;
        let points = model::to_store(of.as_str(), figures, (&lasts, old));
        sql::replace(tx, (of.as_str(), &day), &points, sequence).await?;
        Ok::<_, Error>(points.len())
    };
    context.db.write_bulk(move |tx| async move { store(tx).await }.boxed()).await
}

/// Judges counties when it is time, and deletes points whose time is over, for as long as the server runs.
pub async fn keep_trend(context: Context) {
    let mut ticks = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = keep_trend_once(&context.current()).await {
            tracing::error!(%error, "the trend of quality is not kept; it is tried again");
        }
    }
}

/// Judges the counties that changed since they were judged on a day before today, and deletes points whose time
/// is over; gives how many were judged. While any server of the database imports, none is: an import is to have the
/// machine for itself, and jobs name files, not counties.
pub async fn keep_trend_once(context: &Context) -> Result<usize, Error> {
    let mut judged = 0;
    for county in counties(context, Scope::all()).await? {
        if !is_due(context, &county).await? {
            continue;
        }
        match record_county(context, &county).await {
            Ok(_) => judged += 1,
            // One that cannot be judged must not hold up those behind it.
            Err(error) => tracing::error!(%error, %county, "a county could not be judged"),
        }
    }
    let kept_days = context.policy.quality_trend().kept_days;
    let last = model::last_forgotten(context.clock.now().day(), kept_days);
    loop {
        let forget = async move |tx: &mut Tx| sql::forget_first(tx, last).await;
        if !context.db.write(move |tx| async move { forget(tx).await }.boxed()).await? {
            return Ok(judged);
        }
    }
}

async fn is_due(context: &Context, county: &AreaCode) -> Result<bool, Error> {
    let kept_days = context.policy.quality_trend().kept_days;
    let (county, today) = (county.clone(), context.clock.now().day());
    let look = async move |tx: &mut Tx| {
        let last = sql::last(tx, county.as_str()).await?;
        let sequence = journal::sequence(tx, county.as_str()).await?;
        let is_due = model::is_due(last.as_ref(), (today, kept_days), sequence);
        Ok::<_, Error>(is_due && !jobs::rows::is_importing(tx).await?)
    };
    context.db.read(move |tx| async move { look(tx).await }.boxed()).await
}

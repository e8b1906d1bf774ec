//! Reading what is wrong with the records of an area.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::{BoxFuture, FutureExt, Tx};
use daohu_policy::Policy;

use super::{
    duties::Duty,
    judge::Record,
    model::{Checks, Finding},
    places::{self, Place},
    reader::Reader,
    report::{Figures, Tally},
};
use crate::{
    Context, Error,
    areas::{self, rows::AreaLine},
    households::{
        Home, Marks, has_ended,
        rows::{self, Which},
    },
    keys::Keys,
    registers,
};

/// The findings of an area and of those directly below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub(super) area: Figures,
    pub(super) below: Vec<(String, Figures)>,
    pub(super) names: HashMap<String, String>,
}

/// What the records of an area come to on a day, if the whole of it lies inside the scope.
pub(super) async fn report(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
    on: Day,
) -> Result<Report, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let next = Arc::default();
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let share = Share { keys, policy, scope, area: area.clone(), on, next };
    let lines = share.clone();
    let told = context.db.read_scan(move |tx| async move { lines.areas(tx).await }.boxed());
    let (areas, places) = told.await?;
    let names = areas.into_iter().map(|line| (line.code, line.name)).collect();
    let mut tally = Tally::new(&area);
    let counted =
        gather(context, &area, move |tx| async move { share.count(tx).await }.boxed()).await?;
    counted.iter().for_each(|counted| tally.add(counted));
    let (area, below) = tally.report(&places);
    Ok(Report { area, below, names })
}

/// What the records of a county come to on a day, of it and of each area in it: all of them are judged once.
pub(super) async fn of_county(
    tx: &mut Tx,
    (keys, policy): (Arc<Keys>, Arc<Policy>),
    county: AreaCode,
    on: Day,
) -> Result<BTreeMap<String, Figures>, Error> {
    let scope = Scope::of([county.clone()]);
    let mut tally = Tally::by_village(&county);
    let share = Share { keys, policy, scope, area: county, on, next: Arc::default() };
    let (areas, places) = share.clone().areas(tx).await?;
    share.each(tx, None, |home, found| tally.count(home, found)).await?;
    let day = on.to_string();
    let in_force = areas.iter().filter(|area| !has_ended(area, &day));
    Ok(tally.of_all(in_force.map(|area| area.code.as_str()), &places))
}

/// What nobody answers for in an area.
pub(super) async fn unanswered(
    context: &Context,
    scope: Scope,
    (area, on): (AreaCode, Day),
    wants: impl Fn(Finding) -> bool + Clone + Send + Sync + 'static,
) -> Result<Duty, Error> {
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let share = Share { keys, policy, scope, area: area.clone(), on, next: Arc::default() };
    let counted = gather(context, &area, move |tx| {
        async move { share.count_unanswered(tx, wants).await }.boxed()
    });
    Ok(counted.await?.into_iter().fold(Duty::default(), Duty::plus))
}

/// Has something done of a whole area: by several readers who share its counties, where it has several.
async fn gather<T, F>(context: &Context, area: &AreaCode, run: F) -> Result<Vec<T>, Error>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Error>> + Clone + Send + 'static,
{
    if area.level() >= AreaLevel::County {
        return Ok(vec![context.db.read_scan(run).await?]);
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let left = context.policy.quality_reports().turns_left;
    context.db.read_shared((cores, left), run).await
}

/// What readers of one report share: each takes the next county that nobody has taken.
#[derive(Clone)]
struct Share {
    keys: Arc<Keys>,
    policy: Arc<Policy>,
    scope: Scope,
    area: AreaCode,
    on: Day,
    next: Arc<AtomicUsize>,
}

impl Share {
    /// The areas, and what is found of them.
    async fn areas(self, tx: &mut Tx) -> Result<(Vec<AreaLine>, Vec<Place>), Error> {
        let areas = areas::rows::with_population(tx, &self.scope).await?;
        if areas.iter().all(|(line, _)| line.code != self.area.as_str()) {
            return Err(Error::NotFound("area"));
        }
        let checks = Checks::new(&self.policy, self.on);
        let places = places(tx, (&self.policy, &checks), (&self.scope, &self.area), &areas).await?;
        Ok((areas.into_iter().map(|(line, _)| line).collect(), places))
    }

    async fn count(self, tx: &mut Tx) -> Result<Tally, Error> {
        let mut tally = Tally::new(&self.area);
        self.each(tx, None, |home, found| tally.count(home, found)).await?;
        Ok(tally)
    }

    async fn count_unanswered(
        self,
        tx: &mut Tx,
        wants: impl Fn(Finding) -> bool + Send + Sync,
    ) -> Result<Duty, Error> {
        let mut duty = Duty::default();
        let wanted = |found: &&(Record, Finding)| wants(found.1);
        self.each(tx, Some(false), |_, found| duty.count(found.iter().filter(wanted).count()))
            .await?;
        Ok(duty)
    }

    /// Hands on households of counties until none is left, with what is found of each: all of them, or those that
    /// somebody answers for, or nobody. All readers see the same counties in the same order.
    async fn each(
        self,
        tx: &mut Tx,
        is_answered: Option<bool>,
        mut visit: impl FnMut(&Home, &[(Record, Finding)]) + Send,
    ) -> Result<(), Error> {
        let counties = rows::counties(tx, &self.scope).await?;
        let reader = Reader::new(&self.keys, &self.policy, self.scope, self.on);
        let mut reader = reader.untold();
        let answered = is_answered.map(|is_answered| reader.answered(is_answered));
        let which = answered.as_ref().map_or(Which::All, Which::Answered);
        while let Some(county) = counties.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            reader.begin(tx, county).await?;
            while let Some(homes) = reader.next(tx, which).await? {
                homes.iter().for_each(|home| visit(home, &reader.judge(home)));
            }
        }
        Ok(())
    }
}

/// What is found of the areas of a scope themselves.
pub(super) async fn places(
    tx: &mut Tx,
    (policy, checks): (&Policy, &Checks<'_>),
    (scope, area): (&Scope, &AreaCode),
    areas: &[(AreaLine, Option<i64>)],
) -> Result<Vec<Place>, Error> {
    let Some(rule) = policy.rule(places::RULE).filter(|rule| rule.is_in_force(checks.today)) else {
        return Ok(Vec::new());
    };
    let day = checks.today.to_string();
    let mut poor = HashSet::new();
    let codes = |list: &str, mark: &str| Marks::new(policy).codes(list, mark);
    let states = (codes("脱贫状态", "poor"), codes("户类型", "rural"));
    let unpopulated = places::unpopulated(areas, &day);
    if !unpopulated.is_empty() {
        let villages = rows::villages_in_state(tx, scope, (&states.0, &states.1)).await?;
        let has_poor = |code: &String| {
            villages.range(code.clone()..).next().is_some_and(|village| village.starts_with(code))
        };
        poor.extend(unpopulated.into_iter().filter(has_poor));
    }
    let lines: Vec<AreaLine> = areas.iter().map(|(line, _)| line.clone()).collect();
    let on = (lines.as_slice(), day.as_str());
    let leaderless =
        registers::villages_without(tx, policy, (scope, area), on, &rule.village_roles).await?;
    Ok(places::found(checks, areas, (&leaderless, &poor)))
}

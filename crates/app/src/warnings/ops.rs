//! Asking the rules, and keeping what they warn of.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use daohu_base::{Actor, AreaCode, AreaLevel, Day, Scope, Timestamp};
use daohu_db::{FutureExt, Tx};
use daohu_policy::Policy;
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior};

use super::{
    model::{Step, Warning, When, change, step},
    sql,
};
use crate::{
    Context, Error, areas,
    households::rows,
    jobs::{self, Ticket},
    journal::{self, Act},
    keys::Keys,
    monitoring::each_warning,
    sheet::Meta,
};

/// Households that are written together.
const TOGETHER: usize = 500;
/// How often a server asks.
const EVERY: Duration = Duration::from_secs(3_600);
/// The first time, once it has read the households.
const AT_FIRST: Duration = Duration::from_secs(30);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The area; all that there is, where none is named.
    pub area: Option<AreaCode>,
    /// The day that the rules are asked about; the one that monitoring looks at today, where none is named.
    pub on: Option<Day>,
    /// Says what would be done, and stores nothing.
    pub dry_run: bool,
}

/// What a rule came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleDone {
    /// Households of which it is true.
    pub met: u64,
    /// Warnings that were raised.
    pub raised: u64,
    /// Open ones of which it is no longer true.
    pub cleared: u64,
    /// Cleared ones of which it is true again.
    pub returned: u64,
}

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct Done {
    /// The day that the rules were asked about.
    pub on: String,
    /// Households that were asked.
    pub households: u64,
    /// By rule.
    pub rules: BTreeMap<String, RuleDone>,
}

/// What a run is to do with households of a county: by household the rules of which something new is to be said.
type Plans = BTreeMap<String, BTreeMap<i64, Vec<(String, bool)>>>;

/// Asks the rules of an area's households, and raises, clears and returns warnings. One that is stopped leaves whole households
/// done.
///
/// Errors: an unknown area; packs whose expressions cannot be meant.
pub async fn run(
    context: &Context,
    actor: &Actor,
    asked: Asked,
    ticket: &Ticket,
) -> Result<Done, Error> {
    let today = context.clock.now().day();
    let on = asked.on.unwrap_or_else(|| context.policy.monitoring().looked_at(today));
    let when = When { today, on };
    let parts = parts(context, asked.area).await?;
    let mut done = Done { on: on.to_string(), households: 0, rules: BTreeMap::new() };
    for area in parts {
        ticket.progress.check()?;
        let plans = plans(context, area, when, &mut done).await?;
        for (county, homes) in plans {
            let homes: Vec<_> = homes.into_iter().collect();
            for some in homes.chunks(TOGETHER) {
                ticket.progress.check()?;
                let act = Act::new(actor.clone(), &*context.clock, "warnings");
                let keeping = Keeping {
                    keys: context.keys.clone(),
                    policy: context.policy.clone(),
                    county: county.clone(),
                    when,
                    act,
                };
                let did = keeping.keep(context, some.to_vec(), asked.dry_run).await?;
                for (rule, step) in did {
                    let own = done.rules.entry(rule).or_default();
                    match step {
                        Step::Raise => own.raised += 1,
                        Step::Clear => own.cleared += 1,
                        Step::Return => own.returned += 1,
                    }
                }
            }
        }
        ticket.progress.expect(done.households);
    }
    Ok(done)
}

/// The area, or its counties: one after the other they take less room.
async fn parts(context: &Context, area: Option<AreaCode>) -> Result<Vec<AreaCode>, Error> {
    let scope = match area {
        Some(area) => {
            areas::ops::check_known(context, &area).await?;
            if area.at(AreaLevel::County).is_some() {
                return Ok(vec![area]);
            }
            Scope::of([area])
        }
        None => Scope::all(),
    };
    let read = async move |tx: &mut Tx| rows::counties(tx, &scope).await;
    let counties = context.db.read(move |tx| async move { read(tx).await }.boxed()).await?;
    Ok(counties.iter().filter_map(|code| AreaCode::parse(code).ok()).collect())
}

/// The last warning of each household and rule.
type Known = HashMap<i64, BTreeMap<String, Warning>>;

/// What a run knows of an area, and finds there.
struct Told {
    known: Known,
    plans: Plans,
    met: BTreeMap<String, u64>,
}

/// What is to be done in an area, and what its rules came to.
async fn plans(
    context: &Context,
    area: AreaCode,
    when: When,
    done: &mut Done,
) -> Result<Plans, Error> {
    let (scope, today) = (Scope::of([area.clone()]), when.today.to_string());
    let within = scope.clone();
    let read = async move |tx: &mut Tx| {
        let mut known = Known::new();
        sql::each_standing(tx, (&within, &today), |own| keep_last(&mut known, own)).await?;
        Ok::<_, Error>(known)
    };
    let known = context.db.read_scan(move |tx| async move { read(tx).await }.boxed()).await?;
    let told = Told { known, plans: Plans::new(), met: BTreeMap::new() };
    let (told, households) =
        each_warning(context, &scope, (area, when.on), told, move |told, said| {
            let Some(is_true) = said.is_true else { return };
            if is_true {
                *told.met.entry(said.rule.to_owned()).or_default() += 1;
            }
            let last = told.known.get(&said.household).and_then(|own| own.get(said.rule));
            if step(last, is_true, when).is_some() {
                let homes = told.plans.entry(said.county.to_owned()).or_default();
                homes.entry(said.household).or_default().push((said.rule.to_owned(), is_true));
            }
        })
        .await?;
    done.households += households as u64;
    for (rule, met) in told.met {
        done.rules.entry(rule).or_default().met += met;
    }
    Ok(told.plans)
}

/// Keeps the last warning of each household and rule: an open one, or the one that was raised last.
fn keep_last(known: &mut Known, own: Warning) {
    let of_home = known.entry(own.household).or_default();
    let is_later = |last: &Warning| {
        (last.closing.is_some(), &own.raised_on) > (own.closing.is_some(), &last.raised_on)
    };
    if of_home.get(&own.rule).is_none_or(is_later) {
        of_home.insert(own.rule.clone(), own);
    }
}

/// Writing what households of a county are warned of.
struct Keeping {
    keys: Arc<Keys>,
    policy: Arc<Policy>,
    county: String,
    when: When,
    act: Act,
}

impl Keeping {
    async fn keep(
        self,
        context: &Context,
        homes: Vec<(i64, Vec<(String, bool)>)>,
        dry_run: bool,
    ) -> Result<Vec<(String, Step)>, Error> {
        let clock = Arc::clone(&context.clock);
        let work = async move |tx: &mut Tx| {
            let act = self.act.anew(&*clock);
            Self { act, ..self }.write(tx, homes, dry_run).await
        };
        match dry_run {
            true => context.db.read_bulk(move |tx| async move { work(tx).await }.boxed()).await,
            false => context.db.write_bulk(move |tx| async move { work(tx).await }.boxed()).await,
        }
    }

    async fn write(
        mut self,
        tx: &mut Tx,
        homes: Vec<(i64, Vec<(String, bool)>)>,
        dry_run: bool,
    ) -> Result<Vec<(String, Step)>, Error> {
        let ids: Vec<i64> = homes.iter().map(|(id, _)| *id).collect();
        // Who closes one, or asks at the same time, is waited for; a household that went away meanwhile is left to the next run.
        let villages: HashMap<i64, String> = match dry_run {
            true => sql::villages(tx, &self.county, &ids).await?.into_iter().collect(),
            false => rows::lock_villages(tx, &self.county, &ids).await?.into_iter().collect(),
        };
        let mut known = Known::new();
        for own in sql::of_households(tx, &self.county, &ids).await? {
            self.act.follow(Timestamp(own.meta.updated_at));
            keep_last(&mut known, own);
        }
        let (mut new, mut changed, mut entries, mut did) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (household, said) in homes {
            let Some(village) = villages.get(&household) else { continue };
            for (rule, is_true) in said {
                let last = known.get(&household).and_then(|own| own.get(&rule));
                let Some(step) = step(last, is_true, self.when) else { continue };
                match (step, last) {
                    (Step::Raise, _) => {
                        let found = self.policy.warnings().find(&rule, village, self.when.on);
                        let Some(found) = found else { continue };
                        let meta = Meta { version: 1, ..Meta::new(&self.act) };
                        let of = (self.county.as_str(), household);
                        let own = Warning::new(&self.keys, of, found, self.when, meta);
                        entries.push(change(None, &own));
                        new.push(own);
                    }
                    (_, Some(last)) => {
                        let own = last.asked_again(step, self.when, &self.act);
                        entries.push(change(Some(last), &own));
                        changed.push(own);
                    }
                    (_, None) => continue,
                }
                did.push((rule, step));
            }
        }
        if !dry_run && !did.is_empty() {
            sql::insert(tx, &new).await?;
            sql::save(tx, &changed).await?;
            journal::record(tx, &self.keys, &self.act, entries).await?;
        }
        Ok(did)
    }
}

/// Asks the rules every hour, for as long as the server runs.
pub async fn keep(context: Context) {
    let mut ticks = tokio::time::interval_at(Instant::now() + AT_FIRST, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = keep_once(&context.current()).await {
            tracing::error!(%error, "warnings are not kept; it is tried again");
        }
    }
}

/// Asks the rules of all there is, unless a server of the database imports: it is to have the machine for itself.
async fn keep_once(context: &Context) -> Result<(), Error> {
    let look = async move |tx: &mut Tx| jobs::rows::is_importing(tx).await;
    if context.db.read(move |tx| async move { look(tx).await }.boxed()).await? {
        return Ok(());
    }
    let asked = Asked { area: None, on: None, dry_run: false };
    run(context, &Actor::command("warnings"), asked, &Ticket::default()).await.map(drop)
}

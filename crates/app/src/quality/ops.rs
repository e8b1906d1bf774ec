//! Reading what is wrong with the records of an area.

use std::{
    collections::{HashMap, HashSet},
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::{FutureExt, Tx};
use daohu_policy::Policy;

use super::{
    judge::{Record, judge},
    model::{Checks, Finding, LOOKED_AT},
    places::{self, Place},
    report::{Figures, Tally},
};
use crate::{
    Context, Error,
    areas::{self, rows::AreaLine},
    households::{
        Home,
        rows::{self, Alike, HomeColumns},
    },
    keys::Keys,
    registers,
};

/// Households that are read together.
const HOMES: i64 = 500;

/// The findings of an area and of those directly below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub(super) area: Figures,
    pub(super) below: Vec<(String, Figures)>,
    pub(super) names: HashMap<String, String>,
}

/// A record that breaks a rule.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The area that it is, or the village that it lies in.
    pub(super) area: String,
    /// The household's id and number.
    pub(super) home: Option<(i64, String)>,
    pub(super) record: Record,
    /// The person's or the area's.
    pub(super) name: Option<String>,
    pub(super) finding: Finding,
}

/// Where a list of findings goes on: county, household, and how many findings of it were told. Without a county,
/// how many of the areas.
pub(super) type Mark = (String, i64, usize);

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
    let (names, places) = told.await?;
    let is_one_county = area.level() >= AreaLevel::County;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let readers = if is_one_county { 1 } else { cores };
    let mut tally = Tally::new(&area);
    let counted = context
        .db
        .read_shared(readers, move |tx| async move { share.count(tx).await }.boxed())
        .await?;
    counted.iter().for_each(|counted| tally.add(counted));
    let (area, below) = tally.report(&places);
    Ok(Report { area, below, names })
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
    /// The names of the areas, and what is found of them.
    async fn areas(self, tx: &mut Tx) -> Result<(HashMap<String, String>, Vec<Place>), Error> {
        let areas = areas::rows::with_population(tx, &self.scope).await?;
        if areas.iter().all(|(line, _)| line.code != self.area.as_str()) {
            return Err(Error::NotFound("area"));
        }
        let checks = Checks::new(&self.policy, self.on);
        let places = places(tx, (&self.policy, &checks), (&self.scope, &self.area), &areas).await?;
        Ok((areas.into_iter().map(|(line, _)| (line.code, line.name)).collect(), places))
    }

    /// Counts counties until none is left. All readers see the same ones in the same order.
    async fn count(self, tx: &mut Tx) -> Result<Tally, Error> {
        let mut tally = Tally::new(&self.area);
        let counties = rows::counties(tx, &self.scope).await?;
        let mut reader = Reader::new(&self.keys, &self.policy, self.scope, self.on);
        while let Some(county) = counties.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            reader.begin(tx, county, 0).await?;
            while let Some(homes) = reader.next(tx).await? {
                for home in &homes {
                    tally.count(home, &reader.judge(home));
                }
            }
        }
        Ok(tally)
    }
}

/// What is found of the areas of a scope themselves.
async fn places(
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
    let codes = |list: &str, mark: &str| checks.marks.codes(list, mark);
    let states = (codes("脱贫状态", "poor"), codes("户类型", "rural"));
    for code in places::unpopulated(areas, &day) {
        let Ok(place) = AreaCode::parse(&code) else { continue };
        if rows::any_in_state(tx, &place, (&states.0, &states.1)).await? {
            poor.insert(code);
        }
    }
    let lines: Vec<AreaLine> = areas.iter().map(|(line, _)| line.clone()).collect();
    let on = (lines.as_slice(), day.as_str());
    let leaderless =
        registers::villages_without(tx, policy, (scope, area), on, &rule.village_roles).await?;
    Ok(places::found(checks, areas, (&leaderless, &poor)))
}

/// The next findings of an area, of one rule or of all, household by household.
pub(super) async fn findings(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    rule: Option<String>,
    after: Option<Mark>,
    limit: usize,
) -> Result<(Vec<Found>, Option<Mark>), Error> {
    let scope = areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let work = async move |tx: &mut Tx| {
        let mut page = Page { rule, limit, found: Vec::new() };
        let (first, household, mut told) = after.unwrap_or_default();
        let mut reader = Reader::new(&keys, &policy, scope, on);
        if first.is_empty() && page.rule.as_deref().is_none_or(|rule| rule == places::RULE) {
            let areas = areas::rows::with_population(tx, &reader.scope).await?;
            let checks = (&*policy, &reader.checks);
            let places = places(tx, checks, (&reader.scope, &area), &areas).await?;
            let places = places.iter().map(tell_place);
            if let Some(next) = page.take(places, std::mem::take(&mut told)) {
                return Ok((page.found, Some((String::new(), 0, next))));
            }
        }
        let counties = rows::counties(tx, &reader.scope).await?;
        for county in counties.iter().filter(|county| **county >= first) {
            // The household that the page before ended in comes again.
            let after = if *county == first { household - 1 } else { 0 };
            reader.begin(tx, county, after).await?;
            while let Some(homes) = reader.next(tx).await? {
                for home in &homes {
                    let found = reader.judge(home).into_iter();
                    let found = found.map(|(record, finding)| tell(home, record, finding));
                    if let Some(next) = page.take(found, std::mem::take(&mut told)) {
                        let mark = (county.clone(), home.household.id(), next);
                        return Ok((page.found, Some(mark)));
                    }
                }
            }
        }
        Ok((page.found, None))
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// A page of findings that is being filled.
struct Page {
    rule: Option<String>,
    limit: usize,
    found: Vec<Found>,
}

impl Page {
    /// Takes what is wanted of the findings of a household, or of the areas, but those told before; where the
    /// page is full, how many are told now.
    fn take(&mut self, found: impl Iterator<Item = Found>, told: usize) -> Option<usize> {
        let rule = self.rule.as_deref();
        let wanted = found.filter(|found| rule.is_none_or(|rule| found.finding.rule == rule));
        for (nth, found) in wanted.enumerate().skip(told) {
            if self.found.len() == self.limit {
                return Some(nth);
            }
            self.found.push(found);
        }
        None
    }
}

fn tell_place(place: &Place) -> Found {
    Found {
        area: place.code.clone(),
        home: None,
        record: Record::Area,
        name: Some(place.name.clone()),
        finding: place.finding,
    }
}

fn tell(home: &Home, record: Record, finding: Finding) -> Found {
    let name = match record {
        Record::Person(id) => home.persons.iter().find(|person| person.id() == id),
        _ => None,
    };
    let name = name.and_then(|person| person.text(crate::sheet::person::NAME));
    Found {
        area: home.household.village().to_owned(),
        home: Some((home.household.id(), home.household.no().to_owned())),
        record,
        name: name.map(str::to_owned),
        finding,
    }
}

/// Reads the households of a county with all that hangs on them.
struct Reader<'p> {
    keys: &'p Keys,
    checks: Checks<'p>,
    columns: HomeColumns,
    kinds: Vec<i64>,
    scope: Scope,
    county: String,
    after: i64,
    /// Those of the county who are probably another's duplicate.
    suspects: HashSet<i64>,
    /// Households of the last batch that a cadre answers for.
    answered: HashSet<i64>,
}

impl<'p> Reader<'p> {
    fn new(keys: &'p Keys, policy: &'p Policy, scope: Scope, on: Day) -> Self {
        let (checks, kinds) = (Checks::new(policy, on), registers::cadre_kinds(policy));
        let columns = HomeColumns::of(LOOKED_AT.0, LOOKED_AT.1);
        let (county, after, suspects, answered) = Default::default();
        Self { keys, checks, columns, kinds, scope, county, after, suspects, answered }
    }

    fn judge(&self, home: &Home) -> Vec<(Record, Finding)> {
        let is_answered = self.answered.contains(&home.household.id());
        judge(&self.checks, home, (&self.suspects, is_answered))
    }

    /// Goes to a county, behind a household of it.
    async fn begin(&mut self, tx: &mut Tx, county: &str, after: i64) -> Result<(), Error> {
        let alikes = rows::alikes(tx, county).await?;
        self.suspects = suspects(&rows::with_alike(tx, county, alikes).await?);
        (self.county, self.after) = (county.to_owned(), after);
        Ok(())
    }

    /// The next households of the county; none at its end.
    async fn next(&mut self, tx: &mut Tx) -> Result<Option<Vec<Home>>, Error> {
        let (county, read) = (self.county.as_str(), (self.keys, &self.columns));
        let homes = rows::next_homes_of(tx, read, &self.scope, (county, self.after), HOMES).await?;
        let ids: Vec<i64> = homes.iter().map(|home| home.household.id()).collect();
        let Some(last) = ids.last() else { return Ok(None) };
        self.after = *last;
        let day = self.checks.today.to_string();
        let answered = registers::rows::answered(tx, (county, &ids), &self.kinds, &day).await?;
        self.answered = answered.into_iter().collect();
        Ok(Some(homes))
    }
}

/// Persons of another household of the same township who are alike.
pub(super) fn suspects(alike: &[Alike]) -> HashSet<i64> {
    fn township(alike: &Alike) -> (i64, &str) {
        let digits = AreaLevel::Township.digits();
        (alike.alike, alike.village.get(..digits).unwrap_or(&alike.village))
    }
    let mut homes: HashMap<(i64, &str), HashSet<i64>> = HashMap::new();
    for one in alike {
        homes.entry(township(one)).or_default().insert(one.household);
    }
    let several = |one: &&Alike| homes.get(&township(one)).is_some_and(|homes| homes.len() > 1);
    alike.iter().filter(several).map(|one| one.person).collect()
}

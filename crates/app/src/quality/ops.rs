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
use daohu_db::{FutureExt, Tx};
use daohu_policy::{Level, Policy};

use super::{
    duties::{Duties, Duty},
    judge::{Record, judge},
    model::{Checks, Finding, LOOKED_AT},
    places::{self, Place},
    report::{Figures, Tally},
};
use crate::{
    Context, Error,
    areas::{self, rows::AreaLine},
    households::{
        Home, has_ended,
        rows::{self, HomeColumns},
    },
    keys::Keys,
    registers, suspects,
};

/// Cadres whose names are asked for together.
const NAMES: usize = 500;
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
    /// Who answers for the household.
    pub(super) cadres: Vec<String>,
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
    let (areas, places) = told.await?;
    let names = areas.into_iter().map(|line| (line.code, line.name)).collect();
    let readers = share.readers();
    let mut tally = Tally::new(&area);
    let counted = context
        .db
        .read_shared(readers, move |tx| async move { share.count(tx).await }.boxed())
        .await?;
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
    share.each(tx, |home, found, _| tally.count(home, found)).await?;
    let day = on.to_string();
    let in_force = areas.iter().filter(|area| !has_ended(area, &day));
    Ok(tally.of_all(in_force.map(|area| area.code.as_str()), &places))
}

/// How many findings each cadre has to put right in an area, by number; what nobody answers for
/// comes first.
pub(super) async fn duties(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    wanted: Wanted,
) -> Result<Vec<(Option<String>, Duty)>, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let share = Share { keys, policy, scope, area, on, next: Arc::default() };
    let readers = share.readers();
    let counted = context.db.read_shared(readers, move |tx| {
        async move { share.count_duties(tx, wanted).await }.boxed()
    });
    let mut duties = Duties::default();
    counted.await?.into_iter().for_each(|counted| duties.add(counted));
    Ok(duties.told())
}

/// The names of the cadres.
pub(super) async fn names(
    context: &Context,
    duties: &[(Option<String>, Duty)],
) -> Result<HashMap<String, String>, Error> {
    let cadres: Vec<String> = duties.iter().filter_map(|(cadre, _)| cadre.clone()).collect();
    let work = async move |tx: &mut Tx| {
        let mut names = HashMap::new();
        for cadres in cadres.chunks(NAMES) {
            names.extend(registers::cadre_names(tx, cadres.to_vec()).await?);
        }
        Ok::<_, Error>(names)
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
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
    /// How many readers there is work for.
    fn readers(&self) -> usize {
        let is_one_county = self.area.level() >= AreaLevel::County;
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        if is_one_county { 1 } else { cores }
    }

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
        self.each(tx, |home, found, _| tally.count(home, found)).await?;
        Ok(tally)
    }

    async fn count_duties(self, tx: &mut Tx, wanted: Wanted) -> Result<Duties, Error> {
        let (mut duties, policy) = (Duties::default(), Arc::clone(&self.policy));
        let wants = |found: &&(Record, Finding)| wanted.wants(&policy, found.1);
        self.each(tx, |_, found, cadres| {
            duties.count(cadres, found.iter().filter(wants).count());
        })
        .await?;
        Ok(duties)
    }

    /// Hands on households of counties until none is left, with what is found of each and who answers for it. All
    /// readers see the same counties in the same order.
    async fn each(
        self,
        tx: &mut Tx,
        mut visit: impl FnMut(&Home, &[(Record, Finding)], &[String]) + Send,
    ) -> Result<(), Error> {
        let counties = rows::counties(tx, &self.scope).await?;
        let mut reader = Reader::new(&self.keys, &self.policy, self.scope, self.on);
        while let Some(county) = counties.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            reader.begin(tx, county, 0).await?;
            while let Some(homes) = reader.next(tx).await? {
                for home in &homes {
                    visit(home, &reader.judge(home), reader.cadres(home));
                }
            }
        }
        Ok(())
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
    wanted: Wanted,
    after: Option<Mark>,
    limit: usize,
) -> Result<(Vec<Found>, Option<Mark>), Error> {
    let scope = areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let work = async move |tx: &mut Tx| {
        let (first, household, mut told) = after.unwrap_or_default();
        let mut reader = Reader::new(&keys, &policy, scope, on);
        if let Some(cadre) = &wanted.cadre {
            reader.narrow(tx, cadre).await?;
        }
        let mut page = Page { wanted, policy: &policy, limit, found: Vec::new() };
        if first.is_empty() && page.wanted.has_areas() {
            let areas = areas::rows::with_population(tx, &reader.scope).await?;
            let checks = (&*policy, &reader.checks);
            let places = places(tx, checks, (&reader.scope, &area), &areas).await?;
            let places = places.iter().map(tell_place);
            if let Some(next) = page.take(places, std::mem::take(&mut told)) {
                return Ok((page.found, Some((String::new(), 0, next))));
            }
        }
        let counties = reader.counties(tx).await?;
        for county in counties.iter().filter(|county| **county >= first) {
            // The household that the page before ended in comes again.
            let after = if *county == first { household - 1 } else { 0 };
            reader.begin(tx, county, after).await?;
            while let Some(homes) = reader.next(tx).await? {
                for home in &homes {
                    let cadres = reader.cadres(home);
                    if page.wanted.is_answered.is_some_and(|wanted| wanted == cadres.is_empty()) {
                        continue;
                    }
                    let found = reader.judge(home).into_iter();
                    let found = found.map(|(record, finding)| tell(home, cadres, record, finding));
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

/// Which findings.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) rule: Option<String>,
    pub(super) level: Option<Level>,
    /// Of households that this cadre answers for.
    pub(super) cadre: Option<String>,
    /// Of households that somebody answers for, or nobody.
    pub(super) is_answered: Option<bool>,
}

impl Wanted {
    fn wants(&self, policy: &Policy, finding: Finding) -> bool {
        let is_of = |level| policy.rule(finding.rule).is_some_and(|rule| rule.level == level);
        self.rule.as_deref().is_none_or(|rule| finding.rule == rule) && self.level.is_none_or(is_of)
    }

    /// True if areas may be among them.
    fn has_areas(&self) -> bool {
        let is_of_households = self.cadre.is_some() || self.is_answered.is_some();
        !is_of_households && self.rule.as_deref().is_none_or(|rule| rule == places::RULE)
    }
}

/// A page of findings that is being filled.
struct Page<'p> {
    wanted: Wanted,
    policy: &'p Policy,
    limit: usize,
    found: Vec<Found>,
}

impl Page<'_> {
    /// Takes what is wanted of the findings of a household, or of the areas, but those told before; where the
    /// page is full, how many are told now.
    fn take(&mut self, found: impl Iterator<Item = Found>, told: usize) -> Option<usize> {
        let wanted = found.filter(|found| self.wanted.wants(self.policy, found.finding));
        let wanted: Vec<Found> = wanted.collect();
        for (nth, found) in wanted.into_iter().enumerate().skip(told) {
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
        cadres: Vec::new(),
    }
}

fn tell(home: &Home, cadres: &[String], record: Record, finding: Finding) -> Found {
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
        cadres: cadres.to_vec(),
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
    /// Those who answer for households of the last batch, by household.
    answering: HashMap<i64, Vec<String>>,
    /// Households that alone are read, by county, if not all are.
    only: Option<HashMap<String, Vec<i64>>>,
}

impl<'p> Reader<'p> {
    fn new(keys: &'p Keys, policy: &'p Policy, scope: Scope, on: Day) -> Self {
        let (checks, kinds) = (Checks::new(policy, on), registers::cadre_kinds(policy));
        let columns = HomeColumns::of(LOOKED_AT.0, LOOKED_AT.1);
        let (county, after, suspects, answering, only) = Default::default();
        Self { keys, checks, columns, kinds, scope, county, after, suspects, answering, only }
    }

    fn judge(&self, home: &Home) -> Vec<(Record, Finding)> {
        let is_answered = !self.cadres(home).is_empty();
        judge(&self.checks, home, (&self.suspects, is_answered))
    }

    /// Who answers for a household, by number.
    fn cadres(&self, home: &Home) -> &[String] {
        self.answering.get(&home.household.id()).map_or(&[], Vec::as_slice)
    }

    /// Reads the households alone that a cadre answers for.
    async fn narrow(&mut self, tx: &mut Tx, cadre: &str) -> Result<(), Error> {
        let day = self.checks.today.to_string();
        let mut only: HashMap<String, Vec<i64>> = HashMap::new();
        for (county, id) in registers::rows::answered_by(tx, cadre, &self.kinds, &day).await? {
            only.entry(county).or_default().push(id);
        }
        self.only = Some(only);
        Ok(())
    }

    /// The counties that have households to be read.
    async fn counties(&self, tx: &mut Tx) -> Result<Vec<String>, Error> {
        let mut counties = rows::counties(tx, &self.scope).await?;
        counties.retain(|county| self.only.as_ref().is_none_or(|only| only.contains_key(county)));
        Ok(counties)
    }

    /// Goes to a county, behind a household of it.
    async fn begin(&mut self, tx: &mut Tx, county: &str, after: i64) -> Result<(), Error> {
        let alikes = rows::alikes(tx, county, i64::MIN, i64::MAX).await?;
        let alike = rows::with_alike(tx, county, alikes).await?;
        let different = suspects::rows::different_in(tx, county).await?;
        self.suspects = suspects::suspects(&alike, &different);
        (self.county, self.after) = (county.to_owned(), after);
        Ok(())
    }

    /// The next households of the county; none at its end.
    async fn next(&mut self, tx: &mut Tx) -> Result<Option<Vec<Home>>, Error> {
        let (county, read) = (self.county.as_str(), (self.keys, &self.columns));
        let only = self.only.as_ref().and_then(|only| only.get(county)).map(Vec::as_slice);
        let after = (county, self.after, only);
        let homes = rows::next_homes_of(tx, read, &self.scope, after, HOMES).await?;
        let ids: Vec<i64> = homes.iter().map(|home| home.household.id()).collect();
        let Some(last) = ids.last() else { return Ok(None) };
        self.after = *last;
        let day = self.checks.today.to_string();
        self.answering.clear();
        let mut pairs = registers::rows::answering(tx, (county, &ids), &self.kinds, &day).await?;
        pairs.sort();
        pairs.dedup();
        for (household, cadre) in pairs {
            self.answering.entry(household).or_default().push(cadre);
        }
        Ok(Some(homes))
    }
}

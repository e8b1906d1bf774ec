//! Reading what is wrong with the records of an area.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use daohu_base::{AreaCode, Day, Scope};
use daohu_db::{FutureExt, Tx};
use daohu_policy::Policy;

use super::{
    judge::{Record, judge},
    model::{Checks, Finding},
    report::{Figures, Tally},
};
use crate::{
    Context, Error, areas,
    households::{Home, rows},
    keys::Keys,
    registers, suspects,
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
    pub(super) county: String,
    pub(super) household: i64,
    pub(super) household_no: String,
    pub(super) village: String,
    pub(super) record: Record,
    /// The person's name.
    pub(super) name: Option<String>,
    pub(super) finding: Finding,
}

/// Where a list of findings goes on: county, household, and how many findings of it were told.
pub(super) type Mark = (String, i64, usize);

/// What the records of an area come to on a day, if the whole of it lies inside the scope.
pub(super) async fn report(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
    on: Day,
) -> Result<Report, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let work = async move |tx: &mut Tx| {
        let areas = areas::rows::with_population(tx, &scope).await?;
        if areas.iter().all(|(line, _)| line.code != area.as_str()) {
            return Err(Error::NotFound("area"));
        }
        let names = areas.into_iter().map(|(line, _)| (line.code, line.name)).collect();
        let mut tally = Tally::new(&area);
        let mut reader = Reader::new(&keys, &policy, scope, on);
        while let Some(homes) = reader.next(tx).await? {
            for home in &homes {
                tally.count(home, &reader.judge(home));
            }
        }
        let (area, below) = tally.report();
        Ok(Report { area, below, names })
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
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
        let mut reader = Reader::new(&keys, &policy, scope, on);
        let mut told = 0;
        if let Some((county, household, count)) = after {
            // The household that the page before ended in comes again.
            reader.after = (county, household - 1);
            told = count;
        }
        let mut all = Vec::new();
        while let Some(homes) = reader.next(tx).await? {
            for home in &homes {
                let found = reader.judge(home);
                let wanted = |(_, finding): &&(Record, Finding)| {
                    rule.as_deref().is_none_or(|rule| finding.rule == rule)
                };
                for (n, (record, finding)) in found.iter().filter(wanted).enumerate().skip(told) {
                    if all.len() == limit {
                        let (county, id) = (home.household.county(), home.household.id());
                        return Ok((all, Some((county.to_owned(), id, n))));
                    }
                    all.push(tell(home, *record, *finding));
                }
                told = 0;
            }
        }
        Ok((all, None))
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

fn tell(home: &Home, record: Record, finding: Finding) -> Found {
    let name = match record {
        Record::Person(id) => home.persons.iter().find(|person| person.id() == id),
        _ => None,
    };
    let name = name.and_then(|person| person.text(crate::sheet::person::NAME));
    Found {
        county: home.household.county().to_owned(),
        household: home.household.id(),
        household_no: home.household.no().to_owned(),
        village: home.household.village().to_owned(),
        record,
        name: name.map(str::to_owned),
        finding,
    }
}

/// Reads households with all that hangs on them, county by county.
struct Reader<'p> {
    keys: &'p Keys,
    checks: Checks<'p>,
    kinds: Vec<i64>,
    scope: Scope,
    after: (String, i64),
    /// The county whose probable duplicates are known, and they.
    suspects: (String, HashSet<i64>),
    /// Households of the last batch that a cadre answers for.
    answered: HashSet<i64>,
}

impl<'p> Reader<'p> {
    fn new(keys: &'p Keys, policy: &'p Policy, scope: Scope, on: Day) -> Self {
        let (checks, kinds) = (Checks::new(policy, on), registers::cadre_kinds(policy));
        let (after, suspects, answered) = Default::default();
        Self { keys, checks, kinds, scope, after, suspects, answered }
    }

    fn judge(&self, home: &Home) -> Vec<(Record, Finding)> {
        let is_answered = self.answered.contains(&home.household.id());
        judge(&self.checks, home, (&self.suspects.1, is_answered))
    }

    /// The next households, of one county; none at the end.
    async fn next(&mut self, tx: &mut Tx) -> Result<Option<Vec<Home>>, Error> {
        let after = (self.after.0.as_str(), self.after.1);
        let homes = rows::next_homes(tx, self.keys, &self.scope, after, HOMES).await?;
        let Some(first) = homes.first() else { return Ok(None) };
        let county = first.household.county().to_owned();
        if self.suspects.0 != county {
            let alikes = rows::alikes(tx, &county, i64::MIN, i64::MAX).await?;
            let alike = rows::with_alike(tx, &county, alikes).await?;
            let different = suspects::rows::different_in(tx, &county).await?;
            self.suspects = (county.clone(), suspects::suspects(&alike, &different));
        }
        let ids: Vec<i64> = homes.iter().map(|home| home.household.id()).collect();
        self.after = (county.clone(), ids.last().copied().unwrap_or_default());
        let day = self.checks.today.to_string();
        let answered = registers::rows::answered(tx, (&county, &ids), &self.kinds, &day).await?;
        self.answered = answered.into_iter().collect();
        Ok(Some(homes))
    }
}

//! Lists of findings, page by page.
//!
//! A page goes on where the one before ended, in the order of the keys, and ends when it is full or when as much
//! was looked at as the pack allows: it costs the same wherever in the list it stands.

use std::collections::HashMap;

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::{FutureExt, Tx};
use daohu_policy::{Level, Policy};
use serde::{Deserialize, Serialize};

use super::{
    judge::Record,
    model::Finding,
    ops::places,
    places::{self, Place},
    reader::Reader,
};
use crate::{
    Context, Error, areas,
    households::{
        Home,
        rows::{self, Which},
    },
    registers,
};

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
    pub(super) fn wants(&self, policy: &Policy, finding: Finding) -> bool {
        let is_of = |level| policy.rule(finding.rule).is_some_and(|rule| rule.level == level);
        self.rule.as_deref().is_none_or(|rule| finding.rule == rule) && self.level.is_none_or(is_of)
    }

    /// True if areas may be among them.
    fn has_areas(&self) -> bool {
        let is_of_households = self.cadre.is_some() || self.is_answered.is_some();
        !is_of_households && self.rule.as_deref().is_none_or(|rule| rule == places::RULE)
    }
}

/// In which order: what comes first is read first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Areas by code, then households by county and id.
    #[default]
    Household,
    /// Rules that refuse rows first, and within them as above.
    Level,
}

impl Sort {
    /// The order of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "household" => Some(Self::Household),
            "level" => Some(Self::Level),
            _ => None,
        }
    }

    /// Names the list, so that a page mark of another order is refused.
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Household => "findings by household",
            Self::Level => "findings by level",
        }
    }

    /// The levels that are gone through one after the other; none for all at once.
    fn levels(self, wanted: &Wanted) -> Vec<Option<Level>> {
        match (self, wanted.level) {
            (Self::Level, None) => vec![Some(Level::Reject), Some(Level::Warn)],
            (_, level) => vec![level],
        }
    }
}

/// Where a list of findings goes on: in which of the levels that are gone through, and where there.
pub(super) type Mark = (usize, Spot);

/// Where within a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Spot {
    /// Behind this code, of areas.
    Areas(String),
    /// Of a county, at this household, behind so many of its findings.
    Homes(String, i64, usize),
}

impl Default for Spot {
    fn default() -> Self {
        Self::Areas(String::new())
    }
}

/// The next findings of a list.
pub(super) struct Listed {
    /// May be fewer than asked for, and yet not the last.
    pub(super) found: Vec<Found>,
    /// Where the list goes on; nothing at its end.
    pub(super) next: Option<Mark>,
    /// Areas and households that were looked at for them.
    pub(super) looked_at: usize,
}

/// The next findings of an area.
pub(super) async fn list(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    (wanted, sort): (Wanted, Sort),
    after: Option<Mark>,
    limit: usize,
) -> Result<Listed, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let (levels, most) = (sort.levels(&wanted), policy.quality_reports().page_records_max);
        let reader = Reader::new(&keys, &policy, scope, on);
        let page = Page { wanted, policy: &policy, room: limit, left: most, found: Vec::new() };
        let mut lister = Lister { reader, area, page };
        let (first, mut spot) = after.unwrap_or_default();
        for (nth, level) in levels.into_iter().enumerate().skip(first) {
            lister.page.wanted.level = level;
            if let Some(next) = lister.go_on(tx, std::mem::take(&mut spot)).await? {
                return Ok(lister.page.listed(most, Some((nth, next))));
            }
        }
        Ok(lister.page.listed(most, None))
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// A page that is being filled.
struct Page<'p> {
    wanted: Wanted,
    policy: &'p Policy,
    /// Findings that it takes in all.
    room: usize,
    /// Areas and households that may still be looked at.
    left: usize,
    found: Vec<Found>,
}

impl Page<'_> {
    /// What it is filled with, if `most` could be looked at for it.
    fn listed(self, most: usize, next: Option<Mark>) -> Listed {
        Listed { found: self.found, next, looked_at: most.saturating_sub(self.left) }
    }

    /// Takes what is wanted of the findings of a record, but those told before; where the page is full, how many
    /// are told now.
    fn take(&mut self, found: impl Iterator<Item = Found>, told: usize) -> Option<usize> {
        self.left = self.left.saturating_sub(1);
        let wanted = found.filter(|found| self.wanted.wants(self.policy, found.finding));
        for (nth, found) in wanted.enumerate().skip(told) {
            if self.found.len() == self.room {
                return Some(nth);
            }
            self.found.push(found);
        }
        None
    }
}

/// Reads what a page is filled with.
struct Lister<'p> {
    reader: Reader<'p>,
    area: AreaCode,
    page: Page<'p>,
}

impl Lister<'_> {
    /// Fills the page from a spot on; gives where the next one goes on, if this one ends before its level does.
    async fn go_on(&mut self, tx: &mut Tx, spot: Spot) -> Result<Option<Spot>, Error> {
        match spot {
            Spot::Areas(after) => {
                if self.page.wanted.has_areas()
                    && let Some(last) = self.areas(tx, after).await?
                {
                    return Ok(Some(Spot::Areas(last)));
                }
                self.homes(tx, (String::new(), 0, 0)).await
            }
            Spot::Homes(county, household, told) => self.homes(tx, (county, household, told)).await,
        }
    }

    /// Takes what is found of areas behind a code, county by county: what is found of one depends on those of its
    /// county alone. Gives the last code that is done with, if the page ends here.
    async fn areas(&mut self, tx: &mut Tx, after: String) -> Result<Option<String>, Error> {
        let counties = match self.area.at(AreaLevel::County) {
            Some(county) => vec![county],
            None => {
                let lines = areas::rows::counties(tx, &self.reader.scope).await?;
                lines.iter().filter_map(|line| AreaCode::parse(&line.code).ok()).collect()
            }
        };
        let mut last = after.clone();
        for county in counties {
            let end = county.end();
            if end <= after {
                continue;
            }
            let is_above = self.area.level() < AreaLevel::County;
            let area = if is_above { county } else { self.area.clone() };
            let scope = Scope::of([area.clone()]);
            let areas = areas::rows::with_population(tx, &scope).await?;
            let checks = (self.page.policy, &self.reader.checks);
            let places = places(tx, checks, (&scope, &area), &areas).await?;
            for place in places.iter().filter(|place| place.code > after) {
                if self.page.take(std::iter::once(tell_place(place)), 0).is_some() {
                    return Ok(Some(last));
                }
                last.clone_from(&place.code);
            }
            self.page.left = self.page.left.saturating_sub(areas.len());
            last = end;
            if self.page.left == 0 {
                return Ok(Some(last));
            }
        }
        Ok(None)
    }

    /// Takes what is found of households, from one on; gives where the next page goes on, if this one ends
    /// before they do.
    async fn homes(
        &mut self,
        tx: &mut Tx,
        (first, household, told): (String, i64, usize),
    ) -> Result<Option<Spot>, Error> {
        let only = self.only(tx).await?;
        let is_answered = self.page.wanted.is_answered;
        let answered = is_answered.map(|is_answered| self.reader.answered(is_answered));
        for county in rows::counties(tx, &self.reader.scope).await? {
            let which = match (&only, &answered) {
                (None, None) => Which::All,
                (None, Some(answered)) => Which::Answered(answered),
                (Some(only), _) => match only.get(&county) {
                    Some(homes) => Which::These(homes),
                    None => continue,
                },
            };
            if county < first {
                continue;
            }
            // The household that the page before ended in comes again.
            let is_first = county == first;
            self.reader.enter(&county, if is_first { household - 1 } else { 0 });
            while let Some(homes) = self.reader.next_few(tx, which).await? {
                for home in &homes {
                    let id = home.household.id();
                    // Another may stand in its place: it moved away meanwhile, or somebody else answers for it.
                    let told = if is_first && id == household { told } else { 0 };
                    if let Some(next) = self.take_home(home, told) {
                        return Ok(Some(Spot::Homes(county, id, next)));
                    }
                    if self.page.left == 0 {
                        return Ok(Some(Spot::Homes(county, id + 1, 0)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The households that the cadre answers for whose findings are wanted, by county; none if all are wanted.
    async fn only(&self, tx: &mut Tx) -> Result<Option<HashMap<String, Vec<i64>>>, Error> {
        let Some(cadre) = &self.page.wanted.cadre else { return Ok(None) };
        let (kinds, day) = (&self.reader.kinds, self.reader.checks.today.to_string());
        let mut only: HashMap<String, Vec<i64>> = HashMap::new();
        let cadre = std::slice::from_ref(cadre);
        for (county, id) in registers::rows::answered_by(tx, cadre, kinds, &day).await? {
            only.entry(county).or_default().push(id);
        }
        Ok(Some(only))
    }

    fn take_home(&mut self, home: &Home, told: usize) -> Option<usize> {
        let cadres = self.reader.cadres(home);
        let is_other = |wanted: bool| wanted == cadres.is_empty();
        let found = match self.page.wanted.is_answered {
            Some(wanted) if is_other(wanted) => Vec::new(),
            _ => self.reader.judge(home),
        };
        let found = found.into_iter().map(|(record, finding)| tell(home, cadres, record, finding));
        self.page.take(found, told)
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

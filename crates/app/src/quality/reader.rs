//! Households, batch by batch, with all that is needed to judge them.

use std::collections::{HashMap, HashSet};

use daohu_base::{Day, Scope};
use daohu_db::Tx;
use daohu_policy::Policy;

use super::{
    judge::{Record, judge},
    model::{Checks, Finding, LOOKED_AT, TOLD_BY},
};
use crate::{
    Error,
    households::{
        Home, alike,
        rows::{self, Answered, Selections, Those, Which},
    },
    keys::Keys,
    registers, suspects,
};

/// Households that are read together where all are read.
const HOMES: i64 = 1000;
/// Households that are read together for a page, which may end at any of them.
const HOMES_OF_PAGE: i64 = 100;

/// Reads the households of a county with all that hangs on them.
pub(super) struct Reader<'p> {
    keys: &'p Keys,
    pub(super) checks: Checks<'p>,
    columns: Selections,
    pub(super) kinds: Vec<i64>,
    pub(super) scope: Scope,
    county: String,
    after: i64,
    /// Those of the county, or of the last batch, who are probably another's duplicate.
    suspects: HashSet<i64>,
    /// Those who answer for households of the last batch, by household.
    answering: HashMap<i64, Vec<String>>,
}

impl<'p> Reader<'p> {
    pub(super) fn new(keys: &'p Keys, policy: &'p Policy, scope: Scope, on: Day) -> Self {
        let (checks, kinds) = (Checks::new(policy, on), registers::cadre_kinds(policy));
        let household = [LOOKED_AT.0, TOLD_BY.0].concat();
        let person = [LOOKED_AT.1, TOLD_BY.1].concat();
        let columns = Selections::of(&household, &person, LOOKED_AT.2);
        let (county, after, suspects, answering) = Default::default();
        Self { keys, checks, columns, kinds, scope, county, after, suspects, answering }
    }

    /// Leaves out what tells people which record it is: for those who only count, with [`Reader::next`].
    pub(super) fn untold(self) -> Self {
        Self { columns: Selections::of(LOOKED_AT.0, LOOKED_AT.1, LOOKED_AT.2), ..self }
    }

    pub(super) fn judge(&self, home: &Home) -> Vec<(Record, Finding)> {
        let is_answered = !self.cadres(home).is_empty();
        judge(&self.checks, home, (&self.suspects, is_answered))
    }

    /// Who answers for a household, by number.
    pub(super) fn cadres(&self, home: &Home) -> &[String] {
        self.answering.get(&home.household.id()).map_or(&[], Vec::as_slice)
    }

    /// The households that somebody answers for on the day, or nobody.
    pub(super) fn answered(&self, is_answered: bool) -> Answered {
        let day = self.checks.today.to_string();
        Answered { is_answered, kinds: self.kinds.clone(), day }
    }

    /// Goes to a county of which everything is to be read.
    pub(super) async fn begin(&mut self, tx: &mut Tx, county: &str) -> Result<(), Error> {
        self.enter(county, 0);
        let alikes = rows::alikes(tx, county, i64::MIN, i64::MAX).await?;
        let alike = rows::with_alike(tx, county, alikes).await?;
        let different = suspects::rows::different_in(tx, county).await?;
        self.suspects = suspects::suspects(&alike, &different);
        Ok(())
    }

    /// Goes to a county, behind a household of it.
    pub(super) fn enter(&mut self, county: &str, after: i64) {
        (self.county, self.after) = (county.to_owned(), after);
    }

    /// The next of these households of the county that was begun; none at its end.
    pub(super) async fn next(
        &mut self,
        tx: &mut Tx,
        which: Which<'_>,
    ) -> Result<Option<Vec<Home>>, Error> {
        self.read(tx, which, HOMES).await
    }

    /// The next of these households of the county that was entered: what is asked of the store is asked of these
    /// few alone, so that a page costs what it shows, however large the county is.
    pub(super) async fn next_few(
        &mut self,
        tx: &mut Tx,
        which: Which<'_>,
    ) -> Result<Option<Vec<Home>>, Error> {
        let Some(homes) = self.read(tx, which, HOMES_OF_PAGE).await? else { return Ok(None) };
        let current = homes.iter().flat_map(|home| home.current());
        let alikes: HashSet<i64> = current.filter_map(alike).collect();
        let mut found = rows::with_alike(tx, &self.county, alikes).await?;
        let mut counts: HashMap<i64, usize> = HashMap::new();
        found.iter().for_each(|one| *counts.entry(one.alike).or_default() += 1);
        // Nearly everybody is alike nobody else.
        found.retain(|one| counts.get(&one.alike).is_some_and(|count| *count > 1));
        let persons: Vec<i64> = found.iter().map(|one| one.person).collect();
        let different = suspects::rows::different_among(tx, &self.county, &persons).await?;
        self.suspects = suspects::suspects(&found, &different);
        Ok(Some(homes))
    }

    async fn read(
        &mut self,
        tx: &mut Tx,
        which: Which<'_>,
        limit: i64,
    ) -> Result<Option<Vec<Home>>, Error> {
        let (county, columns) = (self.county.as_str(), (self.keys, &self.columns));
        let after = (county, self.after, which);
        let homes = rows::next_homes_of(tx, columns, &self.scope, after, limit).await?;
        let ids: Vec<i64> = homes.iter().map(|home| home.household.id()).collect();
        let Some(last) = ids.last() else { return Ok(None) };
        let those = Those::read(&ids, which.is_all(&self.scope, county));
        let day = self.checks.today.to_string();
        let mut pairs = registers::rows::answering(tx, (county, those), &self.kinds, &day).await?;
        self.after = *last;
        self.answering.clear();
        pairs.sort();
        pairs.dedup();
        for (household, cadre) in pairs {
            self.answering.entry(household).or_default().push(cadre);
        }
        Ok(Some(homes))
    }
}

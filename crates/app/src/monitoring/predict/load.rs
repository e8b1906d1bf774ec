//! The panel of an area's households.

use daohu_base::Scope;
use daohu_census::predict::{Panel, PanelBuilder, Told};
use daohu_db::Tx;
use daohu_policy::{Policy, PredictionFeature, Prospect};
use rustc_hash::FxHashMap;

use super::{
    super::earned::IncomeRules,
    history::{History, OF_HOUSEHOLD, OF_MEMBER, Terms, of_year},
    shape::{Groups, shape},
};
use crate::{
    Error,
    households::{
        Home,
        rows::{self, Selections, Which},
    },
    keys::Keys,
};

/// Households that are read together.
const HOMES: i64 = 1000;

/// What people call a household.
pub(super) struct Named {
    pub(super) no: String,
    pub(super) county: String,
    /// Code and name.
    pub(super) township: String,
}

/// The households of an area, year by year.
pub(super) struct Loaded {
    pub(super) panel: Panel,
    /// By id.
    pub(super) households: FxHashMap<i64, Named>,
}

/// Reads the households of a scope, as they were known at the end of each year up to this one.
pub(super) async fn load(
    tx: &mut Tx,
    (keys, policy): (&Keys, &Policy),
    (scope, areas): (&Scope, FxHashMap<String, String>),
    (prospect, year): (Prospect, i64),
) -> Result<Loaded, Error> {
    let columns = Selections::of(&OF_HOUSEHOLD, &OF_MEMBER, &of_year());
    let mut telling = Telling {
        policy,
        terms: Terms::of(policy),
        incomes: IncomeRules::of(policy)?,
        features: policy.prediction().features_of(prospect).collect(),
        prospect,
        last: year,
        groups: Groups::new(policy, areas),
        builder: PanelBuilder::new(shape(policy, prospect)),
        households: FxHashMap::default(),
    };
    for county in rows::counties(tx, scope).await? {
        let mut last = 0;
        loop {
            let after = (county.as_str(), last, Which::All);
            let homes = rows::next_homes_of(tx, (keys, &columns), scope, after, HOMES).await?;
            let Some(end) = homes.last() else { break };
            last = end.household.id();
            homes.iter().try_for_each(|home| telling.tell(home))?;
        }
    }
    Ok(Loaded { panel: telling.builder.finish(), households: telling.households })
}

/// Tells the panel of households.
struct Telling<'p> {
    policy: &'p Policy,
    terms: Terms,
    incomes: IncomeRules,
    features: Vec<&'p PredictionFeature>,
    prospect: Prospect,
    /// The year after which nothing is told.
    last: i64,
    groups: Groups<'p>,
    builder: PanelBuilder,
    households: FxHashMap<i64, Named>,
}

impl Telling<'_> {
    fn tell(&mut self, home: &Home) -> Result<(), Error> {
        let refused = |error| Error::File(std::io::Error::other(error));
        let history = History::of(home, (self.policy, &self.incomes), self.terms);
        let township = self.groups.township(home.household.village()).to_owned();
        let first = history.first_year().unwrap_or(self.last).min(self.last);
        for year in first..=self.last {
            let (Some(known), Ok(year)) = (history.at(year), i32::try_from(year)) else { continue };
            let facts: Vec<Option<f64>> =
                self.features.iter().map(|feature| known.fact(feature)).collect();
            let groups = self.groups.of(&township, &known);
            let told = Told {
                year,
                is_asked: known.is_asked(self.prospect),
                state: known.state(self.prospect),
                income_yuan: known.income_yuan(),
                facts: &facts,
                groups: &groups.each_ref().map(String::as_str),
            };
            self.builder.tell(home.household.id(), &told).map_err(refused)?;
        }
        let (no, county) = (home.household.no().to_owned(), home.household.county().to_owned());
        self.households.insert(home.household.id(), Named { no, county, township });
        Ok(())
    }
}

//! Reading coverage.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_db::{FutureExt, Tx};
use daohu_policy::{Helper, Policy};
use rustc_hash::FxHashMap;

use super::{
    homes::{Answers, Homes},
    model::{Coverage, Helps, Load, Tally, Village},
    sql::{self, Kinds},
};
use crate::{
    Context, Error,
    area_changes::{self, rows::Elsewhere},
    areas::{self, rows::AreaLine},
    households::Marks,
    registers::cadre_names,
};

/// The coverage of an area on a day, with its own name and those of the areas below.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) coverage: Coverage,
    pub(super) names: BTreeMap<String, String>,
    /// By the code of 干部角色: cadres of the area who have the role.
    pub(super) by_role: BTreeMap<i64, i64>,
}

/// The coverage of an area on a day, if the whole of it lies inside the scope.
pub(super) async fn coverage(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
    on: Day,
) -> Result<Told, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let (policy, day) = (Arc::clone(&context.policy), on.to_string());
    let asked = Arc::new(Asked { policy, scope, area, day });
    if asked.area.level() != AreaLevel::County {
        let work = async move |tx: &mut Tx| asked.in_turn(tx).await;
        return context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await;
    }
    // A county is what is asked for most.
    let (of_homes, of_answers) = (Arc::clone(&asked), Arc::clone(&asked));
    let homes = async move |tx: &mut Tx| {
        let around = of_homes.around(tx).await?;
        let mut homes = Vec::new();
        for county in of_homes.counties(tx, &around.areas).await? {
            let own = of_homes.homes(tx, &county).await?;
            homes.push((county, own));
        }
        Ok::<_, Error>((around, homes))
    };
    let answers = async move |tx: &mut Tx| {
        let mut answers = HashMap::new();
        for county in of_answers.counties(tx, &[]).await? {
            let own = of_answers.answers(tx, &county).await?;
            answers.insert(county, own);
        }
        Ok::<_, Error>(answers)
    };
    let read = context.db.read_both(
        move |tx| async move { homes(tx).await }.boxed(),
        move |tx| async move { answers(tx).await }.boxed(),
    );
    let ((around, homes), mut answers) = read.await?;
    let mut tally = asked.tally(&around);
    for (county, homes) in homes {
        tally.county(homes, answers.remove(&county).unwrap_or_default());
    }
    Ok(around.told(tally))
}

/// What is asked for.
struct Asked {
    policy: Arc<Policy>,
    scope: Scope,
    area: AreaCode,
    day: String,
}

/// What is read of areas, not of households.
struct Around {
    areas: Vec<AreaLine>,
    helps: Helps,
    by_role: BTreeMap<i64, i64>,
}

impl Around {
    fn told(self, mut tally: Tally<'_>) -> Told {
        tally.helps(&self.helps);
        let names = self.areas.into_iter().map(|area| (area.code, area.name)).collect();
        Told { coverage: tally.coverage(), names, by_role: self.by_role }
    }
}

impl Asked {
    async fn in_turn(&self, tx: &mut Tx) -> Result<Told, Error> {
        let around = self.around(tx).await?;
        let mut tally = self.tally(&around);
        for county in self.counties(tx, &around.areas).await? {
            // Changes of areas may have moved every household of a province: of one county at a time.
            let homes = self.homes(tx, &county).await?;
            tally.county(homes, self.answers(tx, &county).await?);
        }
        Ok(around.told(tally))
    }

    /// The counties of the area, or the one it lies in, and those that households of these went to; ended ones too,
    /// where households may be left.
    async fn counties(&self, tx: &mut Tx, areas: &[AreaLine]) -> Result<BTreeSet<String>, Error> {
        let own = match self.area.at(AreaLevel::County) {
            Some(county) => vec![county.to_string()],
            None => {
                let is_county = |area: &&AreaLine| area.code.len() == AreaLevel::County.digits();
                areas.iter().filter(is_county).map(|area| area.code.clone()).collect()
            }
        };
        Ok(area_changes::rows::all_after(tx, &own).await?)
    }

    fn tally(&self, around: &Around) -> Tally<'_> {
        let limits = (self.policy.village_roles(), self.policy.helping());
        Tally::new(Marks::new(&self.policy), limits, &self.area, &around.areas, &self.day)
    }

    /// The households of a county as far as they lay in the area on the day.
    async fn homes(&self, tx: &mut Tx, county: &str) -> Result<Homes, Error> {
        let elsewhere = area_changes::rows::elsewhere_on(tx, county, &self.day).await?;
        let then = then(&elsewhere);
        let mut homes = Homes::default();
        sql::each_household(tx, (&self.scope, county), &then, |id, village| match then.get(&id) {
            Some(then) if self.scope.covers(then) => homes.add(id, then),
            Some(_) => {}
            None => homes.add(id, village),
        })
        .await?;
        Ok(homes)
    }

    /// Who answers for households of a county.
    async fn answers(&self, tx: &mut Tx, county: &str) -> Result<Answers, Error> {
        let (cadre, mut answers) = (cadre_kinds(&self.policy), Answers::default());
        sql::each_answer(tx, (county, &self.day), &cadre, |household, cadre| {
            answers.add(household, cadre);
        })
        .await?;
        answers.roles = sql::roles_of(tx, county, answers.cadres()).await?;
        Ok(answers)
    }

    async fn around(&self, tx: &mut Tx) -> Result<Around, Error> {
        let areas = areas::ops::lines_of(tx, &self.scope, &self.area).await?;
        let kinds = kinds(&self.policy);
        let helps = helps(tx, (&self.scope, &self.area), (&kinds, &self.day)).await?;
        let mut by_role = BTreeMap::new();
        for (roles, count) in sql::cadres_by_roles(tx, &self.scope).await? {
            for code in roles.split(' ').filter_map(|code| code.parse().ok()) {
                *by_role.entry(code).or_default() += count;
            }
        }
        Ok(Around { areas, helps, by_role })
    }
}

/// Reads who helps areas, and teams.
async fn helps(
    tx: &mut Tx,
    (scope, area): (&Scope, &AreaCode),
    (kinds, day): (&Kinds, &str),
) -> Result<Helps, Error> {
    let pairings = sql::area_pairings(tx, (scope, day), kinds).await?;
    // Who leads a township leads its villages, also where only one of them is asked for.
    let mut township = Vec::new();
    if let Some(above) = area.at(AreaLevel::Township).filter(|above| above != area) {
        township = sql::area_pairings(tx, (&Scope::of([above.clone()]), day), kinds).await?;
        township.retain(|pairing| pairing.area == above.as_str());
    }
    Ok(Helps { pairings, township, members: sql::members(tx, (scope, day)).await? })
}

/// The poor villages of an area in force that lack one of these village roles, by code. Who answers for
/// households is not looked at: a role that is borne by that alone counts as lacking.
pub(crate) async fn villages_without(
    tx: &mut Tx,
    policy: &Policy,
    (scope, area): (&Scope, &AreaCode),
    (areas, day): (&[AreaLine], &str),
    wanted: &[String],
) -> Result<Vec<String>, Error> {
    let roles = policy.village_roles();
    let mut tally = Tally::new(Marks::new(policy), (roles, policy.helping()), area, areas, day);
    tally.helps(&helps(tx, (scope, area), (&kinds(policy), day)).await?);
    let lacks = |village: &Village| {
        let mut own = roles.iter().zip(&village.roles);
        own.any(|(role, has)| !has && wanted.contains(&role.name))
    };
    let villages = tally.coverage().villages.into_iter();
    let told = villages.filter(|village| village.is_poor && village.name.is_some());
    Ok(told.filter(lacks).map(|village| village.code).collect())
}

/// The codes of 主体类型 by what they are.
fn kinds(policy: &Policy) -> Kinds {
    let marks =
        [(Helper::Cadre, "cadre"), (Helper::Organisation, "organisation"), (Helper::Team, "team")];
    marks.map(|(helper, mark)| (helper, Marks::new(policy).codes("主体类型", mark)))
}

/// The codes of 主体类型 that are cadres.
pub(crate) fn cadre_kinds(policy: &Policy) -> Vec<i64> {
    let [(_, cadres), ..] = kinds(policy);
    cadres
}

/// Of the households of a county that lay elsewhere, the village then: before the first change since.
fn then(elsewhere: &[Elsewhere]) -> FxHashMap<i64, &str> {
    elsewhere.iter().map(|home| (home.household, home.village.as_str())).collect()
}

/// The names of these cadres.
pub(super) async fn names(
    context: &Context,
    loads: &[Load],
) -> Result<HashMap<String, String>, Error> {
    let numbers = loads.iter().map(|load| load.no.clone()).collect();
    let read = context.db.read(move |tx| async move { cadre_names(tx, numbers).await }.boxed());
    read.await
}

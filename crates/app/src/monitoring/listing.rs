//! Lists of households by what a rule says of them: the census gives the page, the store its rows.

use std::collections::BTreeMap;

use daohu_base::{AreaCode, Day, Scope};
use daohu_census::{Assessment, Outcome};
use daohu_db::{FutureExt, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    picture::{Picture, Wanted, look},
    rulebook::{Asked, Rulebook},
};
use crate::{
    Context, Error,
    households::rows::{self, Selections, Which},
    sheet::{household, refused},
};

/// Which rules are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Guarantees,
    Classes,
    Warnings,
    Coverages,
}

impl Of {
    /// `guarantee`, `class`, `warning` or `coverage`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "guarantee" => Self::Guarantees,
            "class" => Self::Classes,
            "warning" => Self::Warnings,
            "coverage" => Self::Coverages,
            _ => return None,
        })
    }

    fn asked(self, rulebook: &Rulebook) -> &Asked {
        match self {
            Self::Guarantees => &rulebook.guarantees,
            Self::Classes => &rulebook.classes,
            Self::Warnings => &rulebook.warnings,
            Self::Coverages => &rulebook.coverages,
        }
    }
}

/// Which households.
#[derive(Clone, Debug)]
pub(super) struct Wants {
    pub(super) of: Of,
    /// A rule of these; all guarantees together, where none is named.
    pub(super) rule: Option<String>,
    pub(super) outcome: Outcome,
}

/// Where a list goes on: county and id.
pub(super) type Mark = (String, i64);

/// A household in a list, with what the guarantees say of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StandingView {
    /// The household's id.
    pub id: i64,
    /// The county that it is stored under.
    pub county: String,
    /// 户编号
    pub no: String,
    /// The village's code.
    pub village: String,
    /// Of the head of the household.
    pub head_name: Option<String>,
    /// `met`, `unmet` or `unknown`: all guarantees together.
    pub overall: &'static str,
    /// `met`, `unmet` or `unknown`, by guarantee; those left out that are not asked where it lives.
    pub guarantees: BTreeMap<String, &'static str>,
    /// Net income a head in the year of the day, in fen; null where it is not known.
    pub income_per_head_fen: Option<i64>,
}

/// A page of households.
pub(super) struct Listed {
    pub(super) rows: Vec<StandingView>,
    pub(super) next: Option<Mark>,
}

/// What the census says of a household.
struct Stand {
    county: String,
    id: i64,
    overall: Outcome,
    guarantees: BTreeMap<String, &'static str>,
    income_per_head_fen: Option<i64>,
}

/// The next households of an area of which a rule says so, by county and id.
pub(super) async fn list(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    wants: Wants,
    (after, limit): (Option<Mark>, usize),
) -> Result<Listed, Error> {
    let book = context.live.book(&context.policy, on)?;
    let fields = book.fields.clone();
    let asked = wants.of.asked(&book.rules);
    let rule = wants.rule.as_ref().map(|rule| {
        let place = asked.plan.ids.iter().position(|id| id == rule);
        place.ok_or_else(|| refused("rule", "monitor.unknown_rule"))
    });
    let rule = rule.transpose()?;
    let asks_amounts = asked.asks_amounts(&fields);
    let wanted = Wanted { area, fields, year: on.year(), asks_amounts };
    let told = move |picture: &Picture<'_>| {
        let rulebook = &book.rules;
        let guarantees = picture.ask(rulebook, &rulebook.guarantees.plan, on, &[]);
        let other;
        let said = match wants.of {
            Of::Guarantees => &guarantees,
            of => {
                other = picture.ask(rulebook, &of.asked(rulebook).plan, on, &[]);
                &other
            }
        };
        let is_it = |nth: usize| match rule {
            Some(rule) => {
                let judged = said.rules.get(rule);
                judged.and_then(|own| own.outcomes.get(nth)) == Some(&wants.outcome)
            }
            None => said.overall(nth) == wants.outcome,
        };
        let all = (0..picture.census.households()).filter(|nth| is_it(*nth));
        Ok(page(picture, (rulebook, &guarantees, on), all, (after.as_ref(), limit)))
    };
    let (stands, next) = look(context, scope, wanted, told).await?;
    let rows = read(context, scope, stands).await?;
    Ok(Listed { rows, next })
}

/// The page of these places that comes after a mark, and where it goes on.
fn page(
    picture: &Picture<'_>,
    (rulebook, guarantees, on): (&Rulebook, &Assessment, Day),
    all: impl Iterator<Item = usize>,
    (after, limit): (Option<&Mark>, usize),
) -> (Vec<Stand>, Option<Mark>) {
    let census = picture.census;
    let (mut stands, mut has_more) = (Vec::new(), false);
    for nth in all {
        let (Some(id), Some(county)) = (census.ids().get(nth), census.county_of(nth)) else {
            continue;
        };
        if after.is_some_and(|(last, of)| (county, id) <= (last.as_str(), of)) {
            continue;
        }
        if stands.len() == limit {
            has_more = true;
            break;
        }
        let outcomes = rulebook.guarantees.plan.ids.iter().zip(&guarantees.rules);
        let outcomes = outcomes.filter_map(|(id, judged)| {
            let outcome = judged.outcomes.get(nth).filter(|own| **own != Outcome::NotAsked)?;
            Some((id.clone(), outcome.as_str()))
        });
        stands.push(Stand {
            county: county.to_owned(),
            id: *id,
            overall: guarantees.overall(nth),
            guarantees: outcomes.collect(),
            income_per_head_fen: census.income_of(nth, on.year()).fen,
        });
    }
    let next = stands.last().filter(|_| has_more).map(|own| (own.county.clone(), own.id));
    (stands, next)
}

/// The rows of households; who was taken away meanwhile is left out.
async fn read(
    context: &Context,
    scope: &Scope,
    stands: Vec<Stand>,
) -> Result<Vec<StandingView>, Error> {
    let (keys, scope) = (context.keys.clone(), scope.clone());
    let work = async move |tx: &mut Tx| {
        let told = [household::NO, household::VILLAGE, household::HEAD_NAME];
        let columns = Selections::of(&told, &[], &[]);
        let mut rows = BTreeMap::new();
        for same in stands.chunk_by(|one, next| one.county == next.county) {
            let Some(county) = same.first().map(|own| own.county.as_str()) else { continue };
            let ids: Vec<i64> = same.iter().map(|own| own.id).collect();
            let which = (county, 0, Which::These(&ids));
            let limit = i64::try_from(ids.len()).unwrap_or(i64::MAX);
            let homes = rows::next_homes_of(tx, (&keys, &columns), &scope, which, limit).await?;
            rows.extend(homes.into_iter().map(|home| (home.household.id(), home.household)));
        }
        let view = |stand: Stand| {
            let row = rows.remove(&stand.id)?;
            Some(StandingView {
                id: stand.id,
                county: stand.county,
                no: row.no().to_owned(),
                village: row.village().to_owned(),
                head_name: row.text(household::HEAD_NAME).map(str::to_owned),
                overall: stand.overall.as_str(),
                guarantees: stand.guarantees,
                income_per_head_fen: stand.income_per_head_fen,
            })
        };
        Ok::<_, Error>(stands.into_iter().filter_map(view).collect())
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

//! How the households of an area and of those in it stand: guarantees, classes, warnings, coverage.

use std::collections::BTreeMap;

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    model::{Counts, CoverageCounts, OverallCounts},
    picture::{Part, Parts, tallied},
    rulebook::Rulebook,
    tallies::{OfVillage, Tally},
};
use crate::{Context, Error};

/// How the households of an area stand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AreaMonitoring {
    area: String,
    name: Option<String>,
    /// The day on which members, ages and the year of income are looked at.
    #[schema(format = Date)]
    on: String,
    /// Which packs said so.
    policy: String,
    households: usize,
    /// All guarantees together.
    overall: OverallCounts,
    /// Each guarantee, in the order of the packs.
    guarantees: Vec<Counts>,
    /// Each class: met by those who belong to it.
    classes: Vec<Counts>,
    /// What there is to warn of: met where there is reason to.
    warnings: Vec<Counts>,
    /// What certain households must have: met and unmet among them.
    coverages: Vec<CoverageCounts>,
    /// Areas of the level that was asked for, by code; their counts add up to those above.
    children: Vec<AreaStates>,
}

/// How the households of an area in it stand.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct AreaStates {
    area: String,
    name: Option<String>,
    households: usize,
    overall: OverallCounts,
    /// Households that lack a guarantee, by guarantee.
    unmet: BTreeMap<String, usize>,
    /// Households of which it is not known.
    unknown: BTreeMap<String, usize>,
    /// Households that there is reason to warn of, by warning.
    warnings: BTreeMap<String, usize>,
}

/// How the households of an area stand on a day, and those of the areas of a level in it, if the whole of it lies inside the scope.
pub(super) async fn monitoring(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    by: Option<AreaLevel>,
) -> Result<AreaMonitoring, Error> {
    let policy = context.policy.version().to_owned();
    let book = context.live.book(&context.policy, on)?;
    let deepest = by.unwrap_or(area.level());
    let (tree, villages) = tallied(context, scope, (area, deepest), (&book, on)).await?;
    let rules = &book.rules;
    let whole = Tally::sum(villages.iter().map(|(_, own)| own));
    let children = by.map(|by| by_part(&tree.parts(Some(by), on, &villages), &villages, rules));
    Ok(AreaMonitoring {
        area: tree.area.to_string(),
        name: tree.name().map(str::to_owned),
        on: on.to_string(),
        policy,
        households: whole.households,
        guarantees: whole.guarantees(rules),
        classes: whole.classes(rules),
        warnings: whole.warnings(rules),
        coverages: whole.coverages(rules),
        overall: whole.overall,
        children: children.unwrap_or_default(),
    })
}

/// The villages of each part together.
fn by_part(parts: &Parts, villages: &[OfVillage], rules: &Rulebook) -> Vec<AreaStates> {
    let mut sums = vec![Tally::default(); parts.lines.len()];
    for (place, (_, own)) in parts.of_village.iter().zip(villages) {
        if let Some(sum) = usize::try_from(*place).ok().and_then(|place| sums.get_mut(place)) {
            sum.add(own);
        }
    }
    let told = |(part, sum): (&Part, Tally)| {
        let by_rule = |counts: Vec<Counts>, count: fn(&Counts) -> usize| {
            counts.into_iter().map(|own| (own.rule.clone(), count(&own))).collect()
        };
        AreaStates {
            area: part.code.clone(),
            name: part.name.clone(),
            households: sum.households,
            unmet: by_rule(sum.guarantees(rules), |own| own.unmet),
            unknown: by_rule(sum.guarantees(rules), |own| own.unknown),
            warnings: by_rule(sum.warnings(rules), |own| own.met),
            overall: sum.overall,
        }
    };
    parts.lines.iter().zip(sums).map(told).collect()
}

//! How the households of an area and of those in it stand: guarantees, classes, warnings, coverage.

use std::{collections::BTreeMap, sync::Arc};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_census::Census;
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::{
    counties::{by_part, sum},
    model::{Counts, CoverageCounts, OverallCounts},
    picture::{Part, Summed, SumsWanted, summed},
    rulebook::{Book, Rulebook},
    tallies::{Tally, by_village},
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

/// Counts how all households stand on the day that screens look at, where a server keeps them, so that whoever asks first does
/// not wait for it.
pub async fn warm(context: &Context) -> Result<(), Error> {
    let on = context.policy.monitoring().looked_at(context.clock.now().day());
    let book = context.live.book(&context.policy, on)?;
    let live = context.live.clone();
    let work = move || {
        live.look(|kept| {
            let Some(kept) = kept else { return };
            let ask = |census: &Census, span| by_village(census, (&book, on), span, None);
            kept.tallies.of((&kept.census, ""), &book, ask);
        });
    };
    spawn_blocking(work).await.map_err(|_| Error::Cancelled)
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
    let wanted = SumsWanted {
        deepest: by.unwrap_or(area.level()),
        area,
        book: Arc::clone(&book),
        year: on.year(),
        asks_amounts: true,
    };
    let asked = Arc::clone(&book);
    let ask = move |census: &Census, span| by_village(census, (&asked, on), span, None);
    let tell = move |own: Summed<'_, Tally>| Ok(told(&own, (&book, on), (policy, by)));
    summed(context, scope, wanted, (|kept| &kept.tallies, ask), tell).await
}

fn told(
    own: &Summed<'_, Tally>,
    (book, on): (&Book, Day),
    (policy, by): (String, Option<AreaLevel>),
) -> AreaMonitoring {
    let (rules, area) = (&book.rules, &own.tree.area);
    let whole = sum(own.counties.pieces(area, None).into_iter().map(|(_, own)| own));
    let whole = whole.unwrap_or_default();
    let children = by.map(|by| {
        let pieces = own.counties.pieces(area, Some(by));
        let parts = own.tree.parts(Some(by), on, pieces.iter().map(|(code, _)| *code));
        let sums = by_part(&parts, &pieces);
        let lines = parts.lines.iter().zip(sums);
        lines.map(|(part, sum)| states(part, &sum.unwrap_or_default(), rules)).collect()
    });
    AreaMonitoring {
        area: own.tree.area.to_string(),
        name: own.tree.name().map(str::to_owned),
        on: on.to_string(),
        policy,
        households: whole.households,
        guarantees: whole.guarantees(rules),
        classes: whole.classes(rules),
        warnings: whole.warnings(rules),
        coverages: whole.coverages(rules),
        overall: whole.overall,
        children: children.unwrap_or_default(),
    }
}

/// How the households of a part stand.
fn states(part: &Part, sum: &Tally, rules: &Rulebook) -> AreaStates {
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
        overall: sum.overall.clone(),
    }
}

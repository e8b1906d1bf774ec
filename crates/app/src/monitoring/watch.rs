//! What the warnings of the packs say of the households of an area, for who keeps them.

use daohu_base::{AreaCode, Day, Scope};
use daohu_census::Outcome;

use super::picture::{Picture, Wanted, look};
use crate::{Context, Error};

/// What a rule says of a household.
pub(crate) struct Said<'p> {
    pub(crate) county: &'p str,
    pub(crate) household: i64,
    pub(crate) rule: &'p str,
    /// None where it is not known.
    pub(crate) is_true: Option<bool>,
}

/// Asks all warnings of the households of an area, if the whole of it lies inside the scope, and hands on what each says of each;
/// gives how many households there are. A rule that is not asked where a household lives is not true of it.
pub(crate) async fn each_warning<T: Send + 'static>(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    mut told: T,
    mut each: impl FnMut(&mut T, Said<'_>) + Send + 'static,
) -> Result<(T, usize), Error> {
    let book = context.live.book(&context.policy, on)?;
    let fields = book.fields.clone();
    let asks_amounts = book.rules.warnings.asks_amounts(&fields);
    let wanted = Wanted { area, fields, year: on.year(), asks_amounts };
    let work = move |picture: &Picture<'_>| {
        let asked = &book.rules.warnings;
        let said = picture.ask(&book.rules, &asked.plan, on, &[]);
        for (rule, judged) in asked.plan.ids.iter().zip(&said.rules) {
            for (nth, (household, outcome)) in
                picture.census.ids().iter().zip(&judged.outcomes).enumerate()
            {
                let Some(county) = picture.census.county_of(nth) else { continue };
                let is_true = match outcome {
                    Outcome::Met => Some(true),
                    Outcome::Unmet | Outcome::NotAsked => Some(false),
                    Outcome::Unknown => None,
                };
                each(&mut told, Said { county, household: *household, rule, is_true });
            }
        }
        Ok((told, picture.census.households()))
    };
    look(context, scope, wanted, work).await
}

//! Reading the classes of an area's households.

use std::sync::Arc;

use daohu_base::{AreaCode, Scope};
use daohu_db::{FutureExt, Tx};

use super::model::classes_of;
use crate::{
    Context, Error, areas,
    households::{Home, rows},
};

/// Households that are read together.
const HOMES: i64 = 500;

/// Households of a class, and those who belong to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) households: i64,
    pub(super) persons: i64,
}

/// Where a list goes on: county and household.
pub(super) type Mark = (String, i64);

/// The scope of an area inside a scope; 404 outside and above it.
async fn within(context: &Context, scope: &Scope, area: AreaCode) -> Result<Scope, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    Ok(scope)
}

/// How many households of an area are of each class of the policy.
pub(super) async fn counts(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
) -> Result<Vec<Count>, Error> {
    let scope = within(context, scope, area).await?;
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let work = async move |tx: &mut Tx| {
        let mut counts = vec![Count::default(); policy.household_classes().len()];
        let mut after: Mark = Default::default();
        loop {
            let homes = rows::next_homes(tx, &keys, &scope, (&after.0, after.1), HOMES).await?;
            let Some(last) = homes.last() else { return Ok(counts) };
            after = mark(last);
            for home in &homes {
                let persons = i64::try_from(home.current().len()).unwrap_or(i64::MAX);
                let is_of = classes_of(&policy, home);
                for (count, _) in counts.iter_mut().zip(is_of).filter(|(_, is_of)| *is_of) {
                    count.households += 1;
                    count.persons += persons;
                }
            }
        }
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// The next households of an area that are of the nth class of the policy, and where the list goes on: a page may be
/// short, if many had to be looked at for it.
pub(super) async fn households(
    context: &Context,
    scope: &Scope,
    (area, nth): (AreaCode, usize),
    after: Option<Mark>,
    limit: usize,
) -> Result<(Vec<Home>, Option<Mark>), Error> {
    let scope = within(context, scope, area).await?;
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let work = async move |tx: &mut Tx| {
        let mut after = after.unwrap_or_default();
        let mut found = Vec::new();
        let mut left = policy.quality_reports().page_records_max;
        loop {
            if left == 0 {
                return Ok((found, Some(after)));
            }
            let some = i64::try_from(left).unwrap_or(HOMES).min(HOMES);
            let homes = rows::next_homes(tx, &keys, &scope, (&after.0, after.1), some).await?;
            if homes.is_empty() {
                return Ok((found, None));
            }
            left = left.saturating_sub(homes.len());
            for home in homes {
                let next = mark(&home);
                if classes_of(&policy, &home).get(nth) == Some(&true) {
                    if found.len() == limit {
                        return Ok((found, Some(after)));
                    }
                    found.push(home);
                }
                after = next;
            }
        }
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

fn mark(home: &Home) -> Mark {
    (home.household.county().to_owned(), home.household.id())
}

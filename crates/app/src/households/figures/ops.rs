//! Reading figures.

use std::sync::Arc;

use daohu_base::{AreaCode, Scope};
use daohu_db::FutureExt;

use super::{
    model::{Report, Tally},
    sql,
};
use crate::{Context, Error, areas, households::model::Marks};

/// The figures of an area and of those directly below it, if the whole of it lies inside the scope.
/// Villages are the leaves: what a villagers' group comes to is not told.
pub(super) async fn figures(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
) -> Result<Report, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let today = context.clock.now().day().to_string();
    let policy = Arc::clone(&context.policy);
    let read = context.db.read_scan(move |tx| {
        async move {
            let areas = areas::rows::with_population(tx, &scope).await?;
            let mut tally = Tally::new(Marks::new(&policy), &area);
            sql::each_household(tx, &scope, |household| tally.count(household)).await?;
            tally.report(&areas, &today).ok_or(Error::NotFound("area"))
        }
        .boxed()
    });
    read.await
}

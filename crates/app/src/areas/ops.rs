//! Use cases of areas.

use daohu_db::FutureExt;

use super::sql;
use crate::{Context, Error};

/// The first village of a county, by code; empty if it has none.
pub async fn first_village(context: &Context, county: &str) -> Result<String, Error> {
    let county = county.to_owned();
    let read =
        context.db.read(move |tx| async move { sql::first_village(tx, &county).await }.boxed());
    read.await
}

//! What other slices may ask of changes, inside a transaction of theirs.

use std::collections::BTreeSet;

use daohu_db::{Error, Tx};

use super::sql;
pub(crate) use super::sql::{Elsewhere, elsewhere_on};

/// A county, and those that rows of its came from; itself first.
pub(crate) async fn counties_before(tx: &mut Tx, county: &str) -> Result<Vec<String>, Error> {
    let moves = sql::moved_counties(tx).await?;
    let back: Vec<_> = moves.into_iter().map(|(from, to)| (to, from)).collect();
    Ok(reached(county, &back))
}

/// A county, and those that rows of its went to; itself first.
pub(crate) async fn counties_after(tx: &mut Tx, county: &str) -> Result<Vec<String>, Error> {
    Ok(reached(county, &sql::moved_counties(tx).await?))
}

/// These counties, and those that rows of theirs went to.
pub(crate) async fn all_after(tx: &mut Tx, counties: &[String]) -> Result<BTreeSet<String>, Error> {
    let moves = sql::moved_counties(tx).await?;
    Ok(counties.iter().flat_map(|county| reached(county, &moves)).collect())
}

/// A county, and those that it became as a whole, one after the other; itself first.
pub(crate) async fn county_heirs(tx: &mut Tx, county: &str) -> Result<Vec<String>, Error> {
    Ok(reached(county, &sql::followed_counties(tx).await?))
}

/// All that is reached from one, step by step.
fn reached(start: &str, steps: &[(String, String)]) -> Vec<String> {
    let mut found = vec![start.to_owned()];
    let mut at = 0;
    while let Some(here) = found.get(at).cloned() {
        for (_, there) in steps.iter().filter(|(from, _)| *from == here) {
            if !found.contains(there) {
                found.push(there.clone());
            }
        }
        at += 1;
    }
    found
}

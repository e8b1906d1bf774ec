//! What other slices may ask of changes, inside a transaction of theirs.

use std::collections::BTreeSet;

use daohu_base::{AreaCode, AreaLevel, Scope};
use daohu_db::{Error, Tx};

use super::sql::{self, Way};
pub(crate) use super::sql::{Elsewhere, elsewhere_on};

/// A county, and those that rows of its came from; itself first.
pub(crate) async fn counties_before(tx: &mut Tx, county: &str) -> Result<Vec<String>, Error> {
    counties(tx, county, &[Way::Before]).await
}

/// A county, and those that rows of its went to; itself first.
pub(crate) async fn counties_after(tx: &mut Tx, county: &str) -> Result<Vec<String>, Error> {
    counties(tx, county, &[Way::After]).await
}

/// A county, those that rows of its came from, and those that rows of any of these went to; itself first. Whatever
/// was in one county with a row that is in this one now is in one of them.
pub(crate) async fn counties_around(tx: &mut Tx, county: &str) -> Result<Vec<String>, Error> {
    counties(tx, county, &AROUND).await
}

/// As [`counties_around`], of all counties of a scope.
pub(crate) async fn around(tx: &mut Tx, scope: &Scope) -> Result<Scope, Error> {
    let scope = scope.counties();
    let Some(areas) = scope.areas() else { return Ok(scope) };
    Ok(Scope::of(reached(tx, areas.to_vec(), &AROUND).await?))
}

/// These counties, and those that rows of theirs went to.
pub(crate) async fn all_after(tx: &mut Tx, counties: &[String]) -> Result<BTreeSet<String>, Error> {
    let start = counties.iter().filter_map(|county| county_of(county)).collect();
    let after = reached(tx, start, &[Way::After]).await?;
    Ok(after.iter().map(AreaCode::to_string).chain(counties.iter().cloned()).collect())
}

/// A county, and those that it became as a whole, one after the other; itself first.
pub(crate) async fn county_heirs(tx: &mut Tx, county: &str) -> Result<Vec<String>, Error> {
    counties(tx, county, &[Way::Whole]).await
}

const AROUND: [Way; 2] = [Way::Before, Way::After];

async fn counties(tx: &mut Tx, county: &str, ways: &[Way]) -> Result<Vec<String>, Error> {
    // What stands in the journal of no county was never moved.
    let Some(start) = county_of(county) else { return Ok(vec![county.to_owned()]) };
    let found = reached(tx, vec![start], ways).await?;
    Ok(found.iter().map(AreaCode::to_string).collect())
}

fn county_of(code: &str) -> Option<AreaCode> {
    AreaCode::parse(code).ok().filter(|area| area.level() == AreaLevel::County)
}

/// All that is reached from some, step by step: by one way as far as it goes, then from all of these by the next.
async fn reached(
    tx: &mut Tx,
    mut found: Vec<AreaCode>,
    ways: &[Way],
) -> Result<Vec<AreaCode>, Error> {
    for way in ways {
        let mut at = 0;
        while let Some(new @ [_, ..]) = found.get(at..) {
            let next = sql::next_counties(tx, *way, new).await?;
            at = found.len();
            for county in next {
                if !found.iter().any(|area| area.contains(&county)) {
                    found.push(county);
                }
            }
        }
    }
    Ok(found)
}

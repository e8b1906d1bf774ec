//! Reading the access log.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, AreaLevel, Scope, Timestamp};
use daohu_db::{FutureExt, Tx};

use super::{
    model::What,
    sql::{self, Line, Mark, Wanted},
};
use crate::{Context, Error, area_changes, areas, households};

/// Rows looked at for one page, when most of them lie outside the area or are of another kind.
const LOOKED_AT_MAX: usize = 2_000;
/// Rows fetched at once.
const BATCH: i64 = 200;

/// What of an area's log is wanted.
pub(super) struct Query {
    pub(super) area: AreaCode,
    pub(super) what: Option<What>,
    pub(super) wanted: Wanted,
}

/// Whose view of the log it is.
pub(super) enum View {
    /// An auditor of the system: everything, without the household's number.
    Administrators,
    /// Somebody with an area: households in it.
    Within(Scope),
}

/// Who looked at a household, latest first; exports of the areas that it lay in then are such looks. Gives the
/// county it is stored under as well.
pub(super) async fn of_household(
    context: &Context,
    scope: Scope,
    id: i64,
    wanted: Wanted,
    (before, limit): (Option<Mark>, i64),
) -> Result<(String, Vec<Line>), Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let home = households::household(tx, &keys, &scope, id).await?;
        let key = (home.county(), id);
        let mut lines = Vec::new();
        // A look stays where it was written: who looks while a household moves waits for nothing.
        for county in area_changes::rows::counties_before(tx, home.county()).await? {
            let of = (county.as_str(), id);
            lines.extend(sql::of_household(tx, of, &wanted, before, limit).await?);
        }
        for line in &mut lines {
            line.household_no = Some(home.no().to_owned());
        }
        let now = (home.village().to_owned(), Timestamp(i64::MAX));
        let mut from = Timestamp(i64::MIN);
        for (village, until) in sql::former_villages(tx, key).await?.into_iter().chain([now]) {
            // Under the codes of then: an export keeps the one that it was asked for by.
            let wanted = wanted.between(from, until);
            for area in areas_over(&village) {
                let area = (&*area.county(), area.as_str());
                lines.extend(sql::of_area(tx, area, &wanted, before, limit).await?);
            }
            from = until;
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.mark()));
        lines.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok((home.county().to_owned(), lines))
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// Who looked at the households of an area, latest first; the mark is there if there may be more.
pub(super) async fn of_area(
    context: &Context,
    view: View,
    query: Query,
    after: Option<Mark>,
    limit: usize,
) -> Result<(Vec<Line>, Option<Mark>), Error> {
    if let View::Within(scope) = &view {
        areas::ops::reported(scope, &query.area)?;
    }
    let work = async move |tx: &mut Tx| {
        let over = areas::ops::with_predecessors(tx, &query.area).await?;
        // Exports of what lies above a county are stored under codes of their own, those of a county that had
        // another code under that one.
        let all = over.keys().flat_map(|area| areas_over(area.as_str()));
        let mut counties: BTreeSet<String> = all.map(|area| area.county()).collect();
        // Nor do looks at households go along, from whatever village of another county they came.
        let own = query.area.county();
        counties.extend(area_changes::rows::counties_before(tx, &own).await?);
        let (mut after, mut lines, mut looked_at) = (after, Vec::new(), 0);
        loop {
            let mut some = Vec::new();
            for county in &counties {
                some.extend(sql::of_county(tx, county, &query.wanted, after, BATCH).await?);
            }
            some.sort_by_key(|line| std::cmp::Reverse(line.mark()));
            some.truncate(usize::try_from(BATCH).unwrap_or(usize::MAX));
            if some.is_empty() {
                return Ok((lines, None));
            }
            let ids = some.iter().map(|line| line.access.household);
            let places = households::rows::places_of(tx, &own, ids).await?;
            for mut line in some {
                looked_at += 1;
                after = Some(line.mark());
                let is_wanted = query.what.is_none_or(|what| what.as_str() == line.access.what);
                let place = places.get(&line.access.household);
                if is_wanted && lies_in((&query.area, &over), &line, place) {
                    if let (View::Within(_), Some((no, _))) = (&view, place) {
                        line.household_no = Some(no.clone());
                    }
                    lines.push(line);
                }
                if lines.len() == limit || looked_at == LOOKED_AT_MAX {
                    return Ok((lines, after));
                }
            }
        }
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// An area and all those that it lies in.
fn areas_over(code: &str) -> Vec<AreaCode> {
    let Ok(area) = AreaCode::parse(code) else { return Vec::new() };
    AreaLevel::ALL.into_iter().filter_map(|level| area.at(level)).collect()
}

/// A household's number and village.
type Place = (String, String);

/// True if the row is about a household that lies in the area now, or an export took some or all of its households: by
/// its code, or that of an area that it followed, until it did.
fn lies_in(
    (area, over): (&AreaCode, &BTreeMap<AreaCode, Timestamp>),
    line: &Line,
    place: Option<&Place>,
) -> bool {
    match line.access.area.as_deref().map(AreaCode::parse) {
        Some(exported) => exported.is_ok_and(|exported| {
            over.iter().any(|(area, until)| {
                line.access.at < until.0 && (area.contains(&exported) || exported.contains(area))
            })
        }),
        None => place.is_some_and(|(_, village)| {
            AreaCode::parse(village).is_ok_and(|village| area.contains(&village))
        }),
    }
}

//! SQL of areas.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
};

use daohu_base::{AreaCode, AreaLevel, Scope, Timestamp};
use daohu_db::{Filter, Row, Tx, Value, prefix_end};

use super::{
    model::{AREA, Step, Tree, node, reached},
    ops::WantedAreas,
};
use crate::{
    Error,
    keys::Keys,
    sheet::{EachRow, Record},
};

/// A scope as a condition on the column of a village's code, which the condition names twice.
pub(crate) fn within(filter: &mut Filter, condition: &'static str, scope: &Scope) {
    if let Some(ranges) = scope.ranges() {
        filter.and_any(condition, ranges.into_iter().map(|(from, to)| [from.into(), to.into()]));
    }
}

/// All areas as stored, by code.
pub(crate) async fn all(tx: &mut Tx, keys: &Keys) -> Result<Vec<Record>, Error> {
    let sql = format!("select {} from areas order by code", AREA.select(""));
    let mut rows = tx.query(&sql, &[]).await?;
    rows.iter_mut().map(|row| AREA.from_row(keys, row)).collect()
}

/// One area as stored.
pub(crate) async fn one(tx: &mut Tx, keys: &Keys, code: &str) -> Result<Option<Record>, Error> {
    let sql = format!("select {} from areas where code = $1", AREA.select(""));
    let row = tx.query_opt(&sql, &[code.into()]).await?;
    row.map(|mut row| AREA.from_row(keys, &mut row)).transpose()
}

/// The tree as it stands on a day.
pub(crate) async fn tree(tx: &mut Tx, keys: &Keys, today: &str) -> Result<Tree, Error> {
    let steps = successions(tx).await?;
    part(tx, keys, today, (&Filter::new(), steps)).await
}

/// As [`tree`], of an area and those that followed it.
pub(super) async fn tree_behind(
    tx: &mut Tx,
    keys: &Keys,
    today: &str,
    area: &AreaCode,
) -> Result<Tree, Error> {
    let steps = successions(tx).await?;
    let mut filter = Filter::new();
    filter.and_in("code", reached(area, &steps).iter().map(|code| Value::from(code.as_str())));
    part(tx, keys, today, (&filter, steps)).await
}

async fn part(
    tx: &mut Tx,
    keys: &Keys,
    today: &str,
    (filter, steps): (&Filter, Vec<Step>),
) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let sql = format!("select {} from areas{}", AREA.select(""), filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        if let Some((code, node)) = node(&AREA.from_row(keys, row)?, today) {
            tree.insert(code, node);
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .await?;
    steps.into_iter().for_each(|step| tree.follow(step.from, step.to));
    Ok(tree)
}

/// Which areas followed which others; one that only got another name is not among them.
pub(super) async fn successions(tx: &mut Tx) -> Result<Vec<Step>, daohu_db::Error> {
    let sql = "select s.predecessor, s.successor, c.created_at from successions s
               join area_changes c on c.id = s.change where s.predecessor <> s.successor";
    let mut steps = Vec::new();
    for row in tx.query(sql, &[]).await? {
        if let (Ok(from), Ok(to)) = (AreaCode::parse(row.text(0)?), AreaCode::parse(row.text(1)?)) {
            steps.push(Step { from, to, at: Timestamp(row.int(2)?) });
        }
    }
    Ok(steps)
}

/// Hands on every area of the scope, by code; with those above it, what an import of the scope's rows
/// needs to find in an empty store. Figures of what lies above are not for whoever has a scope.
pub(crate) async fn each(
    tx: &mut Tx,
    scope: &Scope,
    with_above: bool,
    each: EachRow<'_>,
) -> Result<(), Error> {
    let filter = around(scope, with_above);
    let columns = AREA.select_values(str::to_owned);
    let sql = format!("select {columns} from areas{} order by code", filter.clause());
    tx.for_each(&sql, filter.params(), |row| each(row).map(ControlFlow::Continue)).await
}

/// How many areas [`each`] hands on.
pub(crate) async fn count(tx: &mut Tx, scope: &Scope, with_above: bool) -> Result<u64, Error> {
    let filter = around(scope, with_above);
    let sql = format!("select cast(count(*) as bigint) from areas{}", filter.clause());
    Ok(u64::try_from(tx.query_one(&sql, filter.params()).await?.int(0)?).unwrap_or_default())
}

fn around(scope: &Scope, with_above: bool) -> Filter {
    let mut filter = Filter::new();
    if let Some(ranges) = scope.ranges() {
        let areas = scope.areas().filter(|_| with_above).unwrap_or_default();
        let above = areas
            .iter()
            .flat_map(|area| std::iter::successors(area.parent(), daohu_base::AreaCode::parent));
        let above = above.map(|area| (area.to_string(), format!("{area}!")));
        let ranges = ranges.into_iter().chain(above);
        filter.and_any("(code >= ? and code < ?)", ranges.map(|(a, b)| [a.into(), b.into()]));
    }
    filter
}

/// The first village of a county, by code; empty if it has none.
pub(crate) async fn first_village(tx: &mut Tx, county: &str) -> Result<String, Error> {
    let sql = "select min(code) from areas where code >= $1 and code < $2 and level = $3";
    let level = i64::from(AreaLevel::Village.list_code());
    let end = format!("{county}:");
    let row = tx.query_one(sql, &[county.into(), end.into(), level.into()]).await?;
    Ok(row.opt_text(0)?.unwrap_or_default().to_owned())
}

/// What everybody may know of an area.
#[derive(Clone, Debug)]
pub(crate) struct AreaLine {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) level: i64,
    pub(crate) kind: Option<i64>,
    /// By level, as [`super::model::POOR_LEVELS`] has them.
    pub(crate) is_poor: [Option<bool>; 3],
    pub(crate) starts_on: Option<String>,
    pub(crate) ends_on: Option<String>,
}

/// The columns of an [`AreaLine`].
const LINE: &str = "code, name, level, kind, is_poor_county, is_poor_township, is_poor_village, ends_on, starts_on";

fn line(row: &Row) -> Result<AreaLine, daohu_db::Error> {
    let flag = |i| Ok::<_, daohu_db::Error>(row.opt_int(i)?.map(|flag| flag != 0));
    Ok(AreaLine {
        code: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        level: row.int(2)?,
        kind: row.opt_int(3)?,
        is_poor: [flag(4)?, flag(5)?, flag(6)?],
        ends_on: row.opt_text(7)?.map(str::to_owned),
        starts_on: row.opt_text(8)?.map(str::to_owned),
    })
}

/// The areas of a scope down to the villages, by code, with their rural populations as far as they
/// are known.
pub(crate) async fn with_population(
    tx: &mut Tx,
    scope: &Scope,
) -> Result<Vec<(AreaLine, Option<i64>)>, daohu_db::Error> {
    down_to(tx, scope, AreaLevel::Village).await
}

/// As [`with_population`], down to another level above the villages.
pub(crate) async fn down_to(
    tx: &mut Tx,
    scope: &Scope,
    deepest: AreaLevel,
) -> Result<Vec<(AreaLine, Option<i64>)>, daohu_db::Error> {
    let mut filter = Filter::new();
    within(&mut filter, "(code >= ? and code < ?)", scope);
    let deepest = i64::from(deepest.list_code());
    filter.and("level <= ?", [deepest.into()]);
    let sql =
        format!("select {LINE}, rural_population from areas{} order by code", filter.clause());
    let rows = tx.query(&sql, filter.params()).await?;
    rows.iter().map(|row| Ok((line(row)?, row.opt_int(9)?))).collect()
}

/// The counties of a scope, ended ones too, by code.
pub(crate) async fn counties(tx: &mut Tx, scope: &Scope) -> Result<Vec<AreaLine>, daohu_db::Error> {
    let mut filter = Filter::new();
    filter.and("level = ?", [i64::from(AreaLevel::County.list_code()).into()]);
    within(&mut filter, "(code >= ? and code < ?)", scope);
    let sql = format!("select {LINE} from areas{} order by code", filter.clause());
    tx.query(&sql, filter.params()).await?.iter().map(line).collect()
}

/// The flags of the levels in [`super::model::POOR_LEVELS`].
const IS_POOR: [&str; 3] = ["is_poor_county = ?", "is_poor_township = ?", "is_poor_village = ?"];

/// Areas by code, after `after`.
pub(super) async fn list(
    tx: &mut Tx,
    wanted: &WantedAreas,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<AreaLine>, daohu_db::Error> {
    let mut filter = Filter::new();
    if let Some(level) = wanted.level {
        filter.and("level = ?", [i64::from(level.list_code()).into()]);
    }
    if let Some(parent) = &wanted.parent {
        filter.and("code < ?", [parent.end().into()]);
    }
    // What comes after the mark is below the parent only if the mark is: both bounds stay.
    let parent = wanted.parent.as_ref().map(daohu_base::AreaCode::as_str);
    if let Some(from) = parent.max(after) {
        filter.and("code > ?", [from.into()]);
    }
    for (condition, flag) in IS_POOR.into_iter().zip(wanted.is_poor) {
        if let Some(flag) = flag {
            filter.and(condition, [i64::from(flag).into()]);
        }
    }
    if let Some(day) = &wanted.in_force_on {
        filter.and("(ends_on is null or ends_on >= ?)", [day.as_str().into()]);
    }
    if let Some(text) = &wanted.text {
        let params = [text.as_str().into(), prefix_end(text).into()];
        filter.and("name >= ? and name < ?", params);
    }
    let limit = filter.param(limit);
    let sql = format!("select {LINE} from areas{} order by code limit {limit}", filter.clause());
    tx.query(&sql, filter.params()).await?.iter().map(line).collect()
}

/// The code of a village's group, by its name or its code.
pub(super) async fn group_of(
    tx: &mut Tx,
    village: &str,
    text: &str,
) -> Result<Option<String>, daohu_db::Error> {
    let sql = "select code from areas where code > $1 and code < $2 and level = $3
                 and (name = $4 or code = $4) order by code limit 1";
    let level = i64::from(AreaLevel::Group.list_code());
    let params = [village.into(), format!("{village}:").into(), level.into(), text.into()];
    let row = tx.query_opt(sql, &params).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// True if there is any area.
pub(super) async fn any(tx: &mut Tx) -> Result<bool, daohu_db::Error> {
    Ok(tx.query_opt("select 1 from areas limit 1", &[]).await?.is_some())
}

/// The names of these areas, as far as they are known.
pub(super) async fn names(
    tx: &mut Tx,
    codes: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, String>, daohu_db::Error> {
    let mut filter = Filter::new();
    filter.and_in("code", codes.into_iter().map(Value::from));
    let sql = format!("select code, name from areas{}", filter.clause());
    let rows = tx.query(&sql, filter.params()).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
}

/// Locks these areas until the transaction ends, as far as they are there.
pub(crate) async fn lock(tx: &mut Tx, areas: &BTreeSet<AreaCode>) -> Result<(), daohu_db::Error> {
    for filter in Filter::lists("code", areas.iter().map(|area| area.as_str().into())) {
        let sql = format!("update areas set version = version{}", filter.clause());
        tx.execute(&sql, filter.params()).await?;
    }
    Ok(())
}

/// The names of these areas, and when they were last written.
pub(super) async fn changed(
    tx: &mut Tx,
    codes: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, (String, i64)>, daohu_db::Error> {
    let mut filter = Filter::new();
    filter.and_in("code", codes.into_iter().map(Value::from));
    let sql = format!("select code, name, updated_at from areas{}", filter.clause());
    let rows = tx.query(&sql, filter.params()).await?;
    let line = |row: &Row| Ok((row.text(0)?.to_owned(), (row.text(1)?.to_owned(), row.int(2)?)));
    rows.iter().map(line).collect()
}

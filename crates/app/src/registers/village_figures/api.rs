//! `GET /areas/{code}/village-figures`, and the villages that told nothing.

use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{COUNTED, ColumnCount, Counting, Counts, Goal, Group},
    ops,
};
use crate::{
    areas::rows::AreaLine,
    http::{Answer, App, At, Json, Page, PageRequest, Path, Query, Session, area_in_path},
    sheet::Column,
};

/// The routes of what villages have.
pub(in crate::registers) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_village_figures))
        .routes(routes!(list_unrecorded_villages))
        .merge(super::checklist::api::routes())
}

/// Of which year.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfYear {
    /// The last one that a village told of, if absent.
    #[param(minimum = 0, maximum = 9999)]
    pub(super) year: Option<u16>,
}

/// Which villages, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListUnrecordedVillages {
    /// The year of which they told nothing.
    #[param(minimum = 0, maximum = 9999)]
    year: u16,
    /// `true`: poor villages alone; `false`: the others.
    is_poor: Option<bool>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What the villages of an area have, as their records of a year say. An area's counts are the sums of
/// those below it.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillageFigures {
    /// When it was counted.
    as_of: At,
    year: i64,
    area: AreaVillages,
    /// By code; none below a village.
    children: Vec<AreaVillages>,
    /// The area in each earlier year that a village told of.
    before: Vec<VillagesOfYear>,
    /// What the area itself was to reach, by year.
    targets: Vec<TargetReached>,
}

/// The villages of an area in the year.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaVillages {
    code: String,
    /// Null where the tree has no area of this code though a village of it told something.
    name: Option<String>,
    all: VillageGroup,
    /// Those that are poor ones now: `GET /villages` with `is_poor_village=true`.
    poor: VillageGroup,
}

/// The villages of an area in a year.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillagesOfYear {
    year: i64,
    all: VillageGroup,
    /// Those that are poor ones now.
    poor: VillageGroup,
}

/// Villages, and what they told. Each count is the length of the list that `GET /villages` opens with the
/// same area, year, column and value.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillageGroup {
    /// `recorded` and `unrecorded`.
    villages: i64,
    /// With a record of the year: what the columns are counted of.
    recorded: i64,
    /// In force at the end of the year, or today in this one, without a record:
    /// `GET /areas/{code}/village-figures/unrecorded`.
    unrecorded: i64,
    /// What a village has or has not.
    flags: Vec<VillageFlag>,
    /// What is named by codes.
    lists: Vec<VillageList>,
    /// What is counted or measured.
    sums: Vec<VillageSum>,
}

/// Villages that have something.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillageFlag {
    column: &'static str,
    /// The column's name on the form.
    title: &'static str,
    /// With it: `true`.
    yes: i64,
    /// Without it: `false`.
    no: i64,
    /// Their records do not say: `unknown`.
    unknown: i64,
}

/// Villages by what they named.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillageList {
    column: &'static str,
    /// The column's name on the form.
    title: &'static str,
    /// Those that named one or more.
    told: i64,
    /// Their records do not say: `unknown`.
    unknown: i64,
    /// A village that named several is in each.
    by_code: Vec<VillagesOfCode>,
}

/// Villages that named one code.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillagesOfCode {
    code: String,
    villages: i64,
}

/// What villages have together.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillageSum {
    column: &'static str,
    /// The column's name on the form.
    title: &'static str,
    /// Villages that told theirs.
    told: i64,
    /// Their records do not say: `unknown`.
    unknown: i64,
    /// Of those that told; null where it is more than 64 bits hold.
    sum: Option<i64>,
}

/// A target, beside the figure of the same area and year in 指标 that bears its name.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetReached {
    year: i64,
    /// The code of 计划指标.
    indicator: String,
    target: f64,
    /// Null where there is no such figure.
    reached: Option<f64>,
}

/// A village that told nothing of a year.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnrecordedVillage {
    code: String,
    name: String,
}

/// The counts of the columns that are counted so.
fn of<T>(
    columns: &[ColumnCount],
    wanted: Counting,
    form: impl Fn(&'static Column, &ColumnCount) -> T,
) -> Vec<T> {
    let pairs = COUNTED.iter().zip(columns).filter(|(counted, _)| counted.counting == wanted);
    pairs.map(|(counted, count)| form(counted.column, count)).collect()
}

impl From<Group> for VillageGroup {
    fn from(group: Group) -> Self {
        let Group { recorded, unrecorded, columns, checked: _ } = group;
        let flag = |column: &'static Column, count: &ColumnCount| {
            let of = |value| count.by_value.get(&value).copied().unwrap_or_default();
            let (yes, no, unknown) = (of(1), of(0), count.unknown);
            VillageFlag { column: column.name, title: column.header, yes, no, unknown }
        };
        let list = |column: &'static Column, count: &ColumnCount| {
            let (told, unknown) = (count.told, count.unknown);
            let by_code = count.by_value.iter().map(|(code, villages)| VillagesOfCode {
                code: format!("{code:02}"),
                villages: *villages,
            });
            let by_code = by_code.collect();
            VillageList { column: column.name, title: column.header, told, unknown, by_code }
        };
        let sum = |column: &'static Column, count: &ColumnCount| {
            let (told, unknown) = (count.told, count.unknown);
            let sum = i64::try_from(count.sum).ok();
            VillageSum { column: column.name, title: column.header, told, unknown, sum }
        };
        Self {
            villages: recorded + unrecorded,
            recorded,
            unrecorded,
            flags: of(&columns, Counting::Flag, flag),
            lists: of(&columns, Counting::List, list),
            sums: of(&columns, Counting::Sum, sum),
        }
    }
}

impl From<Goal> for TargetReached {
    fn from(goal: Goal) -> Self {
        let Goal { year, indicator, target, reached } = goal;
        Self { year, indicator: format!("{indicator:02}"), target, reached }
    }
}

/// What the villages of an area and of those directly below it have, in a year and the years before; 404
/// outside and above the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/village-figures", tag = "registers",
    params(("code" = String, Path), OfYear), responses((status = 200, body = VillageFigures)))]
pub(crate) async fn get_village_figures(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<OfYear>,
) -> Answer<Json<VillageFigures>> {
    let permit = session.require(Right::RegistryRead)?;
    let area = area_in_path(&code)?;
    let as_of = At(permit.context().clock.now());
    let year = query.year.map(i64::from);
    let told = ops::figures(permit.context(), &permit.scope, area.clone(), year).await?;
    let line = |(code, Counts { all, poor }): (String, Counts)| AreaVillages {
        name: told.names.get(&code).cloned(),
        code,
        all: all.into(),
        poor: poor.into(),
    };
    let before = |(year, Counts { all, poor }): (i64, Counts)| VillagesOfYear {
        year,
        all: all.into(),
        poor: poor.into(),
    };
    Ok(Json(VillageFigures {
        as_of,
        year: told.report.year,
        area: line((area.to_string(), told.report.area)),
        children: told.report.children.into_iter().map(line).collect(),
        before: told.report.before.into_iter().map(before).collect(),
        targets: told.goals.into_iter().map(TargetReached::from).collect(),
    }))
}

/// The villages of an area that told nothing of a year in which they were there, by code.
#[utoipa::path(get, path = "/areas/{code}/village-figures/unrecorded", tag = "registers",
    params(("code" = String, Path), ListUnrecordedVillages),
    responses((status = 200, body = Page<UnrecordedVillage>)))]
pub(crate) async fn list_unrecorded_villages(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<ListUnrecordedVillages>,
) -> Answer<Json<Page<UnrecordedVillage>>> {
    let list = "unrecorded villages";
    let page = PageRequest::<String>::new(list, query.limit, query.after.as_deref())?;
    let permit = session.require(Right::RegistryRead)?;
    let wanted = (area_in_path(&code)?, i64::from(query.year));
    let found = ops::unrecorded(permit.context(), &permit.scope, wanted, query.is_poor).await?;
    let is_after = |line: &AreaLine| page.after.as_ref().is_none_or(|after| line.code > *after);
    let found: Vec<AreaLine> = found.into_iter().filter(is_after).take(page.rows() + 1).collect();
    let view = |line: AreaLine| UnrecordedVillage { code: line.code, name: line.name };
    Ok(Json(page.page(found, |line| line.code.clone()).map(view)))
}

//! `GET /areas/{code}/figures`

use daohu_policy::Right;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    model::{ByCode, Count, Line},
    ops,
};
use crate::http::{Answer, At, Json, Path, Session, area_in_path};

/// An area and those directly below it. An area's counts are the sums of those below it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaFigures {
    /// When it was counted.
    as_of: At,
    area: AreaCounts,
    /// By code; none below a village.
    children: Vec<AreaCounts>,
}

/// What is registered in an area. Households are counted as `GET /households` lists them with the same
/// area and codes; persons are those who belong to them now.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaCounts {
    code: String,
    /// Null where the tree has no area of this code though households are registered in it.
    name: Option<String>,
    /// The code has ended.
    has_ended: bool,
    total: HouseholdCount,
    /// In poverty or fallen back: the codes of 脱贫状态 that are marked `poor`.
    poor: HouseholdCount,
    /// Of the poor, those whose 户类型 is marked `rural`.
    poor_rural: HouseholdCount,
    /// Of the poor, those whose 户类型 is marked `urban`.
    poor_urban: HouseholdCount,
    /// Of the poor, those whose 户类型 is not known: the rest of `poor`. They are in no incidence.
    poor_residence_unknown: HouseholdCount,
    /// By 脱贫状态.
    by_exit_status: Vec<CodeCount>,
    /// By 贫困户属性.
    by_poverty_kind: Vec<CodeCount>,
    /// By 主要致贫原因.
    by_main_cause: Vec<CodeCount>,
    /// Of `poor`, by 主要致贫原因.
    poor_by_main_cause: Vec<CodeCount>,
    /// What the area's own row says; else the sum of those below, if all are known.
    rural_population: Option<i64>,
    /// The sum of those below, if all are known: beside the area's own it shows where they disagree.
    rural_population_below: Option<i64>,
    /// Persons of `poor_rural` among the rural population, in percent with two decimals; null where the
    /// population is not known, or is none.
    incidence_percent: Option<f64>,
    /// Itself among them; codes that have ended are not.
    poor_counties: i64,
    /// Itself among them; codes that have ended are not.
    poor_townships: i64,
    /// Itself among them; codes that have ended are not.
    poor_villages: i64,
}

/// Households, and those who belong to them now.
#[derive(Serialize, ToSchema)]
pub(crate) struct HouseholdCount {
    households: i64,
    persons: i64,
}

/// Households with one code of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeCount {
    /// Null where it is not known: the filter calls that `unknown`.
    code: Option<String>,
    households: i64,
    persons: i64,
}

impl From<Count> for HouseholdCount {
    fn from(Count { households, persons }: Count) -> Self {
        Self { households, persons }
    }
}

/// What is not known comes last.
fn by_code(counts: ByCode) -> Vec<CodeCount> {
    let mut counts: Vec<(Option<i64>, Count)> = counts.into_iter().collect();
    counts.sort_by_key(|(code, _)| (code.is_none(), *code));
    let view = |(code, Count { households, persons }): (Option<i64>, Count)| CodeCount {
        code: code.map(|code| format!("{code:02}")),
        households,
        persons,
    };
    counts.into_iter().map(view).collect()
}

impl From<Line> for AreaCounts {
    fn from(line: Line) -> Self {
        let incidence_percent = line.incidence().map(|hundredths| f64::from(hundredths) / 100.0);
        let figures = line.figures;
        let [poor_counties, poor_townships, poor_villages] = figures.poor_areas;
        Self {
            code: line.code,
            name: line.name,
            has_ended: line.has_ended,
            total: figures.total.into(),
            poor: figures.poor.into(),
            poor_rural: figures.poor_rural.into(),
            poor_urban: figures.poor_urban.into(),
            poor_residence_unknown: figures.poor_residence_unknown.into(),
            by_exit_status: by_code(figures.by_exit_status),
            by_poverty_kind: by_code(figures.by_poverty_kind),
            by_main_cause: by_code(figures.by_main_cause),
            poor_by_main_cause: by_code(figures.poor_by_main_cause),
            rural_population: line.rural_population,
            rural_population_below: line.rural_population_below,
            incidence_percent,
            poor_counties,
            poor_townships,
            poor_villages,
        }
    }
}

/// How many are registered in an area and in those directly below it, how many of them are poor, and
/// the incidence; 404 outside and above the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/figures", tag = "areas",
    params(("code" = String, Path)), responses((status = 200, body = AreaFigures)))]
pub(crate) async fn get_area_figures(
    session: Session,
    Path(code): Path<String>,
) -> Answer<Json<AreaFigures>> {
    let permit = session.require(Right::RegistryRead)?;
    let code = area_in_path(&code)?;
    let as_of = At(permit.context().clock.now());
    let report = ops::figures(permit.context(), &permit.scope, code).await?;
    let children = report.children.into_iter().map(AreaCounts::from).collect();
    Ok(Json(AreaFigures { as_of, area: report.area.into(), children }))
}

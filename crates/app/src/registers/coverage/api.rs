//! `GET /areas/{code}/coverage`, and the lists that its numbers open.

use daohu_base::{AreaCode, Day};
use daohu_policy::{Helping, Right, VillageRole};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Counts, Load, Paired, Village, is_over},
    ops::{self, Told},
};
use crate::{
    Context,
    http::{
        Answer, ApiError, App, Json, Page, PageRequest, Path, Permit, Query, Session, area_in_path,
        day,
    },
};

/// The routes of coverage.
pub(in crate::registers) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_area_coverage))
        .routes(routes!(list_village_coverage))
        .routes(routes!(list_cadre_loads))
}

/// On which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OnDay {
    /// `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    on: Option<String>,
}

/// Which villages, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListVillageCoverage {
    /// `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    on: Option<String>,
    /// `true`: poor villages alone.
    is_poor: Option<bool>,
    /// Villages without this role; `any`: without one of them; `persons`: with too few persons.
    missing: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Which cadres, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListCadreLoads {
    /// `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    on: Option<String>,
    /// `true`: those who answer for more households than one should.
    is_over: Option<bool>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Who answers for an area and for those directly below it. An area's counts are the sums of those below.
#[derive(Serialize, ToSchema)]
pub struct AreaCoverage {
    /// The day that it holds for.
    #[schema(format = Date)]
    on: String,
    area: CoverageCounts,
    /// By code; none below a village.
    children: Vec<CoverageCounts>,
    cadres: CadreCounts,
    teams: TeamCounts,
    /// Organisations that help the area or one below it, by their level.
    organisations_by_level: Vec<CodeNumber>,
    /// Cadres of the area, by role; who has several is in each.
    cadres_by_role: Vec<CodeNumber>,
}

/// What is covered in an area.
#[derive(Serialize, ToSchema)]
pub(crate) struct CoverageCounts {
    code: String,
    /// Null where the tree has no area of this code though households are registered in it.
    name: Option<String>,
    /// Registered.
    households: i64,
    /// Those that a cadre answers for.
    households_answered: i64,
    /// Those that nobody answers for: `GET /households` with `is_answered=false`.
    households_unanswered: i64,
    counties: PairedAreas,
    townships: PairedAreas,
    villages: PairedAreas,
    /// The roles that every poor village must have, and how many have them.
    village_roles: Vec<RoleCount>,
    /// Poor villages that have all of the roles.
    villages_complete: i64,
    /// Poor villages with as many persons as wanted.
    villages_staffed: i64,
}

/// Areas of a level in force, and those that somebody is paired with.
#[derive(Serialize, ToSchema)]
pub(crate) struct PairedAreas {
    total: i64,
    paired: i64,
    poor: i64,
    poor_paired: i64,
}

/// A role that every poor village must have.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoleCount {
    name: String,
    title: String,
    title_en: String,
    /// Poor villages that have it.
    villages: i64,
    /// Poor villages that have it not.
    missing: i64,
}

/// Who answers for households.
#[derive(Serialize, ToSchema)]
pub(crate) struct CadreCounts {
    /// Those who answer for one or more.
    helping: i64,
    /// Households for each of them, with two decimals; null where there are none.
    households_per_cadre: Option<f64>,
    households_max: i64,
    /// So many one should answer for at most.
    limit: i64,
    /// Those who answer for more.
    over_limit: i64,
}

/// Teams in villages.
#[derive(Serialize, ToSchema)]
pub(crate) struct TeamCounts {
    teams: i64,
    members: i64,
}

/// How many have one code of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeNumber {
    /// Null where it is not known.
    code: Option<String>,
    count: i64,
}

/// Who a village has.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillageCoverage {
    code: String,
    name: Option<String>,
    is_poor: bool,
    households: i64,
    households_answered: i64,
    /// Cadres of its team and those paired with it.
    persons: i64,
    /// Names of the roles that it has.
    has: Vec<String>,
    /// Names of the roles that it has not.
    missing: Vec<String>,
}

/// How many households a cadre answers for.
#[derive(Serialize, ToSchema)]
pub(crate) struct CadreLoad {
    no: String,
    name: Option<String>,
    households: i64,
    is_over: bool,
}

impl From<Paired> for PairedAreas {
    fn from(paired: Paired) -> Self {
        let Paired { areas: total, paired, poor, poor_paired } = paired;
        Self { total, paired, poor, poor_paired }
    }
}

fn counts(code: String, name: Option<String>, of: Counts, roles: &[VillageRole]) -> CoverageCounts {
    let [counties, townships, villages] = of.paired.map(PairedAreas::from);
    let role = |(role, count): (&VillageRole, i64)| RoleCount {
        name: role.name.clone(),
        title: role.title.clone(),
        title_en: role.title_en.clone(),
        villages: count,
        missing: of.poor_villages - count,
    };
    CoverageCounts {
        code,
        name,
        households: of.households,
        households_answered: of.answered,
        households_unanswered: of.households - of.answered,
        counties,
        townships,
        villages,
        village_roles: roles.iter().zip(of.with_role).map(role).collect(),
        villages_complete: of.complete,
        villages_staffed: of.staffed,
    }
}

impl AreaCoverage {
    fn new(context: &Context, (area, on): (&AreaCode, Day), told: Told) -> Self {
        let (roles, limits) = (context.policy.village_roles(), context.policy.helping());
        let Told { coverage, names, by_role } = told;
        let cadres = cadres(limits, &coverage.loads, coverage.overloaded(limits));
        let teams = TeamCounts { teams: coverage.teams, members: coverage.team_members };
        let number = |(code, count): (Option<i64>, i64)| CodeNumber {
            code: code.map(|code| format!("{code:02}")),
            count,
        };
        let line = |(code, of): (String, Counts)| {
            let name = names.get(&code).cloned();
            counts(code, name, of, roles)
        };
        let by_role = by_role.into_iter().map(|(code, count)| (Some(code), count));
        Self {
            on: on.to_string(),
            area: line((area.to_string(), coverage.counts)),
            children: coverage.below.into_iter().map(line).collect(),
            cadres,
            teams,
            organisations_by_level: coverage.organisations.into_iter().map(number).collect(),
            cadres_by_role: by_role.map(number).collect(),
        }
    }
}

fn cadres(limits: &Helping, loads: &[Load], over_limit: i64) -> CadreCounts {
    let helping = i64::try_from(loads.len()).unwrap_or(i64::MAX);
    let answers: i64 = loads.iter().map(|load| load.households).sum();
    #[expect(clippy::cast_precision_loss, reason = "hundredths of a mean of small numbers")]
    let mean = |hundredths: i64| hundredths as f64 / 100.0;
    let rounded = |cadres: i64| mean((answers * 200 + cadres) / (2 * cadres));
    CadreCounts {
        helping,
        households_per_cadre: (helping > 0).then(|| rounded(helping)),
        households_max: loads.iter().map(|load| load.households).max().unwrap_or_default(),
        limit: limits.households_per_cadre_max,
        over_limit,
    }
}

/// The coverage of an area as the command line shows it.
pub async fn coverage(
    context: &Context,
    area: AreaCode,
    on: Option<Day>,
) -> Result<AreaCoverage, crate::Error> {
    let on = on.unwrap_or_else(|| context.clock.now().day());
    let told = ops::coverage(context, &daohu_base::Scope::all(), area.clone(), on).await?;
    Ok(AreaCoverage::new(context, (&area, on), told))
}

async fn tell(
    session: &Session,
    code: &str,
    on: Option<&str>,
) -> Answer<(Permit, AreaCode, Day, Told)> {
    let permit = session.require(Right::RegistryRead)?;
    let area = area_in_path(code)?;
    let on = day("on", on)?;
    let on = on.unwrap_or_else(|| permit.context().clock.now().day());
    let told = ops::coverage(permit.context(), &permit.scope, area.clone(), on).await?;
    Ok((permit, area, on, told))
}

/// Who answers for an area and for those directly below it; 404 outside and above the scope, and below
/// the villages.
#[utoipa::path(get, path = "/areas/{code}/coverage", tag = "registers",
    params(("code" = String, Path), OnDay), responses((status = 200, body = AreaCoverage)))]
pub(crate) async fn get_area_coverage(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<OnDay>,
) -> Answer<Json<AreaCoverage>> {
    let (permit, area, on, told) = tell(&session, &code, query.on.as_deref()).await?;
    Ok(Json(AreaCoverage::new(permit.context(), (&area, on), told)))
}

/// The villages of an area in force, and who they have, by code.
#[utoipa::path(get, path = "/areas/{code}/coverage/villages", tag = "registers",
    params(("code" = String, Path), ListVillageCoverage),
    responses((status = 200, body = Page<VillageCoverage>)))]
pub(crate) async fn list_village_coverage(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<ListVillageCoverage>,
) -> Answer<Json<Page<VillageCoverage>>> {
    let list = "village coverage";
    let page = PageRequest::<String>::new(list, query.limit, query.after.as_deref())?;
    let (permit, _, _, told) = tell(&session, &code, query.on.as_deref()).await?;
    let policy = &permit.context().policy;
    let (roles, limits) = (policy.village_roles(), policy.helping());
    let missing = query.missing.as_deref();
    let nth = roles.iter().position(|role| Some(role.name.as_str()) == missing);
    if nth.is_none() && !matches!(missing, None | Some("any" | "persons")) {
        return Err(ApiError::field("missing", "coverage.unknown_role"));
    }
    let is_wanted = |village: &Village| {
        let lacks = match (missing, nth) {
            (None, _) => true,
            (_, Some(nth)) => village.roles.get(nth) == Some(&false),
            (Some("persons"), _) => village.persons < limits.persons_per_village_min,
            _ => !village.is_complete(),
        };
        let is_poor = query.is_poor.is_none_or(|is_poor| is_poor == village.is_poor);
        let is_after = page.after.as_ref().is_none_or(|after| village.code > *after);
        village.name.is_some() && lacks && is_poor && is_after
    };
    let villages: Vec<Village> =
        told.coverage.villages.into_iter().filter(is_wanted).take(page.rows() + 1).collect();
    let view = |village: Village| {
        let named = |wanted: bool| {
            let roles = roles.iter().zip(&village.roles).filter(|(_, has)| **has == wanted);
            roles.map(|(role, _)| role.name.clone()).collect()
        };
        VillageCoverage {
            has: named(true),
            missing: named(false),
            code: village.code,
            name: village.name,
            is_poor: village.is_poor,
            households: village.households,
            households_answered: village.answered,
            persons: village.persons,
        }
    };
    Ok(Json(page.page(villages, |village| village.code.clone()).map(view)))
}

/// The cadres who answer for households of an area, and for how many, by number.
#[utoipa::path(get, path = "/areas/{code}/coverage/cadres", tag = "registers",
    params(("code" = String, Path), ListCadreLoads),
    responses((status = 200, body = Page<CadreLoad>)))]
pub(crate) async fn list_cadre_loads(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<ListCadreLoads>,
) -> Answer<Json<Page<CadreLoad>>> {
    let page = PageRequest::<String>::new("cadre loads", query.limit, query.after.as_deref())?;
    let (permit, _, _, told) = tell(&session, &code, query.on.as_deref()).await?;
    let limits = permit.context().policy.helping();
    let is_wanted = |load: &Load| {
        let is_after = page.after.as_ref().is_none_or(|after| load.no > *after);
        is_after && query.is_over.is_none_or(|wanted| wanted == is_over(load, limits))
    };
    let loads: Vec<Load> =
        told.coverage.loads.into_iter().filter(is_wanted).take(page.rows() + 1).collect();
    let page = page.page(loads, |load| load.no.clone());
    let names = ops::names(permit.context(), &page.items).await?;
    Ok(Json(page.map(|load| CadreLoad {
        name: names.get(&load.no).cloned(),
        is_over: is_over(&load, limits),
        no: load.no,
        households: load.households,
    })))
}

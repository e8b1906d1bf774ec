//! `/organisations`, `/cadres`, `/teams`, `/pairings`, `/villages`, `/targets`, `/indicators`

use daohu_db::{Type, Value};
use daohu_policy::Right;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    ops::{self, Wanted},
    view::{
        CadreView, IndicatorView, OrganisationView, PairingView, TargetView, TeamMemberView,
        VillageYearView,
    },
};
use crate::{
    http::{
        Answer, ApiError, App, Caller, Json, Page, PageRequest, Path, Query, Session, Versioned,
        day,
    },
    registers::Register,
    sheet::{
        AREAS, CADRES, INDICATORS, ORGANISATIONS, PAIRINGS, Record, Sheet, TARGETS, TEAMS,
        VILLAGES, area, cadre, conditions, indicator, organisation, pairing, target, team, village,
    },
};

/// The routes of lists and single records that are not written here too.
pub(in crate::registers) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_village_years))
        .routes(routes!(list_targets))
        .routes(routes!(list_indicators))
}

/// What every list is asked with.
#[derive(Default)]
struct Common {
    area: Option<String>,
    on: Option<String>,
    q: Option<String>,
    is_poor_village: Option<String>,
    sort: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

/// Gives a list's query its parameters: those of every list, and the columns of its own.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident),* } $($common:ident)*;)*) => {
        $(
            $(#[$doc])*
            #[derive(Deserialize, IntoParams)]
            #[serde(deny_unknown_fields)]
            #[into_params(parameter_in = Query)]
            pub(crate) struct $name {
                /// Records of this area, which must lie in the user's own.
                area: Option<String>,
                $($(#[$of])* $field: Option<String>,)*
                /// By the key; `-key`: backwards.
                sort: Option<String>,
                /// Rows of the page: 1 to 200, 50 if absent.
                #[param(minimum = 1, maximum = 200)]
                limit: Option<u32>,
                /// `next` of the page before.
                after: Option<String>,
            }

            impl $name {
                fn common(&mut self) -> Common {
                    Common {
                        area: self.area.take(),
                        sort: self.sort.take(),
                        limit: self.limit,
                        after: self.after.take(),
                        $($common: self.$common.take(),)*
                        ..Common::default()
                    }
                }
            }
        )*
    };
}

queries! {
    /// Which organisations. Filters take codes or names; several values are separated by commas.
    ListOrganisations {
        /// The beginning of the name.
        q, no, level, kind
    } q;
    /// Which cadres. `roles` are those who have one of the roles.
    ListCadres {
        /// The beginning of the name.
        q, no, roles, organisation
    } q;
    /// Which members of teams.
    ListTeamMembers {
        /// Who were members on this day, `YYYY-MM-DD`.
        on, no, village, cadre,
        /// `true` or `false`.
        is_leader
    } on;
    /// Which pairings.
    ListPairings {
        /// Those in force on this day, `YYYY-MM-DD`.
        on, subject_kind, subject, object_kind,
        /// The code of an area, or a household's number.
        object, end_reason
    } on;
    /// Which villages, which years. Filters take codes, names, numbers, `true` and `false`, and `unknown` for what is
    /// not known; several values are separated by commas.
    ListVillageYears {
        /// Those of villages that are poor ones now: `true`, `false` or `unknown`.
        is_poor_village,
        village, year, hamlets, households, population, workers, workers_away,
        /// In yuan.
        collective_income_fen,
        has_paved_road, has_bus, has_production_power, has_broadband, has_clinic, doctors,
        has_culture_room, safe_water_households, cooperatives, has_e_commerce,
        /// One of the causes.
        main_causes
    } is_poor_village;
    /// Which targets.
    ListTargets { year, indicator };
    /// Which figures.
    ListIndicators { period, indicator };
}

/// A page of a register.
async fn page<T>(
    session: &Session,
    caller: &Caller,
    sheet: &'static Sheet,
    common: Common,
    wanted: impl IntoIterator<Item = (usize, Option<String>)>,
    view: impl FnMut(&Record) -> T,
) -> Answer<Json<Page<T>>> {
    let permit = session.require(Right::RegistryRead)?;
    let scope = permit.within("area", common.area.as_deref())?;
    let register = Register::of(sheet).ok_or_else(|| ApiError::new("record.not_found"))?;
    let is_down = match common.sort.as_deref() {
        None | Some("key") => false,
        Some("-key") => true,
        Some(_) => return Err(ApiError::field("sort", "list.unknown_sort")),
    };
    let on = day("on", common.on.as_deref())?;
    let page =
        PageRequest::<(bool, Vec<Value>)>::new(sheet.name, common.limit, common.after.as_deref())?;
    let after = match page.after.clone() {
        Some((down, key)) if down == is_down && is_key(register, &key) => Some(key),
        Some(_) => return Err(ApiError::field("after", "page.bad_cursor")),
        None => None,
    };
    let policy = &permit.context().policy;
    let poor = [(area::IS_POOR_VILLAGE, common.is_poor_village)];
    let of_village = conditions(policy, &AREAS, poor, caller.lang)?;
    let conditions = conditions(policy, sheet, wanted, caller.lang)?;
    let text = common.q.filter(|text| !text.is_empty());
    let on = on.map(|day| day.to_string());
    let wanted = Wanted { conditions, of_village, on, text, is_down };
    let rows = ops::list(permit.context(), register, (scope, wanted), after, page.fetch()).await?;
    let layout = register.layout();
    let page = page.page(rows, |record| (is_down, layout.key_of(record)));
    let Page { items, next } = page;
    Ok(Json(Page { items: items.iter().map(view).collect(), next }))
}

/// True if a mark's key is one of this register: it comes from outside.
fn is_key(register: &Register, key: &[Value]) -> bool {
    let table = &register.layout().table;
    let fits = |(name, value): (&&str, &Value)| {
        let column = table.columns.iter().find(|column| column.name == *name);
        matches!(
            (column.map(|column| column.kind), value),
            (Some(Type::Int), Value::Int(_)) | (Some(Type::Text), Value::Text(_))
        )
    };
    key.len() == table.key.len() && table.key.iter().zip(key).all(fits)
}

/// The organisations of the user's area, by number.
#[utoipa::path(get, path = "/organisations", tag = "registers", params(ListOrganisations),
    responses((status = 200, body = Page<OrganisationView>)))]
pub(crate) async fn list_organisations(
    session: Session,
    caller: Caller,
    Query(mut query): Query<ListOrganisations>,
) -> Answer<Json<Page<OrganisationView>>> {
    let common = query.common();
    let wanted = [
        (organisation::NO, query.no),
        (organisation::LEVEL, query.level),
        (organisation::KIND, query.kind),
    ];
    let view = |row: &Record| OrganisationView::from(row);
    page(&session, &caller, &ORGANISATIONS, common, wanted, view).await
}

/// One organisation of the user's area.
#[utoipa::path(get, path = "/organisations/{no}", tag = "registers",
    params(("no" = String, Path)),
    responses((status = 200, body = OrganisationView, headers(("ETag")))))]
pub(crate) async fn get_organisation(
    session: Session,
    Path(no): Path<String>,
) -> Answer<Versioned<OrganisationView>> {
    let record = one(&session, &ORGANISATIONS, no).await?;
    Ok(Versioned(record.meta.version, OrganisationView::from(&record)))
}

async fn one(session: &Session, sheet: &'static Sheet, no: String) -> Answer<Record> {
    let permit = session.require(Right::RegistryRead)?;
    let register = Register::of(sheet).ok_or_else(|| ApiError::new("record.not_found"))?;
    Ok(ops::get(permit.context(), register, permit.scope.clone(), no).await?)
}

/// The cadres of the user's area, by number; telephone numbers masked.
#[utoipa::path(get, path = "/cadres", tag = "registers", params(ListCadres),
    responses((status = 200, body = Page<CadreView>)))]
pub(crate) async fn list_cadres(
    session: Session,
    caller: Caller,
    Query(mut query): Query<ListCadres>,
) -> Answer<Json<Page<CadreView>>> {
    let common = query.common();
    let wanted = [
        (cadre::NO, query.no),
        (cadre::ROLES, query.roles),
        (cadre::ORGANISATION, query.organisation),
    ];
    page(&session, &caller, &CADRES, common, wanted, |row| CadreView::from(row)).await
}

/// One cadre of the user's area, the telephone number masked.
#[utoipa::path(get, path = "/cadres/{no}", tag = "registers", params(("no" = String, Path)),
    responses((status = 200, body = CadreView, headers(("ETag")))))]
pub(crate) async fn get_cadre(
    session: Session,
    Path(no): Path<String>,
) -> Answer<Versioned<CadreView>> {
    let record = one(&session, &CADRES, no).await?;
    Ok(Versioned(record.meta.version, CadreView::from(&record)))
}

/// The members of the teams of the user's area, one row for each time in a team.
#[utoipa::path(get, path = "/teams", tag = "registers", params(ListTeamMembers),
    responses((status = 200, body = Page<TeamMemberView>)))]
pub(crate) async fn list_team_members(
    session: Session,
    caller: Caller,
    Query(mut query): Query<ListTeamMembers>,
) -> Answer<Json<Page<TeamMemberView>>> {
    let common = query.common();
    let wanted = [
        (team::NO, query.no),
        (team::VILLAGE, query.village),
        (team::CADRE, query.cadre),
        (team::IS_LEADER, query.is_leader),
    ];
    page(&session, &caller, &TEAMS, common, wanted, |row| TeamMemberView::from(row)).await
}

/// Who helps whom in the user's area, by the helper.
#[utoipa::path(get, path = "/pairings", tag = "registers", params(ListPairings),
    responses((status = 200, body = Page<PairingView>)))]
pub(crate) async fn list_pairings(
    session: Session,
    caller: Caller,
    Query(mut query): Query<ListPairings>,
) -> Answer<Json<Page<PairingView>>> {
    let common = query.common();
    let wanted = [
        (pairing::SUBJECT_KIND, query.subject_kind),
        (pairing::SUBJECT, query.subject),
        (pairing::OBJECT_KIND, query.object_kind),
        (pairing::OBJECT, query.object),
        (pairing::END_REASON, query.end_reason),
    ];
    page(&session, &caller, &PAIRINGS, common, wanted, |row| PairingView::from(row)).await
}

/// The yearly records of the villages of the user's area.
#[utoipa::path(get, path = "/villages", tag = "registers", params(ListVillageYears),
    responses((status = 200, body = Page<VillageYearView>)))]
pub(crate) async fn list_village_years(
    session: Session,
    caller: Caller,
    Query(mut query): Query<ListVillageYears>,
) -> Answer<Json<Page<VillageYearView>>> {
    let common = query.common();
    let wanted = [
        (village::VILLAGE, query.village),
        (village::YEAR, query.year),
        (village::HAMLETS, query.hamlets),
        (village::HOUSEHOLDS, query.households),
        (village::POPULATION, query.population),
        (village::WORKERS, query.workers),
        (village::WORKERS_AWAY, query.workers_away),
        (village::COLLECTIVE_INCOME_FEN, query.collective_income_fen),
        (village::HAS_PAVED_ROAD, query.has_paved_road),
        (village::HAS_BUS, query.has_bus),
        (village::HAS_PRODUCTION_POWER, query.has_production_power),
        (village::HAS_BROADBAND, query.has_broadband),
        (village::HAS_CLINIC, query.has_clinic),
        (village::DOCTORS, query.doctors),
        (village::HAS_CULTURE_ROOM, query.has_culture_room),
        (village::SAFE_WATER_HOUSEHOLDS, query.safe_water_households),
        (village::COOPERATIVES, query.cooperatives),
        (village::HAS_E_COMMERCE, query.has_e_commerce),
        (village::MAIN_CAUSES, query.main_causes),
    ];
    page(&session, &caller, &VILLAGES, common, wanted, |row| VillageYearView::from(row)).await
}

/// The targets of the user's area and of those below it.
#[utoipa::path(get, path = "/targets", tag = "registers", params(ListTargets),
    responses((status = 200, body = Page<TargetView>)))]
pub(crate) async fn list_targets(
    session: Session,
    caller: Caller,
    Query(mut query): Query<ListTargets>,
) -> Answer<Json<Page<TargetView>>> {
    let common = query.common();
    let wanted = [(target::YEAR, query.year), (target::INDICATOR, query.indicator)];
    page(&session, &caller, &TARGETS, common, wanted, |row| TargetView::from(row)).await
}

/// The statistics of the user's area and of those below it.
#[utoipa::path(get, path = "/indicators", tag = "registers", params(ListIndicators),
    responses((status = 200, body = Page<IndicatorView>)))]
pub(crate) async fn list_indicators(
    session: Session,
    caller: Caller,
    Query(mut query): Query<ListIndicators>,
) -> Answer<Json<Page<IndicatorView>>> {
    let common = query.common();
    let wanted = [(indicator::PERIOD, query.period), (indicator::INDICATOR, query.indicator)];
    page(&session, &caller, &INDICATORS, common, wanted, |row| IndicatorView::from(row)).await
}

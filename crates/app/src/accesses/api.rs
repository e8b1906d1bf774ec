//! `GET /households/{id}/accesses` and `GET /accesses`

use daohu_base::{AreaCode, AreaLevel, Timestamp};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    model::{Seen, What},
    ops::{self, Query as Of, View},
    sql::{Line, Mark, Wanted},
};
use crate::http::{Answer, ApiError, At, Json, Page, PageRequest, Path, Query, Session, day};

/// Which accesses of a household, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HouseholdAccesses {
    /// Of this user.
    user: Option<String>,
    /// Of this day, `YYYY-MM-DD`, in China.
    #[param(format = Date)]
    day: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Which accesses of an area, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AreaAccesses {
    /// A county, or an area in one.
    area: String,
    /// Of this user.
    user: Option<String>,
    /// Of this day, `YYYY-MM-DD`, in China.
    #[param(format = Date)]
    day: Option<String>,
    /// What was looked at.
    #[param(inline)]
    what: Option<What>,
    /// Rows of the page: 1 to 200, 50 if absent. A page may be shorter and still have a next one.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Somebody looked at a household: once, or several times within a few minutes.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccessEntry {
    /// The first time.
    at: At,
    /// The last time.
    last_at: At,
    /// How often.
    times: i64,
    /// The user, or `system`.
    user: String,
    /// The user's, if there still is one of this name.
    display_name: Option<String>,
    /// The grant that allowed it.
    authority: String,
    /// `household`, `dossier`, `members`, `incomes`, `journal`, `sources`, `accesses`, `person`, `memberships`,
    /// `numbers` (in full) or `export`.
    what: String,
    /// The county that the household was stored under then, or of the area that was exported.
    county: String,
    /// The household's id; null for an export, which is of all households of `area`.
    household: Option<i64>,
    /// 户编号. Not for administrators.
    household_no: Option<String>,
    /// The member whose record it was.
    person: Option<i64>,
    /// The area that was exported.
    area: Option<String>,
    /// Where the request came from; null for exports, which the server writes by itself.
    address: Option<String>,
}

impl From<Line> for AccessEntry {
    fn from(line: Line) -> Self {
        let Line { access, display_name, household_no, .. } = line;
        Self {
            at: At(Timestamp(access.at)),
            last_at: At(Timestamp(access.last_at)),
            times: access.times,
            user: access.actor,
            display_name,
            authority: access.authority,
            what: access.what,
            county: access.county,
            household: access.area.is_none().then_some(access.household),
            household_no,
            person: access.person,
            area: access.area,
            address: access.address,
        }
    }
}

fn wanted(actor: Option<String>, on: Option<&str>) -> Answer<Wanted> {
    let day = day("day", on)?;
    let between = day.map(|day| (Timestamp::start_of(day), Timestamp::end_of(day)));
    Ok(Wanted { actor, between })
}

/// Who looked at a household, latest first: records, numbers in full, exports of its area.
#[utoipa::path(get, path = "/households/{id}/accesses", tag = "accesses",
    params(("id" = i64, Path), HouseholdAccesses),
    responses((status = 200, body = Page<AccessEntry>)))]
pub(crate) async fn list_household_accesses(
    session: Session,
    Path(id): Path<i64>,
    Query(query): Query<HouseholdAccesses>,
) -> Answer<Json<Page<AccessEntry>>> {
    let permit = session.require_all(&[Right::RegistryRead, Right::AccessesRead])?;
    let wanted = wanted(query.user, query.day.as_deref())?;
    let after = query.after.as_deref();
    let page = PageRequest::<Mark>::new("household accesses", query.limit, after)?;
    let (scope, cut) = (permit.scope.clone(), (page.after, page.fetch()));
    let (county, lines) = ops::of_household(permit.context(), scope, id, wanted, cut).await?;
    let seen = Seen::household(&county, id);
    permit.note(What::Accesses, seen).await?;
    Ok(Json(page.page(lines, Line::mark).map(AccessEntry::from)))
}

/// Who looked at the households of an area, latest first. An audit administrator sees who looked at what
/// when, of every area; others of the own one.
#[utoipa::path(get, path = "/accesses", tag = "accesses", params(AreaAccesses),
    responses((status = 200, body = Page<AccessEntry>)))]
pub(crate) async fn list_accesses(
    session: Session,
    Query(query): Query<AreaAccesses>,
) -> Answer<Json<Page<AccessEntry>>> {
    let permit = session.require(Right::AccessesRead)?;
    let area = AreaCode::parse(&query.area).ok();
    let area = area.filter(|area| area.level() >= AreaLevel::County);
    let area = area.ok_or_else(|| ApiError::field("area", "area.bad_code"))?;
    let view = match permit.is_administrators() {
        true => View::Administrators,
        false => View::Within(permit.scope.clone()),
    };
    let wanted = wanted(query.user, query.day.as_deref())?;
    let page = PageRequest::<Mark>::new("accesses", query.limit, query.after.as_deref())?;
    let of = Of { area, what: query.what, wanted };
    let listed = ops::of_area(permit.context(), view, of, page.after, page.rows()).await?;
    let (lines, next) = listed;
    Ok(Json(page.cut(lines, next).map(AccessEntry::from)))
}

//! `/area-changes`

use axum::response::IntoResponse;
use daohu_base::{Day, Timestamp};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::Line,
    ops::{self, Request, Seen},
    sql::{Stored, Succession},
};
use crate::{
    http::{
        Answer, ApiError, App, At, Caller, Json, Page, PageRequest, Path, Query, Session,
        area_in_path,
    },
    jobs::{self, JobView},
};

/// A change to be carried out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAreaChange {
    /// The first day of the new codes: not to come.
    #[schema(format = Date)]
    on: String,
    /// The number of the document that orders it (文号).
    #[schema(max_length = 100)]
    document: Option<String>,
    /// What becomes of what.
    lines: Vec<Line>,
    /// True: nothing is stored, and the answer says what would be.
    #[serde(default)]
    dry_run: bool,
}

/// A change that was carried out.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaChange {
    id: String,
    /// The first day of the new codes.
    #[schema(format = Date)]
    changed_on: String,
    document: Option<String>,
    /// Those about areas of the caller's.
    lines: Vec<Line>,
    /// Households that lie in another village since; null if there are lines about areas of others.
    households: Option<i64>,
    created_at: At,
    created_by: String,
}

/// That one area followed another. One that follows itself got another name.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaSuccession {
    predecessor: String,
    successor: String,
    #[schema(format = Date)]
    changed_on: String,
    /// The id of the change.
    change: String,
    /// True if all of the predecessor went there.
    is_whole: bool,
}

/// What an area followed and what followed it, the latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaSuccessions {
    successions: Vec<AreaSuccession>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAreaChanges {
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

impl From<Seen> for AreaChange {
    fn from(Seen { change, lines, is_whole }: Seen) -> Self {
        let Stored { id, changed_on, document, created_at, created_by, .. } = change;
        let households = is_whole.then_some(change.households);
        let created_at = At(Timestamp(created_at));
        Self { id, changed_on, document, lines, households, created_at, created_by }
    }
}

impl From<Succession> for AreaSuccession {
    fn from(succession: Succession) -> Self {
        let Succession { predecessor, successor, change, changed_on, is_whole } = succession;
        Self { predecessor, successor, changed_on, change, is_whole }
    }
}

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_area_changes, create_area_change))
        .routes(routes!(list_area_successions))
}

/// Renames, gives other codes to, merges and splits areas that all lie in the caller's, as one act: households,
/// helpers, offices and grants follow, history stays where it was. Tried first with `dry_run`. `GET /jobs/{id}`
/// tells how far it is, and what came of it.
#[utoipa::path(post, path = "/area-changes", tag = "areas", request_body = NewAreaChange,
    responses((status = 202, body = JobView, headers(("Location")))))]
pub(crate) async fn create_area_change(
    session: Session,
    caller: Caller,
    Json(body): Json<NewAreaChange>,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::AreasWrite)?;
    let NewAreaChange { on, document, lines, dry_run } = body;
    let on = Day::parse(&on).map_err(|_| ApiError::field("on", "request.bad_day"))?;
    let request = Request { on, document, lines, dry_run };
    ops::check_now(permit.context(), permit.act(), &permit.scope, &request).await?;
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let job = jobs::create_area_change(jobs, permit.act(), user_id, request).await?;
    Ok(jobs::accepted(jobs, job, caller.lang))
}

/// The changes of areas that lie or lay in the caller's, the latest first.
#[utoipa::path(get, path = "/area-changes", tag = "areas", params(ListAreaChanges),
    responses((status = 200, body = Page<AreaChange>)))]
pub(crate) async fn list_area_changes(
    session: Session,
    Query(query): Query<ListAreaChanges>,
) -> Answer<Json<Page<AreaChange>>> {
    let permit = session.require(Right::RegistryRead)?;
    let page =
        PageRequest::<(i64, String)>::new("area-changes", query.limit, query.after.as_deref())?;
    let changes =
        ops::list(permit.context(), permit.scope.clone(), page.after.clone(), page.fetch()).await?;
    let page = page.page(changes, |change| (change.change.created_at, change.change.id.clone()));
    Ok(Json(page.map(AreaChange::from)))
}

/// What an area followed, and what followed it. Open like the names of areas.
#[utoipa::path(get, path = "/areas/{code}/successions", tag = "areas",
    params(("code" = String, Path)), responses((status = 200, body = AreaSuccessions)))]
pub(crate) async fn list_area_successions(
    session: Session,
    Path(code): Path<String>,
) -> Answer<Json<AreaSuccessions>> {
    let permit = session.own();
    let found = ops::successions_of(permit.context(), area_in_path(&code)?).await?;
    let successions = found.into_iter().map(AreaSuccession::from).collect();
    Ok(Json(AreaSuccessions { successions }))
}

//! `/jobs`: all that a user let the server do in the background.

use axum::response::IntoResponse;
use daohu_policy::Right;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Again, Job, Kind, State},
    ops,
    sql::Wanted,
    view::{JobView, Sees, accepted},
};
use crate::http::{
    Answer, ApiError, App, Caller, Json, Page, PageRequest, Path, Permit, Query, Session,
};

/// Which jobs, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListJobs {
    /// In this state.
    state: Option<String>,
    /// `-created_at` (the newest first, if absent) or `created_at`.
    sort: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Which jobs of all kinds, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAllJobs {
    /// Of this kind: `import`, `export`, `area_change` or `undo`.
    kind: Option<String>,
    /// In this state.
    state: Option<String>,
    /// `-created_at` (the newest first, if absent) or `created_at`.
    sort: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Where a list of jobs goes on: when the last one was made, and its id.
pub(super) type Mark = (i64, String);

impl ListJobs {
    /// What is wanted, and the page. All kinds if there is none.
    pub(super) async fn page(
        self,
        jobs: &super::Jobs,
        kind: Option<Kind>,
        user_id: &str,
    ) -> Answer<Page<Job>> {
        let unknown = || ApiError::field("state", "request.bad_field");
        let state = self.state.as_deref().map(|name| State::named(name).ok_or_else(unknown));
        let newest_first = match self.sort.as_deref().unwrap_or("-created_at") {
            "-created_at" => true,
            "created_at" => false,
            _ => return Err(ApiError::field("sort", "list.unknown_sort")),
        };
        // A mark is a day and an id: it fits the list of any kind.
        let list = if newest_first { "jobs -created_at" } else { "jobs created_at" };
        let page = PageRequest::<Mark>::new(list, self.limit, self.after.as_deref())?;
        let (after, limit) = (page.after.clone(), page.fetch());
        let (user_id, state) = (user_id.to_owned(), state.transpose()?);
        let wanted = Wanted { kind, user_id, state, newest_first, after, limit };
        let (items, next) = ops::list(jobs, wanted).await?;
        Ok(page.cut(items, next))
    }
}

/// The routes of all jobs.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(get_job))
        .routes(routes!(cancel_job))
        .routes(routes!(retry_job))
}

fn view(session: &Session, permit: &Permit, caller: &Caller, job: Job) -> JobView {
    let sees = Sees {
        contents: session.require_all(job.request.rights()).is_ok(),
        accounts: session.require(Right::AccountsRead).is_ok(),
    };
    JobView::new(permit.jobs(), job, caller.lang, sees)
}

/// What the user let the server do, of whatever kind: how far it is, and what came of it.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(ListAllJobs),
    responses((status = 200, body = Page<JobView>)))]
pub(crate) async fn list_jobs(
    session: Session,
    caller: Caller,
    Query(query): Query<ListAllJobs>,
) -> Answer<Json<Page<JobView>>> {
    let permit = session.own();
    let ListAllJobs { kind, state, sort, limit, after } = query;
    let unknown = || ApiError::field("kind", "request.bad_field");
    let kind = kind.map(|name| Kind::named(&name).ok_or_else(unknown)).transpose()?;
    let list = ListJobs { state, sort, limit, after };
    let page = list.page(permit.jobs(), kind, &session.who().user.id).await?;
    Ok(Json(page.map(|job| view(&session, &permit, &caller, job))))
}

/// One of the user's own jobs.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobView)))]
pub(crate) async fn get_job(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Json<JobView>> {
    let permit = session.own();
    let job = ops::get(permit.jobs(), None, &session.who().user.id, &id).await?;
    Ok(Json(view(&session, &permit, &caller, job)))
}

/// Stops a job: nothing of it is stored. One that runs stops soon; ask how far it is.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path)),
    responses((status = 202, body = JobView, headers(("Location")))))]
pub(crate) async fn cancel_job(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<impl IntoResponse> {
    let permit = session.own();
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let job = ops::cancel(jobs, permit.act(), None, user_id, &id).await?;
    Ok(accepted(jobs, job, caller.lang))
}

/// Tries a job again that stored nothing: after a finished dry run for real, else as it was, or as the body
/// says. It is carried out with the rights that its maker has then.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path)),
    request_body = Option<Again>,
    responses((status = 202, body = JobView, headers(("Location")))))]
pub(crate) async fn retry_job(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Json<Again>>,
) -> Answer<impl IntoResponse> {
    let permit = session.own();
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let again = body.map(|Json(again)| again).unwrap_or_default();
    let job = ops::retry(jobs, permit.act(), None, (user_id, &id), again).await?;
    Ok(accepted(jobs, job, caller.lang))
}

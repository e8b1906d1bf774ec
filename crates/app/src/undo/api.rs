//! `/imports/{id}/undo`

use axum::response::IntoResponse;
use daohu_policy::Right;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{Answer, App, Caller, Json, Path, Session},
    jobs::{self, JobView},
};

/// How an import is to be undone.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoImport {
    /// True: nothing is stored, and the answer says what would be.
    #[serde(default)]
    dry_run: bool,
}

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(undo_import))
}

/// Undoes one of the user's own imports, if nothing was built on it: what it made goes, what it changed is as before.
/// `GET /jobs/{id}` tells how far it is, and what came of it: whatever was written since stands in the way, and
/// is named.
#[utoipa::path(post, path = "/imports/{id}/undo", tag = "imports", params(("id" = String, Path)),
    request_body = Option<UndoImport>,
    responses((status = 202, body = JobView, headers(("Location")))))]
pub(crate) async fn undo_import(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Json<UndoImport>>,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::RegistryImport)?;
    let dry_run = body.map(|Json(body)| body).unwrap_or_default().dry_run;
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let job = jobs::create_undo(jobs, permit.act(), user_id, (&id, dry_run)).await?;
    Ok(jobs::accepted(jobs, job, caller.lang))
}

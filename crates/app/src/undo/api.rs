//! `/imports/{id}/undo`

use daohu_base::Scope;
use daohu_policy::Right;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ops::{self, Undone};
use crate::{
    exchange,
    http::{Answer, App, Json, Path, Session},
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
/// Whatever was written since stands in the way, and is named.
#[utoipa::path(post, path = "/imports/{id}/undo", tag = "imports", params(("id" = String, Path)),
    request_body = Option<UndoImport>, responses((status = 200, body = Undone)))]
pub(crate) async fn undo_import(
    session: Session,
    Path(id): Path<String>,
    body: Option<Json<UndoImport>>,
) -> Answer<Json<Undone>> {
    let permit = session.require(Right::RegistryImport)?;
    exchange::jobs::check_own_import(permit.jobs(), &session.who().user.id, &id).await?;
    let rights = [Right::RegistryImport, Right::AreasWrite];
    let areas = session.require_all(&rights).map_or_else(|_| Scope::nothing(), |areas| areas.scope);
    let dry_run = body.map(|Json(body)| body).unwrap_or_default().dry_run;
    let scopes = (permit.scope.clone(), areas);
    Ok(Json(ops::undo(permit.context(), permit.act(), scopes, &id, dry_run).await?))
}

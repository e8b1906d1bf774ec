//! `GET /households/{id}/sources`

use daohu_policy::Right;

use super::ops::{self, Sources};
use crate::{
    accesses::{Seen, What},
    households::record::api::AsOf,
    http::{Answer, Json, Path, Query, Session},
};

/// Where the facts of a household come from: of each column of it, its members, incomes and helpers, who wrote it last,
/// when, under which authority and from which source; on a past day, as it was then.
#[utoipa::path(get, path = "/households/{id}/sources", tag = "households",
    params(("id" = i64, Path), AsOf), responses((status = 200, body = Sources)))]
pub(crate) async fn get_sources(
    session: Session,
    Path(id): Path<i64>,
    Query(query): Query<AsOf>,
) -> Answer<Json<Sources>> {
    let permit = session.require(Right::RegistryRead)?;
    let (context, scope, as_of) = (permit.context(), permit.scope.clone(), query.day()?);
    let sources = ops::sources(context, scope, id, as_of).await?;
    let seen = Seen::household(&sources.county, id);
    permit.note(What::Sources, seen).await?;
    Ok(Json(sources))
}

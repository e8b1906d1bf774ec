//! `GET /persons/{id}/memberships`

use daohu_policy::Right;

use super::ops::{self, Membership};
use crate::{
    accesses::{Seen, What},
    households::record::api::AsOf,
    http::{Answer, Json, Path, Query, Session},
};

/// The households that a person belonged to, one after the other; on a past day, as it was known then.
#[utoipa::path(get, path = "/persons/{id}/memberships", tag = "persons",
    params(("id" = i64, Path), AsOf), responses((status = 200, body = Vec<Membership>)))]
pub(crate) async fn list_memberships(
    session: Session,
    Path(id): Path<i64>,
    Query(query): Query<AsOf>,
) -> Answer<Json<Vec<Membership>>> {
    let permit = session.require(Right::RegistryRead)?;
    let (context, scope, as_of) = (permit.context(), permit.scope.clone(), query.day()?);
    let ((county, household), memberships) = ops::memberships(context, scope, id, as_of).await?;
    let seen = Seen::person(&county, household, id);
    permit.note(What::Memberships, seen).await?;
    Ok(Json(memberships))
}

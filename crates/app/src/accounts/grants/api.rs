//! `/users/{id}/grants`, `/roles`

use std::collections::HashMap;

use axum::http::StatusCode;
use daohu_base::AreaCode;
use daohu_policy::{Policy, Right, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ops;
use crate::{
    accounts::model::Grant,
    http::{Answer, ApiError, At, Created, Json, Path, Session, day},
};

/// A role in an area for a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct GrantView {
    id: String,
    role: String,
    role_title: String,
    role_title_en: String,
    /// Absent for an administrator's role.
    area: Option<String>,
    /// Absent if the area is not known here.
    area_name: Option<String>,
    /// The first day on which it holds.
    starts_on: String,
    /// The first day on which it holds no more.
    ends_on: Option<String>,
    created_at: At,
    created_by: String,
}

/// A grant to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateGrant {
    role: String,
    /// Not for an administrator's role.
    area: Option<String>,
    /// The first day on which it holds; today if absent.
    starts_on: Option<String>,
    /// The first day on which it holds no more.
    ends_on: Option<String>,
}

/// A role.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoleView {
    name: String,
    title: String,
    title_en: String,
    /// True if nobody may hold it beside another role; such a role has no area.
    exclusive: bool,
    /// True if whoever holds it signs in with a second factor, where the installation insists on it.
    needs_second_factor: bool,
    #[schema(value_type = Vec<String>)]
    rights: Vec<Right>,
    source: Option<String>,
}

impl GrantView {
    /// The grant with the names of its role and area.
    pub(in crate::accounts) fn new(
        grant: Grant,
        policy: &Policy,
        names: &HashMap<String, String>,
    ) -> Self {
        let role = policy.role(&grant.role);
        let title = |of: fn(&Role) -> &String| role.map_or(&grant.role, of).clone();
        Self {
            role_title: title(|role| &role.title),
            role_title_en: title(|role| &role.title_en),
            area_name: grant.area.as_ref().and_then(|area| names.get(area.as_str()).cloned()),
            id: grant.id,
            role: grant.role,
            area: grant.area.map(String::from),
            starts_on: grant.starts_on.to_string(),
            ends_on: grant.ends_on.map(String::from),
            created_at: At(grant.created_at),
            created_by: grant.created_by,
        }
    }
}

impl TryFrom<CreateGrant> for ops::NewGrant {
    type Error = ApiError;

    fn try_from(body: CreateGrant) -> Answer<Self> {
        let area = body.area.as_deref().map(AreaCode::parse).transpose();
        Ok(Self {
            role: body.role,
            area: area.map_err(|_| ApiError::field("area", "grant.bad_area"))?,
            starts_on: day("starts_on", body.starts_on.as_deref())?,
            ends_on: day("ends_on", body.ends_on.as_deref())?,
        })
    }
}

/// The roles that can be given.
#[utoipa::path(get, path = "/roles", tag = "accounts",
    responses((status = 200, body = Vec<RoleView>)))]
pub(crate) async fn list_roles(session: Session) -> Answer<Json<Vec<RoleView>>> {
    let permit = session.require(Right::AccountsRead)?;
    let view = |role: &Role| RoleView {
        name: role.name.clone(),
        title: role.title.clone(),
        title_en: role.title_en.clone(),
        exclusive: role.exclusive,
        needs_second_factor: role.needs_second_factor,
        rights: role.rights.clone(),
        source: role.source.clone(),
    };
    Ok(Json(permit.context().policy.roles().iter().map(view).collect()))
}

/// All grants of a user, past ones too, oldest first.
#[utoipa::path(get, path = "/users/{id}/grants", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = Vec<GrantView>)))]
pub(crate) async fn list_grants(
    session: Session,
    Path(id): Path<String>,
) -> Answer<Json<Vec<GrantView>>> {
    let permit = session.require(Right::AccountsRead)?;
    let context = permit.context();
    let grants = ops::grants_of(context, &id).await?;
    let names = ops::area_names(context, &grants).await?;
    let view = |grant| GrantView::new(grant, &context.policy, &names);
    Ok(Json(grants.into_iter().map(view).collect()))
}

/// Gives a user a role. The user's sessions end.
#[utoipa::path(post, path = "/users/{id}/grants", tag = "accounts", request_body = CreateGrant,
    params(("id" = String, Path)),
    responses((status = 201, body = GrantView, headers(("Location")))))]
pub(crate) async fn create_grant(
    session: Session,
    Path(id): Path<String>,
    Json(body): Json<CreateGrant>,
) -> Answer<Created<GrantView>> {
    let permit = session.require(Right::GrantsManage)?;
    let context = permit.context();
    let grant = ops::add_grant(context, permit.act(), &id, body.try_into()?).await?;
    let names = ops::area_names(context, std::slice::from_ref(&grant)).await?;
    let location = format!("/api/v1/users/{id}/grants/{}", grant.id);
    let version = grant.version;
    Ok(Created { location, version, body: GrantView::new(grant, &context.policy, &names) })
}

/// Takes a role from a user, from today on. The user's sessions end.
#[utoipa::path(delete, path = "/users/{id}/grants/{grant}", tag = "accounts",
    params(("id" = String, Path), ("grant" = String, Path)), responses((status = 204)))]
pub(crate) async fn end_grant(
    session: Session,
    Path((id, grant)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let permit = session.require(Right::GrantsManage)?;
    ops::end_grant(permit.context(), permit.act(), &id, &grant).await?;
    Ok(StatusCode::NO_CONTENT)
}

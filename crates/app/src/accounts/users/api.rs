//! `/users`

use axum::response::IntoResponse;
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ops;
use crate::{
    accounts::model::User,
    http::{
        Answer, At, Created, ForReplay, IfMatch, Json, Page, PageRequest, Path, Query, Session,
        Versioned,
    },
};

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    id: String,
    /// To sign in with.
    name: String,
    display_name: String,
    /// True until the initial password is changed.
    must_change: bool,
    /// True if an administrator forbids signing in.
    is_locked: bool,
    /// Until when failed attempts keep the user out.
    locked_until: Option<At>,
    password_at: At,
    created_at: At,
    created_by: String,
    updated_at: At,
    version: i64,
    /// Since when one-time codes are asked for; absent if none are.
    second_factor_at: Option<At>,
}

/// Which users, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListUsers {
    /// Stands in the name or the display name.
    q: Option<String>,
    is_locked: Option<bool>,
    /// Holds this role today.
    role: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A user to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateUser {
    /// 3 to 32 small letters, digits or `. _ -`.
    name: String,
    display_name: String,
}

/// What is to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeUser {
    display_name: Option<String>,
    is_locked: Option<bool>,
}

/// A user with the password for the first sign-in.
#[derive(Serialize, ToSchema)]
pub(crate) struct InitialPassword {
    user: UserView,
    /// Told once: absent if the same request is sent again.
    initial_password: Option<String>,
}

impl InitialPassword {
    /// The answer, and what a repeated request is told.
    fn once(user: &User, password: Option<String>) -> (ForReplay, Self) {
        let of = |initial_password| Self { user: user.into(), initial_password };
        (ForReplay::json(&of(None)), of(password))
    }
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        let user = user.clone();
        Self {
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            must_change: user.must_change,
            is_locked: user.is_locked,
            locked_until: user.locked_until.map(At),
            password_at: At(user.password_at),
            created_at: At(user.created_at),
            created_by: user.created_by,
            updated_at: At(user.updated_at),
            version: user.version,
            second_factor_at: user.second_factor_at.map(At),
        }
    }
}

/// The users, by name.
#[utoipa::path(get, path = "/users", tag = "accounts", params(ListUsers),
    responses((status = 200, body = Page<UserView>)))]
pub(crate) async fn list_users(
    session: Session,
    Query(query): Query<ListUsers>,
) -> Answer<Json<Page<UserView>>> {
    let permit = session.require(Right::AccountsRead)?;
    let page = PageRequest::<String>::new("users", query.limit, query.after.as_deref())?;
    let filter = ops::UserFilter { text: query.q, is_locked: query.is_locked, role: query.role };
    let users = ops::list_users(permit.context(), filter, page.after.clone(), page.fetch()).await?;
    let page = page.page(users, |user| user.name.clone());
    Ok(Json(page.map(|user| UserView::from(&user))))
}

/// One user.
#[utoipa::path(get, path = "/users/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = UserView, headers(("ETag")))))]
pub(crate) async fn get_user(
    session: Session,
    Path(id): Path<String>,
) -> Answer<Versioned<UserView>> {
    let permit = session.require(Right::AccountsRead)?;
    let user = ops::get_user(permit.context(), &id).await?;
    Ok(Versioned(user.version, UserView::from(&user)))
}

/// Creates a user with an initial password, which is told here and never again.
#[utoipa::path(post, path = "/users", tag = "accounts", request_body = CreateUser,
    responses((status = 201, body = InitialPassword, headers(("ETag"), ("Location")))))]
pub(crate) async fn create_user(
    session: Session,
    Json(body): Json<CreateUser>,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::AccountsManage)?;
    let CreateUser { name, display_name } = body;
    let new = ops::NewUser { name, display_name, password: None };
    let (user, password) = ops::create_user(permit.context(), permit.act(), new).await?;
    let location = format!("/api/v1/users/{}", user.id);
    let (replay, body) = InitialPassword::once(&user, password.map(|masked| masked.0));
    Ok((replay, Created { location, version: user.version, body }))
}

/// Renames, locks or unlocks a user. Locking ends the user's sessions.
#[utoipa::path(patch, path = "/users/{id}", tag = "accounts", request_body = ChangeUser,
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = UserView, headers(("ETag")))))]
pub(crate) async fn change_user(
    session: Session,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(body): Json<ChangeUser>,
) -> Answer<Versioned<UserView>> {
    let permit = session.require(Right::AccountsManage)?;
    let ChangeUser { display_name, is_locked } = body;
    let change = ops::UserChange { display_name, is_locked };
    let user = ops::change_user(permit.context(), permit.act(), &id, version, change).await?;
    Ok(Versioned(user.version, UserView::from(&user)))
}

/// Gives a user a new initial password and ends the user's sessions.
#[utoipa::path(post, path = "/users/{id}/password-reset", tag = "accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = InitialPassword, headers(("ETag")))))]
pub(crate) async fn reset_password(
    session: Session,
    Path(id): Path<String>,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::AccountsManage)?;
    let (user, password) = ops::reset_password(permit.context(), permit.act(), &id).await?;
    let (replay, body) = InitialPassword::once(&user, password.map(|masked| masked.0));
    Ok((replay, Versioned(user.version, body)))
}

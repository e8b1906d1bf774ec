//! `/session`

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use daohu_base::Masked;
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ops::{self, Attempt, Origin};
use crate::{
    accounts::{
        grants::{self, api::GrantView},
        model::{SessionRow, SignedIn},
    },
    http::{Answer, ApiError, Arrival, At, Json, Path, Session, Stranger},
};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateSession {
    name: String,
    password: String,
    /// Where the user has a second factor: a one-time code, or a recovery code.
    code: Option<String>,
}

/// The signed-in user.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    user: SessionUser,
    /// True if nothing else is allowed before the password is changed.
    must_change: bool,
    /// True if, once the password is changed, nothing else is allowed before a second factor is enrolled.
    must_enrol: bool,
    /// The grants that hold today.
    grants: Vec<GrantView>,
    /// Everything that some grant allows: what to show. Where it is allowed, each grant says.
    #[schema(value_type = Vec<String>)]
    rights: Vec<Right>,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionUser {
    id: String,
    name: String,
    display_name: String,
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    old: String,
    new: String,
}

/// One of one's own sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnSession {
    id: String,
    created_at: At,
    used_at: At,
    ends_at: At,
    address: String,
    agent: String,
    /// True for the one that asks.
    is_current: bool,
}

impl SessionView {
    async fn of(session: &Session) -> Answer<Self> {
        let (permit, must_enrol) = (session.own(), session.must_enrol());
        let context = permit.context();
        let SignedIn { user, grants, .. } = session.who().clone();
        let roles = grants.iter().filter_map(|grant| context.policy.role(&grant.role));
        let mut rights: Vec<Right> = roles.flat_map(|role| role.rights.iter().copied()).collect();
        rights.sort_unstable();
        rights.dedup();
        let names = grants::ops::area_names(context, &grants).await?;
        let view = |grant| GrantView::new(grant, &context.policy, &names);
        Ok(Self {
            must_change: user.must_change,
            must_enrol,
            user: SessionUser { id: user.id, name: user.name, display_name: user.display_name },
            grants: grants.into_iter().map(view).collect(),
            rights,
        })
    }
}

/// Signs in: answers with the cookie of the session.
#[utoipa::path(post, path = "/session", tag = "session", request_body = CreateSession,
    security(()), responses((status = 200, body = SessionView, headers(("Set-Cookie")))))]
pub(crate) async fn create_session(
    stranger: Stranger,
    headers: HeaderMap,
    Json(body): Json<CreateSession>,
) -> Answer<impl IntoResponse> {
    let context = stranger.context();
    let per_minute = context.policy.security().sign_in_per_minute_per_address;
    stranger.limit("sign_in", per_minute)?;
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent = agent.unwrap_or_default().to_owned();
    let origin = Origin { address: stranger.address(), agent };
    let (password, code) = (Masked(body.password), Masked(body.code.unwrap_or_default()));
    let token = ops::sign_in(context, Attempt { name: body.name, password, code }, origin).await?;
    let who = ops::authenticate(context, &token).await?;
    let Arrival(session) = stranger.arrive(who.ok_or_else(|| ApiError::new("session.refused"))?);
    let cookie = stranger.set_cookie(&session.who().user.id, &token);
    Ok((cookie, Json(SessionView::of(&session).await?)))
}

/// Who is signed in, and what the user may do.
#[utoipa::path(get, path = "/session", tag = "session",
    responses((status = 200, body = SessionView)))]
pub(crate) async fn get_session(Arrival(session): Arrival) -> Answer<Json<SessionView>> {
    Ok(Json(SessionView::of(&session).await?))
}

/// Signs out.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
pub(crate) async fn delete_session(Arrival(session): Arrival) -> Answer<impl IntoResponse> {
    let permit = session.own();
    ops::sign_out(permit.context(), permit.act(), session.who()).await?;
    Ok((StatusCode::NO_CONTENT, session.clear_cookie()))
}

/// Changes the user's own password. The user's other sessions end.
#[utoipa::path(put, path = "/session/password", tag = "session", request_body = ChangePassword,
    responses((status = 204)))]
pub(crate) async fn change_password(
    Arrival(session): Arrival,
    Json(body): Json<ChangePassword>,
) -> Answer<StatusCode> {
    let permit = session.own();
    // Whoever found an open browser must not find the password by trying.
    let per_minute = permit.context().policy.security().password_changes_per_minute;
    permit.limit("change_password", per_minute)?;
    let (old, new) = (Masked(body.old), Masked(body.new));
    let (context, act) = (permit.context(), permit.act());
    ops::change_password(context, act, session.who(), old, new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The user's own open sessions, the last used first.
#[utoipa::path(get, path = "/session/list", tag = "session",
    responses((status = 200, body = Vec<OwnSession>)))]
pub(crate) async fn list_sessions(session: Session) -> Answer<Json<Vec<OwnSession>>> {
    let permit = session.own();
    let who = session.who();
    let view = |row: SessionRow| OwnSession {
        id: row.id().to_owned(),
        created_at: At(row.created_at),
        used_at: At(row.used_at),
        ends_at: At(row.ends_at),
        is_current: row.token_hash == who.token_hash,
        address: row.address,
        agent: row.agent,
    };
    let all = ops::own_sessions(permit.context(), who).await?;
    Ok(Json(all.into_iter().map(view).collect()))
}

/// Ends all of the user's own sessions but the one that asks.
#[utoipa::path(delete, path = "/session/list", tag = "session", responses((status = 204)))]
pub(crate) async fn end_other_sessions(session: Session) -> Answer<StatusCode> {
    let permit = session.own();
    ops::end_others(permit.context(), permit.act(), session.who()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of the user's own sessions.
#[utoipa::path(delete, path = "/session/list/{id}", tag = "session",
    params(("id" = String, Path)), responses((status = 204)))]
pub(crate) async fn end_session(session: Session, Path(id): Path<String>) -> Answer<StatusCode> {
    let permit = session.own();
    ops::end_own(permit.context(), permit.act(), session.who(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

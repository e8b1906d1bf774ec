//! `/session/second-factor`, `/users/{id}/second-factor-reset`

use axum::{http::StatusCode, response::IntoResponse};
use daohu_base::Masked;
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ops::{self, Given};
use crate::http::{Answer, At, Enrolling, ForReplay, Json, Path, Permit, Session};

/// The user's own second factor.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecondFactorView {
    /// Since when sign-in asks for a code; absent if it does not.
    since_at: Option<At>,
    /// True if a role of the user's needs it: it can then be replaced, not removed.
    is_needed: bool,
    /// Recovery codes that were not used yet.
    recovery_codes_left: i64,
}

/// Who wants a second factor, or another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartSecondFactor {
    password: String,
    /// For who has one already: a code of it, or a recovery code.
    code: Option<String>,
}

/// A secret on its way to an authenticator.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct EnrolmentView {
    /// To be shown as a QR code. Told once: absent if the same request is sent again.
    uri: Option<String>,
    /// To be typed: base 32. Told once, like the address.
    secret: Option<String>,
}

/// The first code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmSecondFactor {
    code: String,
}

/// Who it is, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProveSecondFactor {
    password: String,
    /// A one-time code or a recovery code.
    code: String,
}

/// Codes for who has lost the telephone, each for one time.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// Told once: absent if the same request is sent again.
    recovery_codes: Option<Vec<String>>,
}

impl RecoveryCodes {
    /// The answer, and what a repeated request is told.
    fn once(codes: Vec<Masked>) -> (ForReplay, Json<Self>) {
        let codes = codes.into_iter().map(|code| code.0).collect();
        (ForReplay::json(&Self::default()), Json(Self { recovery_codes: Some(codes) }))
    }
}

impl From<ProveSecondFactor> for Given {
    fn from(body: ProveSecondFactor) -> Self {
        Self { password: Masked(body.password), code: Masked(body.code) }
    }
}

/// Whoever found an open browser must find neither the password nor a code by trying.
fn limit(permit: &Permit, act: &'static str) -> Answer<()> {
    permit.limit(act, permit.context().policy.second_factor().attempts_per_minute)
}

/// How the user's own second factor stands.
#[utoipa::path(get, path = "/session/second-factor", tag = "session",
    responses((status = 200, body = SecondFactorView)))]
pub(crate) async fn get_second_factor(
    Enrolling(session): Enrolling,
) -> Answer<Json<SecondFactorView>> {
    let permit = session.own();
    let state = ops::second_factor_of(permit.context(), &session.who().user.id).await?;
    Ok(Json(SecondFactorView {
        since_at: state.since.map(At),
        is_needed: session.needs_second_factor(),
        recovery_codes_left: state.recovery_codes,
    }))
}

/// Makes a secret for an authenticator. It is in force when it is confirmed with a code; until then
/// nothing changes.
#[utoipa::path(post, path = "/session/second-factor", tag = "session",
    request_body = StartSecondFactor, responses((status = 200, body = EnrolmentView)))]
pub(crate) async fn start_second_factor(
    Enrolling(session): Enrolling,
    Json(body): Json<StartSecondFactor>,
) -> Answer<impl IntoResponse> {
    let permit = session.own();
    limit(&permit, "second_factor")?;
    let code = Masked(body.code.unwrap_or_default());
    let given = Given { password: Masked(body.password), code };
    let made = ops::start(permit.context(), permit.act(), session.who(), given).await?;
    let view = EnrolmentView { uri: Some(made.uri.0), secret: Some(made.secret.0) };
    Ok((ForReplay::json(&EnrolmentView::default()), Json(view)))
}

/// Puts the secret in force with its first code: from now on sign-in asks for one. The user's other
/// sessions end.
#[utoipa::path(post, path = "/session/second-factor/confirm", tag = "session",
    request_body = ConfirmSecondFactor, responses((status = 200, body = RecoveryCodes)))]
pub(crate) async fn confirm_second_factor(
    Enrolling(session): Enrolling,
    Json(body): Json<ConfirmSecondFactor>,
) -> Answer<impl IntoResponse> {
    let permit = session.own();
    limit(&permit, "confirm_second_factor")?;
    let (context, act, code) = (permit.context(), permit.act(), Masked(body.code));
    Ok(RecoveryCodes::once(ops::confirm(context, act, session.who(), code).await?))
}

/// Makes new recovery codes; the old ones are no good any more.
#[utoipa::path(post, path = "/session/second-factor/recovery-codes", tag = "session",
    request_body = ProveSecondFactor, responses((status = 200, body = RecoveryCodes)))]
pub(crate) async fn renew_recovery_codes(
    session: Session,
    Json(body): Json<ProveSecondFactor>,
) -> Answer<impl IntoResponse> {
    let permit = session.own();
    limit(&permit, "second_factor")?;
    let (context, act) = (permit.context(), permit.act());
    Ok(RecoveryCodes::once(ops::renew_codes(context, act, session.who(), body.into()).await?))
}

/// Takes the user's own second factor away, unless a role needs it. The user's other sessions end.
#[utoipa::path(post, path = "/session/second-factor/removal", tag = "session",
    request_body = ProveSecondFactor, responses((status = 204)))]
pub(crate) async fn remove_second_factor(
    session: Session,
    Json(body): Json<ProveSecondFactor>,
) -> Answer<StatusCode> {
    let permit = session.own();
    limit(&permit, "second_factor")?;
    let (context, act, who) = (permit.context(), permit.act(), session.who());
    ops::remove(context, act, who, body.into(), session.needs_second_factor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the second factor from a user who lost it. All sessions of the user end.
#[utoipa::path(post, path = "/users/{id}/second-factor-reset", tag = "accounts",
    params(("id" = String, Path)), responses((status = 204)))]
pub(crate) async fn reset_second_factor(
    session: Session,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let permit = session.require(Right::SecondFactorsReset)?;
    ops::reset_second_factor(permit.context(), permit.act(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

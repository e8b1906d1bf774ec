//! Accounts: who may sign in, what they may do, where and until when.
//!
//! A user holds grants; a grant is a role in an area for a period. The three administrators' roles
//! have no area and exclude every other role (三权分立). A session is an opaque cookie; its token is
//! stored only as a hash. Grants are read anew with each request, so that what was taken away is
//! gone at once.
//!
//! ```text
//! created (initial password) ──► must change ──► must enrol ──► in use ⇄ locked out (failures; ends
//!                                                                 ⇅        by itself)
//!                                                            locked (by an administrator)
//! ```
//!
//! Who must enrol holds a role that needs a second factor and has none, where the installation insists
//! on it; all others pass.
//!
//! Invariants: no password and no token reaches the log, the journal or an error; a refused
//! sign-in looks and costs the same whatever the reason; each administrator's role keeps at least
//! one active holder; a change of password, of roles or of the second factor ends the user's other
//! sessions; who has a second factor begins no session without a code that was never used before.

mod authority;
mod grants;
mod model;
mod passwords;
mod second_factor;
mod sessions;
mod users;
mod watched;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use authority::Authority;
pub(crate) use authority::authority;
pub use grants::follow::FollowedGrant;
pub(crate) use grants::follow::follow_areas;
pub use grants::ops::{NewGrant, add_grant, check_grant, end_grant, grants_of};
pub use model::{Grant, SignedIn, User};
pub(crate) use passwords::new_id;
pub use passwords::{Cost, Passwords};
pub use second_factor::ops::{
    Enrolment, SecondFactorState, enrol, reseal, reset_second_factor, second_factor_of,
};
pub(crate) use sessions::ops::end_everybodys as end_all_sessions;
pub use sessions::ops::{authenticate, forget_ended as forget_ended_sessions};
pub use users::ops::{
    NewUser, UserChange, UserFilter, change_user, create_user, find_user, get_user, list_users,
    set_password,
};
pub use watched::watched;

use crate::http::App;

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            sessions::api::create_session,
            sessions::api::get_session,
            sessions::api::delete_session
        ))
        .routes(routes!(sessions::api::change_password))
        .routes(routes!(sessions::api::list_sessions, sessions::api::end_other_sessions))
        .routes(routes!(sessions::api::end_session))
        .routes(routes!(
            second_factor::api::get_second_factor,
            second_factor::api::start_second_factor
        ))
        .routes(routes!(second_factor::api::confirm_second_factor))
        .routes(routes!(second_factor::api::renew_recovery_codes))
        .routes(routes!(second_factor::api::remove_second_factor))
        .routes(routes!(second_factor::api::reset_second_factor))
        .routes(routes!(users::api::list_users, users::api::create_user))
        .routes(routes!(users::api::get_user, users::api::change_user))
        .routes(routes!(users::api::reset_password))
        .routes(routes!(grants::api::list_grants, grants::api::create_grant))
        .routes(routes!(grants::api::end_grant))
        .routes(routes!(grants::api::list_roles))
}

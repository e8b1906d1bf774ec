//! Accounts: who may sign in, what they may do, where and until when.
//!
//! A user holds grants; a grant is a role in an area for a period. The three administrators' roles
//! have no area and exclude every other role (三权分立). A session is an opaque cookie; its token is
//! stored only as a hash. Grants are read anew with each request, so that what was taken away is
//! gone at once.
//!
//! ```text
//! created (initial password) ──► must change ──► in use ⇄ locked out (failures; ends by itself)
//!                                                  ⇅
//!                                             locked (by an administrator)
//! ```
//!
//! Invariants: no password and no token reaches the log, the journal or an error; a refused
//! sign-in looks and costs the same whatever the reason; each administrator's role keeps at least
//! one active holder; a change of password or of roles ends the user's other sessions.

mod authority;
mod grants;
mod model;
mod passwords;
mod sessions;
mod users;
mod watched;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use authority::Authority;
pub(crate) use authority::authority;
pub use grants::ops::{NewGrant, add_grant, check_grant, end_grant, grants_of};
pub use model::{Grant, SignedIn, User};
pub(crate) use passwords::new_id;
pub use passwords::{Cost, Passwords};
pub use sessions::ops::authenticate;
pub(crate) use sessions::ops::end_everybodys as end_all_sessions;
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
        .routes(routes!(sessions::api::list_sessions))
        .routes(routes!(sessions::api::end_session))
        .routes(routes!(users::api::list_users, users::api::create_user))
        .routes(routes!(users::api::get_user, users::api::change_user))
        .routes(routes!(users::api::reset_password))
        .routes(routes!(grants::api::list_grants, grants::api::create_grant))
        .routes(routes!(grants::api::end_grant))
        .routes(routes!(grants::api::list_roles))
}

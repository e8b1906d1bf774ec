//! The HTTP interface: what every slice's `api.rs` is written against.
//!
//! A handler reads as one sentence — load, authorise, act, answer:
//!
//! ```text
//! async fn get_user(session: Session, Path(id): Path<String>) -> Answer<Versioned<User>> {
//!     let permit = session.require(Right::AccountsRead)?;
//!     let user = ops::get_user(permit.context(), &id).await?;
//!     Ok(Versioned(user.version, Json(user.into())))
//! }
//! ```
//!
//! Architecture invariants: the database is reached only through a [`Permit`], and a permit only
//! through a right (or, named as such, as the owner of the account or as a stranger); a permit's
//! scope is the union of exactly the grants that give that right. Every answer of 400 and above is
//! `application/problem+json` from one catalogue; what went wrong inside is logged once, here, with
//! the trace id that the answer carries, and never sent.

mod app;
mod catalogue;
mod edge;
mod etag;
mod extract;
mod guard;
mod health;
mod idempotency;
mod limit;
mod list_file;
mod metrics;
mod network;
mod openapi;
mod page;
mod problem;
mod serve;
mod session;
mod tls;
mod transfer;

pub use app::{App, Enforcement, HttpConfig, router};
pub(crate) use catalogue::title as problem_title;
pub use etag::{Created, IfMatch, Versioned};
pub use extract::{Json, Path, Query};
pub(crate) use extract::{area_in_path, day};
pub(crate) use idempotency::forget_all as forget_answers;
pub use idempotency::{ForReplay, forget_old as forget_old_answers};
pub use list_file::{ListFile, ListFormat, Listing};
pub use network::{BadCidr, Caller, Cidr};
pub use openapi::openapi;
pub use page::{At, Page, PageRequest};
pub use problem::{ApiError, FieldProblem, Problem};
pub use serve::{ServeConfig, serve};
pub use session::{Arrival, Enrolling, Permit, Session, Stranger};
pub use tls::Tls;
pub use transfer::{Accepted, Download, Part, Upload};

/// What handlers return.
pub type Answer<T> = Result<T, ApiError>;

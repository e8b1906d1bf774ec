//! Who looked at which household: the access log.
//!
//! ```text
//! an answer about a household ─► queue (repeats are counted) ─► `accesses`, a batch at a time ─► end
//! an export of an area ─────────────────────────────────────────────┘   of the period kept
//! ```
//!
//! It is no part of the registry and not of the journal: the journal tells what was done and is never
//! cut, this log tells what was seen and ends by law and policy. What discloses more than a masked
//! record (a number in full, an export) is in the journal as well, durable before the answer.
//!
//! A look at a household stays with the county that it was written under, and lists ask the counties that rows came from: nobody
//! who looks waits for a change of areas, and none is lost to it. An export keeps the code that it was asked for by, and is a look at the
//! households that lay there then.
//!
//! Invariants: nothing about a household is answered before the access is queued; a full queue makes the
//! reader wait, and refuses in the end, but loses nothing; a server that ends, however it does, writes what is queued. A
//! process that is killed loses what it has not written yet: a quarter of a second of accesses, and
//! on SQLite those made while an import held the store.

mod api;
mod log;
mod model;
mod ops;
pub(crate) mod rows;
mod sql;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use log::Accesses;
pub(crate) use model::{Seen, Visitor, What};

use crate::http::App;

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api::list_household_accesses))
        .routes(routes!(api::list_accesses))
}

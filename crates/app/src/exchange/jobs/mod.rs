//! Imports and exports that the server carries out in the background: jobs.
//!
//! ```text
//!            ┌────────────────────── retry ──────────────────────┐
//!            ▼                                                    │
//! upload ─► queued ─► running ─► done        (stored, or a dry run)
//!            │           ├─────► refused     (the right is lost, or rows were rejected)
//!            │           ├─────► failed      (a bad file, a full disk)
//!            ├───────────┴─────► cancelled   (by its maker)
//!            └ ─ ─ ─ ─ ─ ─ ─ ─ ─► interrupted (the server stopped)
//! ```
//!
//! Invariants: a job is a row, so it survives the server; only its maker sees it, and to all others it
//! does not exist; it runs with the rights that its maker has when it begins, not when it was asked
//! for; of an import that is not `done` nothing is stored, because the import's own transaction says
//! so (`stored_at`); its files can be read by the server's owner alone, and are deleted when their
//! time is over. Changes of progress and state are not journaled: what a maker did is.

mod exports;
mod files;
mod imports;
mod model;
mod ops;
pub(crate) mod rows;
mod runner;
mod sql;
mod uploads;
mod view;
mod work;

use utoipa_axum::router::OpenApiRouter;

pub use model::Run;
pub use runner::Jobs;

use crate::{Error, http::App};

/// An error if this is no import of the user's.
pub(crate) async fn check_own_import(jobs: &Jobs, user_id: &str, id: &str) -> Result<(), Error> {
    ops::get(jobs, model::Kind::Import, user_id, id).await.map(drop)
}

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(imports::api::routes()).merge(exports::api::routes())
}

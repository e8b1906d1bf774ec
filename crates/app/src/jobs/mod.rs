//! What the server carries out in the background: imports, exports, changes of areas, undoing.
//!
//! ```text
//!            ┌────────────────────── retry ──────────────────────┐
//!            ▼                                                    │
//! asked ──► queued ─► running ─► done        (stored, or a dry run)
//!            ▲  │        ├─────► refused     (the right is lost, or a rule stands in the way)
//!            │  │        ├─────► failed      (a bad file, a full disk)
//!            │  ├────────┴─────► cancelled   (by its maker)
//!            │  │        │
//!            └──┼────────┤ the server stopped, or was killed
//!               └ ─ ─ ─ ─└─────► interrupted (as often as the pack allows)
//! ```
//!
//! Invariants: a job is a row, so it survives the server, and the next one takes it up by itself; only its
//! maker sees it, and to all others it does not exist; it runs with the rights that its maker has when it
//! begins, not when it was asked for; of a job that is not `done` nothing is stored, because the transaction
//! that stores says so (`stored_at`); its files can be read by the server's owner alone, and are deleted when
//! their time is over. Changes of progress and state are not journaled: what a maker did is.

mod api;
mod exports;
mod files;
mod imports;
mod model;
mod ops;
mod progress;
pub(crate) mod rows;
mod runner;
mod sql;
mod uploads;
mod view;
mod work;

use utoipa_axum::router::OpenApiRouter;

pub use model::Run;
pub(crate) use ops::{create_area_change, create_undo};
pub use progress::{Progress, Ticket};
pub use runner::Jobs;
pub(crate) use view::{JobView, accepted};

use crate::http::App;

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(imports::api::routes())
        .merge(exports::api::routes())
        .merge(api::routes())
}

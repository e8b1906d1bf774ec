//! Registers beside the households: who helps (organisations, cadres, teams, pairings), what villages
//! have (yearly records), and figures of areas (targets, statistics).
//!
//! ```text
//! organisation ◄── cadre ──► team (one row a member) ──► village ──► yearly record
//!      │             │         │
//!      └─────────────┴─────────┴──► pairing ──► county, township, village, household
//! ```
//!
//! Invariants: an import and a request write the same rows and entries, under the same rules (`rules`);
//! what holds for one register holds for all of them, and is written once
//! (`model::Register`); a record belongs to an area, and is seen and changed where that lies in the
//! scope; organisations and cadres work in many counties and are known everywhere by their number;
//! what ended keeps its row, with its last day and why.

mod coverage;
mod edit;
mod lists;
mod model;
mod ops;
pub(crate) mod rows;
pub(crate) mod rules;
mod sql;
mod village_figures;

use utoipa_axum::router::OpenApiRouter;

pub use coverage::api::coverage;
pub(crate) use coverage::ops::{cadre_kinds, villages_without};
pub(crate) use model::{Register, household_of, layouts};
pub(crate) use ops::{PAIRING, area_of, cadre_names, helpers_of, pairing_key};
pub use ops::{reseal, watched};
pub use village_figures::checklist::check_policy;

use crate::http::App;

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(lists::api::routes())
        .merge(edit::api::routes())
        .merge(coverage::api::routes())
        .merge(village_figures::api::routes())
}

//! Data quality: which records break which rules, where, and what that comes to.
//!
//! ```text
//! rows of an import ─┐                        ┌─► notes of the import
//!                    ├─► checks (the rules) ──┤
//! stored households ─┤                        └─► report of an area ─► findings, record by record
//! areas ─────────────┘                              │          └─► who is to put them right
//!                                                   └─► trend: what it came to day by day
//! ```
//!
//! The rules are of the pack: their words, level, dates and bounds. What each of them looks at is
//! written here once, for rows that come in and for those that are stored.
//!
//! Invariants: an area's figures are the sums of those below, and what is found of the area itself is
//! added; a rule's count is the length of the list of its findings; memory does not grow with the
//! population; several readers, each with counties of its own, come to what one would; a page of a list costs the same
//! wherever it stands, and reports of whole cities and provinces leave turns to what is smaller.

mod api;
mod duties;
mod judge;
mod listing;
mod model;
mod ops;
mod places;
mod reader;
mod report;
mod terms;
#[cfg(test)]
mod tests;
mod trend;

pub(crate) use api::routes;
pub use api::{AreaQuality, DutyView, FindingView, findings, level_in_words, quality, worklist};
pub(crate) use model::{Cells, Checks, Finding};
pub use trend::{QualityTrend, Recorded, keep_trend, keep_trend_once, record, trend};

//! What the quality report of an area came to, day by day.
//!
//! ```text
//! the journal of a county moved ─► all its areas are judged once ─► a point of the day for each ─► end of
//! daohu quality --record ─────────────┘                                                            the period kept
//! ```
//!
//! Derived from what was stored when it was taken: no part of the registry, not of the journal.
//!
//! Invariants: an area has one point a day, the last that was taken; the points of a county's areas are of
//! one picture, and each says what the report of its area said then; what is written after the picture
//! moves the journal past `sequence`, so that it is in a point of a later day. Points stay with the code
//! that their area had. A city or province has none of its own: it is told the sums of its counties' last ones.

mod api;
mod model;
mod ops;
mod sql;

pub(super) use api::routes;
pub use api::{QualityTrend, Recorded, record, trend};
pub use ops::{keep_trend, keep_trend_once};

//! What the quality report of an area came to, day by day.
//!
//! ```text
//! the journal of a county moved ─► all its areas are judged once ─► a point of the day for each ─► end of
//! daohu quality --record ─────────────┘                                                            the period kept
//! ```
//!
//! Derived from what was stored when it was taken: no part of the registry, not of the journal.
//!
//! Invariants: an area has one point a day at most, of the latest picture; it says what the report of its area said
//! then, which is how the area stood at the first look of the day at which something was new (or at a later
//! `--record`), not how the day ended. An area has none where it would say what its last one says: the county
//! itself has one of each day on which it was judged, and an area that ended or lost its last row one that says so. What is
//! written after the picture moves the journal past `sequence`, so that it is in a point of a later day; a picture older
//! than the last that was stored is not. Points stay with the code that their area had. A city or province has none
//! of its own: it is told the sums of its counties' last ones.

mod api;
mod model;
mod ops;
mod sql;

pub(super) use api::routes;
pub use api::{QualityTrend, Recorded, record, trend};
pub use ops::{keep_trend, keep_trend_once};

//! The figures of an area and of those directly below it: how many are registered, how many of them are
//! poor, and the incidence.
//!
//! ```text
//! households of the area ─ each counted in the child that its village lies in ─┐
//! areas below ─ poor villages, rural populations ──────────────────────────────┴─ sums
//! ```
//!
//! Invariants: an area's counts are the sums of those below it, by construction: whatever the tree says,
//! every household of the area is counted in exactly one child; a count of households is the length of
//! the list that `GET /households` opens with the same area and codes; what is not known is counted as
//! not known, never as no.

pub(in crate::households) mod api;
mod model;
mod ops;
mod sql;

pub(crate) use model::{has_ended, rural_populations};

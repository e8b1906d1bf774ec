//! What the villages of an area have, year by year: of each column of 村 that can be counted, how many
//! villages have it, have it not, or did not say; and who told nothing at all.
//!
//! ```text
//! villages' years of the area ─ each in its year, and the child that its village lies in ─┐
//! villages in force then ─ those without a year ──────────────────────────────────────────┴─ sums
//! ```
//!
//! Invariants: an area's counts are the sums of those below it, by construction; a count is the length of
//! the list that `GET /villages` opens with the same area, year and value; which columns are counted, and
//! how, follows from their kinds; what is not known is counted as not known, never as no.

pub(super) mod api;
pub(super) mod checklist;
mod model;
mod ops;
mod sql;

//! The checklist of villages (四通四有): which of its items a village meets in a year, derived from what it told.
//!
//! ```text
//! items of the pack ─┐
//!                    ├─► met, unmet, unknown ─► counts of an area ─► the villages of each count
//! a village's year ──┘
//! ```
//!
//! Invariants: nothing is stored; an empty cell leaves an item unknown and never unmet; an area's counts are the sums of
//! those below it, and a count is the length of the list that it opens: both ask [`model::Checklist`]; met, unmet and
//! unknown are together the villages with a record of the year.

pub(in crate::registers) mod api;
pub(super) mod model;
mod ops;
mod sql;

use daohu_policy::{BadPack, Policy};

/// Refuses a policy whose checklist asks for what 村 does not have: file and reason.
pub fn check_policy(policy: &Policy) -> Result<(), BadPack> {
    model::Checklist::new(policy).map(drop)
}

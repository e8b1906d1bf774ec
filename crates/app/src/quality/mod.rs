//! Data quality: which records break which rules, where, and what that comes to.
//!
//! The rules are of the pack: their words, level, dates and bounds. What each of them looks at is
//! written here once, for rows that come in and for those that are stored.

mod model;

pub(crate) use model::{Cells, Checks, Finding};

//! Where the facts of a household come from: of each column of each of its records, who wrote it last.
//!
//! Derived from the journal, on any day, and stored nowhere.

pub(in crate::households) mod api;
mod model;
pub(in crate::households) mod ops;

//! Coverage: for how many households and villages somebody answers, what is missing, and how much one
//! cadre bears.
//!
//! Every number is counted from the same rows as the list that it opens.

pub(super) mod api;
mod homes;
pub(super) mod model;
pub(super) mod ops;
mod sql;

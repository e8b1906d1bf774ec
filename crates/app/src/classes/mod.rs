//! Classes that poor households are helped by (四类户): derived from what is registered, by rules of the
//! pack.
//!
//! Invariants: nothing is stored; a class's count is the length of the list of its households.

mod api;
mod model;
mod ops;

pub(crate) use api::routes;

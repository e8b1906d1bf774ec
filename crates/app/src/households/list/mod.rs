//! Lists of households: filters, orders and pages, each served by an index.
//!
//! A list is read leg by leg: a leg is a part of the scope whose rows one index holds in the wanted
//! order, and legs follow each other in that order, so that a page ends as soon as it is full.

pub(in crate::households) mod api;
mod model;
mod ops;
pub(in crate::households) mod sql;

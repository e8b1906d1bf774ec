//! Finding a household or person by number, name or initials, inside the scope.
//!
//! Every question is answered from an index. Names are indexed by county, so that above a county the
//! counties are asked one after the other until the page is full; only within one village are names
//! searched for a part in their middle. ID numbers are found by blind indexes, tails of them at a
//! limited rate.

pub(in crate::households) mod api;
mod model;
mod ops;
mod sql;

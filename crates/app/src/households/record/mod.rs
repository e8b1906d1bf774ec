//! One household or person: as it is, as it was, who changed it, and its full numbers.

pub(in crate::households) mod api;
pub(in crate::households) mod ops;
pub(in crate::households) mod reveal;
mod sql;
mod story;

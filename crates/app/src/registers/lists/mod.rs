//! Lists of registers and single records, as far as the caller's area reaches.

pub(super) mod api;
pub(super) mod ops;
mod sql;
pub(super) mod view;

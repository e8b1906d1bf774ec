//! What users may do, and where.

pub(super) mod api;
pub(super) mod follow;
pub(super) mod ops;
pub(super) mod sql;

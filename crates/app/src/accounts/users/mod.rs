//! The people who may sign in.

pub(super) mod api;
pub(super) mod ops;
pub(super) mod sql;

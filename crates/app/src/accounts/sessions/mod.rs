//! Signing in and out.

pub(super) mod api;
pub(super) mod ops;
pub(super) mod sql;

//! Imports over HTTP.

pub(super) mod api;

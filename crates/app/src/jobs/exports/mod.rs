//! Exports over HTTP.

pub(super) mod api;

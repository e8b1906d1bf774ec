//! What is told of an area in a year or a period: put under its key, which says all but the figures.

pub(in crate::registers) mod api;

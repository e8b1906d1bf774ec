//! Cells and fields, read and printed.

mod cells;
pub(crate) mod legal;
mod round_trip;

//! The slice's sheets, row by row: what an export reads.

pub(super) mod sql;

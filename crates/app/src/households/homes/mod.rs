//! Households with all that hangs on them, many at a time.

pub(super) mod sql;

//! What the tests of this slice's queries share.

mod sql;

pub(super) use sql::{explained, filled, plan, reads_all, uses};

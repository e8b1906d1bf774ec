//! What imports and reports may ask of judgements, inside a transaction of theirs.

pub(crate) use super::sql::{different_among, different_in};

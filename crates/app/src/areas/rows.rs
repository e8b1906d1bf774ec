//! What other slices may do with the table of areas: whole rows, inside a transaction of theirs.

pub(crate) use super::sql::{AreaLine, all, count, each, one, tree, with_population};

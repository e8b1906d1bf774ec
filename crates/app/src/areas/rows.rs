//! What other slices may do with the table of areas: whole rows, inside a transaction of theirs; and how
//! a scope becomes a condition of their statements.

pub(crate) use super::sql::{
    AreaLine, all, count, counties, down_to, each, lock, one, tree, with_population, within,
};

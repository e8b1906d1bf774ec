//! What others write into this log in transactions of their own.

pub(crate) use super::{model::Access, sql::write};

//! The tree of administrative areas, dated, with predecessors.
//!
//! ```text
//! 省 ─ 市 ─ 县 ─ 乡 ─ 村 ─ 组        codes are prefixes of each other
//! ```
//!
//! Invariants: an area's parent exists; a code is never reused — what ends keeps its row and its
//! dates, what comes after it names it as predecessor; names, and which areas are poor ones, are open
//! to all who are signed in.

mod api;
mod model;
pub(crate) mod ops;
pub(crate) mod rows;
mod sql;

pub(crate) use api::routes;
pub use model::{AREA, Tree};
pub(crate) use model::{Node, POOR_LEVELS, node};
pub use ops::{first_village, is_empty};

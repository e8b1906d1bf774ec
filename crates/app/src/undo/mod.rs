//! Undoing an import on which nothing was built.
//!
//! ```text
//! import ──► its entries in the journal ──► backwards: what was new goes, what changed is as before
//!                                           └► something was written, or refers to it, since: refused
//! ```
//!
//! Invariants: all of an import is undone, or nothing; a record that was written since is named, and refuses
//! it; nothing is left that refers to a record that went; the journal keeps what was and says that it was
//! undone; who holds an ID number follows from the persons that are there.

mod api;
mod model;
mod ops;
pub(crate) mod rows;
mod sql;

pub(crate) use api::routes;
pub use ops::{Undone, undo};

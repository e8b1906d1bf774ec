//! Undoing an import on which nothing was built.
//!
//! ```text
//! import ──► its entries in the journal ──► backwards: what was new goes, what changed is as before
//!                                           └► something was written, or refers to it, since: refused
//! ```
//!
//! Invariants: all of an import is undone, or nothing; a record that was written since is named, and refuses
//! it; nothing is left that refers to a record that went, and what is as before fits what is there now: villages
//! are in force, a household has one head and lives where its members do, an ID number has one holder; the journal
//! keeps what was and says that it was undone.

mod after;
mod api;
mod faults;
mod model;
mod ops;
mod references;
pub(crate) mod rows;
mod sql;

pub(crate) use api::routes;
pub use model::kind_title;
pub(crate) use ops::check_undoable;
pub use ops::{Undone, imports, undo};
pub use sql::Imported;

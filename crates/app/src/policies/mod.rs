//! Policy packs as an installation publishes them: what it says instead of what the program carries.
//!
//! ```text
//! a folder of *.toml ─► read and checked with all that is published ─► a row, journaled ─► every server takes it up
//!                          └► refused with file and line: nothing changes
//! ```
//!
//! Invariants: rows are never changed, so that the packs of any day can be read again; what cannot be read or asked is never
//! published; a server that meets a publication that it cannot read keeps the policy that it has.

pub(crate) mod api;
mod explain;
mod model;
mod ops;
mod sql;

pub use explain::{Explained, Said, explain_all};
pub use model::{Pack, Publication, faults, read};
pub use ops::{
    Outcome, follow, in_force, list, note_shipped, over_published, publish, watched, withdraw,
};

//! 区划调整: areas are renamed, get other codes, are merged and split.
//!
//! ```text
//! lines ──► plan ──► areas end and begin ──► households, helpers, offices and grants follow
//!           (pure)                           all in one transaction, one journal entry a record
//! ```
//!
//! Invariants: a code is never used twice; what goes on keeps everything, what ended is followed by what its
//! lines name; a right never becomes more than it was (`Plan::followers`); years, targets and statistics
//! stay with the code that they were reported for; what a household's row was in another county stays in that
//! county's journal, which says that it went.

mod api;
mod carry;
mod facts;
mod helpers;
mod model;
mod move_homes;
mod ops;
pub(crate) mod rows;
mod sql;
mod told;

pub(crate) use api::routes;
pub use model::Line;
pub use ops::{Request, change, watched};
pub use told::{AreaNote, Told};

//! Persons who may be one (R32), and what people judge of them.
//!
//! ```text
//!            ┌────────────► different ──(name, birth date or number of one changes)──► suspected again
//! suspected ─┤    open ◄──────┘
//!            ├────────────► same ──┐
//!            └─────────────────────┴──► merged: one record stays, the other ends ──(undo)──► open
//! ```
//!
//! Suspected are the current members of two households of a township whose names sound alike and who
//! were born on one day. That follows from their records; only judgements are stored.
//!
//! Invariants: the persons of the list are those that the quality report finds and an import suspects; a
//! count is the length of its list; a record that ended by a merge names the one that stays, and is no
//! member of anything until the merge is undone; a merge is undone while neither record changed since, wherever a change of
//! areas put them: what was judged lies with the smaller id, and pairs that are merged may lie in two counties.

mod api;
mod listing;
mod merge;
mod model;
mod ops;
pub(crate) mod rows;
mod sql;

pub(crate) use api::routes;
pub use api::{SuspectView, listed};
pub use model::Verdict;
pub(crate) use model::{Different, Who, suspects, township};
pub(crate) use ops::JUDGEMENT;
pub use ops::watched;

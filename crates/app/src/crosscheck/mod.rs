//! Lists of departments that members of households are looked up in, and the leads that come of it.
//!
//! ```text
//! list (CSV, XLSX) ─► blind indexes in memory ─┐
//!                                              ├─► hits ─► leads: open ──(outcome)──► closed
//! members of households, read once ────────────┘             └─(found again)─┘ seen last on …
//! ```
//!
//! What a check asks, which headers it reads and whose business a hit is stands in the pack (`[[crosscheck]]`).
//!
//! Invariants: a number is compared by its blind index alone, and a list is not stored: what it was (name, digest, counts) is, and
//! of its rows only what leads tell of members. A lead is of a household, a member, a check and a fact, and there is one of these
//! however often it is found; what was closed stays closed. Only who belongs to the household on the day is a hit; what is not known
//! is never taken for yes or no, but for an amount, whose lack makes nobody innocent. A list is stored as a whole or not at all.

mod api;
mod leads;
mod model;
mod ops;
mod read;
pub(crate) mod rows;
mod sql;
mod stored;

pub(crate) use api::routes;
pub use model::Counts;
pub(crate) use ops::LEAD;
pub use ops::{Asked, Checked, run};
pub use read::BadCell;
pub use stored::{reseal, watched};

//! The journal: every write, who made it, when, under which authority, before and after.
//!
//! An ordinary write appends its entries, in its own transaction, to `journal_pending`, which
//! serialises nobody. The sealer later gives each entry its place in its county's hash chain and
//! moves it to `journal`; an import seals its own before it reports. A root chain runs over the
//! counties' heads, and a checkpoint is the signed end of the root chain.
//!
//! ```text
//! write ──► journal_pending ──(sealer: head's row lock)──► journal ──► journal_roots ──► checkpoint
//! ```
//!
//! Invariants: `journal` is insert-only; `chain` of an entry is SHA-256 over the previous chain and
//! every column of the entry, so altering, removing or reordering one is named by its sequence; a
//! cut tail is found against a checkpoint; bodies are packed, encrypted and bound to their record.

mod api;
mod listing;
mod model;
mod ops;
mod packing;
mod sql;
pub(crate) mod tail;
mod verify;

pub(crate) use api::routes;
pub use model::{
    Act, Action, Change, Draft, Entry, HeadPosition, NO_COUNTY, Position, Problem, RecordRef,
};
pub use ops::{
    Bulk, Span, check_keys, fill, history_in, latest_of, opens, position, record, seal_all,
    state_at, state_in,
};
pub(crate) use ops::{
    after_of, ended_at, page_of, sequence, states_before, without_undone, written_since,
};
pub use verify::{Bad, Current, Depth, HouseholdOf, Verdict, Watched, verify, verify_store};

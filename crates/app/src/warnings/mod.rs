//! Warnings: rules of the packs that are true of a household become something that somebody looks after.
//!
//! ```text
//!              rule is true            says what came of it
//! (nothing) ─────────────────► open ─────────────────────────► closed ──(true again, after its days)──► another one
//!                              ▲  │
//!                 true again   └──┘ no longer true: cleared on …, and still open
//! ```
//!
//! Which rules there are, whose business each is, by when and how long a closed one is quiet stands in the pack (`[[warning]]`). A
//! server asks them every hour, a command when it is told to.
//!
//! Invariants: of a household and a rule at most one is open, however often it is asked. What is not known raises nothing and
//! clears nothing. Nobody's word is overwritten: what was closed stays closed, and only who looked closes. A run that looks at an
//! earlier day than the last one says nothing of what that one wrote. A household's warnings are written together or not at all.

mod api;
mod follow;
mod model;
mod ops;
pub(crate) mod rows;
mod sql;

pub(crate) use api::routes;
pub(crate) use model::WARNING;
pub use ops::{Asked, Done, RuleDone, keep, run};
pub use rows::watched;

//! The whole population in columns, and the rules that are asked of it.
//!
//! A [`Census`] holds what households, their members and their income of a year are known to be, each field in one
//! array; a [`Plan`] is the rules of a day, compiled onto these; [`assess`] asks all of a plan of all households, or
//! of some. A census is kept up to date ([`Census::replace`]), cut ([`Census::only`]) and written down
//! ([`Census::write`]). [`indices`] says of them how many are poor and how deeply, and [`predict`] learns of past years how the next
//! one of a household may be.
//!
//! Architecture invariants: pure, no I/O but through the reader or writer that it is handed; it knows no field, code or threshold by name but those that a [`Shape`] or a
//! rule gives it. What is not known is never taken for yes or no. Households are judged one by one: neither their order
//! nor who else is asked about changes an answer. A census that was kept up to date says what one says that is built anew.

mod build;
mod columns;
mod eval;
mod fens;
pub mod indices;
mod live;
pub mod predict;
mod rules;
mod snapshot;

#[cfg(test)]
mod tests;

pub use build::{Builder, Cell, Derived, Earned, Shape, Source, TooMany};
pub use columns::{Census, PerHead};
pub use eval::{Assessment, Judged, Question, assess};
pub use live::{Replaced, Unfit};
pub use rules::{Outcome, Place, Plan, Rule};
pub use snapshot::Unreadable;

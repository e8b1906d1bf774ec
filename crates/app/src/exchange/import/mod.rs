//! Importing spreadsheets: one transaction, every row with its outcome.

mod alike;
mod areas;
mod check;
mod contest;
mod decide;
mod follow;
mod group;
mod members;
mod ops;
mod passes;
mod registers;
mod relied;
mod stage;
mod writes;

pub use ops::{Blank, ImportOptions, OnError, Summary, import};
pub(crate) use writes::Kind;

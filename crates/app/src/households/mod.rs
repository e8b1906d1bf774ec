//! Households, their members and their yearly incomes: the heart of the registry.
//!
//! ```text
//! household 1 ──── * person (with the membership in force, or the last one)
//!     │                └── * earlier memberships
//!     └──── * income (one a year)
//! ```
//!
//! Invariants: a household's number is unique in its county; one ID number is a current member of
//! one household in the whole store (`person_keys`); a household has at most one current head;
//! nothing is ever deleted: who left stays, with how and when.

mod model;
mod ops;
pub(crate) mod sql;

pub(crate) use model::{Derived, HouseholdRow, IdKind, IncomeRow, PersonRow, Serials, merge};
pub use model::{Marks, initials, layouts};
pub use ops::{Dossier, dossier, reseal, watched};

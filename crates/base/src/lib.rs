//! The vocabulary every other crate speaks: ids, money, days, area codes, resident ID numbers,
//! scope and actor.
//!
//! Architecture invariant: no I/O, no async, no clock of its own and no table names. A value of a
//! type here is valid by construction; what comes from outside goes through `parse`.

mod area;
mod clock;
mod day;
mod id;
mod id_number;
mod money;
mod scope;
mod secret;

pub use area::{AreaCode, AreaLevel, BadAreaCode};
pub use clock::{Clock, SystemClock, Timestamp};
pub use day::{BadDay, Day};
pub use id::{HouseholdId, PersonId, Stamp, county_of_birth};
pub use id_number::{BadIdNumber, IdNumber, Sex};
pub use money::{BadMoney, Fen};
pub use scope::{Actor, Scope};
pub use secret::{Masked, mask_bank_card, mask_id_number, mask_phone};

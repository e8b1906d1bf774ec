//! Policy packs: what changes by year and by place, as data with a source for each value.
//!
//! Architecture invariants: pure; no list, threshold, period or role stands in Rust. A pack that
//! does not parse is refused whole, with the file and the reason.

mod classes;
pub mod expr;
mod guarantees;
mod helping;
mod lists;
mod pack;
mod quality;
mod roles;
mod second_factor;
mod villages;

pub use classes::HouseholdClass;
pub use guarantees::{Expression, Guarantee};
pub use helping::{Bond, Helper, Helping, VillageRole};
pub use lists::{CodeList, CodeSet, CodeValue, Unknown};
pub use pack::{Accesses, BadPack, Exchange, Policy, QualityReports, QualityTrend, Security};
pub use quality::{Bounds, Level, Rule};
pub use roles::{Right, Role};
pub use second_factor::{Algorithm, SecondFactor};
pub use villages::{VillageChecklist, VillageGroup, VillageItem};

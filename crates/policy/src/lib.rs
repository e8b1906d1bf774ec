//! Policy packs: what changes by year and by place, as data with a source for each value.
//!
//! Architecture invariants: pure; no list, threshold, period or role stands in Rust. A pack that
//! does not parse is refused whole, with the file and the reason.

mod classes;
mod crosschecks;
pub mod expr;
mod helping;
mod incomes;
mod indices;
mod items;
mod judgements;
mod lists;
mod monitoring;
mod pack;
mod prediction;
mod quality;
mod reading;
mod roles;
mod schema;
mod second_factor;
mod standards;
mod villages;

pub use classes::HouseholdClass;
pub use crosschecks::{Crosscheck, Crosschecks, Finds};
pub use helping::{Bond, Helper, Helping, VillageRole};
pub use incomes::{CostRatio, IncomePart};
pub use indices::{DimensionWeight, Indices};
pub use items::{Item, Items, Standing};
pub use judgements::{
    Assignee, Class, Coverage, Expression, Guarantee, Head, Warning, WarningLevel,
};
pub use lists::{CodeList, CodeSet, CodeValue, Unknown};
pub use monitoring::{IncomeYear, Monitoring};
pub use pack::{Accesses, BadPack, Exchange, Policy, QualityReports, QualityTrend, Security};
pub use prediction::{DatedFact, Prediction, PredictionFeature, Prospect};
pub use quality::{Bounds, Level, Rule};
pub use reading::{Files, area_of_file};
pub use roles::{Right, Role};
pub use schema::schema;
pub use second_factor::{Algorithm, SecondFactor};
pub use standards::{Local, Standard, Value};
pub use villages::{VillageChecklist, VillageGroup, VillageItem};

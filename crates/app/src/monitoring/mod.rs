//! Monitoring: is each household really out of poverty, and if not, what is it that it lacks.
//!
//! The guarantees are of the policy pack; what they are asked of is the census, the population in columns. This
//! slice tells the census which fields there are, fills it from the store and tells people what came out.
//!
//! Invariants: fields are those of the sheets, by their names there; a household is judged by what is known of it
//! alone, and what is not known is never met.

pub(crate) mod api;
mod areas;
mod counties;
mod earned;
mod explain;
mod fields;
mod indices;
mod listing;
mod live;
mod load;
mod model;
mod ops;
mod picture;
pub mod predict;
mod rulebook;
mod statuses;
mod tallies;
mod trajectory;
mod watch;
mod whatif;
mod words;

pub use areas::warm;
pub use explain::{Because, Explanation, Judgement, Looked, explain};
pub use indices::{
    Band, CauseOf, Counted, Flow, IndicesAsked, IndicesOf, IndicesReport, Way, Ways, indices,
};
pub use live::{Live, Proof};
pub use model::{Counts, CoverageCounts, OverallCounts, Summary, in_words};
pub use ops::{Asked, check, run};
pub use trajectory::{ChangeOf, Event, Spell, Trajectory, Wrote, YearOf, trajectory};
pub(crate) use watch::each_warning;
pub use whatif::{Change, Transfer, WhatIf, WhatIfReport, whatif};

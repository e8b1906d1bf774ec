//! Prediction: how likely each household of an area is to stand at or above the line next year, what income it may expect,
//! and how likely those who exited are to fall below it again.
//!
//! ```text
//! homes ─► history (what was known at the end of each year) ─► panel ─► census::predict
//! ```
//!
//! It advises and never decides: nothing of it is stored, and nothing else reads it.
//!
//! Invariants: a year is told by `history` alone, which sees facts dated up to its end and no others. What the registry
//! keeps only as of now (housing, water, schooling, health, ability to work, standing, classes) has no date, would tell a past year of its
//! future, and stays out. A household is asked about in the years at whose end it was registered: before, nobody
//! could have asked, and that it would be registered is itself a piece of its future. Income is the one guarantee with a
//! history; the others have none yet, and the state that is predicted says so.

mod about;
mod csv;
mod history;
mod load;
mod model;
mod ops;
mod shape;
mod told;

pub use daohu_census::predict::TooLittle;
pub use model::{Explained, Line, Predicted, Reason, Report, Silence};
pub use ops::{Asked, Tested, backtest, explain, run};
pub use told::{ToldCohort, ToldGain, ToldMethod, ToldScores};

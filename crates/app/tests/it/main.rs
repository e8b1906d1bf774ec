//! The API from outside, on both engines: `cargo xtask test`, or with `DAOHU_TEST_POSTGRES` set.
//!
//! A test makes its own application for each engine, and clients for the roles that it needs:
//!
//! ```text
//! for engine in Engine::BOTH {
//!     let app = TestApp::new(engine).await;
//!     let clerk = app.client(&["office_clerk@990102"]).await;
//!     clerk.get("/households").send().await.expect(200);
//! }
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows test functions, but not what they call"
)]
#![expect(unreachable_pub, reason = "`pub` says what tests use; outside there is nobody")]

mod accesses;
mod area_change_rules;
mod area_changes;
mod blanks;
mod classes;
mod coverage;
mod crosscheck;
mod earned;
mod exchange;
mod exports;
mod figures;
mod find;
mod grants;
mod harness;
mod history;
mod idempotency;
mod job_list;
mod jobs;
mod journal;
mod live;
mod matrix;
mod monitoring;
mod monitoring_questions;
mod moves;
mod policies;
mod prediction;
mod problems;
mod quality;
mod quality_lists;
mod quality_trend;
mod races;
mod records;
mod register_writes;
mod registers;
mod registry;
mod relocations;
mod rules;
mod runner;
mod second_factor;
mod seed;
mod serving;
mod sessions;
mod sign_in;
mod suspects;
mod trajectory;
mod undo;
mod undo_rules;
mod users;
mod village_checklist;
mod village_figures;
mod warnings;

//! The command from outside, on both engines: what scripts and operators rely on.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy knows test functions, but not what they call"
)]
#![expect(unreachable_pub, reason = "`pub` says what tests use; outside there is nobody")]

mod accesses;
mod backup;
mod checkpoint;
mod config;
mod coverage;
mod crosscheck;
mod harness;
mod import;
mod keys;
mod kill;
mod kill_backup;
mod listen;
mod monitor;
mod parquet;
mod pipe;
mod policy;
mod predict;
mod round_trip;
mod sample;
mod tamper;
mod undo;
mod users;
mod words;

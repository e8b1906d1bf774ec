//! The command from outside, on both engines: what scripts and operators rely on.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy knows test functions, but not what they call"
)]
#![expect(unreachable_pub, reason = "`pub` says what tests use; outside there is nobody")]

mod harness;
mod keys;
mod kill;
mod pipe;
mod round_trip;
mod tamper;

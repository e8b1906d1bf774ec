//! Temporary.
#[path = "it/exchange.rs"]
mod exchange;

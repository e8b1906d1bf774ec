//! The second factor: one-time codes besides the password (RFC 6238), and recovery codes for who has
//! lost what makes them.
//!
//! ```text
//! none ──start──► pending ──confirm, with a code──► active ──remove, reset──► none
//!                                                     │  ▲
//!                                               start └──┘ confirm: another telephone; until then the
//!                                                          old one's codes are asked for
//! ```
//!
//! Invariants: the secret is sealed for its user, recovery codes are stored as keyed hashes, and both
//! are told once; a code is accepted once, and none of an earlier step after it; a wrong one counts as
//! a failed attempt to sign in. All that changes here locks the user first.

pub(super) mod api;
pub(super) mod ops;
pub(super) mod sql;
mod totp;

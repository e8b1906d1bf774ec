//! How far a backup, a restore or a copy is, and whether it is to stop.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::Error;

/// What is being done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for somebody who writes.
    #[default]
    Waiting,
    /// Rows are read and written.
    Rows,
    /// Indexes are made.
    Indexes,
    /// What was stored is read again and compared.
    Comparing,
    /// The chains of the journal are verified.
    Verifying,
}

/// Shared by whoever works and whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    phase: Mutex<Phase>,
    /// Rows of this phase.
    rows: AtomicU64,
    /// Their bytes.
    bytes: AtomicU64,
    /// Set by whoever wants it to stop.
    pub cancelled: AtomicBool,
}

impl Progress {
    /// The phase, with its rows and bytes so far.
    pub fn now(&self) -> (Phase, u64, u64) {
        let phase = *self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        (phase, self.rows.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// An error if somebody asked to stop.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    pub(super) fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
        self.rows.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Counts rows; an error if somebody asked to stop.
    pub(super) fn add(&self, rows: usize, bytes: usize) -> Result<(), Error> {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.check()
    }
}

//! Work that Ctrl-C stops cleanly: nothing of it is stored.

use std::sync::{Arc, atomic::Ordering};

use daohu_app::jobs::Ticket;
use tokio::task::JoinHandle;

/// Ends with the work that it is about.
pub(super) struct Stoppable {
    pub(super) ticket: Ticket,
    stopper: JoinHandle<()>,
}

impl Stoppable {
    /// From now on Ctrl-C asks for a clean stop.
    pub(super) fn begin() -> Self {
        let ticket = Ticket::default();
        let watched = Arc::clone(&ticket.progress);
        let stopper = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                watched.cancelled.store(true, Ordering::Relaxed);
            }
        });
        Self { ticket, stopper }
    }
}

impl Drop for Stoppable {
    fn drop(&mut self) {
        self.stopper.abort();
    }
}

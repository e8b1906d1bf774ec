//! Work that Ctrl-C stops cleanly: nothing of it is stored.

use std::sync::{Arc, atomic::Ordering};

use daohu_app::jobs::Ticket;
use tokio::task::JoinHandle;

/// Does something on Ctrl-C, until it is aborted.
pub(super) fn on_ctrl_c(act: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            act();
        }
    })
}

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
        let stopper = on_ctrl_c(move || watched.cancelled.store(true, Ordering::Relaxed));
        Self { ticket, stopper }
    }
}

impl Drop for Stoppable {
    fn drop(&mut self) {
        self.stopper.abort();
    }
}

//! A server that runs beside the task.

use std::{
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

/// The longest that an orderly stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// The process of a server; dropping it stops it, orderly if it can be.
pub(crate) struct Service(Child);

impl Service {
    /// Takes charge of a process.
    pub(crate) fn new(child: Child) -> Self {
        Self(child)
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.0.id().to_string()).status().context("kill")?;
        let start = Instant::now();
        while self.0.try_wait()?.is_none() {
            ensure!(start.elapsed() < STOP_LIMIT, "the server does not stop: it is killed");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error:#}");
            // Already gone, perhaps.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

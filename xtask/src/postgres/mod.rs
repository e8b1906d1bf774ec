//! Throw-away PostgreSQL servers: started for a run, gone after it.

mod binaries;
mod cluster;

use std::ffi::OsString;

use crate::{Workspace, command::Signals};

pub(crate) use cluster::Cluster;

/// Names the server on which tests create their schemas.
pub(crate) const VARIABLE: &str = "DAOHU_TEST_POSTGRES";

/// `cargo xtask postgres`: a server until Ctrl-C.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    anyhow::ensure!(args.is_empty(), "it takes no arguments");
    let signals = Signals::catch()?;
    let mut cluster = Cluster::start(workspace)?;
    println!("export {VARIABLE}={}", cluster.url());
    eprintln!("{} runs until Ctrl-C; its data go with it.", cluster.version());
    signals.wait_for_any(cluster.process())
}

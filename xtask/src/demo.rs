//! `cargo xtask demo`: the product with a sample county, in one command.

use std::{ffi::OsString, os::unix::process::CommandExt};

use crate::{Workspace, command::cargo};

/// Builds with optimisation and hands over to `daohu demo`.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let mut demo = cargo(workspace, ["run", "--release", "--bin", "daohu", "--", "demo"]);
    // Its data folder belongs where the user is, not where the source is.
    demo.current_dir(std::env::current_dir()?).args(args);
    Err(demo.exec().into())
}

//! `cargo xtask torture`: `kill -9`, two hundred times during imports, a hundred times under a write load over
//! HTTP, and a hundred times during backups, restores and copies each, on both engines. The tests are those of
//! `cargo xtask test`, with more kills.

use std::ffi::OsString;

use crate::{
    Workspace,
    command::{cargo, succeed},
    postgres::{Cluster, VARIABLE},
};

/// The variables that the tests read, and how often they kill.
const KILLS: [(&str, &str); 3] =
    [("DAOHU_IMPORT_KILLS", "200"), ("DAOHU_SERVER_KILLS", "100"), ("DAOHU_BACKUP_KILLS", "100")];

/// Runs the kill tests; a variable that is set already is left as it is.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let cluster = match std::env::var_os(VARIABLE) {
        Some(_) => None,
        None => Some(Cluster::start(workspace)?),
    };
    let mut command = cargo(workspace, ["test", "--release", "-p", "daohu", "--test", "cli"]);
    command.args(["--", "kill", "--nocapture"]).args(args);
    for (variable, kills) in KILLS {
        if std::env::var_os(variable).is_none() {
            command.env(variable, kills);
        }
    }
    if let Some(cluster) = &cluster {
        command.env(VARIABLE, cluster.url());
    }
    succeed(&mut command)
}

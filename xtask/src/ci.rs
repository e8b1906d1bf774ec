//! `cargo xtask ci`: all that must pass before a merge, the quick things first.

use std::{ffi::OsString, time::Instant};

use crate::{
    Workspace,
    command::{cargo, is_there, succeed},
    notices, openapi, test, tidy,
};

/// A step: its name and what it does.
type Step = (&'static str, fn(&Workspace) -> anyhow::Result<()>);

const STEPS: [Step; 9] = [
    ("fmt", |workspace| succeed(&mut cargo(workspace, ["fmt", "--all", "--check"]))),
    ("tidy", |workspace| tidy::run(workspace, Vec::new())),
    ("deny", deny),
    ("notices", |workspace| notices::run(workspace, vec!["--check".into()])),
    ("clippy", |workspace| {
        let args = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        succeed(&mut cargo(workspace, args))
    }),
    ("doc", |workspace| {
        let mut doc = cargo(workspace, ["doc", "--workspace", "--no-deps"]);
        succeed(doc.env("RUSTDOCFLAGS", "-D warnings"))
    }),
    ("openapi", |workspace| openapi::run(workspace, vec!["--check".into()])),
    ("schema", |workspace| openapi::schema(workspace, vec!["--check".into()])),
    ("test", |workspace| test::run(workspace, Vec::new())),
];

/// Runs the steps and stops at the first that fails.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    anyhow::ensure!(args.is_empty(), "it takes no arguments");
    for (name, step) in STEPS {
        let start = Instant::now();
        eprintln!("── {name}");
        step(workspace).map_err(|error| error.context(name))?;
        eprintln!("── {name}: done in {} s", start.elapsed().as_secs());
    }
    // Last, where it is read: all is well but for what nobody looked at.
    if !is_there(&mut cargo(workspace, ["deny"])) {
        eprintln!("── {NOT_CHECKED}");
    }
    Ok(())
}

const NOT_CHECKED: &str = "warning: licences, bans and sources were NOT checked: cargo-deny is not \
                           installed (cargo install cargo-deny --locked)";

fn deny(workspace: &Workspace) -> anyhow::Result<()> {
    if !is_there(&mut cargo(workspace, ["deny"])) {
        eprintln!("{NOT_CHECKED}");
        return Ok(());
    }
    let checks = ["deny", "--offline", "check", "licenses", "bans", "sources"];
    succeed(&mut cargo(workspace, checks))
}

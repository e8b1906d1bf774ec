//! The repository's own commands: `cargo xtask NAME`.
//!
//! Architecture invariant: depends on no crate of the product. What it needs from the product it
//! gets by running the `daohu` command.

mod bench;
mod ci;
mod client;
mod command;
mod deb;
mod demo;
mod notices;
mod openapi;
mod postgres;
mod published;
mod schemathesis;
mod service;
mod test;
mod tidy;
mod torture;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// One command: its name, what it does, and the code behind it.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, Vec<OsString>) -> anyhow::Result<()>,
}

const TASKS: [Task; 13] = [
    Task { name: "test", about: "run every test, on SQLite and PostgreSQL", run: test::run },
    Task { name: "demo", about: "build Daohu and show it with a sample county", run: demo::run },
    Task { name: "tidy", about: "check the house rules of the source text", run: tidy::run },
    Task { name: "openapi", about: "write api/openapi.json (--check: compare)", run: openapi::run },
    Task {
        name: "schema",
        about: "write policies/pack.schema.json (--check: compare)",
        run: openapi::schema,
    },
    Task {
        name: "notices",
        about: "write THIRD-PARTY.md: licences of what is built in (--check: compare)",
        run: notices::run,
    },
    Task { name: "deb", about: "the package for Debian (--help)", run: deb::run },
    Task { name: "postgres", about: "a throw-away server for your own tests", run: postgres::run },
    Task {
        name: "schemathesis",
        about: "made-up requests against the interface's description",
        run: schemathesis::run,
    },
    Task {
        name: "published",
        about: "inequality against published figures, prediction on a public panel",
        run: published::run,
    },
    Task { name: "torture", about: "kill -9, hundreds of times", run: torture::run },
    Task { name: "bench", about: "speed and memory beside yardsticks (--help)", run: bench::run },
    Task { name: "ci", about: "everything that must pass before a merge", run: ci::run },
];

/// Where the source and the build products are.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Found through the variables that cargo sets.
    fn find() -> anyhow::Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = match manifest.as_deref().and_then(Path::parent) {
            Some(root) => root.to_owned(),
            None => std::env::current_dir()?,
        };
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) => std::path::absolute(target)?,
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let name = args.next().unwrap_or_default();
    let Some(task) = TASKS.iter().find(|task| name == task.name) else {
        return usage(&name);
    };
    let result = Workspace::find().and_then(|workspace| (task.run)(&workspace, args.collect()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {}: {error:#}", task.name);
            ExitCode::FAILURE
        }
    }
}

fn usage(name: &OsString) -> ExitCode {
    if !name.is_empty() {
        eprintln!("there is no command {name:?}");
    }
    eprintln!("cargo xtask COMMAND");
    for task in &TASKS {
        eprintln!("  {:12} {}", task.name, task.about);
    }
    ExitCode::from(2)
}

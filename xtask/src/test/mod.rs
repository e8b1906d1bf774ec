//! `cargo xtask test`: every test of the workspace, on both engines.

mod totals;

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, IsTerminal, Read, Write},
    process::{Command, Stdio},
    thread::{self, JoinHandle},
    time::Instant,
};

use crate::{
    Workspace,
    command::{Signals, cargo, check, is_there, succeed},
    postgres::{Cluster, VARIABLE},
};
use totals::{Runner, Totals};

/// Builds, starts a server where none is named, runs, and says how it went. Arguments go to the
/// test runner.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let start = Instant::now();
    let signals = Signals::catch()?;
    let whole = !args.iter().any(names_package);
    if whole {
        // With the tests' own features, so that the runner below builds nothing a second time;
        // tests may start the `daohu` command that this leaves in the target folder.
        succeed(&mut cargo(workspace, ["build", "--workspace", "--lib", "--bins", "--tests"]))?;
    }

    // Dropped, and so stopped, however this function ends.
    let cluster = match std::env::var_os(VARIABLE) {
        Some(_) => None,
        None => Some(Cluster::start(workspace)?),
    };
    let mut runs = vec![tests(workspace, whole, &args)];
    if args.is_empty() {
        let examples = cargo(workspace, ["test", "--workspace", "--doc"]);
        runs.push((Runner::Cargo, examples));
    }
    let mut totals = Totals::default();
    let mut result = Ok(());
    for (runner, mut command) in runs {
        if let Some(cluster) = &cluster {
            command.env(VARIABLE, cluster.url());
        }
        let done = observe(&signals, runner, &mut command, &mut totals);
        result = result.and(done);
    }
    let server = cluster.as_ref().map_or("the PostgreSQL server named", Cluster::version);
    let seconds = start.elapsed().as_secs();
    println!("\nTests: {totals}, on SQLite and {server}, in {seconds} s.");
    result
}

/// The quicker runner where it is installed.
fn tests(workspace: &Workspace, whole: bool, args: &[OsString]) -> (Runner, Command) {
    let (runner, mut command) = if is_there(&mut cargo(workspace, ["nextest"])) {
        (Runner::Nextest, cargo(workspace, ["nextest", "run", "--no-fail-fast"]))
    } else {
        let kinds = ["test", "--lib", "--bins", "--tests", "--no-fail-fast"];
        (Runner::Cargo, cargo(workspace, kinds))
    };
    if whole {
        command.arg("--workspace");
    }
    command.args(args);
    (runner, command)
}

/// True for `-p NAME` and its like: the run is about a part.
fn names_package(arg: &OsString) -> bool {
    arg.to_str().is_some_and(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
}

/// Runs the command, passes its output on and counts in it.
fn observe(
    signals: &Signals,
    runner: Runner,
    command: &mut Command,
    totals: &mut Totals,
) -> anyhow::Result<()> {
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let readers = [
        child.stdout.take().map(|pipe| pass_on(runner, pipe, std::io::stdout())),
        child.stderr.take().map(|pipe| pass_on(runner, pipe, std::io::stderr())),
    ];
    let status = signals.wait(&mut child);
    for reader in readers.into_iter().flatten() {
        // A reader that failed has counted nothing.
        *totals += reader.join().unwrap_or_default();
    }
    check(command, status?)
}

fn pass_on(
    runner: Runner,
    pipe: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
) -> JoinHandle<Totals> {
    thread::spawn(move || {
        let mut totals = Totals::default();
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            totals.read(runner, &String::from_utf8_lossy(&line));
            // Nobody reads on: the tests still run to their end.
            let _ = to.write_all(&line).and_then(|()| to.flush());
            line.clear();
        }
        totals
    })
}

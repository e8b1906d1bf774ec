//! Running other programs.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::Workspace;

/// How often a running program and the signals are looked at.
const POLL: Duration = Duration::from_millis(50);

/// What `cargo run` told this process about its own package. Build scripts that watch these (ring's
/// does) would run again, and all that depends on them be built again, whenever a build from here
/// follows one from a shell.
const OWN_PACKAGE: [&str; 5] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];

/// `cargo` in the root of the workspace, as if called from a shell.
pub(crate) fn cargo<S: AsRef<OsStr>>(
    workspace: &Workspace,
    args: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let is_own = |name: &str| OWN_PACKAGE.iter().any(|prefix| name.starts_with(prefix));
        if name.to_str().is_some_and(is_own) {
            command.env_remove(name);
        }
    }
    command.current_dir(&workspace.root).args(args);
    command
}

/// Runs to the end; a program that fails is an error.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    check(command, status)
}

/// Runs to the end and returns what it printed; a program that fails is an error.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    command.stderr(std::process::Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start {}", shown(command)))?;
    check(command, output.status)?;
    Ok(output.stdout)
}

/// An error that names the command, unless the status is a success.
pub(crate) fn check(command: &Command, status: ExitStatus) -> anyhow::Result<()> {
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// True if the program answers to `--version`.
pub(crate) fn is_there(command: &mut Command) -> bool {
    let silent = command.arg("--version").stdout(std::process::Stdio::null());
    silent.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Ctrl-C and termination, caught so that what was started is stopped and cleared away.
pub(crate) struct Signals {
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// From here on, signals no longer end this process by themselves.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let (interrupted, terminated) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        signal_hook::flag::register(SIGINT, Arc::clone(&interrupted))?;
        signal_hook::flag::register(SIGTERM, Arc::clone(&terminated))?;
        Ok(Self { interrupted, terminated })
    }

    /// Waits for the program. A terminal sends Ctrl-C to it as well; termination is passed on.
    pub(crate) fn wait(&self, child: &mut Child) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                if self.seen() {
                    bail!("interrupted");
                }
                return Ok(status);
            }
            if self.terminated.swap(false, Ordering::Relaxed) {
                Command::new("kill").arg(child.id().to_string()).status()?;
                self.interrupted.store(true, Ordering::Relaxed);
            }
            thread::sleep(POLL);
        }
    }

    /// Waits for a signal, or for the program to end by itself.
    pub(crate) fn wait_for_any(&self, child: &mut Child) -> anyhow::Result<()> {
        while !self.seen() {
            if let Some(status) = child.try_wait()? {
                bail!("the server ended by itself ({status})");
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn seen(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.terminated.load(Ordering::Relaxed)
    }
}

/// The programs of a virtual environment that holds these packages of PyPI and no other versions of them; it is made if it is
/// not there.
pub(crate) fn python_with(venv: &Path, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let (programs, stamp) = (venv.join("bin"), venv.join("packages"));
    let wanted = packages.join(" ");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(programs);
    }
    ensure!(is_there(&mut Command::new("python3")), "it needs python3 with venv");
    succeed(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    succeed(Command::new(programs.join("pip")).args(["install", "--quiet"]).args(packages))?;
    fs::write(stamp, wanted)?;
    Ok(programs)
}

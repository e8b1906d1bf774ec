//! One PostgreSQL server in a folder of its own.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::binaries::{find_or_install, is_root, stand_in};
use crate::{
    Workspace,
    command::{check, output},
};

/// How the folders are called: this and the number of the process that made them.
const PREFIX: &str = "pg-";

/// The longest that a start may take.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Nothing in it outlives the run, so nothing need reach the disk; and nothing works behind the back of
/// what is tested or measured.
const SETTINGS: [&str; 7] = [
    "autovacuum=off",
    "max_connections=200",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "timezone=UTC",
    "max_locks_per_transaction=256",
];

/// A running server; dropping it stops it and removes its data.
pub(crate) struct Cluster {
    place: Place,
    process: Child,
    port: u16,
    version: String,
}

/// Where a server lives and as whom.
struct Place {
    binaries: PathBuf,
    /// Root starts the server as someone else.
    owner: Option<(u32, u32)>,
    folder: PathBuf,
    /// A socket's path may have 107 characters: it gets a short folder of its own.
    sockets: PathBuf,
}

impl Cluster {
    /// Creates and starts a server, and clears away what killed runs left behind.
    pub(crate) fn start(workspace: &Workspace) -> anyhow::Result<Self> {
        let place = Place::new(workspace)?;
        let version = place.version()?;
        place.init()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = place.launch(port)?;
        let mut cluster = Self { place, process, port, version };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// How clients reach it.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// How clients reach one of its databases.
    pub(crate) fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The shell `psql` in one of its databases, as whoever calls; the one that came with the server
    /// goes before the one on the path.
    pub(crate) fn psql(&self, database: &str) -> Command {
        let packaged = self.place.binaries.join("psql");
        let mut psql = Command::new(if packaged.is_file() { packaged } else { "psql".into() });
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]).arg(self.url_of(database));
        psql
    }

    /// `PostgreSQL 15.9`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The server's process.
    pub(crate) fn process(&mut self) -> &mut Child {
        &mut self.process
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while !self.place.is_ready() {
            let ended = self.process.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.place.log()).unwrap_or_default();
                bail!("PostgreSQL did not start:\n{log}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.place.stop();
        // Already gone, unless pg_ctl could not do it.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.place.remove();
    }
}

impl Place {
    fn new(workspace: &Workspace) -> anyhow::Result<Self> {
        let binaries = find_or_install()?;
        let owner = if is_root()? { Some(stand_in()?) } else { None };
        let parent = match owner {
            Some(_) if !is_open_to_others(&workspace.target) => std::env::temp_dir(),
            _ => workspace.target.clone(),
        };
        let name = format!("{PREFIX}{}", std::process::id());
        let sockets = |name: &str| std::env::temp_dir().join(format!("daohu-{name}"));
        let at = |name: &str| Self {
            binaries: binaries.clone(),
            owner,
            folder: parent.join(name),
            sockets: sockets(name),
        };
        abandoned(&parent).iter().for_each(|name| {
            let place = at(name);
            place.stop();
            place.remove();
        });
        Ok(at(&name))
    }

    fn init(&self) -> anyhow::Result<()> {
        for folder in [&self.folder, &self.sockets] {
            fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
            if let Some((user, group)) = self.owner {
                chown(folder, Some(user), Some(group))?;
            }
        }
        let mut initdb = self.program("initdb");
        initdb.args(["-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8", "--no-sync"]);
        output(initdb.arg("-D").arg(self.data())).map(drop)
    }

    fn launch(&self, port: u16) -> anyhow::Result<Child> {
        let log = fs::File::create(self.log())?;
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(self.data()).arg("-k").arg(&self.sockets);
        postgres.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        postgres.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        postgres.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // A Ctrl-C is for this process, which then stops the server in order.
        Ok(postgres.process_group(0).spawn()?)
    }

    /// The server writes its state into the eighth line of this file.
    fn is_ready(&self) -> bool {
        let state = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        state.lines().nth(7).is_some_and(|line| line.trim() == "ready")
    }

    fn stop(&self) {
        if self.data().join("postmaster.pid").exists() {
            let mut stop = self.program("pg_ctl");
            stop.args(["stop", "-s", "-m", "immediate", "-D"]).arg(self.data());
            let status = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
            if let Err(error) = status.map_err(Into::into).and_then(|status| check(&stop, status)) {
                eprintln!("{error:#}");
            }
        }
    }

    fn remove(&self) {
        for folder in [&self.folder, &self.sockets] {
            if let Err(error) = fs::remove_dir_all(folder)
                && folder.exists()
            {
                eprintln!("{} stays behind: {error}", folder.display());
            }
        }
    }

    fn version(&self) -> anyhow::Result<String> {
        let mut postgres = Command::new(self.binaries.join("postgres"));
        let printed = String::from_utf8(output(postgres.arg("--version"))?)?;
        let number = printed.split_whitespace().nth(2).unwrap_or("of unknown version");
        Ok(format!("PostgreSQL {number}"))
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        // Not where we are: the owner may not be let in there.
        command.current_dir(&self.folder);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// True if a user who owns nothing here can reach the folder.
fn is_open_to_others(folder: &Path) -> bool {
    const OTHERS_ENTER: u32 = 0o001;
    let enters = |folder: &Path| {
        fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & OTHERS_ENTER != 0)
    };
    folder.ancestors().all(enters)
}

/// Folders of runs that no longer run.
fn abandoned(parent: &Path) -> Vec<String> {
    let entries = parent.read_dir().into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.strip_prefix(PREFIX).is_some_and(is_dead)).collect()
}

fn is_dead(process: &str) -> bool {
    if process.parse::<u32>().is_err() {
        return false;
    }
    let mut ps = Command::new("ps");
    let status = ps.args(["-p", process]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    // Without `ps` nothing is known, and nothing is cleared away.
    status.is_ok_and(|status| !status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_dead_processes_are_abandoned() {
        let parent = std::env::temp_dir().join(format!("daohu-abandoned-{}", std::process::id()));
        let mine = format!("{PREFIX}{}", std::process::id());
        // No system hands out a process number as large as the second.
        for name in [mine.as_str(), "pg-4294967295", "pg-notes", "debug"] {
            fs::create_dir_all(parent.join(name)).unwrap();
        }
        assert_eq!(abandoned(&parent), ["pg-4294967295"]);
        fs::remove_dir_all(&parent).unwrap();
    }
}

//! Databases on both engines, as their own shells see them.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};

use crate::{
    command::{check, is_there},
    postgres::Cluster,
};

/// Tables with their indexes, without what every new database has.
const POSTGRES_SIZE: &str = "select cast(sum(pg_total_relation_size(oid)) as bigint) from pg_class
    where relkind = 'r' and relnamespace not in
    (select oid from pg_namespace where nspname like 'pg\\_%' or nspname = 'information_schema');";

/// What stores the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// An engine that is ready for databases.
pub(super) enum Store {
    /// Files, each in a folder of its own below this one.
    Sqlite(PathBuf),
    /// A server, and where the key files are.
    Postgres(Box<Cluster>, PathBuf),
}

/// One database; it need not exist.
pub(super) struct Database<'s> {
    store: &'s Store,
    name: String,
}

impl Store {
    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(..) => Engine::Postgres,
        }
    }

    /// An error that says what to install, unless the engine's shell is there.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(_) => ensure!(
                is_there(&mut Command::new("sqlite3")),
                "the yardsticks need the shell `sqlite3`: `apt-get install sqlite3` (Debian, \
                 Ubuntu), `dnf install sqlite` (Fedora), `brew install sqlite` (macOS)"
            ),
            Self::Postgres(cluster, _) => ensure!(
                is_there(&mut cluster.psql("postgres")),
                "the yardsticks need the shell `psql`: `apt-get install postgresql-client` \
                 (Debian, Ubuntu), `dnf install postgresql` (Fedora)"
            ),
        }
        Ok(())
    }

    /// The database of this name, wherever it would be.
    pub(super) fn named(&self, name: &str) -> Database<'_> {
        Database { store: self, name: name.to_owned() }
    }

    /// An empty database; an earlier one of this name is gone.
    pub(super) fn fresh(&self, name: &str) -> anyhow::Result<Database<'_>> {
        let database = self.named(name);
        database.remove()?;
        match self {
            // The file itself is made by whoever opens it first.
            Self::Sqlite(_) => fs::create_dir_all(database.folder())?,
            Self::Postgres(cluster, _) => {
                run(cluster.psql("postgres"), &format!("create database \"{name}\";"))?;
            }
        }
        Ok(database)
    }
}

impl Database<'_> {
    pub(super) fn exists(&self) -> anyhow::Result<bool> {
        match self.store {
            Store::Sqlite(_) => Ok(self.file().exists()),
            Store::Postgres(cluster, _) => {
                let ask = "select 1 from pg_database where datname =";
                let found = run(cluster.psql("postgres"), &format!("{ask} '{}';", self.name))?;
                Ok(!found.trim().is_empty())
            }
        }
    }

    pub(super) fn remove(&self) -> anyhow::Result<()> {
        match self.store {
            Store::Sqlite(_) => match self.folder().exists() {
                true => Ok(fs::remove_dir_all(self.folder())?),
                false => Ok(()),
            },
            Store::Postgres(cluster, _) => {
                if self.keys().exists() {
                    fs::remove_file(self.keys())?;
                }
                let drop = format!(
                    "set client_min_messages = error; drop database if exists \"{}\";",
                    self.name
                );
                run(cluster.psql("postgres"), &drop).map(std::mem::drop)
            }
        }
    }

    /// The same database under another name, which is taken from any other.
    pub(super) fn renamed(self, name: &str) -> anyhow::Result<Self> {
        let other = Self { store: self.store, name: name.to_owned() };
        other.remove()?;
        match self.store {
            Store::Sqlite(_) => fs::rename(self.folder(), other.folder())?,
            Store::Postgres(cluster, _) => {
                let rename = format!("alter database \"{}\" rename to \"{name}\";", self.name);
                run(cluster.psql("postgres"), &rename)?;
                fs::rename(self.keys(), other.keys())?;
            }
        }
        Ok(other)
    }

    /// How the product is told of it.
    pub(super) fn url(&self) -> String {
        match self.store {
            Store::Sqlite(_) => format!("sqlite:{}", self.file().display()),
            Store::Postgres(cluster, _) => cluster.url_of(&self.name),
        }
    }

    /// Where the product keeps its keys.
    pub(super) fn keys(&self) -> PathBuf {
        match self.store {
            Store::Sqlite(_) => self.folder().join("keys"),
            Store::Postgres(_, folder) => folder.join(format!("{}.keys", self.name)),
        }
    }

    /// What it takes on the disk.
    pub(super) fn bytes(&self) -> anyhow::Result<u64> {
        match self.store {
            Store::Sqlite(_) => {
                // The log beside the file may hold what has not been folded into it.
                let mut log = self.file().into_os_string();
                log.push("-wal");
                let log = fs::metadata(log).map_or(0, |log| log.len());
                Ok(fs::metadata(self.file())?.len() + log)
            }
            Store::Postgres(..) => {
                let size = self.run(POSTGRES_SIZE, Path::new("."))?;
                size.trim().parse().with_context(|| format!("psql printed {size:?}"))
            }
        }
    }

    /// Copies what is on the disk; seconds, or none of a server's database.
    pub(super) fn copy_to(&self, file: &Path) -> anyhow::Result<Option<f64>> {
        match self.store {
            Store::Sqlite(_) => {
                let start = Instant::now();
                fs::copy(self.file(), file)?;
                fs::File::open(file)?.sync_all()?;
                Ok(Some(start.elapsed().as_secs_f64()))
            }
            Store::Postgres(..) => Ok(None),
        }
    }

    /// What the journal takes of it, with its indexes.
    pub(super) fn journal_bytes(&self) -> anyhow::Result<u64> {
        let ask = match self.store {
            Store::Sqlite(_) => {
                "select sum(pgsize) from dbstat where name in
                 (select name from sqlite_master where tbl_name like 'journal%');"
            }
            Store::Postgres(..) => {
                "select cast(sum(pg_total_relation_size(oid)) as bigint) from pg_class
                 where relkind = 'r' and relname like 'journal%';"
            }
        };
        let size = self.run(ask, Path::new("."))?;
        size.trim().parse().with_context(|| format!("the shell printed {size:?}"))
    }

    /// Runs a script of the engine's shell in a folder; what it printed.
    pub(super) fn run(&self, script: &str, folder: &Path) -> anyhow::Result<String> {
        let mut shell = match self.store {
            Store::Sqlite(_) => {
                let mut shell = Command::new("sqlite3");
                shell.args(["-batch", "-bail"]).arg(self.file());
                shell
            }
            Store::Postgres(cluster, _) => cluster.psql(&self.name),
        };
        shell.current_dir(folder);
        run(shell, script)
    }

    fn folder(&self) -> PathBuf {
        match self.store {
            Store::Sqlite(folder) | Store::Postgres(_, folder) => folder.join(&self.name),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder().join("registry.db")
    }
}

/// Gives the script to the shell and returns what it printed.
fn run(mut shell: Command, script: &str) -> anyhow::Result<String> {
    shell.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().with_context(|| format!("cannot start {shell:?}"))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(script.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    check(&shell, output.status)?;
    Ok(String::from_utf8(output.stdout)?)
}

//! Running the command against a database of a test's own.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use daohu_db::{DbUrl, Engine, testing::Scratch};
use serde_json::Value;

/// A database, its key file, and a folder.
pub struct Place {
    scratch: Scratch,
    folder: tempfile::TempDir,
    pub db: String,
    pub keys: PathBuf,
}

impl Place {
    pub async fn new(engine: Engine) -> Self {
        let scratch = Scratch::new(engine).await;
        // The scratch's Display hides the password: spell the address out.
        let db = match &scratch.url {
            DbUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DbUrl::Postgres(url) => url.clone(),
        };
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        Self { scratch, folder, db, keys }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The command, with the database and the keys in its environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daohu"));
        command
            .args(args)
            .env("DAOHU_DB", &self.db)
            .env("DAOHU_KEYS", &self.keys)
            .env("DAOHU_FILES", self.folder().join("files"))
            .env("RUST_LOG", "error")
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run(&self, args: &[&str]) -> Run {
        Run(self.command(args).output().unwrap())
    }

    /// Starts and leaves it running, its output thrown away.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// A small sample county in a folder of this place.
    pub fn sample(&self, households: u32) -> String {
        let out = self.folder().join("sample").display().to_string();
        let households = households.to_string();
        self.run(&["sample", "--county", "500242", "--households", &households, "--out", &out])
            .expect(0);
        out
    }

    /// Runs SQL behind the program's back.
    pub async fn sql(&self, statement: &'static str) {
        use daohu_db::FutureExt;
        let db = self.scratch.open().await;
        let run =
            db.write(move |tx| async move { tx.execute(statement, &[]).await.map(drop) }.boxed());
        run.await.unwrap();
    }
}

/// What a run gave.
pub struct Run(Output);

impl Run {
    /// Checks the exit code; shows everything where it differs.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        let (out, err) = (&self.0.stdout, &self.0.stderr);
        let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
        assert_eq!(self.0.status.code(), Some(code), "{out}\n{err}");
        self
    }

    /// The JSON line on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

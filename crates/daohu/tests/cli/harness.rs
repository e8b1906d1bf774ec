//! Running the command against a database of a test's own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use daohu_db::{DbUrl, Engine, FutureExt, Row, testing::Scratch};
use serde_json::{Value, json};

/// The password of users that tests add.
pub const PASSWORD: &str = "Mountain-2016-road";

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

    /// An empty one, opened with the keys of another.
    pub async fn with_keys_of(engine: Engine, other: &Self) -> Self {
        Self { keys: other.keys.clone(), ..Self::new(engine).await }
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

    /// A user with [`PASSWORD`].
    pub fn add_user(&self, name: &str, role: &[&str]) {
        let args = ["user", "add", "--name", name, "--password-stdin"];
        let mut child = self.command(&args).args(role).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, PASSWORD.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    /// The first row of a query.
    pub async fn row(&self, query: &'static str) -> Row {
        let db = self.scratch.open().await;
        let run = db.read(move |tx| async move { tx.query_one(query, &[]).await }.boxed());
        run.await.unwrap()
    }

    /// Runs SQL behind the program's back.
    pub async fn sql(&self, statement: &'static str) {
        let db = self.scratch.open().await;
        let run =
            db.write(move |tx| async move { tx.execute(statement, &[]).await.map(drop) }.boxed());
        run.await.unwrap();
    }
}

/// A server of a test's own.
pub struct Server {
    pub child: Child,
    pub base: String,
}

impl Server {
    /// One that holds nobody to a second factor.
    pub fn start(place: &Place) -> Self {
        Self::start_with(place, &["--second-factor", "offered"])
    }

    pub fn start_with(place: &Place, args: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let child = place.start(&[&["serve", "--listen", &listen], args].concat());
        let base = format!("http://{listen}");
        let deadline = Instant::now() + Duration::from_secs(30);
        while ureq::get(format!("{base}/readyz")).call().is_err() {
            assert!(Instant::now() < deadline, "the server does not come up");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, base }
    }

    /// Signs in; gives the cookie.
    pub fn sign_in(&self, name: &str) -> String {
        let body = json!({ "name": name, "password": PASSWORD });
        let answer = ureq::post(format!("{}/api/v1/session", self.base)).send_json(body).unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// What an attempt to sign in with a code is answered.
    pub fn try_code(&self, name: &str, code: &str) -> Value {
        let body = json!({ "name": name, "password": PASSWORD, "code": code });
        let call = ureq::post(format!("{}/api/v1/session", self.base));
        let call = call.config().http_status_as_error(false).build();
        call.send_json(body).unwrap().body_mut().read_json().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that a test killed is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a run gave.
pub struct Run(Output);

impl Run {
    pub fn of(output: Output) -> Self {
        Self(output)
    }

    pub fn has_code(&self, code: i32) -> bool {
        self.0.status.code() == Some(code)
    }

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

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

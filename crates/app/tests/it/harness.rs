//! An application of a test's own, and clients for it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request},
};
use daohu_app::{
    Context,
    accounts::{self, Cost, NewGrant, NewUser, Passwords, User},
    http::{self, App, Enforcement, HttpConfig},
    jobs::Jobs,
    journal::{Act, Entry},
    keys::Keys,
    schema::MIGRATIONS,
};
use daohu_base::{Actor, AreaCode, Clock, Masked, Timestamp};
use daohu_db::{Engine, Error, FutureExt, Row, Tx, testing::Scratch};
use daohu_policy::Policy;
use serde_json::Value;
use tower::ServiceExt;

/// The password of users that tests make.
pub const PASSWORD: &str = "Harvest-2020";
/// 2020-11-22 09:00 in China.
const START: Timestamp = Timestamp(1_606_006_800_000);
/// Where requests come from unless a client says otherwise.
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A clock that goes when it is told to.
pub struct FakeClock(AtomicI64);

/// What is logged on a test's own thread, while this lives.
pub struct Log {
    lines: Lines,
    _guards: (tracing::Dispatch, tracing::subscriber::DefaultGuard),
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

/// An application over an empty database.
pub struct TestApp {
    pub context: Context,
    pub clock: Arc<FakeClock>,
    pub state: App,
    pub jobs: Jobs,
    /// Where the files of jobs are.
    pub files: PathBuf,
    router: Router,
    users: AtomicI64,
    addresses: AtomicU32,
    _places: (Scratch, tempfile::TempDir),
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Client {
    router: Router,
    pub cookie: Option<String>,
    pub address: IpAddr,
    /// The signed-in user.
    pub user: Option<User>,
}

/// A request to be sent.
pub struct Call {
    client: Client,
    request: axum::http::request::Builder,
    body: Body,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// Empty if the body is no text.
    pub text: String,
    /// Null if the body is not JSON.
    pub json: Value,
}

impl FakeClock {
    pub fn advance_minutes(&self, minutes: i64) {
        self.advance_seconds(minutes * 60);
    }

    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

impl Log {
    pub fn of_this_thread() -> Self {
        let lines = Lines::default();
        let (kept, writer) = (lines.clone(), move || lines.clone());
        // With one subscriber alone, tracing asks only that of the thread that logs first, and the
        // other tests' threads have none.
        let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        let subscriber = tracing_subscriber::fmt().json().with_writer(writer).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        Self { lines: kept, _guards: (second, guard) }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Over plain HTTP, and nobody is held to a second factor: those who sign in here have none, unless
/// their test gives them one.
pub fn config() -> HttpConfig {
    let second_factor = Enforcement::Offered;
    HttpConfig { secure_cookies: false, second_factor, ..HttpConfig::default() }
}

impl TestApp {
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, config()).await
    }

    pub async fn with(engine: Engine, config: HttpConfig) -> Self {
        Self::governed(engine, config, Policy::embedded().unwrap()).await
    }

    /// Under a policy of the test's own.
    pub async fn governed(engine: Engine, config: HttpConfig, policy: Policy) -> Self {
        let (scratch, db) = Scratch::migrated(engine, &MIGRATIONS).await;
        let clock = Arc::new(FakeClock(AtomicI64::new(START.0)));
        let context = Context::new(
            db,
            Arc::new(policy),
            (
                Arc::new(Keys::generate().unwrap()),
                Passwords::new(Cost { memory_kib: 8, passes: 1, at_once: 2 }).unwrap(),
            ),
            clock.clone(),
        );
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        let jobs = Jobs::new(context.clone(), files.clone()).unwrap();
        let state = App::new(context.clone(), jobs.clone(), config);
        let router = http::router(state.clone());
        let (users, addresses) = Default::default();
        let places = (scratch, folder);
        Self { context, clock, state, jobs, files, router, users, addresses, _places: places }
    }

    /// The act of whoever sets the test up.
    pub fn act(&self) -> Act {
        Act::new(Actor::command("test"), &*self.clock, "command")
    }

    /// A user with [`PASSWORD`] and grants like `office_clerk@990102` or `audit_admin`.
    pub async fn user(&self, grants: &[&str]) -> User {
        let name = format!("user-{}", self.users.fetch_add(1, Ordering::Relaxed));
        let password = Some(Masked(PASSWORD.to_owned()));
        let new = NewUser { display_name: name.clone(), name, password };
        let (user, _) = accounts::create_user(&self.context, self.act(), new).await.unwrap();
        for grant in grants {
            let (role, area) = match grant.split_once('@') {
                Some((role, area)) => (role, Some(AreaCode::parse(area).unwrap())),
                None => (*grant, None),
            };
            let new = NewGrant { role: role.to_owned(), area, starts_on: None, ends_on: None };
            accounts::add_grant(&self.context, self.act(), &user.id, new).await.unwrap();
        }
        user
    }

    /// A client who is not signed in.
    pub fn stranger(&self) -> Client {
        Client { router: self.router.clone(), cookie: None, address: ADDRESS, user: None }
    }

    /// The same of a server with other keys.
    pub fn stranger_with(&self, keys: Arc<Keys>) -> Client {
        let context = Context { keys, ..self.context.clone() };
        let router = http::router(App::new(context, self.jobs.clone(), config()));
        Client { router, ..self.stranger() }
    }

    /// A signed-in client with these grants.
    pub async fn client(&self, grants: &[&str]) -> Client {
        self.signed_in(&self.user(grants).await).await
    }

    /// A client with a session of its own. Each signs in from elsewhere, so that no test meets the
    /// limit for an address unless it wants to.
    pub async fn signed_in(&self, user: &User) -> Client {
        let serial = self.addresses.fetch_add(1, Ordering::Relaxed);
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + serial);
        let mut client = Client { address: address.into(), ..self.stranger() };
        client.sign_in(&user.name, PASSWORD).await.expect(200);
        Client { address: ADDRESS, user: Some(user.clone()), ..client }
    }

    /// The journal's entries of a record: action, actor and authority, body.
    pub async fn journal(&self, kind: &str, record: &str) -> Vec<(String, String, Value)> {
        let all = self.entries().await;
        let of = |entry: &Entry| entry.kind == kind && entry.record == record;
        let all = all.into_iter().filter(of);
        all.map(|entry| {
            let body = serde_json::from_slice(&entry.open(&self.context.keys).unwrap()).unwrap();
            (entry.action, format!("{} {}", entry.actor, entry.authority), body)
        })
        .collect()
    }

    /// Every entry of the journal that waits to be sealed, oldest first.
    pub async fn entries(&self) -> Vec<Entry> {
        let sql = "select county, stamp, position, at, actor, authority, source, kind, record,
                          action, body
                   from journal_pending order by stamp, position";
        self.rows(sql).await.iter().map(entry).collect()
    }

    /// The rows of a query.
    pub async fn rows(&self, sql: &'static str) -> Vec<Row> {
        let query = async move |tx: &mut Tx| tx.query(sql, &[]).await;
        let rows = self.context.db.read(move |tx| async move { query(tx).await }.boxed()).await;
        rows.unwrap()
    }

    /// Carries out a statement.
    pub async fn execute(&self, sql: &'static str) {
        let work = async move |tx: &mut Tx| tx.execute(sql, &[]).await;
        let done: Result<u64, Error> =
            self.context.db.write(move |tx| async move { work(tx).await }.boxed()).await;
        done.unwrap();
    }
}

fn entry(row: &Row) -> Entry {
    let text = |i| row.text(i).unwrap().to_owned();
    let int = |i| row.int(i).unwrap();
    Entry {
        county: text(0),
        stamp: int(1),
        position: int(2),
        at: int(3),
        actor: text(4),
        authority: text(5),
        source: text(6),
        kind: text(7),
        record: text(8),
        action: text(9),
        body: row.blob(10).unwrap().to_vec(),
    }
}

impl Client {
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Call {
        self.call(Method::POST, path).json(&body)
    }

    pub fn put(&self, path: &str, body: Value) -> Call {
        self.call(Method::PUT, path).json(&body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Call {
        self.call(Method::PATCH, path).json(&body)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A request to a path below `/api/v1`, or to an absolute one that is given with a `//`.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let path = match path.strip_prefix('/') {
            Some(absolute) if absolute.starts_with('/') => absolute.to_owned(),
            _ => format!("/api/v1{path}"),
        };
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        Call { client: self.clone(), request, body: Body::empty() }
    }

    /// Signs in with a password; the client carries the cookie from then on.
    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.enter(serde_json::json!({ "name": name, "password": password })).await
    }

    /// Signs in with [`PASSWORD`] and a code.
    pub async fn sign_in_with(&mut self, name: &str, code: &str) -> Answer {
        let body = serde_json::json!({ "name": name, "password": PASSWORD, "code": code });
        self.enter(body).await
    }

    async fn enter(&mut self, body: Value) -> Answer {
        let answer = self.post("/session", body).send().await;
        if let Some(cookie) = answer.headers.get("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
        answer
    }
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds `If-Match` with this version.
    pub fn if_match(self, version: i64) -> Self {
        self.header("if-match", &format!("\"v{version}\""))
    }

    pub async fn send(self) -> Answer {
        let mut request = self.request.body(self.body).unwrap();
        let peer = SocketAddr::new(self.client.address, 1);
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.client.router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        let bytes = body.to_vec();
        let text = String::from_utf8(bytes.clone()).unwrap_or_default();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes, text, json }
    }
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    /// The body, if it is a whole problem of this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, &self.json["code"]), (status, &code.into()), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["type"], format!("urn:daohu:problem:{code}"));
        assert!(!self.json["title"].as_str().unwrap().is_empty());
        assert!(self.json["errors"].is_array(), "{}", self.text);
        assert_eq!(self.json["trace_id"].as_str().unwrap().len(), 16);
        self.json
    }

    /// As [`Answer::problem`] of 422, for one field.
    #[track_caller]
    pub fn field_problem(self, column: &str, code: &str) -> Value {
        let problem = self.problem(422, "request.invalid");
        let field = problem["errors"][0].clone();
        assert_eq!((&field["column"], &field["code"]), (&column.into(), &code.into()), "{problem}");
        assert!(!field["message"].as_str().unwrap().is_empty());
        problem
    }

    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

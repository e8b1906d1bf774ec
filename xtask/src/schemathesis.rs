//! `cargo xtask schemathesis`: thousands of made-up requests, legal and illegal, to a server with a
//! small sample county. Each answer must be what `api/openapi.json` says of it, and none a 5xx.
//!
//! [Schemathesis](https://schemathesis.io) makes the requests from the document that the server
//! serves; it is installed from PyPI into `target/venv`. Further arguments go to it:
//! `cargo xtask schemathesis --seed 7 -n 200`.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};

use crate::{
    Workspace,
    client::Client,
    command::{cargo, python_with, succeed},
    service::Service,
};

/// The version from PyPI: another one may make other requests and check other things.
const VERSION: &str = "4.32.5";
/// Households of the sample: some for every village, and a start in seconds.
const HOUSEHOLDS: &str = "400";
/// Requests that each operation gets at most in the phase that makes them up at random.
const EXAMPLES: &str = "30";

/// Every check but two. `positive_data_acceptance` demands that whatever has the right shape is
/// accepted: but whether an area exists or a reason says enough is told by 422, not by a schema.
/// `object_level_authorization` needs a second user's records; the reviewed matrix compares those.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,\
                      negative_data_rejection,missing_required_header,unsupported_method,\
                      allow_header_conformance,use_after_free,ensure_resource_availability,\
                      ignored_auth";

/// Settings that have no argument. A missing `If-Match` is 428 here, the status made for it.
const SETTINGS: &str = "\
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 406, 415, 422, 428]
";

/// A run of the requests.
#[derive(Clone, Copy, Debug)]
enum Round {
    /// As a login of the demonstration: all but what would end its session.
    Staying(&'static str),
    /// As such a login: what ends sessions, as often as that goes.
    Ending(&'static str),
    /// Not signed in.
    Stranger,
}

/// The two logins whose rights differ most, and then what spoils the logins: passwords that are
/// changed, and accounts that are locked by wrong ones.
const ROUNDS: [Round; 4] = [
    Round::Staying("office"),
    Round::Staying("sysadmin"),
    Round::Ending("sysadmin"),
    Round::Stranger,
];

/// What may end the session that the requests are made with, or lock its account.
const ENDING: [&str; 5] =
    ["create_session", "delete_session", "end_session", "change_password", "reset_password"];

/// Installs, starts, asks as each user, stops.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let package = format!("schemathesis=={VERSION}");
    let program = python_with(&workspace.target.join("venv"), &[&package])?.join("schemathesis");
    succeed(&mut cargo(workspace, ["build", "--bin", "daohu"]))?;
    let folder = workspace.target.join("schemathesis");
    // What an earlier run left: its database has other passwords and older tables.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("schemathesis.toml"), SETTINGS)?;
    let server = Server::start(&workspace.target.join("debug").join("daohu"), &folder)?;
    let mut failed = 0;
    for round in ROUNDS {
        eprintln!("── {round:?}");
        failed += usize::from(!ask(&program, &server, &folder, round, &args)?);
    }
    ensure!(failed == 0, "{failed} rounds have answers that are not as described: see above");
    // A job that broke has answered its request long before.
    server.check_log()
}

/// Makes the requests of a round; false if an answer was not as described.
fn ask(
    program: &Path,
    server: &Server,
    folder: &Path,
    round: Round,
    args: &[OsString],
) -> anyhow::Result<bool> {
    let origin = format!("http://{}", server.address);
    let mut command = Command::new(program);
    command.args(["run", &format!("{origin}/api/v1/openapi.json"), "--checks", CHECKS]);
    command.args(["--header", &format!("Origin: {origin}"), "--max-examples", EXAMPLES]);
    // The cookie is the same in all requests: made-up ones would only be told to sign in.
    command.args(["--generation-with-security-parameters", "false"]);
    command.args(["--generation-database", "none", "--continue-on-failure"]);
    let (login, choice) = match round {
        Round::Staying(login) => (Some(login), "--exclude-operation-id"),
        Round::Ending(login) => (Some(login), "--include-operation-id"),
        Round::Stranger => (None, ""),
    };
    let session = login.map(|name| server.sign_in(name)).transpose()?;
    if let Some(client) = &session {
        let cookie = client.cookie().context("sign-in gave no cookie")?;
        command.args(["--header", &format!("Cookie: {cookie}")]);
        command.args(ENDING.iter().flat_map(|id| [choice, *id]));
    }
    let is_good = command.args(args).current_dir(folder).status()?.success();
    if let (Some(client), Round::Staying(_)) = (session, round) {
        // Otherwise the rest of the requests found nothing behind the door.
        let answer = client.another()?.get("/api/v1/session");
        answer.context("the requests ended the session that they were made with")?;
    }
    Ok(is_good)
}

/// A demonstration that runs; dropping it stops it.
struct Server {
    /// Stops it.
    _service: Service,
    address: SocketAddr,
    /// Names and passwords.
    logins: Vec<(String, String)>,
    log: PathBuf,
}

impl Server {
    /// Starts `daohu demo` and reads what it prints: logins, and then its address.
    fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join("serve.log");
        let mut command = Command::new(program);
        command.args(["demo", "--households", HOUSEHOLDS, "--listen", "127.0.0.1:0", "--data"]);
        command.arg(folder.join("data")).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.stdin(Stdio::null()).spawn()?;
        let printed = child.stdout.take();
        let service = Service::new(child);
        let printed = printed.context("no standard output")?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { _service: service, address, logins: Vec::new(), log };
        for line in BufReader::new(printed).lines() {
            let line = line?;
            if let Some(address) = line.strip_prefix("http://") {
                server.address = address.parse()?;
                return Ok(server);
            }
            let mut words = line.split_whitespace().map(str::to_owned);
            server.logins.extend(words.next().zip(words.next()));
        }
        bail!("the server ended by itself: {}", server.log.display())
    }

    fn sign_in(&self, name: &str) -> anyhow::Result<Client> {
        let login = self.logins.iter().find(|(known, _)| known == name);
        let (_, password) = login.with_context(|| format!("the demo has no login {name}"))?;
        let mut client = Client::connect(self.address)?;
        client.sign_in(name, password)?;
        Ok(client)
    }

    /// An error if the server logged one.
    fn check_log(&self) -> anyhow::Result<()> {
        for line in BufReader::new(File::open(&self.log)?).lines() {
            let line = line?;
            ensure!(!line.contains(r#""level":"ERROR""#), "the server logged {line}");
        }
        Ok(())
    }
}

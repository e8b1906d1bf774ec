//! `daohu serve`.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use daohu_app::{
    Context,
    exchange::jobs::Jobs,
    http::{self, App, HttpConfig, ServeConfig, Tls},
    journal,
};
use serde::Deserialize;

use super::Done;
use crate::{
    cli::ServeArgs,
    open::{Wanted, files_path, open},
    output::{Failure, line},
};

/// Where the server listens unless it is told otherwise: this machine only.
const LISTEN: &str = "127.0.0.1:8080";
/// How often what waits is sealed.
const SEAL_MS: u64 = 1_000;
/// How often the key file is looked at.
const KEYS_MS: u64 = 1_000;

/// The settings file. Arguments go before it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<SocketAddr>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    trusted_proxies: Vec<String>,
    public_origin: Option<String>,
    files: Option<PathBuf>,
}

pub(crate) async fn run(args: ServeArgs) -> Done {
    let file = read_file(args.config.as_deref())?;
    let default = LISTEN.parse().map_err(|_| Failure::usage(LISTEN.to_owned()))?;
    let listen = args.listen.or(file.listen).unwrap_or(default);
    let tls = match (args.tls_cert.or(file.tls_cert), args.tls_key.or(file.tls_key)) {
        (Some(certificates), Some(key)) => Some(Tls { certificates, key }),
        (None, None) => None,
        // Half of it must not mean a server without encryption.
        _ => return Err(Failure::usage("tls_cert and tls_key go together".to_owned())),
    };
    let proxies =
        if args.trusted_proxy.is_empty() { file.trusted_proxies } else { args.trusted_proxy };
    let trusted_proxies = proxies
        .iter()
        .map(|cidr| cidr.parse().map_err(|_| Failure::usage(format!("--trusted-proxy: {cidr}"))))
        .collect::<Result<Vec<_>, _>>()?;
    // Without TLS here and without a proxy in front, browsers come over plain HTTP.
    let secure_cookies = tls.is_some() || !trusted_proxies.is_empty();
    let public_origin = file.public_origin;
    let config =
        HttpConfig { trusted_proxies, secure_cookies, public_origin, ..Default::default() };
    let files = files_path(&args.db, args.files.or(file.files))?;
    log();
    let context = open(&args.db, Wanted::Ready).await?;
    serve(context, files, listen, config, tls).await
}

fn read_file(path: Option<&std::path::Path>) -> Result<File, Failure> {
    let Some(path) = path else { return Ok(File::default()) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// Structured lines on standard error; RUST_LOG chooses.
pub(crate) fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second call in one process changes nothing.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Serves until the process is asked to stop, sealing what is written and carrying jobs out.
pub(crate) async fn serve(
    context: Context,
    files: PathBuf,
    listen: SocketAddr,
    config: HttpConfig,
    tls: Option<Tls>,
) -> Done {
    let listener = TcpListener::bind(listen)
        .map_err(|error| Failure::refusal(format!("{listen}: {error}")))?;
    let address = listener.local_addr()?;
    let jobs = Jobs::new(context.clone(), files)?;
    jobs.prepare()?;
    let sealer = tokio::spawn(seal_forever(context.clone()));
    let follower = tokio::spawn(follow_keys(context.clone()));
    let scheme = if tls.is_some() { "https" } else { "http" };
    line(format_args!("{scheme}://{address}"))?;
    let runner = tokio::spawn(run_jobs(jobs.clone()));
    let app = App::new(context.clone(), jobs.clone(), config);
    let config = ServeConfig { tls, ..ServeConfig::default() };
    let stopped = async move {
        stop().await;
        // First the jobs: requests may be waiting for an import to end.
        jobs.stop();
    };
    http::serve(app, listener, config, stopped).await?;
    // What was cancelled above rolls back, and its row says so.
    let _ = runner.await;
    sealer.abort();
    follower.abort();
    journal::seal_all(&context).await?;
    Ok(ExitCode::SUCCESS)
}

async fn run_jobs(jobs: Jobs) {
    jobs.run().await;
}

/// Follows a rotation of the keys. Not in the sealer's turn, which on SQLite waits for an import.
async fn follow_keys(context: Context) {
    let mut ticks = tokio::time::interval(Duration::from_millis(KEYS_MS));
    loop {
        ticks.tick().await;
        context.keys.refresh();
    }
}

/// Seals what an earlier run left over, and then what comes.
async fn seal_forever(context: Context) {
    let mut ticks = tokio::time::interval(Duration::from_millis(SEAL_MS));
    loop {
        ticks.tick().await;
        if let Err(error) = journal::seal_all(&context).await {
            tracing::error!(%error, "sealing failed; it is tried again");
        }
    }
}

async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        let _ = interrupt.await;
        return;
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}

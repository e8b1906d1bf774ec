//! `daohu serve`.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use daohu_app::{
    Context, Lang,
    exchange::jobs::Jobs,
    http::{self, App, Enforcement, HttpConfig, ServeConfig, Tls},
    journal,
};
use serde::Deserialize;

use super::Done;
use crate::{
    cli::{EnforcementArg, ServeArgs},
    open::{Wanted, files_path, open},
    output::{Failure, line},
};

/// Where the server listens unless it is told otherwise: this machine only.
const LISTEN: &str = "127.0.0.1:8080";
const OPEN_ZH: &str = "其他机器可以访问这个地址，而传输没有加密：口令和身份证号会以明文经过网络；\
    请用 --tls-cert 和 --tls-key，或用 --trusted-proxy 指明负责加密的代理";
const OPEN_EN: &str = "other machines reach this address and nothing is encrypted: passwords and ID \
    numbers go over the network in the clear; use --tls-cert and --tls-key, or name the proxy that \
    encrypts with --trusted-proxy";
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
    second_factor: Option<EnforcementArg>,
}

pub(crate) async fn run(args: ServeArgs, lang: Lang) -> Done {
    let file = read_file(args.config.as_deref())?;
    let default = LISTEN.parse().map_err(|_| Failure::usage(LISTEN, LISTEN))?;
    let listen = args.listen.or(file.listen).unwrap_or(default);
    let tls = match (args.tls_cert.or(file.tls_cert), args.tls_key.or(file.tls_key)) {
        (Some(certificates), Some(key)) => Some(Tls { certificates, key }),
        (None, None) => None,
        // Half of it must not mean a server without encryption.
        _ => {
            return Err(Failure::usage(
                "tls_cert 与 tls_key 必须同时给出",
                "tls_cert and tls_key go together",
            ));
        }
    };
    let proxies =
        if args.trusted_proxy.is_empty() { file.trusted_proxies } else { args.trusted_proxy };
    let trusted_proxies = proxies
        .iter()
        .map(|cidr| cidr.parse().map_err(|_| bad_proxy(cidr)))
        .collect::<Result<Vec<_>, _>>()?;
    // Without TLS here and without a proxy in front, browsers come over plain HTTP.
    let secure_cookies = tls.is_some() || !trusted_proxies.is_empty();
    let public_origin = file.public_origin;
    let second_factor = args.second_factor.or(file.second_factor);
    let second_factor = second_factor.map_or(Enforcement::Required, Enforcement::from);
    let config = HttpConfig {
        trusted_proxies,
        secure_cookies,
        public_origin,
        second_factor,
        ..Default::default()
    };
    let files = files_path(&args.db, args.files.or(file.files))?;
    log();
    let listener = bind(listen)?;
    // Behind a trusted proxy it is the proxy that encrypts.
    if !listen.ip().is_loopback() && !secure_cookies {
        tracing::warn!("{}", lang.pick(OPEN_ZH, OPEN_EN));
    }
    let context = open(&args.db, Wanted::Ready).await?;
    serve(context, files, listener, config, tls).await
}

/// Takes the address: before the database is touched, so that a second server changes nothing there.
pub(crate) fn bind(listen: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen).map_err(|error| {
        Failure::refusal(
            format!("不能监听 {listen}（{error}）；请用 --listen 换一个地址，或停止占用它的程序"),
            format!(
                "cannot listen on {listen} ({error}): choose another with --listen, or stop the \
                 program that has it"
            ),
        )
    })
}

fn read_file(path: Option<&std::path::Path>) -> Result<File, Failure> {
    let Some(path) = path else { return Ok(File::default()) };
    let bad = |error: &dyn std::fmt::Display| {
        let path = path.display();
        Failure::usage(
            format!("设置文件 {path}：{error}"),
            format!("settings file {path}: {error}"),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| bad(&error))?;
    toml::from_str(&text).map_err(|error| bad(&error))
}

fn bad_proxy(cidr: &str) -> Failure {
    Failure::usage(
        format!("--trusted-proxy 不是网段：{cidr}"),
        format!("--trusted-proxy is not a network: {cidr}"),
    )
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
    listener: TcpListener,
    config: HttpConfig,
    tls: Option<Tls>,
) -> Done {
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

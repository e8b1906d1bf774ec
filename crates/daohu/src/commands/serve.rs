//! `daohu serve`.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use daohu_app::{
    Context, Lang,
    accesses::Accesses,
    accounts,
    http::{self, App, HttpConfig, ServeConfig},
    jobs::Jobs,
    journal, monitoring, policies, quality, warnings,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
};

use super::Done;
use crate::{
    cli::SettingArgs,
    config::Settings,
    open::{Wanted, open},
    output::{Failure, line},
};

pub(crate) const OPEN_ZH: &str = "其他机器可以访问这个地址，而传输没有加密：口令和身份证号会以明文经过网络；\
    请用 --tls-cert 和 --tls-key，或用 --trusted-proxy 指明负责加密的代理";
pub(crate) const OPEN_EN: &str = "other machines reach this address and nothing is encrypted: passwords and ID \
    numbers go over the network in the clear; use --tls-cert and --tls-key, or name the proxy that \
    encrypts with --trusted-proxy";
/// How often the households in memory are saved, if something was written.
const SAVE_EVERY: Duration = Duration::from_secs(3_600);
/// How often what waits is sealed.
const SEAL_MS: u64 = 1_000;
/// How often the key file is looked at.
const KEYS_MS: u64 = 1_000;
/// How often sessions and remembered answers whose time is over are looked for.
const FORGET: Duration = Duration::from_secs(3_600);

pub(crate) async fn run(args: SettingArgs, lang: Lang) -> Done {
    let settings = Settings::gather(&args, |name| std::env::var(name).ok())?;
    let config = settings.understand()?;
    log();
    let listener = bind(config.listen)?;
    if !config.is_encrypted() {
        tracing::warn!("{}", lang.pick(OPEN_ZH, OPEN_EN));
    }
    let context = open(&config.db, Wanted::Ready).await?;
    let http = HttpConfig {
        // Without TLS here and without a proxy in front, browsers come over plain HTTP.
        secure_cookies: config.tls.is_some() || !config.trusted_proxies.is_empty(),
        trusted_proxies: config.trusted_proxies,
        public_origin: config.public_origin,
        second_factor: config.second_factor,
        ..HttpConfig::default()
    };
    let serving = ServeConfig { tls: config.tls, ..ServeConfig::default() };
    // Before it serves: a hangup would end a process that does not listen to it.
    let hangups = signal(SignalKind::hangup())?;
    tokio::spawn(read_again(hangups, Arc::clone(&serving.read_again)));
    serve(context, config.files, listener, http, serving).await
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
    serving: ServeConfig,
) -> Done {
    let address = listener.local_addr()?;
    context.live.save_in(census_path(&files));
    let jobs = Jobs::new(context.clone(), files)?;
    jobs.prepare()?;
    let sealer = tokio::spawn(seal_forever(context.clone()));
    let follower = tokio::spawn(follow_keys(context.clone()));
    let governor = tokio::spawn(policies::follow(context.clone()));
    let trend = tokio::spawn(quality::keep_trend(context.clone()));
    let watcher = tokio::spawn(warnings::keep(context.clone()));
    let forgetter = tokio::spawn(forget_forever(context.clone()));
    let reader = tokio::spawn(keep_households(context.clone()));
    let scheme = if serving.tls.is_some() { "https" } else { "http" };
    line(format_args!("{scheme}://{address}"))?;
    let runner = tokio::spawn(run_jobs(jobs.clone()));
    let app = App::new(context.clone(), jobs.clone(), config);
    let (accesses, stopper) = (app.accesses().clone(), jobs.clone());
    let writer = tokio::spawn(write_accesses(accesses.clone()));
    let stopped = async move {
        stop().await;
        // First the jobs: requests may be waiting for an import to end.
        jobs.stop();
    };
    let served = http::serve(app, listener, serving, stopped).await;
    // Where serving failed nobody ordered them to stop.
    stopper.stop();
    // What was cancelled above rolls back, and its row says so.
    let _ = runner.await;
    accesses.stop();
    let _ = writer.await;
    for task in [sealer, follower, governor, trend, watcher, forgetter, reader] {
        task.abort();
    }
    // However it ended, what was seen and done is written.
    let flushed = accesses.flush().await;
    let sealed = journal::seal_all(&context).await;
    save_households(&context).await;
    served?;
    flushed?;
    sealed?;
    Ok(ExitCode::SUCCESS)
}

async fn write_accesses(accesses: Accesses) {
    accesses.run().await;
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

/// Deletes sessions and remembered answers whose time is over, also where nobody signs in or writes any more.
async fn forget_forever(context: Context) {
    let mut ticks = tokio::time::interval(FORGET);
    loop {
        ticks.tick().await;
        let answers = http::forget_old_answers(&context).await;
        let sessions = accounts::forget_ended_sessions(&context).await;
        if let Err(error) = answers.and(sessions) {
            tracing::error!(%error, "old sessions and answers are not deleted; it is tried again");
        }
    }
}

/// Reads all households into memory, before somebody asks about them.
async fn keep_households(context: Context) {
    let started = Instant::now();
    let read = async {
        context.live.catch_up(&context).await?;
        let seconds = started.elapsed().as_secs_f64();
        tracing::info!(seconds, "all households are in memory");
        monitoring::warm(&context).await
    };
    match read.await {
        Ok(()) => {
            tracing::info!(seconds = started.elapsed().as_secs_f64(), "all households are counted")
        }
        Err(error) => {
            tracing::error!(%error, "households are not in memory; whoever asks about them has them read");
        }
    }
    // Who is killed starts from what was saved last, and reads what was written since.
    let mut ticks = tokio::time::interval(SAVE_EVERY);
    loop {
        ticks.tick().await;
        save_households(&context).await;
    }
}

async fn save_households(context: &Context) {
    match context.live.save(context).await {
        Ok(true) => tracing::info!("the households in memory are saved"),
        Ok(false) => {}
        Err(error) => {
            tracing::warn!(%error, "the households in memory are not saved: the next start reads them from the database");
        }
    }
}

/// Where a server saves the households that it has in memory.
pub(crate) fn census_path(files: &Path) -> PathBuf {
    files.join("census.snapshot")
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

/// A hangup is the order to read the certificate again; the key file is followed anyway.
async fn read_again(mut hangups: Signal, again: Arc<Notify>) {
    while hangups.recv().await.is_some() {
        again.notify_one();
    }
}

async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = interrupt.await;
        return;
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}

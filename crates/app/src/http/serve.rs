//! Listening, and going down without cutting anybody off.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::sync::Notify;

use super::{App, Tls, router};

/// How the server listens.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Certificate and key; without them a proxy in front is expected to end TLS.
    pub tls: Option<Tls>,
    /// How often the files of the certificate are looked at.
    pub certificate_look_ms: u64,
    /// Notified when they are to be read again at once.
    pub read_again: Arc<Notify>,
    /// How long a connection may take to send a request's head.
    pub head_ms_max: u64,
    /// How long requests may go on after the order to stop.
    pub shutdown_ms_max: u64,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            tls: None,
            certificate_look_ms: 60_000,
            read_again: Arc::default(),
            head_ms_max: 10_000,
            shutdown_ms_max: 20_000,
        }
    }
}

/// Serves until `stop` is done; then takes no new connection and lets the requests end.
pub async fn serve(
    app: App,
    listener: TcpListener,
    config: ServeConfig,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle: Handle<SocketAddr> = Handle::new();
    let limit = Duration::from_millis(config.shutdown_ms_max);
    let stopper = tokio::spawn({
        let handle = handle.clone();
        async move {
            stop.await;
            tracing::info!("stopping");
            handle.graceful_shutdown(Some(limit));
        }
    });
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let head = Duration::from_millis(config.head_ms_max);
    let served = match config.tls {
        None => {
            let mut server = axum_server::from_tcp(listener)?.handle(handle);
            limit_patience(server.http_builder(), head);
            server.serve(service).await
        }
        Some(tls) => {
            let seen = tls.seen();
            let running = RustlsConfig::from_config(Arc::new(tls.load()?));
            let mut server =
                axum_server::from_tcp_rustls(listener, running.clone())?.handle(handle);
            limit_patience(server.http_builder(), head);
            let look = Duration::from_millis(config.certificate_look_ms);
            let follower = tokio::spawn(tls.follow(seen, running, look, config.read_again));
            let served = server.serve(service).await;
            follower.abort();
            served
        }
    };
    stopper.abort();
    served
}

/// A connection that sends no head, or answers no ping, is closed.
fn limit_patience(builder: &mut Builder<TokioExecutor>, head: Duration) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(head).keep_alive_timeout(head);
}

//! Listening, TLS, and going down without cutting anybody off.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{App, router};

/// How the server listens.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Certificate and key; without them a proxy in front is expected to end TLS.
    pub tls: Option<Tls>,
    /// How long a connection may take to send a request's head.
    pub head_ms_max: u64,
    /// How long requests may go on after the order to stop.
    pub shutdown_ms_max: u64,
}

/// PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate and those that lead to the root.
    pub certificates: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self { tls: None, head_ms_max: 10_000, shutdown_ms_max: 20_000 }
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
            let tls = RustlsConfig::from_config(Arc::new(tls.load()?));
            let mut server = axum_server::from_tcp_rustls(listener, tls)?.handle(handle);
            limit_patience(server.http_builder(), head);
            server.serve(service).await
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

impl Tls {
    fn load(&self) -> io::Result<rustls::ServerConfig> {
        let bad = |file: &PathBuf, error: &dyn std::fmt::Display| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.display()))
        };
        let certificates = CertificateDer::pem_file_iter(&self.certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| bad(&self.certificates, &error))?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(|error| bad(&self.key, &error))?;
        // Named, not the process's default: there is no global state.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
            .map_err(|error| bad(&self.certificates, &error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

//! Real connections: TLS, slow senders, going down.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use daohu_app::http::{self, ServeConfig, Tls};
use daohu_db::Engine;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

use crate::harness::{PASSWORD, TestApp};

/// Generous: only a server that hangs reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

fn start(app: &TestApp, config: ServeConfig) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.unwrap_or_default() };
    let ended = tokio::spawn(http::serve(app.state.clone(), listener, config, stopped));
    Server { address, stop, ended }
}

async fn rest(mut stream: impl AsyncRead + Unpin) -> String {
    let mut text = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await;
    // A peer that closes TLS without a goodbye has still said everything.
    let _ = read.expect("the server closes the connection");
    text
}

async fn healthz(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    rest(stream).await
}

#[tokio::test]
async fn requests_in_flight_are_answered_when_the_server_stops() {
    let app = TestApp::new(Engine::Sqlite).await;
    let user = app.user(&[]).await;
    let server = start(&app, ServeConfig::default());
    let stream = TcpStream::connect(server.address).await.unwrap();
    assert!(healthz(stream).await.starts_with("HTTP/1.1 200 OK\r\n"));

    let body = format!(r#"{{"name":"{}","password":"{PASSWORD}"}}"#, user.name);
    let (first, last) = body.split_at(10);
    let head = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is in a handler.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).await.unwrap();
    server.stop.send(()).unwrap();
    stream.write_all(last.as_bytes()).await.unwrap();
    assert!(rest(stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    let ended = tokio::time::timeout(PATIENCE, server.ended).await.expect("the server ends");
    ended.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn who_never_ends_is_cut_off() {
    let app = TestApp::new(Engine::Sqlite).await;
    let config = ServeConfig { head_ms_max: 50, shutdown_ms_max: 50, ..ServeConfig::default() };
    let server = start(&app, config);
    // Half a head: closed after a while, whatever is said.
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost:").await.unwrap();
    assert!(!rest(slow).await.contains("200 OK"));
    // Half a body: the server goes down all the same.
    let mut half = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    half.write_all(head.as_bytes()).await.unwrap();
    server.stop.send(()).unwrap();
    let ended = tokio::time::timeout(PATIENCE, server.ended).await.expect("the server ends");
    ended.unwrap().unwrap();
}

/// A certificate in two files.
struct Certified {
    _folder: tempfile::TempDir,
    tls: Tls,
}

impl Certified {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificates, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let made = Self { _folder: folder, tls: Tls { certificates, key } };
        made.renew();
        made
    }

    /// Writes a new one; gives its bytes.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&self.tls.key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&self.tls.certificates, made.cert.pem()).unwrap();
        made.cert.der().clone()
    }
}

/// True if the server shows a new connection this certificate, and answers.
async fn shows(address: SocketAddr, certificate: &CertificateDer<'static>) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, stream).await;
    let Ok(stream) = stream else { return false };
    assert!(healthz(stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    true
}

/// Waits until the server shows a certificate to new connections.
async fn comes_to_show(address: SocketAddr, certificate: &CertificateDer<'static>) {
    let shown = async { while !shows(address, certificate).await {} };
    tokio::time::timeout(PATIENCE, shown).await.expect("the new certificate is used");
}

#[tokio::test]
async fn it_speaks_tls() {
    let app = TestApp::new(Engine::Sqlite).await;
    let made = Certified::new();
    let certificate = made.renew();
    let config = ServeConfig { tls: Some(made.tls.clone()), ..ServeConfig::default() };
    let server = start(&app, config);
    assert!(shows(server.address, &certificate).await);
    server.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, server.ended).await.expect("the server ends").unwrap().unwrap();
}

#[tokio::test]
async fn a_renewed_certificate_is_used_when_its_file_changes() {
    let app = TestApp::new(Engine::Sqlite).await;
    let made = Certified::new();
    let first = made.renew();
    let tls = Some(made.tls.clone());
    let server = start(&app, ServeConfig { tls, certificate_look_ms: 5, ..ServeConfig::default() });
    assert!(shows(server.address, &first).await);
    let second = made.renew();
    comes_to_show(server.address, &second).await;
    assert!(!shows(server.address, &first).await);
}

#[tokio::test]
async fn a_renewed_certificate_is_used_when_that_is_asked_for() {
    let app = TestApp::new(Engine::Sqlite).await;
    let made = Certified::new();
    let first = made.renew();
    // It never looks by itself.
    let config = ServeConfig {
        tls: Some(made.tls.clone()),
        certificate_look_ms: 86_400_000,
        ..ServeConfig::default()
    };
    let read_again = Arc::clone(&config.read_again);
    let server = start(&app, config);
    assert!(shows(server.address, &first).await);
    let second = made.renew();
    assert!(shows(server.address, &first).await, "nobody asked yet");
    read_again.notify_one();
    comes_to_show(server.address, &second).await;
}

#[tokio::test]
async fn how_long_a_certificate_is_valid_is_that_of_the_first_of_its_chain_to_end() {
    let made = Certified::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2031, 5, 6);
    let short = params.self_signed(&key).unwrap().pem();
    params.not_after = rcgen::date_time_ymd(2041, 5, 6);
    let long = params.self_signed(&key).unwrap().pem();
    std::fs::write(&made.tls.key, key.serialize_pem()).unwrap();
    for chain in [format!("{short}{long}"), format!("{long}{short}")] {
        std::fs::write(&made.tls.certificates, chain).unwrap();
        let until = made.tls.valid_until().unwrap().to_string();
        assert!(until.starts_with("2031-05-06T00:00:00"), "{until}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_named() {
    let app = TestApp::new(Engine::Sqlite).await;
    let none = std::path::PathBuf::from("/no/such/file.pem");
    let tls = Some(Tls { certificates: none.clone(), key: none });
    let server = start(&app, ServeConfig { tls, ..ServeConfig::default() });
    let error = server.ended.await.unwrap().unwrap_err();
    assert!(error.to_string().starts_with("/no/such/file.pem: "), "{error}");
}

//! Real connections: TLS, slow senders, going down.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use daohu_app::http::{self, ServeConfig, Tls};
use daohu_db::Engine;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
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

#[tokio::test]
async fn it_speaks_tls() {
    let app = TestApp::new(Engine::Sqlite).await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificates, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificates, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = Tls { certificates: certificates.clone(), key };
    let server = start(&app, ServeConfig { tls: Some(tls), ..ServeConfig::default() });

    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificates).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, stream).await;
    assert!(healthz(stream.unwrap()).await.starts_with("HTTP/1.1 200 OK\r\n"));
    server.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, server.ended).await.expect("the server ends").unwrap().unwrap();
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

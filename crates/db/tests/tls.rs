//! TLS towards PostgreSQL: the test's server, behind a door of the test's own that speaks TLS as
//! PostgreSQL does.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows test functions, but not what they call"
)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use daohu_db::{Db, Error, FutureExt, Options, testing};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What a client sends that wants TLS: the length, and a number that is no version.
const WANTS_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A door to the server.
struct Door {
    url: String,
    /// Connections that came in encrypted, and plain.
    counts: Arc<[AtomicU32; 2]>,
}

/// An authority, and its file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: String,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let path = folder.join(name);
        std::fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
        // As it must stand in an address.
        let file = path.display().to_string().replace(' ', "%20");
        Self { issuer: Issuer::new(params, key), file }
    }

    fn server(&self, host: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Arc::new(config).into()
    }
}

impl Door {
    /// With a certificate, or one that speaks no TLS.
    async fn open(tls: Option<TlsAcceptor>) -> Self {
        let server = std::env::var(testing::POSTGRES).unwrap();
        let parsed: tokio_postgres::Config = server.parse().unwrap();
        let host = match &parsed.get_hosts()[0] {
            tokio_postgres::config::Host::Tcp(host) => host.clone(),
            other => panic!("{other:?}"),
        };
        let behind = format!("{host}:{}", parsed.get_ports()[0]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = server.replace(&behind, &listener.local_addr().unwrap().to_string());
        let counts = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let counted = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (tls, behind) = (tls.clone(), behind.clone());
                tokio::spawn(serve(client, tls, behind, Arc::clone(&counted)));
            }
        });
        Self { url, counts }
    }

    /// How connections come in with these settings: encrypted, plain.
    async fn with(&self, settings: &str) -> Result<[bool; 2], Error> {
        let before: Vec<u32> = self.counts.iter().map(|c| c.load(Ordering::Relaxed)).collect();
        let url = format!("{}{settings}", self.url).parse().unwrap();
        let db = Db::open(&url, Options { readers: 1, ..Options::default() }).await?;
        let look = db.read(|tx| async move { tx.query_one("select 1", &[]).await }.boxed());
        let row: Result<_, Error> = look.await;
        row?;
        let after = self.counts.iter().map(|c| c.load(Ordering::Relaxed));
        let more: Vec<bool> = after.zip(before).map(|(after, before)| after > before).collect();
        Ok([more[0], more[1]])
    }
}

async fn serve(
    mut client: TcpStream,
    tls: Option<TlsAcceptor>,
    behind: String,
    counts: Arc<[AtomicU32; 2]>,
) {
    let mut first = [0; 8];
    client.read_exact(&mut first).await.unwrap();
    if first != WANTS_TLS {
        counts[1].fetch_add(1, Ordering::Relaxed);
        return pass(client, behind, &first).await;
    }
    let Some(tls) = tls else {
        client.write_all(b"N").await.unwrap();
        counts[1].fetch_add(1, Ordering::Relaxed);
        return pass(client, behind, &[]).await;
    };
    client.write_all(b"S").await.unwrap();
    // A client that does not trust us goes away.
    let Ok(client) = tls.accept(client).await else { return };
    counts[0].fetch_add(1, Ordering::Relaxed);
    pass(client, behind, &[]).await;
}

async fn pass(mut client: impl AsyncRead + AsyncWrite + Unpin, behind: String, first: &[u8]) {
    let mut server = TcpStream::connect(behind).await.unwrap();
    server.write_all(first).await.unwrap();
    // Either side may hang up.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

const ENCRYPTED: [bool; 2] = [true, false];
const PLAIN: [bool; 2] = [false, true];

#[tokio::test]
async fn the_address_says_whether_a_connection_is_encrypted() {
    let folder = tempfile::Builder::new().prefix("a b").tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ours.pem");
    let with_tls = Door::open(Some(authority.server("127.0.0.1"))).await;
    for settings in
        ["", "?sslmode=prefer", "?sslmode=require", "?connect_timeout=9&sslmode=require"]
    {
        assert_eq!(with_tls.with(settings).await.unwrap(), ENCRYPTED, "{settings}");
    }
    assert_eq!(with_tls.with("?sslmode=disable").await.unwrap(), PLAIN);

    let without = Door::open(None).await;
    for settings in ["", "?sslmode=prefer", "?sslmode=disable"] {
        assert_eq!(without.with(settings).await.unwrap(), PLAIN, "{settings}");
    }
    let refused = without.with("?sslmode=require").await;
    assert!(matches!(refused, Err(Error::Connection(_))), "{refused:?}");
}

#[tokio::test]
async fn who_wants_to_know_the_server_talks_to_no_other() {
    let folder = tempfile::Builder::new().prefix("a b").tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours.pem");
    let other = Authority::new(folder.path(), "other.pem");
    let verified = format!("?sslmode=verify-full&sslrootcert={}", ours.file);
    let door = Door::open(Some(ours.server("127.0.0.1"))).await;
    assert_eq!(door.with(&verified).await.unwrap(), ENCRYPTED);
    for server in [other.server("127.0.0.1"), ours.server("db.example")] {
        let door = Door::open(Some(server)).await;
        let refused = door.with(&verified).await.unwrap_err().to_string();
        assert!(refused.contains("certificate"), "{refused}");
    }
    assert!(Door::open(None).await.with(&verified).await.is_err());
    // What cannot be had is refused, not left out.
    for (settings, says) in [
        ("?sslmode=verify-full".to_owned(), "go together"),
        (format!("?sslmode=require&sslrootcert={}", ours.file), "go together"),
        ("?sslmode=verify-ca".to_owned(), "sslmode is"),
        (verified.replace("ours", "none"), "sslrootcert:"),
    ] {
        let refused = door.with(&settings).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{settings}: {refused}");
    }
}

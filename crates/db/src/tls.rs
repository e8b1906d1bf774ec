//! TLS towards PostgreSQL, as the address says.
//!
//! `sslmode` is read as PostgreSQL's own clients read it: `disable`, `prefer` (if it is not said),
//! `require`: encrypted, whoever the server is; `verify-full`: the server's certificate is for its
//! host, from an authority of the file that `sslrootcert` names.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Error;

/// How a connection is made.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) tls: MakeRustlsConnect,
}

impl Access {
    /// Reads an address.
    pub(crate) fn of(url: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Connection(reason.to_owned());
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut kept, mut verify, mut roots) = (Vec::new(), false, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "verify-full")) => {
                    verify = true;
                    kept.push("sslmode=require");
                }
                Some(("sslmode", mode)) if !matches!(mode, "disable" | "prefer" | "require") => {
                    return Err(refuse("sslmode is disable, prefer, require or verify-full"));
                }
                Some(("sslrootcert", file)) => roots = Some(file),
                _ => kept.push(pair),
            }
        }
        let url = if kept.is_empty() { place } else { &format!("{place}?{}", kept.join("&")) };
        let config = url.parse().map_err(|e: tokio_postgres::Error| refuse(&e.to_string()))?;
        let verifier = match (verify, roots) {
            (true, Some(file)) => Some(read_roots(file)?),
            (false, None) => None,
            // A file that is not looked at would be a false comfort.
            _ => return Err(refuse("sslmode=verify-full and sslrootcert=FILE go together")),
        };
        let tls = client(verifier).map_err(|error| refuse(&error.to_string()))?;
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }
}

/// The authorities of a PEM file, named as in an address.
fn read_roots(file: &str) -> Result<RootCertStore, Error> {
    let refuse = |reason: String| Error::Connection(format!("sslrootcert: {reason}"));
    let path = percent_encoding::percent_decode_str(file).decode_utf8_lossy().into_owned();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| refuse(e.to_string()))? {
        let certificate = certificate.map_err(|e| refuse(e.to_string()))?;
        roots.add(certificate).map_err(|e| refuse(e.to_string()))?;
    }
    Ok(roots)
}

fn client(roots: Option<RootCertStore>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    Ok(match roots {
        Some(roots) => client.with_root_certificates(roots),
        None => client.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    }
    .with_no_client_auth())
}

/// Takes any certificate: what `require` means. That whoever sent it has its key is still checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

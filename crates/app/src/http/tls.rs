//! The certificate of the server, and following its files: one that is renewed is used without a
//! restart.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use daohu_base::Timestamp;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::sync::Notify;
use x509_cert::der::Decode;

/// PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate and those that lead to the root.
    pub certificates: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What the two files were when they were last looked at.
pub(super) type Seen = [Option<Stamp>; 2];

/// Tells two versions of a file apart without reading them: inode, length, time of change.
type Stamp = (u64, u64, i64, i64);

impl Tls {
    /// The last instant at which the certificate and those above it are valid; an error where the
    /// files cannot be used.
    pub fn valid_until(&self) -> io::Result<Timestamp> {
        self.load()?;
        let ends = self.certificates()?.into_iter().map(|der| {
            let parsed = x509_cert::Certificate::from_der(&der);
            let parsed = parsed.map_err(|error| bad(&self.certificates, &error))?;
            let end = parsed.tbs_certificate.validity.not_after.to_unix_duration();
            let ms = i64::try_from(end.as_millis());
            ms.map_err(|error| bad(&self.certificates, &error))
        });
        let ends = ends.collect::<io::Result<Vec<i64>>>()?;
        let first = ends.into_iter().min().unwrap_or_default();
        Ok(Timestamp(first))
    }

    pub(super) fn load(&self) -> io::Result<rustls::ServerConfig> {
        let certificates = self.certificates()?;
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

    fn certificates(&self) -> io::Result<Vec<CertificateDer<'static>>> {
        CertificateDer::pem_file_iter(&self.certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| bad(&self.certificates, &error))
    }

    pub(super) fn seen(&self) -> Seen {
        [&self.certificates, &self.key].map(|path| stamp(path))
    }

    /// Gives new connections what the files hold, whenever they change and whenever it is asked for.
    /// Files that cannot be used are logged once, and what was read before stays in use.
    pub(super) async fn follow(
        self,
        mut seen: Seen,
        running: RustlsConfig,
        look: Duration,
        asked: Arc<Notify>,
    ) {
        loop {
            let was_asked = tokio::select! {
                () = asked.notified() => true,
                () = tokio::time::sleep(look) => false,
            };
            // Before the files are read: if they change meanwhile, they are read once more.
            let found = self.seen();
            if !was_asked && found == seen {
                continue;
            }
            seen = found;
            self.read_again(&running);
        }
    }

    fn read_again(&self, running: &RustlsConfig) {
        let file = self.certificates.display();
        match self.load() {
            Ok(config) => {
                running.reload_from_config(Arc::new(config));
                tracing::info!(%file, "the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the certificate read before stays in use"),
        }
    }
}

fn bad(file: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.display()))
}

/// Nothing if there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(tls: &Tls) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
        fs::write(&tls.certificates, made.cert.pem()).unwrap();
    }

    #[test]
    fn files_that_cannot_be_used_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (certificates, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let tls = Tls { certificates, key };
        write(&tls);
        let running = RustlsConfig::from_config(Arc::new(tls.load().unwrap()));
        let first = running.get_inner();
        let of_another_key = fs::read(&tls.certificates).unwrap();
        write(&tls);
        for broken in [b"nothing".to_vec(), of_another_key] {
            fs::write(&tls.certificates, broken).unwrap();
            assert!(tls.valid_until().is_err());
            tls.read_again(&running);
            assert!(Arc::ptr_eq(&first, &running.get_inner()));
        }
        fs::remove_file(&tls.key).unwrap();
        tls.read_again(&running);
        assert!(Arc::ptr_eq(&first, &running.get_inner()));
        write(&tls);
        tls.read_again(&running);
        assert!(!Arc::ptr_eq(&first, &running.get_inner()));
    }

    #[test]
    fn a_file_that_changes_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (certificates, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let tls = Tls { certificates, key };
        write(&tls);
        let seen = tls.seen();
        assert_eq!(seen, tls.seen());
        fs::write(&tls.certificates, "of another length").unwrap();
        assert_ne!(seen, tls.seen());
        let seen = tls.seen();
        fs::remove_file(&tls.key).unwrap();
        assert_ne!(seen, tls.seen());
    }
}

//! The server's certificate: read from files, and again when the configuration is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::config::http::HttpConfig;

/// Why no certificate can be shown.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {reason}", .file.display())]
    Content {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The certificate that is shown to new connections.
#[derive(Debug)]
pub(super) struct Shown(RwLock<Arc<CertifiedKey>>);

/// A chain of certificates, or a key, is smaller by far.
const MOST_BYTES: u64 = 1 << 20;

impl Shown {
    /// That of the configuration; none where it has none.
    pub(super) fn read(config: &HttpConfig) -> Result<Option<Arc<Self>>, CertificateError> {
        config.has_tls().then(|| Ok(Arc::new(Self(RwLock::new(read(config)?))))).transpose()
    }

    /// Shows what the files hold now; what is wrong with them leaves the old one.
    pub(super) fn reload(&self, config: &HttpConfig) -> Result<(), CertificateError> {
        let next = read(config)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    pub(super) fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring offers TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(config: &HttpConfig) -> Result<Arc<CertifiedKey>, CertificateError> {
    let wrong = |file: &Path, reason: String| CertificateError::Content { file: file.to_owned(), reason };
    let (certificate, key) = (&config.certificate, &config.key);
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&bytes(certificate)?).collect();
    let chain = chain.map_err(|error| wrong(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(certificate, "it holds no certificate".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|error| wrong(key, error.to_string()))?;
    let pair = CertifiedKey::from_der(chain, private, &rustls::crypto::ring::default_provider());
    pair.map(Arc::new).map_err(|error| wrong(key, format!("it does not go with the certificate: {error}")))
}

fn bytes(file: &Path) -> Result<Vec<u8>, CertificateError> {
    super::files::bounded(file, MOST_BYTES).map_err(|source| CertificateError::File { file: file.to_owned(), source })
}

//! Authenticated handshakes: our own root bundle, never the system's, so that an inspecting proxy shows itself.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};

use super::connect::Connection;
use crate::observe::{Answer, Failure, Outcome};
use crate::text::printable;

/// What is needed to make handshakes.
#[derive(Clone, Debug)]
pub struct Trust {
    verifier: Arc<WebPkiServerVerifier>,
    provider: Arc<rustls::crypto::CryptoProvider>,
    name: ServerName<'static>,
}

/// Why no handshake can be made.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of additional roots cannot be read or holds no certificate.
    #[error("roots {path}: {reason}", path = path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The name for SNI is not a host name.
    #[error("`{0}` is not a host name that a certificate can be checked for")]
    Name(String),
}

impl Trust {
    /// The embedded root bundle, and the certificates of a PEM text beside it.
    ///
    /// # Errors
    /// When `name` is not a host name.
    pub fn new(name: &str, more: &[CertificateDer<'static>]) -> Result<Self, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(more.iter().cloned());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .expect("the embedded bundle has roots");
        let name = ServerName::try_from(name.to_owned()).map_err(|_| TrustError::Name(printable(name, 80)))?;
        Ok(Self { verifier, provider, name })
    }

    fn config(&self) -> (Arc<ClientConfig>, Arc<Witness>) {
        let witness = Arc::new(Witness::strict(&self.verifier));
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&witness) as _;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("ring offers TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        // Each handshake must be a full one: a resumed session shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        (Arc::new(config), witness)
    }
}

/// Reads the certificates of a PEM file.
///
/// # Errors
/// When the file cannot be read, or holds no certificate that can be.
pub fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let wrong = |reason: String| TrustError::Roots { path: path.to_owned(), reason };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let roots = parse_roots(&text).map_err(wrong)?;
    if roots.is_empty() { Err(wrong("holds no PEM certificate".to_owned())) } else { Ok(roots) }
}

/// Reads the certificates of a PEM text.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_roots(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// A handshake under way over a connection that stands.
#[derive(Debug)]
pub struct Handshake {
    connection: Connection,
    session: ClientConnection,
    witness: Arc<Witness>,
}

impl Handshake {
    /// Begins a handshake.
    #[must_use]
    pub fn begin(connection: Connection, trust: &Trust) -> Self {
        let (config, witness) = trust.config();
        let session = ClientConnection::new(config, trust.name.clone()).expect("the configuration is complete");
        Self { connection, session, witness }
    }

    /// Goes on as far as the socket allows; the outcome, once there is one.
    pub fn advance(&mut self) -> Option<Outcome> {
        loop {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(failure) => return Some(Err(failure)),
            }
            if !self.session.is_handshaking() {
                // What is left to write is the client's Finished message, which nobody waits for.
                return Some(Ok(Answer::Authenticated));
            }
        }
    }

    /// Whether the handshake waits for room to write.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// One write or read; false when the socket has to become ready first.
    fn step(&mut self) -> Result<bool, Failure> {
        let mut stream = Stream(&self.connection);
        let done = if self.session.wants_write() {
            self.session.write_tls(&mut stream)
        } else {
            self.session.read_tls(&mut stream)
        };
        match done {
            Ok(0) => Err(Failure::TlsBroken),
            Ok(_) => self.session.process_new_packets().map(|_| true).map_err(|error| self.failure(&error)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(_) => Err(Failure::TlsBroken),
        }
    }

    fn failure(&self, error: &TlsError) -> Failure {
        match error {
            TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
                Failure::TlsUnknownIssuer { issuer: self.witness.issuer() }
            }
            TlsError::InvalidCertificate(reason) => Failure::TlsInvalidCertificate(printable(&reason.to_string(), 160)),
            // An alert, or bytes that are not TLS: whoever it is, it does not speak for the name.
            _ => Failure::TlsBroken,
        }
    }
}

/// A connection as `Read` and `Write`.
struct Stream<'a>(&'a Connection);

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Remembers the certificates that are shown, and judges them as the inner verifier does, or leaves that for later.
///
/// That the other side holds the key of its certificate is verified in either case.
#[derive(Debug)]
pub(super) struct Witness {
    inner: Arc<WebPkiServerVerifier>,
    judges: bool,
    shown: Mutex<Vec<CertificateDer<'static>>>,
}

impl Witness {
    /// One that judges.
    fn strict(inner: &Arc<WebPkiServerVerifier>) -> Self {
        Self { inner: Arc::clone(inner), judges: true, shown: Mutex::default() }
    }

    /// One that only looks.
    pub(super) fn looking(inner: &Arc<WebPkiServerVerifier>) -> Self {
        Self { inner: Arc::clone(inner), judges: false, shown: Mutex::default() }
    }

    /// The chain that was shown, the server's own certificate first.
    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.shown.lock().expect("no holder panics").clone()
    }

    /// The issuer of the certificate that was shown, made harmless.
    fn issuer(&self) -> String {
        let chain = self.chain();
        let parsed = chain.first().and_then(|leaf| x509_parser::parse_x509_certificate(leaf).ok());
        parsed.map_or_else(
            || "unreadable".to_owned(),
            |(_, certificate)| printable(&certificate.issuer().to_string(), 120),
        )
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let shown = std::iter::once(leaf).chain(intermediates).map(|shown| shown.clone().into_owned()).collect();
        *self.shown.lock().expect("no holder panics") = shown;
        if self.judges {
            self.inner.verify_server_cert(leaf, intermediates, name, ocsp, now)
        } else {
            Ok(ServerCertVerified::assertion())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

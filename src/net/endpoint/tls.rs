//! Handshakes that are looked at before they are judged: our bundle and the system's store side by side.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::resolve::NEUTRAL;
use crate::endpoint::{Certificate, ServerNameUse, TlsDetail, Trusted};
use crate::fingerprint::{IssuerName, issuer};
use crate::net::tls::Witness;
use crate::observe::Failure;
use crate::text::{hexadecimal, printable};

/// The stores of authorities that certificates are held against.
#[derive(Clone, Debug)]
pub struct Stores {
    provider: Arc<CryptoProvider>,
    bundle: Arc<WebPkiServerVerifier>,
    system: Option<Arc<WebPkiServerVerifier>>,
}

/// What is asked for in a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello<'a> {
    /// The host that is wanted.
    pub(super) host: &'a str,
    /// What is said about it.
    pub(super) name: NameShown,
    /// HTTP/2 is offered as well.
    pub(super) http2: bool,
}

/// What a handshake says about the host that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameShown {
    Own,
    None,
    Neutral,
}

/// What came of a handshake.
pub(super) struct Shaken<S> {
    pub(super) detail: TlsDetail,
    pub(super) failure: Option<Failure>,
    /// There whenever the handshake was completed, whoever it was with.
    pub(super) stream: Option<TlsStream<S>>,
    /// The certificates that were shown, for a second look.
    pub(super) chain: Vec<CertificateDer<'static>>,
}

impl Stores {
    /// The embedded bundle with further roots, and the system's store where there is one.
    #[must_use]
    pub fn new(more: &[CertificateDer<'static>]) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut bundle = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        bundle.add_parsable_certificates(more.iter().cloned());
        let mut system = RootCertStore::empty();
        // A store that cannot be read is as good as none; what could be read of it counts.
        system.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let verifier =
            |roots| WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        Self {
            bundle: verifier(bundle).expect("the embedded bundle has roots"),
            system: verifier(system).ok(),
            provider,
        }
    }

    /// A client that trusts what our bundle trusts.
    pub(super) fn client(&self) -> ClientConfig {
        ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("ring offers TLS 1.2 and 1.3")
            .with_webpki_verifier(Arc::clone(&self.bundle))
            .with_no_client_auth()
    }

    /// Makes a handshake, and goes on whoever answers: what it showed is judged afterwards.
    pub(super) async fn shake<S>(&self, stream: S, hello: Hello<'_>, limit: Duration) -> Shaken<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let witness = Arc::new(Witness::looking(&self.bundle));
        let mut detail = TlsDetail { server_name: hello.shown(), ..TlsDetail::default() };
        let Ok(name) = ServerName::try_from(hello.asked().to_owned()) else {
            let failure =
                Failure::TlsInvalidCertificate("the host is not a name that a certificate can be for".to_owned());
            return Shaken { detail, failure: Some(failure), stream: None, chain: Vec::new() };
        };
        let config = self.config(hello, Arc::clone(&witness));
        let done = timeout(limit, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
        let chain = witness.chain();
        self.look(&mut detail, &chain, hello);
        let (failure, stream) = match done {
            Err(_) => (Some(Failure::TlsNoAnswer), None),
            Ok(Err(_)) => (Some(Failure::TlsBroken), None),
            Ok(Ok(stream)) => {
                agreed(&mut detail, &stream);
                (judged(&detail), Some(stream))
            }
        };
        Shaken { detail, failure, stream, chain }
    }

    /// What our bundle would make of a chain at another time, in seconds since 1970.
    pub(super) fn at(&self, chain: &[CertificateDer<'static>], host: &str, seconds: u64) -> Option<Trusted> {
        verify(&self.bundle, chain, host, UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }

    fn config(&self, hello: Hello<'_>, witness: Arc<Witness>) -> ClientConfig {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("ring offers TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(witness)
            .with_no_client_auth();
        // A resumed session shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        config.enable_sni = hello.name != NameShown::None;
        let protocols: &[&[u8]] = if hello.http2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config
    }

    fn look(&self, detail: &mut TlsDetail, chain: &[CertificateDer<'static>], hello: Hello<'_>) {
        detail.chain = chain.len();
        let Some(leaf) = chain.first() else { return };
        detail.certificate = certificate(leaf);
        detail.product = chain.iter().find_map(product);
        let now = UnixTime::now();
        detail.bundle = verify(&self.bundle, chain, hello.host, now);
        detail.system = self.system.as_ref().and_then(|system| verify(system, chain, hello.host, now));
    }
}

impl Hello<'_> {
    fn asked(&self) -> &str {
        if self.name == NameShown::Neutral { NEUTRAL } else { self.host }
    }

    fn shown(&self) -> ServerNameUse {
        match self.name {
            NameShown::None => ServerNameUse::None,
            NameShown::Own | NameShown::Neutral => ServerNameUse::Name(self.asked().to_owned()),
        }
    }
}

/// The first message of a handshake for a host.
pub(super) fn hello(stores: &Stores, host: &str) -> Option<Vec<u8>> {
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut session = rustls::ClientConnection::new(Arc::new(stores.client()), name).ok()?;
    let mut message = Vec::new();
    session.write_tls(&mut message).ok()?;
    Some(message)
}

fn agreed<S>(detail: &mut TlsDetail, stream: &TlsStream<S>) {
    let (_, session) = stream.get_ref();
    detail.version = session.protocol_version().and_then(|version| version.as_str());
    detail.alpn = session.alpn_protocol().map(|protocol| printable(&String::from_utf8_lossy(protocol), 20));
}

/// What is wrong with a handshake that was completed.
fn judged(detail: &TlsDetail) -> Option<Failure> {
    let issuer = || detail.certificate.as_ref().map_or_else(|| "unreadable".to_owned(), |seen| seen.issuer.clone());
    match detail.bundle.as_ref()? {
        Trusted::Valid => None,
        Trusted::UnknownIssuer => Some(Failure::TlsUnknownIssuer { issuer: issuer() }),
        Trusted::WrongTime => Some(Failure::TlsInvalidCertificate("not valid at this time".to_owned())),
        Trusted::WrongName => Some(Failure::TlsInvalidCertificate("not for this name".to_owned())),
        Trusted::Invalid(reason) => Some(Failure::TlsInvalidCertificate(reason.clone())),
    }
}

fn verify(
    verifier: &WebPkiServerVerifier,
    chain: &[CertificateDer<'static>],
    host: &str,
    now: UnixTime,
) -> Option<Trusted> {
    let (leaf, intermediates) = chain.split_first()?;
    let name = ServerName::try_from(host.to_owned()).ok()?;
    Some(match verifier.verify_server_cert(leaf, intermediates, &name, &[], now) {
        Ok(_) => Trusted::Valid,
        Err(TlsError::InvalidCertificate(reason)) => trusted(&reason),
        Err(error) => Trusted::Invalid(printable(&error.to_string(), 160)),
    })
}

fn trusted(reason: &CertificateError) -> Trusted {
    match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Trusted::UnknownIssuer,
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Trusted::WrongTime,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Trusted::WrongName,
        other => Trusted::Invalid(printable(&other.to_string(), 160)),
    }
}

fn certificate(leaf: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
    Some(Certificate {
        subject: printable(&parsed.subject().to_string(), 160),
        issuer: printable(&parsed.issuer().to_string(), 160),
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
        key_sha256: hexadecimal(&Sha256::digest(parsed.public_key().raw)),
    })
}

/// The product that issued a certificate of the chain, or that the certificate is of.
fn product(shown: &CertificateDer<'static>) -> Option<String> {
    let (_, parsed) = x509_parser::parse_x509_certificate(shown).ok()?;
    let first = |part: &x509_parser::x509::AttributeTypeAndValue<'_>| part.as_str().ok().map(ToOwned::to_owned);
    let name = |name: &x509_parser::x509::X509Name<'_>| IssuerName {
        common_name: name.iter_common_name().next().and_then(first),
        organization: name.iter_organization().next().and_then(first),
    };
    issuer(&name(parsed.issuer())).map(|product| product.name.clone())
}

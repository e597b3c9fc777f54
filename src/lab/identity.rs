//! The lab's certification authority and the edge's certificate.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::NoServerSessionStorage;

use super::error::LabError;

/// The names that the edge's certificate is for.
pub const NAMES: [&str; 4] = ["*.cloudfront.net", "cloudfront.net", "lab.example.com", "*.example.com"];

/// What the edge proves itself with, and what a client must trust.
pub(super) struct Identity {
    pub(super) ca_pem: String,
    pub(super) server: Arc<ServerConfig>,
}

impl Identity {
    /// Makes a new authority, so that no key is ever worth anything outside the one lab.
    pub(super) fn new() -> Result<Self, LabError> {
        let authority = authority()?;
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(NAMES.map(str::to_owned))?;
        leaf.distinguished_name.push(DnType::CommonName, NAMES[0]);
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let certificate = leaf.signed_by(&key, &authority)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Nobody comes back: no memory for it.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self { ca_pem: authority.pem(), server: Arc::new(server) })
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, LabError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "egressd lab CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

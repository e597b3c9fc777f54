//! Fetches a file from a server that need not mean well: within a time, within a size, and over TLS wherever it redirects.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Proxy, Response, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use crate::endpoint::{EndpointUrl, ProxySource};
use crate::proxy::{Environment, ProxyAddress, ProxyAddressError, Route, Scheme};
use crate::text::printable;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Where it is.
    pub url: &'a EndpointUrl,
    /// What the server gave to recognise it by when it was fetched last.
    pub etag: Option<&'a str>,
    /// When it was changed then, as the server said.
    pub last_modified: Option<&'a str>,
    /// The most bytes that it may have.
    pub most_bytes: usize,
    /// How long all of it may take.
    pub within: Duration,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The server has what we have.
    NotModified,
    /// A body.
    Body {
        /// Its bytes.
        bytes: Vec<u8>,
        /// What the server recognises it by.
        etag: Option<String>,
        /// When it was changed, as the server says.
        last_modified: Option<String>,
    },
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The environment or the configuration names no proxy that can be used.
    #[error(transparent)]
    Proxy(#[from] ProxyAddressError),
    /// A proxy that speaks SOCKS.
    #[error("{0}: SOCKS is not spoken here")]
    Socks(String),
    /// It took too long.
    #[error("no whole answer within {} s", .0.as_secs())]
    Slow(Duration),
    /// The server answered with something else than the file.
    #[error("the server answers {0}")]
    Status(u16),
    /// It was packed although that was not asked for: nobody knows how large it would become.
    #[error("the answer is packed ({0}), which was not asked for")]
    Packed(String),
    /// More bytes than it may have.
    #[error("the answer has more than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// No connection, no TLS, a broken answer, or a redirection that is not followed.
    #[error("{0}")]
    Broken(String),
}

/// A way between two servers is short, and one that is asked for anything answers at once.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What is longer is no validator of a server, but an attempt to fill our disk.
const LONGEST_VALIDATOR: usize = 256;

const MOST_REDIRECTIONS: usize = 5;

/// Fetches one file.
///
/// What `roots`, the embedded bundle and the system's store vouch for is trusted: where TLS is inspected, the company's own
/// authority is in the last. What is fetched is judged by what it says.
///
/// # Errors
/// When nothing came within the bounds.
pub async fn fetch(
    wanted: &Wanted<'_>,
    proxy: &ProxySource,
    roots: &[CertificateDer<'static>],
) -> Result<Fetched, FetchError> {
    let client = client(wanted.url, proxy, roots)?;
    timeout(wanted.within, ask(&client, wanted)).await.map_err(|_| FetchError::Slow(wanted.within))?
}

fn client(url: &EndpointUrl, proxy: &ProxySource, roots: &[CertificateDer<'static>]) -> Result<Client, FetchError> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls(roots))
        .user_agent(concat!("egressd/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_WITHIN)
        .redirect(Policy::custom(follow))
        .referer(false)
        .no_proxy();
    let builder = match route(url, proxy)? {
        Route::Direct => builder,
        Route::Proxy(address) => builder.proxy(through(&address)?),
    };
    builder.build().map_err(|error| broken(&error))
}

fn tls(more: &[CertificateDer<'static>]) -> ClientConfig {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(more.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring offers TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn route(url: &EndpointUrl, proxy: &ProxySource) -> Result<Route, ProxyAddressError> {
    match proxy {
        ProxySource::Never => Ok(Route::Direct),
        ProxySource::Environment => Environment::new(|name| std::env::var(name).ok()).route(url.is_https(), url.host()),
        ProxySource::Url(address) => address.expose().parse().map(Route::Proxy),
    }
}

fn through(address: &ProxyAddress) -> Result<Proxy, FetchError> {
    if matches!(address.scheme, Scheme::Socks4 | Scheme::Socks5) {
        return Err(FetchError::Socks(address.to_string()));
    }
    let proxy = Proxy::all(address.to_string()).map_err(|error| broken(&error))?;
    Ok(match &address.credentials {
        Some(known) => proxy.basic_auth(&known.user, known.password.expose()),
        None => proxy,
    })
}

/// A redirection to a server that cannot prove who it is would make TLS worth nothing.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > MOST_REDIRECTIONS {
        return attempt.error(format!("more than {MOST_REDIRECTIONS} redirections"));
    }
    if attempt.url().scheme() != "https" {
        return attempt.error("a redirection to something else than https");
    }
    attempt.follow()
}

async fn ask(client: &Client, wanted: &Wanted<'_>) -> Result<Fetched, FetchError> {
    let mut request = client.get(wanted.url.as_str());
    // A server that is told both goes by the first (RFC 9110, 13.2.2).
    if let Some(etag) = wanted.etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    if let Some(date) = wanted.last_modified {
        request = request.header(IF_MODIFIED_SINCE, date);
    }
    let response = request.send().await.map_err(|error| broken(&error))?;
    let conditional = wanted.etag.is_some() || wanted.last_modified.is_some();
    match response.status() {
        StatusCode::OK => body(response, wanted.most_bytes).await,
        StatusCode::NOT_MODIFIED if conditional => Ok(Fetched::NotModified),
        status => Err(FetchError::Status(status.as_u16())),
    }
}

async fn body(mut response: Response, most_bytes: usize) -> Result<Fetched, FetchError> {
    let headers = response.headers();
    if let Some(coding) = headers.get(CONTENT_ENCODING).filter(|coding| *coding != "identity") {
        return Err(FetchError::Packed(printable(&String::from_utf8_lossy(coding.as_bytes()), 40)));
    }
    let (etag, last_modified) = (validator(headers, &ETAG), validator(headers, &LAST_MODIFIED));
    let too_large = |length: u64| length > most_bytes as u64;
    if response.content_length().is_some_and(too_large) {
        return Err(FetchError::TooLarge(most_bytes));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if too_large((bytes.len() + chunk.len()) as u64) {
            return Err(FetchError::TooLarge(most_bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Fetched::Body { bytes, etag, last_modified })
}

/// A header that is to be sent back: as long as it is short and prints.
fn validator(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty() && text.len() <= LONGEST_VALIDATOR).then(|| text.to_owned())
}

/// What is wrong, down to its cause, without the URL, which may hold a secret.
fn broken(error: &reqwest::Error) -> FetchError {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push(inner.to_string());
        cause = inner.source();
    }
    // Of causes that repeat each other the last one says most.
    let text =
        words.pop().unwrap_or_else(|| if error.is_timeout() { "timed out".to_owned() } else { "broken".to_owned() });
    let place = match () {
        () if error.is_connect() => "no connection",
        () if error.is_redirect() => "a redirection that is not followed",
        () if error.is_body() || error.is_decode() => "the answer broke off",
        () => "the server could not be asked",
    };
    FetchError::Broken(format!("{place}: {}", printable(&text, 200)))
}

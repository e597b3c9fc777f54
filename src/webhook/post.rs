//! Delivers events: to the configured URL and nowhere else.

use std::path::PathBuf;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use sha2::Sha256;
use tokio::time::sleep;

use super::queue::Queue;
use super::{Event, told};
use crate::endpoint::{EndpointUrl, HeaderSource};
use crate::metrics::Delivery;
use crate::secret::Secret;
use crate::text::hexadecimal;

/// The header with the signature.
pub const SIGNATURE: HeaderName = HeaderName::from_static("egressd-signature");

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The variable is not set, or no text.
    #[error("the key of the webhook is to come from ${0}, which is not set")]
    Variable(String),
    /// The file cannot be read.
    #[error("cannot read the key of the webhook from {}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The key is empty.
    #[error("the key of the webhook is empty")]
    Empty,
    /// The client library refuses.
    #[error("cannot make a client for the webhook")]
    Client(#[source] reqwest::Error),
}

/// Posts to one place.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    url: String,
    key: Secret,
}

/// What a try came to.
enum Tried {
    Taken,
    Refused(String),
    Again(String),
}

/// A receiver that takes longer hangs.
const WITHIN: Duration = Duration::from_secs(10);
/// Twice as long after each try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// But no longer.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// With the pauses between them a quarter of an hour or more: a restart of the receiver is bridged.
const TRIES: u32 = 12;

impl Sender {
    pub(super) fn new(
        url: &EndpointUrl,
        key: &HeaderSource,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, SenderError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls(roots))
            .redirect(Policy::none())
            .timeout(WITHIN)
            .pool_max_idle_per_host(1)
            .build()
            .map_err(SenderError::Client)?;
        Ok(Self { client, url: url.as_str().to_owned(), key: read(key)? })
    }

    /// One event after the other, for ever.
    pub(super) async fn deliver(&self, queue: &Queue) {
        loop {
            let event = queue.next().await;
            let (outcome, why) = self.tried(&event).await;
            told(&queue.live, outcome, &event.id, &why);
        }
    }

    async fn tried(&self, event: &Event) -> (Delivery, String) {
        let mut last = String::new();
        for wait in pauses() {
            sleep(wait).await;
            match self.send(event).await {
                Tried::Taken => return (Delivery::Delivered, String::new()),
                Tried::Refused(why) => return (Delivery::Refused, why),
                Tried::Again(why) => last = why,
            }
        }
        (Delivery::GivenUp, last)
    }

    async fn send(&self, event: &Event) -> Tried {
        let signed = signature(self.key.expose(), Timestamp::now(), &event.body);
        let request = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("egressd/", env!("CARGO_PKG_VERSION")))
            .header(SIGNATURE, HeaderValue::from_str(&signed).expect("digits and letters"))
            .body(event.body.clone());
        match request.send().await {
            // What it answers besides is not read.
            Ok(response) => judged(response.status()),
            // The URL may have a key in it.
            Err(error) => Tried::Again(error.without_url().to_string()),
        }
    }
}

/// The value of the header: the time, and HMAC-SHA256 over the time, a full stop and the body. Whoever checks it also checks
/// that the time is not long ago, so that nobody can send the same again.
#[must_use]
pub fn signature(key: &str, at: Timestamp, body: &str) -> String {
    let at = at.as_second();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hexadecimal(&mac.finalize().into_bytes()))
}

/// A receiver that is asked too often or is not there now may take it later; one that says no has said so.
fn judged(status: StatusCode) -> Tried {
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    match status {
        _ if status.is_success() => Tried::Taken,
        _ if status.is_server_error() || later.contains(&status) => Tried::Again(status.to_string()),
        _ => Tried::Refused(status.to_string()),
    }
}

fn pauses() -> impl Iterator<Item = Duration> {
    let growing = (0..TRIES - 1).map(|tried| (FIRST_PAUSE * 2_u32.pow(tried)).min(LONGEST_PAUSE));
    std::iter::once(Duration::ZERO).chain(growing)
}

/// What other programs of this host trust, the embedded bundle, and what is configured.
fn tls(roots: &[CertificateDer<'static>]) -> ClientConfig {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store.add_parsable_certificates(roots.iter().cloned());
    ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring offers TLS 1.2 and 1.3")
        .with_root_certificates(store)
        .with_no_client_auth()
}

fn read(key: &HeaderSource) -> Result<Secret, SenderError> {
    let text = match key {
        HeaderSource::Value(secret) => secret.expose().to_owned(),
        HeaderSource::Environment { env } => std::env::var(env).map_err(|_| SenderError::Variable(env.clone()))?,
        HeaderSource::File { file } => std::fs::read_to_string(file)
            .map_err(|source| SenderError::File { file: file.clone(), source })?
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    };
    if text.is_empty() { Err(SenderError::Empty) } else { Ok(Secret::new(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_openssl_makes_of_it() {
        // printf 1732147200.{} | openssl dgst -sha256 -hmac key
        let signed = signature("key", Timestamp::from_second(1_732_147_200).unwrap(), "{}");
        assert_eq!(signed, "t=1732147200,v1=a1c6b8c2969723f0e3cca676242f7cfaba8ec4d2b6ff8e66220a9133d3d63c9d");
    }

    #[test]
    fn a_receiver_that_is_away_for_a_quarter_of_an_hour_is_told() {
        let all: Vec<Duration> = pauses().collect();
        assert_eq!((all.len(), all[0], all[1]), (12, Duration::ZERO, FIRST_PAUSE));
        let whole: Duration = all.iter().sum();
        assert!(whole > Duration::from_mins(15) && all.iter().all(|pause| *pause <= LONGEST_PAUSE), "{whole:?}");
    }

    #[test]
    fn who_says_no_is_not_asked_again() {
        for (status, again) in
            [(500, true), (503, true), (429, true), (408, true), (404, false), (401, false), (302, false)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(matches!(judged(status), Tried::Again(_)), again, "{status}");
        }
        assert!(matches!(judged(StatusCode::NO_CONTENT), Tried::Taken));
    }
}

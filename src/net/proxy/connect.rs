//! `CONNECT`: a tunnel through an HTTP proxy over any connection to it, or what the proxy answered instead.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::pin;

use data_encoding::BASE64;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{HOST, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use hyper::upgrade::{self, Parts};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::fingerprint::BODY_BYTES;
use crate::proxy::Credentials;
use crate::text::printable;

/// More headers than any proxy sends.
const MOST_HEADERS: usize = 100;
/// Larger heads are refused.
const HEAD_BYTES: usize = 64 << 10;
/// More schemes than there are.
const MOST_SCHEMES: usize = 16;

/// Why there is no tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyAnswer {
    /// The proxy answered with something else than success.
    Refused(Refusal),
    /// It closed the connection, or its answer cannot be read; the text says which.
    Broken(String),
}

/// An answer to `CONNECT` that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status: 407 where the proxy wants to know who asks, 403 for most other refusals.
    pub status: u16,
    /// The names of the schemes that it takes to authenticate, of all its `Proxy-Authenticate` headers, as they are written.
    pub schemes: Vec<String>,
    /// All headers; what is not text is escaped.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body, as far as fingerprints look.
    pub body: Vec<u8>,
}

/// Asks the proxy at the other end of the connection for a tunnel to the host and port.
///
/// The caller limits the time. Dropping the future closes the connection.
pub async fn connect<S>(stream: S, host: &str, port: u16, credentials: Option<&Credentials>) -> Result<S, ProxyAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = request(host, port, credentials)?;
    let mut builder = Builder::new();
    builder.max_headers(MOST_HEADERS).max_buf_size(HEAD_BYTES);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    driven(ask(sender, request), connection.with_upgrades()).await
}

/// The answer, while the connection that brings it is worked.
async fn driven<T>(answer: impl Future<Output = T>, connection: impl Future<Output = hyper::Result<()>>) -> T {
    let (mut answer, mut connection) = (pin!(answer), pin!(connection));
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The connection has nothing more to do: what it brought is there.
        _ = &mut connection => answer.await,
    }
}

async fn ask<S>(mut sender: SendRequest<Empty<Bytes>>, request: Request<Empty<Bytes>>) -> Result<S, ProxyAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    if !response.status().is_success() {
        return Err(ProxyAnswer::Refused(refusal(response).await));
    }
    let upgraded = upgrade::on(response).await.map_err(|error| broken(&error))?;
    let parts: Parts<TokioIo<S>> = upgraded.downcast().map_err(|_| ()).expect("the connection that was given");
    // A server waits for its client, in TLS as in HTTP: whoever speaks first is not the server.
    if parts.read_buf.is_empty() {
        Ok(parts.io.into_inner())
    } else {
        Err(ProxyAnswer::Broken("something follows the head of the answer".to_owned()))
    }
}

fn request(host: &str, port: u16, credentials: Option<&Credentials>) -> Result<Request<Empty<Bytes>>, ProxyAnswer> {
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = Request::builder().method(Method::CONNECT).uri(authority.as_str()).header(HOST, &authority);
    if let Some(known) = credentials {
        request = request.header(PROXY_AUTHORIZATION, basic(known));
    }
    let named = |request: &Request<_>| request.uri().host().is_some_and(|host| !host.is_empty());
    let no_target = || ProxyAnswer::Broken(format!("`{}` cannot be asked for", printable(&authority, 80)));
    request.body(Empty::new()).ok().filter(named).ok_or_else(no_target)
}

/// What tells a proxy who asks (RFC 7617).
pub(crate) fn basic(known: &Credentials) -> HeaderValue {
    let encoded = BASE64.encode(format!("{}:{}", known.user, known.password.expose()).as_bytes());
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).expect("base64 is printable");
    value.set_sensitive(true);
    value
}

async fn refusal(response: Response<Incoming>) -> Refusal {
    let headers = response.headers();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let wants = response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    let challenges = headers.get_all(PROXY_AUTHENTICATE).iter().filter(|_| wants);
    Refusal {
        status: response.status().as_u16(),
        schemes: challenges.flat_map(|value| schemes(&text(value))).take(MOST_SCHEMES).collect(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: beginning(response.into_body()).await,
    }
}

/// The names of the schemes in a `Proxy-Authenticate`, which may hold several challenges (RFC 9110, 11.6.1).
///
/// Between commas stands a parameter, which has a `=` behind its first word, or a challenge, which has not.
fn schemes(header: &str) -> Vec<String> {
    let first_word = |part: &str| {
        let part = part.trim_start();
        let end = part.find([' ', '\t', '=']).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        let parameter = rest.trim_start().starts_with('=');
        (!parameter && !word.is_empty()).then(|| printable(word, 30))
    };
    outside_quotes(header).iter().filter_map(|part| first_word(part)).collect()
}

/// The parts between commas; one inside quotes separates nothing.
fn outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// As much of the body as comes, up to the bound.
async fn beginning(mut body: Incoming) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < BODY_BYTES {
        let Some(Ok(frame)) = body.frame().await else { break };
        if let Some(data) = frame.data_ref() {
            read.extend_from_slice(&data[..data.len().min(BODY_BYTES - read.len())]);
        }
    }
    read
}

fn broken(error: &hyper::Error) -> ProxyAnswer {
    let text = if error.is_parse_too_large() {
        "the head of the answer is too large"
    } else if error.is_parse() {
        "the answer is not HTTP"
    } else {
        "the connection ended before an answer"
    };
    ProxyAnswer::Broken(text.to_owned())
}

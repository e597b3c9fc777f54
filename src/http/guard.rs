//! What every request has to pass before it reaches a route.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::Access;
use super::problem::Problem;

/// Who is let in, and under which names this server is asked for.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) access: Access,
    /// In lower case.
    pub(super) hosts: Vec<String>,
}

/// How a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// From this host or another.
    Tcp,
    /// Through a file, whose permissions say who may.
    Unix,
}

/// No route takes a body; what a careful client sends along is smaller.
const MOST_BODY_BYTES: u64 = 4096;

/// What an orchestrator asks, which has no credentials; the answers say nothing of the site.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

pub(super) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let passed = match gate.vet(&request) {
        Ok(Some(headers)) => gate.access.admit(headers, Instant::now()).await,
        Ok(None) => Ok(()),
        Err(problem) => Err(problem),
    };
    let mut response = match passed {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    harden(response.headers_mut());
    response
}

impl Gate {
    /// All that can be said at once; the headers where credentials are still to be looked for in them.
    fn vet<'a>(&self, request: &'a Request) -> Result<Option<&'a HeaderMap>, Problem> {
        refuse_body(request)?;
        refuse_other_sites(request)?;
        if request.extensions().get() == Some(&Peer::Unix) {
            return Ok(None);
        }
        // A browser sends no credentials to a name that an attacker points here: there is nothing to protect then.
        if !self.access.is_guarded() {
            self.refuse_foreign_name(request)?;
            return Ok(None);
        }
        Ok(Some(request.headers()).filter(|_| !OPEN.contains(&request.uri().path())))
    }

    /// Against pages whose name leads to this host (DNS rebinding).
    fn refuse_foreign_name(&self, request: &Request) -> Result<(), Problem> {
        let names = request.headers().get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or_default());
        let asked: Vec<&str> = names.chain(request.uri().host()).collect();
        if asked.iter().all(|name| self.is_own(host_of(name))) {
            return Ok(());
        }
        let detail = "this server is not asked for by that name";
        Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).hint(Some("`http.hosts` lists further names")))
    }

    fn is_own(&self, host: &str) -> bool {
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        address.parse::<IpAddr>().is_ok()
            || host.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

/// Without the port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn refuse_body(request: &Request) -> Result<(), Problem> {
    if request.body().size_hint().upper().is_some_and(|bytes| bytes <= MOST_BODY_BYTES) {
        return Ok(());
    }
    // What is on its way is not read.
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "no request here has a body")
        .with(header::CONNECTION, HeaderValue::from_static("close")))
}

/// A page of another site can have a browser send a POST, though not read the answer.
fn refuse_other_sites(request: &Request) -> Result<(), Problem> {
    if request.method().is_safe() {
        return Ok(());
    }
    let headers = request.headers();
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let own = text(header::HOST).unwrap_or_default();
    let foreign =
        text(header::ORIGIN).is_some_and(|origin| origin.split_once("://").map(|(_, host)| host) != Some(own));
    if foreign || site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(Problem::new(StatusCode::FORBIDDEN, "a page of another site may not ask for this"));
    }
    Ok(())
}

/// For browsers: nothing here is a script, a frame or another site's business.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
}

/// The answer to a method that a route does not have.
pub(super) async fn wrong_method(method: Method) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for this resource"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::http::HttpConfig;
    use axum::body::Body;

    fn gate() -> Gate {
        Gate { access: Access::read(&HttpConfig::default()).unwrap(), hosts: vec!["watch.example".to_owned()] }
    }

    fn status(method: Method, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri("/api/v1/check");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        gate().vet(&request).map_or_else(|problem| problem.into_response().status().as_u16(), |_| 200)
    }

    #[test]
    fn names_that_lead_here_by_chance_are_refused() {
        for (host, expected) in [
            ("127.0.0.1:9817", 200),
            ("[::1]:9817", 200),
            ("localhost:9817", 200),
            ("LOCALHOST", 200),
            ("Watch.Example:80", 200),
            ("10.1.2.3", 200),
            ("rebound.attacker.example:9817", 421),
            ("localhost.attacker.example", 421),
            ("", 421),
        ] {
            assert_eq!(status(Method::GET, &[("host", host)]), expected, "{host}");
        }
        assert_eq!(status(Method::GET, &[]), 200, "HTTP/1.0");
        assert_eq!(status(Method::GET, &[("host", "localhost"), ("host", "attacker.example")]), 421);
    }

    #[test]
    fn pages_of_other_sites_cannot_have_anything_done() {
        let local = ("host", "127.0.0.1:9817");
        for (headers, expected) in [
            (vec![local], 200),
            (vec![local, ("origin", "http://127.0.0.1:9817"), ("sec-fetch-site", "same-origin")], 200),
            (vec![local, ("origin", "http://attacker.example")], 403),
            (vec![local, ("origin", "null")], 403),
            (vec![local, ("sec-fetch-site", "cross-site")], 403),
            (vec![local, ("sec-fetch-site", "same-site")], 403),
        ] {
            assert_eq!(status(Method::POST, &headers), expected, "{headers:?}");
            assert_eq!(status(Method::GET, &headers), 200, "{headers:?}");
        }
    }

    #[test]
    fn bodies_are_not_even_read() {
        let request = |body: Body| Request::builder().method("POST").body(body).unwrap();
        assert!(refuse_body(&request(Body::from(vec![0; 4096]))).is_ok());
        assert!(refuse_body(&request(Body::from(vec![0; 4097]))).is_err());
        let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0; 1024]));
        assert!(refuse_body(&request(Body::from_stream(endless))).is_err());
    }
}

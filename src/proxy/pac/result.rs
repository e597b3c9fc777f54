//! What `FindProxyForURL` answers: ways to the server, in the order in which they are to be tried.

use crate::proxy::address::place_of;
use crate::proxy::{ProxyAddress, Route, Scheme};
use crate::text::printable;

/// The answer of a script is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the script answers `{0}`, which names no proxy")]
pub struct RoutesError(String);

/// More than anybody can try.
const MOST_ROUTES: usize = 32;

/// Reads `PROXY a:1; SOCKS b:2; HTTPS c:3; DIRECT`.
///
/// An empty answer is `DIRECT`. Browsers leave out what they cannot read, and so does this.
///
/// # Errors
/// Nothing of it can be read.
pub fn routes(text: &str) -> Result<Vec<Route>, RoutesError> {
    let entries: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).take(MOST_ROUTES).collect();
    if entries.is_empty() {
        return Ok(vec![Route::Direct]);
    }
    let routes: Vec<Route> = entries.iter().filter_map(|entry| route(entry)).collect();
    if routes.is_empty() { Err(RoutesError(printable(text, 80))) } else { Ok(routes) }
}

fn route(entry: &str) -> Option<Route> {
    let mut words = entry.split_whitespace();
    let (kind, place) = (words.next()?.to_ascii_uppercase(), words.next());
    if kind == "DIRECT" {
        return place.is_none().then_some(Route::Direct);
    }
    // The default ports are those of Chromium.
    let (scheme, default_port) = match kind.as_str() {
        "PROXY" | "HTTP" => (Scheme::Http, 80),
        "HTTPS" => (Scheme::Https, 443),
        "SOCKS" | "SOCKS4" => (Scheme::Socks4, 1080),
        "SOCKS5" => (Scheme::Socks5, 1080),
        _ => return None,
    };
    let (host, port) = place_of(place?, default_port).ok()?;
    let proxy = ProxyAddress { scheme, host: host.to_owned(), port, credentials: None };
    words.next().is_none().then_some(Route::Proxy(proxy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_browsers_read_them() {
        for (text, due) in [
            ("DIRECT", "direct"),
            ("", "direct"),
            (" ; ", "direct"),
            ("PROXY a.example:3128", "http://a.example:3128"),
            ("proxy a.example", "http://a.example:80"),
            (
                "PROXY a:1; SOCKS b:2; HTTPS c:3; SOCKS5 d; DIRECT",
                "http://a:1 socks4://b:2 https://c:3 socks5://d:1080 direct",
            ),
            ("PROXY [2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
            ("QUIC a:1; PROXY b:2", "http://b:2"),
            ("PROXY a:1 b; DIRECT x; PROXY; PROXY c:3;", "http://c:3"),
        ] {
            let read: Vec<String> = routes(text).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(read.join(" "), due, "{text}");
        }
        assert_eq!(routes(&"DIRECT;".repeat(10_000)).unwrap().len(), MOST_ROUTES);
    }

    #[test]
    fn an_answer_without_a_proxy_is_an_error() {
        for text in ["null", "PROXY a:0", "PROXY a b", "PROXY user@a:1", "PROXY a\u{7}:1", "[object Object]"] {
            assert!(routes(text).is_err(), "{text}");
        }
        assert_eq!(
            routes("x\u{1b}[m").unwrap_err().to_string(),
            "the script answers `x\\u{1b}[m`, which names no proxy"
        );
    }
}

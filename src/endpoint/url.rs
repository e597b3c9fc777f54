//! The URL of an endpoint.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// An `https` or `http` URL with a host, and without a name or password in it.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointUrl(Url);

/// Why a text is not the URL of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointUrlError {
    /// It is no URL.
    #[error("`{text}` is not a URL: {reason}")]
    Syntax {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another scheme.
    #[error("the scheme of `{0}` must be https or http")]
    Scheme(String),
    /// Credentials would end up in reports.
    #[error("a URL must not hold a name or password: put them into a header, from a file or the environment")]
    Credentials,
}

/// Longer URLs are refused by common servers.
const LONGEST: usize = 8000;

impl EndpointUrl {
    /// Reads it.
    pub fn parse(text: &str) -> Result<Self, EndpointUrlError> {
        let shown = || crate::text::printable(text, 80);
        if text.len() > LONGEST {
            return Err(EndpointUrlError::Syntax { text: shown(), reason: "longer than 8000 characters".to_owned() });
        }
        let url =
            Url::parse(text).map_err(|error| EndpointUrlError::Syntax { text: shown(), reason: error.to_string() })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(EndpointUrlError::Scheme(shown()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointUrlError::Credentials);
        }
        Ok(Self(url))
    }

    /// Whether it is asked over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.0.host_str().expect("both schemes have a host");
        host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().expect("both schemes have a port")
    }

    /// The host, and the port where it is not the scheme's own: the `Host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.0.host_str().expect("both schemes have a host");
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Path and query, as they stand in a request.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.0[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// The whole, with what must not be shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The whole without its query, which may hold a signature: for reports.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.0[..url::Position::AfterPath]
    }

    /// Whether both are of one site: the last two labels of their names are the same.
    #[must_use]
    pub fn is_same_site(&self, other: &Self) -> bool {
        let site = |url: &Self| {
            let labels: Vec<&str> = url.host().rsplit('.').take(2).collect();
            labels.join(".")
        };
        let numbered = self.host().parse::<std::net::IpAddr>().is_ok();
        if numbered { self.host() == other.host() } else { site(self) == site(other) }
    }

    /// Where a redirection from here leads; none when that is no URL of these schemes.
    #[must_use]
    pub fn join(&self, location: &str) -> Option<Self> {
        Self::parse(self.0.join(location).ok()?.as_str()).ok()
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = EndpointUrlError;

    fn try_from(text: String) -> Result<Self, EndpointUrlError> {
        Self::parse(&text)
    }
}

impl From<EndpointUrl> for String {
    fn from(url: EndpointUrl) -> Self {
        url.shown().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_a_request_needs() {
        let url = EndpointUrl::parse("https://cdn.example.com:8443/a%20b?sig=1#x").unwrap();
        assert_eq!((url.host(), url.port(), url.is_https()), ("cdn.example.com", 8443, true));
        assert_eq!((url.authority().as_str(), url.target()), ("cdn.example.com:8443", "/a%20b?sig=1"));
        assert_eq!(url.shown(), "https://cdn.example.com:8443/a%20b");
        let v6 = EndpointUrl::parse("http://[2600:9000::1]/").unwrap();
        assert_eq!((v6.host(), v6.port(), v6.authority().as_str()), ("2600:9000::1", 80, "[2600:9000::1]"));
        assert_eq!(url.join("/c").unwrap().target(), "/c");
        assert!(url.join("ftp://a/").is_none());
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for wrong in ["", "cdn.example.com", "ftp://a/", "https://", "https://user:pw@a/", "https://a\u{0}/"] {
            EndpointUrl::parse(wrong).expect_err(wrong);
        }
        assert!(EndpointUrl::parse(&format!("https://a/{}", "x".repeat(9000))).is_err());
    }
}

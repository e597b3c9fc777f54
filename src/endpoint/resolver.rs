//! Resolvers that are asked besides the system's own.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::EndpointUrl;
use crate::text::printable;

/// A resolver and how it is asked: `udp://192.0.2.53`, `tcp://192.0.2.53:5353` or `https://dns.example/dns-query`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Resolver {
    /// Datagrams, as most are asked.
    Udp(SocketAddr),
    /// A connection.
    Tcp(SocketAddr),
    /// DNS over HTTPS, RFC 8484.
    Https(EndpointUrl),
}

/// Why a text names no resolver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a resolver: write udp://ADDRESS[:PORT], tcp://ADDRESS[:PORT] or https://HOST/PATH", printable(.0, 80))]
pub struct ResolverError(String);

impl TryFrom<String> for Resolver {
    type Error = ResolverError;

    fn try_from(text: String) -> Result<Self, ResolverError> {
        let read = match text.split_once("://") {
            Some(("udp", address)) => socket(address).map(Self::Udp),
            Some(("tcp", address)) => socket(address).map(Self::Tcp),
            Some(("https", _)) => EndpointUrl::parse(&text).ok().map(Self::Https),
            _ => None,
        };
        read.ok_or(ResolverError(text))
    }
}

fn socket(text: &str) -> Option<SocketAddr> {
    let bare = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    text.parse().ok().or_else(bare)
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(address) => write!(f, "udp://{address}"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Https(url) => f.write_str(url.shown()),
        }
    }
}

impl From<Resolver> for String {
    fn from(resolver: Resolver) -> Self {
        resolver.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_written_as_urls() {
        let read = |text: &str| Resolver::try_from(text.to_owned());
        assert_eq!(read("udp://192.0.2.53").unwrap().to_string(), "udp://192.0.2.53:53");
        assert_eq!(read("tcp://[2001:db8::53]:54").unwrap().to_string(), "tcp://[2001:db8::53]:54");
        assert_eq!(read("https://dns.example/dns-query").unwrap().to_string(), "https://dns.example/dns-query");
        for wrong in ["", "192.0.2.53", "udp://dns.example", "quic://192.0.2.53", "https://"] {
            read(wrong).expect_err(wrong);
        }
    }
}

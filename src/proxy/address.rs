//! The address of a proxy, and what it wants to know of us.

use std::fmt;
use std::str::FromStr;

use crate::secret::Secret;
use crate::text::printable;

/// Where a proxy listens, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    /// What it speaks.
    pub scheme: Scheme,
    /// Host name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What is told to it when it asks, if anything.
    pub credentials: Option<Credentials>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// HTTP.
    Http,
    /// HTTP inside TLS.
    Https,
    /// SOCKS 4.
    Socks4,
    /// SOCKS 5.
    Socks5,
}

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// Why a text is not the address of a proxy. The text is shown without what stands before an `@`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyAddressError {
    /// Neither http nor https nor SOCKS.
    #[error("the proxy `{0}` must be http, https, socks4 or socks5")]
    Scheme(String),
    /// No host.
    #[error("the proxy `{0}` has no host name or address")]
    Host(String),
    /// Not a port.
    #[error("the port of the proxy `{0}` must be from 1 to 65535")]
    Port(String),
    /// Bytes of name or password are not written as they must be.
    #[error(
        "name or password of the proxy `{0}` must be text, with `%` and two hexadecimal digits for what is special"
    )]
    Credentials(String),
}

/// As long as a host name can be (RFC 1035, 2.3.4).
const LONGEST_HOST: usize = 253;

impl FromStr for ProxyAddress {
    type Err = ProxyAddressError;

    /// `[scheme://][user[:password]@]host[:port]`; without a scheme it is http, as for curl. What follows a `/` is no
    /// part of the address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || without_credentials(text);
        let (scheme, rest) = match text.trim().split_once("://") {
            Some((name, rest)) => (Scheme::named(name).ok_or_else(|| ProxyAddressError::Scheme(shown()))?, rest),
            None => (Scheme::Http, text.trim()),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user_info, place) = match authority.rsplit_once('@') {
            Some((user_info, place)) => (Some(user_info), place),
            None => (None, authority),
        };
        let (host, port) = place_of(place, scheme.default_port()).map_err(|wrong| match wrong {
            Wrong::Host => ProxyAddressError::Host(shown()),
            Wrong::Port => ProxyAddressError::Port(shown()),
        })?;
        let credentials = user_info.map(|text| Credentials::parse(text).ok_or(())).transpose();
        let credentials = credentials.map_err(|()| ProxyAddressError::Credentials(shown()))?;
        Ok(Self { scheme, host: host.to_owned(), port, credentials })
    }
}

/// What is wrong with `host[:port]`.
pub(super) enum Wrong {
    Host,
    Port,
}

/// `host[:port]`, with an IPv6 address in brackets.
pub(super) fn place_of(text: &str, default_port: u16) -> Result<(&str, u16), Wrong> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inside) => inside.split_once(']').ok_or(Wrong::Host)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if !is_host(host) {
        return Err(Wrong::Host);
    }
    let port = match rest.strip_prefix(':') {
        Some("") => Some(default_port),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        Some(_) => None,
        None => rest.is_empty().then_some(default_port),
    };
    port.filter(|&port| port > 0).map(|port| (host, port)).ok_or(Wrong::Port)
}

/// Characters of a host name or an address, and no others: the text goes into requests.
fn is_host(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
    (1..=LONGEST_HOST).contains(&text.len()) && text.bytes().all(allowed)
}

fn without_credentials(text: &str) -> String {
    let (before, after) = text.rsplit_once('@').map_or(("", text), |(before, after)| (before, after));
    let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default();
    printable(&format!("{scheme}{after}"), 80)
}

impl Credentials {
    /// `user[:password]`, each percent-encoded.
    fn parse(text: &str) -> Option<Self> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Some(Self { user: decoded(user)?, password: Secret::new(decoded(password)?) })
    }
}

/// Text without percent-encoding; none if it is not text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

impl Scheme {
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            "socks4" | "socks4a" => Some(Self::Socks4),
            "socks" | "socks5" | "socks5h" => Some(Self::Socks5),
            _ => None,
        }
    }

    /// The name in a URL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks4 => "socks4",
            Self::Socks5 => "socks5",
        }
    }

    /// The port where none is named: that of curl, which takes 1080 for all but https.
    fn default_port(self) -> u16 {
        if self == Self::Https { 443 } else { 1080 }
    }
}

impl fmt::Display for ProxyAddress {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{}://[{host}]:{port}", scheme.name())
        } else {
            write!(f, "{}://{host}:{port}", scheme.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, due) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("proxy.example", "http://proxy.example:1080"),
            ("https://proxy.example", "https://proxy.example:443"),
            ("HTTP://10.0.0.1:8080/", "http://10.0.0.1:8080"),
            ("http://[2001:db8::1]:8080/x?y", "http://[2001:db8::1]:8080"),
            ("socks5h://proxy.example:1080", "socks5://proxy.example:1080"),
            ("socks4://proxy.example", "socks4://proxy.example:1080"),
            ("http://user:p%40ss@proxy.example:3128", "http://proxy.example:3128"),
            (" http://proxy.example:3128 ", "http://proxy.example:3128"),
        ] {
            assert_eq!(text.parse::<ProxyAddress>().unwrap().to_string(), due, "{text}");
        }
    }

    #[test]
    fn credentials_are_read_and_not_shown() {
        let proxy: ProxyAddress = "http://me%3a:p%40ss:w@rd@proxy.example:3128".parse().unwrap();
        let known = proxy.credentials.clone().unwrap();
        assert_eq!((known.user.as_str(), known.password.expose()), ("me:", "p@ss:w@rd"));
        assert!(!format!("{proxy} {proxy:?}").contains("p@ss"));
        let nameless: ProxyAddress = "user@proxy.example".parse().unwrap();
        assert_eq!(nameless.credentials.unwrap().password.expose(), "");
    }

    #[test]
    fn what_is_no_address_is_refused_and_its_password_not_shown() {
        for text in [
            "",
            "http://",
            "http://:3128",
            "ftp://user:hunter2@proxy.example",
            "http://user:hunter2@proxy.example:0",
            "http://user:hunter2@proxy.example:65536",
            "http://user:hunter2@proxy.example:+80",
            "http://user:hunter2@proxy example",
            "http://user:hunter2@proxy.example\r\nX: y",
            "http://user:hunter2@[::1",
            "http://user:hunter2@[::1]x",
            "http://us%er:hunter2@proxy.example",
            "http://us%0d%0aer:hunter2@proxy.example",
            "http://us%ffer:hunter2@proxy.example",
        ] {
            let error = text.parse::<ProxyAddress>().unwrap_err().to_string();
            assert!(!error.contains("hunter2") && !error.contains('\r'), "{error}");
        }
        assert!(format!("http://{}", "x".repeat(254)).parse::<ProxyAddress>().is_err());
    }
}

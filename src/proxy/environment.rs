//! The proxies that the environment names.

use super::{Exceptions, ProxyAddress, ProxyAddressError, Route};
use crate::secret::Secret;

/// What the environment says of proxies, with the meaning that curl gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    http: Option<Secret>,
    https: Option<Secret>,
    exceptions: Exceptions,
}

impl Environment {
    /// Reads the variables, which `read` gives by name.
    ///
    /// A name in lower case goes before the same in capitals, and an empty value is none. `HTTP_PROXY` does not count: in a
    /// CGI program it would hold a request's header.
    #[must_use]
    pub fn new(read: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| read(name).filter(|value| !value.is_empty()));
        let all = first(&["all_proxy", "ALL_PROXY"]);
        let secret = |value: Option<String>| value.or_else(|| all.clone()).map(Secret::new);
        Self {
            http: secret(first(&["http_proxy"])),
            https: secret(first(&["https_proxy", "HTTPS_PROXY"])),
            exceptions: Exceptions::parse(&first(&["no_proxy", "NO_PROXY"]).unwrap_or_default()),
        }
    }

    /// The way to a host, for a URL with `https` or without.
    ///
    /// # Errors
    /// The variable that applies holds no address.
    pub fn route(&self, https: bool, host: &str) -> Result<Route, ProxyAddressError> {
        let named = if https { &self.https } else { &self.http };
        match named {
            Some(proxy) if !self.exceptions.covers(host) => proxy.expose().parse::<ProxyAddress>().map(Route::Proxy),
            _ => Ok(Route::Direct),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(variables: &[(&str, &str)], https: bool, host: &str) -> String {
        let read =
            |asked: &str| variables.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
        Environment::new(read).route(https, host).map_or_else(|error| error.to_string(), |route| route.to_string())
    }

    #[test]
    fn the_variable_that_applies_names_the_proxy() {
        for (variables, https, due) in [
            (&[][..], true, "direct"),
            (&[("https_proxy", "http://a:1")], true, "http://a:1"),
            (&[("HTTPS_PROXY", "http://a:1")], true, "http://a:1"),
            (&[("https_proxy", "http://a:1"), ("HTTPS_PROXY", "http://b:2")], true, "http://a:1"),
            (&[("https_proxy", ""), ("HTTPS_PROXY", "http://b:2")], true, "http://b:2"),
            (&[("https_proxy", "http://a:1")], false, "direct"),
            (&[("http_proxy", "http://a:1")], false, "http://a:1"),
            (&[("HTTP_PROXY", "http://a:1")], false, "direct"),
            (&[("ALL_PROXY", "http://c:3")], true, "http://c:3"),
            (&[("all_proxy", "socks5://c:3"), ("https_proxy", "http://a:1")], true, "http://a:1"),
            (&[("https_proxy", "http://a:1"), ("no_proxy", "host.example")], true, "direct"),
            (&[("https_proxy", "http://a:1"), ("NO_PROXY", "example")], true, "direct"),
            (&[("https_proxy", "http://a:1"), ("no_proxy", "other.example"), ("NO_PROXY", "*")], true, "http://a:1"),
        ] {
            assert_eq!(route(variables, https, "host.example"), due, "{variables:?}");
        }
    }

    #[test]
    fn a_wrong_address_is_an_error_where_it_applies() {
        let wrong = [("https_proxy", "ftp://user:hunter2@a:1"), ("no_proxy", "inside.example")];
        assert_eq!(route(&wrong, true, "x.example"), "the proxy `ftp://a:1` must be http, https, socks4 or socks5");
        assert_eq!(route(&wrong, true, "inside.example"), "direct");
    }

    #[test]
    fn no_password_is_shown() {
        let environment = Environment::new(|name| {
            (name.starts_with("http") || name.starts_with("all")).then(|| "http://user:hunter2@a:1".to_owned())
        });
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}

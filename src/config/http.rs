//! How results are served, and who is told of changes.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ConfigError, bound};
use crate::endpoint::{EndpointUrl, HeaderSource};

/// How results are served.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where to listen, besides sockets that are passed in; empty: nowhere.
    pub listen: Vec<Listen>,
    /// Host names that requests may ask for, besides addresses, `localhost` and the host's own name.
    pub hosts: Vec<String>,
    /// PEM file with the certificate and those of its issuers; empty: no TLS.
    pub certificate: PathBuf,
    /// PEM file with its key.
    pub key: PathBuf,
    /// File of names and bcrypt hashes, as `htpasswd -B` writes it; empty: nobody has a password.
    pub passwords: PathBuf,
    /// File of SHA-256 hashes of bearer tokens; empty: there is none.
    pub tokens: PathBuf,
    /// Serves other hosts without TLS or without authentication.
    pub insecure: bool,
    /// The most connections at a time.
    pub connections: usize,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Listen {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// It is neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not where one can listen: expected \"127.0.0.1:9817\", \"[::1]:9817\" or \"unix:/path\"")]
pub struct ListenError(String);

/// Who is told of changes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// Where events are posted to; absent: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<EndpointUrl>,
    /// The key of the signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<HeaderSource>,
}

/// Enough for a fleet's scrapers, a few firewalls and people; ten thousand more would only hold memory.
const MOST_CONNECTIONS: usize = 4096;

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: vec![Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 9817)))],
            hosts: Vec::new(),
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            passwords: PathBuf::new(),
            tokens: PathBuf::new(),
            insecure: false,
            connections: 256,
        }
    }
}

impl HttpConfig {
    /// Whether connections are encrypted.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }

    /// Whether clients have to say who they are.
    #[must_use]
    pub fn has_authentication(&self) -> bool {
        !self.passwords.as_os_str().is_empty() || !self.tokens.as_os_str().is_empty()
    }

    /// Whether this may be listened to: other hosts are served over TLS and with authentication, or when that was waived.
    #[must_use]
    pub fn may_serve(&self, address: SocketAddr) -> bool {
        address.ip().to_canonical().is_loopback() || self.insecure || (self.has_tls() && self.has_authentication())
    }

    /// # Errors
    /// Names the key that is out of bounds.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        bound("http.listen", self.listen.len(), "at most 8 addresses", self.listen.len() <= 8)?;
        bound("http.hosts", self.hosts.len(), "at most 32 names", self.hosts.len() <= 32)?;
        let connections = (8..=MOST_CONNECTIONS).contains(&self.connections);
        bound("http.connections", self.connections, "from 8 to 4096", connections)?;
        let both = self.has_tls() != self.key.as_os_str().is_empty();
        bound("http.key", "given alone or missing", "given together with `http.certificate`", both)?;
        let refused = self.listen.iter().find(|listen| matches!(listen, Listen::Tcp(at) if !self.may_serve(*at)));
        refused.map_or(Ok(()), |listen| {
            Err(ConfigError::Bounds { key: "http.listen", value: format!("{:?}", listen.to_string()), bounds: GUARDED })
        })
    }
}

/// What is demanded of an address that other hosts reach.
pub const GUARDED: &str = "a loopback address or a Unix socket, unless `http.certificate` and `http.passwords` or \
                           `http.tokens` are given, or `http.insecure = true` waives them";

impl WebhookConfig {
    /// # Errors
    /// Names the key that is out of bounds.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let signed = self.url.is_none() || self.secret.is_some();
        bound("webhook.secret", "missing", "given where `webhook.url` is", signed)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let wrong = || ListenError(text.to_owned());
        match text.strip_prefix("unix:") {
            // The kernel takes no longer one.
            Some(path) if path.starts_with('/') && path.len() < 108 => Ok(Self::Unix(PathBuf::from(path))),
            Some(_) => Err(wrong()),
            None => text.parse().map(Self::Tcp).map_err(|_| wrong()),
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = ListenError;

    fn try_from(text: String) -> Result<Self, ListenError> {
        text.parse()
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, DEFAULT};

    #[test]
    fn the_shipped_file_names_every_key() {
        let shipped: toml::Table = DEFAULT.parse().unwrap();
        let all = toml::Table::try_from(Config::default()).unwrap();
        let keys = |table: &toml::Table| table["http"].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&shipped), keys(&all));
        assert!(shipped["webhook"].as_table().unwrap().is_empty(), "both keys are in comments: there is no default");
    }

    #[test]
    fn other_hosts_are_served_guarded_or_not_at_all() {
        let guarded = "certificate = \"/c\"\nkey = \"/k\"\n";
        for (text, taken) in [
            ("listen = [\"127.0.0.1:1\", \"[::1]:1\", \"127.9.9.9:1\", \"unix:/run/e.sock\"]".to_owned(), true),
            ("listen = []".to_owned(), true),
            ("listen = [\"0.0.0.0:1\"]".to_owned(), false),
            ("listen = [\"[::]:1\"]".to_owned(), false),
            ("listen = [\"[::ffff:10.0.0.1]:1\"]".to_owned(), false),
            (format!("listen = [\"10.0.0.1:1\"]\n{guarded}"), false),
            ("listen = [\"10.0.0.1:1\"]\npasswords = \"/p\"".to_owned(), false),
            (format!("listen = [\"10.0.0.1:1\"]\n{guarded}passwords = \"/p\""), true),
            (format!("listen = [\"10.0.0.1:1\"]\n{guarded}tokens = \"/t\""), true),
            ("listen = [\"10.0.0.1:1\"]\ninsecure = true".to_owned(), true),
            ("certificate = \"/c\"".to_owned(), false),
            ("connections = 0".to_owned(), false),
            ("listen = [\"localhost:1\"]".to_owned(), false),
            ("listen = [\"unix:relative\"]".to_owned(), false),
        ] {
            let parsed = Config::parse(&format!("[http]\n{text}"));
            assert_eq!(parsed.is_ok(), taken, "{text}: {:?}", parsed.err());
        }
    }

    #[test]
    fn a_webhook_is_signed_and_its_key_never_shown() {
        let url = "[webhook]\nurl = \"https://hooks.example/a\"\n";
        assert!(Config::parse(url).unwrap_err().to_string().contains("webhook.secret"));
        let config = Config::parse(&format!("{url}secret = \"hidden\"")).unwrap();
        assert!(!format!("{config:?}{}", toml::to_string(&config).unwrap()).contains("hidden"));
        assert!(Config::parse(&format!("{url}secret = {{ file = \"/run/key\" }}")).is_ok());
    }
}

//! Endpoints: where files are sent and fetched, and what is seen on the way, layer by layer.

mod evidence;
mod expect;
mod resolver;
mod url;

pub use evidence::{
    Certificate, ConnectDetail, Detail, EndpointRun, HttpDetail, HttpVersion, Path, PortalSign, ResolveDetail,
    RunContext, ServerNameUse, Step, TlsDetail, TransferDetail, Trusted, Variant,
};
pub use resolver::{Resolver, ResolverError};
pub use url::{EndpointUrl, EndpointUrlError};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::prefix::Family;
use crate::secret::Secret;

/// A place that files are sent to or fetched from, as it stands in the configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name in reports and labels.
    pub name: String,
    /// Whether files go there or come from there.
    pub direction: Direction,
    /// What is asked.
    pub url: EndpointUrl,
    /// How it is asked; absent: GET to receive, PUT to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Further headers of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderSource>,
    /// Size of the body that is made up and sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    /// Statuses that are right; absent: any from 200 to 299.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect_status: Vec<u16>,
    /// Headers that the answer must have, with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect_header: BTreeMap<String, String>,
    /// Length of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_bytes: Option<u64>,
    /// SHA-256 of the answer's body, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_sha256: Option<String>,
    /// Where its addresses must lie.
    #[serde(default)]
    pub must_be_in: Inside,
    /// The proxy that is asked besides the direct way: `environment`, `none`, or its URL.
    #[serde(default)]
    pub proxy: ProxySource,
    /// A proxy auto-configuration file, by path or URL; it decides in the place of `proxy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pac: Option<String>,
    /// Address families to ask over.
    #[serde(default)]
    pub family: FamilyChoice,
    /// How long a connection rests before it is used again; 0: not tried.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle_seconds: u64,
}

/// Which way files go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the platform.
    Send,
    /// From the platform.
    Receive,
}

/// HTTP methods that an endpoint may be asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Fetches.
    Get,
    /// Fetches the head alone.
    Head,
    /// Sends.
    Post,
    /// Sends to where it is to be.
    Put,
}

/// Where a header's value comes from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum HeaderSource {
    /// The value itself.
    Value(Secret),
    /// An environment variable.
    Environment {
        /// Its name.
        env: String,
    },
    /// A file; the line break at its end does not count.
    File {
        /// Its path.
        file: PathBuf,
    },
}

/// Where the addresses of an endpoint must lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Inside {
    /// Anywhere that is public.
    #[default]
    Any,
    /// In the published ranges.
    Cloudfront,
}

/// Which proxy is asked.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub enum ProxySource {
    /// The one that the environment names, if any.
    #[default]
    Environment,
    /// None.
    Never,
    /// This one.
    Url(Secret),
}

/// Which address families are asked over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum FamilyChoice {
    /// IPv4 alone.
    #[serde(rename = "4")]
    V4,
    /// IPv6 alone.
    #[serde(rename = "6")]
    V6,
    /// Whatever the name gives.
    #[default]
    #[serde(rename = "both")]
    Both,
}

/// The longest body that is made up: the largest that any channel takes has 100 MB.
const LARGEST_BODY_BYTES: u64 = 128 << 20;
/// Longer than any firewall keeps an idle connection by default.
const LONGEST_IDLE_SECONDS: u64 = 7200;

impl Endpoint {
    /// The endpoints that need no account: AWS's own lists, the first of them served by `CloudFront`.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let receive = |name: &str, url: &str, must_be_in| Self {
            name: name.to_owned(),
            direction: Direction::Receive,
            url: EndpointUrl::parse(url).expect("a sound URL"),
            method: None,
            headers: BTreeMap::new(),
            body_bytes: None,
            expect_status: Vec::new(),
            expect_header: BTreeMap::new(),
            expect_bytes: None,
            expect_sha256: None,
            must_be_in,
            proxy: ProxySource::Environment,
            pac: None,
            family: FamilyChoice::Both,
            idle_seconds: 0,
        };
        vec![
            receive(
                "cloudfront-list",
                "https://d7uri8nf7uskq.cloudfront.net/tools/list-cloudfront-ips",
                Inside::Cloudfront,
            ),
            receive("ip-ranges", "https://ip-ranges.amazonaws.com/ip-ranges.json", Inside::Any),
        ]
    }

    /// How it is asked.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method.unwrap_or(match self.direction {
            Direction::Receive => Method::Get,
            Direction::Send => Method::Put,
        })
    }

    /// How many bytes are sent; none for requests without a body.
    #[must_use]
    pub fn body(&self) -> Option<u64> {
        match self.method() {
            Method::Get | Method::Head => None,
            // Enough to fill several packets, little enough for any plan.
            Method::Post | Method::Put => Some(self.body_bytes.unwrap_or(64 << 10)),
        }
    }

    /// How long a connection rests before it is used again.
    #[must_use]
    pub fn idle(&self) -> Option<Duration> {
        (self.idle_seconds > 0).then(|| Duration::from_secs(self.idle_seconds))
    }

    /// Whether a status is right.
    #[must_use]
    pub fn expects(&self, status: u16) -> bool {
        if self.expect_status.is_empty() { (200..300).contains(&status) } else { self.expect_status.contains(&status) }
    }

    /// Whether it can be asked for at any address of the published ranges.
    #[must_use]
    pub fn takes_aim(&self) -> bool {
        self.must_be_in == Inside::Cloudfront && self.direction == Direction::Receive && self.url.is_https()
    }

    /// Whether addresses of the family are to be asked.
    #[must_use]
    pub fn takes(&self, family: Family) -> bool {
        match self.family {
            FamilyChoice::Both => true,
            FamilyChoice::V4 => family == Family::V4,
            FamilyChoice::V6 => family == Family::V6,
        }
    }

    /// # Errors
    /// Names the key that is out of bounds.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let bound = |key, value: String, bounds, holds| {
            if holds { Ok(()) } else { Err(ConfigError::Bounds { key, value, bounds }) }
        };
        let named = (1..=60).contains(&self.name.len())
            && self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        bound("endpoint.name", format!("{:?}", self.name), "1 to 60 letters, digits, `-`, `_` or `.`", named)?;
        let body = self.body_bytes.unwrap_or(0);
        bound("endpoint.body_bytes", body.to_string(), "at most 134217728", body <= LARGEST_BODY_BYTES)?;
        let idle = self.idle_seconds;
        bound("endpoint.idle_seconds", idle.to_string(), "at most 7200", idle <= LONGEST_IDLE_SECONDS)?;
        let statuses = self.expect_status.iter().all(|status| (200..600).contains(status));
        bound("endpoint.expect_status", format!("{:?}", self.expect_status), "from 200 to 599", statuses)?;
        let hash = self.expect_sha256.as_deref();
        let hexadecimal = |hash: &str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        bound(
            "endpoint.expect_sha256",
            format!("{:?}", hash.unwrap_or("")),
            "64 hexadecimal digits",
            hash.is_none_or(hexadecimal),
        )?;
        let headers = self.headers.len() <= 32 && self.expect_header.len() <= 32;
        bound("endpoint.headers", self.headers.len().to_string(), "at most 32 headers", headers)
    }
}

impl Direction {
    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

impl Method {
    /// The name in a request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl From<String> for ProxySource {
    fn from(text: String) -> Self {
        match text.as_str() {
            "environment" => Self::Environment,
            "none" => Self::Never,
            _ => Self::Url(Secret::new(text)),
        }
    }
}

impl From<ProxySource> for String {
    fn from(source: ProxySource) -> Self {
        match source {
            ProxySource::Environment => "environment".to_owned(),
            ProxySource::Never => "none".to_owned(),
            // A proxy's URL may have a password in it.
            ProxySource::Url(secret) => secret.to_string(),
        }
    }
}

// serde asks for a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

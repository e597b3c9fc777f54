//! What was seen of an endpoint: one record for each operation, kept before anything is judged.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Endpoint;
use crate::observe::{Failure, Operation};
use crate::prefix::{Family, PrefixSet};
use crate::verdict::Offender;

/// Everything that was seen of one endpoint over one path.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointRun {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The way that was taken.
    pub path: Path,
    /// What was done, in the order in which it began.
    pub steps: Vec<Step>,
    /// Where packets end, if that was traced.
    pub offender: Option<Offender>,
}

/// The way to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Straight to its addresses.
    Direct,
    /// Through a proxy, named by host and port.
    Proxy(String),
}

/// What is known beside the endpoints themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunContext {
    /// Whether anything outside answered over IPv4; none where nothing was asked.
    pub v4: Option<bool>,
    /// The same over IPv6.
    pub v6: Option<bool>,
    /// What answers plain HTTP in the place of a server.
    pub portal: Option<PortalSign>,
    /// The longest time for which this process was not given the processor.
    pub starved: Duration,
    /// What an audit of the rules on the way found allowed; none where there was none.
    pub allowed_by_rules: Option<PrefixSet>,
}

/// What answered plain HTTP in the place of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortalSign {
    /// What was asked for.
    pub url: String,
    /// The status of the answer.
    pub status: u16,
    /// Where it leads.
    pub location: Option<String>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What was done.
    pub operation: Operation,
    /// How it differs from what a client does.
    pub variant: Variant,
    /// To whom; none for a name that the system itself looks up.
    pub address: Option<SocketAddr>,
    /// When it began, counted from the start of the run.
    pub started: Duration,
    /// How long it took; of a silence, how long was waited.
    pub took: Duration,
    /// What was seen, whatever is made of it.
    pub detail: Detail,
    /// What is wrong with it.
    pub failure: Option<Failure>,
}

/// How an operation differs from what a client does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Not at all.
    #[default]
    Plain,
    /// A second socket beside a silent first.
    Again,
    /// A handshake without a server name.
    WithoutName,
    /// A handshake with a name that nobody has a reason to block.
    NeutralName,
    /// HTTP/1.1 alone is offered.
    Http1,
    /// Segments small enough for any path.
    SmallSegments,
    /// An address that only another resolver gives.
    OtherResolver,
    /// An address of a published range, in the place of those of the name.
    Aimed,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// Of a look-up.
    Resolve(ResolveDetail),
    /// Of a connection.
    Connect(ConnectDetail),
    /// Of a handshake.
    Tls(Box<TlsDetail>),
    /// Of an answer's head.
    Http(Box<HttpDetail>),
    /// Of a body.
    Transfer(TransferDetail),
    /// Of a second use of a connection that rested.
    Idle {
        /// For how long it rested.
        rested_seconds: u64,
    },
    /// Of QUIC packets.
    Quic {
        /// The protocol versions that the server offers.
        versions: Vec<String>,
    },
}

/// What a resolver said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResolveDetail {
    /// Which resolver: `system 10.0.0.1`, or as configured.
    pub resolver: String,
    /// The host's own resolver, which its programs ask.
    pub system: bool,
    /// The record type: `A` or `AAAA`.
    pub record: &'static str,
    /// The addresses.
    pub answers: Vec<IpAddr>,
    /// How long the answer may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// Of a resolver that did not answer: whether it answers for another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lives: Option<bool>,
    /// Of a resolver whose answer is in doubt: whether it gives the same address for another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_name: Option<bool>,
}

/// What the kernel says of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectDetail {
    /// Round trip of the handshake, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_microseconds: Option<u32>,
    /// Largest segment that is sent, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_bytes: Option<u32>,
    /// The path's MTU as the kernel knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu_bytes: Option<u32>,
}

/// What a handshake showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TlsDetail {
    /// The name in the `ClientHello`.
    pub server_name: ServerNameUse,
    /// The protocol version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// The application protocol that was agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// The server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// How many certificates were shown.
    pub chain: usize,
    /// What our own bundle, with the configured roots, makes of the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Trusted>,
    /// What the system's store makes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<Trusted>,
    /// What our own bundle makes of it at the time that the server's clock shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_server_time: Option<Trusted>,
    /// The product that makes such certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

/// What a handshake says about the server that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerNameUse {
    /// Nothing.
    #[default]
    None,
    /// This name.
    Name(String),
}

/// A certificate, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// SHA-256 of the key that it is about.
    pub key_sha256: String,
}

/// What a store of authorities makes of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trusted {
    /// It is valid for the name, now.
    Valid,
    /// Nobody known signed it.
    UnknownIssuer,
    /// It would be valid at another time.
    WrongTime,
    /// It is for another name.
    WrongName,
    /// It is wrong in another way.
    Invalid(String),
}

/// The version of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum HttpVersion {
    /// RFC 9112.
    #[default]
    #[serde(rename = "1.1")]
    Http1,
    /// RFC 9113.
    #[serde(rename = "2")]
    Http2,
}

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HttpDetail {
    /// The version of HTTP.
    pub version: HttpVersion,
    /// The status; none where no head came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers that tell who answers, in the order in which they are listed in [`HttpDetail::KEPT`].
    #[serde(serialize_with = "as_object", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Redirections that were followed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<String>,
    /// The product whose page this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The title of a page that came in the place of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// How a body passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TransferDetail {
    /// Bytes of the request's body that were taken by the network.
    pub sent_bytes: u64,
    /// Bytes of the answer's body.
    pub received_bytes: u64,
    /// What was announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced_bytes: Option<u64>,
    /// SHA-256 of what came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Bits a second over the steady part; none where too little passed to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_per_second: Option<u64>,
    /// It was ended by us, after what is enough to judge by.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
    /// Segments that were sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retransmitted: Option<u32>,
    /// Segments on the way that nobody has acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unacknowledged: Option<u32>,
}

impl RunContext {
    /// Notes whether an address answered.
    pub fn note(&mut self, family: Family, answered: bool) {
        let known = match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        };
        *known = Some(*known == Some(true) || answered);
    }

    /// Whether anything answered over a family.
    #[must_use]
    pub fn answers(&self, family: Family) -> bool {
        match family {
            Family::V4 => self.v4 == Some(true),
            Family::V6 => self.v6 == Some(true),
        }
    }
}

impl Path {
    /// The name in JSON and labels.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Proxy(_) => "proxy",
        }
    }
}

impl HttpDetail {
    /// The headers that are kept, in lower case.
    pub const KEPT: [&'static str; 16] = [
        "server",
        "via",
        "x-cache",
        "x-amz-cf-pop",
        "x-amz-cf-id",
        "x-amz-request-id",
        "content-type",
        "content-length",
        "content-encoding",
        "location",
        "date",
        "retry-after",
        "proxy-authenticate",
        "x-squid-error",
        "alt-svc",
        "age",
    ];

    /// The value of a header that is kept.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(kept, _)| kept == name).map(|(_, value)| value.as_str())
    }

    /// Whether the answer is a page for people.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
    }

    /// Whether it bears the marks of a `CloudFront` edge.
    #[must_use]
    pub fn is_from_cloudfront(&self) -> bool {
        self.header("x-amz-cf-id").is_some()
            || self.header("x-amz-cf-pop").is_some()
            || self.header("x-cache").is_some_and(|cache| cache.ends_with("from cloudfront"))
            || self.header("via").is_some_and(|via| via.contains("(CloudFront)"))
    }
}

impl TlsDetail {
    /// Whether our own bundle proves that it is the server.
    #[must_use]
    pub fn authenticated(&self) -> bool {
        self.bundle == Some(Trusted::Valid)
    }

    /// Whether this host's programs would go on.
    #[must_use]
    pub fn acceptable(&self) -> bool {
        self.authenticated() || self.system == Some(Trusted::Valid)
    }
}

fn as_object<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

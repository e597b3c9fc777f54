//! What was seen: one operation on one address, kept before anything is judged.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Serialize;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A name was looked up.
    Resolve,
    /// A TCP connection was opened.
    Connect,
    /// A TLS handshake was made over a new connection.
    TlsHandshake,
    /// An HTTP request was sent and its head read.
    HttpRoundTrip,
    /// A body was sent or read.
    Transfer,
    /// A TCP connection was attempted with a small time to live, to see who answers.
    Trace,
}

/// Why it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// To learn about the listed range with this index in the plan.
    Range(usize),
    /// To see whether an address that answered earlier in the run still does.
    Control,
    /// To see whether an address that cannot exist answers.
    NegativeControl,
    /// To see whether anything outside answers, other than the ranges.
    UplinkControl,
    /// To find hops on the way.
    Path,
}

/// One operation on one address.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What was done.
    pub operation: Operation,
    /// Why.
    pub purpose: Purpose,
    /// To whom.
    pub target: SocketAddr,
    /// The time to live, where it was limited.
    pub ttl: Option<u8>,
    /// When it began, counted from the start of the run.
    pub started: Duration,
    /// How long the outcome took; of a silence, how long was waited.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
    /// The share of controls that answered in the same window; none where no control was at hand.
    pub attested: Option<f64>,
}

impl Observation {
    /// The router that says even of an address outside the ranges that there is no way to it: that is its uplink, not a
    /// rule about the ranges.
    #[must_use]
    pub fn no_way_outside(&self) -> Option<IpAddr> {
        match (self.purpose, &self.outcome) {
            (Purpose::NegativeControl | Purpose::UplinkControl, Err(Failure::Unreachable(icmp))) if icmp.no_way() => {
                Some(icmp.from)
            }
            _ => None,
        }
    }
}

/// What came of an operation.
pub type Outcome = Result<Answer, Failure>;

/// A success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The connection was accepted, by whomever.
    Connected,
    /// A server proved with a certificate that we trust that it is the one.
    Authenticated,
}

/// A finding other than success: a closed list. It is data, never an error of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came within the age at which silence counts.
    NoAnswer,
    /// Nothing came, and too few controls answered in the same window for that to mean anything.
    ControlsSilent,
    /// A TCP reset: it does not say who sent it.
    Reset,
    /// An ICMP destination-unreachable message, with its sender.
    Unreachable(Icmp),
    /// The same from an address of this host: its own firewall or routes reject the connection.
    RejectedHere(Icmp),
    /// An ICMP time-exceeded message: the hop where the time to live ran out.
    TimeExceeded(Icmp),
    /// This host has no route for the address.
    NoRoute,
    /// This host ran out of something: descriptors, ports, memory.
    LocalLimit(String),
    /// The certificate chain ends in an issuer outside our root bundle.
    TlsUnknownIssuer {
        /// The issuer's name as the certificate has it.
        issuer: String,
    },
    /// The certificate is not valid for the name that was asked for, or not at this time.
    TlsInvalidCertificate(String),
    /// The peer closed or reset the connection during the handshake.
    TlsBroken,
    /// The connection stood, and then nothing came.
    TlsNoAnswer,
    /// Something that is not in this list; the text has no address in it.
    Unknown(String),
}

/// An ICMP or ICMPv6 error message as the kernel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Icmp {
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent it.
    pub from: IpAddr,
}

impl Operation {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::TlsHandshake => "tls_handshake",
            Self::HttpRoundTrip => "http_round_trip",
            Self::Transfer => "transfer",
            Self::Trace => "trace",
        }
    }
}

impl Failure {
    /// The name in JSON and in `egressd explain`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::ControlsSilent => "controls_silent",
            Self::Reset => "reset",
            Self::Unreachable(_) => "icmp_unreachable",
            Self::RejectedHere(_) => "rejected_here",
            Self::TimeExceeded(_) => "icmp_time_exceeded",
            Self::NoRoute => "no_route",
            Self::LocalLimit(_) => "local_limit",
            Self::TlsUnknownIssuer { .. } => "tls_unknown_issuer",
            Self::TlsInvalidCertificate(_) => "tls_invalid_certificate",
            Self::TlsBroken => "tls_broken",
            Self::TlsNoAnswer => "tls_no_answer",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Unreachable(icmp) | Self::RejectedHere(icmp) | Self::TimeExceeded(icmp) => {
                write!(f, " {icmp} from {}", icmp.from)
            }
            Self::LocalLimit(text) | Self::TlsInvalidCertificate(text) | Self::Unknown(text) => write!(f, " ({text})"),
            Self::TlsUnknownIssuer { issuer } => write!(f, " ({issuer})"),
            Self::NoAnswer
            | Self::ControlsSilent
            | Self::Reset
            | Self::NoRoute
            | Self::TlsBroken
            | Self::TlsNoAnswer => Ok(()),
        }
    }
}

impl Icmp {
    /// Whether the message says that somebody forbids it, not that something is missing: ICMP codes 9, 10 and 13
    /// (RFC 1812, 5.2.7.1), ICMPv6 codes 1, 5 and 6 (RFC 4443, 3.1).
    #[must_use]
    pub fn prohibits(self) -> bool {
        match self.from {
            IpAddr::V4(_) => self.kind == 3 && matches!(self.code, 9 | 10 | 13),
            IpAddr::V6(_) => self.kind == 1 && matches!(self.code, 1 | 5 | 6),
        }
    }

    /// Whether the message says that the way is missing: no route, or a next hop that does not answer.
    #[must_use]
    pub fn no_way(self) -> bool {
        match self.from {
            IpAddr::V4(_) => self.kind == 3 && matches!(self.code, 0 | 1 | 6 | 7 | 11 | 12),
            IpAddr::V6(_) => self.kind == 1 && matches!(self.code, 0 | 3),
        }
    }

    /// The registered name of type and code, in the words of an administrator.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match (self.from, self.kind, self.code) {
            (IpAddr::V4(_), 3, 0) => "network unreachable",
            (IpAddr::V4(_), 3, 1) => "host unreachable",
            (IpAddr::V4(_), 3, 2) => "protocol unreachable",
            (IpAddr::V4(_), 3, 3) | (IpAddr::V6(_), 1, 4) => "port unreachable",
            (IpAddr::V4(_), 3, 9) => "network administratively prohibited",
            (IpAddr::V4(_), 3, 10) => "host administratively prohibited",
            (IpAddr::V4(_), 3, 13) | (IpAddr::V6(_), 1, 1) => "administratively prohibited",
            (IpAddr::V4(_), 11, _) | (IpAddr::V6(_), 3, _) => "time exceeded",
            (IpAddr::V6(_), 1, 0) => "no route",
            (IpAddr::V6(_), 1, 3) => "address unreachable",
            (IpAddr::V6(_), 1, 5) => "source address failed policy",
            (IpAddr::V6(_), 1, 6) => "reject route",
            _ => "unreachable",
        }
    }
}

impl fmt::Display for Icmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.code)
    }
}

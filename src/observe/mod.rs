//! What was seen: one operation on one address, kept before anything is judged.

mod failure;
mod icmp;

pub use failure::{DnsFailure, Failure, HttpFailure, ProxyFailure, TransferFailure};
pub use icmp::Icmp;

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
    /// A connection rested and was used again.
    Idle,
    /// A QUIC packet was sent.
    Quic,
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
            Self::Idle => "idle",
            Self::Quic => "quic",
        }
    }
}

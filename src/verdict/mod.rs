//! Verdicts: what the evidence allows to say, and what it was derived from.

mod endpoint;
mod hysteresis;
mod offender;
mod range;
mod transition;

pub use endpoint::{EndpointVerdict, Layer, STARVED, endpoints, suspect};
pub use hysteresis::{Change, Flapping, Hysteresis, Settled};
pub use offender::{Offender, offender_between, offender_on_path};
pub use range::{Confidence, RangeVerdict, Reason, ranges};
pub use transition::{HeldBack, Outline, Subject, Transition};

use serde::{Deserialize, Serialize};

/// What can be said of a range or an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every part answered.
    Open,
    /// No part is reachable, and somebody before the server sees to that.
    Blocked,
    /// Some part is not reachable.
    PartlyBlocked,
    /// The evidence does not suffice; the reason says what would settle it.
    Undetermined,
    /// Silent, as it is on an open network: no viewer is ever sent there.
    ExpectedSilent,
}

/// How something is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// Packets vanish.
    Dropped,
    /// Somebody answers with an ICMP error.
    RejectedIcmp,
    /// Somebody answers with a TCP reset.
    Reset,
    /// Somebody else's certificate is shown.
    TlsIntercepted,
    /// A page that says that access is denied comes in the place of the answer.
    BlockPage,
    /// A name leads to addresses that are not the server's, or to none.
    DnsTampered,
    /// The proxy refuses the connection.
    ProxyDenied,
    /// Something limits size, type, method or time of a transfer.
    ProxyLimit,
    /// Large packets vanish, small ones pass.
    MtuBlackHole,
    /// Transfers pass too slowly to be of use.
    Throttled,
    /// A captive portal waits for somebody to log in.
    Portal,
}

impl Verdict {
    /// All of them, in the order in which they are documented.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Blocked, Self::PartlyBlocked, Self::Undetermined, Self::ExpectedSilent];

    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Blocked => "blocked",
            Self::PartlyBlocked => "partly_blocked",
            Self::Undetermined => "undetermined",
            Self::ExpectedSilent => "expected_silent",
        }
    }

    /// Whether something in it is blocked.
    #[must_use]
    pub fn accuses(self) -> bool {
        matches!(self, Self::Blocked | Self::PartlyBlocked)
    }
}

impl Mechanism {
    /// All of them, in the order in which they are documented.
    pub const ALL: [Self; 11] = [
        Self::Dropped,
        Self::RejectedIcmp,
        Self::Reset,
        Self::TlsIntercepted,
        Self::BlockPage,
        Self::DnsTampered,
        Self::ProxyDenied,
        Self::ProxyLimit,
        Self::MtuBlackHole,
        Self::Throttled,
        Self::Portal,
    ];

    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::RejectedIcmp => "rejected_icmp",
            Self::Reset => "reset",
            Self::TlsIntercepted => "tls_intercepted",
            Self::BlockPage => "block_page",
            Self::DnsTampered => "dns_tampered",
            Self::ProxyDenied => "proxy_denied",
            Self::ProxyLimit => "proxy_limit",
            Self::MtuBlackHole => "mtu_black_hole",
            Self::Throttled => "throttled",
            Self::Portal => "portal",
        }
    }
}

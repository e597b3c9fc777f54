//! ICMP error messages and what they mean.

use std::fmt;
use std::net::IpAddr;

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

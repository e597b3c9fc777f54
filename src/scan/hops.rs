//! What traces tell of who rejected.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::trace::{Path, PathEnd, paths};
use crate::observe::{Failure, Observation};
use crate::prefix::Prefix;

/// What the traces show of the way.
pub(super) struct Hops {
    routers: BTreeSet<IpAddr>,
    /// The smallest distance at which a control answered.
    nearest_server: Option<u8>,
    /// Targets from which a reset came out of a smaller distance.
    early_reset: BTreeSet<SocketAddr>,
    /// No IPv6 address answered, in the ranges or outside them.
    no_ipv6: bool,
}

impl Hops {
    pub(super) fn seen(observations: &[Observation]) -> Self {
        let paths = paths(observations);
        let nearest_server = paths.values().filter_map(Path::reached).min();
        let before = |ttl: u8| nearest_server.is_some_and(|nearest| ttl < nearest);
        let early = |path: &Path| matches!(path.end, Some((ttl, PathEnd::Reset)) if before(ttl));
        Self {
            routers: paths.values().flat_map(|path| path.hops.values().copied()).collect(),
            nearest_server,
            no_ipv6: !observations.iter().any(|o| o.target.is_ipv6() && o.outcome.is_ok()),
            early_reset: paths.iter().filter(|(_, path)| early(path)).map(|(target, _)| *target).collect(),
        }
    }

    /// Whether no silence of the address can mean anything: where IPv6 as a whole is dead, controls of IPv4 attest nothing.
    pub(super) fn dead(&self, address: IpAddr) -> bool {
        address.is_ipv6() && self.no_ipv6
    }

    /// Whether the failure is known to come from before the server.
    pub(super) fn before_server(&self, failure: &Failure, range: Prefix) -> bool {
        match failure {
            Failure::Unreachable(icmp) => self.routers.contains(&icmp.from),
            Failure::Reset => {
                self.nearest_server.is_some() && self.early_reset.iter().any(|target| range.holds(target.ip()))
            }
            // Nobody else's answer tells where it was given.
            _ => false,
        }
    }
}

//! Who blocks: read off the paths toward blocked and toward reachable addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::Mechanism;
use crate::observe::{Failure, Icmp, Observation};
use crate::scan::{Path, paths};

/// Where packets end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offender {
    /// Who answered for the block; none where nobody did, or where the answer does not tell (a reset).
    pub address: Option<IpAddr>,
    /// Distance of the one who answered, or of the last hop that did; 0 is this host itself.
    pub hop: Option<u8>,
    /// The address of that hop.
    pub hop_address: Option<IpAddr>,
    /// The next hop on the way to a reachable address.
    pub next: Option<IpAddr>,
    /// That next hop is the server: nothing lies between.
    pub next_is_server: bool,
    /// The ICMP message.
    pub icmp: Option<Icmp>,
    /// Seen on a path into the range itself; else taken over from ranges that are blocked in the same way, all of which
    /// that were traced end at this place.
    pub traced: bool,
}

impl Serialize for Offender {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Offender", 7)?;
        object.serialize_field("address", &self.address)?;
        object.serialize_field("hop", &self.hop)?;
        object.serialize_field("hop_address", &self.hop_address)?;
        object.serialize_field("next", &self.next)?;
        object.serialize_field("next_is_server", &self.next_is_server)?;
        object.serialize_field("icmp", &self.icmp.map(|icmp| icmp.to_string()))?;
        object.serialize_field("traced", &self.traced)?;
        object.end()
    }
}

/// The paths of a run, and what they say of a blocked range.
#[derive(Debug)]
pub(crate) struct Ways {
    paths: BTreeMap<SocketAddr, Path>,
    control: Path,
}

impl Ways {
    pub(crate) fn seen(observations: &[Observation]) -> Self {
        let paths = paths(observations);
        let open = paths.values().filter(|path| path.reached().is_some());
        // Of several controls the one whose path shows the most hops.
        let control = open.max_by_key(|path| path.hops.len()).cloned().unwrap_or_default();
        Self { paths, control }
    }

    /// Who blocks the targets for which `inside` holds; none where no path toward one was seen and no ICMP came.
    pub(crate) fn offender(
        &self,
        mechanism: Mechanism,
        rejection: Option<Rejection>,
        inside: &dyn Fn(SocketAddr) -> bool,
    ) -> Option<Offender> {
        let path = self.paths.iter().find(|(target, _)| inside(**target)).map(|(_, path)| path);
        match (mechanism, rejection) {
            (Mechanism::RejectedIcmp, Some(rejection)) => Some(self.rejecter(rejection, path)),
            (Mechanism::Dropped | Mechanism::Reset, _) => Some(self.behind(path?)),
            (Mechanism::TlsIntercepted | Mechanism::BlockPage, _) => self.in_the_way(path?),
            _ => None,
        }
    }

    fn rejecter(&self, Rejection { icmp, here }: Rejection, path: Option<&Path>) -> Offender {
        let seen = path.and_then(|path| path.distance_of(icmp.from));
        let on_control = || self.control.distance_of(icmp.from);
        // A hop that rejects one further than the last that answered, when it never answers for itself.
        let behind = || path.and_then(|path| path.end).map(|(ttl, _)| ttl.saturating_sub(1).max(1));
        let hop = if here { Some(0) } else { seen.or_else(on_control).or_else(behind) };
        let (next, next_is_server) = self.next(hop);
        let hop_address = Some(icmp.from);
        Offender { address: Some(icmp.from), hop, hop_address, next, next_is_server, icmp: Some(icmp), traced: true }
    }

    fn behind(&self, path: &Path) -> Offender {
        let last = path.last();
        let hop = Some(last.map_or(0, |(distance, _)| distance));
        let (next, next_is_server) = self.next(hop);
        let hop_address = last.map(|(_, address)| address);
        Offender { address: None, hop, hop_address, next, next_is_server, icmp: None, traced: true }
    }

    /// Who accepts connections in the server's place: at the distance of the target, a router stands on the way to a control.
    fn in_the_way(&self, path: &Path) -> Option<Offender> {
        let reached = path.reached()?;
        let router = *self.control.hops.get(&reached)?;
        let (next, next_is_server) = self.next(Some(reached));
        let (hop, hop_address) = (Some(reached), Some(router));
        Some(Offender { address: None, hop, hop_address, next, next_is_server, icmp: None, traced: true })
    }

    /// The hop behind a distance on the way to a reachable address, or that it is the server.
    fn next(&self, hop: Option<u8>) -> (Option<IpAddr>, bool) {
        let Some(hop) = hop else { return (None, false) };
        let next = self.control.hops.range(hop + 1..).next().map(|(_, &address)| address);
        (next, next.is_none() && self.control.reached() == Some(hop + 1))
    }
}

/// An ICMP rejection, and whether this host itself sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rejection {
    icmp: Icmp,
    here: bool,
}

/// The ICMP messages among failures, the most frequent first.
pub(crate) fn most_frequent<'a>(failures: impl Iterator<Item = &'a Failure>) -> Option<Rejection> {
    let mut counts: BTreeMap<Rejection, usize> = BTreeMap::new();
    for failure in failures {
        let (Failure::Unreachable(icmp) | Failure::RejectedHere(icmp)) = failure else { continue };
        let here = matches!(failure, Failure::RejectedHere(_));
        *counts.entry(Rejection { icmp: *icmp, here }).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(rejection, count)| (*count, std::cmp::Reverse(*rejection))).map(|(first, _)| first)
}

/// Who blocks one traced target.
#[must_use]
pub fn offender_on_path(observations: &[Observation], target: SocketAddr, mechanism: Mechanism) -> Option<Offender> {
    let failures = observations.iter().filter(|o| o.target == target).filter_map(|o| o.outcome.as_ref().err());
    Ways::seen(observations).offender(mechanism, most_frequent(failures), &|other| other == target)
}

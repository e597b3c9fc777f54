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
    controls: [Path; 2],
}

impl Ways {
    pub(crate) fn seen(observations: &[Observation]) -> Self {
        let paths = paths(observations);
        // Of several controls the one whose path shows the most hops.
        let control = |v4: bool| {
            let open = paths.iter().filter(|(target, path)| target.is_ipv4() == v4 && path.reached().is_some());
            open.map(|(_, path)| path).max_by_key(|path| path.hops.len()).cloned().unwrap_or_default()
        };
        let controls = [control(true), control(false)];
        Self { paths, controls }
    }

    /// Who blocks the targets for which `inside` holds; none where no path toward one was seen and no ICMP came.
    pub(crate) fn offender(
        &self,
        mechanism: Mechanism,
        rejection: Option<Rejection>,
        inside: &dyn Fn(SocketAddr) -> bool,
    ) -> Option<Offender> {
        let target = self.paths.iter().find(|(target, _)| inside(**target));
        let v4 = match (target, rejection) {
            (Some((target, _)), _) => target.is_ipv4(),
            (None, Some(rejection)) => rejection.icmp.from.is_ipv4(),
            (None, None) => return None,
        };
        let way = Way { path: target.map(|(_, path)| path), control: &self.controls[usize::from(!v4)] };
        match (mechanism, rejection) {
            (Mechanism::RejectedIcmp, Some(rejection)) => Some(way.rejecter(rejection)),
            (Mechanism::Dropped | Mechanism::Reset, _) => way.end(),
            (Mechanism::TlsIntercepted | Mechanism::BlockPage, _) => way.stand_in(),
            _ => None,
        }
    }
}

/// The path toward a target, and the path toward a control of the same family.
#[derive(Clone, Copy)]
struct Way<'a> {
    path: Option<&'a Path>,
    control: &'a Path,
}

impl Way<'_> {
    /// Who answers with ICMP.
    fn rejecter(self, Rejection { icmp, here }: Rejection) -> Offender {
        let seen = self.path.and_then(|path| path.distance_of(icmp.from));
        let on_control = || self.control.distance_of(icmp.from);
        // A hop that rejects one further than the last that answered, when it never answers for itself.
        let behind = || self.path.and_then(|path| path.end).map(|(ttl, _)| ttl.saturating_sub(1).max(1));
        let hop = if here { Some(0) } else { seen.or_else(on_control).or_else(behind) };
        Offender { address: Some(icmp.from), icmp: Some(icmp), ..self.at(hop, Some(icmp.from)) }
    }

    /// The last hop that answers.
    fn end(self) -> Option<Offender> {
        let last = self.path?.last();
        Some(self.at(Some(last.map_or(0, |(distance, _)| distance)), last.map(|(_, address)| address)))
    }

    /// Who accepts connections in the server's place: where the target answers, a router stands on the way to a control.
    fn stand_in(self) -> Option<Offender> {
        let reached = self.path?.reached()?;
        let router = *self.control.hops.get(&reached)?;
        Some(self.at(Some(reached), Some(router)))
    }

    fn at(self, hop: Option<u8>, hop_address: Option<IpAddr>) -> Offender {
        let (next, next_is_server) = self.next(hop);
        Offender { address: None, hop, hop_address, next, next_is_server, icmp: None, traced: true }
    }

    /// The hop behind a distance on the way to a reachable address, or that it is the server.
    fn next(self, hop: Option<u8>) -> (Option<IpAddr>, bool) {
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

/// Who resets handshakes, when a message with a time to live of `hops` is the first to be reset on a traced path.
#[must_use]
pub fn offender_between(path: &Path, hops: u8) -> Offender {
    let before = hops.checked_sub(1);
    let hop_address = before.and_then(|before| path.hops.get(&before)).copied();
    let next = path.hops.get(&hops).copied();
    let next_is_server = next.is_none() && path.reached() == Some(hops);
    Offender { address: None, hop: before, hop_address, next, next_is_server, icmp: None, traced: true }
}

/// Who blocks one traced target.
#[must_use]
pub fn offender_on_path(observations: &[Observation], target: SocketAddr, mechanism: Mechanism) -> Option<Offender> {
    let failures = observations.iter().filter(|o| o.target == target).filter_map(|o| o.outcome.as_ref().err());
    Ways::seen(observations).offender(mechanism, most_frequent(failures), &|other| other == target)
}

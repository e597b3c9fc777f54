//! What will be probed, as a value: settings and a snapshot in, a plan out. Nothing is sent to know it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::prefix::{Family, Prefix, PrefixSet};
use crate::ranges::{FeedSnapshot, List, Range, Role};
use crate::scan::Pace;

/// What the caller wants to know, and how politely.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Which ranges: none means all lists.
    pub list: Option<List>,
    /// Which family: none means both.
    pub family: Option<Family>,
    /// Length of the sub-prefixes that are judged one by one; none: whole ranges. Where answers and rejections lie in one
    /// of them, it is divided further.
    pub resolution: Option<u8>,
    /// How deep a connection goes.
    pub depth: Depth,
    /// How fast.
    pub pace: Pace,
    /// Bound on the probability that a range which is open is called blocked.
    pub alpha: f64,
    /// Bound on the probability that a cell which is blocked is called open by one forged answer.
    pub beta: f64,
    /// TCP port.
    pub port: u16,
    /// Addresses outside the ranges that answer as long as the uplink works.
    pub uplink_controls: Vec<SocketAddr>,
    /// Where the order of addresses begins.
    pub seed: u64,
}

/// How deep a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// A TCP connection.
    Tcp,
    /// A TLS handshake as well, on up to three addresses of each range.
    Tls,
}

/// Addresses that answered from an open network, or earlier from this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownAddresses {
    addresses: BTreeMap<Prefix, Vec<IpAddr>>,
    fresh_first: bool,
}

/// Everything the engine needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbePlan {
    /// The ranges with their cells, in order of prefix.
    pub ranges: Vec<PlannedRange>,
    /// Addresses that cannot exist: an answer means that somebody answers for everybody.
    pub negative_controls: Vec<SocketAddr>,
    /// Addresses outside the ranges that answer as long as the uplink works.
    pub uplink_controls: Vec<SocketAddr>,
    /// See [`Settings::depth`].
    pub depth: Depth,
    /// See [`Settings::pace`].
    pub pace: Pace,
    /// See [`Settings::alpha`].
    pub alpha: f64,
    /// See [`Settings::beta`].
    pub beta: f64,
    /// See [`Settings::port`].
    pub port: u16,
    /// See [`Settings::seed`].
    pub seed: u64,
    /// When silence begins to count.
    pub silence_age: Duration,
}

/// One range to be probed.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRange {
    /// The range as listed.
    pub range: Range,
    /// Length of its cells; the range's own where it is longer or nothing can be enumerated.
    pub cell_length: u8,
    /// Space inside that is not viewer-facing: never sampled while the range itself is.
    pub excluded: PrefixSet,
    /// Addresses of the range that are known to answer.
    pub known: Vec<IpAddr>,
    /// One address of which nothing is known goes before them.
    pub fresh_first: bool,
}

/// Silence counts from this age on: the longest round trip that was measured to any point of presence is 0.3 s, and the
/// kernel repeats the SYN after 1 s.
pub const SILENCE_AGE: Duration = Duration::from_secs(1);

/// TEST-NET addresses (RFC 5737): nobody can own them.
pub const NEGATIVE_CONTROLS: [Ipv4Addr; 3] =
    [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(203, 0, 113, 1)];

impl Default for Settings {
    fn default() -> Self {
        Self {
            list: None,
            family: None,
            resolution: Some(20),
            depth: Depth::Tls,
            pace: Pace::NORMAL,
            alpha: 1e-4,
            beta: 1e-4,
            port: 443,
            uplink_controls: UPLINK_CONTROLS.map(|address| SocketAddr::new(address, 443)).to_vec(),
            seed: 0,
        }
    }
}

/// Public resolvers that serve DNS over HTTPS on anycast addresses which have not changed for years.
pub const UPLINK_CONTROLS: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)),
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9)),
    IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888)),
    IpAddr::V6(Ipv6Addr::new(0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe)),
];

impl KnownAddresses {
    /// Groups addresses by the range of the snapshot that holds them; others are left out.
    #[must_use]
    pub fn new(snapshot: &FeedSnapshot, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut known: BTreeMap<Prefix, Vec<IpAddr>> = BTreeMap::new();
        let prefixes: Vec<Prefix> = snapshot.ranges.iter().map(|range| range.prefix).collect();
        for address in addresses {
            let place = prefixes.partition_point(|prefix| prefix.first() <= address);
            if let Some(prefix) = place.checked_sub(1).map(|at| prefixes[at]).filter(|prefix| prefix.holds(address)) {
                known.entry(prefix).or_default().push(address);
            }
        }
        Self { addresses: known, fresh_first: false }
    }

    /// The same, to be asked after one fresh address of each cell: so the share that answers is learnt in every run, and
    /// what is remembered grows.
    #[must_use]
    pub fn after_a_fresh_one(self) -> Self {
        Self { fresh_first: true, ..self }
    }

    fn of(&self, prefix: Prefix) -> Vec<IpAddr> {
        self.addresses.get(&prefix).cloned().unwrap_or_default()
    }
}

impl ProbePlan {
    /// The plan for a snapshot.
    #[must_use]
    pub fn new(settings: &Settings, snapshot: &FeedSnapshot, known: &KnownAddresses) -> Self {
        let wanted = |range: &&Range| {
            settings.list.is_none_or(|list| list == range.list)
                && settings.family.is_none_or(|family| family == range.prefix.family())
        };
        let planned = |range: &Range| PlannedRange::new(range, settings.resolution, snapshot, known);
        Self {
            ranges: snapshot.ranges.iter().filter(wanted).map(planned).collect(),
            negative_controls: NEGATIVE_CONTROLS.map(|ip| SocketAddr::new(ip.into(), settings.port)).to_vec(),
            uplink_controls: uplink_controls(settings, snapshot),
            depth: settings.depth,
            pace: settings.pace,
            alpha: settings.alpha,
            beta: settings.beta,
            port: settings.port,
            seed: settings.seed,
            silence_age: SILENCE_AGE,
        }
    }
}

/// Controls of the families that are asked about.
fn uplink_controls(settings: &Settings, snapshot: &FeedSnapshot) -> Vec<SocketAddr> {
    let asked = |family: Family| {
        settings.family.is_none_or(|only| only == family)
            && snapshot.ranges.iter().any(|range| range.prefix.family() == family)
    };
    let mut controls = settings.uplink_controls.clone();
    controls.retain(|control| asked(Family::of(control.ip())));
    controls
}

impl PlannedRange {
    fn new(range: &Range, resolution: Option<u8>, snapshot: &FeedSnapshot, known: &KnownAddresses) -> Self {
        let whole = range.prefix.len();
        let cell_length = match (range.prefix.family(), range.role) {
            // An IPv6 range cannot be enumerated, and silence outside viewer space is never judged part by part.
            (Family::V6, _) | (_, Role::RegionalEdge | Role::OriginFacing | Role::CarrierCn) => whole,
            (Family::V4, Role::Viewer) => resolution.unwrap_or(whole).max(whole),
        };
        let excluded = match range.role {
            Role::Viewer => PrefixSet::from(range.prefix).intersection(&snapshot.origin_facing),
            Role::RegionalEdge | Role::OriginFacing | Role::CarrierCn => PrefixSet::new(),
        };
        // Where nothing can be found by searching, only what is known is worth asking first.
        let fresh_first = known.fresh_first && range.prefix.family() == Family::V4;
        Self { range: range.clone(), cell_length, excluded, known: known.of(range.prefix), fresh_first }
    }

    /// Whether the silence of an address of which nothing is known can be evidence: viewers' IPv4 space alone.
    #[must_use]
    pub fn silence_judges(&self) -> bool {
        self.range.role == Role::Viewer && self.range.prefix.family() == Family::V4
    }

    /// Whether the address may be asked: it is in the range, and of its role.
    #[must_use]
    pub fn may_ask(&self, address: IpAddr) -> bool {
        self.range.prefix.holds(address) && !self.excluded.holds(address)
    }
}

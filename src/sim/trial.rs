//! Random networks with a plan to scan them, repeatable by their seed.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::{Lit, Network, mixed, share};
use crate::plan::{Depth, KnownAddresses, PlannedRange, ProbePlan, Settings};
use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::{FeedSnapshot, List, Range, Role};
use crate::scan::{Pace, RangeTree, Sampler};
use crate::scenario::{RuleAction, Scenario, Wan};

/// What the firewall blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing.
    Open,
    /// What was added to the list since the rules were made: 48 of 121 ranges.
    OldList,
    /// A whole range, 13.224.0.0/14.
    WholeRange,
    /// A hole in a range, 13.32.96.0/20.
    Hole,
    /// All behind the first 60 ranges: the device took no more rules.
    FirstSixty,
    /// So many random sub-prefixes of viewers' ranges, /14 to /26.
    Parts(u64),
}

/// What a network is like, and how it is scanned.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// What the firewall blocks.
    pub shape: Shape,
    /// And how.
    pub action: RuleAction,
    /// From when on.
    pub rules_from: Duration,
    /// Length of the cells.
    pub resolution: u8,
    /// Which addresses answer.
    pub lit: Lit,
    /// The line.
    pub wan: Wan,
    /// See [`Network::limiter`].
    pub limiter: Option<f64>,
    /// See [`Network::outages`].
    pub outages: Option<(f64, f64)>,
    /// So many answering addresses of each cell are known; of each range 2 to 10 % of them are gone.
    pub baseline: Option<usize>,
    /// How fast.
    pub pace: Pace,
}

/// A network and the plan to scan it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What is scanned.
    pub plan: ProbePlan,
    /// Where.
    pub network: Network,
    /// What the firewall blocks.
    pub blocked: PrefixSet,
    /// The share of the addresses asked first that answer.
    pub answering: f64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            shape: Shape::Open,
            action: RuleAction::Drop,
            rules_from: Duration::ZERO,
            resolution: 20,
            lit: Lit::Share(0.97),
            wan: Wan { delay_ms: 20.0, jitter_ms: 5.0, loss: 0.01, spread_ms: 0.0 },
            limiter: None,
            outages: None,
            baseline: None,
            pace: Pace::FAST,
        }
    }
}

impl Shape {
    /// The six shapes of which the cost is compared with the bound.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::OldList, Self::WholeRange, Self::Hole, Self::FirstSixty, Self::Parts(8)];

    fn blocked(self, snapshot: &FeedSnapshot, seed: u64) -> PrefixSet {
        let prefix = |text: &str| text.parse::<Prefix>().expect("a prefix").into();
        match self {
            Self::Open => PrefixSet::new(),
            Self::OldList => old_list(),
            Self::WholeRange => prefix("13.224.0.0/14"),
            Self::Hole => prefix("13.32.96.0/20"),
            Self::FirstSixty => snapshot.ranges.iter().skip(60).map(|range| range.prefix).collect(),
            Self::Parts(count) => (0..count).map(|turn| part(snapshot, mixed(seed ^ mixed(turn)))).collect(),
        }
    }
}

/// What the rules of 2018 lack.
fn old_list() -> PrefixSet {
    let older = Scenario::named("stale-allowlist").expect("it is embedded").older;
    older.expect("it has an older list").without.into_iter().collect()
}

/// A random sub-prefix of a random viewers' range, larger ones first.
fn part(snapshot: &FeedSnapshot, seed: u64) -> Prefix {
    let viewers = snapshot.ranges.iter().filter(|range| range.role == Role::Viewer && range.prefix.len() <= 26);
    let viewers: Vec<Prefix> = viewers.map(|range| range.prefix).collect();
    let weight = |prefix: &Prefix| (prefix.addresses() as f64).sqrt();
    let mut place = share(mixed(seed ^ 1)) * viewers.iter().map(weight).sum::<f64>();
    let range = viewers.iter().copied().find(|prefix| {
        place -= weight(prefix);
        place <= 0.0
    });
    let range = range.unwrap_or(viewers[0]);
    let shortest = range.len().max(14);
    let length = shortest + u8::try_from(mixed(seed ^ 2) % u64::from(27 - shortest)).expect("under 32");
    Prefix::containing(range.nth(u128::from(mixed(seed ^ 3)) % range.addresses()), length)
}

impl Conditions {
    /// One network of this kind.
    #[must_use]
    pub fn trial(&self, snapshot: &FeedSnapshot, seed: u64) -> Trial {
        let controls = ["1.1.1.1", "8.8.8.8", "9.9.9.9"].map(|text| text.parse().expect("an address"));
        let blocked = self.shape.blocked(snapshot, seed);
        let mut network = Network {
            rules: vec![(blocked.clone(), self.action)],
            rules_from: self.rules_from,
            wan: self.wan,
            lit: self.lit,
            limiter: self.limiter,
            outages: self.outages,
            ..Network::open(snapshot.addresses(), controls.to_vec(), seed)
        };
        let settings = Settings {
            resolution: Some(self.resolution),
            depth: Depth::Tcp,
            pace: self.pace,
            seed,
            ..Settings::default()
        };
        let bare = ProbePlan::new(&settings, snapshot, &KnownAddresses::default());
        let known = self.baseline.map(|each| recorded(&bare, &network, each)).unwrap_or_default();
        network.gone = known.iter().copied().filter(|&address| is_gone(snapshot, address, seed)).collect();
        let answering = match self.baseline {
            Some(_) => 1.0 - network.gone.len() as f64 / known.len() as f64,
            None => self.lit.share(),
        };
        let plan = ProbePlan::new(&settings, snapshot, &KnownAddresses::new(snapshot, known));
        Trial { plan, network, blocked, answering }
    }
}

impl Lit {
    fn share(self) -> f64 {
        match self {
            Self::Share(share) => share,
            Self::Clusters(lit, share) => lit * share,
            Self::Uneven(low, high) => f64::midpoint(low, high),
        }
    }
}

/// The first addresses of each cell that answer where nothing is blocked.
fn recorded(plan: &ProbePlan, network: &Network, each: usize) -> Vec<IpAddr> {
    plan.ranges.iter().flat_map(|planned| recorded_of(planned, network, each, plan.seed)).collect()
}

/// More than so many addresses of a cell nobody asks for a baseline.
const ASKED: usize = 256;

fn recorded_of(planned: &PlannedRange, network: &Network, each: usize, seed: u64) -> Vec<IpAddr> {
    let cells = RangeTree::new(planned.range.prefix, planned.cell_length).leaves();
    let of_cell = |(_, cell): (_, Prefix)| {
        let mut sampler = Sampler::new(cell, Vec::new(), false, seed);
        let asked = std::iter::from_fn(move || sampler.next(&planned.excluded)).take(ASKED);
        asked.filter(|&address| network.answers(address)).take(each).collect::<Vec<IpAddr>>()
    };
    cells.into_iter().flat_map(of_cell).collect()
}

/// Each range has lost its own share of what was known, 2 to 10 %.
fn is_gone(snapshot: &FeedSnapshot, address: IpAddr, seed: u64) -> bool {
    let range = snapshot.ranges.partition_point(|range| range.prefix.first() <= address) as u64;
    let churn = 0.02 + 0.08 * share(mixed(range ^ mixed(seed ^ 4)));
    let bits = match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => mixed(u64::from(address.segments()[7])),
    };
    share(mixed(bits ^ mixed(seed ^ 5))) < churn
}

/// The documented list `times` over, packed into space of its own.
#[must_use]
pub fn packed(times: usize) -> FeedSnapshot {
    let documented = FeedSnapshot::documented();
    let copies = std::iter::repeat_n(&documented.ranges, times).flatten().cloned().collect();
    FeedSnapshot { ranges: pack(copies), origin_facing: PrefixSet::new(), ..documented }
}

/// A list of the size that AWS published in August 2026: 118 global and 93 regional prefixes, and 32 of IPv6.
#[must_use]
pub fn with_newer_ranges() -> FeedSnapshot {
    let documented = FeedSnapshot::documented();
    // The lengths of what was added to the documented list until then.
    let global = [(14, 4), (15, 10), (16, 3), (17, 4), (18, 7), (19, 2), (23, 3), (24, 13)];
    let added = global.iter().flat_map(|&(length, count)| std::iter::repeat_n((List::Global, length), count));
    let regional = std::iter::repeat_n((List::RegionalEdge, 23), 44);
    let range = |(list, length): (List, u8)| Range {
        prefix: Prefix::containing(IpAddr::V4(Ipv4Addr::UNSPECIFIED), length),
        list,
        role: if list == List::Global { Role::Viewer } else { Role::RegionalEdge },
        region: None,
    };
    let mut ranges = pack(documented.ranges.iter().cloned().chain(added.chain(regional).map(range)).collect());
    let v6 = |turn: u16| Range {
        prefix: Prefix::containing(IpAddr::from([0x2600, 0x9000, turn << 8, 0, 0, 0, 0, 0]), 40),
        ..range((List::Global, 14))
    };
    ranges.extend((0..32).map(v6));
    FeedSnapshot { ranges, origin_facing: PrefixSet::new(), ..documented }
}

/// Gives the ranges new places, one behind the other, the largest first so that all are aligned.
fn pack(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_by_key(|range| range.prefix.len());
    let mut next = Ipv4Addr::new(16, 0, 0, 0).to_bits();
    for range in &mut ranges {
        range.prefix = Prefix::containing(Ipv4Addr::from_bits(next).into(), range.prefix.len());
        next += 1 << range.prefix.host_bits();
    }
    ranges.sort_by_key(|range| range.prefix);
    ranges.dedup_by_key(|range| range.prefix);
    ranges
}

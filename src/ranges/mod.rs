//! The address ranges: published lists, what each range is for, and since when we know it.

mod archive;
mod chain;
mod change;
mod diff;
mod document;
mod fault;
mod feed;
pub mod guard;
#[cfg(test)]
pub(crate) mod made;
mod provenance;
#[cfg(feature = "io")]
pub mod read;
mod roles;

pub use archive::day_in;
pub use chain::{ListState, states};
pub use change::{FeedChange, FeedChangeKind, Followed, Patience, Withdrawn, follow, in_grace};
pub use diff::{FeedDiff, diff};
pub use fault::{Array, EntryFault, Fault, FeedError, Place};
pub use feed::{DOCUMENTED_DATE, MOST_BYTES};
pub use provenance::{Explanation, Provenance, explain};

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::prefix::{Prefix, PrefixSet};

/// Which of the two published lists a range is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum List {
    /// `CLOUDFRONT_GLOBAL_IP_LIST`: the points of presence that viewers talk to.
    Global,
    /// `CLOUDFRONT_REGIONAL_EDGE_IP_LIST`: caches between the points of presence and the origins.
    RegionalEdge,
}

/// What a range is for, and so what its silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Serves viewers: blocking it breaks transfers.
    Viewer,
    /// A regional edge cache: viewers are never sent there.
    RegionalEdge,
    /// At least nine tenths of it talk to origins, not to viewers.
    OriginFacing,
    /// Chinese carrier space, which serves sites with a Chinese licence alone.
    CarrierCn,
}

/// Which publication a snapshot was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The lists on the platform's help page, embedded in the binary.
    Documented,
    /// CloudFront's own `list-cloudfront-ips`: two arrays, no date.
    ListCloudfrontIps,
    /// AWS's `ip-ranges.json`.
    IpRanges,
}

/// One listed prefix.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Range {
    /// The prefix as published.
    pub prefix: Prefix,
    /// The list that it is in.
    pub list: List,
    /// What it is for.
    pub role: Role,
    /// The AWS region, where the feed names one; a global range has none.
    pub region: Option<String>,
}

/// One state of a feed: immutable, and whole or not there at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSnapshot {
    /// Which publication.
    pub source: Source,
    /// Where it was read: a path, or `embedded`.
    pub name: String,
    /// The publication's own serial (`syncToken`), where it has one.
    pub serial: Option<String>,
    /// The day it was published, where the feed says so.
    pub date: Option<Date>,
    /// SHA-256 of the bytes that were read, in hexadecimal.
    pub sha256: String,
    /// The ranges in order of prefix; no prefix twice.
    pub ranges: Vec<Range>,
    /// The space inside the ranges that talks to origins and not to viewers.
    pub origin_facing: PrefixSet,
    /// All space of the publisher, in order and aggregated; empty where the feed says nothing of it.
    pub announced: Vec<Prefix>,
}

impl List {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Global, Self::RegionalEdge];

    /// The name in flags, JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::RegionalEdge => "regional-edge",
        }
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::RegionalEdge, Self::OriginFacing, Self::CarrierCn];

    /// The name in flags, JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::RegionalEdge => "regional-edge",
            Self::OriginFacing => "origin-facing",
            Self::CarrierCn => "carrier-cn",
        }
    }
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Documented, Self::ListCloudfrontIps, Self::IpRanges];

    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::ListCloudfrontIps => "list-cloudfront-ips",
            Self::IpRanges => "ip-ranges",
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FeedSnapshot {
    /// Which publication of what day, in few words.
    #[must_use]
    pub fn edition(&self) -> String {
        let date = self.date.map_or_else(|| "undated".to_owned(), |date| date.to_string());
        format!("{} {date}", self.source)
    }

    /// Which file that was, and its digest.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("sha256:{} {}", self.sha256, self.name)
    }

    /// All addresses of the snapshot.
    #[must_use]
    pub fn addresses(&self) -> PrefixSet {
        self.ranges.iter().map(|range| range.prefix).collect()
    }
}

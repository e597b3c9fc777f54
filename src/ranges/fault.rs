//! Why a feed is refused: the file, the place in it, the reason.

use std::fmt;

use crate::prefix::{Prefix, PrefixError};
use crate::text::printable;

/// A feed that was refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("feed {}: {fault}", printable(.file, 256))]
pub struct FeedError {
    /// The path, or what was read instead of one.
    pub file: String,
    /// What is wrong, and where.
    pub fault: Fault,
}

/// What is wrong with a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// More bytes than any feed has.
    #[error("the file has more than {} MiB (ip-ranges.json has 3)", .0 >> 20)]
    TooLarge(usize),
    /// Something well known that is not JSON.
    #[error("the file is {0}, not a feed")]
    NotJson(&'static str),
    /// Not JSON, JSON of another shape, or cut off.
    #[error("line {line}, column {column}: {reason}")]
    Json {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
        /// What was found and what expected there.
        reason: String,
    },
    /// JSON, but none of the formats.
    #[error("neither list-cloudfront-ips (no `CLOUDFRONT_GLOBAL_IP_LIST`) nor ip-ranges.json (no `prefixes`)")]
    UnknownFormat,
    /// Keys of both formats.
    #[error("keys of both formats: `{0}` and `{1}`")]
    BothFormats(&'static str, &'static str),
    /// One of the two arrays of `list-cloudfront-ips` is not there.
    #[error("`{0}` is missing")]
    MissingKey(&'static str),
    /// `syncToken` or `createDate` is not what it should be.
    #[error("{key}: `{text}` is not {expected}")]
    Stamp {
        /// The key.
        key: &'static str,
        /// Its value, printable.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// One entry is wrong.
    #[error("{place}: {fault}")]
    Entry {
        /// Which.
        place: Place,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// One prefix twice; no real feed repeats one.
    #[error("{second}: {prefix} is already in {first}")]
    Repeated {
        /// The prefix.
        prefix: Prefix,
        /// Where it is first.
        first: Place,
        /// Where it is again.
        second: Place,
    },
    /// One prefix inside another; no real feed has that among its CloudFront ranges.
    #[error("{inner_place}: {inner} lies inside {outer} of {outer_place}")]
    Nested {
        /// The larger network.
        outer: Prefix,
        /// Where it is.
        outer_place: Place,
        /// The smaller network.
        inner: Prefix,
        /// Where it is.
        inner_place: Place,
    },
    /// No range that viewers talk to.
    #[error("the global list is empty")]
    NoGlobalRange,
}

/// What is wrong with one entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Not a prefix.
    #[error("{}", printable(&.0.to_string(), 200))]
    Prefix(PrefixError),
    /// A prefix of the other family than the array is for.
    #[error("{0} is of the other address family")]
    Family(Prefix),
    /// A network far larger than any that a content network has.
    #[error("{prefix} is implausibly large (a range has at least /{shortest})")]
    TooLarge {
        /// The prefix.
        prefix: Prefix,
        /// The shortest length that is taken.
        shortest: u8,
    },
    /// Address space that no public service can use.
    #[error("{prefix} overlaps {block}, {name}")]
    SpecialPurpose {
        /// The prefix.
        prefix: Prefix,
        /// The registered block.
        block: Prefix,
        /// Its name in the registry.
        name: &'static str,
    },
    /// Not the name of an AWS region.
    #[error("region `{0}` is not a name of letters, digits and hyphens")]
    Region(String),
}

/// An entry of one of the arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The array.
    pub array: Array,
    /// Counted from 0, as in JSON paths.
    pub index: usize,
}

/// The arrays of both formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Array {
    /// `CLOUDFRONT_GLOBAL_IP_LIST`.
    Global,
    /// `CLOUDFRONT_REGIONAL_EDGE_IP_LIST`.
    RegionalEdge,
    /// `prefixes`.
    Prefixes,
    /// `ipv6_prefixes`.
    Ipv6Prefixes,
}

impl Place {
    /// The entry as a whole: `prefixes[1234]`.
    pub(super) fn element(self) -> String {
        format!("{}[{}]", self.array.key(), self.index)
    }
}

impl Array {
    /// The key in the file.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Global => "CLOUDFRONT_GLOBAL_IP_LIST",
            Self::RegionalEdge => "CLOUDFRONT_REGIONAL_EDGE_IP_LIST",
            Self::Prefixes => "prefixes",
            Self::Ipv6Prefixes => "ipv6_prefixes",
        }
    }

    /// The key of the prefix inside an entry, where entries are objects.
    #[must_use]
    pub fn prefix_key(self) -> Option<&'static str> {
        match self {
            Self::Global | Self::RegionalEdge => None,
            Self::Prefixes => Some("ip_prefix"),
            Self::Ipv6Prefixes => Some("ipv6_prefix"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.element())?;
        self.array.prefix_key().map_or(Ok(()), |key| write!(f, ".{key}"))
    }
}

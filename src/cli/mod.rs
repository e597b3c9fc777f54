//! The command line: one file per subcommand, which reads, calls the core, writes and returns a status.

pub mod output;
pub mod ranges;
mod resolve;

pub use resolve::{Asked, AskedError, ResolveError};

use clap::ValueEnum;

use crate::prefix::Family;
use crate::ranges::{List, Range};

/// Which of the two lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFilter {
    /// Both lists
    #[default]
    All,
    /// What viewers talk to
    Global,
    /// Caches between points of presence and origins
    RegionalEdge,
}

/// Which address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FamilyFilter {
    /// IPv4
    #[value(name = "4")]
    V4,
    /// IPv6
    #[value(name = "6")]
    V6,
    /// IPv4 and IPv6
    #[default]
    Both,
}

impl ListFilter {
    /// Whether the range is in the list.
    #[must_use]
    pub fn keeps(self, range: &Range) -> bool {
        match self {
            Self::All => true,
            Self::Global => range.list == List::Global,
            Self::RegionalEdge => range.list == List::RegionalEdge,
        }
    }
}

impl FamilyFilter {
    /// Whether the range is of the family.
    #[must_use]
    pub fn keeps(self, range: &Range) -> bool {
        match self {
            Self::Both => true,
            Self::V4 => range.prefix.family() == Family::V4,
            Self::V6 => range.prefix.family() == Family::V6,
        }
    }
}

//! Which ranges a command is about.

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
    /// The list that alone is kept; none: both.
    #[must_use]
    pub fn only(self) -> Option<List> {
        match self {
            Self::All => None,
            Self::Global => Some(List::Global),
            Self::RegionalEdge => Some(List::RegionalEdge),
        }
    }

    /// Whether the range is in the list.
    #[must_use]
    pub fn keeps(self, range: &Range) -> bool {
        self.only().is_none_or(|list| list == range.list)
    }
}

impl FamilyFilter {
    /// The family that alone is kept; none: both.
    #[must_use]
    pub fn only(self) -> Option<Family> {
        match self {
            Self::V4 => Some(Family::V4),
            Self::V6 => Some(Family::V6),
            Self::Both => None,
        }
    }

    /// Whether the range is of the family.
    #[must_use]
    pub fn keeps(self, range: &Range) -> bool {
        self.only().is_none_or(|family| family == range.prefix.family())
    }
}

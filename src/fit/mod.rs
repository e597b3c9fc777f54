//! Making a list fit a device that takes only so many entries.
//!
//! There are three ways, and what each costs is part of its answer:
//! - [`split`] makes several groups, and costs nothing;
//! - [`ranges`] joins neighbours where a device takes address ranges, and costs nothing; [`cover_ranges`] goes on to fill
//!   the smallest gaps between them;
//! - [`cover`] takes fewer and larger prefixes, and opens addresses that nobody listed: as few as can be.
//!
//! All of them are exact: no other choice of as many entries opens fewer addresses.

mod budget;
mod cover;
mod gaps;
mod shares;
mod split;
#[cfg(test)]
mod tests;
mod tree;

pub use cover::cover;
pub use gaps::{cover_ranges, ranges};
pub use split::split;

use crate::prefix::{Family, Prefix, PrefixSet};

/// What a cover has to keep to.
#[derive(Clone, Copy, Debug)]
pub struct Budget<'a> {
    /// The most entries; one limit for both families together.
    pub entries: usize,
    /// The most extra addresses in percent of the listed ones of their family; none: as many as it takes.
    pub extra_percent: Option<f64>,
    /// Space in which nothing is opened that is not listed.
    pub forbidden: &'a PrefixSet,
}

/// Entries that hold every listed address, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover<E> {
    /// Disjoint, in order.
    pub entries: Vec<E>,
    /// The addresses in the entries that are not listed.
    pub extra: PrefixSet,
}

/// Why there is no cover within a budget.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Forbidden space lies between the listed ranges, or a family would get no entry.
    #[error("no {most} entries hold the list and leave forbidden space closed: it takes {fewest} at the least")]
    TooFew {
        /// The entries of the budget.
        most: usize,
        /// How many entries a cover has at the least.
        fewest: usize,
    },
    /// More addresses would be opened than the budget allows.
    #[error(
        "{most} entries open {percent:.1} % more IPv{} addresses than are listed, and {allowed} % are allowed: it takes \
         {enough} entries",
        .family.number()
    )]
    TooMuch {
        /// The entries of the budget.
        most: usize,
        /// The family for which it is too much.
        family: Family,
        /// What the best cover opens, in percent of the listed addresses.
        percent: f64,
        /// What the budget allows.
        allowed: f64,
        /// How many entries keep to it.
        enough: usize,
    },
}

impl Budget<'_> {
    /// What no entry may hold: listed addresses are never extra, wherever they are.
    fn closed(&self, listed: &[Prefix]) -> Closed {
        Closed(self.forbidden.difference(&listed.iter().copied().collect()).prefixes())
    }
}

/// Forbidden space that is not listed, as disjoint prefixes in order.
struct Closed(Vec<Prefix>);

impl Closed {
    fn touches(&self, first: std::net::IpAddr, last: std::net::IpAddr) -> bool {
        let next = self.0.partition_point(|prefix| prefix.last() < first);
        self.0.get(next).is_some_and(|prefix| prefix.first() <= last)
    }
}

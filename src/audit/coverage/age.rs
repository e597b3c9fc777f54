//! From which list the rules were made.

use jiff::civil::Date;

use super::{Passing, Required, touched};
use crate::audit::AddressSet;
use crate::ranges::{FeedSnapshot, Source};

/// An older list that is allowed as a whole, while everything that came later is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// Which publication.
    pub source: Source,
    /// Its day, where it has one.
    pub date: Option<Date>,
    /// Required ranges that it lacks, wholly or in part.
    pub behind: usize,
}

impl Age {
    /// The newest older list that the rules allow, if they allow nothing newer.
    pub(super) fn of(required: &Required<'_>, allowed: &AddressSet, missing: &AddressSet) -> Option<Self> {
        let mut held: Vec<&FeedSnapshot> = required.held.iter().collect();
        held.sort_by_key(|feed| std::cmp::Reverse(feed.date));
        held.into_iter().find_map(|feed| Self::fits(required, feed, allowed, missing))
    }

    fn fits(required: &Required<'_>, feed: &FeedSnapshot, allowed: &AddressSet, missing: &AddressSet) -> Option<Self> {
        let older = AddressSet::from(&feed.addresses());
        let wanted = allowed.union(missing);
        let (kept, added) = (wanted.intersection(&older), wanted.difference(&older));
        let fits = !kept.is_empty() && !added.is_empty() && *allowed == kept && *missing == added;
        let behind = touched(&required.ranges, &added).len();
        fits.then_some(Self { source: feed.source, date: feed.date, behind })
    }
}

/// What passes and is no longer listed; what everything passes through says nothing of a list.
pub(super) fn stale(required: &Required<'_>, passing: &Passing) -> AddressSet {
    let now = AddressSet::from(&required.feed.addresses());
    let older = required.held.iter().filter(|feed| is_older(feed, required.feed));
    let once = older.fold(AddressSet::none(), |all, feed| all.union(&AddressSet::from(&feed.addresses())));
    let gone = once.difference(&now);
    // Where the neighbours of an entry pass as well it is no entry of its own.
    let entries = passing.perhaps.ranges().filter(|range| {
        let set = AddressSet::from(*range);
        once.union(&now).covers(&set)
    });
    entries.collect::<AddressSet>().intersection(&gone)
}

fn is_older(feed: &FeedSnapshot, than: &FeedSnapshot) -> bool {
    feed.sha256 != than.sha256 && (than.date.is_none() || feed.date <= than.date)
}

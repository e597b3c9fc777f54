//! What changed from one snapshot to another.

use std::collections::HashSet;

use super::{FeedSnapshot, List, Range};
use crate::prefix::{Family, Prefix, PrefixSet};

/// The difference between two snapshots, by listed prefix and by address.
///
/// A prefix that was split or joined is in both `added` and `removed`, but its addresses are neither gained nor lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedDiff {
    /// What the second lists and the first does not; a range that moved to the other list counts.
    pub added: Vec<Range>,
    /// What the first lists and the second does not.
    pub removed: Vec<Range>,
    /// The addresses that only the second has.
    pub gained: PrefixSet,
    /// The addresses that only the first has.
    pub lost: PrefixSet,
}

/// What changed from `from` to `to`; a change of role or region alone is none.
#[must_use]
pub fn diff(from: &FeedSnapshot, to: &FeedSnapshot) -> FeedDiff {
    let (before, after) = (from.addresses(), to.addresses());
    FeedDiff {
        added: only_in(to, from),
        removed: only_in(from, to),
        gained: after.difference(&before),
        lost: before.difference(&after),
    }
}

impl FeedDiff {
    /// Whether both list the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// How many ranges of a list and family were added and removed.
    #[must_use]
    pub fn counts(&self, list: List, family: Family) -> (usize, usize) {
        let count = |ranges: &[Range]| ranges.iter().filter(|r| r.list == list && r.prefix.family() == family).count();
        (count(&self.added), count(&self.removed))
    }
}

fn only_in(these: &FeedSnapshot, others: &FeedSnapshot) -> Vec<Range> {
    let known: HashSet<(Prefix, List)> = others.ranges.iter().map(|range| (range.prefix, range.list)).collect();
    these.ranges.iter().filter(|range| !known.contains(&(range.prefix, range.list))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::made::{list, newer_ip_ranges};
    use super::*;

    fn feed(bytes: impl AsRef<[u8]>) -> FeedSnapshot {
        FeedSnapshot::parse("made", bytes.as_ref()).expect("a feed")
    }

    fn texts(ranges: &[Range]) -> Vec<String> {
        ranges.iter().map(|range| range.prefix.to_string()).collect()
    }

    #[test]
    fn a_split_range_loses_only_what_is_gone() {
        let old = feed(list(&["13.32.0.0/15", "205.251.200.0/21"], &["3.10.17.128/25"]));
        let change = diff(&old, &feed(list(&["13.32.0.0/15", "205.251.202.0/23", "205.251.204.0/22"], &[])));
        assert_eq!(texts(&change.added), ["205.251.202.0/23", "205.251.204.0/22"]);
        assert_eq!(texts(&change.removed), ["3.10.17.128/25", "205.251.200.0/21"]);
        assert!(change.gained.is_empty());
        assert_eq!(change.lost.addresses(Family::V4), 512 + 128);
        assert_eq!(change.counts(List::Global, Family::V4), (2, 1));
    }

    #[test]
    fn a_range_that_moves_to_the_other_list_is_added_and_removed() {
        let change = diff(
            &feed(list(&["13.32.0.0/15", "99.84.0.0/16"], &[])),
            &feed(list(&["13.32.0.0/15"], &["99.84.0.0/16"])),
        );
        assert_eq!((change.added.len(), change.removed.len()), (1, 1));
        assert!(change.gained.is_empty() && change.lost.is_empty() && !change.is_empty());
    }

    #[test]
    fn the_same_ranges_in_another_format_are_no_change() {
        let newer = feed(newer_ip_ranges());
        let of = |list| texts(&newer.ranges.iter().filter(|range| range.list == list).cloned().collect::<Vec<_>>());
        let (global, regional) = (of(List::Global), of(List::RegionalEdge));
        let [global, regional] = [&global, &regional].map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(diff(&newer, &feed(list(&global, &regional))).is_empty());
    }

    #[test]
    fn both_families_are_counted() {
        let change = diff(&FeedSnapshot::documented(), &feed(newer_ip_ranges()));
        assert_eq!(change.counts(List::Global, Family::V6), (2, 0));
        assert_eq!(change.gained.addresses(Family::V6), (1 << 92) + (1 << 72));
        assert_eq!(change.gained.addresses(Family::V4), (1 << 18) + 1);
    }
}

//! Where a range or an address is listed, and since which snapshot that we hold.

use std::net::IpAddr;

use super::{FeedSnapshot, Range};
use crate::prefix::{Prefix, PrefixSet};

/// The snapshots that we hold, oldest first.
///
/// One without a date counts as the newest: the publisher gives out nothing but its present state.
#[derive(Clone, Debug)]
pub struct Provenance<'a> {
    held: Vec<(&'a FeedSnapshot, PrefixSet)>,
}

/// What is known of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The address.
    pub address: IpAddr,
    /// The range that holds it, as the newest snapshot that has it lists it.
    pub range: &'a Range,
    /// Every snapshot that has it, oldest first.
    pub feeds: Vec<&'a FeedSnapshot>,
    /// Whether the newest of all snapshots still has it.
    pub listed_now: bool,
    /// Whether the address itself talks to origins, whatever the rest of its range does.
    pub origin_facing: bool,
}

/// Which range holds the address, and since when; `None` when no snapshot has it.
#[must_use]
pub fn explain<'a>(address: IpAddr, snapshots: &[&'a FeedSnapshot]) -> Option<Explanation<'a>> {
    Provenance::new(snapshots).explain(address)
}

impl<'a> Provenance<'a> {
    /// Of these snapshots, in whatever order.
    #[must_use]
    pub fn new(snapshots: &[&'a FeedSnapshot]) -> Self {
        let mut held: Vec<_> = snapshots.iter().map(|&snapshot| (snapshot, snapshot.addresses())).collect();
        held.sort_by_key(|(snapshot, _)| (snapshot.date.is_none(), snapshot.date));
        Self { held }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn newest(&self) -> Option<&'a FeedSnapshot> {
        self.held.last().map(|&(snapshot, _)| snapshot)
    }

    /// The oldest snapshot that has every address of the prefix, be it as another prefix.
    #[must_use]
    pub fn since(&self, prefix: Prefix) -> Option<&'a FeedSnapshot> {
        self.held.iter().find(|(_, addresses)| addresses.covers(prefix)).map(|&(snapshot, _)| snapshot)
    }

    /// Which range holds the address; `None` when no snapshot has it.
    #[must_use]
    pub fn explain(&self, address: IpAddr) -> Option<Explanation<'a>> {
        let having = self.held.iter().filter(|(_, addresses)| addresses.holds(address));
        let feeds: Vec<&'a FeedSnapshot> = having.map(|&(snapshot, _)| snapshot).collect();
        let newest = *feeds.last()?;
        Some(Explanation {
            address,
            range: newest.ranges.iter().find(|range| range.prefix.holds(address))?,
            listed_now: self.newest() == Some(newest),
            origin_facing: newest.origin_facing.holds(address),
            feeds,
        })
    }
}

impl<'a> Explanation<'a> {
    /// The oldest snapshot that has the address.
    #[must_use]
    pub fn since(&self) -> &'a FeedSnapshot {
        self.feeds.first().expect("an explanation names a snapshot")
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{list, newer_ip_ranges};
    use super::super::{List, Role, Source};
    use super::*;

    fn feed(bytes: impl AsRef<[u8]>) -> FeedSnapshot {
        FeedSnapshot::parse("made", bytes.as_ref()).expect("a feed")
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_is_told_with_range_and_oldest_feed() {
        let (old, new) = (FeedSnapshot::documented(), feed(newer_ip_ranges()));
        let both = [&new, &old];
        let found = explain(address("13.33.255.255"), &both).expect("it is listed");
        assert_eq!((found.range.prefix.to_string().as_str(), found.range.list), ("13.32.0.0/15", List::Global));
        assert_eq!((found.since().source, found.feeds.len(), found.listed_now), (Source::Documented, 2, true));
        let found = explain(address("3.160.0.0"), &both).expect("it is listed");
        assert_eq!((found.since().source, found.feeds.len()), (Source::IpRanges, 1));
        let found = explain(address("2600:9000:2fff::1"), &both).expect("it is listed");
        assert_eq!(found.range.role, Role::Viewer);
        assert_eq!(explain(address("192.0.2.1"), &both), None);
        assert_eq!(explain(address("13.32.0.0"), &[]), None);
    }

    #[test]
    fn a_withdrawn_address_is_not_listed_now() {
        let (old, new) = (FeedSnapshot::documented(), feed(newer_ip_ranges()));
        let found = explain(address("205.251.200.7"), &[&old, &new]).expect("it was listed");
        assert!(!found.listed_now);
        assert_eq!(found.range.prefix.to_string(), "205.251.200.0/21");
    }

    #[test]
    fn a_part_of_an_older_range_is_known_since_then() {
        let (old, new) = (FeedSnapshot::documented(), feed(newer_ip_ranges()));
        let provenance = Provenance::new(&[&new, &old]);
        let since = |text: &str| provenance.since(text.parse().expect("a prefix")).map(|feed| feed.source);
        assert_eq!(since("205.251.202.0/23"), Some(Source::Documented));
        assert_eq!(since("3.160.0.0/14"), Some(Source::IpRanges));
        assert_eq!(since("9.0.0.0/8"), None);
    }

    #[test]
    fn origin_facing_space_is_told_by_the_address() {
        let old = FeedSnapshot::documented();
        let inside = old.origin_facing.intersection(&"54.182.0.0/16".parse::<Prefix>().unwrap().into());
        let found = explain(inside.prefixes()[0].first(), &[&old]).expect("it is listed");
        assert_eq!((found.range.role, found.origin_facing), (Role::Viewer, true));
    }

    #[test]
    fn an_undated_list_counts_as_the_newest() {
        let (new, undated) = (feed(newer_ip_ranges()), feed(list(&["13.32.0.0/15"], &[])));
        assert_eq!(Provenance::new(&[&undated, &new]).newest(), Some(&undated));
    }
}

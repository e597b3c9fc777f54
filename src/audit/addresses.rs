//! Sets of addresses as sorted runs: what rules match, from one address to everything.
//!
//! [`PrefixSet`] is a trie and made for look-ups in one list. A rule set has a set for each of its rules, mostly of one
//! entry, and needs complements of them: 100,000 tries of one entry take 130 MB, 100,000 runs 5 MB.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::prefix::{AddressRange, Family, Prefix, PrefixSet};

/// A run of addresses of one family as numbers, both ends included.
pub(super) type Run = (u128, u128);

/// The families in the order of their runs.
pub(super) const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// A set of addresses of both families: disjoint runs in order, none of which touches the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressSet {
    v4: Vec<Run>,
    v6: Vec<Run>,
}

impl AddressSet {
    /// The empty set.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Every address of both families.
    #[must_use]
    pub fn all() -> Self {
        Self { v4: vec![whole(Family::V4)], v6: vec![whole(Family::V6)] }
    }

    /// Every address of one family.
    #[must_use]
    pub fn family(family: Family) -> Self {
        Self::none().with_runs(family, vec![whole(family)])
    }

    /// Whether no address is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether every address of both families is in it.
    #[must_use]
    pub fn is_all(&self) -> bool {
        FAMILIES.into_iter().all(|family| self.runs(family) == [whole(family)])
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let number = number(address);
        let runs = self.runs(Family::of(address));
        let behind = runs.partition_point(|run| run.1 < number);
        runs.get(behind).is_some_and(|run| run.0 <= number)
    }

    /// Number of addresses of one family; all of IPv6 saturates at `u128::MAX`.
    #[must_use]
    pub fn addresses(&self, family: Family) -> u128 {
        self.runs(family).iter().fold(0, |sum: u128, run| sum.saturating_add((run.1 - run.0).saturating_add(1)))
    }

    /// Whether every address of `other` is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.difference(self).is_empty()
    }

    /// Everything else, of both families.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::all().difference(self)
    }

    /// The addresses of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.each(other, |a, b| merged(a.iter().chain(b).copied().collect()))
    }

    /// The addresses of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.each(other, common)
    }

    /// The addresses that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut set = Self::none();
        for family in FAMILIES {
            set = set.with_runs(family, common(self.runs(family), &gaps(other.runs(family), family)));
        }
        set
    }

    /// Only the addresses of one family.
    #[must_use]
    pub fn only(&self, family: Family) -> Self {
        Self::none().with_runs(family, self.runs(family).to_vec())
    }

    /// The same addresses as the fewest prefixes, in order.
    #[must_use]
    pub fn prefixes(&self) -> Vec<Prefix> {
        self.ranges().flat_map(AddressRange::prefixes).collect()
    }

    /// Its runs, in order, IPv4 first.
    pub fn ranges(&self) -> impl Iterator<Item = AddressRange> + '_ {
        FAMILIES.into_iter().flat_map(|family| self.runs(family).iter().map(move |&run| range(family, run)))
    }

    /// The runs of one family, in order.
    pub(super) fn runs(&self, family: Family) -> &[Run] {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    /// The same with these runs, which are in any order and may overlap, in place of those of a family.
    pub(super) fn with_runs(mut self, family: Family, runs: Vec<Run>) -> Self {
        let merged = merged(runs);
        match family {
            Family::V4 => self.v4 = merged,
            Family::V6 => self.v6 = merged,
        }
        self
    }

    fn each(&self, other: &Self, combine: impl Fn(&[Run], &[Run]) -> Vec<Run>) -> Self {
        Self { v4: combine(&self.v4, &other.v4), v6: combine(&self.v6, &other.v6) }
    }
}

impl FromIterator<AddressRange> for AddressSet {
    fn from_iter<I: IntoIterator<Item = AddressRange>>(ranges: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            let run = (number(range.first()), number(range.last()));
            match range.family() {
                Family::V4 => v4.push(run),
                Family::V6 => v6.push(run),
            }
        }
        Self { v4: merged(v4), v6: merged(v6) }
    }
}

impl FromIterator<Prefix> for AddressSet {
    fn from_iter<I: IntoIterator<Item = Prefix>>(prefixes: I) -> Self {
        prefixes.into_iter().map(AddressRange::from).collect()
    }
}

impl From<Prefix> for AddressSet {
    fn from(prefix: Prefix) -> Self {
        Self::from_iter([prefix])
    }
}

impl From<AddressRange> for AddressSet {
    fn from(range: AddressRange) -> Self {
        Self::from_iter([range])
    }
}

impl From<&PrefixSet> for AddressSet {
    fn from(set: &PrefixSet) -> Self {
        set.prefixes().into_iter().collect()
    }
}

/// Every address of a family.
pub(super) fn whole(family: Family) -> Run {
    match family {
        Family::V4 => (0, u32::MAX.into()),
        Family::V6 => (0, u128::MAX),
    }
}

/// A run with its family.
pub(super) fn range(family: Family, run: Run) -> AddressRange {
    let [first, last] = [run.0, run.1].map(|number| address(family, number));
    AddressRange::new(first, last).expect("a run is in order")
}

fn address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from_bits(u32::try_from(number).expect("an IPv4 run ends at 2^32")).into(),
        Family::V6 => Ipv6Addr::from_bits(number).into(),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// In order, with neighbours joined.
fn merged(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_unstable();
    runs.dedup_by(|later, earlier| {
        let joined = later.0 <= earlier.1.saturating_add(1);
        if joined {
            earlier.1 = earlier.1.max(later.1);
        }
        joined
    });
    runs
}

/// The runs between these.
fn gaps(runs: &[Run], family: Family) -> Vec<Run> {
    let (first, last) = whole(family);
    let mut gaps = Vec::with_capacity(runs.len() + 1);
    let mut next = Some(first);
    for run in runs {
        if let Some(start) = next.filter(|&start| start < run.0) {
            gaps.push((start, run.0 - 1));
        }
        next = run.1.checked_add(1);
    }
    gaps.extend(next.filter(|&start| start <= last).map(|start| (start, last)));
    gaps
}

/// What lies in a run of both; where one side has few runs the other is searched, not walked.
fn common(a: &[Run], b: &[Run]) -> Vec<Run> {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut found = Vec::new();
    for run in few {
        let from = many.partition_point(|other| other.1 < run.0);
        let touching = many[from..].iter().take_while(|other| other.0 <= run.1);
        found.extend(touching.map(|other| (other.0.max(run.0), other.1.min(run.1))));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(texts: &[&str]) -> AddressSet {
        texts.iter().map(|text| text.parse::<Prefix>().expect("a prefix")).collect()
    }

    #[test]
    fn neighbours_are_joined_and_families_kept_apart() {
        let both = set(&["10.128.0.0/9", "10.0.0.0/9", "10.1.0.0/16", "::/1", "8000::/1"]);
        assert_eq!(both.prefixes(), set(&["10.0.0.0/8", "::/0"]).prefixes());
        assert_eq!(both.addresses(Family::V6), u128::MAX);
    }

    #[test]
    fn everything_and_nothing_are_each_others_complement() {
        assert_eq!(AddressSet::none().complement(), AddressSet::all());
        assert!(AddressSet::all().complement().is_empty());
        assert!(AddressSet::all().is_all() && !AddressSet::family(Family::V4).is_all());
        assert_eq!(set(&["0.0.0.0/1"]).complement(), set(&["128.0.0.0/1", "::/0"]));
    }

    fn sets() -> impl Strategy<Value = AddressSet> {
        // A space of 256 addresses, so that overlaps and neighbours are the rule.
        let prefix = (0_u8..=255, 24_u8..=32, any::<bool>()).prop_map(|(host, length, six)| {
            if six {
                Prefix::containing(Ipv6Addr::from_bits(host.into()).into(), length + 96)
            } else {
                Prefix::containing([10, 0, 0, host].into(), length)
            }
        });
        prop::collection::vec(prefix, 0..12).prop_map(|list| list.into_iter().collect())
    }

    proptest! {
        #[test]
        fn algebra_agrees_with_single_addresses(a in sets(), b in sets()) {
            for host in 0..=255_u8 {
                for address in [IpAddr::from([10, 0, 0, host]), Ipv6Addr::from_bits(host.into()).into()] {
                    let (l, r) = (a.holds(address), b.holds(address));
                    prop_assert_eq!(a.union(&b).holds(address), l || r);
                    prop_assert_eq!(a.intersection(&b).holds(address), l && r);
                    prop_assert_eq!(a.difference(&b).holds(address), l && !r);
                    prop_assert_eq!(a.complement().holds(address), !l);
                }
            }
        }

        #[test]
        fn the_form_is_canonical(a in sets(), b in sets()) {
            prop_assert_eq!(a.complement().complement(), a.clone());
            prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a);
        }
    }
}

//! Sets of addresses, held as the fewest prefixes.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use iprange::IpRange;

use super::{Family, Prefix, aggregate};

/// A set of addresses of both families, always in canonical form: the fewest disjoint prefixes.
#[derive(Clone, Default)]
pub struct PrefixSet {
    v4: IpRange<Ipv4Net>,
    v6: IpRange<Ipv6Net>,
}

impl PrefixSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the address is in the set.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(&address),
            IpAddr::V6(address) => self.v6.contains(&address),
        }
    }

    /// Whether every address of the prefix is in the set.
    #[must_use]
    pub fn covers(&self, prefix: Prefix) -> bool {
        match prefix.to_ipnet() {
            IpNet::V4(net) => self.v4.contains(&net),
            IpNet::V6(net) => self.v6.contains(&net),
        }
    }

    /// Whether no address is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Number of addresses of one family.
    #[must_use]
    pub fn addresses(&self, family: Family) -> u128 {
        self.iter()
            .filter(|prefix| prefix.family() == family)
            .fold(0, |sum, prefix| sum.saturating_add(prefix.addresses()))
    }

    /// Its prefixes: disjoint, the fewest possible, in order.
    #[must_use]
    pub fn prefixes(&self) -> Vec<Prefix> {
        let mut list: Vec<Prefix> = self.iter().collect();
        list.sort_unstable();
        list
    }

    /// The addresses of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { v4: self.v4.merge(&other.v4), v6: self.v6.merge(&other.v6) }
    }

    /// The addresses of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self { v4: self.v4.intersect(&other.v4), v6: self.v6.intersect(&other.v6) }
    }

    /// The addresses that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self { v4: self.v4.exclude(&other.v4), v6: self.v6.exclude(&other.v6) }
    }

    fn iter(&self) -> impl Iterator<Item = Prefix> + '_ {
        self.v4.iter().map(Prefix::from).chain(self.v6.iter().map(Prefix::from))
    }
}

impl FromIterator<Prefix> for PrefixSet {
    fn from_iter<I: IntoIterator<Item = Prefix>>(prefixes: I) -> Self {
        let mut set = Self::new();
        // Aggregated first: the trie's own simplification takes seconds on a million prefixes.
        for prefix in aggregate(prefixes) {
            match prefix.to_ipnet() {
                IpNet::V4(net) => _ = set.v4.add(net),
                IpNet::V6(net) => _ = set.v6.add(net),
            }
        }
        set
    }
}

impl From<Prefix> for PrefixSet {
    fn from(prefix: Prefix) -> Self {
        Self::from_iter([prefix])
    }
}

impl PartialEq for PrefixSet {
    fn eq(&self, other: &Self) -> bool {
        self.prefixes() == other.prefixes()
    }
}

impl Eq for PrefixSet {}

impl std::fmt::Debug for PrefixSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.prefixes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(texts: &[&str]) -> PrefixSet {
        texts.iter().map(|text| text.parse::<Prefix>().expect("a prefix")).collect()
    }

    #[test]
    fn adjacent_and_nested_prefixes_become_the_fewest() {
        assert_eq!(
            set(&["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "::/1", "8000::/1"]),
            set(&["10.0.0.0/8", "::/0"])
        );
    }

    #[test]
    fn a_hole_is_cut_out() {
        let rest = set(&["13.32.0.0/15"]).difference(&set(&["13.32.96.0/20"]));
        assert_eq!(rest.addresses(Family::V4), (1 << 17) - (1 << 12));
        assert!(!rest.holds("13.32.100.1".parse().unwrap()) && rest.holds("13.32.112.0".parse().unwrap()));
        assert_eq!(rest.union(&set(&["13.32.96.0/20"])), set(&["13.32.0.0/15"]));
    }

    fn prefixes() -> impl Strategy<Value = Vec<Prefix>> {
        // A space of 256 addresses, so that overlaps and neighbours are the rule.
        prop::collection::vec((0_u8..=255, 24_u8..=32), 0..12).prop_map(|list| {
            list.into_iter().map(|(host, length)| Prefix::containing([10, 0, 0, host].into(), length)).collect()
        })
    }

    proptest! {
        #[test]
        fn algebra_agrees_with_sets_of_single_addresses(a in prefixes(), b in prefixes()) {
            let (left, right): (PrefixSet, PrefixSet) = (a.iter().copied().collect(), b.iter().copied().collect());
            for host in 0..=255 {
                let address = IpAddr::from([10, 0, 0, host]);
                let (l, r) = (a.iter().any(|p| p.holds(address)), b.iter().any(|p| p.holds(address)));
                prop_assert_eq!(left.union(&right).holds(address), l || r);
                prop_assert_eq!(left.intersection(&right).holds(address), l && r);
                prop_assert_eq!(left.difference(&right).holds(address), l && !r);
            }
        }

        #[test]
        fn the_form_is_canonical(a in prefixes(), b in prefixes()) {
            let (left, right): (PrefixSet, PrefixSet) = (a.into_iter().collect(), b.into_iter().collect());
            for result in [left.union(&right), left.intersection(&right), left.difference(&right)] {
                prop_assert_eq!(result.prefixes(), result.prefixes().into_iter().collect::<PrefixSet>().prefixes());
            }
        }
    }
}

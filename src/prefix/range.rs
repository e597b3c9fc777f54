//! Runs of addresses from one to another, for devices that take them.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpSubnets, Ipv4Subnets, Ipv6Subnets};

use super::{Family, Prefix};

/// All addresses from a first to a last one, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// From the first to the last address, both included; none when they are out of order or of two families.
    #[must_use]
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        (Family::of(first) == Family::of(last) && first <= last).then_some(Self { first, last })
    }

    /// The first address.
    #[must_use]
    pub fn first(self) -> IpAddr {
        self.first
    }

    /// The last address.
    #[must_use]
    pub fn last(self) -> IpAddr {
        self.last
    }

    /// IPv4 or IPv6.
    #[must_use]
    pub fn family(self) -> Family {
        Family::of(self.first)
    }

    /// How many addresses it holds; all of IPv6 saturates at `u128::MAX`.
    #[must_use]
    pub fn addresses(self) -> u128 {
        (number(self.last) - number(self.first)).saturating_add(1)
    }

    /// The same addresses as the fewest prefixes.
    #[must_use]
    pub fn prefixes(self) -> Vec<Prefix> {
        let subnets = match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => IpSubnets::from(Ipv4Subnets::new(first, last, 0)),
            (IpAddr::V6(first), IpAddr::V6(last)) => IpSubnets::from(Ipv6Subnets::new(first, last, 0)),
            _ => unreachable!("both ends are of one family"),
        };
        subnets.map(Prefix).collect()
    }

    /// How many addresses lie between this range and one behind it; none when they overlap or are of two families.
    #[must_use]
    pub fn gap(self, behind: Self) -> Option<u128> {
        let same = self.family() == behind.family();
        same.then(|| number(behind.first).checked_sub(number(self.last))?.checked_sub(1)).flatten()
    }

    /// From the first address of this range to the last of one behind it.
    ///
    /// # Panics
    /// When it is not behind, or of the other family.
    #[must_use]
    pub fn until(self, behind: Self) -> Self {
        Self::new(self.first, behind.last).expect("the other range lies behind")
    }
}

/// An address as the number that its bits are.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl From<Prefix> for AddressRange {
    fn from(prefix: Prefix) -> Self {
        Self { first: prefix.first(), last: prefix.last() }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: &str, last: &str) -> Option<AddressRange> {
        AddressRange::new(first.parse().unwrap(), last.parse().unwrap())
    }

    #[test]
    fn ends_are_in_order_and_of_one_family() {
        assert_eq!(range("10.0.0.2", "10.0.0.1"), None);
        assert_eq!(range("10.0.0.1", "::2"), None);
        assert_eq!(range("10.0.0.1", "10.0.0.1").unwrap().addresses(), 1);
        assert_eq!(range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").unwrap().addresses(), u128::MAX);
    }

    #[test]
    fn it_is_the_fewest_prefixes() {
        let texts: Vec<_> = range("10.0.0.1", "10.0.0.8").unwrap().prefixes().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/30", "10.0.0.8/32"]);
        let all: Prefix = "::/0".parse().unwrap();
        assert_eq!(AddressRange::from(all).prefixes(), [all]);
    }

    #[test]
    fn a_gap_is_what_lies_between() {
        let (low, high) = (range("10.0.0.0", "10.0.0.3").unwrap(), range("10.0.0.8", "10.0.0.9").unwrap());
        assert_eq!((low.gap(high), high.gap(low), low.gap(low)), (Some(4), None, None));
        assert_eq!(low.gap(range("::", "::1").unwrap()), None);
    }
}

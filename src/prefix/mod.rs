//! CIDR prefixes: one strict type, sets of them, and how they are read and printed.

mod aggregate;
mod list;
mod range;
mod set;
mod special;
mod text;

pub use aggregate::aggregate;
pub use list::{ListError, read_list};
pub use range::AddressRange;
pub use set::PrefixSet;
pub use special::{special_purpose, special_purpose_space};

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An IP network in canonical form: no bit is set behind its length.
///
/// The order is: IPv4 before IPv6, then by first address, then the shorter prefix (the larger network) first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix(IpNet);

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The number that names the family in JSON and labels: 4 or 6.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

/// Why a text is not a prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It is not `address/length`.
    #[error("`{0}` is not a prefix (expected address/length, such as 13.32.0.0/15)")]
    Syntax(String),
    /// Bits are set behind the length: a typing error more often than not, so never repaired in silence.
    #[error("`{text}` has host bits set (did you mean {canonical}?)")]
    HostBits {
        /// What was read.
        text: String,
        /// The network that holds it.
        canonical: Prefix,
    },
}

impl Prefix {
    /// The network of the first `length` bits of `address`; host bits are cleared.
    ///
    /// # Panics
    /// When `length` is more than the family has bits.
    #[must_use]
    pub fn containing(address: IpAddr, length: u8) -> Self {
        Self(IpNet::new(address, length).expect("the length fits the family").trunc())
    }

    /// The prefix that holds just this address.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        Self(IpNet::from(address))
    }

    /// The first address.
    #[must_use]
    pub fn first(self) -> IpAddr {
        self.0.network()
    }

    /// The last address.
    #[must_use]
    pub fn last(self) -> IpAddr {
        self.0.broadcast()
    }

    /// The number of leading bits that are fixed.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // the field's word: a prefix length
    pub fn len(self) -> u8 {
        self.0.prefix_len()
    }

    /// IPv4 or IPv6.
    #[must_use]
    pub fn family(self) -> Family {
        if self.0.addr().is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// The bits behind the length: 0 for a single address.
    #[must_use]
    pub fn host_bits(self) -> u8 {
        self.0.max_prefix_len() - self.len()
    }

    /// How many addresses it holds; `::/0` saturates at `u128::MAX`.
    #[must_use]
    pub fn addresses(self) -> u128 {
        1_u128.checked_shl(u32::from(self.host_bits())).unwrap_or(u128::MAX)
    }

    /// Whether the address lies in it.
    #[must_use]
    pub fn holds(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether every address of `other` lies in it.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// The address `offset` places behind the first.
    ///
    /// # Panics
    /// When the prefix ends before.
    #[must_use]
    pub fn nth(self, offset: u128) -> IpAddr {
        assert!(offset < self.addresses(), "{self} ends before address {offset}");
        match self.first() {
            IpAddr::V4(first) => {
                let offset = u32::try_from(offset).expect("an IPv4 prefix has at most 2^32 addresses");
                Ipv4Addr::from_bits(first.to_bits() + offset).into()
            }
            IpAddr::V6(first) => Ipv6Addr::from_bits(first.to_bits() + offset).into(),
        }
    }

    /// The two halves; none for a single address.
    #[must_use]
    pub fn halves(self) -> Option<[Self; 2]> {
        let mut halves = self.0.subnets(self.len() + 1).ok()?;
        Some([Self(halves.next()?), Self(halves.next()?)])
    }

    /// The smallest prefix that covers both; none when they are of two families.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Self> {
        let equal_bits = match (self.first(), other.first()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => return None,
        };
        let equal_bits = u8::try_from(equal_bits).expect("an address has at most 128 bits");
        Some(Self::containing(self.first(), equal_bits.min(self.len()).min(other.len())))
    }

    /// The same network as the `ipnet` crate has it.
    #[must_use]
    pub fn to_ipnet(self) -> IpNet {
        self.0
    }
}

impl From<Ipv4Net> for Prefix {
    fn from(net: Ipv4Net) -> Self {
        Self(IpNet::V4(net.trunc()))
    }
}

impl From<Ipv6Net> for Prefix {
    fn from(net: Ipv6Net) -> Self {
        Self(IpNet::V6(net.trunc()))
    }
}

impl From<IpNet> for Prefix {
    fn from(net: IpNet) -> Self {
        Self(net.trunc())
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    /// Reads `address/length`; a bare address, host bits and white space are refused.
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let net = text::read(text).ok_or_else(|| PrefixError::Syntax(text.chars().take(LONGEST).collect()))?;
        if net.addr() == net.network() {
            Ok(Self(net))
        } else {
            Err(PrefixError::HostBits { text: text.to_owned(), canonical: Self(net.trunc()) })
        }
    }
}

/// The longest legal text has 43 bytes; what is longer is cut, as it ends up in a message.
const LONGEST: usize = 64;

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(self.0, f)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(self.0, f)
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().expect("a prefix")
    }

    #[test]
    fn only_canonical_text_is_read() {
        assert_eq!(prefix("13.32.0.0/15").to_string(), "13.32.0.0/15");
        assert_eq!(prefix("56.125.47.0/32").addresses(), 1);
        assert_eq!(prefix("2600:9000::/28").to_string(), "2600:9000::/28");
        for wrong in
            ["", "13.32.0.0", "13.32.0.0/33", " 13.32.0.0/15", "13.32.0.0/15\n", "::/129", "a/8", "013.32.0.0/15"]
        {
            assert!(matches!(wrong.parse::<Prefix>(), Err(PrefixError::Syntax(_))), "{wrong:?}");
        }
        assert_eq!(
            "13.33.0.0/15".parse::<Prefix>().unwrap_err().to_string(),
            "`13.33.0.0/15` has host bits set (did you mean 13.32.0.0/15?)"
        );
    }

    #[test]
    fn a_long_text_is_cut_in_the_message() {
        let error = "9".repeat(1 << 20).parse::<Prefix>().unwrap_err();
        assert!(error.to_string().len() < 200);
    }

    #[test]
    fn order_is_family_then_address_then_larger_first() {
        let mut list = ["2600::/32", "10.0.0.0/8", "9.0.0.0/8", "10.0.0.0/16"].map(prefix);
        list.sort();
        assert_eq!(list, ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "2600::/32"].map(prefix));
    }

    #[test]
    fn counting_and_halving_hold_at_the_edges() {
        assert_eq!(prefix("0.0.0.0/0").addresses(), 1 << 32);
        assert_eq!(prefix("::/0").addresses(), u128::MAX);
        assert_eq!(prefix("10.0.0.0/31").halves(), Some([prefix("10.0.0.0/32"), prefix("10.0.0.1/32")]));
        assert_eq!(prefix("10.0.0.1/32").halves(), None);
        assert_eq!(prefix("10.0.0.0/9").common(prefix("10.128.0.0/24")), Some(prefix("10.0.0.0/8")));
        assert_eq!(prefix("::/0").common(prefix("::1/128")), Some(prefix("::/0")));
        assert_eq!(prefix("::/0").common(prefix("10.0.0.0/8")), None);
        assert_eq!(prefix("10.0.0.0/24").nth(255), prefix("10.0.0.0/24").last());
        assert_eq!(prefix("2600::/32").nth(1).to_string(), "2600::1");
    }
}

//! Which address of a cell is tried next.

use std::net::IpAddr;

use crate::prefix::{Prefix, PrefixSet};

/// Visits the addresses of a prefix once each, every next one in the largest gap that is left.
///
/// Addresses known to answer come first, or after one fresh address where the share that answers is still to be learnt.
/// The rest follow. Both come in bit-reversed order from a start that depends on the seed: any first `2^k` of them lie in `2^k`
/// different equal parts of the prefix.
#[derive(Clone, Debug)]
pub struct Sampler {
    prefix: Prefix,
    known: Vec<IpAddr>,
    fresh_first: bool,
    start: u64,
    /// How many known addresses, and how many others, were gone through.
    gone: (usize, u64),
}

impl Sampler {
    /// A sampler over `prefix`.
    #[must_use]
    pub fn new(prefix: Prefix, known: Vec<IpAddr>, fresh_first: bool, seed: u64) -> Self {
        Self::from(prefix, known, fresh_first, mix(seed, prefix))
    }

    /// A sampler over a part of the prefix, which begins with `first`.
    pub(crate) fn part(&self, prefix: Prefix, first: Option<IpAddr>) -> Self {
        let known = self.known.iter().copied().filter(|&address| prefix.holds(address)).collect();
        Self::from(prefix, known, false, first.map_or(self.start, low_bits))
    }

    fn from(prefix: Prefix, mut known: Vec<IpAddr>, fresh_first: bool, start: u64) -> Self {
        let bits = u32::from(prefix.host_bits()).min(SAMPLED_BITS);
        // One after the other they would all lie at one end, and what is blocked there be taken for the whole.
        known.sort_by_key(|&address| turn(low_bits(address), bits, start));
        Self { prefix, known, fresh_first, start, gone: (0, 0) }
    }

    /// The next address outside `excluded`; none when all were tried.
    pub fn next(&mut self, excluded: &PrefixSet) -> Option<IpAddr> {
        while self.next_is_known() {
            let address = self.known[self.gone.0];
            self.gone.0 += 1;
            if !excluded.holds(address) {
                return Some(address);
            }
        }
        self.next_unknown(excluded)
    }

    /// Whether the address about to come is known to answer.
    fn next_is_known(&self) -> bool {
        let fresh_is_due = self.fresh_first && self.gone.1 == 0;
        self.gone.0 < self.known.len() && !fresh_is_due
    }

    /// Whether the address is one of those known to answer.
    #[must_use]
    pub fn knows(&self, address: IpAddr) -> bool {
        self.known.contains(&address)
    }

    /// The addresses that are known to answer.
    pub(crate) fn known_addresses(&self) -> &[IpAddr] {
        &self.known
    }

    /// How many addresses of the prefix are known to answer.
    #[must_use]
    pub fn known(&self) -> usize {
        self.known.len()
    }

    fn next_unknown(&mut self, excluded: &PrefixSet) -> Option<IpAddr> {
        let bits = u32::from(self.prefix.host_bits()).min(SAMPLED_BITS);
        while self.gone.1 >> bits == 0 {
            let address = self.prefix.nth(u128::from(offset(self.gone.1, bits, self.start)));
            self.gone.1 += 1;
            if !excluded.holds(address) && !self.knows(address) {
                return Some(address);
            }
        }
        // Where all addresses are known, the fresh one that was due does not exist.
        if self.next_is_known() { self.next(excluded) } else { None }
    }
}

/// More addresses than any check tries.
const SAMPLED_BITS: u32 = 24;

fn offset(turn: u64, bits: u32, start: u64) -> u64 {
    if bits == 0 {
        return 0;
    }
    (turn.reverse_bits() >> (64 - bits)) ^ (start & ((1 << bits) - 1))
}

/// At which turn an offset comes.
fn turn(offset: u64, bits: u32, start: u64) -> u64 {
    if bits == 0 { 0 } else { ((offset ^ start) << (64 - bits)).reverse_bits() }
}

fn low_bits(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let [.., a, b, c, d] = address.segments().map(u64::from);
            a << 48 | b << 32 | c << 16 | d
        }
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014) over the seed and the first address.
fn mix(seed: u64, prefix: Prefix) -> u64 {
    let low = match prefix.first() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments().map(u64::from);
            (a << 48 | b << 32 | c << 16 | d) ^ u64::from(prefix.len())
        }
    };
    let mut z = seed ^ low.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn every_address_comes_once() {
        for text in ["10.0.0.0/24", "10.0.0.4/30", "10.0.0.9/32"] {
            let mut sampler = Sampler::new(prefix(text), vec![], false, 7);
            let seen: Vec<IpAddr> = std::iter::from_fn(|| sampler.next(&PrefixSet::new())).collect();
            assert_eq!(seen.len() as u128, prefix(text).addresses());
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
        }
    }

    #[test]
    fn the_first_addresses_lie_in_different_parts() {
        let mut sampler = Sampler::new(prefix("13.32.0.0/16"), vec![], false, 3);
        let parts: BTreeSet<u8> = (0..16)
            .map(|_| match sampler.next(&PrefixSet::new()) {
                Some(IpAddr::V4(address)) => address.octets()[2] >> 4,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(parts.len(), 16);
    }

    #[test]
    fn known_addresses_come_first_and_excluded_ones_never() {
        let known: IpAddr = "10.0.0.77".parse().unwrap();
        let excluded: PrefixSet = prefix("10.0.0.128/25").into();
        let mut sampler = Sampler::new(prefix("10.0.0.0/24"), vec![known], false, 1);
        assert!(sampler.next_is_known());
        let seen: Vec<IpAddr> = std::iter::from_fn(|| sampler.next(&excluded)).collect();
        assert_eq!(seen[0], known);
        assert_eq!(seen.len(), 128);
        assert!(!seen.iter().any(|&address| excluded.holds(address)));
    }

    #[test]
    fn known_addresses_come_from_all_parts_in_turn() {
        let known: Vec<IpAddr> = (0..16).map(|block| prefix("13.32.0.0/20").nth(block * 256 + 7)).collect();
        for seed in 0..8 {
            let mut sampler = Sampler::new(prefix("13.32.0.0/20"), known.clone(), false, seed);
            let first: Vec<IpAddr> = (0..4).filter_map(|_| sampler.next(&PrefixSet::new())).collect();
            let quarters: BTreeSet<Prefix> = first.iter().map(|&address| Prefix::containing(address, 22)).collect();
            assert_eq!(quarters.len(), 4, "{first:?}");
        }
    }

    #[test]
    fn one_fresh_address_comes_before_those_that_answered_from_here() {
        let known: Vec<IpAddr> = ["10.0.0.0", "10.0.0.1"].map(|text| text.parse().unwrap()).to_vec();
        let order = |text: &str| -> Vec<bool> {
            let mut sampler = Sampler::new(prefix(text), known.clone(), true, 1);
            let next = || sampler.next(&PrefixSet::new()).map(|address| known.contains(&address));
            std::iter::from_fn(next).take(4).collect()
        };
        assert_eq!(order("10.0.0.0/24"), [false, true, true, false]);
        assert_eq!(order("10.0.0.0/31"), [true, true]);
    }
}

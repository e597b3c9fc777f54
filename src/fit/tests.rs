//! The covers beside an exhaustive search that shares no code with them: it tries every set of disjoint prefixes, and
//! every set of addresses, of a space of eight places.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{Budget, Cover, FitError, cover, cover_ranges, ranges};
use crate::prefix::{AddressRange, Family, Prefix, PrefixSet, special_purpose_space};

/// Eight places of equal size: the prefixes three bits longer than this one.
const SPACES: [&str; 4] = ["13.7.0.8/29", "0.0.0.0/0", "2600:9000::/40", "::/0"];

/// A set of the places, one bit each.
type Places = u8;

struct Space(Prefix);

impl Space {
    fn place(&self, index: u8) -> Prefix {
        self.block(index, 1)
    }

    /// `places` of them, a power of two, from a multiple of it on.
    fn block(&self, index: u8, places: u8) -> Prefix {
        let length = self.0.len() + 3 - u8::try_from(places.trailing_zeros()).unwrap();
        let shift = self.0.host_bits() - 3;
        let address: IpAddr = match self.0.first() {
            IpAddr::V4(first) => Ipv4Addr::from_bits(first.to_bits() | u32::from(index) << shift).into(),
            IpAddr::V6(first) => Ipv6Addr::from_bits(first.to_bits() | u128::from(index) << shift).into(),
        };
        Prefix::containing(address, length)
    }

    fn prefixes(&self, places: Places) -> Vec<Prefix> {
        (0..8).filter(|index| places & 1 << index != 0).map(|index| self.place(index)).collect()
    }

    /// Every set of disjoint prefixes, with the places that it holds: 677.
    fn antichains(&self) -> Vec<(Places, Vec<Prefix>)> {
        self.antichains_of(0, 8)
    }

    fn antichains_of(&self, index: u8, places: u8) -> Vec<(Places, Vec<Prefix>)> {
        let whole = (0..places).fold(0, |held, place| held | 1 << (index + place));
        let mut found = vec![(whole, vec![self.block(index, places)])];
        if places == 1 {
            found.push((0, Vec::new()));
            return found;
        }
        let (lower, upper) =
            (self.antichains_of(index, places / 2), self.antichains_of(index + places / 2, places / 2));
        for (low, below) in &lower {
            found.extend(upper.iter().map(|(high, above)| (low | high, [below.as_slice(), above].concat())));
        }
        found
    }
}

/// What one search found: the entries, or the fewest that any has.
type Found<E> = Result<(u32, Vec<E>), usize>;

fn best<E: Clone, K: Ord>(
    candidates: &[(Places, Vec<E>)],
    listed: Places,
    forbidden: Places,
    most: usize,
    key: impl Fn(&[E]) -> K,
) -> Found<E> {
    let fits = |held: Places| held & listed == listed && held & !listed & forbidden == 0;
    let fitting: Vec<_> = candidates.iter().filter(|(held, _)| fits(*held)).collect();
    let within = fitting.iter().filter(|(_, entries)| entries.len() <= most);
    let found = within.min_by_key(|(held, entries)| ((held & !listed).count_ones(), entries.len(), key(entries)));
    found
        .map(|(held, entries)| ((held & !listed).count_ones(), entries.clone()))
        .ok_or_else(|| fitting.iter().map(|(_, entries)| entries.len()).min().expect("the list itself is a cover"))
}

fn agree<E: PartialEq + std::fmt::Debug>(
    space: &Space,
    found: &Found<E>,
    ours: Result<Cover<E>, FitError>,
    most: usize,
) {
    match (found, ours) {
        (Ok((extra, entries)), Ok(cover)) => {
            assert_eq!(*entries, cover.entries);
            let place = space.place(0).addresses();
            assert_eq!(cover.extra.addresses(space.0.family()), u128::from(*extra) * place);
        }
        (&Err(fewest), ours) => assert_eq!(ours.unwrap_err(), FitError::TooFew { most, fewest }),
        (found, ours) => panic!("{found:?} {ours:?}"),
    }
}

/// Each list with a few forbidden sets and every number of entries: 4 x 255 x 4 x 10.
fn every_case(check: impl Fn(&Space, Places, Places, &Budget<'_>)) {
    for space in SPACES.map(|text| Space(text.parse().unwrap())) {
        for listed in 1..=Places::MAX {
            // Multiplying by odd numbers: sets that have nothing to do with the list, different for each.
            for closed in [0, listed.wrapping_mul(23), listed.wrapping_mul(77) ^ 0x5a, !listed] {
                let forbidden: PrefixSet = space.prefixes(closed).into_iter().collect();
                for entries in 0..=9 {
                    check(&space, listed, closed, &Budget { entries, extra_percent: None, forbidden: &forbidden });
                }
            }
        }
    }
}

#[test]
fn no_other_cover_opens_less() {
    let antichains: Vec<_> = SPACES.map(|text| Space(text.parse().unwrap()).antichains()).into();
    every_case(|space, listed, closed, budget| {
        let candidates = &antichains[SPACES.iter().position(|text| *text == space.0.to_string()).unwrap()];
        let found = best(candidates, listed, closed, budget.entries, <[Prefix]>::to_vec);
        agree(space, &found, cover(&space.prefixes(listed), budget), budget.entries);
    });
}

#[test]
fn no_other_ranges_open_less() {
    let runs: Vec<Vec<_>> = SPACES.map(|text| every_run(&Space(text.parse().unwrap()))).into();
    every_case(|space, listed, closed, budget| {
        let candidates = &runs[SPACES.iter().position(|text| *text == space.0.to_string()).unwrap()];
        // A range sorts by its first address, then the larger first.
        let sorted = |entries: &[AddressRange]| -> Vec<_> {
            entries.iter().map(|range| (range.first(), std::cmp::Reverse(range.last()))).collect()
        };
        let found = best(candidates, listed, closed, budget.entries, sorted);
        agree(space, &found, cover_ranges(&space.prefixes(listed), budget), budget.entries);
        let plain = ranges(&space.prefixes(listed));
        assert_eq!(candidates[usize::from(listed)].1, plain);
    });
}

/// Every set of places as runs.
fn every_run(space: &Space) -> Vec<(Places, Vec<AddressRange>)> {
    (0..=Places::MAX).map(|places| (places, runs(space, places))).collect()
}

fn runs(space: &Space, places: Places) -> Vec<AddressRange> {
    let held = |index: u8| index < 8 && places & 1 << index != 0;
    let starts = (0..8).filter(|&index| held(index) && (index == 0 || !held(index - 1)));
    starts
        .map(|start| {
            let end = (start..8).take_while(|&index| held(index)).last().unwrap();
            AddressRange::new(space.place(start).first(), space.place(end).last()).unwrap()
        })
        .collect()
}

/// The least cost by recursion over the whole trie of 64 addresses, block by block.
fn least(listed: u64, closed: u64, first: u32, places: u32, entries: usize, known: &mut Known) -> Option<u32> {
    let block = (u64::MAX >> (64 - places)) << first;
    if listed & block == 0 {
        return Some(0);
    }
    if entries == 0 {
        return None;
    }
    if let Some(&cost) = known.get(&(first, places, entries)) {
        return cost;
    }
    let mut cost = (block & !listed & closed == 0).then(|| (block & !listed).count_ones());
    if places > 1 {
        for below in 0..=entries {
            let low = least(listed, closed, first, places / 2, below, known);
            let high = least(listed, closed, first + places / 2, places / 2, entries - below, known);
            let both = low.zip(high).map(|(low, high)| low + high);
            cost = [cost, both].into_iter().flatten().min();
        }
    }
    known.insert((first, places, entries), cost);
    cost
}

type Known = HashMap<(u32, u32, usize), Option<u32>>;

fn hosts(addresses: u64) -> Vec<Prefix> {
    let host = |index: u32| Prefix::host(Ipv4Addr::from_bits(0x0d07_0040 | index).into());
    (0..64_u32).filter(|index| addresses & 1 << index != 0).map(host).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_larger_space_agrees_with_recursion_over_every_block(
        a in any::<u64>(), b in any::<u64>(), c in any::<u64>(), d in any::<u64>(), entries in 1_usize..14,
    ) {
        // Few addresses are listed and fewer forbidden, or hardly anything could be joined.
        let (listed, closed) = (a & b, c & d & a.rotate_left(7) & b.rotate_left(19));
        prop_assume!(listed != 0);
        let forbidden: PrefixSet = hosts(closed).into_iter().collect();
        let ours = cover(&hosts(listed), &Budget { entries, extra_percent: None, forbidden: &forbidden });
        let theirs = least(listed, closed, 0, 64, entries, &mut Known::new());
        prop_assert_eq!(ours.ok().map(|cover| cover.extra.addresses(Family::V4)), theirs.map(u128::from));
    }

    #[test]
    fn both_families_share_a_limit_so_that_the_greater_share_is_least(
        v4 in 1..=Places::MAX, v6 in 1..=Places::MAX, entries in 2_usize..14,
    ) {
        let spaces = [Space("13.7.0.8/29".parse().unwrap()), Space("2600:9000::/40".parse().unwrap())];
        let forbidden = PrefixSet::new();
        let budget = |entries| Budget { entries, extra_percent: None, forbidden: &forbidden };
        let alone = |space: &Space, places: Places, entries| {
            let cover = cover(&space.prefixes(places), &budget(entries)).unwrap();
            cover.extra.addresses(space.0.family()) / space.place(0).addresses() * 1_000_000 / u128::from(places.count_ones())
        };
        let shares = (1..entries).map(|first| {
            let (a, b) = (alone(&spaces[0], v4, first), alone(&spaces[1], v6, entries - first));
            (a.max(b), a + b)
        });
        let listed = [spaces[0].prefixes(v4), spaces[1].prefixes(v6)].concat();
        let ours = cover(&listed, &budget(entries)).unwrap();
        let of = |family, space: &Space, places: Places| {
            ours.extra.addresses(family) / space.place(0).addresses() * 1_000_000 / u128::from(places.count_ones())
        };
        let (a, b) = (of(Family::V4, &spaces[0], v4), of(Family::V6, &spaces[1], v6));
        prop_assert_eq!((a.max(b), a + b), shares.min().unwrap());
        prop_assert!(ours.entries.len() <= entries);
    }
}

fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn private_space_is_never_opened_unless_it_is_listed() {
    let forbidden = special_purpose_space();
    let budget = |entries| Budget { entries, extra_percent: None, forbidden: &forbidden };
    let around = prefixes(&["9.0.0.0/8", "11.0.0.0/8"]);
    assert_eq!(cover(&around, &budget(1)), Err(FitError::TooFew { most: 1, fewest: 2 }));
    assert_eq!(cover_ranges(&around, &budget(1)), Err(FitError::TooFew { most: 1, fewest: 2 }));
    let listed = prefixes(&["8.0.0.0/8", "9.0.0.0/9", "10.0.0.0/8", "11.0.0.0/8"]);
    let opened = cover(&listed, &budget(1)).unwrap();
    assert_eq!((opened.entries, opened.extra.prefixes()), (prefixes(&["8.0.0.0/6"]), prefixes(&["9.128.0.0/9"])));
}

#[test]
fn an_allowance_names_what_is_enough() {
    let forbidden = PrefixSet::new();
    let listed = prefixes(&["13.0.0.0/16", "13.2.0.0/16", "13.8.0.0/16", "99.0.0.0/16"]);
    let budget = |entries, percent| Budget { entries, extra_percent: Some(percent), forbidden: &forbidden };
    assert_eq!(cover(&listed, &budget(3, 50.0)).unwrap().entries.len(), 3);
    let error = cover(&listed, &budget(2, 50.0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 entries open 325.0 % more IPv4 addresses than are listed, and 50 % are allowed: it takes 3 entries"
    );
    assert!(matches!(cover_ranges(&listed, &budget(2, 0.0)), Err(FitError::TooMuch { enough: 4, .. })));
}

#[test]
fn nothing_needs_no_entry() {
    let forbidden = PrefixSet::new();
    let none = cover(&[], &Budget { entries: 0, extra_percent: Some(0.0), forbidden: &forbidden }).unwrap();
    assert!(none.entries.is_empty() && none.extra.is_empty());
}

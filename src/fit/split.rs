//! Several groups where one is too small.

use std::iter;
use std::net::IpAddr;
use std::num::NonZeroUsize;

use crate::prefix::Prefix;

/// The fewest groups of at most `limit` entries, each a run of the list; `first` tells an entry's first address.
///
/// The groups are of about equal length, so that each has room for what is added later, and end at the coarsest
/// boundary of the address space near there: between two families, else where the addresses on both sides share the
/// fewest bits. Such a boundary stays where it is when entries come and go, so that a change of the list changes one
/// group. With groups that are filled one after the other, or cut to equal length, each entry that comes moves another
/// one across every cut behind it. The closer the groups are to their limit, the less room is there to choose.
#[must_use]
pub fn split<T>(entries: &[T], limit: NonZeroUsize, first: impl Fn(&T) -> IpAddr) -> Vec<&[T]> {
    let groups = entries.len().div_ceil(limit.get());
    let cuts = (1..groups).map(|cut| place(entries, cut, groups, limit.get(), &first));
    let cuts: Vec<usize> = iter::once(0).chain(cuts).chain(iter::once(entries.len())).collect();
    cuts.windows(2).map(|ends| &entries[ends[0]..ends[1]]).filter(|group| !group.is_empty()).collect()
}

/// Where a cut is made: at the coarsest boundary within its window, of equal ones at the one nearest to its middle.
///
/// Each window is as wide as keeps the groups within the limit wherever the neighbouring cuts are in theirs, so that no
/// cut depends on another.
fn place<T>(entries: &[T], cut: usize, groups: usize, limit: usize, first: impl Fn(&T) -> IpAddr) -> usize {
    let even = |cut: usize| cut * entries.len() / groups;
    let longest = (0..groups).map(|group| even(group + 1) - even(group)).max().unwrap_or(0);
    let (middle, room) = (even(cut), (limit - longest) / 2);
    let shared = |place: usize| shared_bits(first(&entries[place - 1]), first(&entries[place]));
    (middle.saturating_sub(room).max(1)..=(middle + room).min(entries.len() - 1))
        .min_by_key(|&place| (shared(place), place.abs_diff(middle)))
        .unwrap_or(middle)
}

/// How many leading bits two addresses share; none when they are of two families.
fn shared_bits(before: IpAddr, behind: IpAddr) -> Option<u8> {
    Prefix::host(before).common(Prefix::host(behind)).map(Prefix::len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ranges::FeedSnapshot;

    fn groups(list: &[Prefix], limit: usize) -> Vec<&[Prefix]> {
        split(list, NonZeroUsize::new(limit).unwrap(), |prefix| prefix.first())
    }

    fn evenly(list: &[Prefix], limit: usize) -> Vec<&[Prefix]> {
        let count = list.len().div_ceil(limit);
        (0..count).map(|group| &list[group * list.len() / count..(group + 1) * list.len() / count]).collect()
    }

    #[test]
    fn a_group_ends_where_the_addresses_differ_most() {
        let list = ["9.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8", "200.0.0.0/8", "201.0.0.0/8", "2600::/16", "2601::/16"]
            .map(|text| text.parse::<Prefix>().unwrap());
        assert_eq!(groups(&list[..5], 5), [&list[..5]]);
        assert_eq!(groups(&list[..5], 4), [&list[..2], &list[2..5]], "no room to choose");
        assert_eq!(groups(&list[1..6], 4), [&list[1..3], &list[3..6]]);
        assert_eq!(groups(&list[1..], 5), [&list[1..5], &list[5..]], "two families come before anything else");
        assert!(groups(&[], 7).is_empty());
    }

    /// How many groups are new when one prefix is added, summed over many.
    fn changed(limit: usize, split: fn(&[Prefix], usize) -> Vec<&[Prefix]>) -> usize {
        let listed: Vec<Prefix> = FeedSnapshot::documented().ranges.iter().map(|range| range.prefix).collect();
        let before = split(&listed, limit);
        let added = (0..=220).map(|octet| Prefix::containing([octet, 77, 0, 0].into(), 24));
        let lists = added.map(|prefix| {
            let mut list = listed.clone();
            list.insert(list.partition_point(|before| *before < prefix), prefix);
            list
        });
        lists.map(|list| split(&list, limit).iter().filter(|group| !before.contains(group)).count()).sum()
    }

    #[test]
    fn an_addition_changes_one_group_where_there_is_room() {
        // 121 prefixes in groups of 50: the middle may be 4 to either side.
        assert_eq!(changed(50, groups), 221);
        assert!(changed(50, evenly) > 350 && changed(50, |list, limit| list.chunks(limit).collect()) > 350);
    }

    proptest! {
        #[test]
        fn groups_are_the_fewest_and_hold_everything(
            hosts in prop::collection::btree_set(any::<u32>(), 0..300),
            limit in 1_usize..80,
        ) {
            let list: Vec<Prefix> = hosts.into_iter().map(|host| Prefix::host(host.to_be_bytes().into())).collect();
            let groups = groups(&list, limit);
            prop_assert_eq!(groups.len(), list.len().div_ceil(limit));
            prop_assert!(groups.iter().all(|group| group.len() <= limit));
            prop_assert_eq!(groups.concat(), list);
        }
    }
}

//! Ordered runs of addresses that change: what is not decided yet, and what was decided by whom.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};

use super::AddressSet;
use super::addresses::{FAMILIES, Run};
use crate::prefix::Family;

/// Runs of both families with a value each, none over another.
#[derive(Clone, Debug)]
pub(super) struct RegionMap<T> {
    v4: BTreeMap<u128, (u128, T)>,
    v6: BTreeMap<u128, (u128, T)>,
}

/// Addresses that are still on their way.
pub(super) type Region = RegionMap<()>;

impl<T> Default for RegionMap<T> {
    fn default() -> Self {
        Self { v4: BTreeMap::new(), v6: BTreeMap::new() }
    }
}

impl<T: Copy> RegionMap<T> {
    /// Whether it has no address.
    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Number of runs.
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Its addresses.
    pub(super) fn addresses(&self) -> AddressSet {
        FAMILIES.into_iter().fold(AddressSet::none(), |set, family| {
            let runs = self.runs(family).iter().map(|(&first, &(last, _))| (first, last)).collect();
            set.with_runs(family, runs)
        })
    }

    /// The runs with their values, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Family, Run, T)> + '_ {
        FAMILIES.into_iter().flat_map(|family| {
            self.runs(family).iter().map(move |(&first, &(last, value))| (family, (first, last), value))
        })
    }

    /// What it has in common with the set.
    pub(super) fn common(&self, set: &AddressSet) -> Vec<(Family, Run)> {
        let mut found = Vec::new();
        for family in FAMILIES {
            let (own, other) = (self.runs(family), set.runs(family));
            if own.len() < other.len() {
                for (&first, &(last, _)) in own {
                    let from = other.partition_point(|run| run.1 < first);
                    let touching = other[from..].iter().take_while(|run| run.0 <= last);
                    found.extend(touching.map(|run| (family, (run.0.max(first), run.1.min(last)))));
                }
            } else {
                found.extend(other.iter().flat_map(|&run| self.touching(family, run)).map(|run| (family, run)));
            }
        }
        found
    }

    /// What it has in common with the set, with the values.
    pub(super) fn within(&self, set: &AddressSet) -> Vec<(Family, Run, T)> {
        let runs = self.common(set).into_iter();
        runs.flat_map(|(family, run)| self.values_in(family, run).map(move |(run, value)| (family, run, value)))
            .collect()
    }

    /// The parts of runs that lie in this one, with their values.
    pub(super) fn values_in(&self, family: Family, run: Run) -> impl Iterator<Item = (Run, T)> + '_ {
        let part = move |(first, (last, value)): (u128, (u128, T))| ((first.max(run.0), last.min(run.1)), value);
        self.touching_whole(family, run).map(part)
    }

    /// Takes away these addresses.
    pub(super) fn remove(&mut self, family: Family, run: Run) {
        let touched: Vec<_> = self.touching_whole(family, run).collect();
        let runs = self.runs_mut(family);
        for (first, (last, value)) in touched {
            runs.remove(&first);
            if first < run.0 {
                runs.insert(first, (run.0 - 1, value));
            }
            if last > run.1 {
                runs.insert(run.1 + 1, (last, value));
            }
        }
    }

    /// Gives these addresses the value, whatever they had.
    pub(super) fn set(&mut self, family: Family, run: Run, value: T) {
        self.remove(family, run);
        self.runs_mut(family).insert(run.0, (run.1, value));
    }

    /// Gives the value to those of the addresses that have none.
    pub(super) fn add(&mut self, family: Family, run: Run, value: T) {
        let (mut next, mut free) = (Some(run.0), Vec::new());
        for (first, last) in self.touching(family, run) {
            free.extend(next.filter(|&next| next < first).map(|next| (next, first - 1)));
            next = last.checked_add(1);
        }
        free.extend(next.filter(|&next| next <= run.1).map(|next| (next, run.1)));
        self.runs_mut(family).extend(free.into_iter().map(|(first, last)| (first, (last, value))));
    }

    /// Takes away all of these.
    pub(super) fn remove_all(&mut self, runs: &[(Family, Run)]) {
        for &(family, run) in runs {
            self.remove(family, run);
        }
    }

    /// Gives the value to those of all these addresses that have none.
    pub(super) fn add_all(&mut self, runs: &[(Family, Run)], value: T) {
        for &(family, run) in runs {
            self.add(family, run, value);
        }
    }

    fn touching(&self, family: Family, run: Run) -> impl Iterator<Item = Run> + '_ {
        self.values_in(family, run).map(|(run, _)| run)
    }

    fn touching_whole(&self, family: Family, run: Run) -> impl Iterator<Item = (u128, (u128, T))> + '_ {
        let runs = self.runs(family);
        let before = runs.range((Unbounded, Included(run.0))).next_back().filter(|(_, (last, _))| *last >= run.0);
        let inside = (run.0 < run.1).then(|| runs.range((Excluded(run.0), Included(run.1)))).into_iter().flatten();
        before.into_iter().chain(inside).map(|(&first, &value)| (first, value))
    }

    fn runs(&self, family: Family) -> &BTreeMap<u128, (u128, T)> {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    fn runs_mut(&mut self, family: Family) -> &mut BTreeMap<u128, (u128, T)> {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

impl Region {
    /// All runs.
    pub(super) fn whole(&self) -> Vec<(Family, Run)> {
        self.iter().map(|(family, run, ())| (family, run)).collect()
    }
}

impl From<&AddressSet> for Region {
    fn from(set: &AddressSet) -> Self {
        let runs = |family| set.runs(family).iter().map(|&(first, last)| (first, (last, ()))).collect();
        Self { v4: runs(Family::V4), v6: runs(Family::V6) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(map: &RegionMap<u8>, address: u128) -> Option<u8> {
        map.iter().find(|(_, run, _)| run.0 <= address && address <= run.1).map(|(_, _, value)| value)
    }

    proptest! {
        #[test]
        fn it_agrees_with_single_addresses(steps in prop::collection::vec((0_u8..3, 0_u8..64, 0_u8..64), 0..24)) {
            let (mut map, mut model) = (RegionMap::<u8>::default(), [None; 64]);
            for (value, (kind, a, b)) in (0..).zip(steps) {
                let (first, last) = (a.min(b), a.max(b));
                let run = (first.into(), last.into());
                for slot in &mut model[usize::from(first)..=usize::from(last)] {
                    match kind {
                        0 => *slot = None,
                        1 => *slot = Some(value),
                        _ => *slot = slot.or(Some(value)),
                    }
                }
                match kind {
                    0 => map.remove(Family::V4, run),
                    1 => map.set(Family::V4, run, value),
                    _ => map.add(Family::V4, run, value),
                }
            }
            for (address, expected) in (0_u128..).zip(model) {
                prop_assert_eq!(value(&map, address), expected);
                let alone = AddressSet::none().with_runs(Family::V4, vec![(address, address)]);
                prop_assert_eq!(map.common(&alone).len(), usize::from(expected.is_some()));
            }
        }
    }
}

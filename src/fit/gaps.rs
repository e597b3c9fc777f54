//! Ranges of addresses: neighbours joined, and the smallest gaps filled.

use super::budget::{Covers, fit};
use super::tree::IMPOSSIBLE;
use super::{Budget, Closed, Cover, FitError};
use crate::prefix::{AddressRange, Prefix, PrefixSet};

/// The listed addresses as the fewest ranges, in order; nothing is opened beyond the list.
#[must_use]
pub fn ranges(listed: &[Prefix]) -> Vec<AddressRange> {
    contiguous(&listed.iter().copied().collect::<PrefixSet>().prefixes())
}

/// The ranges that hold every listed address, keep to the budget and open the fewest others.
///
/// A range less is a gap more that is filled, so that filling the smallest gaps is the best choice; of equal ones the
/// first. Where one limit is for both families the greater of their shares is least.
///
/// # Errors
/// When no choice keeps to the budget; the error says what would be enough.
pub fn cover_ranges(listed: &[Prefix], budget: &Budget<'_>) -> Result<Cover<AddressRange>, FitError> {
    fit::<Gaps>(listed, budget)
}

/// The gaps of one family.
struct Gaps {
    /// The fewest ranges that open nothing.
    ranges: Vec<AddressRange>,
    /// The gaps that may be filled, smallest first, each by the place of the range before it.
    order: Vec<usize>,
    costs: Vec<u128>,
}

impl Covers for Gaps {
    type Entry = AddressRange;

    fn new(listed: &[Prefix], _most: usize, closed: &Closed) -> Self {
        let ranges = contiguous(listed);
        let mut open: Vec<(u128, usize)> = ranges
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| !closed.touches(pair[0].last(), pair[1].first()))
            .filter_map(|(place, pair)| Some((pair[0].gap(pair[1])?, place)))
            .collect();
        open.sort_unstable();
        let costs = costs(ranges.len(), &open);
        Self { ranges, order: open.into_iter().map(|(_, place)| place).collect(), costs }
    }

    fn costs(&self) -> &[u128] {
        &self.costs
    }

    fn fewest(&self) -> usize {
        self.ranges.len() - self.order.len()
    }

    fn entries(&self, entries: usize) -> Vec<AddressRange> {
        let mut filled = vec![false; self.ranges.len()];
        for &place in self.order.iter().take(self.ranges.len() - entries) {
            filled[place] = true;
        }
        join(&self.ranges, |place| filled[place])
    }
}

/// By number of ranges, from one on: the sum of the gaps that have to be filled for it.
fn costs(ranges: usize, open: &[(u128, usize)]) -> Vec<u128> {
    let sums = open.iter().scan(0, |sum, &(gap, _)| {
        *sum += gap;
        Some(*sum)
    });
    let mut costs: Vec<u128> = std::iter::once(0).chain(sums).collect();
    costs.resize(ranges, IMPOSSIBLE);
    costs.reverse();
    costs
}

/// Disjoint prefixes in order, neighbours joined.
fn contiguous(listed: &[Prefix]) -> Vec<AddressRange> {
    let single: Vec<AddressRange> = listed.iter().copied().map(AddressRange::from).collect();
    join(&single, |place| single[place].gap(single[place + 1]) == Some(0))
}

/// One range of all that are joined to the next.
fn join(ranges: &[AddressRange], joined: impl Fn(usize) -> bool) -> Vec<AddressRange> {
    let mut whole: Vec<AddressRange> = Vec::new();
    for (place, &range) in ranges.iter().enumerate() {
        match whole.last_mut().filter(|_| joined(place - 1)) {
            Some(before) => *before = before.until(range),
            None => whole.push(range),
        }
    }
    whole
}

//! Fewer and larger prefixes.

use super::budget::{Covers, fit};
use super::tree::Solution;
use super::{Budget, Closed, Cover, FitError};
use crate::prefix::Prefix;

/// The prefixes that hold every listed address, keep to the budget and open the fewest others.
///
/// Of covers that open equally many the one with the fewest entries is taken, then the one that sorts first. The list
/// may be in any order and overlap. Where one limit is for both families the greater of their shares is least.
///
/// ```
/// use egressd::fit::{Budget, cover};
/// use egressd::prefix::{Prefix, special_purpose_space};
///
/// let listed = ["13.32.0.0/16", "13.34.0.0/16", "99.84.0.0/16"].map(|text| text.parse::<Prefix>().unwrap());
/// let forbidden = special_purpose_space();
/// let cover = cover(&listed, &Budget { entries: 2, extra_percent: None, forbidden: &forbidden }).unwrap();
/// assert_eq!(cover.entries.iter().map(Prefix::to_string).collect::<Vec<_>>(), ["13.32.0.0/14", "99.84.0.0/16"]);
/// assert_eq!(cover.extra.prefixes().iter().map(Prefix::to_string).collect::<Vec<_>>(), ["13.33.0.0/16", "13.35.0.0/16"]);
/// ```
///
/// # Errors
/// When no cover keeps to the budget; the error says what would be enough.
pub fn cover(listed: &[Prefix], budget: &Budget<'_>) -> Result<Cover<Prefix>, FitError> {
    fit::<Solution>(listed, budget)
}

impl Covers for Solution {
    type Entry = Prefix;

    fn new(listed: &[Prefix], most: usize, closed: &Closed) -> Self {
        Self::new(listed, most, closed)
    }

    fn costs(&self) -> &[u128] {
        &self.costs
    }

    fn fewest(&self) -> usize {
        self.fewest
    }

    fn entries(&self, entries: usize) -> Vec<Prefix> {
        self.cover(entries)
    }
}

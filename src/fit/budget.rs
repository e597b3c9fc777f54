//! What both kinds of cover share: from a list and a budget to entries and their price.

use super::shares::{Curve, enough, share_out, too_much};
use super::{Budget, Closed, Cover, FitError};
use crate::prefix::{AddressRange, Prefix, PrefixSet};

/// The best covers of one family, by number of entries.
pub(super) trait Covers {
    /// What an entry is.
    type Entry: Copy + Into<AddressRange>;

    /// The covers of disjoint prefixes of one family, in order and at least one, with up to `most` entries.
    fn new(listed: &[Prefix], most: usize, closed: &Closed) -> Self;

    /// By number of entries, from one on: extra addresses, or [`super::tree::IMPOSSIBLE`].
    fn costs(&self) -> &[u128];

    /// The fewest entries of any cover.
    fn fewest(&self) -> usize;

    /// The best cover with so many entries.
    fn entries(&self, entries: usize) -> Vec<Self::Entry>;
}

pub(super) fn fit<C: Covers>(listed: &[Prefix], budget: &Budget<'_>) -> Result<Cover<C::Entry>, FitError> {
    let wanted: PrefixSet = listed.iter().copied().collect();
    let listed = wanted.prefixes();
    let (families, curves) = solved::<C>(&listed, budget);
    let chosen = share_out(&curves, budget)?;
    within_allowance::<C>(&listed, budget, &curves, &chosen)?;
    let entries: Vec<_> = families.iter().zip(chosen).flat_map(|(family, count)| family.entries(count)).collect();
    let held = entries.iter().flat_map(|&entry| entry.into().prefixes());
    Ok(Cover { extra: held.collect::<PrefixSet>().difference(&wanted), entries })
}

fn solved<C: Covers>(listed: &[Prefix], budget: &Budget<'_>) -> (Vec<C>, Vec<Curve>) {
    let closed = budget.closed(listed);
    let families = listed.chunk_by(|a, b| a.family() == b.family());
    families.map(|listed| solve::<C>(listed, budget.entries, &closed)).unzip()
}

fn solve<C: Covers>(listed: &[Prefix], most: usize, closed: &Closed) -> (C, Curve) {
    let covers = C::new(listed, most, closed);
    let curve = Curve {
        family: listed[0].family(),
        listed: listed.iter().fold(0, |sum, prefix| sum.saturating_add(prefix.addresses())),
        costs: covers.costs().to_vec(),
        fewest: covers.fewest(),
    };
    (covers, curve)
}

fn within_allowance<C: Covers>(
    listed: &[Prefix],
    budget: &Budget<'_>,
    curves: &[Curve],
    chosen: &[usize],
) -> Result<(), FitError> {
    let Some(allowed) = budget.extra_percent else { return Ok(()) };
    let Some((family, percent)) = too_much(curves, chosen, allowed) else { return Ok(()) };
    let enough = enough_entries::<C>(listed, budget, allowed);
    Err(FitError::TooMuch { most: budget.entries, family, percent, allowed, enough })
}

/// Doubles the entries until the covers keep to the allowance: as long as the list is, nothing is extra.
fn enough_entries<C: Covers>(listed: &[Prefix], budget: &Budget<'_>, allowed: f64) -> usize {
    let mut entries = budget.entries.max(1);
    while entries < listed.len() {
        entries = entries.saturating_mul(2);
        let (_, curves) = solved::<C>(listed, &Budget { entries, ..*budget });
        if let Some(enough) = enough(&curves, allowed) {
            return enough;
        }
    }
    listed.len()
}

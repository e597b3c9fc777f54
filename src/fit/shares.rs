//! One limit for both families: who gets how many entries.

use super::tree::IMPOSSIBLE;
use super::{Budget, FitError};
use crate::prefix::Family;

/// What the covers of one family cost.
pub(super) struct Curve {
    pub(super) family: Family,
    /// Listed addresses.
    pub(super) listed: u128,
    /// By number of entries, from one on: extra addresses, or [`IMPOSSIBLE`]. Never more for more entries.
    pub(super) costs: Vec<u128>,
    /// The fewest entries of any cover, which may be more than there are costs.
    pub(super) fewest: usize,
}

impl Curve {
    fn cost(&self, entries: usize) -> u128 {
        entries.checked_sub(1).and_then(|index| self.costs.get(index)).copied().unwrap_or(IMPOSSIBLE)
    }

    /// Extra addresses as a share of the listed ones; none where there is no cover.
    fn share(&self, entries: usize) -> Option<f64> {
        let cost = self.cost(entries.min(self.costs.len()));
        (cost != IMPOSSIBLE).then(|| cost as f64 / self.listed as f64)
    }

    /// The fewest entries that open no more than so many do.
    fn without_idle(&self, entries: usize) -> usize {
        let cost = self.cost(entries.min(self.costs.len()));
        self.costs.partition_point(|&fewer| fewer > cost) + 1
    }

    fn enough(&self, allowed: f64) -> Option<usize> {
        (1..=self.costs.len()).find(|&entries| self.share(entries).is_some_and(|share| share * 100.0 <= allowed))
    }
}

/// The entries of each curve, where the greater of the shares of extra addresses is least; then their sum.
///
/// Addresses of the two families cannot be added up: one IPv6 prefix outweighs all of IPv4. A share of what is listed
/// means the same in both.
pub(super) fn share_out(curves: &[Curve], budget: &Budget<'_>) -> Result<Vec<usize>, FitError> {
    let chosen = match curves {
        [] => Some(Vec::new()),
        [only] => only.share(budget.entries).map(|_| vec![budget.entries]),
        [v4, v6, ..] => both(v4, v6, budget.entries),
    };
    let fewest = curves.iter().map(|curve| curve.fewest).sum();
    let chosen = chosen.ok_or(FitError::TooFew { most: budget.entries, fewest })?;
    Ok(curves.iter().zip(chosen).map(|(curve, entries)| curve.without_idle(entries)).collect())
}

fn both(v4: &Curve, v6: &Curve, most: usize) -> Option<Vec<usize>> {
    let shares = |&entries: &usize| Some((v4.share(entries)?, v6.share(most - entries)?));
    let candidates = (1..most).filter_map(|entries| Some((entries, shares(&entries)?)));
    let worse =
        |(a, b): (f64, f64), (c, d): (f64, f64)| a.max(b).total_cmp(&c.max(d)).then((a + b).total_cmp(&(c + d)));
    let (entries, _) = candidates.min_by(|(_, left), (_, right)| worse(*left, *right))?;
    Some(vec![entries, most - entries])
}

/// The family whose share is over what the budget allows, with that share in percent.
pub(super) fn too_much(curves: &[Curve], chosen: &[usize], allowed: f64) -> Option<(Family, f64)> {
    let percents = curves.iter().zip(chosen).filter_map(|(curve, &entries)| {
        let percent = curve.share(entries)? * 100.0;
        (percent > allowed).then_some((curve.family, percent))
    });
    percents.max_by(|(_, left), (_, right)| left.total_cmp(right))
}

/// How many entries keep to an allowance; none when the curves end before.
pub(super) fn enough(curves: &[Curve], allowed: f64) -> Option<usize> {
    curves.iter().map(|curve| curve.enough(allowed)).sum()
}

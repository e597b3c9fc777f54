//! The dynamic programme: for each node of the compressed trie and each number of entries the fewest extra addresses.
//!
//! A chosen prefix that is not the smallest around the listed prefixes inside it could be made smaller, so that only the
//! forks of the trie come into question: one less than there are leaves. `cost(fork, 1)` is what the fork holds beyond
//! the list, `cost(fork, k)` the least `cost(lower, i) + cost(upper, k - i)`. No table is longer than its fork has leaves,
//! so that the work grows with leaves times entries, and the memory with leaves times the depth of the trie at the most.

use crate::prefix::Prefix;

/// More than any cover costs: `::/0` around two addresses opens two less than 2^128.
pub(super) const IMPOSSIBLE: u128 = u128::MAX;

/// What the best covers of one family cost, and how they are made.
pub(super) struct Solution {
    /// By number of entries, from one on: extra addresses, or [`IMPOSSIBLE`].
    pub(super) costs: Vec<u128>,
    /// The fewest entries of any cover, which may be more than there are costs.
    pub(super) fewest: usize,
    root: Node,
}

struct Node {
    prefix: Prefix,
    fork: Option<Box<Fork>>,
}

struct Fork {
    lower: Node,
    upper: Node,
    /// By number of entries, from two on: how many of them are for the lower half.
    split: Vec<usize>,
}

/// The best covers of one node, by number of entries.
struct Table {
    costs: Vec<u128>,
    /// The numbers of entries for which there is a cover, sorted by that cover.
    order: Vec<usize>,
    /// Listed addresses; modulo 2^128, as the difference to the size of a fork never is that much.
    listed: u128,
    fewest: usize,
}

impl Solution {
    /// The covers of disjoint prefixes of one family, in order and at least one, with up to `most` entries.
    pub(super) fn new(leaves: &[Prefix], most: usize, closed: &super::Closed) -> Self {
        let (root, Table { costs, fewest, .. }) = solve(leaves, most, closed);
        Self { costs, fewest, root }
    }

    /// The best cover with so many entries; of several the one that sorts first.
    pub(super) fn cover(&self, entries: usize) -> Vec<Prefix> {
        let mut chosen = Vec::with_capacity(entries);
        choose(&self.root, entries, &mut chosen);
        chosen
    }
}

fn choose(node: &Node, entries: usize, chosen: &mut Vec<Prefix>) {
    match &node.fork {
        Some(fork) if entries > 1 => {
            let lower = fork.split[entries - 2];
            choose(&fork.lower, lower, chosen);
            choose(&fork.upper, entries - lower, chosen);
        }
        _ => chosen.push(node.prefix),
    }
}

fn solve(leaves: &[Prefix], most: usize, closed: &super::Closed) -> (Node, Table) {
    let (first, last) = (leaves[0], leaves[leaves.len() - 1]);
    if leaves.len() == 1 {
        let table = Table { costs: vec![0], order: vec![1], listed: size(first), fewest: 1 };
        return (Node { prefix: first, fork: None }, table);
    }
    let prefix = first.common(last).expect("the leaves are of one family");
    let [lower, _] = prefix.halves().expect("it covers two prefixes");
    let (below, above) = leaves.split_at(leaves.partition_point(|leaf| lower.covers(*leaf)));
    let ((lower, low), (upper, high)) = (solve(below, most, closed), solve(above, most, closed));
    let listed = low.listed.wrapping_add(high.listed);
    let open = !closed.touches(prefix.first(), prefix.last());
    let whole = if open { size(prefix).wrapping_sub(listed) } else { IMPOSSIBLE };
    let (costs, split) = combine(&low, &high, whole, most.min(leaves.len()));
    let fewest = if open { 1 } else { low.fewest + high.fewest };
    let order = sorted(&low, &high, &costs, &split);
    (Node { prefix, fork: Some(Box::new(Fork { lower, upper, split })) }, Table { costs, order, listed, fewest })
}

/// Costs by number of entries from one on, and the share of the lower half from two on.
///
/// The lower half's covers are tried as they sort, and only a better one replaces what was found: of covers that cost
/// the same the one that sorts first stays.
fn combine(low: &Table, high: &Table, whole: u128, most: usize) -> (Vec<u128>, Vec<usize>) {
    let mut costs = vec![IMPOSSIBLE; most];
    let mut split = vec![0; most.saturating_sub(1)];
    if let Some(one) = costs.first_mut() {
        *one = whole;
    }
    for &lower in low.order.iter().filter(|&&lower| lower < most) {
        let base = low.costs[lower - 1];
        for (upper, &cost) in high.costs.iter().take(most - lower).enumerate() {
            let (entries, cost) = (lower + upper + 1, base.saturating_add(cost));
            if cost < costs[entries - 1] {
                costs[entries - 1] = cost;
                split[entries - 2] = lower;
            }
        }
    }
    (costs, split)
}

/// The numbers of entries for which there is a cover, by cover: a prefix sorts before all that it covers.
fn sorted(low: &Table, high: &Table, costs: &[u128], split: &[usize]) -> Vec<usize> {
    let (low, high) = (low.ranks(), high.ranks());
    let key = |entries: &usize| match entries {
        1 => None,
        _ => Some((low[split[entries - 2]], high[entries - split[entries - 2]])),
    };
    let mut order: Vec<usize> = (1..=costs.len()).filter(|entries| costs[entries - 1] != IMPOSSIBLE).collect();
    order.sort_by_cached_key(key);
    order
}

impl Table {
    /// By number of entries: the place of the cover in the order.
    fn ranks(&self) -> Vec<usize> {
        let mut ranks = vec![usize::MAX; self.costs.len() + 1];
        for (rank, &entries) in self.order.iter().enumerate() {
            ranks[entries] = rank;
        }
        ranks
    }
}

/// Number of addresses modulo 2^128.
fn size(prefix: Prefix) -> u128 {
    1_u128.checked_shl(u32::from(prefix.host_bits())).unwrap_or(0)
}

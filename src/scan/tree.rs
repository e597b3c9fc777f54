//! The Bayesian dyadic tree of one range: context-tree weighting over the bits of the address.
//!
//! Each node holds two hypotheses for its whole space, open and blocked, and the alternative that its halves differ.
//! With `L` the likelihood of what was seen below a node, `W = s [p L_blocked + (1-p) L_open] + (1-s) W_0 W_1`; the
//! posterior of a leaf follows from one walk down. Everything is in logarithms.

use std::net::IpAddr;
use std::sync::LazyLock;

use super::model::{Counts, Model};
use crate::prefix::Prefix;

/// Probability that a whole range is of one kind.
const UNIFORM_RANGE: f64 = 0.9;
/// Probability that such a range is blocked: the firewall that makes somebody run this tool blocks some.
const BLOCKED_RANGE: f64 = 0.1;
/// Probability that a part of a divided range is of one kind.
const UNIFORM_PART: f64 = 0.7;
/// Probability that such a part is blocked.
const BLOCKED_PART: f64 = 0.5;

/// Index of a node in its tree.
pub(crate) type NodeId = u32;

/// The tree of one range.
#[derive(Clone, Debug)]
pub struct RangeTree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    prefix: Prefix,
    parent: Option<NodeId>,
    halves: Option<[NodeId; 2]>,
    counts: Counts,
    /// `log [p L_blocked + (1-p) L_open]` and the logarithm of the share of the first term, valid unless stale.
    uniform: f64,
    blocked_given_uniform: f64,
    /// `log W`, valid unless stale.
    weighted: f64,
    stale: bool,
}

impl RangeTree {
    /// A tree whose leaves have the given length, or are the range itself if that is longer.
    #[must_use]
    pub fn new(range: Prefix, leaf_length: u8) -> Self {
        let mut tree = Self { nodes: vec![Node::new(range, None)] };
        tree.grow(0, leaf_length);
        tree
    }

    /// The leaves in order of address.
    #[must_use]
    pub fn leaves(&self) -> Vec<(NodeId, Prefix)> {
        let mut leaves: Vec<_> = (0..).zip(&self.nodes).filter(|(_, node)| node.halves.is_none()).collect();
        leaves.sort_by_key(|(_, node)| node.prefix);
        leaves.into_iter().map(|(id, node)| (id, node.prefix)).collect()
    }

    /// The leaf that holds an address of the range.
    #[must_use]
    pub fn leaf_of(&self, address: IpAddr) -> NodeId {
        let mut id = 0;
        while let Some([low, high]) = self.node(id).halves {
            id = if self.node(low).prefix.holds(address) { low } else { high };
        }
        id
    }

    /// What was counted below a node.
    #[must_use]
    pub fn counts(&self, id: NodeId) -> &Counts {
        &self.node(id).counts
    }

    /// What was counted in the whole range.
    #[must_use]
    pub fn total(&self) -> &Counts {
        self.counts(0)
    }

    /// Counts an outcome (`times` 1) or takes it back (`times` -1).
    pub fn add(&mut self, leaf: NodeId, counts: &Counts, times: f64) {
        let mut next = Some(leaf);
        while let Some(id) = next {
            let node = self.node_mut(id);
            node.counts.add(counts, times);
            node.stale = true;
            next = node.parent;
        }
    }

    /// Divides a leaf; its halves hold nothing until [`Self::put`] says what. None where it has none.
    pub(crate) fn split(&mut self, leaf: NodeId) -> Option<[(NodeId, Prefix); 2]> {
        let prefixes = self.node(leaf).prefix.halves()?;
        let halves = self.add_halves(leaf, prefixes);
        self.add(leaf, &Counts::default(), 1.0);
        Some([(halves[0], prefixes[0]), (halves[1], prefixes[1])])
    }

    /// Says what part of a divided leaf's counts lies in one half.
    pub(crate) fn put(&mut self, half: NodeId, counts: &Counts) {
        self.node_mut(half).counts = *counts;
    }

    /// Marks everything for a new computation, as the model has changed.
    pub fn spoil_all(&mut self) {
        for node in &mut self.nodes {
            node.stale = true;
        }
    }

    /// The probability that the leaf is blocked, given all that was counted in the range.
    pub fn blocked(&mut self, leaf: NodeId, model: &Model) -> f64 {
        self.refresh(0, model);
        let (mut reach, mut blocked) = (1.0, 0.0);
        for id in self.path_to(leaf) {
            let node = self.node(id);
            let stop = (node.prior().uniform + node.uniform - node.weighted).min(0.0).exp();
            let stop = if node.halves.is_none() { 1.0 } else { stop };
            blocked += reach * stop * node.blocked_given_uniform.exp();
            reach *= 1.0 - stop;
        }
        blocked
    }

    /// `log P(blocked | seen) / P(open | seen)` of the whole range without the prior: the evidence in nats.
    #[must_use]
    pub fn evidence(&self, id: NodeId, model: &Model) -> f64 {
        let (open, blocked) = model.log_likelihoods(self.counts(id));
        blocked - open
    }

    /// The fewest prefixes, in order, that hold exactly the leaves for which `chosen` says `Some(true)`; `None` joins either side.
    #[must_use]
    pub fn cover(&self, chosen: &dyn Fn(NodeId) -> Option<bool>) -> Vec<Prefix> {
        let mut cover = Vec::new();
        if self.collect(0, chosen, &mut cover) == Some(true) {
            cover = vec![self.node(0).prefix];
        }
        cover.sort_unstable();
        cover
    }

    /// What the leaves below agree on; where they do not, the chosen halves are put into `cover`.
    fn collect(&self, id: NodeId, chosen: &dyn Fn(NodeId) -> Option<bool>, cover: &mut Vec<Prefix>) -> Option<bool> {
        let Some(halves) = self.node(id).halves else { return chosen(id) };
        let said = halves.map(|half| self.collect(half, chosen, cover));
        match said {
            [Some(true), Some(true) | None] | [None, Some(true)] => Some(true),
            [None, None] => None,
            [Some(false), Some(false) | None] | [None, Some(false)] => Some(false),
            [Some(true), Some(false)] | [Some(false), Some(true)] => {
                let half = if said[0] == Some(true) { halves[0] } else { halves[1] };
                cover.push(self.node(half).prefix);
                Some(false)
            }
        }
    }

    fn grow(&mut self, from: NodeId, length: u8) {
        let mut queue = vec![from];
        while let Some(id) = queue.pop() {
            let prefix = self.node(id).prefix;
            let Some(halves) = prefix.halves().filter(|_| prefix.len() < length) else { continue };
            queue.extend(self.add_halves(id, halves));
        }
    }

    fn add_halves(&mut self, id: NodeId, prefixes: [Prefix; 2]) -> [NodeId; 2] {
        let first = NodeId::try_from(self.nodes.len()).expect("fewer nodes than 2^32");
        self.nodes.extend(prefixes.map(|half| Node::new(half, Some(id))));
        self.node_mut(id).halves = Some([first, first + 1]);
        [first, first + 1]
    }

    fn path_to(&self, leaf: NodeId) -> Vec<NodeId> {
        let mut path: Vec<NodeId> = std::iter::successors(Some(leaf), |&id| self.node(id).parent).collect();
        path.reverse();
        path
    }

    fn refresh(&mut self, id: NodeId, model: &Model) {
        if !self.node(id).stale {
            return;
        }
        let halves = self.node(id).halves;
        if let Some([low, high]) = halves {
            self.refresh(low, model);
            self.refresh(high, model);
        }
        let below = halves.map(|[low, high]| self.node(low).weighted + self.node(high).weighted);
        let node = self.node_mut(id);
        node.stale = false;
        let prior = node.prior();
        if node.counts == Counts::default() {
            // Most nodes of a large range, and all terms are those of the prior.
            (node.uniform, node.blocked_given_uniform, node.weighted) = (0.0, prior.blocked, 0.0);
            return;
        }
        let (open, blocked) = model.log_likelihoods(&node.counts);
        node.uniform = log_sum(prior.blocked + blocked, prior.open + open);
        node.blocked_given_uniform = prior.blocked + blocked - node.uniform;
        node.weighted = match below {
            None => node.uniform,
            Some(below) => log_sum(prior.uniform + node.uniform, prior.divided + below),
        };
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id as usize]
    }
}

impl Node {
    fn new(prefix: Prefix, parent: Option<NodeId>) -> Self {
        Self {
            prefix,
            parent,
            halves: None,
            counts: Counts::default(),
            uniform: 0.0,
            blocked_given_uniform: 0.0,
            weighted: 0.0,
            stale: true,
        }
    }

    fn prior(&self) -> &'static Prior {
        if self.parent.is_none() { &PRIORS.0 } else { &PRIORS.1 }
    }
}

/// The prior probabilities of a node, as logarithms.
struct Prior {
    uniform: f64,
    divided: f64,
    blocked: f64,
    open: f64,
}

/// Of a range, and of a part of one.
static PRIORS: LazyLock<(Prior, Prior)> =
    LazyLock::new(|| (Prior::new(UNIFORM_RANGE, BLOCKED_RANGE), Prior::new(UNIFORM_PART, BLOCKED_PART)));

impl Prior {
    fn new(uniform: f64, blocked: f64) -> Self {
        Self { uniform: uniform.ln(), divided: (1.0 - uniform).ln(), blocked: blocked.ln(), open: (1.0 - blocked).ln() }
    }
}

/// `log(e^a + e^b)` without overflow.
fn log_sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    high + (low - high).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::model::{Beta, Seen};

    fn model() -> Model {
        // A share that is known: 0.9 exactly.
        Model { uncovered: Some(Beta::new(9e6, 1e6)), ..Model::learnt(&Seen::default(), true, 1e-4, 1e-4) }
    }

    fn answer() -> Counts {
        Counts { answers: 1.0, ..Counts::default() }
    }

    fn silence() -> Counts {
        Counts { silences: 1.0, ..Counts::default() }
    }

    fn tree(text: &str, length: u8) -> RangeTree {
        RangeTree::new(text.parse().unwrap(), length)
    }

    #[test]
    fn leaves_have_the_length_or_are_the_range() {
        assert_eq!(tree("13.32.0.0/15", 20).leaves().len(), 32);
        assert_eq!(tree("13.113.196.64/26", 20).leaves().len(), 1);
        assert_eq!(tree("56.125.47.0/32", 20).leaves().len(), 1);
    }

    #[test]
    fn before_anything_is_seen_the_prior_stands() {
        let mut tree = tree("13.32.0.0/16", 20);
        for (leaf, _) in tree.leaves() {
            let blocked = tree.blocked(leaf, &model());
            assert!((blocked - (0.9 * 0.1 + 0.1 * 0.5)).abs() < 1e-9, "{blocked}");
        }
    }

    #[test]
    fn a_lone_silent_cell_in_an_open_range_needs_more_silences_than_a_silent_range() {
        let mut open = tree("13.32.0.0/15", 20);
        let leaves = open.leaves();
        for &(leaf, _) in &leaves[1..] {
            open.add(leaf, &answer(), 1.0);
        }
        let lone = silences_needed(&mut open, leaves[0].0);
        let mut whole = tree("13.113.203.0/24", 20);
        let leaf = whole.leaves()[0].0;
        let whole = silences_needed(&mut whole, leaf);
        assert!((5..=6).contains(&whole), "{whole}");
        assert!((7..=10).contains(&lone) && lone > whole, "{lone}");
    }

    fn silences_needed(tree: &mut RangeTree, leaf: NodeId) -> u32 {
        (1..100)
            .find(|_| {
                tree.add(leaf, &silence(), 1.0);
                tree.blocked(leaf, &model()) >= 1.0 - 1e-4
            })
            .unwrap()
    }

    #[test]
    fn taking_back_restores_the_posterior() {
        let mut tree = tree("13.32.0.0/15", 20);
        let leaf = tree.leaves()[3].0;
        let before = tree.blocked(leaf, &model());
        tree.add(leaf, &silence(), 1.0);
        assert!(tree.blocked(leaf, &model()) > before);
        tree.add(leaf, &silence(), -1.0);
        assert!((tree.blocked(leaf, &model()) - before).abs() < 1e-12);
    }

    #[test]
    fn the_cover_is_minimal() {
        let tree = tree("13.32.0.0/15", 20);
        let blocked: Prefix = "13.32.64.0/18".parse().unwrap();
        let node = |id: NodeId| Some(blocked.covers(tree.node(id).prefix));
        assert_eq!(tree.cover(&node), vec![blocked]);
        assert_eq!(tree.cover(&|_| Some(true)), vec!["13.32.0.0/15".parse().unwrap()]);
        assert_eq!(tree.cover(&|_| None), vec![]);
        let neutral_rest = |id: NodeId| blocked.covers(tree.node(id).prefix).then_some(true);
        assert_eq!(tree.cover(&neutral_rest), vec!["13.32.0.0/15".parse().unwrap()]);
    }
}

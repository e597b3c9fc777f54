//! One cell of a range: who was asked in it, and who is next.

use std::net::IpAddr;

use crate::plan::PlannedRange;
use crate::prefix::{Family, Prefix, PrefixSet};
use crate::scan::model::Counts;
use crate::scan::sampler::Sampler;
use crate::scan::tree::NodeId;

/// A cell, or a part of one that was divided.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) leaf: NodeId,
    pub(super) prefix: Prefix,
    /// The cell of the plan that it is or is a part of.
    pub(super) whole: usize,
    /// All its addresses were tried.
    pub(super) exhausted: bool,
    /// Somebody was asked beside an address that failed while others answered.
    pub(super) compared: bool,
    sampler: Sampler,
    asked: Vec<Asked>,
}

/// An address that was asked, and what it adds to the tree.
#[derive(Clone, Debug)]
struct Asked {
    address: IpAddr,
    counts: Counts,
    /// Too young for its silence to be considered.
    young: bool,
    /// Came to nothing, and through no fault of the address.
    void: bool,
}

impl Cell {
    pub(super) fn new(leaf: NodeId, prefix: Prefix, whole: usize, sampler: Sampler) -> Self {
        Self { leaf, prefix, whole, exhausted: false, compared: false, sampler, asked: Vec::new() }
    }

    /// Addresses that were asked, those that came to nothing left out.
    pub(super) fn tried(&self) -> u16 {
        self.number(|asked| !asked.void)
    }

    /// Probes that are too young for their silence to be considered.
    pub(super) fn young(&self) -> u16 {
        self.number(|asked| asked.young)
    }

    /// How many of its addresses are known to answer.
    pub(super) fn known(&self) -> u16 {
        u16::try_from(self.sampler.known()).unwrap_or(u16::MAX)
    }

    pub(super) fn knows(&self, address: IpAddr) -> bool {
        self.sampler.knows(address)
    }

    /// The next address that was not asked.
    pub(super) fn next(&mut self, excluded: &PrefixSet) -> Option<IpAddr> {
        std::iter::from_fn(|| self.sampler.next(excluded)).find(|&address| !has(&self.asked, address))
    }

    pub(super) fn ask(&mut self, address: IpAddr) {
        self.asked.push(Asked { address, counts: Counts::default(), young: true, void: false });
    }

    pub(super) fn grown(&mut self, address: IpAddr) {
        self.find(address).young = false;
    }

    pub(super) fn untried(&mut self, address: IpAddr) {
        self.find(address).void = true;
    }

    pub(super) fn count(&mut self, address: IpAddr, counts: &Counts, times: f64) {
        self.find(address).counts.add(counts, times);
    }

    /// Somebody beside an address that failed: the next address where it was rejected, for a rejection is proof for each;
    /// where it was silent the nearest that is known to answer.
    pub(super) fn beside_failure(&self, planned: &PlannedRange) -> Option<IpAddr> {
        let failed = self.asked.iter().find(|asked| asked.counts.failures() > 0.5)?;
        if failed.counts.rejected() {
            return Some(other_of_pair(failed.address)).filter(|&address| self.may_ask(planned, address));
        }
        self.nearest_known(planned, failed.address, self.prefix)
    }

    /// Somebody in the block where the cell ends; none if it was asked enough there. Of what is rejected the very last
    /// address, for that tells the edge to the bit, or another where it is dark.
    pub(super) fn at_edge(&self, planned: &PlannedRange, edge: IpAddr, rejected: bool) -> Option<IpAddr> {
        let block = Prefix::containing(edge, self.prefix.len().max(24));
        let inside = || self.asked.iter().filter(|asked| block.holds(asked.address));
        let decides = |asked: &Asked| asked.counts.answered() || asked.counts.rejected();
        if rejected && !has(&self.asked, edge) {
            return Some(edge).filter(|&edge| planned.may_ask(edge));
        }
        if inside().any(decides) || inside().count() >= TRIES_AT_EDGE {
            return None;
        }
        if rejected {
            return Some(block.nth(block.addresses() / 2)).filter(|&address| self.may_ask(planned, address));
        }
        self.nearest_known(planned, edge, block)
    }

    /// The addresses that had an outcome, and whether they were rejected.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (IpAddr, bool)> {
        let seen = self.asked.iter().filter(|asked| asked.counts != Counts::default());
        seen.map(|asked| (asked.address, asked.counts.rejected()))
    }

    /// Whether several were rejected, and nobody asked in one of the halves: two neighbours may be all that is blocked.
    pub(super) fn is_one_sided(&self) -> bool {
        let asked_in = |half: &Prefix| self.asked.iter().any(|asked| half.holds(asked.address));
        let halves = self.prefix.halves().filter(|_| self.prefix.family() == Family::V4);
        halves.is_some_and(|halves| !halves.iter().all(asked_in)) && self.number(|asked| asked.counts.rejected()) > 1
    }

    /// Both halves, each with what was asked in it; the halves' samplers go on in the largest gap beside a failure.
    pub(super) fn split(self, halves: [(NodeId, Prefix); 2]) -> [Self; 2] {
        halves.map(|(leaf, prefix)| {
            let asked: Vec<Asked> = self.asked.iter().filter(|asked| prefix.holds(asked.address)).cloned().collect();
            let failed = asked.iter().find(|asked| asked.counts.failures() > 0.5).or(asked.first());
            let sampler = self.sampler.part(prefix, failed.map(|asked| asked.address));
            Self { leaf, prefix, asked, sampler, exhausted: false, compared: false, whole: self.whole }
        })
    }

    /// What was counted in it.
    pub(super) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.asked.iter().for_each(|asked| sum.add(&asked.counts, 1.0));
        sum
    }

    fn nearest_known(&self, planned: &PlannedRange, to: IpAddr, within: Prefix) -> Option<IpAddr> {
        let inside = self.sampler.known_addresses().iter().copied().filter(|&address| within.holds(address));
        inside.filter(|&address| self.may_ask(planned, address)).min_by_key(|&address| distance(address, to))
    }

    fn may_ask(&self, planned: &PlannedRange, address: IpAddr) -> bool {
        self.prefix.holds(address) && planned.may_ask(address) && !has(&self.asked, address)
    }

    fn number(&self, wanted: fn(&Asked) -> bool) -> u16 {
        u16::try_from(self.asked.iter().filter(|asked| wanted(asked)).count()).unwrap_or(u16::MAX)
    }

    fn find(&mut self, address: IpAddr) -> &mut Asked {
        self.asked.iter_mut().find(|asked| asked.address == address).expect("only what was asked has an outcome")
    }
}

/// An address at the edge may be dark: then one more of its block is asked.
const TRIES_AT_EDGE: usize = 2;

fn has(asked: &[Asked], address: IpAddr) -> bool {
    asked.iter().any(|asked| asked.address == address)
}

/// The other address of the /31 that holds this one.
fn other_of_pair(address: IpAddr) -> IpAddr {
    let pair = Prefix::containing(address, if address.is_ipv4() { 31 } else { 127 });
    if pair.first() == address { pair.last() } else { pair.first() }
}

fn distance(a: IpAddr, b: IpAddr) -> u128 {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits().abs_diff(b.to_bits())),
        (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits().abs_diff(b.to_bits()),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => u128::MAX,
    }
}

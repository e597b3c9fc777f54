//! The live state of one range: its tree, its cells, and which of them want another probe.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::model::{Counts, Model};
use super::sampler::Sampler;
use super::tree::{NodeId, RangeTree};
use crate::observe::{Failure, Outcome};
use crate::plan::PlannedRange;
use crate::prefix::Prefix;

/// Probes of one silent cell at the most: what a share of a fifth needs at an error rate of 1 in 10,000.
const MOST_TRIES: u16 = 64;
/// Where silence proves nothing, so many addresses are tried for an answer or a rejection.
const TRIES_WITHOUT_PROOF: u16 = 3;
/// In a cell that no baseline covers, in a range that answers elsewhere.
const TRIES_OF_DARK_CELL: u16 = 6;
/// Young probes of a silent cell at the most: one after the other, a hole in an open range took ten times the hedge.
const AT_ONCE: u16 = 3;
/// Authenticated handshakes of one range at the most.
const HANDSHAKES: usize = 3;

/// The live state of one range.
#[derive(Clone, Debug)]
pub(crate) struct RangeState {
    tree: RangeTree,
    cells: Vec<Cell>,
    /// Cells that were asked, and did not answer.
    silent: BTreeSet<usize>,
    /// The /24 blocks in which an unknown address was silent.
    silent_blocks: BTreeSet<Prefix>,
    /// Silences of known addresses in cells in which a known address answered.
    gone: f64,
    /// Version of the model that the tree was computed with.
    version: u32,
    answered: Vec<SocketAddr>,
    handshakes: usize,
    authenticated: bool,
    no_route: bool,
    silence_judges: bool,
}

#[derive(Clone, Debug)]
struct Cell {
    leaf: NodeId,
    sampler: Sampler,
    /// How many /24 blocks it has.
    blocks: u16,
    tried: u16,
    /// Probes that are too young for their silence to be considered.
    young: u16,
    exhausted: bool,
}

/// A probe that a cell wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) address: IpAddr,
    pub(crate) known: bool,
}

impl RangeState {
    pub(crate) fn new(planned: &PlannedRange, seed: u64) -> Self {
        let tree = RangeTree::new(planned.range.prefix, planned.cell_length);
        let mut known: BTreeMap<NodeId, Vec<IpAddr>> = BTreeMap::new();
        for &address in planned.known.iter().filter(|&&address| planned.range.prefix.holds(address)) {
            known.entry(tree.leaf_of(address)).or_default().push(address);
        }
        let cell = |(leaf, prefix): (NodeId, Prefix)| {
            let sampler = Sampler::new(prefix, known.remove(&leaf).unwrap_or_default(), planned.fresh_first, seed);
            let blocks = 1_u16.checked_shl(u32::from(prefix.host_bits().saturating_sub(8))).unwrap_or(MOST_TRIES);
            Cell { leaf, sampler, blocks: blocks.clamp(1, MOST_TRIES), tried: 0, young: 0, exhausted: false }
        };
        let cells = tree.leaves().into_iter().map(cell).collect();
        Self {
            tree,
            cells,
            silent: BTreeSet::new(),
            silent_blocks: BTreeSet::new(),
            gone: 0.0,
            version: 0,
            answered: Vec::new(),
            handshakes: 0,
            authenticated: false,
            no_route: false,
            silence_judges: planned.silence_judges(),
        }
    }

    pub(crate) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The cells that were asked, and did not answer.
    pub(crate) fn silent_cells(&self) -> Vec<usize> {
        self.silent.iter().copied().collect()
    }

    /// What is to be learnt from the range for others of its kind: see [`lesson`].
    pub(crate) fn lesson(&self) -> Option<Counts> {
        let total = self.tree.total();
        total.answered().then_some(Counts { known_silences: self.gone, ..*total })
    }

    /// Whether the cell should be probed again, given what is in the tree now, silences under way included.
    pub(crate) fn wants_probe(&mut self, cell: usize, model: &Model, version: u32, alpha: f64) -> bool {
        let Cell { leaf, tried, young, exhausted, .. } = self.cells[cell];
        if exhausted || self.no_route || self.tree.counts(leaf).answered() || young >= self.at_once(leaf) {
            return false;
        }
        if self.version != version {
            self.version = version;
            self.tree.spoil_all();
        }
        let model = self.model(model);
        if tried >= self.most_tries(cell, &model) {
            return false;
        }
        let doubt = 1.0 - self.tree.blocked(leaf, &model);
        doubt > alpha && (young == 0 || f64::from(young) * model.most_nats() < (doubt / alpha).ln())
    }

    /// Whether the cell was rejected, and by too few messages to be sure.
    pub(crate) fn wants_more_rejections(&self, cell: usize) -> bool {
        let Cell { leaf, tried, .. } = self.cells[cell];
        self.tree.counts(leaf).rejected() && tried < TRIES_WITHOUT_PROOF
    }

    /// How many probes of a cell may be young: where two addresses were silent, more are tried side by side.
    fn at_once(&self, leaf: NodeId) -> u16 {
        if self.tree.counts(leaf).all_silences() < 1.5 { 1 } else { AT_ONCE }
    }

    /// The next address of the cell.
    pub(crate) fn take(&mut self, cell: usize, planned: &PlannedRange) -> Option<Wanted> {
        self.silent.insert(cell);
        let cell = &mut self.cells[cell];
        let Some(address) = cell.sampler.next(&planned.excluded) else {
            cell.exhausted = true;
            return None;
        };
        cell.tried += 1;
        cell.young += 1;
        Some(Wanted { address, known: cell.sampler.knows(address) })
    }

    /// The probe is old enough for another address to be tried beside it, or it is over.
    pub(crate) fn grown(&mut self, cell: usize) {
        let young = &mut self.cells[cell].young;
        *young = young.saturating_sub(1);
    }

    /// What the silence of an address of the range is: the first of its block, or a further one.
    pub(crate) fn silent_as(&mut self, address: IpAddr, known: bool) -> SilentAs {
        SilentAs::of(address, known, &mut self.silent_blocks)
    }

    /// A probe that came to nothing, and through no fault of the address, does not use up a try.
    pub(crate) fn untried(&mut self, cell: usize, address: IpAddr) {
        let tried = &mut self.cells[cell].tried;
        *tried = tried.saturating_sub(1);
        self.silent_blocks.remove(&block(address));
    }

    pub(crate) fn count(&mut self, cell: usize, counts: &Counts, times: f64) {
        let leaf = self.cells[cell].leaf;
        let (had_answer, before) = (self.tree.total().answered(), gone(self.tree.counts(leaf)));
        self.tree.add(leaf, counts, times);
        self.gone += gone(self.tree.counts(leaf)) - before;
        if self.tree.counts(leaf).answered() {
            self.silent.remove(&cell);
        }
        if had_answer != self.tree.total().answered() {
            self.tree.spoil_all();
        }
    }

    pub(crate) fn lost_route(&mut self) {
        self.no_route = true;
    }

    /// Notes an answering address; whether a handshake with it is wanted.
    pub(crate) fn wants_handshake(&mut self, target: SocketAddr) -> bool {
        if self.answered.len() < HANDSHAKES {
            self.answered.push(target);
        }
        self.next_handshake().is_some_and(|next| next == target) && self.handshakes == 0
    }

    /// The address for the next handshake, if one is wanted still.
    pub(crate) fn next_handshake(&self) -> Option<SocketAddr> {
        self.answered.get(self.handshakes).copied().filter(|_| !self.authenticated)
    }

    pub(crate) fn handshake_launched(&mut self) {
        self.handshakes += 1;
    }

    pub(crate) fn handshake_done(&mut self, authenticated: bool) {
        self.authenticated |= authenticated;
    }

    fn model(&self, model: &Model) -> Model {
        if self.tree.total().answered() { model.without_uncovered() } else { *model }
    }

    fn most_tries(&self, cell: usize, model: &Model) -> u16 {
        if self.tree.counts(self.cells[cell].leaf).rejected() {
            return MOST_TRIES;
        }
        let enough = match (self.silence_judges, model.uncovered) {
            (true, Some(_)) if model.clustered => TRIES_OF_DARK_CELL.max(self.cells[cell].blocks),
            (true, Some(_)) => MOST_TRIES,
            (true, None) => TRIES_OF_DARK_CELL,
            (false, _) => TRIES_WITHOUT_PROOF,
        };
        enough.max(self.known(cell))
    }

    fn known(&self, cell: usize) -> u16 {
        u16::try_from(self.cells[cell].sampler.known()).unwrap_or(u16::MAX).min(MOST_TRIES)
    }
}

/// What the silence of an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SilentAs {
    /// It answered before.
    Known,
    /// The first of its /24 block.
    First,
    /// A further one of its block: no evidence where blocks may be dark.
    Repeat,
}

impl SilentAs {
    /// Notes the block in which an unknown address was silent.
    pub(crate) fn of(address: IpAddr, known: bool, silent_blocks: &mut BTreeSet<Prefix>) -> Self {
        match known {
            true => Self::Known,
            false if silent_blocks.insert(block(address)) => Self::First,
            false => Self::Repeat,
        }
    }

    pub(crate) fn counts(self) -> Counts {
        match self {
            Self::Known => Counts { known_silences: 1.0, ..Counts::default() },
            Self::First => Counts { silences: 1.0, ..Counts::default() },
            Self::Repeat => Counts { repeats: 1.0, ..Counts::default() },
        }
    }
}

/// The /24 that holds an IPv4 address: servers are put up by the block.
fn block(address: IpAddr) -> Prefix {
    Prefix::containing(address, if address.is_ipv4() { 24 } else { 64 })
}

/// What a range teaches about the others: nothing while it is silent as a whole. Of addresses known to answer, only
/// those in answering cells count; the silent cells are what is to be judged.
pub(crate) fn lesson(tree: &RangeTree, leaves: impl Iterator<Item = NodeId>) -> Option<Counts> {
    let total = tree.total();
    let known_silences = leaves.map(|leaf| gone(tree.counts(leaf))).sum();
    total.answered().then_some(Counts { known_silences, ..*total })
}

fn gone(cell: &Counts) -> f64 {
    if cell.known_answers > 0.0 { cell.known_silences } else { 0.0 }
}

/// What an outcome adds to the tree; none for those that say nothing about the range.
#[must_use]
pub(crate) fn counts_of(outcome: &Outcome, known: bool, prohibits: bool) -> Option<Counts> {
    let mut counts = Counts::default();
    let field = match outcome {
        Ok(_) if known => &mut counts.known_answers,
        Ok(_) => &mut counts.answers,
        Err(Failure::NoAnswer) if known => &mut counts.known_silences,
        Err(Failure::NoAnswer) => &mut counts.silences,
        Err(Failure::Unreachable(_) | Failure::Reset | Failure::TimeExceeded(_)) if prohibits => {
            &mut counts.prohibitions
        }
        Err(Failure::RejectedHere(_)) => &mut counts.prohibitions,
        Err(Failure::Unreachable(icmp)) if icmp.prohibits() => &mut counts.prohibitions,
        Err(Failure::Unreachable(_) | Failure::Reset | Failure::TimeExceeded(_)) => &mut counts.rejections,
        Err(
            Failure::ControlsSilent
            | Failure::NoRoute
            | Failure::LocalLimit(_)
            | Failure::TlsUnknownIssuer { .. }
            | Failure::TlsInvalidCertificate(_)
            | Failure::TlsBroken
            | Failure::TlsNoAnswer
            | Failure::Dns(_)
            | Failure::Proxy(_)
            | Failure::Http(_)
            | Failure::Transfer(_)
            | Failure::IdleCut
            | Failure::QuicNoAnswer
            | Failure::Unknown(_),
        ) => return None,
    };
    *field = 1.0;
    Some(counts)
}

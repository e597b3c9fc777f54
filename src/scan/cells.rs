//! The live state of one range: its tree, its cells, and which of them want another probe.

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
/// Authenticated handshakes of one range at the most.
const HANDSHAKES: usize = 3;

/// The live state of one range.
#[derive(Clone, Debug)]
pub(crate) struct RangeState {
    tree: RangeTree,
    cells: Vec<Cell>,
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
        let cell = |(leaf, prefix): (NodeId, Prefix)| {
            let known = planned.known.iter().copied().filter(|&address| prefix.holds(address));
            let sampler = Sampler::new(prefix, known.collect(), seed);
            let blocks = 1_u16.checked_shl(u32::from(prefix.host_bits().saturating_sub(8))).unwrap_or(MOST_TRIES);
            Cell { leaf, sampler, blocks: blocks.clamp(1, MOST_TRIES), tried: 0, young: 0, exhausted: false }
        };
        let cells = tree.leaves().into_iter().map(cell).collect();
        Self {
            tree,
            cells,
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

    /// What is to be learnt from the range for others of its kind.
    pub(crate) fn lesson(&self) -> Option<Counts> {
        lesson(&self.tree, self.cells.iter().map(|cell| cell.leaf))
    }

    /// Whether the cell should be probed again, given what is in the tree now, silences under way included.
    pub(crate) fn wants_probe(&mut self, cell: usize, model: &Model, alpha: f64) -> bool {
        let Cell { leaf, tried, young, exhausted, .. } = self.cells[cell];
        if young > 0 || exhausted || self.no_route || self.tree.counts(leaf).answered() {
            return false;
        }
        let model = self.model(model);
        tried < self.most_tries(cell, &model) && self.tree.blocked(leaf, &model) < 1.0 - alpha
    }

    /// The next address of the cell.
    pub(crate) fn take(&mut self, cell: usize, planned: &PlannedRange) -> Option<Wanted> {
        let cell = &mut self.cells[cell];
        let known = cell.sampler.next_is_known();
        let Some(address) = cell.sampler.next(&planned.excluded) else {
            cell.exhausted = true;
            return None;
        };
        cell.tried += 1;
        cell.young += 1;
        Some(Wanted { address, known })
    }

    /// The probe is old enough for another address to be tried beside it, or it is over.
    pub(crate) fn grown(&mut self, cell: usize) {
        let young = &mut self.cells[cell].young;
        *young = young.saturating_sub(1);
    }

    /// A probe that came to nothing by our own fault does not use up a try.
    pub(crate) fn untried(&mut self, cell: usize) {
        let tried = &mut self.cells[cell].tried;
        *tried = tried.saturating_sub(1);
    }

    pub(crate) fn count(&mut self, cell: usize, counts: &Counts, times: f64) {
        let had_answer = self.tree.total().answered();
        self.tree.add(self.cells[cell].leaf, counts, times);
        if had_answer != self.tree.total().answered() {
            self.tree.spoil_all();
        }
    }

    pub(crate) fn model_changed(&mut self) {
        self.tree.spoil_all();
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

/// What a range teaches about the others: nothing while it is silent as a whole. Of addresses known to answer, only
/// those in answering cells count; the silent cells are what is to be judged.
pub(crate) fn lesson(tree: &RangeTree, leaves: impl Iterator<Item = NodeId>) -> Option<Counts> {
    let total = tree.total();
    if !total.answered() {
        return None;
    }
    let known_silences = leaves
        .map(|leaf| tree.counts(leaf))
        .filter(|counts| counts.known_answers > 0.0)
        .map(|counts| counts.known_silences)
        .sum();
    Some(Counts { known_silences, ..*total })
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
            | Failure::Unknown(_),
        ) => return None,
    };
    *field = 1.0;
    Some(counts)
}

//! The live state of one range: its tree, its cells, and which of them want another probe.

mod cell;
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::count::{SilentAs, block, gone};
use super::model::{Counts, Model};
use super::sampler::Sampler;
use super::tree::{NodeId, RangeTree};
use crate::plan::PlannedRange;
use crate::prefix::Prefix;
use cell::Cell;

/// Probes of one silent cell at the most: what a share of a fifth needs at an error rate of 1 in 10,000.
const MOST_TRIES: u16 = 64;
/// Where silence proves nothing, so many addresses are tried for an answer or a rejection.
const TRIES_WITHOUT_PROOF: u16 = 3;
/// In a cell that no baseline covers, in a range that answers elsewhere.
const TRIES_OF_DARK_CELL: u16 = 6;
/// Where all that was rejected lies on one side, and the other may not be asked.
const TRIES_ON_ONE_SIDE: u16 = 6;
/// Young probes of a silent cell at the most: one after the other, a hole in an open range took ten times the hedge.
const AT_ONCE: u16 = 3;
/// Authenticated handshakes of one range at the most.
const HANDSHAKES: usize = 3;

/// The live state of one range.
#[derive(Clone, Debug)]
pub(crate) struct RangeState {
    tree: RangeTree,
    /// The plan's cells in order of address, then what came of those that were divided.
    cells: Vec<Cell>,
    cell_of_leaf: BTreeMap<NodeId, usize>,
    /// How often addresses of a cell of the plan were asked for a closer look at its parts.
    close: BTreeMap<usize, u16>,
    cell_length: u8,
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
        let cell = |(whole, (leaf, prefix)): (usize, (NodeId, Prefix))| {
            let sampler = Sampler::new(prefix, known.remove(&leaf).unwrap_or_default(), planned.fresh_first, seed);
            Cell::new(leaf, prefix, whole, sampler)
        };
        let cells: Vec<Cell> = tree.leaves().into_iter().enumerate().map(cell).collect();
        Self {
            tree,
            cell_of_leaf: cells.iter().enumerate().map(|(at, cell)| (cell.leaf, at)).collect(),
            cells,
            close: BTreeMap::new(),
            cell_length: planned.cell_length,
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

    /// The cell that holds an address.
    pub(crate) fn cell_of(&self, address: IpAddr) -> usize {
        self.cell_of_leaf[&self.tree.leaf_of(address)]
    }

    /// The cells that were asked, and did not answer.
    pub(crate) fn silent_cells(&self) -> Vec<usize> {
        self.silent.iter().copied().collect()
    }

    /// What is to be learnt from the range for others of its kind: see [`super::count::lesson`].
    pub(crate) fn lesson(&self) -> Option<Counts> {
        let total = self.tree.total();
        total.answered().then_some(Counts { known_silences: self.gone, ..*total })
    }

    /// Whether the cell should be probed again, given what is in the tree now, silences under way included.
    pub(crate) fn wants_probe(&mut self, cell: usize, model: &Model, version: u32, alpha: f64) -> bool {
        let Cell { leaf, exhausted, .. } = self.cells[cell];
        if self.no_route || self.tree.counts(leaf).answered() {
            return !self.no_route && self.wants_comparison(cell);
        }
        let young = self.cells[cell].young();
        if exhausted || young >= self.at_once(leaf) || (self.is_part(cell) && self.is_spent(cell)) {
            return false;
        }
        if self.version != version {
            self.version = version;
            self.tree.spoil_all();
        }
        let model = self.model(model);
        if self.cells[cell].tried() >= self.most_tries(cell, &model) {
            return false;
        }
        if young == 0 && self.cells[cell].tried() < TRIES_ON_ONE_SIDE && self.cells[cell].is_one_sided() {
            return true;
        }
        let doubt = 1.0 - self.tree.blocked(leaf, &model);
        doubt > alpha && (young == 0 || f64::from(young) * model.most_nats() < (doubt / alpha).ln())
    }

    /// Whether the cell was rejected, and by too few messages to be sure.
    pub(crate) fn wants_more_rejections(&self, cell: usize) -> bool {
        self.tree.counts(self.cells[cell].leaf).rejected() && self.cells[cell].tried() < TRIES_WITHOUT_PROOF
    }

    /// How many probes of a cell may be young: where two addresses were silent, more are tried side by side.
    fn at_once(&self, leaf: NodeId) -> u16 {
        if self.tree.counts(leaf).all_silences() < 1.5 { 1 } else { AT_ONCE }
    }

    /// The next address of the cell.
    pub(crate) fn take(&mut self, cell: usize, planned: &PlannedRange) -> Option<Wanted> {
        if self.tree.counts(self.cells[cell].leaf).answered() {
            return self.compare(cell, planned);
        }
        self.silent.insert(cell);
        let Some(address) = self.cells[cell].next(&planned.excluded) else {
            self.cells[cell].exhausted = true;
            return None;
        };
        Some(self.ask(cell, address))
    }

    /// Notes that an address of the cell is asked.
    pub(crate) fn ask(&mut self, cell: usize, address: IpAddr) -> Wanted {
        if self.is_part(cell) || self.tree.counts(self.cells[cell].leaf).answered() {
            self.look_closer(cell);
        }
        self.cells[cell].ask(address);
        Wanted { address, known: self.cells[cell].knows(address) }
    }

    /// The probe is old enough for another address to be tried beside it, or it is over.
    pub(crate) fn grown(&mut self, address: IpAddr) {
        let cell = self.cell_of(address);
        self.cells[cell].grown(address);
    }

    /// What the silence of an address of the range is: the first of its block, or a further one.
    pub(crate) fn silent_as(&mut self, address: IpAddr, known: bool) -> SilentAs {
        SilentAs::of(address, known, &mut self.silent_blocks)
    }

    /// A probe that came to nothing, and through no fault of the address, does not use up a try.
    pub(crate) fn untried(&mut self, address: IpAddr) {
        let cell = self.cell_of(address);
        self.cells[cell].untried(address);
        self.silent_blocks.remove(&block(address));
    }

    pub(crate) fn count(&mut self, address: IpAddr, counts: &Counts, times: f64) {
        let cell = self.cell_of(address);
        let leaf = self.cells[cell].leaf;
        let (had_answer, before) = (self.tree.total().answered(), gone(self.tree.counts(leaf)));
        self.tree.add(leaf, counts, times);
        self.cells[cell].count(address, counts, times);
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
        let cell = &self.cells[cell];
        if self.tree.counts(cell.leaf).rejected() {
            return MOST_TRIES;
        }
        let enough = match (self.silence_judges, model.uncovered) {
            (true, Some(_)) if model.clustered => TRIES_OF_DARK_CELL.max(blocks(cell.prefix)),
            (true, Some(_)) => MOST_TRIES,
            (true, None) => TRIES_OF_DARK_CELL,
            (false, _) => TRIES_WITHOUT_PROOF,
        };
        enough.max(cell.known().min(MOST_TRIES))
    }

    fn is_part(&self, cell: usize) -> bool {
        self.cells[cell].prefix.len() > self.cell_length
    }
}

/// How many /24 blocks a cell has, as far as they are tried.
fn blocks(cell: Prefix) -> u16 {
    let blocks = 1_u16.checked_shl(u32::from(cell.host_bits().saturating_sub(8))).unwrap_or(MOST_TRIES);
    blocks.clamp(1, MOST_TRIES)
}

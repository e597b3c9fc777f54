//! Which cells are to be looked at, and in which order.

use std::collections::{BTreeSet, VecDeque};

use crate::scan::cells::RangeState;

/// A range of the plan, and a cell in it.
pub(super) type CellId = (usize, usize);

/// Cells that may want a probe: those that wait for another one go before those that had none.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    fresh: VecDeque<CellId>,
    again: VecDeque<CellId>,
    queued: BTreeSet<CellId>,
    /// Ranges in which something speaks against what was taken for settled: they are looked at when all else is done.
    doubted: BTreeSet<usize>,
    closed: bool,
}

impl Queue {
    /// All cells once.
    pub(super) fn new(ranges: &[RangeState]) -> Self {
        Self {
            fresh: interleaved(ranges),
            again: VecDeque::new(),
            queued: BTreeSet::new(),
            doubted: BTreeSet::new(),
            closed: false,
        }
    }

    /// How many cells wait.
    pub(super) fn len(&self) -> usize {
        self.fresh.len() + self.again.len()
    }

    /// Whether nothing is left to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.doubted.is_empty()
    }

    pub(super) fn pop(&mut self) -> Option<CellId> {
        let cell = self.again.pop_front().or_else(|| self.fresh.pop_front())?;
        self.queued.remove(&cell);
        Some(cell)
    }

    pub(super) fn push(&mut self, cell: CellId) {
        if !self.closed && self.queued.insert(cell) {
            self.again.push_back(cell);
        }
    }

    /// The settled cells of these ranges are to be looked at again.
    pub(super) fn doubt(&mut self, ranges: impl IntoIterator<Item = usize>) {
        if !self.closed {
            self.doubted.extend(ranges);
        }
    }

    pub(super) fn take_doubted(&mut self) -> BTreeSet<usize> {
        std::mem::take(&mut self.doubted)
    }

    /// No cell is looked at any more.
    pub(super) fn close(&mut self) {
        let queued = BTreeSet::new();
        *self = Self { fresh: VecDeque::new(), again: VecDeque::new(), queued, doubted: BTreeSet::new(), closed: true };
    }
}

/// All cells once, those of each range spread over the whole pass: failures are mixed with successes, as a firewall
/// that counts failed first contacts wants it.
fn interleaved(ranges: &[RangeState]) -> VecDeque<CellId> {
    let mut cells: Vec<(u64, usize, usize)> = Vec::new();
    for (range, state) in ranges.iter().enumerate() {
        let count = state.cells().next_power_of_two();
        for cell in 0..state.cells() {
            let turn = if count == 1 { 0 } else { (cell as u64).reverse_bits() >> (64 - count.trailing_zeros()) };
            let place = (2 * turn + 1) * (1 << 32) / (2 * count as u64);
            cells.push((place, range, cell));
        }
    }
    cells.sort_unstable();
    cells.into_iter().map(|(_, range, cell)| (range, cell)).collect()
}

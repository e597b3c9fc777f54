//! What is looked at more closely than a cell: answers beside failures, and the edges of what is blocked.

use std::net::IpAddr;

use super::{RangeState, Wanted};
use crate::plan::PlannedRange;
use crate::prefix::Family;
use crate::scan::count::gone;
use crate::scan::division::{FINEST_BY_SILENCE, is_doubtful, is_lopsided, is_mixed};
use crate::scan::model::Model;

/// Addresses asked more closely in one cell of the plan at the most. A block inside a /20 takes one for each halving
/// (twelve to a single pair), three or four to be sure, and two at either edge.
const MOST_TRIES: u16 = 64;
/// A part is told by its silence where so many addresses of the cell are known to answer, half of them in each half: a
/// lone silent part takes up to ten.
const DENSE: u16 = 20;

/// Where a block could end, as the tree sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Open,
    Silent,
    Rejected,
}

impl RangeState {
    /// Divides a cell in which answers lie beside failures; the cells that came of it, or the cell.
    pub(crate) fn divide(&mut self, cell: usize) -> Vec<usize> {
        let (mut open, mut parts) = (vec![cell], Vec::new());
        while let Some(at) = open.pop() {
            let Some(high) = self.split(at) else {
                parts.push(at);
                continue;
            };
            open.extend([at, high]);
        }
        parts
    }

    /// The lower half takes the cell's place.
    fn split(&mut self, at: usize) -> Option<usize> {
        let cell = &self.cells[at];
        let counts = *self.tree.counts(cell.leaf);
        let mixed = is_mixed(cell.prefix, &counts) && (counts.rejected() || cell.known() >= DENSE);
        let divides = mixed || (counts.rejected() && is_lopsided(cell.prefix, cell.outcomes()));
        if !divides {
            return None;
        }
        let halves = self.tree.split(cell.leaf)?;
        let [low, high] = cell.clone().split(halves);
        self.gone -= gone(&counts);
        let place = self.cells.len();
        for (part, at) in [(&low, at), (&high, place)] {
            let counts = part.counts();
            self.tree.put(part.leaf, &counts);
            self.gone += gone(&counts);
            self.cell_of_leaf.insert(part.leaf, at);
            if !counts.answered() {
                self.silent.insert(at);
            }
        }
        self.cells[at] = low;
        self.cells.push(high);
        Some(place)
    }

    /// Whether somebody beside a failure is to be asked, in a cell that answers.
    pub(super) fn wants_comparison(&self, at: usize) -> bool {
        let cell = &self.cells[at];
        let counts = self.tree.counts(cell.leaf);
        let dense = counts.rejected() || cell.known() >= DENSE;
        !cell.compared && cell.young() == 0 && dense && is_doubtful(cell.prefix, counts) && !self.is_spent(at)
    }

    pub(super) fn compare(&mut self, at: usize, planned: &PlannedRange) -> Option<Wanted> {
        self.cells[at].compared = true;
        let address = self.cells[at].beside_failure(planned)?;
        Some(self.ask(at, address))
    }

    /// Addresses at both sides of the places where something blocked touches something open, as far as nobody was asked
    /// there. Nothing is asked between cells of the plan that are as small as a block.
    pub(crate) fn edges(&mut self, planned: &PlannedRange, model: &Model, alpha: f64) -> Vec<IpAddr> {
        if self.silent.is_empty() || !self.tree.total().answered() || planned.range.prefix.family() == Family::V6 {
            return Vec::new();
        }
        let model = self.model(model);
        let leaves: Vec<_> = self.tree.leaves().into_iter().map(|(leaf, _)| self.cell_of_leaf[&leaf]).collect();
        let sides: Vec<(usize, Option<Side>)> =
            leaves.into_iter().map(|at| (at, self.side(at, &model, alpha))).collect();
        sides.windows(2).flat_map(|pair| self.edge(planned, pair[0], pair[1])).collect()
    }

    fn edge(&self, planned: &PlannedRange, low: (usize, Option<Side>), high: (usize, Option<Side>)) -> Vec<IpAddr> {
        let ((low, Some(below)), (high, Some(above))) = (low, high) else { return Vec::new() };
        let [low_cell, high_cell] = [&self.cells[low], &self.cells[high]];
        let fine = |at: usize| self.cells[at].prefix.len() >= FINEST_BY_SILENCE && !self.is_part(at);
        if (below == Side::Open) == (above == Side::Open) || (fine(low) && fine(high)) {
            return Vec::new();
        }
        let rejected = below == Side::Rejected || above == Side::Rejected;
        let ends = [(low, low_cell.prefix.last()), (high, high_cell.prefix.first())];
        let may = |at: usize| (rejected || self.cells[at].known() >= DENSE) && !self.is_spent(at);
        ends.into_iter()
            .filter(|&(at, _)| may(at))
            .filter_map(|(at, end)| self.cells[at].at_edge(planned, end, rejected))
            .collect()
    }

    fn side(&mut self, at: usize, model: &Model, alpha: f64) -> Option<Side> {
        let leaf = self.cells[at].leaf;
        let counts = *self.tree.counts(leaf);
        match () {
            () if counts.answered() => Some(Side::Open),
            () if self.tree.blocked(leaf, model) < 1.0 - alpha => None,
            () if counts.rejected() => Some(Side::Rejected),
            () => Some(Side::Silent),
        }
    }

    /// Whether the plan's cell was looked at as closely as it may be.
    pub(super) fn is_spent(&self, at: usize) -> bool {
        self.close.get(&self.cells[at].whole).is_some_and(|&tries| tries >= MOST_TRIES)
    }

    /// Notes an address that is asked for a closer look than the plan's cell.
    pub(super) fn look_closer(&mut self, at: usize) {
        *self.close.entry(self.cells[at].whole).or_default() += 1;
    }
}

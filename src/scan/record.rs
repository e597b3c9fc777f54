//! Records a baseline: in each cell, addresses are asked until enough have answered.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::engine::{Action, Attempt, Event, Progress};
use super::machine::Machine;
use super::pace::Pacer;
use super::sampler::Sampler;
use super::timers::{ProbeId, Timer, Timers};
use super::tree::RangeTree;
use crate::baseline::PER_CELL;
use crate::observe::{Failure, Observation, Operation, Outcome, Purpose};
use crate::plan::ProbePlan;

/// Addresses asked in one cell at the most, for each one that is wanted.
const TRIES: usize = 4;

/// Asks the cells of a plan for answering addresses. The order does not depend on the seed: two recordings ask the same
/// addresses, so that what changed between them can be told.
#[derive(Debug)]
pub struct Recorder {
    plan: ProbePlan,
    cells: Vec<Cell>,
    queue: VecDeque<usize>,
    probes: Vec<Probe>,
    timers: Timers,
    pacer: Pacer,
    in_flight: usize,
    observations: Vec<Observation>,
    stopped: bool,
}

#[derive(Debug)]
struct Cell {
    range: usize,
    sampler: Sampler,
    answered: usize,
    asked: usize,
}

#[derive(Debug)]
struct Probe {
    cell: usize,
    target: SocketAddr,
    launched: Duration,
    over: bool,
}

impl Recorder {
    /// A recording that is about to begin.
    #[must_use]
    pub fn new(plan: ProbePlan) -> Self {
        let mut cells = Vec::new();
        for (range, planned) in plan.ranges.iter().enumerate() {
            for (_, prefix) in RangeTree::new(planned.range.prefix, planned.cell_length).leaves() {
                let known = planned.known.iter().copied().filter(|&address| prefix.holds(address)).collect();
                cells.push(Cell { range, sampler: Sampler::new(prefix, known, false, 0), answered: 0, asked: 0 });
            }
        }
        Self {
            queue: (0..cells.len()).collect(),
            pacer: Pacer::new(plan.pace.per_second),
            plan,
            cells,
            probes: Vec::new(),
            timers: Timers::default(),
            in_flight: 0,
            observations: Vec::new(),
            stopped: false,
        }
    }

    /// Everything that was seen.
    #[must_use]
    pub fn into_observations(self) -> Vec<Observation> {
        self.observations
    }

    fn launch(&mut self, now: Duration) -> Option<Attempt> {
        while let Some(at) = self.queue.pop_front() {
            let cell = &mut self.cells[at];
            let Some(address) = cell.sampler.next(&self.plan.ranges[cell.range].excluded) else { continue };
            cell.asked += 1;
            let id = ProbeId::try_from(self.probes.len()).expect("fewer than 2^32 probes");
            let target = SocketAddr::new(address, self.plan.port);
            self.probes.push(Probe { cell: at, target, launched: now, over: false });
            self.timers.set(now + self.plan.silence_age, Timer::Silence(id));
            self.in_flight += 1;
            return Some(Attempt { id, target, ttl: None, source_port: None });
        }
        None
    }

    fn settle(&mut self, id: usize, outcome: Outcome, now: Duration) {
        let probe = &mut self.probes[id];
        probe.over = true;
        self.in_flight -= 1;
        let at = probe.cell;
        let cell = &mut self.cells[at];
        cell.answered += usize::from(outcome.is_ok());
        self.observations.push(Observation {
            operation: Operation::Connect,
            purpose: Purpose::Range(cell.range),
            target: probe.target,
            ttl: None,
            started: probe.launched,
            took: now.saturating_sub(probe.launched),
            outcome,
            attested: None,
        });
        if cell.answered < PER_CELL && cell.asked < TRIES * (cell.answered + 1).max(4) {
            self.queue.push_back(at);
        }
    }

    fn room(&self) -> bool {
        !self.stopped && self.in_flight < self.plan.pace.in_flight
    }
}

impl Machine for Recorder {
    fn poll_action(&mut self, now: Duration) -> Option<Action> {
        while let Some(timer) = self.timers.due(now) {
            if let Timer::Silence(id) = timer
                && !self.probes[id as usize].over
            {
                self.settle(id as usize, Err(Failure::NoAnswer), now);
                return Some(Action::Abandon(id));
            }
        }
        if !self.room() || !self.pacer.ready(now) {
            return None;
        }
        let attempt = self.launch(now)?;
        self.pacer.launched(now);
        Some(Action::Connect(attempt))
    }

    fn poll_timeout(&self) -> Option<(Duration, &'static str)> {
        if self.stopped || (self.queue.is_empty() && self.in_flight == 0) {
            return None;
        }
        let paced =
            (self.room() && !self.queue.is_empty()).then(|| (self.pacer.next(), "the pace allows the next probe"));
        [paced, self.timers.next()].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn handle(&mut self, event: Event, now: Duration) {
        let id = event.id as usize;
        if self.probes.get(id).is_some_and(|probe| !probe.over) {
            self.settle(id, event.outcome, now);
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn progress(&self) -> Progress {
        let settled = self.cells.len() - self.queue.len().min(self.cells.len());
        Progress { settled, cells: self.cells.len(), sent: self.probes.len() }
    }
}

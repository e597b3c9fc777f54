//! What is sent next.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::queue::CellId;
use super::{Action, Attempt, Probe, Scan, State};
use crate::observe::{Operation, Purpose};
use crate::scan::cells::Wanted;
use crate::scan::count::SilentAs;
use crate::scan::timers::{ProbeId, Timer};
use crate::scan::trace::{Step, Tracer};
use crate::scan::wave::WaveId;

/// How long an answer may come after silence began to count, and still take it back.
const LATE: Duration = Duration::from_millis(900);
/// The engine wants this much less doubt than the judgement, whose model is learnt from whole silences where the engine's
/// is from weighed ones. A margin of a quarter cost one more probe of each blocked range.
const MARGIN: f64 = 0.95;
/// A TLS handshake may take this long: two slow round trips and a slow server.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What is needed to launch a probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Launch {
    operation: Operation,
    purpose: Purpose,
    target: SocketAddr,
    ttl: Option<u8>,
    source_port: Option<u16>,
    known: bool,
    wave: WaveId,
    walk: usize,
    patience: Duration,
}

impl Launch {
    fn new(operation: Operation, purpose: Purpose, target: SocketAddr) -> Self {
        let (ttl, source_port, known, wave, walk) = (None, None, false, 0, 0);
        let patience = Duration::ZERO;
        Self { operation, purpose, target, ttl, source_port, known, wave, walk, patience }
    }

    pub(super) fn of(step: Step) -> Self {
        Self {
            walk: step.walk,
            patience: step.patience,
            ttl: Some(step.ttl),
            source_port: Some(step.source_port),
            ..Self::new(Operation::Trace, Purpose::Path, step.target)
        }
    }
}

impl Scan {
    pub(super) fn has_work(&self) -> bool {
        !self.side.is_empty()
            || !self.handshakes.is_empty()
            || !self.queue.is_empty()
            || !self.edges.is_empty()
            || self.waves.wants_controls()
            || self.tracer.as_ref().map_or(self.may_trace(), Tracer::ready)
            || (!self.settled && self.only_late())
    }

    pub(super) fn over(&self) -> bool {
        self.settled && self.in_flight == 0 && self.abandon.is_empty() && self.tracer.as_ref().is_some_and(Tracer::over)
    }

    pub(super) fn next_launch(&mut self, now: Duration) -> Option<Action> {
        if let Some((wave, target)) = self.waves.control_due(now) {
            return Some(self.launch(Launch { wave, ..Launch::new(Operation::Connect, Purpose::Control, target) }));
        }
        if let Some((purpose, target)) = self.side.pop_front() {
            return Some(self.launch(Launch::new(Operation::Connect, purpose, target)));
        }
        if let Some((range, target)) = self.handshakes.pop_front() {
            return Some(self.launch(Launch::new(Operation::TlsHandshake, Purpose::Range(range), target)));
        }
        self.next_range_probe(now)
            .or_else(|| self.last_control(now))
            .or_else(|| self.last_look(now))
            .or_else(|| self.next_step())
    }

    /// With nothing else to send, the open wave is closed, if silences in it wait to be attested.
    fn last_control(&mut self, now: Duration) -> Option<Action> {
        let wave = self.waves.current();
        let waits = |&id: &usize| self.probes[id].silence > 0.0;
        if self.immature > 0 || !self.in_wave.get(wave).is_some_and(|probes| probes.iter().any(waits)) {
            return None;
        }
        self.waves.close();
        let (wave, target) = self.waves.control_due(now)?;
        Some(self.launch(Launch { wave, ..Launch::new(Operation::Connect, Purpose::Control, target) }))
    }

    /// When no silence is under way any more, all that is settled is looked at once more, with the model that the judgement will have;
    /// and when that wants nothing, the edges of what is blocked.
    fn last_look(&mut self, now: Duration) -> Option<Action> {
        if self.settled || !self.only_late() {
            return None;
        }
        self.learner.learn_exactly(&self.ranges);
        // What was learnt when the last wave was judged has not changed the weight of older silences yet.
        if self.weighed_by != self.learner.version() {
            self.weighed_by = self.learner.version();
            (0..self.probes.len()).for_each(|id| self.reweigh(id));
            self.queue.doubt(0..self.ranges.len());
        }
        self.next_range_probe(now).or_else(|| {
            self.look_at_edges();
            self.next_range_probe(now)
        })
    }

    fn look_at_edges(&mut self) {
        for (at, planned) in self.plan.ranges.iter().enumerate() {
            let model = self.learner.model(at);
            let edges = self.ranges[at].edges(planned, model, self.plan.alpha);
            self.edges.extend(edges.into_iter().map(|address| (at, address)));
        }
    }

    fn next_range_probe(&mut self, now: Duration) -> Option<Action> {
        let (cell, launch) = self.next_wanted()?;
        self.waves.probe_launched(now);
        self.immature += 1;
        self.young += 1;
        let wave = self.waves.current();
        self.in_wave.resize_with(wave + 1, Vec::new);
        self.in_wave[wave].push(self.probes.len());
        let action = self.launch(Launch { wave, ..launch });
        self.requeue(cell);
        Some(action)
    }

    fn next_wanted(&mut self) -> Option<(CellId, Launch)> {
        if let Some((range, address)) = self.edges.pop_front() {
            let cell = self.ranges[range].cell_of(address);
            let wanted = self.ranges[range].ask(cell, address);
            return Some(((range, cell), self.range_launch(range, wanted)));
        }
        loop {
            match self.queue.pop() {
                Some(cell) => {
                    if let Some(launch) = self.probe_of(cell) {
                        return Some((cell, launch));
                    }
                }
                None if self.recheck() => {}
                None => return None,
            }
        }
    }

    /// Looks again at the silent cells of the ranges in which something changed; whether there were any.
    fn recheck(&mut self) -> bool {
        let doubted = self.queue.take_doubted();
        for &range in &doubted {
            for cell in self.ranges[range].silent_cells() {
                self.requeue((range, cell));
            }
        }
        !doubted.is_empty()
    }

    /// Queues a cell if it wants a probe. While nothing answers anywhere, one of each cell is enough to say so.
    pub(super) fn requeue(&mut self, cell: CellId) {
        // While nothing answers anywhere, one silence of each cell is enough to say so; a rejection is worth another.
        if (self.answered || self.ranges[cell.0].wants_more_rejections(cell.1)) && self.wants_probe(cell) {
            self.queue.push(cell);
        }
    }

    /// Looks again at the cell of an address, or at its parts if it is to be divided now.
    pub(super) fn reconsider(&mut self, range: usize, address: IpAddr) {
        let cell = self.ranges[range].cell_of(address);
        for part in self.ranges[range].divide(cell) {
            self.requeue((range, part));
        }
    }

    fn wants_probe(&mut self, (range, cell): CellId) -> bool {
        self.ranges[range].wants_probe(
            cell,
            self.learner.model(range),
            self.learner.version(),
            self.plan.alpha * MARGIN,
        )
    }

    fn probe_of(&mut self, (range, cell): CellId) -> Option<Launch> {
        if !self.wants_probe((range, cell)) {
            return None;
        }
        let wanted = self.ranges[range].take(cell, &self.plan.ranges[range])?;
        Some(self.range_launch(range, wanted))
    }

    fn range_launch(&self, range: usize, Wanted { address, known }: Wanted) -> Launch {
        let target = SocketAddr::new(address, self.plan.port);
        Launch { known, ..Launch::new(Operation::Connect, Purpose::Range(range), target) }
    }

    pub(super) fn launch(&mut self, launch: Launch) -> Action {
        let id = ProbeId::try_from(self.probes.len()).expect("fewer than 2^32 probes");
        let now = self.now;
        self.in_flight += 1;
        self.set_timers(id, &launch);
        let Launch { operation, purpose, target, ttl, source_port, known, wave, walk, patience: _ } = launch;
        let state = State::Young;
        self.probes.push(Probe {
            operation,
            purpose,
            target,
            ttl,
            launched: now,
            known,
            wave,
            state,
            silence: 0.0,
            silent_as: SilentAs::Known,
            waits: false,
            observation: None,
            walk,
        });
        let attempt = Attempt { id, target, ttl, source_port };
        if operation == Operation::TlsHandshake { Action::Handshake(attempt) } else { Action::Connect(attempt) }
    }

    fn set_timers(&mut self, id: ProbeId, launch: &Launch) {
        let age = self.plan.silence_age.max(self.rtt.slowest() * 2);
        let now = self.now;
        match (launch.operation, launch.purpose) {
            (Operation::TlsHandshake, _) => self.timers.set(now + HANDSHAKE, Timer::Silence(id)),
            (Operation::Trace, _) => self.timers.set(now + launch.patience, Timer::Silence(id)),
            (_, Purpose::Range(_) | Purpose::Control) => {
                if matches!(launch.purpose, Purpose::Range(_)) {
                    self.timers.set(now + self.rtt.hedge(), Timer::Hedge(id));
                }
                self.timers.set(now + age, Timer::Silence(id));
                self.timers.set(now + age + LATE, Timer::GiveUp(id));
            }
            (_, _) => self.timers.set(now + age, Timer::Silence(id)),
        }
    }
}

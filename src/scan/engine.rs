//! The engine: decides what is sent when, and keeps what came back. No socket and no clock.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::cells::{RangeState, counts_of};
use super::learn::Learner;
use super::model::{Counts, Model};
use super::pace::Pacer;
use super::rtt::RoundTrips;
use super::timers::{ProbeId, Timer, Timers};
use super::trace::{self, Tracer};
use super::wave::{Attested, ControlTotals, LEAST_ATTESTED, WaveId, Waves};
use crate::observe::{Answer, Failure, Observation, Operation, Outcome, Purpose};
use crate::plan::{Depth, ProbePlan};

/// What the shell is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a TCP connection, report what comes of it, and close it with a reset.
    Connect(Attempt),
    /// Open a TCP connection, make a TLS handshake, report what comes of it, and close with a reset.
    Handshake(Attempt),
    /// Close the connection of this probe; nothing more is wanted of it.
    Abandon(ProbeId),
}

/// One connection attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Returned with the outcome.
    pub id: ProbeId,
    /// Where to.
    pub target: SocketAddr,
    /// Time to live of the packets; none: the system's.
    pub ttl: Option<u8>,
    /// Local port to bind; none: any.
    pub source_port: Option<u16>,
}

/// What came of an attempt. Silence is not an event: the engine knows the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The attempt's number.
    pub id: ProbeId,
    /// What came of it.
    pub outcome: Outcome,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Cells that want no further probe.
    pub settled: usize,
    /// All cells.
    pub cells: usize,
    /// Attempts made.
    pub sent: usize,
}

/// Everything that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Every operation in the order in which its outcome was known.
    pub observations: Vec<Observation>,
    /// Totals of the controls.
    pub controls: ControlTotals,
    /// Stopped before it was done.
    pub interrupted: bool,
    /// How long it took.
    pub took: Duration,
}

/// The scan of a plan.
#[derive(Debug)]
pub struct Scan {
    plan: ProbePlan,
    ranges: Vec<RangeState>,
    learner: Learner,
    probes: Vec<Probe>,
    timers: Timers,
    pacer: Pacer,
    waves: Waves,
    /// The range probes of each wave.
    in_wave: Vec<Vec<usize>>,
    rtt: RoundTrips,
    fresh: VecDeque<CellId>,
    again: VecDeque<CellId>,
    queued: BTreeSet<CellId>,
    side: VecDeque<(Purpose, SocketAddr)>,
    handshakes: VecDeque<(usize, SocketAddr)>,
    abandon: VecDeque<ProbeId>,
    in_flight: usize,
    /// Range probes whose silence does not count yet.
    immature: usize,
    /// Range probes whose silence counts, and which a late answer could still take back.
    counted: usize,
    tracer: Option<Tracer>,
    observations: Vec<Observation>,
    answered: bool,
    interrupted: bool,
    now: Duration,
}

type CellId = (usize, usize);

#[derive(Clone, Debug)]
struct Probe {
    operation: Operation,
    purpose: Purpose,
    target: SocketAddr,
    ttl: Option<u8>,
    launched: Duration,
    cell: usize,
    known: bool,
    wave: WaveId,
    state: State,
    /// What the probe has put into the tree while no answer came, to be taken back when one does.
    silence: f64,
    observation: Option<usize>,
    walk: usize,
}

/// How much is known of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No answer yet, too young to be considered.
    Young,
    /// No answer yet; considered, to choose what to send next.
    Silent,
    /// Old enough to count.
    Counted,
    /// Its outcome is known, or it was given up.
    Over,
}

/// How long an answer may come after silence began to count, and still take it back.
const LATE: Duration = Duration::from_millis(900);
/// A TLS handshake may take this long: two slow round trips and a slow server.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Ranges whose path is traced, and controls.
const TRACED: usize = 16;
const TRACED_CONTROLS: usize = 3;

impl Scan {
    /// A scan that is about to begin.
    #[must_use]
    pub fn new(plan: ProbePlan) -> Self {
        let ranges: Vec<RangeState> = plan.ranges.iter().map(|range| RangeState::new(range, plan.seed)).collect();
        let negative = plan.negative_controls.iter().map(|&target| (Purpose::NegativeControl, target));
        let uplink = plan.uplink_controls.iter().map(|&target| (Purpose::UplinkControl, target));
        Self {
            learner: Learner::new(&plan),
            fresh: interleaved(&ranges),
            side: negative.chain(uplink).collect(),
            pacer: Pacer::new(plan.pace.per_second),
            waves: Waves::new(plan.pace.per_second),
            in_wave: Vec::new(),
            rtt: RoundTrips::default(),
            ranges,
            plan,
            probes: Vec::new(),
            timers: Timers::default(),
            again: VecDeque::new(),
            queued: BTreeSet::new(),
            handshakes: VecDeque::new(),
            abandon: VecDeque::new(),
            in_flight: 0,
            immature: 0,
            counted: 0,
            tracer: None,
            observations: Vec::new(),
            answered: false,
            interrupted: false,
            now: Duration::ZERO,
        }
    }

    /// What to do next; none until [`Self::poll_timeout`] or the next event.
    pub fn poll_action(&mut self, now: Duration) -> Option<Action> {
        self.advance(now);
        if let Some(id) = self.abandon.pop_front() {
            return Some(Action::Abandon(id));
        }
        if self.interrupted || self.in_flight >= self.plan.pace.in_flight || !self.pacer.ready(now) {
            return None;
        }
        let action = self.next_launch(now)?;
        self.pacer.launched(now);
        Some(action)
    }

    /// When to call [`Self::poll_action`] again and why; none: the scan is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Duration, &'static str)> {
        if self.interrupted || self.over() {
            return None;
        }
        let timer = self.timers.next();
        let paced = (self.has_work() && self.in_flight < self.plan.pace.in_flight)
            .then(|| (self.pacer.next(), "the pace allows the next probe"));
        let wave = self.waves.closes_at().filter(|_| self.in_flight < self.plan.pace.in_flight);
        let wave = wave.map(|at| (at.max(self.pacer.next()), "a window of probes closes"));
        [timer, paced, wave].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Takes in what came of an attempt.
    pub fn handle(&mut self, event: Event, now: Duration) {
        self.now = now;
        let id = event.id as usize;
        let Some(probe) = self.probes.get(id) else { return };
        if probe.state == State::Over {
            return;
        }
        self.settle(id, event.outcome, now);
    }

    /// Ends the scan now; what is known so far stays.
    pub fn stop(&mut self) {
        self.interrupted = true;
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let cells = self.ranges.iter().map(RangeState::cells).sum();
        let open = self.fresh.len() + self.again.len() + self.immature;
        Progress { settled: cells - open.min(cells), cells, sent: self.probes.len() }
    }

    /// Everything that was seen.
    #[must_use]
    pub fn into_evidence(mut self, now: Duration) -> Evidence {
        self.observations.sort_by_key(|observation| (observation.started, observation.target));
        Evidence {
            controls: self.waves.totals(),
            interrupted: self.interrupted,
            took: now,
            observations: self.observations,
        }
    }

    // --- time

    fn advance(&mut self, now: Duration) {
        self.now = now;
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Hedge(id) => self.hedge(id as usize),
                Timer::Silence(id) => self.silence(id as usize, now),
                Timer::GiveUp(id) => self.give_up(id as usize),
            }
        }
    }

    fn hedge(&mut self, id: usize) {
        let Probe { state: State::Young, purpose: Purpose::Range(range), cell, .. } = self.probes[id] else { return };
        self.probes[id].state = State::Silent;
        self.ranges[range].grown(cell);
        self.weigh(id, 1.0);
        self.requeue((range, cell));
    }

    fn silence(&mut self, id: usize, now: Duration) {
        if self.probes[id].state == State::Over {
            return;
        }
        match self.probes[id].purpose {
            Purpose::Range(_) if self.probes[id].operation == Operation::TlsHandshake => {
                self.settle(id, Err(Failure::TlsNoAnswer), now);
                self.abandon.push_back(ProbeId::try_from(id).expect("fewer than 2^32 probes"));
            }
            Purpose::Range(_) => self.silence_of_range(id, now),
            Purpose::Control | Purpose::NegativeControl | Purpose::UplinkControl | Purpose::Path => {
                self.settle(id, Err(Failure::NoAnswer), now);
                self.abandon.push_back(ProbeId::try_from(id).expect("fewer than 2^32 probes"));
            }
        }
    }

    fn silence_of_range(&mut self, id: usize, now: Duration) {
        self.probes[id].state = State::Counted;
        self.counted += 1;
        self.immature -= 1;
        let attested = self.waves.attested(self.probes[id].wave);
        let discarded = attested.is_some_and(|share| share < LEAST_ATTESTED);
        let outcome = Err(if discarded { Failure::ControlsSilent } else { Failure::NoAnswer });
        self.observe(id, outcome, now, attested);
        if let Purpose::Range(range) = self.probes[id].purpose {
            let cell = self.probes[id].cell;
            self.requeue((range, cell));
        }
    }

    fn give_up(&mut self, id: usize) {
        if self.probes[id].state != State::Over {
            self.end(id);
            self.abandon.push_back(ProbeId::try_from(id).expect("fewer than 2^32 probes"));
        }
    }

    // --- outcomes

    fn settle(&mut self, id: usize, outcome: Outcome, now: Duration) {
        if outcome.is_ok() {
            self.rtt.add(now - self.probes[id].launched);
        }
        match self.probes[id].purpose {
            Purpose::Range(range) if self.probes[id].operation == Operation::Connect => {
                self.settle_range(id, range, &outcome);
            }
            Purpose::Range(range) => self.settle_handshake(range, &outcome),
            Purpose::Control => self.settle_control(id, outcome.is_ok()),
            Purpose::UplinkControl if outcome.is_ok() => self.waves.learn(self.probes[id].target),
            Purpose::Path => {
                let walk = self.probes[id].walk;
                if let Some(tracer) = &mut self.tracer {
                    tracer.done(walk, &outcome);
                }
            }
            Purpose::NegativeControl | Purpose::UplinkControl => {}
        }
        self.observe(id, outcome, now, None);
        self.end(id);
    }

    fn settle_range(&mut self, id: usize, range: usize, outcome: &Outcome) {
        let Probe { cell, known, state, target, .. } = self.probes[id];
        if state != State::Counted {
            self.immature -= 1;
        }
        if state == State::Young {
            self.ranges[range].grown(cell);
        }
        self.weigh(id, 0.0);
        match outcome {
            Err(Failure::NoRoute) => self.ranges[range].lost_route(),
            Err(Failure::LocalLimit(_)) => {
                self.ranges[range].untried(cell);
                self.pacer.halve();
            }
            Ok(_) | Err(_) => {}
        }
        if let Some(counts) = counts_of(outcome, known, false) {
            self.ranges[range].count(cell, &counts, 1.0);
        }
        if outcome.is_ok() {
            self.answer_of_range(range, target);
        }
        self.requeue((range, cell));
    }

    fn answer_of_range(&mut self, range: usize, target: SocketAddr) {
        self.waves.learn(target);
        if !self.answered {
            self.answered = true;
            self.requeue_all();
        }
        if self.ranges[range].wants_handshake(target) && self.plan.depth == Depth::Tls {
            self.queue_handshake(range, target);
        }
    }

    fn settle_handshake(&mut self, range: usize, outcome: &Outcome) {
        self.ranges[range].handshake_done(*outcome == Ok(Answer::Authenticated));
        if let Some(target) = self.ranges[range].next_handshake() {
            self.queue_handshake(range, target);
        }
    }

    fn queue_handshake(&mut self, range: usize, target: SocketAddr) {
        self.ranges[range].handshake_launched();
        self.handshakes.push_back((range, target));
    }

    fn settle_control(&mut self, id: usize, answered: bool) {
        let Probe { wave, target, .. } = self.probes[id];
        if let Some(attested) = self.waves.control_done(wave, target, answered) {
            self.judge_wave(attested);
        }
    }

    fn judge_wave(&mut self, attested: Attested) {
        let passed = attested.share >= LEAST_ATTESTED;
        if passed {
            self.pacer.recover()
        } else {
            self.pacer.halve()
        }
        let learnt = self.learner.learn(&self.ranges);
        if learnt {
            self.ranges.iter_mut().for_each(RangeState::model_changed);
        }
        for id in self.in_wave.get(attested.wave).cloned().unwrap_or_default() {
            self.attest(id, attested.share, passed);
        }
        if learnt || !passed {
            self.requeue_all();
        }
    }

    /// Gives a silence the weight that its wave's controls allow.
    fn attest(&mut self, id: usize, share: f64, passed: bool) {
        if let Some(at) = self.probes[id].observation
            && self.observations[at].outcome == Err(Failure::NoAnswer)
        {
            self.observations[at].attested = Some(share);
            if !passed {
                self.observations[at].outcome = Err(Failure::ControlsSilent);
            }
        }
        if self.probes[id].silence > 0.0 {
            self.weigh(id, if passed { self.silence_weight(id, share) } else { 0.0 });
            if let (false, Purpose::Range(range)) = (passed, self.probes[id].purpose) {
                self.ranges[range].untried(self.probes[id].cell);
            }
        }
    }

    fn silence_weight(&self, id: usize, share: f64) -> f64 {
        let Purpose::Range(range) = self.probes[id].purpose else { return 0.0 };
        let model = self.learner.model(range);
        let beta = if self.probes[id].known { Some(model.covered) } else { model.uncovered };
        beta.map_or(1.0, |beta| Model::silence_weight(beta.mean(), share))
    }

    /// Sets what the silence of a probe weighs in the tree.
    fn weigh(&mut self, id: usize, weight: f64) {
        let Purpose::Range(range) = self.probes[id].purpose else { return };
        let probe = &mut self.probes[id];
        let change = weight - probe.silence;
        if change == 0.0 {
            return;
        }
        probe.silence = weight;
        let counts = match probe.known {
            true => Counts { known_silences: 1.0, ..Counts::default() },
            false => Counts { silences: 1.0, ..Counts::default() },
        };
        self.ranges[range].count(probe.cell, &counts, change);
    }

    fn end(&mut self, id: usize) {
        self.counted -= usize::from(self.probes[id].state == State::Counted);
        self.probes[id].state = State::Over;
        self.in_flight -= 1;
    }

    /// Records an outcome; a late answer takes the place of the silence that was recorded before.
    fn observe(&mut self, id: usize, outcome: Outcome, now: Duration, attested: Option<f64>) {
        let probe = &mut self.probes[id];
        let observation = Observation {
            operation: probe.operation,
            purpose: probe.purpose,
            target: probe.target,
            ttl: probe.ttl,
            started: probe.launched,
            took: now - probe.launched,
            outcome,
            attested,
        };
        match probe.observation {
            Some(at) => self.observations[at] = observation,
            None => {
                probe.observation = Some(self.observations.len());
                self.observations.push(observation);
            }
        }
    }

    // --- what to send

    fn has_work(&self) -> bool {
        !self.side.is_empty()
            || !self.handshakes.is_empty()
            || !self.again.is_empty()
            || !self.fresh.is_empty()
            || self.waves.wants_controls()
            || self.tracer.as_ref().map_or(self.only_late(), Tracer::ready)
    }

    fn over(&self) -> bool {
        self.in_flight == 0 && self.abandon.is_empty() && self.tracer.as_ref().is_some_and(Tracer::over)
    }

    fn next_launch(&mut self, now: Duration) -> Option<Action> {
        if let Some((wave, target)) = self.waves.control_due(now) {
            return Some(self.launch(Launch { wave, ..Launch::new(Operation::Connect, Purpose::Control, target) }));
        }
        if let Some((purpose, target)) = self.side.pop_front() {
            return Some(self.launch(Launch::new(Operation::Connect, purpose, target)));
        }
        if let Some((range, target)) = self.handshakes.pop_front() {
            return Some(self.launch(Launch::new(Operation::TlsHandshake, Purpose::Range(range), target)));
        }
        self.next_range_probe(now).or_else(|| self.last_control(now)).or_else(|| self.next_step())
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

    fn next_range_probe(&mut self, now: Duration) -> Option<Action> {
        while let Some(cell) = self.again.pop_front().or_else(|| self.fresh.pop_front()) {
            self.queued.remove(&cell);
            if let Some(launch) = self.probe_of(cell) {
                self.waves.probe_launched(now);
                self.immature += 1;
                let wave = self.waves.current();
                self.in_wave.resize_with(wave + 1, Vec::new);
                self.in_wave[wave].push(self.probes.len());
                return Some(self.launch(Launch { wave, ..launch }));
            }
        }
        None
    }

    fn probe_of(&mut self, (range, cell): CellId) -> Option<Launch> {
        if !self.ranges[range].wants_probe(cell, self.learner.model(range), self.plan.alpha) {
            return None;
        }
        let wanted = self.ranges[range].take(cell, &self.plan.ranges[range])?;
        let target = SocketAddr::new(wanted.address, self.plan.port);
        Some(Launch { cell, known: wanted.known, ..Launch::new(Operation::Connect, Purpose::Range(range), target) })
    }

    /// The next step of the traces: they begin when everything else is done.
    fn next_step(&mut self) -> Option<Action> {
        if self.tracer.is_none() {
            if !self.only_late() {
                return None;
            }
            self.drop_silent();
            self.tracer = Some(self.plan_traces());
        }
        let step = self.tracer.as_mut()?.next()?;
        let launch = Launch {
            walk: step.walk,
            ttl: Some(step.ttl),
            source_port: Some(step.source_port),
            ..Launch::new(Operation::Trace, Purpose::Path, step.target)
        };
        Some(self.launch(launch))
    }

    /// Whether only late answers could come still.
    fn only_late(&self) -> bool {
        self.in_flight == self.counted
    }

    /// Once all is decided, late answers are not waited for any longer.
    fn drop_silent(&mut self) {
        for id in 0..self.probes.len() {
            if self.probes[id].state == State::Counted {
                self.give_up(id);
            }
        }
    }

    fn plan_traces(&self) -> Tracer {
        let suspects = super::judge::suspects(&self.plan, &self.observations, TRACED);
        let controls = super::judge::path_controls(&self.observations, TRACED_CONTROLS);
        Tracer::new(&controls, &suspects, self.plan.seed)
    }

    fn launch(&mut self, launch: Launch) -> Action {
        let id = ProbeId::try_from(self.probes.len()).expect("fewer than 2^32 probes");
        let now = self.now;
        self.in_flight += 1;
        self.set_timers(id, &launch);
        let Launch { operation, purpose, target, ttl, source_port, cell, known, wave, walk } = launch;
        let state = State::Young;
        self.probes.push(Probe {
            operation,
            purpose,
            target,
            ttl,
            launched: now,
            cell,
            known,
            wave,
            state,
            silence: 0.0,
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
            (Operation::Trace, _) => {
                self.timers.set(now + trace::patience(self.rtt.seen().then(|| self.rtt.slowest())), Timer::Silence(id));
            }
            (_, Purpose::Range(_)) => {
                self.timers.set(now + self.rtt.hedge(), Timer::Hedge(id));
                self.timers.set(now + age, Timer::Silence(id));
                self.timers.set(now + age + LATE, Timer::GiveUp(id));
            }
            (_, _) => self.timers.set(now + age, Timer::Silence(id)),
        }
    }

    // --- queues

    fn requeue(&mut self, cell: CellId) {
        // While nothing answers anywhere, one probe of each cell is enough to say so.
        if self.answered
            && !self.queued.contains(&cell)
            && self.ranges[cell.0].wants_probe(cell.1, self.learner.model(cell.0), self.plan.alpha)
        {
            self.queued.insert(cell);
            self.again.push_back(cell);
        }
    }

    fn requeue_all(&mut self) {
        let fresh: BTreeSet<CellId> = self.fresh.iter().copied().collect();
        for range in 0..self.ranges.len() {
            for cell in 0..self.ranges[range].cells() {
                if !fresh.contains(&(range, cell)) {
                    self.requeue((range, cell));
                }
            }
        }
    }
}

/// What is needed to launch a probe.
#[derive(Clone, Copy, Debug)]
struct Launch {
    operation: Operation,
    purpose: Purpose,
    target: SocketAddr,
    ttl: Option<u8>,
    source_port: Option<u16>,
    cell: usize,
    known: bool,
    wave: WaveId,
    walk: usize,
}

impl Launch {
    fn new(operation: Operation, purpose: Purpose, target: SocketAddr) -> Self {
        let (ttl, source_port, cell, known, wave, walk) = (None, None, 0, false, 0, 0);
        Self { operation, purpose, target, ttl, source_port, cell, known, wave, walk }
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

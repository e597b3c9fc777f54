//! The engine: decides what is sent when, and keeps what came back. No socket and no clock.

mod launch;
mod outcome;
mod queue;
mod time;
mod traces;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::cells::RangeState;
use super::count::SilentAs;
use super::learn::Learner;
use super::pace::Pacer;
use super::rtt::RoundTrips;
use super::timers::{ProbeId, Timers};
use super::trace::Tracer;
use super::wave::{ControlTotals, WaveId, Waves};
use crate::observe::{Observation, Operation, Outcome, Purpose};
use crate::plan::ProbePlan;
use queue::Queue;

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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Every operation in the order in which its outcome was known.
    pub observations: Vec<Observation>,
    /// Totals of the controls.
    pub controls: ControlTotals,
    /// Stopped before it was done.
    pub interrupted: bool,
    /// How long it took.
    pub took: Duration,
    /// The longest time for which the process that asked was not given the processor.
    pub starved: Duration,
}

/// The scan of a plan.
#[derive(Debug)]
pub struct Scan {
    plan: ProbePlan,
    ranges: Vec<RangeState>,
    learner: Learner,
    /// Version of the model that all silences were weighed with.
    weighed_by: u32,
    probes: Vec<Probe>,
    timers: Timers,
    pacer: Pacer,
    waves: Waves,
    /// The range probes of each wave.
    in_wave: Vec<Vec<usize>>,
    rtt: RoundTrips,
    queue: Queue,
    side: VecDeque<(Purpose, SocketAddr)>,
    handshakes: VecDeque<(usize, SocketAddr)>,
    /// Addresses of ranges beside the edges of what is blocked.
    edges: VecDeque<(usize, IpAddr)>,
    abandon: VecDeque<ProbeId>,
    in_flight: usize,
    /// Range probes whose silence does not count yet.
    immature: usize,
    /// Those of them whose silence is not even considered.
    young: usize,
    /// Range probes whose silence counts, and which a late answer could still take back.
    counted: usize,
    /// Probes that were rejected, and whose cell waits for its next.
    waiting: usize,
    /// Steps of traces under way.
    tracing: usize,
    tracer: Option<Tracer>,
    /// It is known whose paths are traced: no more is asked of the ranges.
    settled: bool,
    observations: Vec<Observation>,
    answered: bool,
    /// When the first probe that was answered, and not to a repeat, had been launched: the network was up then.
    up_since: Option<Duration>,
    interrupted: bool,
    now: Duration,
}

#[derive(Clone, Debug)]
struct Probe {
    operation: Operation,
    purpose: Purpose,
    target: SocketAddr,
    ttl: Option<u8>,
    launched: Duration,
    known: bool,
    wave: WaveId,
    state: State,
    /// What the probe has put into the tree while no answer came, to be taken back when one does.
    silence: f64,
    /// What kind of silence that is.
    silent_as: SilentAs,
    /// It was rejected before its time to be hedged had come.
    waits: bool,
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

impl Scan {
    /// A scan that is about to begin.
    #[must_use]
    pub fn new(plan: ProbePlan) -> Self {
        let ranges: Vec<RangeState> = plan.ranges.iter().map(|range| RangeState::new(range, plan.seed)).collect();
        let negative = plan.negative_controls.iter().map(|&target| (Purpose::NegativeControl, target));
        let uplink = plan.uplink_controls.iter().map(|&target| (Purpose::UplinkControl, target));
        Self {
            learner: Learner::new(&plan),
            weighed_by: 0,
            queue: Queue::new(&ranges),
            side: negative.chain(uplink).collect(),
            pacer: Pacer::new(plan.pace.per_second),
            waves: Waves::new(plan.pace.per_second),
            in_wave: Vec::new(),
            rtt: RoundTrips::default(),
            ranges,
            plan,
            probes: Vec::new(),
            timers: Timers::default(),
            handshakes: VecDeque::new(),
            edges: VecDeque::new(),
            abandon: VecDeque::new(),
            in_flight: 0,
            immature: 0,
            young: 0,
            counted: 0,
            waiting: 0,
            tracing: 0,
            tracer: None,
            settled: false,
            observations: Vec::new(),
            answered: false,
            up_since: None,
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
        let Some(action) = self.next_launch(now) else {
            // What is silent is given up when nothing else is left to do.
            return self.abandon.pop_front().map(Action::Abandon);
        };
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
        let open = self.queue.len() + self.immature;
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
            starved: Duration::ZERO,
            observations: self.observations,
        }
    }
}

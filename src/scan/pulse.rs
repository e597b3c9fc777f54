//! A pulse: one address of each range, to see soon that something changed. It judges nothing; whatever differs from what
//! is known is asked about by a scan.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::engine::{Action, Attempt, Event, Progress};
use super::machine::Machine;
use super::timers::{ProbeId, Timer, Timers};
use crate::observe::{Failure, Outcome};
use crate::plan::SILENCE_AGE;
use crate::prefix::Prefix;

/// What is asked of one range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The range.
    pub prefix: Prefix,
    /// Addresses to ask, the next only where the one before differs from what is known.
    pub addresses: Vec<SocketAddr>,
    /// Whether they answered before.
    pub answers: bool,
}

/// How often each outcome came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PulseCounts {
    /// Answered.
    pub answered: u64,
    /// Rejected or reset.
    pub rejected: u64,
    /// Silent.
    pub silent: u64,
    /// Not sent: a limit of this host, or no route.
    pub local: u64,
}

/// What a pulse came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PulseSeen {
    /// Ranges that differ from what is known of them.
    pub changed: BTreeSet<Prefix>,
    /// How often each outcome came.
    pub counts: PulseCounts,
    /// Whether anything outside the ranges answered; none where it was not asked.
    pub outside: Option<bool>,
}

/// Asks the beats one after the other, evenly over a time, and in haste once something has changed: where one range is
/// blocked, others may be.
#[derive(Debug)]
pub struct Pulse {
    beats: Vec<Beat>,
    outside: Vec<SocketAddr>,
    /// Gap between two beats, at ease and in haste.
    gaps: (Duration, Duration),
    queue: VecDeque<Asked>,
    probes: Vec<Probe>,
    timers: Timers,
    due: Duration,
    in_flight: usize,
    stopped: bool,
    seen: PulseSeen,
}

/// An address that is asked for a reason.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// The address with this number of a beat.
    Beat(usize, usize),
    /// A control outside the ranges.
    Outside(SocketAddr),
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    asked: Asked,
    over: bool,
}

impl Pulse {
    /// A pulse over `spread`; in haste it asks `per_second` addresses. `outside` are controls that are asked only where
    /// something changed.
    #[must_use]
    pub fn new(beats: Vec<Beat>, outside: Vec<SocketAddr>, spread: Duration, per_second: f64) -> Self {
        let count = u32::try_from(beats.len()).unwrap_or(u32::MAX).max(1);
        let haste = Duration::from_secs_f64(1.0 / per_second);
        let queue = (0..beats.len()).map(|at| Asked::Beat(at, 0)).collect();
        Self {
            beats,
            outside,
            gaps: ((spread / count).max(haste), haste),
            queue,
            probes: Vec::new(),
            timers: Timers::default(),
            due: Duration::ZERO,
            in_flight: 0,
            stopped: false,
            seen: PulseSeen::default(),
        }
    }

    /// What it came to.
    #[must_use]
    pub fn into_seen(self) -> PulseSeen {
        self.seen
    }

    fn target(&self, asked: Asked) -> SocketAddr {
        match asked {
            Asked::Beat(at, turn) => self.beats[at].addresses[turn],
            Asked::Outside(target) => target,
        }
    }

    fn launch(&mut self, now: Duration) -> Option<Attempt> {
        let asked = self.queue.pop_front()?;
        let id = ProbeId::try_from(self.probes.len()).expect("fewer than 2^32 probes");
        self.probes.push(Probe { asked, over: false });
        self.timers.set(now + SILENCE_AGE, Timer::Silence(id));
        self.in_flight += 1;
        let gap = if self.hurries() { self.gaps.1 } else { self.gaps.0 };
        self.due = now + gap;
        Some(Attempt { id, target: self.target(asked), ttl: None, source_port: None })
    }

    fn hurries(&self) -> bool {
        !self.seen.changed.is_empty()
    }

    fn settle(&mut self, id: usize, outcome: &Outcome, now: Duration) {
        let Probe { asked, .. } = self.probes[id];
        self.probes[id].over = true;
        self.in_flight -= 1;
        self.count(outcome);
        match asked {
            Asked::Outside(_) => {
                let answered = self.seen.outside.unwrap_or_default();
                self.seen.outside = Some(answered || outcome.is_ok());
            }
            Asked::Beat(at, turn) => self.settle_beat(at, turn, outcome, now),
        }
    }

    fn settle_beat(&mut self, at: usize, turn: usize, outcome: &Outcome, now: Duration) {
        let beat = &self.beats[at];
        let local = matches!(outcome, Err(Failure::LocalLimit(_) | Failure::NoRoute));
        if outcome.is_ok() == beat.answers || (local && !beat.answers) {
            return;
        }
        if turn + 1 < beat.addresses.len() {
            self.queue.push_front(Asked::Beat(at, turn + 1));
            self.due = now;
            return;
        }
        if !self.hurries() {
            self.queue.extend(self.outside.iter().copied().map(Asked::Outside));
            self.due = now;
        }
        self.seen.changed.insert(beat.prefix);
    }

    fn count(&mut self, outcome: &Outcome) {
        let counts = &mut self.seen.counts;
        *match outcome {
            Ok(_) => &mut counts.answered,
            Err(Failure::NoAnswer) => &mut counts.silent,
            Err(Failure::LocalLimit(_) | Failure::NoRoute) => &mut counts.local,
            Err(_) => &mut counts.rejected,
        } += 1;
    }
}

impl Machine for Pulse {
    fn poll_action(&mut self, now: Duration) -> Option<Action> {
        while let Some(timer) = self.timers.due(now) {
            if let Timer::Silence(id) = timer
                && !self.probes[id as usize].over
            {
                self.settle(id as usize, &Err(Failure::NoAnswer), now);
                return Some(Action::Abandon(id));
            }
        }
        if self.stopped || now < self.due {
            return None;
        }
        self.launch(now).map(Action::Connect)
    }

    fn poll_timeout(&self) -> Option<(Duration, &'static str)> {
        if self.stopped || (self.queue.is_empty() && self.in_flight == 0) {
            return None;
        }
        let next = (!self.queue.is_empty()).then_some((self.due, "the next range is asked"));
        let silence = (self.in_flight > 0).then(|| self.timers.next()).flatten();
        [next, silence].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn handle(&mut self, event: Event, now: Duration) {
        let id = event.id as usize;
        if self.probes.get(id).is_some_and(|probe| !probe.over) {
            self.settle(id, &event.outcome, now);
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn progress(&self) -> Progress {
        let over = self.probes.iter().filter(|probe| probe.over).count();
        Progress { settled: over, cells: self.probes.len() + self.queue.len(), sent: self.probes.len() }
    }
}

//! Traces alone: which hop drops or rejects, for addresses that somebody names.

use std::net::SocketAddr;
use std::time::Duration;

use super::engine::{Action, Attempt, Event, Progress};
use super::machine::Machine;
use super::timers::ProbeId;
use super::trace::{Step, Suspect, Tracer, patience};
use crate::observe::{Failure, Observation, Operation, Outcome, Purpose};

/// Traces some targets, after controls that show how long a path is.
#[derive(Debug)]
pub struct Walks {
    tracer: Tracer,
    steps: Vec<Taken>,
    observations: Vec<Observation>,
    next: Duration,
    stopped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    step: Step,
    launched: Duration,
    over: bool,
}

/// A router answers a few packets at once and then one a second: slower than that gains nothing.
const GAP: Duration = Duration::from_millis(5);

impl Walks {
    /// Walks that are about to begin.
    #[must_use]
    pub fn new(controls: &[SocketAddr], targets: &[SocketAddr], seed: u64) -> Self {
        let suspects: Vec<Suspect> = targets.iter().map(|&target| Suspect { target, silent: false }).collect();
        let mut tracer = Tracer::new(controls, patience(None), seed);
        tracer.extend(&suspects);
        Self { tracer, steps: Vec::new(), observations: Vec::new(), next: Duration::ZERO, stopped: false }
    }

    /// Everything that was seen.
    #[must_use]
    pub fn into_observations(self) -> Vec<Observation> {
        self.observations
    }

    fn settle(&mut self, at: usize, outcome: Outcome, now: Duration) {
        let taken = &mut self.steps[at];
        taken.over = true;
        let took = now.saturating_sub(taken.launched);
        self.tracer.done(taken.step.walk, &outcome, took);
        self.observations.push(Observation {
            operation: Operation::Trace,
            purpose: Purpose::Path,
            target: taken.step.target,
            ttl: Some(taken.step.ttl),
            started: taken.launched,
            took,
            outcome,
            attested: None,
        });
    }

    fn overdue(&self, now: Duration) -> Option<usize> {
        self.steps.iter().position(|taken| !taken.over && now >= taken.launched + taken.step.patience)
    }
}

impl Machine for Walks {
    fn poll_action(&mut self, now: Duration) -> Option<Action> {
        if let Some(at) = self.overdue(now) {
            self.settle(at, Err(Failure::NoAnswer), now);
            return Some(Action::Abandon(ProbeId::try_from(at).expect("fewer than 2^32 probes")));
        }
        if self.stopped || now < self.next {
            return None;
        }
        let step = self.tracer.next()?;
        self.next = now + GAP;
        let id = ProbeId::try_from(self.steps.len()).expect("fewer than 2^32 probes");
        self.steps.push(Taken { step, launched: now, over: false });
        let Step { target, ttl, source_port, .. } = step;
        Some(Action::Connect(Attempt { id, target, ttl: Some(ttl), source_port: Some(source_port) }))
    }

    fn poll_timeout(&self) -> Option<(Duration, &'static str)> {
        if self.stopped || self.tracer.over() {
            return None;
        }
        let silent =
            self.steps.iter().filter(|taken| !taken.over).map(|taken| taken.launched + taken.step.patience).min();
        let silent = silent.map(|at| (at, "a hop is given up"));
        let paced = self.tracer.ready().then_some((self.next, "the pace allows the next step"));
        [silent, paced].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn handle(&mut self, event: Event, now: Duration) {
        let at = event.id as usize;
        if self.steps.get(at).is_some_and(|taken| !taken.over) {
            self.settle(at, event.outcome, now);
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn progress(&self) -> Progress {
        let over = self.steps.iter().filter(|taken| taken.over).count();
        Progress { settled: over, cells: self.steps.len(), sent: self.steps.len() }
    }
}

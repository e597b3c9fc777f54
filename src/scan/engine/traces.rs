//! When traces begin, and toward whom.

use std::collections::BTreeSet;
use std::time::Duration;

use super::launch::Launch;
use super::{Action, Probe, Scan, State};
use crate::observe::{Failure, Observation};
use crate::scan::suspects::{path_controls, suspects};
use crate::scan::trace::{Tracer, patience};

/// Ranges whose path is traced, and controls.
const TRACED: usize = 16;
const TRACED_CONTROLS: usize = 3;

impl Scan {
    /// The next step of the traces. They begin while the last silences age: one after the other they took an unpaced run
    /// of 6,032 cells from 1.2 to 1.5 s.
    pub(super) fn next_step(&mut self) -> Option<Action> {
        if self.tracer.is_none() && self.may_trace() {
            self.tracer = Some(self.plan_traces());
        }
        if !self.settled && self.only_late() {
            self.settled = true;
            self.drop_silent();
            self.complete_traces();
        }
        let step = self.tracer.as_mut()?.next()?;
        self.tracing += 1;
        Some(self.launch(Launch::of(step)))
    }

    /// Whether no further probe is wanted unless something unexpected comes.
    pub(super) fn may_trace(&self) -> bool {
        self.answered && self.young == 0 && self.waiting == 0 && self.queue.is_empty() && self.edges.is_empty()
    }

    /// Whether only late answers could come still, and traces.
    pub(super) fn only_late(&self) -> bool {
        self.in_flight == self.counted + self.tracing && self.waiting == 0
    }

    /// Once all is decided, late answers are not waited for any longer.
    fn drop_silent(&mut self) {
        for id in 0..self.probes.len() {
            if self.probes[id].state == State::Counted {
                self.give_up(id);
            }
        }
    }

    /// Toward those who would be suspect if no silence were broken any more.
    fn plan_traces(&mut self) -> Tracer {
        let seen = self.observations.len();
        self.observations.extend(self.probes.iter().filter_map(|probe| probe.as_silent(self.now)));
        let suspects = suspects(&self.plan, &self.observations, &BTreeSet::new(), TRACED);
        let controls = path_controls(&self.observations, TRACED_CONTROLS);
        self.observations.truncate(seen);
        let longest = patience(self.rtt.seen().then(|| self.rtt.slowest()));
        let mut tracer = Tracer::new(&controls, longest, self.plan.seed);
        tracer.extend(&suspects);
        tracer
    }

    /// Those who turned out to be suspect, as far as they are not traced already.
    fn complete_traces(&mut self) {
        let mut tracer = match self.tracer.take() {
            Some(tracer) => tracer,
            None => self.plan_traces(),
        };
        let suspects = suspects(&self.plan, &self.observations, &tracer.suspects(), TRACED);
        tracer.extend(&suspects);
        self.tracer = Some(tracer);
    }
}

impl Probe {
    /// The observation that it will be if no answer comes, from the time on when its silence is considered.
    fn as_silent(&self, now: Duration) -> Option<Observation> {
        (self.state == State::Silent).then(|| Observation {
            operation: self.operation,
            purpose: self.purpose,
            target: self.target,
            ttl: self.ttl,
            started: self.launched,
            took: now.saturating_sub(self.launched),
            outcome: Err(Failure::NoAnswer),
            attested: Some(1.0),
        })
    }
}

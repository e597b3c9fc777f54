//! What an outcome changes.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Probe, Scan, State};
use crate::observe::{Answer, Failure, Observation, Operation, Outcome, Purpose};
use crate::plan::Depth;
use crate::scan::count::counts_of;
use crate::scan::model::Model;
use crate::scan::rtt::REPEAT;
use crate::scan::wave::{Attested, LEAST_ATTESTED};

impl Scan {
    pub(super) fn settle(&mut self, id: usize, outcome: Outcome, now: Duration) {
        let Probe { purpose, operation, launched, .. } = self.probes[id];
        if outcome.is_ok() && operation == Operation::Connect {
            let took = now.saturating_sub(launched);
            self.rtt.add(took);
            if took < REPEAT {
                self.up_since = Some(self.up_since.map_or(launched, |since| since.min(launched)));
            }
        }
        match purpose {
            Purpose::Range(range) if operation == Operation::Connect => self.settle_range(id, range, &outcome),
            Purpose::Range(range) => self.settle_handshake(range, &outcome),
            Purpose::Control => self.settle_control(id, outcome.is_ok()),
            Purpose::UplinkControl if outcome.is_ok() => self.waves.learn(self.probes[id].target),
            Purpose::Path => self.settle_step(id, &outcome),
            Purpose::NegativeControl | Purpose::UplinkControl => {}
        }
        self.observe(id, outcome, now, None);
        self.end(id);
    }

    fn settle_range(&mut self, id: usize, range: usize, outcome: &Outcome) {
        let Probe { known, state, target, .. } = self.probes[id];
        let address = target.ip();
        self.immature -= usize::from(state != State::Counted);
        self.young -= usize::from(state == State::Young);
        let rejected = matches!(outcome, Err(Failure::Reset | Failure::Unreachable(_)));
        if state == State::Young && rejected {
            self.probes[id].waits = true;
            self.waiting += 1;
        } else if state == State::Young {
            self.ranges[range].grown(address);
        }
        self.weigh(id, 0.0);
        match outcome {
            Err(Failure::NoRoute) => self.ranges[range].lost_route(),
            Err(Failure::LocalLimit(_)) => {
                self.ranges[range].untried(address);
                self.pacer.halve();
            }
            Ok(_) | Err(_) => {}
        }
        if let Some(counts) = counts_of(outcome, known, false) {
            self.ranges[range].count(address, &counts, 1.0);
        }
        if outcome.is_ok() {
            self.answer_of_range(range, target);
            if let Some(tracer) = &mut self.tracer {
                tracer.drop_suspect(target);
            }
        }
        self.reconsider(range, address);
    }

    fn answer_of_range(&mut self, range: usize, target: SocketAddr) {
        self.waves.learn(target);
        self.queue.doubt([range]);
        if !self.answered {
            self.answered = true;
            self.queue.doubt(0..self.ranges.len());
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

    fn settle_step(&mut self, id: usize, outcome: &Outcome) {
        let Probe { walk, launched, .. } = self.probes[id];
        let took = self.now.saturating_sub(launched);
        self.tracing -= 1;
        if let Some(tracer) = &mut self.tracer {
            tracer.done(walk, outcome, took);
        }
    }

    /// A control that is taken for silent may answer still, as an address of a range may.
    pub(super) fn settle_control(&mut self, id: usize, answered: bool) {
        let Probe { wave, target, state, .. } = self.probes[id];
        if state != State::Counted {
            if let Some(attested) = self.waves.control_done(wave, target, answered) {
                self.judge_wave(attested);
            }
        } else if let Some(attested) = self.waves.control_late(wave, target).filter(|_| answered) {
            self.attest_wave(attested);
        }
    }

    fn judge_wave(&mut self, attested: Attested) {
        if attested.share >= LEAST_ATTESTED {
            self.pacer.recover();
        } else if self.waves.slows(attested.wave, self.now) {
            self.pacer.halve();
        }
        self.waves.paced(self.pacer.per_second());
        if self.learner.learn(&self.ranges) {
            self.queue.doubt(0..self.ranges.len());
        }
        self.attest_wave(attested);
        if self.waves.hopeless() {
            self.queue.close();
        }
    }

    fn attest_wave(&mut self, attested: Attested) {
        let Some(probes) = self.in_wave.get_mut(attested.wave).map(std::mem::take) else { return };
        for &id in &probes {
            let share = self.attested(id).unwrap_or(attested.share);
            self.attest(id, share, share >= LEAST_ATTESTED);
        }
        self.in_wave[attested.wave] = probes;
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
        let Probe { silence, purpose: Purpose::Range(range), target, .. } = self.probes[id] else { return };
        if silence > 0.0 && passed {
            self.weigh(id, self.silence_weight(id, share));
        } else if silence > 0.0 {
            self.weigh(id, 0.0);
            self.ranges[range].untried(target.ip());
        }
    }

    /// The share of controls that answered in the probe's wave, once it is judged. None do for a probe launched before the
    /// first that was answered: its wave stayed open until there were controls, and they came after it.
    pub(super) fn attested(&self, id: usize) -> Option<f64> {
        let Probe { wave, launched, .. } = self.probes[id];
        let up = self.up_since.is_some_and(|since| launched >= since);
        self.waves.attested(wave).map(|share| if up { share } else { 0.0 })
    }

    /// The weight of a silence under the present model.
    pub(super) fn reweigh(&mut self, id: usize) {
        let Probe { silence, .. } = self.probes[id];
        if let Some(share) = self.attested(id).filter(|_| silence > 0.0) {
            self.weigh(id, self.silence_weight(id, share));
        }
    }

    pub(super) fn silence_weight(&self, id: usize, share: f64) -> f64 {
        let Purpose::Range(range) = self.probes[id].purpose else { return 0.0 };
        let model = self.learner.model(range);
        let beta = if self.probes[id].known { Some(model.covered) } else { model.uncovered };
        beta.map_or(1.0, |beta| Model::silence_weight(beta.mean(), share))
    }

    /// Sets what the silence of a probe weighs in the tree.
    pub(super) fn weigh(&mut self, id: usize, weight: f64) {
        let Purpose::Range(range) = self.probes[id].purpose else { return };
        let probe = &mut self.probes[id];
        let change = weight - probe.silence;
        if change == 0.0 {
            return;
        }
        probe.silence = weight;
        let (address, counts) = (probe.target.ip(), probe.silent_as.counts());
        self.ranges[range].count(address, &counts, change);
        if change < 0.0 {
            self.queue.doubt([range]);
        }
    }

    pub(super) fn end(&mut self, id: usize) {
        self.counted -= usize::from(self.probes[id].state == State::Counted);
        self.probes[id].state = State::Over;
        self.in_flight -= 1;
    }

    /// Records an outcome; a late answer takes the place of the silence that was recorded before.
    pub(super) fn observe(&mut self, id: usize, outcome: Outcome, now: Duration, attested: Option<f64>) {
        let probe = &mut self.probes[id];
        let observation = Observation {
            operation: probe.operation,
            purpose: probe.purpose,
            target: probe.target,
            ttl: probe.ttl,
            started: probe.launched,
            took: now.saturating_sub(probe.launched),
            outcome,
            attested,
        };
        if let Some(at) = probe.observation {
            self.observations[at] = observation;
        } else {
            probe.observation = Some(self.observations.len());
            self.observations.push(observation);
        }
    }
}

//! What happens as time passes: silence is the absence of an event.

use std::time::Duration;

use super::{Probe, Scan, State};
use crate::observe::{Failure, Operation, Purpose};
use crate::scan::timers::{ProbeId, Timer};
use crate::scan::wave::LEAST_ATTESTED;

impl Scan {
    pub(super) fn advance(&mut self, now: Duration) {
        self.now = now;
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Hedge(id) => self.hedge(id as usize),
                Timer::Silence(id) => self.silence(id as usize, now),
                Timer::GiveUp(id) => self.give_up(id as usize),
            }
        }
    }

    /// The probe is old enough for another address to be tried beside it: its silence is weighed provisionally.
    fn hedge(&mut self, id: usize) {
        if std::mem::take(&mut self.probes[id].waits) {
            self.after_rejection(id);
        }
        let Probe { state: State::Young, purpose: Purpose::Range(range), target, known, .. } = self.probes[id] else {
            return;
        };
        self.probes[id].state = State::Silent;
        self.young -= 1;
        let address = target.ip();
        self.ranges[range].grown(address);
        self.probes[id].silent_as = self.ranges[range].silent_as(address, known);
        match self.attested(id) {
            Some(share) if share < LEAST_ATTESTED => self.ranges[range].untried(address),
            Some(share) => self.weigh(id, self.silence_weight(id, share)),
            None => self.weigh(id, 1.0),
        }
        self.reconsider(range, address);
    }

    /// A rejection comes at once, and what it means is known when others have answered: the next address waits as long
    /// as after a silence. Without this a rejected cell took 20 addresses before the first answer came.
    fn after_rejection(&mut self, id: usize) {
        let Probe { purpose: Purpose::Range(range), target, .. } = self.probes[id] else { return };
        self.waiting -= 1;
        self.ranges[range].grown(target.ip());
        self.reconsider(range, target.ip());
    }

    fn silence(&mut self, id: usize, now: Duration) {
        if self.probes[id].state == State::Over {
            return;
        }
        match (self.probes[id].purpose, self.probes[id].operation) {
            (Purpose::Range(_), Operation::TlsHandshake) => self.abandoned(id, Failure::TlsNoAnswer, now),
            (Purpose::Range(range), _) => self.silence_of_range(id, range, now),
            (Purpose::Control, _) => self.silence_of_control(id, now),
            _ => self.abandoned(id, Failure::NoAnswer, now),
        }
    }

    fn abandoned(&mut self, id: usize, failure: Failure, now: Duration) {
        self.settle(id, Err(failure), now);
        self.abandon(id);
    }

    fn silence_of_range(&mut self, id: usize, range: usize, now: Duration) {
        self.probes[id].state = State::Counted;
        self.counted += 1;
        self.immature -= 1;
        let attested = self.attested(id);
        let discarded = attested.is_some_and(|share| share < LEAST_ATTESTED);
        let outcome = Err(if discarded { Failure::ControlsSilent } else { Failure::NoAnswer });
        self.observe(id, outcome, now, attested);
        self.reconsider(range, self.probes[id].target.ip());
    }

    fn silence_of_control(&mut self, id: usize, now: Duration) {
        self.settle_control(id, false);
        self.probes[id].state = State::Counted;
        self.counted += 1;
        self.observe(id, Err(Failure::NoAnswer), now, None);
    }

    pub(super) fn give_up(&mut self, id: usize) {
        if self.probes[id].state != State::Over {
            self.end(id);
            self.abandon(id);
        }
    }

    fn abandon(&mut self, id: usize) {
        self.abandon.push_back(ProbeId::try_from(id).expect("fewer than 2^32 probes"));
    }
}

//! What must hold of the engine in every network, whatever it finds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::Witness;
use crate::observe::{Operation, Purpose};
use crate::plan::ProbePlan;
use crate::scan::{Action, Attempt, Event, Evidence, ProbeId};

/// Panics as soon as the engine breaks a promise.
#[derive(Debug)]
pub struct Invariants<'a> {
    plan: &'a ProbePlan,
    under_way: BTreeMap<ProbeId, Attempt>,
    /// Launches of the last second.
    recent: VecDeque<Duration>,
    /// Targets whose answer, other than to a step of a trace, was reported while it was still wanted.
    answered: BTreeSet<SocketAddr>,
    /// The most attempts that were under way at a time.
    pub most_under_way: usize,
    /// Calls into the engine that carried something: actions taken, outcomes reported, times reached.
    pub calls: usize,
}

/// No scan that is simulated takes longer.
const LONGEST: Duration = Duration::from_hours(4);
/// A caller that is late may catch up by this many launches.
const BURST: f64 = 6.0;

impl<'a> Invariants<'a> {
    /// Watches over a scan of this plan.
    #[must_use]
    pub fn of(plan: &'a ProbePlan) -> Self {
        Self {
            plan,
            under_way: BTreeMap::new(),
            recent: VecDeque::new(),
            answered: BTreeSet::new(),
            most_under_way: 0,
            calls: 0,
        }
    }

    /// What must hold of the record of a scan that is over.
    pub fn check(&self, evidence: &Evidence) {
        let mut asked = BTreeSet::new();
        for observation in &evidence.observations {
            if !matches!(observation.purpose, Purpose::Range(_)) {
                continue;
            }
            let new = asked.insert((observation.purpose, observation.operation, observation.target));
            assert!(new, "{} was asked twice for one purpose", observation.target);
            let retracted = observation.outcome.is_ok() || observation.operation == Operation::TlsHandshake;
            assert!(
                retracted || !self.answered.contains(&observation.target),
                "{} answered, and the record says {:?}",
                observation.target,
                observation.outcome
            );
        }
    }

    fn launched(&mut self, attempt: Attempt, now: Duration) {
        self.under_way.insert(attempt.id, attempt);
        self.most_under_way = self.most_under_way.max(self.under_way.len());
        assert!(self.under_way.len() <= self.plan.pace.in_flight, "too many attempts under way");
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|&at| at + Duration::from_secs(1) <= now) {
            self.recent.pop_front();
        }
        assert!(self.recent.len() as f64 <= self.plan.pace.per_second + BURST, "too fast at {now:?}");
        assert!(self.is_planned(attempt.target), "{} is not in the plan", attempt.target);
    }

    fn is_planned(&self, target: SocketAddr) -> bool {
        let place = self.plan.ranges.partition_point(|planned| planned.range.prefix.first() <= target.ip());
        let range = place.checked_sub(1).map(|at| &self.plan.ranges[at]);
        range.is_some_and(|planned| planned.may_ask(target.ip()))
            || self.plan.negative_controls.contains(&target)
            || self.plan.uplink_controls.contains(&target)
    }
}

impl Witness for Invariants<'_> {
    fn action(&mut self, action: &Action, now: Duration) {
        self.calls += 1;
        match *action {
            Action::Connect(attempt) | Action::Handshake(attempt) => self.launched(attempt, now),
            Action::Abandon(id) => _ = self.under_way.remove(&id),
        }
    }

    fn outcome(&mut self, event: &Event, _now: Duration) {
        self.calls += 1;
        let attempt = self.under_way.remove(&event.id).filter(|attempt| attempt.ttl.is_none());
        if event.outcome.is_ok() {
            self.answered.extend(attempt.map(|attempt| attempt.target));
        }
    }

    fn idle(&mut self, next: Option<(Duration, &'static str)>, now: Duration) {
        self.calls += 1;
        assert!(now < LONGEST, "the scan does not end");
        if let Some((at, why)) = next {
            assert!(at > now, "the engine spins at {now:?}: {why}");
        }
    }
}

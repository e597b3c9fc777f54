//! The endpoints: what is held of each, with the evidence that it was derived from.

use std::collections::BTreeSet;

use super::{Changed, Moment, Watch, settle};
use crate::daemon::Pause;
use crate::endpoint::{EndpointRun, RunContext, Step};
use crate::job::EndpointsSeen;
use crate::observe::{Failure, Operation};
use crate::verdict::{self, EndpointVerdict, Outline, STARVED, Subject};

/// The last check of all endpoints, with what fresh probes have changed since.
#[derive(Clone, Debug)]
pub(super) struct HeldEndpoints {
    pub(super) seen: EndpointsSeen,
    pub(super) verdicts: Vec<EndpointVerdict>,
    /// Every accusation in it was confirmed.
    pub(super) settled: bool,
}

impl Watch {
    /// Takes in a check of all endpoints.
    pub fn take_endpoints(&mut self, seen: EndpointsSeen, moment: Moment) -> Vec<Changed> {
        let verdicts = verdict::endpoints(&seen.runs, &seen.context);
        if seen.interrupted || self.pauses(pause(&seen)) {
            return Vec::new();
        }
        let before = self.endpoints.take();
        let settled = before.as_ref().is_some_and(|before| before.settled);
        let (mut changes, mut kept) = (Vec::new(), BTreeSet::new());
        for (run, verdict) in seen.runs.iter().zip(&verdicts) {
            let (subject, outline) = outlined(run, verdict);
            if self.hysteresis.is_doubtful(&subject, outline) {
                self.doubtful_endpoints.insert(run.endpoint.name.clone());
                kept.insert(subject);
            } else if !settle(&mut self.hysteresis, subject.clone(), outline, moment, &mut changes) {
                kept.insert(subject);
            }
        }
        let settled = settled || self.doubtful_endpoints.is_empty();
        let mut held = HeldEndpoints { seen, verdicts, settled };
        if let Some(before) = before {
            held.put(before, &kept);
        }
        self.endpoints = Some(held);
        changes
    }

    /// Takes in what fresh probes came to, of the endpoints that were in doubt.
    pub fn take_fresh_endpoints(&mut self, seen: EndpointsSeen, moment: Moment) -> Vec<Changed> {
        let verdicts = verdict::endpoints(&seen.runs, &seen.context);
        if seen.interrupted || self.pauses(pause(&seen)) {
            return Vec::new();
        }
        let (mut changes, mut newer) = (Vec::new(), BTreeSet::new());
        for (run, verdict) in seen.runs.iter().zip(&verdicts) {
            let (subject, outline) = outlined(run, verdict);
            if settle(&mut self.hysteresis, subject.clone(), outline, moment, &mut changes) {
                newer.insert(subject);
            }
        }
        if let Some(held) = &mut self.endpoints {
            held.put(HeldEndpoints { seen, verdicts, settled: true }, &newer);
            held.settled |= self.doubtful_endpoints.is_empty();
        }
        changes
    }

    /// Why the verdict on an endpoint is what it is.
    #[must_use]
    pub fn endpoint_reason(&self, subject: &Subject) -> Option<String> {
        let held = self.endpoints.as_ref()?;
        let place = held.seen.runs.iter().position(|run| subject_of(run) == *subject)?;
        Some(held.verdicts[place].reason.clone())
    }

    /// What is known beside the endpoints.
    #[must_use]
    pub fn context(&self) -> RunContext {
        self.endpoints.as_ref().map(|held| held.seen.context.clone()).unwrap_or_default()
    }
}

impl HeldEndpoints {
    /// Forgets what is no longer checked.
    pub(super) fn retain(&mut self, checked: impl Fn(&Subject) -> bool) {
        let kept: Vec<bool> = self.seen.runs.iter().map(|run| checked(&subject_of(run))).collect();
        let (mut runs, mut verdicts) = (kept.iter(), kept.iter());
        self.seen.runs.retain(|_| runs.next() == Some(&true));
        self.verdicts.retain(|_| verdicts.next() == Some(&true));
    }

    /// Takes runs and verdicts of these subjects over.
    fn put(&mut self, other: Self, subjects: &BTreeSet<Subject>) {
        for (run, verdict) in other.seen.runs.into_iter().zip(other.verdicts) {
            let subject = subject_of(&run);
            let place = self.seen.runs.iter().position(|own| subject_of(own) == subject);
            if let Some(at) = place.filter(|_| subjects.contains(&subject)) {
                self.seen.runs[at] = run;
                self.verdicts[at] = verdict;
            }
        }
    }
}

fn subject_of(run: &EndpointRun) -> Subject {
    Subject::Endpoint { name: run.endpoint.name.clone(), path: run.path.name() }
}

fn outlined(run: &EndpointRun, verdict: &EndpointVerdict) -> (Subject, Outline) {
    let outline = Outline { verdict: verdict.verdict, mechanism: verdict.mechanism, layer: verdict.layer };
    (subject_of(run), outline)
}

/// Why a check of endpoints allows no judgement at all: nothing answered, neither they nor what was asked beside them.
fn pause(seen: &EndpointsSeen) -> Option<Pause> {
    let mut connects = seen.runs.iter().flat_map(|run| &run.steps).filter(|step| step.operation == Operation::Connect);
    let RunContext { v4, v6, starved, .. } = seen.context;
    let beside_silent = [v4, v6].contains(&Some(false)) && ![v4, v6].contains(&Some(true));
    let asked = !seen.runs.is_empty();
    let silent = |step: &Step| matches!(step.failure, Some(Failure::NoAnswer | Failure::NoRoute));
    match () {
        () if starved >= STARVED => Some(Pause::HostStarved),
        () if asked && beside_silent && connects.all(silent) => Some(Pause::UplinkDown),
        () => None,
    }
}

//! What is known, and what fresh probes have to confirm: pure, every check's result in, changes out.

mod endpoints;
mod ranges;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use super::Pause;
use crate::endpoint::EndpointRun;
use crate::plan::ProbePlan;
use crate::prefix::Prefix;
use crate::report::Judged;
use crate::scan::{Beat, Evidence, PulseSeen};
use crate::verdict::{Change, Hysteresis, Outline, Settled, Subject};
use endpoints::HeldEndpoints;
use ranges::HeldRanges;

/// What is known of a site.
#[derive(Debug)]
pub struct Watch {
    hysteresis: Hysteresis,
    ranges: Option<HeldRanges>,
    endpoints: Option<HeldEndpoints>,
    /// Ranges that seem to have changed.
    doubtful_ranges: BTreeSet<Prefix>,
    /// Endpoints, by name, that seem to have changed.
    doubtful_endpoints: BTreeSet<String>,
    paused: Option<Pause>,
}

/// A change of what is held.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Of what.
    pub subject: Subject,
    /// From what to what.
    pub change: Change,
}

/// The moment of a result: the time on the daemon's own clock, and whether a maintenance window is open.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Since the daemon began.
    pub now: Duration,
    /// Changes are not announced.
    pub quiet: bool,
}

impl Watch {
    /// Nothing is known but what the hysteresis recalls.
    #[must_use]
    pub fn new(hysteresis: Hysteresis) -> Self {
        Self {
            hysteresis,
            ranges: None,
            endpoints: None,
            doubtful_ranges: BTreeSet::new(),
            doubtful_endpoints: BTreeSet::new(),
            paused: None,
        }
    }

    /// Why nothing is judged.
    #[must_use]
    pub fn paused(&self) -> Option<Pause> {
        self.paused
    }

    /// What is held.
    #[must_use]
    pub fn hysteresis(&self) -> &Hysteresis {
        &self.hysteresis
    }

    /// The same, to be changed.
    pub fn hysteresis_mut(&mut self) -> &mut Hysteresis {
        &mut self.hysteresis
    }

    /// Ranges to be asked afresh, and beside them some that are open: silence is judged against what answers.
    #[must_use]
    pub fn take_doubtful_ranges(&mut self) -> Option<(BTreeSet<Prefix>, BTreeSet<Prefix>)> {
        let doubtful = std::mem::take(&mut self.doubtful_ranges);
        let beside = self.ranges.as_ref().map(|ranges| ranges.open_beside(&doubtful)).unwrap_or_default();
        (!doubtful.is_empty()).then_some((doubtful, beside))
    }

    /// Endpoints to be asked afresh, by name.
    #[must_use]
    pub fn take_doubtful_endpoints(&mut self) -> Option<BTreeSet<String>> {
        Some(std::mem::take(&mut self.doubtful_endpoints)).filter(|doubtful| !doubtful.is_empty())
    }

    /// Whether the pause of judgement is due to what was seen; where it is, nothing else of it counts.
    fn pauses(&mut self, pause: Option<Pause>) -> bool {
        self.paused = pause;
        pause.is_some()
    }

    /// Whether everything that is to be checked has a verdict, or `endpoints` alone are missing because there are none.
    #[must_use]
    pub fn is_ready(&self, endpoints: bool) -> bool {
        self.ranges.as_ref().is_some_and(|held| held.settled)
            && (!endpoints || self.endpoints.as_ref().is_some_and(|held| held.settled))
    }

    /// What is asked in a pulse; `turn` tells one from the next.
    #[must_use]
    pub fn beats(&self, turn: usize) -> Vec<Beat> {
        self.ranges.as_ref().map(|held| held.beats(turn)).unwrap_or_default()
    }

    /// What is held of the ranges.
    #[must_use]
    pub fn ranges(&self) -> Option<(&ProbePlan, &Evidence)> {
        self.ranges.as_ref().map(|held| (&held.seen.plan, &held.seen.evidence))
    }

    /// What is held of the endpoints.
    #[must_use]
    pub fn runs(&self) -> &[EndpointRun] {
        self.endpoints.as_ref().map_or(&[], |held| &held.seen.runs)
    }

    /// All verdicts that are held.
    #[must_use]
    pub fn judged(&self) -> Judged {
        Judged {
            ranges: self.ranges.as_ref().map(|held| held.verdicts.clone()).unwrap_or_default(),
            endpoints: self.endpoints.as_ref().map(|held| held.verdicts.clone()).unwrap_or_default(),
        }
    }

    /// Forgets endpoints and ranges that are no longer checked.
    pub fn retain(&mut self, checked: impl Fn(&Subject) -> bool) {
        self.hysteresis.retain(&checked);
        if let Some(held) = &mut self.endpoints {
            held.retain(&checked);
        }
        self.doubtful_ranges.clear();
        self.doubtful_endpoints.clear();
    }

    /// A check could not be made because this host did not let it.
    pub fn starve(&mut self) {
        self.paused = Some(Pause::HostStarved);
    }

    /// Takes in what a pulse saw.
    pub fn take_pulse(&mut self, seen: &PulseSeen) {
        let PulseSeen { changed, counts, outside } = seen;
        let asked = counts.answered + counts.rejected + counts.silent + counts.local;
        let cut_off = counts.answered == 0 && counts.rejected == 0 && asked > 0 && *outside != Some(true);
        let expected = self.ranges.as_ref().is_some_and(HeldRanges::any_open);
        if cut_off && !expected {
            // Nothing answered before either.
            return;
        }
        if !self.pauses(cut_off.then_some(Pause::UplinkDown)) {
            self.doubtful_ranges.extend(changed);
        }
    }
}

/// Settles a verdict; whether its evidence is to be held.
fn settle(
    hysteresis: &mut Hysteresis,
    subject: Subject,
    outline: Outline,
    moment: Moment,
    changes: &mut Vec<Changed>,
) -> bool {
    match hysteresis.settle(&subject, outline, moment.quiet, moment.now) {
        Settled::Same => true,
        Settled::Kept => false,
        Settled::Changed(change) => {
            changes.push(Changed { subject, change });
            true
        }
    }
}

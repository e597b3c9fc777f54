//! What is done on a thread of its own: asked in, seen out, nothing judged.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::setup::Setup;
use super::{Audited, Check, ProbeTotals};
use crate::config::Config;
use crate::endpoint::{Endpoint, Step};
use crate::job::media::{BUDGET_BYTES, Sending};
use crate::job::{self, EndpointsSeen, Job, JobError, RangesSeen};
use crate::net;
use crate::net::endpoint::send::Sent;
use crate::net::feed::Updated;
use crate::net::interrupt::Interrupt;
use crate::observe::{Failure, Observation, Operation};
use crate::prefix::{Family, Prefix};
use crate::scan::{Beat, Pace, Pulse, PulseSeen};

/// What is to be done.
#[derive(Debug)]
pub(super) enum Task {
    /// Scan all ranges.
    Ranges,
    /// Scan ranges that are in doubt, and some that are open beside them.
    FreshRanges(BTreeSet<Prefix>, BTreeSet<Prefix>),
    /// Ask one address of each range.
    Pulse(Vec<Beat>),
    /// Check all endpoints.
    Endpoints,
    /// Check endpoints that are in doubt.
    FreshEndpoints(BTreeSet<String>),
    /// Send media.
    Media,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) seen: Seen,
    pub(super) took: Duration,
    /// Under which configuration.
    pub(super) setup: Arc<Setup>,
    /// Rule sets, held against the list in force.
    pub(super) audits: Option<Vec<Audited>>,
}

/// What was seen.
#[derive(Debug)]
pub(super) enum Seen {
    Ranges(Result<Box<RangesSeen>, JobError>),
    FreshRanges(BTreeSet<Prefix>, Result<Box<RangesSeen>, JobError>),
    Pulse(Result<PulseSeen, JobError>),
    Endpoints(Result<EndpointsSeen, JobError>),
    FreshEndpoints(Result<EndpointsSeen, JobError>),
    Feed(Updated),
    Media(Result<Box<Sent>, JobError>),
}

impl Task {
    /// Does it, on the calling thread.
    pub(super) fn perform(self, setup: &Setup, interrupt: &Interrupt) -> Seen {
        match self {
            Self::Ranges => Seen::Ranges(ranges(setup, None, interrupt)),
            Self::FreshRanges(doubtful, beside) => {
                let both = doubtful.union(&beside).copied().collect();
                Seen::FreshRanges(doubtful, ranges(setup, Some(both), interrupt))
            }
            Self::Pulse(beats) => Seen::Pulse(pulse(setup, beats, interrupt)),
            Self::Endpoints => Seen::Endpoints(endpoints(setup, &setup.config.endpoints, interrupt)),
            Self::FreshEndpoints(names) => {
                let doubtful = setup.config.endpoints.iter().filter(|endpoint| names.contains(&endpoint.name));
                Seen::FreshEndpoints(endpoints(setup, &doubtful.cloned().collect::<Vec<_>>(), interrupt))
            }
            Self::Media => Seen::Media(media(setup, interrupt)),
        }
    }
}

impl Seen {
    /// The kind of check that it ends; none for what was asked besides.
    pub(super) fn check(&self) -> Option<Check> {
        match self {
            Self::Ranges(_) => Some(Check::Ranges),
            Self::Pulse(_) => Some(Check::Pulse),
            Self::Endpoints(_) => Some(Check::Endpoints),
            Self::Feed(_) => Some(Check::Feed),
            Self::Media(_) => Some(Check::Media),
            Self::FreshRanges(..) | Self::FreshEndpoints(_) => None,
        }
    }

    /// What stopped it.
    pub(super) fn error(&self) -> Option<&JobError> {
        match self {
            Self::Ranges(result) | Self::FreshRanges(_, result) => result.as_ref().err(),
            Self::Pulse(result) => result.as_ref().err(),
            Self::Endpoints(result) | Self::FreshEndpoints(result) => result.as_ref().err(),
            Self::Media(result) => result.as_ref().err(),
            Self::Feed(_) => None,
        }
    }

    /// Whether it came to nothing: lists of which none could be fetched and used are none.
    pub(super) fn failed(&self) -> bool {
        match self {
            Self::Feed(updated) => !updated.is_current(),
            other => other.error().is_some(),
        }
    }

    /// The connections that were made.
    pub(super) fn probes(&self) -> ProbeTotals {
        match self {
            Self::Ranges(Ok(seen)) | Self::FreshRanges(_, Ok(seen)) => of_ranges(&seen.evidence.observations),
            Self::Pulse(Ok(seen)) => {
                let counts = seen.counts;
                let (answered, rejected) = (counts.answered, counts.rejected);
                ProbeTotals { answered, rejected, silent: counts.silent, local: counts.local }
            }
            Self::Endpoints(Ok(seen)) | Self::FreshEndpoints(Ok(seen)) => of_endpoints(seen),
            _ => ProbeTotals::default(),
        }
    }

    /// Whether the controls answered; none where there were none.
    pub(super) fn controls(&self) -> Option<bool> {
        match self {
            Self::Ranges(Ok(seen)) | Self::FreshRanges(_, Ok(seen)) => {
                let controls = seen.evidence.controls;
                (controls.sent > 0).then_some(controls.answered * 2 >= controls.sent)
            }
            Self::Pulse(Ok(seen)) if seen.counts.answered > 0 => Some(true),
            Self::Pulse(Ok(seen)) => seen.outside,
            Self::Endpoints(Ok(seen)) => match (seen.context.v4, seen.context.v6) {
                (None, None) => None,
                (v4, v6) => Some(v4 == Some(true) || v6 == Some(true)),
            },
            _ => None,
        }
    }
}

fn ranges(setup: &Setup, only: Option<BTreeSet<Prefix>>, interrupt: &Interrupt) -> Result<Box<RangesSeen>, JobError> {
    let config = &setup.config;
    // What is in doubt is few; all ranges are asked at the pace of the schedule.
    let pace = if only.is_some() { config.settings().pace } else { config.daemon.profile.pace() };
    let job = Job { only, ..job(setup, config, pace, &[])? };
    job.see_ranges(interrupt, &mut |_| {}).map(Box::new)
}

fn endpoints(setup: &Setup, endpoints: &[Endpoint], interrupt: &Interrupt) -> Result<EndpointsSeen, JobError> {
    let config = &setup.config;
    let job = job(setup, config, config.daemon.profile.pace(), endpoints)?;
    // The ranges are watched by pulses: no endpoint is asked for at addresses of theirs.
    job.see_endpoints(&job.no_ranges(), interrupt)
}

fn media(setup: &Setup, interrupt: &Interrupt) -> Result<Box<Sent>, JobError> {
    let (config, feed) = (&setup.config, &setup.feeds.feeds.newest);
    let sending = Sending { config, targets: &config.media.send, budget_bytes: BUDGET_BYTES, feed };
    sending.send(interrupt, &mut |_| {}).map(Box::new)
}

fn pulse(setup: &Setup, beats: Vec<Beat>, interrupt: &Interrupt) -> Result<PulseSeen, JobError> {
    let settings = setup.config.settings();
    let v4 = |control: &SocketAddr| Family::of(control.ip()) == Family::V4;
    let outside = settings.uplink_controls.iter().copied().filter(v4).collect();
    let spread = Duration::from_secs(setup.config.daemon.endpoints_seconds).mul_f64(SPREAD);
    let mut pulse = Pulse::new(beats, outside, spread, settings.pace.per_second.min(Pace::NORMAL.per_second));
    net::scan::run(&mut pulse, None, interrupt, &mut |_| {}).map_err(JobError::Wait)?;
    Ok(pulse.into_seen())
}

/// The share of the interval over which a pulse is spread: it ends before the next is due, which may be after 85 % of it.
const SPREAD: f64 = 0.8;

fn job<'a>(setup: &'a Setup, config: &'a Config, pace: Pace, endpoints: &'a [Endpoint]) -> Result<Job<'a>, JobError> {
    let mut settings = config.settings();
    settings.pace = pace;
    settings.seed = job::seed();
    let feeds = &setup.feeds.feeds;
    let ipv6_servers = if endpoints.is_empty() {
        job::ipv6_servers(config, &config.endpoints, &settings, &feeds.newest)
    } else {
        Vec::new()
    };
    Ok(Job {
        site: setup.site.clone(),
        settings,
        feed: &feeds.newest,
        held: &feeds.older,
        only: None,
        baseline: None,
        ipv6_servers,
        store: setup.store.clone(),
        trust: job::trust(config, &setup.roots)?,
        roots: &setup.roots,
        endpoints,
        resolvers: &config.dns.resolvers,
        system_resolvers: true,
        endpoints_only: false,
        allowed_by_rules: None,
    })
}

fn of_ranges(observations: &[Observation]) -> ProbeTotals {
    let mut totals = ProbeTotals::default();
    for observation in observations.iter().filter(|o| o.operation == Operation::Connect) {
        totals.add(observation.outcome.as_ref().err());
    }
    totals
}

fn of_endpoints(seen: &EndpointsSeen) -> ProbeTotals {
    let mut totals = ProbeTotals::default();
    let connects = |step: &&Step| step.operation == Operation::Connect;
    for step in seen.runs.iter().flat_map(|run| &run.steps).filter(connects) {
        totals.add(step.failure.as_ref());
    }
    totals
}

impl ProbeTotals {
    fn add(&mut self, failure: Option<&Failure>) {
        *match failure {
            None => &mut self.answered,
            Some(Failure::NoAnswer | Failure::ControlsSilent) => &mut self.silent,
            Some(Failure::LocalLimit(_) | Failure::NoRoute) => &mut self.local,
            Some(_) => &mut self.rejected,
        } += 1;
    }

    /// Adds others up.
    pub(super) fn sum(&mut self, other: Self) {
        self.answered += other.answered;
        self.rejected += other.rejected;
        self.silent += other.silent;
        self.local += other.local;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_for_lists_that_brings_none_has_failed() {
        assert!(Seen::Feed(Updated::default()).failed());
    }
}

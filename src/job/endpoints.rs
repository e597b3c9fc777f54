//! The endpoints of a check: asked, and where they fail, traced.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Job, JobError, RangesSeen};
use crate::endpoint::{EndpointRun, RunContext, Step};
use crate::net;
use crate::net::endpoint::{self, Errand, Seen};
use crate::net::interrupt::Interrupt;
use crate::observe::{Answer, Operation, Purpose};
use crate::prefix::Prefix;
use crate::ranges::Role;
use crate::scan::{Evidence, Walks, paths};
use crate::verdict::{self, Layer, Mechanism, offender_between, offender_on_path};

/// What was seen of the endpoints.
#[derive(Clone, Debug, Default)]
pub struct EndpointsSeen {
    /// A run for each endpoint and path.
    pub runs: Vec<EndpointRun>,
    /// What is known besides.
    pub context: RunContext,
    /// What made the evidence poorer than it could be.
    pub limits: Vec<String>,
    /// Stopped before it was done.
    pub interrupted: bool,
    /// How long it took.
    pub took: Duration,
}

impl Job<'_> {
    pub(super) fn errand(&self) -> Result<Errand<'_>, JobError> {
        let with_headers = |endpoint| Ok((endpoint, endpoint::headers(endpoint)?));
        Ok(Errand {
            endpoints: self.endpoints.iter().map(with_headers).collect::<Result<_, JobError>>()?,
            resolvers: self.resolvers,
            system_resolvers: self.system_resolvers,
            roots: self.roots,
            published: self.feed.addresses(),
            controls: &self.settings.uplink_controls,
            aimed: Vec::new(),
            per_second: self.settings.pace.per_second,
        })
    }

    pub(super) fn check_endpoints(
        &self,
        errand: &mut Errand<'_>,
        ranges: &RangesSeen,
        interrupt: &Interrupt,
    ) -> Result<Option<EndpointsSeen>, JobError> {
        if errand.endpoints.is_empty() {
            return Ok(None);
        }
        let began = Instant::now();
        errand.aimed = aimed(ranges);
        let Seen { mut runs, context, limits, interrupted } =
            endpoint::check(errand, interrupt).map_err(JobError::Wait)?;
        if !interrupted {
            self.trace(&mut runs, &context, ranges, interrupt)?;
        }
        Ok(Some(EndpointsSeen { runs, context, limits, interrupted, took: began.elapsed() }))
    }

    /// Finds the hop at which packets to failing endpoints end.
    fn trace(
        &self,
        runs: &mut [EndpointRun],
        context: &RunContext,
        ranges: &RangesSeen,
        interrupt: &Interrupt,
    ) -> Result<(), JobError> {
        let verdicts = verdict::endpoints(runs, context);
        let mut suspects: Vec<_> =
            runs.iter().zip(&verdicts).map(|(run, verdict)| verdict::suspect(run, verdict)).collect();
        if suspects.iter().all(Option::is_none) {
            return Ok(());
        }
        // Who blocks a range is known from the ranges.
        let known = blocked(ranges);
        for suspect in &mut suspects {
            suspect.take_if(|(target, _)| known.iter().any(|prefix| prefix.holds(target.ip())));
        }
        let targets: Vec<SocketAddr> = suspects.iter().flatten().map(|(target, _)| *target).collect();
        if targets.is_empty() {
            return Ok(());
        }
        let controls = controls(runs, &ranges.evidence, &self.settings.uplink_controls);
        let mut walks = Walks::new(&controls, &targets, self.settings.seed);
        net::scan::run(&mut walks, None, interrupt, &mut |_| {}).map_err(JobError::Wait)?;
        let observations = walks.into_observations();
        let paths = paths(&observations);
        for ((run, verdict), suspect) in runs.iter_mut().zip(&verdicts).zip(suspects) {
            let Some((target, mechanism)) = suspect else { continue };
            run.offender = match paths.get(&target).and_then(|path| Some((path, path.reached()?))) {
                // The connection stands, and the handshake is reset.
                Some((path, server)) if verdict.layer == Some(Layer::Tls) && mechanism == Mechanism::Reset => {
                    let host = run.endpoint.url.host();
                    let first = endpoint::first_reset(self.roots, target, host, server).map_err(JobError::Wait)?;
                    first.map(|hops| offender_between(path, hops))
                }
                _ if verdict.layer == Some(Layer::Tls) && mechanism == Mechanism::Reset => None,
                _ => offender_on_path(&observations, target, mechanism),
            };
        }
        Ok(())
    }
}

fn blocked(ranges: &RangesSeen) -> Vec<Prefix> {
    verdict::ranges(&ranges.plan, &ranges.evidence.observations).into_iter().flat_map(|range| range.blocked).collect()
}

/// An address of each range of viewers at which a server proved itself, or else one that answered: any of them serves
/// every name.
fn aimed(ranges: &RangesSeen) -> Vec<SocketAddr> {
    let mut best: BTreeMap<usize, (bool, SocketAddr)> = BTreeMap::new();
    for observation in &ranges.evidence.observations {
        let (Purpose::Range(range), Ok(answer)) = (observation.purpose, &observation.outcome) else { continue };
        if ranges.plan.ranges[range].range.role != Role::Viewer {
            continue;
        }
        let proved = *answer == Answer::Authenticated;
        let known = best.entry(range).or_insert((proved, observation.target));
        if proved && !known.0 {
            *known = (proved, observation.target);
        }
    }
    best.into_values().map(|(_, address)| address).collect()
}

/// Addresses that answer, to show how long a path is: of endpoints and ranges, else those outside the ranges.
fn controls(runs: &[EndpointRun], evidence: &Evidence, uplink: &[SocketAddr]) -> Vec<SocketAddr> {
    const MOST: usize = 4;
    let connected = |step: &Step| step.operation == Operation::Connect && step.failure.is_none();
    let endpoints =
        runs.iter().flat_map(|run| &run.steps).filter(|step| connected(step)).filter_map(|step| step.address);
    let ranges = evidence.observations.iter().filter(|o| o.outcome.is_ok()).map(|o| o.target);
    let mut controls: Vec<SocketAddr> = Vec::new();
    for control in endpoints.chain(ranges).chain(uplink.iter().copied()) {
        if controls.len() < MOST && !controls.contains(&control) {
            controls.push(control);
        }
    }
    controls
}

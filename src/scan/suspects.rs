//! Whose paths are traced: of those that something blocks, and of those that answer, to compare.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::judge::judge;
use super::model::Counts;
use super::trace::Suspect;
use crate::observe::{Failure, Observation, Operation, Purpose};
use crate::plan::ProbePlan;
use crate::ranges::Role;

/// The targets whose paths tell who blocks: one silent or rejected address of each range that something blocks, those
/// of viewers first, evenly picked if they are too many. One that is traced already is as good as any other.
pub(crate) fn suspects(
    plan: &ProbePlan,
    observations: &[Observation],
    traced: &BTreeSet<SocketAddr>,
    most: usize,
) -> Vec<Suspect> {
    let judgements = judge(plan, observations);
    let mut targets: BTreeMap<(u8, usize), Suspect> = BTreeMap::new();
    for observation in observations.iter().filter(|observation| is_trouble(observation)) {
        let Purpose::Range(range) = observation.purpose else { continue };
        let judgement = &judgements[range];
        let inside = judgement.blocked.iter().any(|prefix| prefix.holds(observation.target.ip()));
        let rejected = !matches!(observation.outcome, Err(Failure::NoAnswer));
        if inside || rejected || judgement.counts == Counts::default() {
            let order = u8::from(plan.ranges[range].range.role != Role::Viewer);
            let suspect = Suspect { target: observation.target, silent: !rejected };
            let chosen = targets.entry((order, range)).or_insert(suspect);
            if traced.contains(&suspect.target) {
                *chosen = suspect;
            }
        }
    }
    if targets.is_empty() {
        return all_silent(observations);
    }
    let (mut chosen, rest): (Vec<Suspect>, Vec<Suspect>) =
        targets.into_values().partition(|suspect| traced.contains(&suspect.target));
    let room = most.saturating_sub(chosen.len());
    let step = rest.len().div_ceil(room.max(1)).max(1);
    chosen.extend(rest.into_iter().step_by(step).take(room));
    chosen
}

/// Answering addresses of different ranges whose paths show how long a path is.
pub(crate) fn path_controls(observations: &[Observation], most: usize) -> Vec<SocketAddr> {
    let mut first: BTreeMap<usize, SocketAddr> = BTreeMap::new();
    for observation in observations {
        if let (Purpose::Range(range), Ok(_), Operation::Connect) =
            (observation.purpose, &observation.outcome, observation.operation)
        {
            first.entry(range).or_insert(observation.target);
        }
    }
    let step = first.len().div_ceil(most).max(1);
    let mut controls: Vec<SocketAddr> = first.into_values().step_by(step).collect();
    if controls.is_empty() {
        let uplink =
            |observation: &&Observation| observation.purpose == Purpose::UplinkControl && observation.outcome.is_ok();
        controls = observations.iter().filter(uplink).map(|observation| observation.target).take(most).collect();
    }
    controls
}

/// With nothing to accuse, the first silent addresses show how far packets get.
fn all_silent(observations: &[Observation]) -> Vec<Suspect> {
    let any_answer = observations.iter().any(|observation| observation.outcome.is_ok());
    let silent = observations
        .iter()
        .filter(|observation| !any_answer && is_trouble(observation) && observation.operation == Operation::Connect);
    silent.map(|observation| Suspect { target: observation.target, silent: true }).take(3).collect()
}

fn is_trouble(observation: &Observation) -> bool {
    matches!(
        (&observation.outcome, observation.operation),
        (
            Err(Failure::NoAnswer | Failure::Reset | Failure::Unreachable(_) | Failure::RejectedHere(_)),
            Operation::Connect
        )
    )
}

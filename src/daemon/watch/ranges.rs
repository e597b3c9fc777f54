//! The ranges: what is held of each, with the evidence that it was derived from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::{Changed, Moment, Watch, settle};
use crate::daemon::Pause;
use crate::job::RangesSeen;
use crate::observe::{Failure, Observation, Operation, Purpose};
use crate::prefix::Prefix;
use crate::ranges::Role;
use crate::scan::Beat;
use crate::verdict::{self, Outline, RangeVerdict, STARVED, Subject, Verdict};

/// The last scan of all ranges, with what fresh probes have changed since.
#[derive(Clone, Debug)]
pub(super) struct HeldRanges {
    pub(super) seen: RangesSeen,
    pub(super) verdicts: Vec<RangeVerdict>,
    /// Every accusation in it was confirmed.
    pub(super) settled: bool,
}

/// Open ranges that are asked beside those in doubt: the share that answers is learnt from them.
const BESIDE: usize = 8;
/// Addresses of an open range that must all be silent before it is asked afresh. With two, one of seven pulses over a line
/// that loses 2 % each way asked for nothing.
const ADDRESSES: usize = 3;

impl Watch {
    /// Takes in a scan of all ranges.
    pub fn take_ranges(&mut self, seen: RangesSeen, moment: Moment) -> Vec<Changed> {
        let mut verdicts = verdict::ranges(&seen.plan, &seen.evidence.observations);
        if seen.evidence.interrupted || self.pauses(pause(&seen, &verdicts)) {
            return Vec::new();
        }
        let before = self.ranges.take();
        let settled = before.as_ref().is_some_and(|before| before.settled);
        let (mut changes, mut kept) = (Vec::new(), BTreeSet::new());
        for verdict in &verdicts {
            let (subject, outline) = outlined(verdict);
            if self.hysteresis.is_doubtful(&subject, outline) {
                self.doubtful_ranges.insert(verdict.range.prefix);
                kept.insert(verdict.range.prefix);
            } else if !settle(&mut self.hysteresis, subject, outline, moment, &mut changes) {
                kept.insert(verdict.range.prefix);
            }
        }
        let nothing_to_confirm = self.doubtful_ranges.is_empty();
        let mut seen = seen;
        if let Some(before) = before {
            before.replace(&kept, &mut seen, &mut verdicts);
        }
        self.ranges = Some(HeldRanges { seen, verdicts, settled: settled || nothing_to_confirm });
        changes
    }

    /// Takes in what fresh probes came to, of the ranges that were in doubt.
    pub fn take_fresh_ranges(&mut self, asked: &BTreeSet<Prefix>, seen: RangesSeen, moment: Moment) -> Vec<Changed> {
        let verdicts = verdict::ranges(&seen.plan, &seen.evidence.observations);
        if seen.evidence.interrupted || self.pauses(pause(&seen, &verdicts)) {
            // Accusations that nothing could confirm are no knowledge: the next scan begins anew.
            self.ranges.take_if(|held| !held.settled);
            return Vec::new();
        }
        let (mut changes, mut newer) = (Vec::new(), BTreeSet::new());
        for verdict in verdicts.iter().filter(|verdict| asked.contains(&verdict.range.prefix)) {
            let (subject, outline) = outlined(verdict);
            if settle(&mut self.hysteresis, subject, outline, moment, &mut changes) {
                newer.insert(verdict.range.prefix);
            }
        }
        if let Some(held) = &mut self.ranges {
            let fresh = HeldRanges { seen, verdicts, settled: true };
            fresh.replace(&newer, &mut held.seen, &mut held.verdicts);
            held.settled |= self.doubtful_ranges.is_empty();
        }
        changes
    }
}

impl HeldRanges {
    pub(super) fn any_open(&self) -> bool {
        self.verdicts.iter().any(|verdict| verdict.answered > 0)
    }

    /// Some open ranges that are not in doubt.
    pub(super) fn open_beside(&self, doubtful: &BTreeSet<Prefix>) -> BTreeSet<Prefix> {
        let open = |verdict: &&RangeVerdict| verdict.verdict == Verdict::Open && verdict.range.prefix.first().is_ipv4();
        let others = self.verdicts.iter().filter(open).map(|verdict| verdict.range.prefix);
        others.filter(|prefix| !doubtful.contains(prefix)).take(BESIDE).collect()
    }

    /// Puts verdict and evidence of these ranges in the place of another scan's.
    fn replace(self, prefixes: &BTreeSet<Prefix>, seen: &mut RangesSeen, verdicts: &mut [RangeVerdict]) {
        let places: BTreeMap<Prefix, usize> =
            verdicts.iter().enumerate().map(|(at, verdict)| (verdict.range.prefix, at)).collect();
        let place = |prefix: &Prefix| places.get(prefix).copied().filter(|_| prefixes.contains(prefix));
        let from: Vec<Option<usize>> = self.verdicts.iter().map(|verdict| place(&verdict.range.prefix)).collect();
        let replaced: BTreeSet<usize> = from.iter().flatten().copied().collect();
        let other = |o: &Observation| !matches!(o.purpose, Purpose::Range(at) if replaced.contains(&at));
        seen.evidence.observations.retain(other);
        for observation in self.seen.evidence.observations {
            if let Purpose::Range(at) = observation.purpose
                && let Some(at) = from[at]
            {
                seen.evidence.observations.push(Observation { purpose: Purpose::Range(at), ..observation });
            }
        }
        for (verdict, at) in self.verdicts.into_iter().zip(from) {
            if let Some(at) = at {
                verdicts[at] = verdict;
            }
        }
    }

    pub(super) fn beats(&self, turn: usize) -> Vec<Beat> {
        let mut of_range: Vec<(Vec<SocketAddr>, Vec<SocketAddr>)> = vec![Default::default(); self.verdicts.len()];
        for observation in &self.seen.evidence.observations {
            if let (Purpose::Range(at), Operation::Connect) = (observation.purpose, observation.operation) {
                let (answered, silent) = &mut of_range[at];
                let side = if observation.outcome.is_ok() { answered } else { silent };
                side.push(observation.target);
            }
        }
        // Where silence is expected, it is no sign of a change.
        let beats = self.verdicts.iter().zip(of_range).filter(|(verdict, _)| verdict.range.role == Role::Viewer);
        beats.flat_map(|(verdict, (answered, silent))| beats_of(verdict, &answered, &silent, turn)).collect()
    }
}

/// What is open should answer, and what is blocked should not.
fn beats_of(verdict: &RangeVerdict, answered: &[SocketAddr], silent: &[SocketAddr], turn: usize) -> Vec<Beat> {
    let prefix = verdict.range.prefix;
    let beat = |of: &[SocketAddr], most: usize, answers| {
        let turned = (0..of.len().min(most)).map(|place| of[(turn + place) % of.len()]);
        Some(Beat { prefix, addresses: turned.collect(), answers }).filter(|beat| !beat.addresses.is_empty())
    };
    let blocked: Vec<SocketAddr> =
        silent.iter().copied().filter(|target| verdict.blocked.iter().any(|part| part.holds(target.ip()))).collect();
    [beat(answered, ADDRESSES, true), beat(&blocked, 1, false)].into_iter().flatten().collect()
}

fn outlined(verdict: &RangeVerdict) -> (Subject, Outline) {
    let outline = Outline { verdict: verdict.verdict, mechanism: verdict.mechanism, layer: None };
    (Subject::Range(verdict.range.prefix), outline)
}

/// Why a scan allows no judgement at all.
fn pause(seen: &RangesSeen, verdicts: &[RangeVerdict]) -> Option<Pause> {
    let outside = || seen.evidence.observations.iter().filter(|o| o.purpose != Purpose::Path);
    let at_limits = |o: &Observation| matches!(o.outcome, Err(Failure::LocalLimit(_)));
    match () {
        () if seen.evidence.starved >= STARVED || outside().any(at_limits) => Some(Pause::HostStarved),
        () if outside().any(|o| o.outcome.is_ok()) => None,
        () if verdicts.iter().any(|verdict| verdict.verdict.accuses()) => None,
        () => Some(Pause::UplinkDown),
    }
}

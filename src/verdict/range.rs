//! The verdict on each range, derived from what was observed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::offender::{Offender, Ways, most_frequent};
use super::{Mechanism, Verdict};
use crate::observe::{Answer, Failure, Observation, Operation, Purpose};
use crate::plan::{Depth, PlannedRange, ProbePlan};
use crate::prefix::{Family, Prefix};
use crate::ranges::{Range, Role};
use crate::scan::{RangeJudgement, judge};

/// What is said of one range, with what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeVerdict {
    /// The range.
    pub range: Range,
    /// What is said.
    pub verdict: Verdict,
    /// How it is blocked.
    pub mechanism: Option<Mechanism>,
    /// The fewest prefixes that hold what is blocked.
    pub blocked: Vec<Prefix>,
    /// The fewest prefixes that hold that of which it cannot be said.
    pub undetermined: Vec<Prefix>,
    /// Who blocks.
    pub offender: Option<Offender>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub reason: Reason,
    /// Addresses asked.
    pub probes: u32,
    /// Addresses that answered.
    pub answered: u32,
    /// Addresses that proved to be the server.
    pub authenticated: u32,
    /// Shortest and median round trip.
    pub rtt: Option<(Duration, Duration)>,
}

/// The bound on an error, and the evidence that was reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    /// Bound on the probability of a false accusation.
    pub alpha: f64,
    /// `log P(seen | blocked) / P(seen | open)`, of the blocked parts where only parts are blocked, else of the whole range:
    /// what is negative speaks for open.
    pub nats: f64,
}

/// Why a verdict is what it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Every part answered.
    Answered,
    /// Every part answered, and a server proved to be the right one.
    Authenticated,
    /// Silent against the share that answers elsewhere; no baseline says that anything ever answered here.
    SilentAgainstShare(f64),
    /// Addresses that answered before are silent.
    KnownAddressesSilent,
    /// No range answers at all, though controls outside do.
    AllSilent,
    /// Somebody rejects connections.
    Rejected,
    /// Connections are accepted, but a foreign certificate is shown.
    ForeignCertificate {
        /// Its issuer.
        issuer: String,
    },
    /// Connections are accepted, but no server proved to be the right one.
    NotAuthenticated(Failure),
    /// Silent: too few addresses to tell.
    TooFew,
    /// Silent: in this run too few addresses answer anywhere to expect an answer here.
    ShareTooSmall,
    /// Parts that no baseline covers are silent while others answer.
    DarkParts,
    /// Nothing answered anywhere.
    NothingAnswers,
    /// Somebody answers for every address: an answer says nothing.
    AnsweredForEveryone,
    /// No IPv6 address answers, in the ranges or outside them.
    Ipv6Silent,
    /// IPv6 ranges cannot be enumerated and no known address lies in this one.
    NotEnumerable,
    /// This host has no route to it.
    NoRoute,
    /// Stopped before it was done.
    NotFinished,
    /// No viewer is sent there: silence is expected.
    NotViewerFacing,
}

/// The verdicts on all ranges of a plan.
#[must_use]
pub fn ranges(plan: &ProbePlan, observations: &[Observation]) -> Vec<RangeVerdict> {
    let context = Context::new(plan, observations);
    let judgements = judge(plan, observations);
    let mut verdicts: Vec<RangeVerdict> =
        (0..plan.ranges.len()).map(|at| context.verdict(at, &judgements[at])).collect();
    infer_offenders(&mut verdicts);
    verdicts
}

/// Not every blocked range is traced where there are many. If all that were agree, the others end there too.
fn infer_offenders(verdicts: &mut [RangeVerdict]) {
    let mut places: BTreeMap<Mechanism, BTreeSet<Offender>> = BTreeMap::new();
    for verdict in verdicts.iter() {
        if let (Some(mechanism), Some(offender)) = (verdict.mechanism, verdict.offender) {
            places.entry(mechanism).or_default().insert(offender);
        }
    }
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.offender.is_none()) {
        let place = verdict.mechanism.and_then(|mechanism| places.get(&mechanism)).filter(|place| place.len() == 1);
        let only = place.and_then(BTreeSet::first);
        verdict.offender = only.map(|offender| Offender { traced: false, ..*offender });
    }
}

/// What the run as a whole allows to conclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// Some ranges answer.
    Usual,
    /// No range answers, but something outside the ranges does.
    OutsideOnly,
    /// Nothing answers at all.
    Nothing,
    /// Nothing answers, and a router says that it has no way even to addresses outside the ranges.
    CutOff,
    /// Addresses that nobody can own answer.
    Everybody,
}

impl Around {
    fn seen(observations: &[Observation]) -> Self {
        let answers = |wanted: fn(&Purpose) -> bool| {
            observations.iter().any(|observation| wanted(&observation.purpose) && observation.outcome.is_ok())
        };
        match () {
            () if answers(|purpose| *purpose == Purpose::NegativeControl) => Self::Everybody,
            () if answers(|purpose| matches!(purpose, Purpose::Range(_))) => Self::Usual,
            () if answers(|purpose| *purpose == Purpose::UplinkControl) => Self::OutsideOnly,
            () if observations.iter().any(|o| o.no_way_outside().is_some()) => Self::CutOff,
            () => Self::Nothing,
        }
    }
}

struct Context<'a> {
    plan: &'a ProbePlan,
    ways: Ways,
    by_range: Vec<Vec<&'a Observation>>,
    around: Around,
}

impl<'a> Context<'a> {
    fn new(plan: &'a ProbePlan, observations: &'a [Observation]) -> Self {
        let mut by_range = vec![Vec::new(); plan.ranges.len()];
        for observation in observations {
            if let Purpose::Range(at) = observation.purpose {
                by_range[at].push(observation);
            }
        }
        Self { plan, ways: Ways::seen(observations), by_range, around: Around::seen(observations) }
    }

    fn verdict(&self, at: usize, judgement: &RangeJudgement) -> RangeVerdict {
        let planned = &self.plan.ranges[at];
        let seen = &self.by_range[at];
        let (verdict, reason) = self.decide(planned, judgement, seen);
        let whole = || vec![planned.range.prefix];
        let (blocked, undetermined) = match (verdict, &reason) {
            (Verdict::Blocked, _) => (whole(), Vec::new()),
            (Verdict::Undetermined, _) if judgement.blocked.is_empty() && judgement.undetermined.is_empty() => {
                (Vec::new(), whole())
            }
            (Verdict::ExpectedSilent, _) => (Vec::new(), Vec::new()),
            (Verdict::Open | Verdict::PartlyBlocked | Verdict::Undetermined, _) => {
                (judgement.blocked.clone(), judgement.undetermined.clone())
            }
        };
        let mechanism = verdict.accuses().then(|| mechanism(&reason, seen, &blocked));
        RangeVerdict {
            offender: mechanism.and_then(|mechanism| self.offender(mechanism, seen, &blocked)),
            range: planned.range.clone(),
            verdict,
            mechanism,
            blocked,
            undetermined,
            confidence: Confidence { alpha: self.plan.alpha, nats: judgement.nats },
            reason,
            probes: judgement.probes,
            answered: judgement.answered,
            authenticated: count(seen, |o| o.outcome == Ok(Answer::Authenticated)),
            rtt: judgement.rtt,
        }
    }

    fn decide(&self, planned: &PlannedRange, judged: &RangeJudgement, seen: &[&Observation]) -> (Verdict, Reason) {
        let whole = judged.blocked.first() == Some(&planned.range.prefix);
        match () {
            () if self.around == Around::CutOff => (Verdict::Undetermined, Reason::NothingAnswers),
            () if judged.no_route => (Verdict::Undetermined, Reason::NoRoute),
            () if self.around == Around::Everybody => self.decide_by_handshake(seen),
            () if whole => (Verdict::Blocked, self.why_blocked(judged)),
            () if !judged.blocked.is_empty() => (Verdict::PartlyBlocked, self.why_blocked(judged)),
            () if judged.answered == 0 => self.decide_silent(planned, judged),
            () if self.plan.depth == Depth::Tls => match self.decide_by_handshake(seen) {
                (Verdict::Open, _) if !judged.undetermined.is_empty() => (Verdict::Undetermined, Reason::DarkParts),
                other => other,
            },
            () if judged.undetermined.is_empty() => (Verdict::Open, Reason::Answered),
            () => (Verdict::Undetermined, Reason::DarkParts),
        }
    }

    /// Whoever accepts connections, only a certificate says whether it is the server.
    fn decide_by_handshake(&self, seen: &[&Observation]) -> (Verdict, Reason) {
        let mut handshakes = seen.iter().filter(|o| o.operation == Operation::TlsHandshake).map(|o| &o.outcome);
        if handshakes.clone().any(|outcome| *outcome == Ok(Answer::Authenticated)) {
            return (Verdict::Open, Reason::Authenticated);
        }
        let foreign = handshakes.clone().find_map(|outcome| match outcome {
            Err(Failure::TlsUnknownIssuer { issuer }) => Some(issuer.clone()),
            _ => None,
        });
        if let Some(issuer) = foreign {
            return (Verdict::Blocked, Reason::ForeignCertificate { issuer });
        }
        match handshakes.find_map(|outcome| outcome.as_ref().err()) {
            _ if self.around == Around::Everybody => (Verdict::Undetermined, Reason::AnsweredForEveryone),
            Some(failure) => (Verdict::Undetermined, Reason::NotAuthenticated(failure.clone())),
            None => (Verdict::Undetermined, Reason::NotFinished),
        }
    }

    fn decide_silent(&self, planned: &PlannedRange, judged: &RangeJudgement) -> (Verdict, Reason) {
        let role = planned.range.role;
        match () {
            () if role != Role::Viewer && judged.probes > 0 => (Verdict::ExpectedSilent, Reason::NotViewerFacing),
            () if judged.probes == 0 => (Verdict::Undetermined, Reason::NotFinished),
            () if self.around == Around::Nothing => (Verdict::Undetermined, Reason::NothingAnswers),
            () if planned.range.prefix.family() == Family::V6 && !self.ipv6_answers() => {
                (Verdict::Undetermined, Reason::Ipv6Silent)
            }
            () if planned.range.prefix.family() == Family::V6 && planned.known.is_empty() => {
                (Verdict::Undetermined, Reason::NotEnumerable)
            }
            () if judged.share.is_none() && planned.known.is_empty() => (Verdict::Undetermined, Reason::ShareTooSmall),
            () => (Verdict::Undetermined, Reason::TooFew),
        }
    }

    fn ipv6_answers(&self) -> bool {
        self.by_range.iter().flatten().any(|o| o.target.is_ipv6() && o.outcome.is_ok())
    }

    fn why_blocked(&self, judged: &RangeJudgement) -> Reason {
        match judged.share {
            _ if !judged.by_silence => Reason::Rejected,
            _ if judged.counts.known_silences > 0.0 => Reason::KnownAddressesSilent,
            _ if self.around == Around::OutsideOnly => Reason::AllSilent,
            Some(share) => Reason::SilentAgainstShare(share),
            None => Reason::AllSilent,
        }
    }

    fn offender(&self, mechanism: Mechanism, seen: &[&Observation], blocked: &[Prefix]) -> Option<Offender> {
        let inside = |target: SocketAddr| holds(blocked, target.ip());
        let failures = seen.iter().filter(|o| inside(o.target)).filter_map(|o| o.outcome.as_ref().err());
        self.ways.offender(mechanism, most_frequent(failures), &inside)
    }
}

fn mechanism(reason: &Reason, seen: &[&Observation], blocked: &[Prefix]) -> Mechanism {
    if matches!(reason, Reason::ForeignCertificate { .. }) {
        return Mechanism::TlsIntercepted;
    }
    let inside = |o: &Observation| o.operation == Operation::Connect && holds(blocked, o.target.ip());
    let icmp =
        count(seen, |o| inside(o) && matches!(o.outcome, Err(Failure::Unreachable(_) | Failure::RejectedHere(_))));
    let resets = count(seen, |o| inside(o) && o.outcome == Err(Failure::Reset));
    match () {
        // Routers limit how many ICMP messages they send: one among silences says how the others were meant.
        () if icmp > 0 && icmp >= resets => Mechanism::RejectedIcmp,
        () if resets > 0 => Mechanism::Reset,
        () => Mechanism::Dropped,
    }
}

fn holds(prefixes: &[Prefix], address: IpAddr) -> bool {
    prefixes.iter().any(|prefix| prefix.holds(address))
}

fn count(seen: &[&Observation], wanted: impl Fn(&Observation) -> bool) -> u32 {
    u32::try_from(seen.iter().filter(|observation| wanted(observation)).count()).unwrap_or(u32::MAX)
}

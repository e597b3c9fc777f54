//! What can be said of an endpoint: the first layer at which a transfer fails, and by which mechanism.

mod lane;
mod names;
#[cfg(test)]
mod tests;
mod words;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Mechanism, Verdict};
use crate::endpoint::{Detail, EndpointRun, Path, RunContext, Step, Variant};
use crate::observe::{Failure, HttpFailure, Operation, TransferFailure};
use crate::prefix::Family;
use lane::{Lane, lanes};

/// A layer of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The name.
    Dns,
    /// Packets to the address.
    Ip,
    /// The connection.
    Tcp,
    /// The handshake.
    Tls,
    /// The answer.
    Http,
    /// The body.
    Transfer,
}

/// What is said of one endpoint over one path.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointVerdict {
    /// Whether a transfer passes.
    pub verdict: Verdict,
    /// Where it fails.
    pub layer: Option<Layer>,
    /// How.
    pub mechanism: Option<Mechanism>,
    /// The finding behind it.
    pub failure: Option<Failure>,
    /// The handshake passes with another name or none: it is the name that is blocked.
    pub name_blocked: bool,
    /// Why this is said.
    pub reason: String,
}

/// What is known of a whole run, to hold one endpoint against.
struct Around<'a> {
    run: &'a EndpointRun,
    context: &'a RunContext,
    lanes: Vec<Lane<'a>>,
}

/// A process that waited so long for the processor has not listened.
pub const STARVED: Duration = Duration::from_secs(1);

/// The verdicts of all runs, in their order.
#[must_use]
pub fn endpoints(runs: &[EndpointRun], context: &RunContext) -> Vec<EndpointVerdict> {
    let mut context = context.clone();
    let answered = |step: &&Step| step.operation == Operation::Connect && step.failure.is_none();
    for step in runs.iter().flat_map(|run| &run.steps).filter(answered) {
        if let Some(address) = step.address {
            context.note(Family::of(address.ip()), true);
        }
    }
    runs.iter().map(|run| Around { run, context: &context, lanes: lanes(run) }.judge()).collect()
}

/// The address whose path tells who fails an endpoint, and by which mechanism; none where no path would.
#[must_use]
pub fn suspect(run: &EndpointRun, verdict: &EndpointVerdict) -> Option<(SocketAddr, Mechanism)> {
    let mechanism = verdict.mechanism.filter(|_| run.path == Path::Direct)?;
    let places = match mechanism {
        Mechanism::Dropped | Mechanism::RejectedIcmp => verdict.layer == Some(Layer::Ip),
        Mechanism::Reset => matches!(verdict.layer, Some(Layer::Tcp | Layer::Tls)),
        Mechanism::TlsIntercepted | Mechanism::BlockPage => true,
        _ => false,
    };
    let lanes = lanes(run);
    let failing = lanes.iter().find(|lane| lane.variant == Variant::Plain && lane.failure.is_some())?;
    places.then_some((failing.address, mechanism))
}

impl EndpointVerdict {
    fn open(reason: String) -> Self {
        Self { verdict: Verdict::Open, layer: None, mechanism: None, failure: None, name_blocked: false, reason }
    }

    fn fails(verdict: Verdict, layer: Layer, mechanism: Option<Mechanism>, failure: Failure) -> Self {
        let reason = words::reason(layer, mechanism, &failure);
        Self { verdict, layer: Some(layer), mechanism, failure: Some(failure), name_blocked: false, reason }
    }

    fn undetermined(layer: Option<Layer>, failure: Option<Failure>, reason: &str) -> Self {
        let (verdict, reason) = (Verdict::Undetermined, reason.to_owned());
        Self { verdict, layer, mechanism: None, failure, name_blocked: false, reason }
    }
}

impl Around<'_> {
    fn judge(&self) -> EndpointVerdict {
        if let Some(refused) = self.refused_by_proxy() {
            return refused;
        }
        let plain = || self.lanes.iter().filter(|lane| lane.variant == Variant::Plain && !lane.is_local());
        let (open, failed): (Vec<&Lane>, Vec<&Lane>) = plain().partition(|lane| lane.failure.is_none());
        match (open.first(), self.gravest(&failed)) {
            (None, None) => self.without_a_lane(),
            (Some(open), None) => self.works(open),
            (None, Some(lane)) => self.fails(lane),
            (Some(_), Some(lane)) => self.fails_in_part(lane),
        }
    }

    /// The failure that says the most: somebody's answer rather than silence.
    fn gravest<'l>(&self, failed: &[&'l Lane<'l>]) -> Option<&'l Lane<'l>> {
        let weight = |lane: &&&Lane| (self.is_unattested(lane), lane.failure == Some(&Failure::NoAnswer));
        failed.iter().min_by_key(weight).copied()
    }

    // --- what works ---------------------------------------------------------------------------------------------------

    fn works(&self, lane: &Lane<'_>) -> EndpointVerdict {
        if let Some(hole) = self.black_hole_upstream() {
            return hole;
        }
        if let Some(slow) = slowed(lane) {
            return slow;
        }
        if let Some(elsewhere) = self.fails_where_aimed() {
            return elsewhere;
        }
        let idle = self.run.steps.iter().find(|step| step.operation == Operation::Idle && step.failure.is_some());
        if let Some(failure) = idle.and_then(|step| step.failure.clone()) {
            let dropped = Some(Mechanism::Dropped);
            return EndpointVerdict::fails(Verdict::PartlyBlocked, Layer::Transfer, dropped, failure);
        }
        EndpointVerdict::open(words::open(self.run))
    }

    /// At addresses of other ranges, where it is served as well, it fails.
    fn fails_where_aimed(&self) -> Option<EndpointVerdict> {
        let aimed = || self.lanes.iter().filter(|lane| lane.variant == Variant::Aimed);
        let failed: Vec<&Lane> = aimed().filter(|lane| lane.failure.is_some() && !lane.is_local()).collect();
        let worst = self.gravest(&failed)?;
        let (layer, failure) = (worst.layer?, worst.failure.cloned()?);
        let (layer, mechanism) = self.mechanism(worst, layer, &failure);
        let verdict = EndpointVerdict::fails(Verdict::PartlyBlocked, layer, mechanism, failure);
        let reason = format!("{} (at {} of {} ranges)", verdict.reason, failed.len(), aimed().count());
        Some(EndpointVerdict { reason, ..verdict })
    }

    /// Requests of one packet pass, longer ones do not, and with small segments they do.
    fn black_hole_upstream(&self) -> Option<EndpointVerdict> {
        let stuck = self.lanes.iter().find(|lane| lane.variant == Variant::Http1 && lane.is_stuck())?;
        let passes = self.passes_in_small_segments(stuck);
        let hole = || {
            let failure = stuck.failure.cloned().expect("it is stuck");
            let hole = Some(Mechanism::MtuBlackHole);
            EndpointVerdict::fails(Verdict::PartlyBlocked, Layer::Transfer, hole, failure)
        };
        passes.then(hole)
    }

    // --- what fails ---------------------------------------------------------------------------------------------------

    fn fails(&self, lane: &Lane<'_>) -> EndpointVerdict {
        let (Some(layer), Some(failure)) = (lane.layer, lane.failure.cloned()) else {
            return EndpointVerdict::undetermined(None, None, "nothing was asked");
        };
        let misled = self.misled(lane);
        if self.behind_a_portal(lane) && (misled.is_none() || self.every_name_leads_there()) {
            return EndpointVerdict::fails(
                Verdict::Blocked,
                Layer::Http,
                Some(Mechanism::Portal),
                HttpFailure::Portal.into(),
            );
        }
        if let Some(misled) = misled {
            return EndpointVerdict::fails(Verdict::Blocked, Layer::Dns, Some(Mechanism::DnsTampered), misled);
        }
        if self.is_unattested(lane) {
            let reason = "nothing answers, and nothing else outside does: the own uplink may be down";
            return EndpointVerdict::undetermined(Some(layer), Some(failure), reason);
        }
        if let Some(slow) = slowed(lane).filter(|_| matches!(failure, Failure::TlsUnknownIssuer { .. })) {
            // This host's programs accept the interceptor, and then it is too slow for them.
            return slow;
        }
        let (layer, mechanism) = self.mechanism(lane, layer, &failure);
        let whole = if mechanism == Some(Mechanism::Throttled) { Verdict::PartlyBlocked } else { Verdict::Blocked };
        let verdict = EndpointVerdict::fails(whole, layer, mechanism, failure);
        EndpointVerdict { name_blocked: self.is_name_blocked(lane), ..verdict }
    }

    /// Some addresses work: what fails are the others.
    fn fails_in_part(&self, lane: &Lane<'_>) -> EndpointVerdict {
        if self.is_unattested(lane) {
            let open = self.lanes.iter().find(|lane| lane.variant == Variant::Plain && lane.failure.is_none());
            return open.map_or_else(|| self.fails(lane), |open| self.works(open));
        }
        let whole = self.fails(lane);
        if whole.verdict != Verdict::Blocked {
            return whole;
        }
        let reason = format!("{}; other addresses of the name work", whole.reason);
        EndpointVerdict { verdict: Verdict::PartlyBlocked, reason, ..whole }
    }

    fn mechanism(&self, lane: &Lane<'_>, layer: Layer, failure: &Failure) -> (Layer, Option<Mechanism>) {
        use Mechanism as M;
        match failure {
            // On a narrow path one transfer starves beside another.
            Failure::Transfer(TransferFailure::Stalled(_)) if self.is_narrow() => (layer, Some(M::Throttled)),
            Failure::Http(HttpFailure::NoAnswer) if self.is_narrow() => (Layer::Transfer, Some(M::Throttled)),
            _ if lane.is_stuck() && self.passes_in_small_segments(lane) => (layer, Some(M::MtuBlackHole)),
            Failure::NoAnswer
            | Failure::TlsNoAnswer
            | Failure::Http(HttpFailure::NoAnswer)
            | Failure::Transfer(TransferFailure::Stalled(_)) => (layer, Some(M::Dropped)),
            Failure::Unreachable(_) | Failure::RejectedHere(_) => (layer, Some(M::RejectedIcmp)),
            Failure::Reset
            | Failure::TlsBroken
            | Failure::Http(HttpFailure::Broken)
            | Failure::Transfer(TransferFailure::Broken(_)) => (layer, Some(M::Reset)),
            // What the interceptor shows says more than that it intercepts.
            Failure::TlsUnknownIssuer { .. } if lane.shows_a_page() => (Layer::Http, Some(M::BlockPage)),
            Failure::TlsUnknownIssuer { .. } => (layer, Some(M::TlsIntercepted)),
            Failure::Http(HttpFailure::BlockPage) => (layer, Some(M::BlockPage)),
            Failure::Http(HttpFailure::Redirect(_)) if !lane.authenticated => (layer, Some(M::BlockPage)),
            Failure::Http(HttpFailure::Portal) => (layer, Some(M::Portal)),
            Failure::Http(HttpFailure::Status(status)) if words::limits_something(*status) => {
                (layer, Some(M::ProxyLimit))
            }
            Failure::Transfer(TransferFailure::RefusedSize | TransferFailure::RefusedType) => {
                (Layer::Transfer, Some(M::ProxyLimit))
            }
            _ => (layer, None),
        }
    }

    fn behind_a_portal(&self, lane: &Lane<'_>) -> bool {
        self.context.portal.is_some() && !lane.authenticated && !matches!(lane.failure, Some(Failure::Transfer(_)))
    }

    fn is_name_blocked(&self, lane: &Lane<'_>) -> bool {
        let broken = matches!(lane.failure, Some(Failure::TlsBroken | Failure::TlsNoAnswer));
        let other_name = |step: &Step| {
            matches!(step.variant, Variant::WithoutName | Variant::NeutralName)
                && step.address == Some(lane.address)
                && matches!(&step.detail, Detail::Tls(tls) if tls.certificate.is_some())
        };
        broken && self.run.steps.iter().any(other_name)
    }

    /// Some transfer moves, and far too slowly.
    fn is_narrow(&self) -> bool {
        self.lanes.iter().any(|lane| lane.throttled().is_some())
    }

    /// The same address, asked in small segments, gets beyond where it is stuck. On a narrow path one lane gets further than
    /// another whatever its segments are.
    fn passes_in_small_segments(&self, stuck: &Lane<'_>) -> bool {
        let small = |lane: &&Lane| lane.variant == Variant::SmallSegments && lane.address == stuck.address;
        let passes =
            |small: &Lane| small.throttled().is_none() && (small.failure.is_none() || small.layer > stuck.layer);
        !self.is_narrow() && self.lanes.iter().find(small).is_some_and(passes)
    }

    /// Silence means something only while something else answers.
    fn is_unattested(&self, lane: &Lane<'_>) -> bool {
        let attested = self.context.answers(Family::of(lane.address.ip())) && self.context.starved < STARVED;
        lane.failure == Some(&Failure::NoAnswer) && !attested
    }
}

/// Transfers pass, and so slowly that they are of no use.
fn slowed(lane: &Lane<'_>) -> Option<EndpointVerdict> {
    let slow = lane.throttled()?;
    let reason = format!(
        "{} kbit/s, where the path allows more: 20 MB would take {} minutes",
        slow.bits_per_second / 1000,
        (20 * 8 * 1_000_000 / slow.bits_per_second.max(1)).div_ceil(60)
    );
    Some(EndpointVerdict {
        verdict: Verdict::PartlyBlocked,
        layer: Some(Layer::Transfer),
        mechanism: Some(Mechanism::Throttled),
        failure: None,
        name_blocked: false,
        reason,
    })
}

impl Layer {
    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Transfer => "transfer",
        }
    }
}

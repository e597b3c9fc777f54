//! The report: one value, written in several ways.
//!
//! What is in it is documented by its JSON form, schema `egressd.report/1`; fields are added, never renamed.

mod endpoints;
mod html;
mod junit;
pub(crate) mod markdown;
pub(crate) mod markup;
mod media;
mod reason;
#[cfg(test)]
mod tests;
mod text;

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::baseline::Baseline;
use crate::diagnose::{Diagnosis, EndpointFindings, Findings, diagnose, endpoint_verdicts, media_verdicts};
use crate::endpoint::{EndpointRun, RunContext};
use crate::exit::ExitStatus;
use crate::media::send::SendRun;
use crate::observe::{Failure, Observation, Operation, Purpose};
use crate::plan::ProbePlan;
use crate::prefix::{Family, Prefix};
use crate::ranges::{FeedSnapshot, List, Role, Source};
use crate::scan::Evidence;
use crate::verdict::{self, EndpointVerdict, Mechanism, Offender, RangeVerdict, Reason, Verdict, ranges};
use media::MediaReport;

pub use endpoints::{EndpointReport, ObservationReport};
pub use text::Style;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "io", derive(clap::ValueEnum))]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: `egressd.report/1`
    Json,
    /// For a ticket
    Markdown,
    /// For a browser: one page that needs nothing else
    Html,
    /// For a pipeline that reads test results
    Junit,
}

/// What the caller knows about a run.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The name of this site.
    pub site: &'a str,
    /// When it began.
    pub started: Timestamp,
    /// What was to be probed.
    pub plan: &'a ProbePlan,
    /// What was seen.
    pub evidence: &'a Evidence,
    /// The list in force.
    pub feed: &'a FeedSnapshot,
    /// Older lists that are at hand.
    pub held: &'a [FeedSnapshot],
    /// Addresses that were known to answer.
    pub baseline: Option<&'a Baseline>,
    /// What was seen of the endpoints.
    pub endpoints: &'a [EndpointRun],
    /// What is known beside them.
    pub context: &'a RunContext,
    /// What was seen of the media that were sent.
    pub media: &'a [SendRun],
    /// What made the evidence poorer than it could be.
    pub limits: Vec<String>,
}

/// What is said of everything in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// A verdict for each range of the plan, in its order.
    pub ranges: Vec<RangeVerdict>,
    /// A verdict for each run of an endpoint, in their order.
    pub endpoints: Vec<EndpointVerdict>,
}

/// Everything that is said about a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    schema: &'static str,
    tool: Tool,
    site: String,
    started: String,
    seconds: f64,
    feed: Feed,
    baseline: Option<BaselineReport>,
    controls: Controls,
    probes: Probes,
    ranges: Vec<RangeReport>,
    endpoints: Vec<EndpointReport>,
    media: Vec<MediaReport>,
    diagnoses: Vec<Diagnosis>,
    /// What made the evidence poorer than it could be.
    limits: Vec<String>,
    interrupted: bool,
    exit_status: u8,
    #[serde(skip)]
    status: ExitStatus,
}

#[derive(Clone, Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Feed {
    source: Source,
    name: String,
    serial: Option<String>,
    date: Option<String>,
    sha256: String,
    prefixes: usize,
    note: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct BaselineReport {
    cells: usize,
    addresses: usize,
    oldest: Option<String>,
    newest: Option<String>,
}

/// Totals of the controls.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Controls {
    /// Attempts at addresses that had answered.
    pub sent: u32,
    /// Of these answered.
    pub answered: u32,
    /// Addresses that cannot exist, and answered.
    pub negative_answered: usize,
    /// Moments that were discarded because controls were silent.
    pub waves_discarded: u32,
    /// Addresses outside the ranges, asked to see whether the uplink works.
    pub uplink_sent: usize,
    /// Of these answered.
    pub uplink_answered: usize,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Probes {
    sent: usize,
    answered: usize,
    rejected: usize,
    silent: usize,
    /// Null where the run was not paced.
    per_second_limit: Option<f64>,
}

/// What is said of one range.
#[derive(Clone, Debug, Serialize)]
pub struct RangeReport {
    /// The range.
    pub prefix: Prefix,
    /// The list that it is in.
    pub list: List,
    /// What it is for.
    pub role: Role,
    /// What is said of it.
    pub verdict: Verdict,
    /// How it is blocked.
    pub mechanism: Option<Mechanism>,
    /// What of it is blocked.
    pub blocked: Vec<Prefix>,
    /// What of it cannot be judged.
    pub undetermined: Vec<Prefix>,
    /// Who blocks.
    pub offender: Option<Offender>,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why this is said.
    pub reason: String,
    /// Addresses asked.
    pub probes: u32,
    /// Addresses that answered.
    pub answered: u32,
    /// Addresses that proved to be the server.
    pub authenticated: u32,
    /// Round trips.
    pub rtt_seconds: RoundTrip,
}

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Confidence {
    /// Bound on the probability of a false accusation.
    pub alpha: f64,
    /// The evidence that was reached.
    pub nats: f64,
}

/// Round trips in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundTrip {
    /// The shortest.
    pub min: Option<f64>,
    /// The median.
    pub median: Option<f64>,
}

impl Report {
    /// Judges what was seen and puts it together.
    #[must_use]
    pub fn new(run: &Run<'_>) -> Self {
        let context = attested(run.context, &run.evidence.observations);
        let judged = Judged {
            ranges: ranges(run.plan, &run.evidence.observations),
            endpoints: verdict::endpoints(run.endpoints, &context),
        };
        Self::judged(&Run { context: &context, ..run.clone() }, &judged)
    }

    /// Puts together what was judged already: a verdict for each range of the plan and for each endpoint's run.
    #[must_use]
    pub fn judged(run: &Run<'_>, judged: &Judged) -> Self {
        let Run { plan, evidence, feed, held, context, media, .. } = *run;
        let endpoints = EndpointFindings { runs: run.endpoints, verdicts: &judged.endpoints, context: Some(context) };
        let findings = Findings {
            plan,
            observations: &evidence.observations,
            verdicts: &judged.ranges,
            feed,
            held,
            endpoints,
            media,
        };
        let diagnoses = diagnose(&findings);
        let beside: Vec<Verdict> = endpoint_verdicts(&endpoints).into_iter().chain(media_verdicts(media)).collect();
        let status = status(&judged.ranges, &beside);
        let with_verdict = |(run, verdict)| EndpointReport::of(run, verdict);
        Self {
            schema: "egressd.report/1",
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            site: run.site.to_owned(),
            started: run.started.to_string(),
            seconds: rounded(evidence.took),
            feed: Feed::of(feed),
            baseline: run.baseline.map(BaselineReport::of),
            controls: Controls::of(evidence),
            probes: Probes::of(plan, evidence),
            ranges: judged.ranges.iter().map(|verdict| RangeReport::of(verdict, run.baseline)).collect(),
            endpoints: run.endpoints.iter().zip(&judged.endpoints).map(with_verdict).collect(),
            media: run.media.iter().map(MediaReport::of).collect(),
            diagnoses,
            limits: limits(run, &judged.ranges),
            interrupted: evidence.interrupted,
            exit_status: status as u8,
            status,
        }
    }

    /// What is said of each range, in order of prefix.
    #[must_use]
    pub fn ranges(&self) -> &[RangeReport] {
        &self.ranges
    }

    /// What is said of each endpoint and path, in the order of the configuration.
    #[must_use]
    pub fn endpoints(&self) -> &[EndpointReport] {
        &self.endpoints
    }

    /// The causes, the gravest first.
    #[must_use]
    pub fn diagnoses(&self) -> &[Diagnosis] {
        &self.diagnoses
    }

    /// The totals of the controls.
    #[must_use]
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// What made the evidence poorer than it could be.
    #[must_use]
    pub fn limits(&self) -> &[String] {
        &self.limits
    }

    /// When it was begun, in RFC 3339.
    #[must_use]
    pub fn started(&self) -> &str {
        &self.started
    }

    /// The name of the site.
    #[must_use]
    pub fn site(&self) -> &str {
        &self.site
    }

    /// What the process is to exit with.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    /// Writes it.
    #[must_use]
    pub fn write(&self, format: Format, style: Style) -> String {
        match format {
            Format::Text => text::write(self, style),
            Format::Json => json(self),
            Format::Markdown => markdown::write(self),
            Format::Html => html::write(self),
            Format::Junit => junit::write(self),
        }
    }
}

fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has no map with keys other than text");
    text.push('\n');
    text
}

/// What answered in the ranges answers for the uplink as well.
fn attested(context: &RunContext, observations: &[Observation]) -> RunContext {
    let mut context = context.clone();
    let answered = |o: &&Observation| o.outcome.is_ok() && o.purpose != Purpose::NegativeControl;
    for observation in observations.iter().filter(answered) {
        context.note(Family::of(observation.target.ip()), true);
    }
    context
}

/// What the run came to: something that is needed is blocked, or it cannot be said, or all is open.
fn status(ranges: &[RangeVerdict], endpoints: &[Verdict]) -> ExitStatus {
    let viewers = || ranges.iter().filter(|verdict| verdict.range.role == Role::Viewer);
    // Addresses that could not be asked at all are no finding, unless nothing else was asked for.
    let skipped =
        |verdict: &RangeVerdict| matches!(verdict.reason, Reason::NoRoute | Reason::NotEnumerable | Reason::Ipv6Silent);
    let unknown = |verdict: &RangeVerdict| verdict.verdict == Verdict::Undetermined;
    match () {
        () if viewers().any(|verdict| verdict.verdict.accuses()) => ExitStatus::NotReachable,
        () if endpoints.iter().any(|verdict| verdict.accuses()) => ExitStatus::NotReachable,
        () if viewers().any(|verdict| unknown(verdict) && !skipped(verdict)) => ExitStatus::Inconclusive,
        () if endpoints.contains(&Verdict::Undetermined) => ExitStatus::Inconclusive,
        () if viewers().count() > 0 && viewers().all(unknown) => ExitStatus::Inconclusive,
        () => ExitStatus::Reachable,
    }
}

/// What the evidence lacks, and what would better it.
fn limits(run: &Run<'_>, verdicts: &[RangeVerdict]) -> Vec<String> {
    let mut limits = run.limits.clone();
    let discarded = run.evidence.controls.waves_discarded;
    if discarded > 2 {
        limits.push(format!(
            "{discarded} times the controls went silent and what was silent then was discarded: something loses packets or \
             limits new connections; --profile quiet asks more slowly"
        ));
    }
    let unsettled = |verdict: &RangeVerdict| matches!(verdict.reason, Reason::DarkParts | Reason::TooFew);
    if !run.evidence.interrupted && verdicts.iter().any(unsettled) {
        limits.push(
            "a baseline tells what is dark from what is blocked: egressd baseline record -o base.json on an open network, \
             then egressd check --baseline base.json here"
                .to_owned(),
        );
    }
    limits
}

/// Seconds with the precision that a clock of microseconds allows.
fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}

impl Feed {
    fn of(feed: &FeedSnapshot) -> Self {
        Self {
            source: feed.source,
            name: feed.name.clone(),
            serial: feed.serial.clone(),
            date: feed.date.map(|date| date.to_string()),
            sha256: feed.sha256.clone(),
            prefixes: feed.ranges.len(),
            note: feed.note(),
        }
    }
}

impl BaselineReport {
    fn of(baseline: &Baseline) -> Self {
        let dates = baseline.dates();
        Self {
            cells: baseline.cells(),
            addresses: baseline.addresses().count(),
            oldest: dates.map(|(oldest, _)| oldest.to_string()),
            newest: dates.map(|(_, newest)| newest.to_string()),
        }
    }
}

impl Controls {
    fn of(evidence: &Evidence) -> Self {
        let of = |purpose| evidence.observations.iter().filter(move |o| o.purpose == purpose);
        let answered = |purpose| of(purpose).filter(|o| o.outcome.is_ok()).count();
        Self {
            sent: evidence.controls.sent,
            answered: evidence.controls.answered,
            negative_answered: answered(Purpose::NegativeControl),
            waves_discarded: evidence.controls.waves_discarded,
            uplink_sent: of(Purpose::UplinkControl).count(),
            uplink_answered: answered(Purpose::UplinkControl),
        }
    }
}

impl Probes {
    fn of(plan: &ProbePlan, evidence: &Evidence) -> Self {
        let probe = |o: &&Observation| o.operation == Operation::Connect && matches!(o.purpose, Purpose::Range(_));
        let count =
            |wanted: fn(&Observation) -> bool| evidence.observations.iter().filter(probe).filter(|o| wanted(o)).count();
        Self {
            sent: count(|_| true),
            answered: count(|o| o.outcome.is_ok()),
            rejected: count(|o| {
                matches!(o.outcome, Err(Failure::Reset | Failure::Unreachable(_) | Failure::RejectedHere(_)))
            }),
            silent: count(|o| matches!(o.outcome, Err(Failure::NoAnswer | Failure::ControlsSilent))),
            per_second_limit: Some(plan.pace.per_second).filter(|rate| rate.is_finite()),
        }
    }
}

impl RangeReport {
    fn of(verdict: &RangeVerdict, baseline: Option<&Baseline>) -> Self {
        Self {
            prefix: verdict.range.prefix,
            list: verdict.range.list,
            role: verdict.range.role,
            verdict: verdict.verdict,
            mechanism: verdict.mechanism,
            blocked: verdict.blocked.clone(),
            undetermined: verdict.undetermined.clone(),
            offender: verdict.offender,
            confidence: Confidence {
                alpha: verdict.confidence.alpha,
                nats: (verdict.confidence.nats * 100.0).round() / 100.0,
            },
            reason: reason::sentence(verdict, baseline),
            probes: verdict.probes,
            answered: verdict.answered,
            authenticated: verdict.authenticated,
            rtt_seconds: RoundTrip {
                min: verdict.rtt.map(|(min, _)| rounded(min)),
                median: verdict.rtt.map(|(_, median)| rounded(median)),
            },
        }
    }

    fn is_viewer(&self) -> bool {
        self.role == Role::Viewer
    }

    fn blocked_addresses(&self) -> u128 {
        self.blocked.iter().map(|prefix| prefix.addresses()).fold(0, u128::saturating_add)
    }

    fn is_v6(&self) -> bool {
        self.prefix.family() == Family::V6
    }
}

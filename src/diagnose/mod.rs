//! From many verdicts to few causes, each with its evidence, its fix, whose job that is, and what to run next.

mod ranges;
mod stale;
#[cfg(test)]
mod tests;
mod uplink;

pub use ranges::how;

use serde::{Deserialize, Serialize};

use crate::observe::Observation;
use crate::plan::ProbePlan;
use crate::prefix::Prefix;
use crate::ranges::FeedSnapshot;
use crate::verdict::RangeVerdict;

/// A cause, not a symptom.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Which cause.
    pub id: Cause,
    /// The cause in one sentence.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// Whose job the fix is.
    pub owner: Owner,
    /// The prefixes that it is about.
    pub prefixes: Vec<Prefix>,
    /// The endpoints that it is about.
    pub endpoints: Vec<String>,
    /// What it rests on, a sentence each.
    pub evidence: Vec<String>,
    /// What to change.
    pub fix: String,
    /// What to run next; none where nothing of ours helps.
    pub command: Option<String>,
    /// Probability that it holds.
    pub confidence: f64,
}

/// The causes that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The way out of the own network is down, or was never there.
    OwnUplinkDown,
    /// No range is reachable, though other addresses are.
    EverythingBlocked,
    /// Something on the way completes connections to every address.
    AnswersForEveryone,
    /// The firewall allows an older list than the one in force.
    StaleAllowlist,
    /// Packets to ranges vanish at one place.
    RangeDropped,
    /// One device rejects ranges with ICMP errors.
    RangeRejected,
    /// Something resets connections to ranges.
    RangeReset,
    /// A certificate that is not the server's is shown.
    TlsIntercepted,
    /// This host has no route for IPv6.
    NoIpv6Route,
}

/// How much a cause matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Transfers fail.
    Critical,
    /// Transfers may fail, or cannot be judged.
    Warning,
    /// Good to know.
    Info,
}

/// Whose job a fix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Who runs firewall and routers.
    Network,
    /// Who runs the proxy.
    Proxy,
    /// The messaging platform.
    Platform,
    /// Who sends the file.
    Sender,
    /// Who runs this host.
    Host,
}

/// Everything that a diagnosis may look at.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    /// What was to be probed.
    pub plan: &'a ProbePlan,
    /// What was seen.
    pub observations: &'a [Observation],
    /// What is said of each range.
    pub verdicts: &'a [RangeVerdict],
    /// The list in force.
    pub feed: &'a FeedSnapshot,
    /// Older lists that are at hand.
    pub held: &'a [FeedSnapshot],
}

/// The causes behind the findings, the gravest first.
#[must_use]
pub fn diagnose(findings: &Findings<'_>) -> Vec<Diagnosis> {
    let mut diagnoses: Vec<Diagnosis> = uplink::own_uplink_down(findings).into_iter().collect();
    if diagnoses.is_empty() {
        diagnoses.extend(uplink::answers_for_everyone(findings));
        diagnoses.extend(uplink::no_ipv6_route(findings));
        diagnoses.extend(causes_of_blocks(findings));
    }
    diagnoses.sort_by_key(|diagnosis| (diagnosis.severity, diagnosis.id));
    diagnoses
}

fn causes_of_blocks(findings: &Findings<'_>) -> Vec<Diagnosis> {
    if let Some(everything) = uplink::everything_blocked(findings) {
        return vec![everything];
    }
    let stale = stale::stale_allowlist(findings);
    let explained = |verdict: &RangeVerdict| {
        stale.as_ref().is_some_and(|stale| verdict.blocked.iter().all(|blocked| covered(&stale.prefixes, *blocked)))
    };
    let rest: Vec<&RangeVerdict> = findings.verdicts.iter().filter(|v| v.verdict.accuses() && !explained(v)).collect();
    let mut causes = ranges::by_place(&rest);
    causes.extend(stale);
    causes
}

fn covered(prefixes: &[Prefix], prefix: Prefix) -> bool {
    prefixes.iter().any(|wider| wider.covers(prefix))
}

impl Cause {
    /// The name in JSON, labels and `egressd explain`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnUplinkDown => "own_uplink_down",
            Self::EverythingBlocked => "everything_blocked",
            Self::AnswersForEveryone => "answers_for_everyone",
            Self::StaleAllowlist => "stale_allowlist",
            Self::RangeDropped => "range_dropped",
            Self::RangeRejected => "range_rejected",
            Self::RangeReset => "range_reset",
            Self::TlsIntercepted => "tls_intercepted",
            Self::NoIpv6Route => "no_ipv6_route",
        }
    }
}

impl Severity {
    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl Owner {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Proxy => "proxy",
            Self::Platform => "platform",
            Self::Sender => "sender",
            Self::Host => "host",
        }
    }
}

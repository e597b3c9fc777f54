//! From many verdicts to few causes, each with its evidence, its fix, whose job that is, and what to run next.

mod endpoints;
mod media;
mod ranges;
mod rules;
mod stale;
#[cfg(test)]
mod tests;
mod uplink;

pub use endpoints::{EndpointFindings, endpoint_verdicts};
pub use media::media_verdicts;
pub use ranges::how;

use serde::{Deserialize, Serialize};

use crate::media::send::SendRun;
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
    /// Ranges are blocked that the rules of the audited firewall allow.
    BlockedBehindRules,
    /// Packets to ranges vanish at one place.
    RangeDropped,
    /// One device rejects ranges with ICMP errors.
    RangeRejected,
    /// Something resets connections to ranges.
    RangeReset,
    /// A certificate that is not the server's is shown.
    TlsIntercepted,
    /// A name is hidden, or leads elsewhere.
    DnsTampered,
    /// The resolvers do not know a name.
    NameNotFound,
    /// No resolver answers.
    DnsUnreachable,
    /// The host's own resolver fails, others work.
    ResolverBroken,
    /// A name leads outside the published ranges, and its server is the right one.
    OutsidePublishedRanges,
    /// Packets to an endpoint vanish.
    EndpointDropped,
    /// Somebody rejects connections to an endpoint with ICMP errors.
    EndpointRejected,
    /// Somebody resets connections to an endpoint.
    EndpointReset,
    /// Handshakes break because of the name in them.
    SniBlocked,
    /// The server's certificate has expired, or is for another name.
    CertificateInvalid,
    /// This host's clock is wrong.
    ClockWrong,
    /// A page that denies access comes in the place of answers.
    BlockPage,
    /// Nobody has logged in to the network.
    CaptivePortal,
    /// The proxy asks for credentials.
    ProxyAuthRequired,
    /// The proxy refuses to connect.
    ProxyDenied,
    /// The proxy cannot be reached.
    ProxyUnreachable,
    /// Something limits size, type, method or time of requests.
    ProxyLimit,
    /// Large packets vanish.
    MtuBlackHole,
    /// Transfers are slowed down.
    Throttled,
    /// Transfers stall or break in the middle.
    TransferCut,
    /// Bodies are changed on the way.
    BodyChanged,
    /// Connections that rest are forgotten on the way.
    IdleCut,
    /// Uploads are refused whatever they hold.
    UploadRefused,
    /// Uploads above a size are refused.
    UploadSizeLimit,
    /// Files are refused by their declared type or their extension.
    FileTypeRefused,
    /// Files are refused by what is in them.
    ContentRefused,
    /// Uploads that take long are cut.
    SlowUploadCut,
    /// Requests that ask before they send a body fail.
    ExpectMishandled,
    /// What was sent cannot be fetched.
    FileNotReceived,
    /// What was sent comes back with another type.
    ContentTypeChanged,
    /// Bodies without a length are refused.
    ChunkedRefused,
    /// The server itself answers wrongly.
    EndpointMisbehaves,
    /// This host lacks descriptors or processor time.
    HostLimits,
    /// QUIC packets do not pass.
    QuicBlocked,
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
    /// What is known of the endpoints.
    pub endpoints: EndpointFindings<'a>,
    /// What was seen of the media that were sent.
    pub media: &'a [SendRun],
}

/// The causes behind the findings, the gravest first.
#[must_use]
pub fn diagnose(findings: &Findings<'_>) -> Vec<Diagnosis> {
    let mut diagnoses = if findings.plan.ranges.is_empty() { Vec::new() } else { causes_in_ranges(findings) };
    let more = endpoints::causes(&findings.endpoints, &mut diagnoses);
    diagnoses.extend(more);
    media::explain(findings.media, &mut diagnoses);
    diagnoses.sort_by_key(|diagnosis| (diagnosis.severity, diagnosis.id));
    diagnoses
}

fn causes_in_ranges(findings: &Findings<'_>) -> Vec<Diagnosis> {
    let mut diagnoses: Vec<Diagnosis> = uplink::own_uplink_down(findings).into_iter().collect();
    if diagnoses.is_empty() {
        diagnoses.extend(uplink::answers_for_everyone(findings));
        diagnoses.extend(uplink::no_ipv6_route(findings));
        diagnoses.extend(causes_of_blocks(findings));
    }
    diagnoses
}

fn causes_of_blocks(findings: &Findings<'_>) -> Vec<Diagnosis> {
    if let Some(everything) = uplink::everything_blocked(findings) {
        return std::iter::once(everything).chain(rules::blocked_behind_rules(findings)).collect();
    }
    let stale = stale::stale_allowlist(findings);
    let explained = |verdict: &RangeVerdict| {
        stale.as_ref().is_some_and(|stale| verdict.blocked.iter().all(|blocked| covered(&stale.prefixes, *blocked)))
    };
    let rest: Vec<&RangeVerdict> = findings.verdicts.iter().filter(|v| v.verdict.accuses() && !explained(v)).collect();
    let mut causes = ranges::by_place(&rest);
    causes.extend(stale);
    causes.extend(rules::blocked_behind_rules(findings));
    causes
}

fn covered(prefixes: &[Prefix], prefix: Prefix) -> bool {
    prefixes.iter().any(|wider| wider.covers(prefix))
}

impl Cause {
    /// All of them, the gravest first.
    pub const ALL: [Self; 44] = [
        Self::OwnUplinkDown,
        Self::EverythingBlocked,
        Self::AnswersForEveryone,
        Self::StaleAllowlist,
        Self::BlockedBehindRules,
        Self::RangeDropped,
        Self::RangeRejected,
        Self::RangeReset,
        Self::TlsIntercepted,
        Self::DnsTampered,
        Self::NameNotFound,
        Self::DnsUnreachable,
        Self::ResolverBroken,
        Self::OutsidePublishedRanges,
        Self::EndpointDropped,
        Self::EndpointRejected,
        Self::EndpointReset,
        Self::SniBlocked,
        Self::CertificateInvalid,
        Self::ClockWrong,
        Self::BlockPage,
        Self::CaptivePortal,
        Self::ProxyAuthRequired,
        Self::ProxyDenied,
        Self::ProxyUnreachable,
        Self::ProxyLimit,
        Self::MtuBlackHole,
        Self::Throttled,
        Self::TransferCut,
        Self::BodyChanged,
        Self::IdleCut,
        Self::UploadRefused,
        Self::UploadSizeLimit,
        Self::FileTypeRefused,
        Self::ContentRefused,
        Self::SlowUploadCut,
        Self::ExpectMishandled,
        Self::FileNotReceived,
        Self::ContentTypeChanged,
        Self::ChunkedRefused,
        Self::EndpointMisbehaves,
        Self::HostLimits,
        Self::QuicBlocked,
        Self::NoIpv6Route,
    ];

    /// The name in JSON, labels and `egressd explain`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnUplinkDown => "own_uplink_down",
            Self::EverythingBlocked => "everything_blocked",
            Self::AnswersForEveryone => "answers_for_everyone",
            Self::StaleAllowlist => "stale_allowlist",
            Self::BlockedBehindRules => "blocked_behind_rules",
            Self::RangeDropped => "range_dropped",
            Self::RangeRejected => "range_rejected",
            Self::RangeReset => "range_reset",
            Self::TlsIntercepted => "tls_intercepted",
            Self::DnsTampered => "dns_tampered",
            Self::NameNotFound => "name_not_found",
            Self::DnsUnreachable => "dns_unreachable",
            Self::ResolverBroken => "resolver_broken",
            Self::OutsidePublishedRanges => "outside_published_ranges",
            Self::EndpointDropped => "endpoint_dropped",
            Self::EndpointRejected => "endpoint_rejected",
            Self::EndpointReset => "endpoint_reset",
            Self::SniBlocked => "sni_blocked",
            Self::CertificateInvalid => "certificate_invalid",
            Self::ClockWrong => "clock_wrong",
            Self::BlockPage => "block_page",
            Self::CaptivePortal => "captive_portal",
            Self::ProxyAuthRequired => "proxy_auth_required",
            Self::ProxyDenied => "proxy_denied",
            Self::ProxyUnreachable => "proxy_unreachable",
            Self::ProxyLimit => "proxy_limit",
            Self::MtuBlackHole => "mtu_black_hole",
            Self::Throttled => "throttled",
            Self::TransferCut => "transfer_cut",
            Self::BodyChanged => "body_changed",
            Self::IdleCut => "idle_cut",
            Self::UploadRefused => "upload_refused",
            Self::UploadSizeLimit => "upload_size_limit",
            Self::FileTypeRefused => "file_type_refused",
            Self::ContentRefused => "content_refused",
            Self::SlowUploadCut => "slow_upload_cut",
            Self::ExpectMishandled => "expect_mishandled",
            Self::FileNotReceived => "file_not_received",
            Self::ContentTypeChanged => "content_type_changed",
            Self::ChunkedRefused => "chunked_refused",
            Self::EndpointMisbehaves => "endpoint_misbehaves",
            Self::HostLimits => "host_limits",
            Self::QuicBlocked => "quic_blocked",
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

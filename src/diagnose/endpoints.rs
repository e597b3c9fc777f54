//! Causes behind endpoints that fail: one for all that fail alike.

mod beside;
mod words;

use std::collections::BTreeMap;

use super::{Cause, Diagnosis, Owner, Severity, ranges};
use crate::endpoint::{Detail, EndpointRun, Path, RunContext, Step, TlsDetail, Trusted, Variant};
use crate::fingerprint::{Product, products};
use crate::observe::{DnsFailure, Failure, Operation, ProxyFailure, TransferFailure};
use crate::text::counted;
use crate::verdict::{EndpointVerdict, Layer, Mechanism, Verdict};
use beside::{outside, quic, starved};
use words::{command, fix, title};

/// What is known of the endpoints.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndpointFindings<'a> {
    /// What was seen.
    pub runs: &'a [EndpointRun],
    /// What is said of each.
    pub verdicts: &'a [EndpointVerdict],
    /// What is known besides.
    pub context: Option<&'a RunContext>,
}

/// A run with what is said of it.
#[derive(Clone, Copy)]
struct Judged<'a> {
    run: &'a EndpointRun,
    verdict: &'a EndpointVerdict,
}

impl<'a> EndpointFindings<'a> {
    /// The runs that decide: through the proxy where there is one, since programs go that way.
    fn decisive(&self) -> impl Iterator<Item = Judged<'a>> {
        let runs = self.runs;
        let all = self.runs.iter().zip(self.verdicts).map(|(run, verdict)| Judged { run, verdict });
        all.filter(move |judged| {
            let proxied =
                |run: &EndpointRun| matches!(run.path, Path::Proxy(_)) && run.endpoint.name == judged.run.endpoint.name;
            matches!(judged.run.path, Path::Proxy(_)) || !runs.iter().any(proxied)
        })
    }
}

/// Whether the endpoints decide that something is not reachable, or cannot be told.
#[must_use]
pub fn endpoint_verdicts(findings: &EndpointFindings<'_>) -> Vec<Verdict> {
    findings.decisive().map(|judged| judged.verdict.verdict).collect()
}

/// The causes, those that the ranges already show left out: they only learn which endpoints they concern.
pub(super) fn causes(findings: &EndpointFindings<'_>, known: &mut [Diagnosis]) -> Vec<Diagnosis> {
    let mut groups: BTreeMap<(Cause, String), Vec<Judged<'_>>> = BTreeMap::new();
    for judged in findings.decisive() {
        let Some(cause) = cause(judged) else { continue };
        if !explained(judged, cause, known) {
            groups.entry((cause, place(judged, cause))).or_default().push(judged);
        }
    }
    let mut causes: Vec<Diagnosis> =
        groups.iter().map(|((cause, place), group)| diagnosis(*cause, place, group)).collect();
    causes.extend(outside(findings));
    causes.extend(quic(findings));
    causes.extend(starved(findings));
    causes
}

/// Whether the ranges show the same; the endpoint is then named there.
fn explained(judged: Judged<'_>, cause: Cause, known: &mut [Diagnosis]) -> bool {
    let addresses: Vec<_> = failing_addresses(judged.run);
    let same = |diagnosis: &&mut Diagnosis| match cause {
        Cause::EndpointDropped | Cause::EndpointReset | Cause::TlsIntercepted
            if diagnosis.id == Cause::AnswersForEveryone =>
        {
            true
        }
        Cause::EndpointDropped | Cause::EndpointRejected | Cause::EndpointReset => {
            !addresses.is_empty()
                && addresses.iter().all(|address| diagnosis.prefixes.iter().any(|prefix| prefix.holds(*address)))
        }
        Cause::TlsIntercepted => diagnosis.id == Cause::TlsIntercepted,
        Cause::OwnUplinkDown => diagnosis.id == Cause::OwnUplinkDown,
        _ => false,
    };
    let found = known.iter_mut().find(same);
    let is_known = found.is_some();
    if let Some(diagnosis) = found {
        diagnosis.endpoints.push(judged.run.endpoint.name.clone());
    }
    is_known
}

fn failing_addresses(run: &EndpointRun) -> Vec<std::net::IpAddr> {
    let failing =
        |step: &&Step| step.operation == Operation::Connect && step.variant == Variant::Plain && step.failure.is_some();
    let mut addresses: Vec<_> = run.steps.iter().filter(failing).filter_map(|step| Some(step.address?.ip())).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn cause(judged: Judged<'_>) -> Option<Cause> {
    let EndpointVerdict { verdict, mechanism, failure, layer, name_blocked, .. } = judged.verdict;
    match (verdict, mechanism) {
        (Verdict::Undetermined, _) => return unsettled(failure.as_ref()?),
        (verdict, _) if !verdict.accuses() => return None,
        (_, Some(mechanism)) => return Some(of_mechanism(*mechanism, *layer, failure.as_ref(), *name_blocked)),
        (_, None) => {}
    }
    Some(match failure.as_ref()? {
        Failure::Dns(DnsFailure::NoAnswer | DnsFailure::ServerFailure) => unanswered(judged.run),
        Failure::Dns(_) => Cause::NameNotFound,
        Failure::TlsInvalidCertificate(_) => wrong_certificate(judged.run),
        Failure::Proxy(_) => Cause::ProxyUnreachable,
        Failure::Transfer(TransferFailure::Changed | TransferFailure::Truncated { .. }) => Cause::BodyChanged,
        _ => Cause::EndpointMisbehaves,
    })
}

fn of_mechanism(mechanism: Mechanism, layer: Option<Layer>, failure: Option<&Failure>, name_blocked: bool) -> Cause {
    let body = layer == Some(Layer::Transfer);
    match mechanism {
        Mechanism::Dropped | Mechanism::Reset if name_blocked => Cause::SniBlocked,
        Mechanism::Dropped if failure == Some(&Failure::IdleCut) => Cause::IdleCut,
        Mechanism::Dropped | Mechanism::Reset if body => Cause::TransferCut,
        Mechanism::Dropped => Cause::EndpointDropped,
        Mechanism::Reset => Cause::EndpointReset,
        Mechanism::RejectedIcmp => Cause::EndpointRejected,
        Mechanism::TlsIntercepted => Cause::TlsIntercepted,
        Mechanism::BlockPage => Cause::BlockPage,
        Mechanism::DnsTampered => Cause::DnsTampered,
        Mechanism::ProxyDenied if matches!(failure, Some(Failure::Proxy(ProxyFailure::AuthenticationRequired(_)))) => {
            Cause::ProxyAuthRequired
        }
        Mechanism::ProxyDenied => Cause::ProxyDenied,
        Mechanism::ProxyLimit => Cause::ProxyLimit,
        Mechanism::MtuBlackHole => Cause::MtuBlackHole,
        Mechanism::Throttled => Cause::Throttled,
        Mechanism::Portal => Cause::CaptivePortal,
    }
}

fn unsettled(failure: &Failure) -> Option<Cause> {
    match failure {
        Failure::LocalLimit(_) => Some(Cause::HostLimits),
        Failure::NoAnswer | Failure::NoRoute | Failure::Dns(DnsFailure::NoAnswer) => Some(Cause::OwnUplinkDown),
        _ => None,
    }
}

/// Whether only the host's own resolvers stay silent.
fn unanswered(run: &EndpointRun) -> Cause {
    let other =
        |step: &Step| matches!(&step.detail, Detail::Resolve(detail) if !detail.system && !detail.answers.is_empty());
    if run.steps.iter().any(other) { Cause::ResolverBroken } else { Cause::DnsUnreachable }
}

/// Whether the certificate is sound at the time that the server's clock shows.
fn wrong_certificate(run: &EndpointRun) -> Cause {
    let sound = |tls: &TlsDetail| tls.at_server_time == Some(Trusted::Valid);
    if handshakes(run).any(sound) { Cause::ClockWrong } else { Cause::CertificateInvalid }
}

fn handshakes(run: &EndpointRun) -> impl Iterator<Item = &TlsDetail> {
    run.steps.iter().filter_map(|step| match &step.detail {
        Detail::Tls(tls) => Some(&**tls),
        _ => None,
    })
}

/// What endpoints that fail alike have in common.
fn place(judged: Judged<'_>, cause: Cause) -> String {
    let issuer = || {
        let shown = handshakes(judged.run).filter(|tls| !tls.authenticated());
        shown.filter_map(|tls| tls.certificate.as_ref()).map(|seen| seen.issuer.clone()).next()
    };
    let place = match cause {
        Cause::TlsIntercepted => issuer(),
        Cause::BlockPage => product(judged.run),
        Cause::EndpointDropped | Cause::EndpointReset | Cause::EndpointRejected => {
            let mechanism = judged.verdict.mechanism.unwrap_or(Mechanism::Dropped);
            Some(judged.run.offender.map_or_else(
                || judged.verdict.reason.clone(),
                |offender| ranges::how(mechanism, Some(&offender), None),
            ))
        }
        Cause::OwnUplinkDown | Cause::CaptivePortal | Cause::ClockWrong | Cause::DnsUnreachable => None,
        _ => Some(judged.verdict.reason.clone()),
    };
    place.unwrap_or_default()
}

/// The product that shows itself in a page or a certificate.
fn product(run: &EndpointRun) -> Option<String> {
    let page = run.steps.iter().find_map(|step| match &step.detail {
        Detail::Http(http) => http.product.clone(),
        _ => None,
    });
    page.or_else(|| handshakes(run).filter(|tls| !tls.authenticated()).find_map(|tls| tls.product.clone()))
}

fn diagnosis(cause: Cause, place: &str, group: &[Judged<'_>]) -> Diagnosis {
    let first = group[0];
    let mut names: Vec<String> = group.iter().map(|judged| judged.run.endpoint.name.clone()).collect();
    names.dedup();
    let product = group.iter().find_map(|judged| product(judged.run));
    let known = product.as_deref().and_then(|name| products().iter().find(|product| product.name == name));
    let whole = group.iter().any(|judged| judged.verdict.verdict == Verdict::Blocked);
    Diagnosis {
        id: cause,
        title: title(cause, first, &names, place, product.as_deref()),
        severity: severity(cause, whole),
        owner: owner(cause, first, known),
        prefixes: Vec::new(),
        evidence: evidence(group),
        fix: fix(cause, first, &hosts(group), product.as_deref()),
        command: Some(command(cause, first)),
        confidence: confidence(cause, first),
        endpoints: names,
    }
}

fn hosts(group: &[Judged<'_>]) -> String {
    let mut hosts: Vec<&str> = group.iter().map(|judged| judged.run.endpoint.url.host()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.join(", ")
}

fn severity(cause: Cause, whole: bool) -> Severity {
    match cause {
        Cause::OwnUplinkDown => Severity::Critical,
        Cause::HostLimits => Severity::Warning,
        _ if whole => Severity::Critical,
        _ => Severity::Warning,
    }
}

fn owner(cause: Cause, first: Judged<'_>, product: Option<&Product>) -> Owner {
    let proxied = matches!(first.run.path, Path::Proxy(_));
    let authenticated = handshakes(first.run).any(TlsDetail::authenticated);
    match cause {
        Cause::TlsIntercepted | Cause::BlockPage if product.is_some_and(|product| product.kind.on_this_host()) => {
            Owner::Host
        }
        Cause::ProxyLimit | Cause::BodyChanged if authenticated && !proxied => Owner::Platform,
        Cause::TlsIntercepted
        | Cause::BlockPage
        | Cause::ProxyAuthRequired
        | Cause::ProxyDenied
        | Cause::ProxyUnreachable
        | Cause::ProxyLimit
        | Cause::BodyChanged => Owner::Proxy,
        Cause::CertificateInvalid | Cause::EndpointMisbehaves => Owner::Platform,
        Cause::ClockWrong | Cause::ResolverBroken | Cause::HostLimits => Owner::Host,
        Cause::EndpointRejected if matches!(first.verdict.failure, Some(Failure::RejectedHere(_))) => Owner::Host,
        _ => Owner::Network,
    }
}

/// A line for each endpoint: what was seen where.
fn evidence(group: &[Judged<'_>]) -> Vec<String> {
    const MOST: usize = 8;
    let line = |judged: &Judged<'_>| {
        let address = failing_step(judged.run).and_then(|step| step.address);
        let address = address.map_or_else(String::new, |address| format!(" at {address}"));
        let path = if matches!(judged.run.path, Path::Proxy(_)) { " through the proxy" } else { "" };
        format!("{}{path}{address}: {}", judged.run.endpoint.name, judged.verdict.reason)
    };
    let mut lines: Vec<String> = group.iter().take(MOST).map(line).collect();
    let mut places: Vec<String> = group.iter().filter_map(|judged| whereabouts(*judged)).collect();
    places.dedup();
    lines.extend(places.into_iter().take(MOST));
    lines.extend(unknown_interceptor(group));
    if let Some(more) = group.len().checked_sub(MOST).filter(|&more| more > 0) {
        lines.push(format!("and {}", counted(more, "more endpoint", "more endpoints")));
    }
    lines
}

/// An interceptor that no fingerprint knows is told by its key, which its other certificates are signed with or for.
fn unknown_interceptor(group: &[Judged<'_>]) -> Option<String> {
    let foreign = |judged: &Judged<'_>| judged.verdict.mechanism == Some(Mechanism::TlsIntercepted);
    let mut shown = group.iter().filter(|judged| foreign(judged)).flat_map(|judged| handshakes(judged.run));
    let tls = shown.find(|tls| !tls.authenticated() && tls.product.is_none() && tls.certificate.is_some())?;
    let seen = tls.certificate.as_ref()?;
    Some(format!("no known product: issuer \"{}\", key of the certificate SHA-256 {}", seen.issuer, seen.key_sha256))
}

/// Where on the path it happens, if that was traced and the title does not say it.
fn whereabouts(judged: Judged<'_>) -> Option<String> {
    let offender = judged.run.offender?;
    match (judged.verdict.mechanism?, judged.verdict.layer?) {
        (Mechanism::Reset, Layer::Tls) => Some(format!("handshakes are reset {}", ranges::between(&offender))),
        (Mechanism::TlsIntercepted | Mechanism::BlockPage, _) => {
            let (address, hop) = (offender.hop_address?, offender.hop?);
            Some(format!("connections are answered at the distance of {address} (hop {hop}), not by the server"))
        }
        _ => None,
    }
}

fn failing_step(run: &EndpointRun) -> Option<&Step> {
    let failing = || run.steps.iter().filter(|step| step.failure.is_some() && step.address.is_some());
    failing().find(|step| step.variant == Variant::Plain).or_else(|| failing().next())
}

/// What somebody said is taken as said; what is concluded from silence has the error rate of the tries behind it: six
/// packets, each lost with a probability of at most one in five.
fn confidence(cause: Cause, first: Judged<'_>) -> f64 {
    match (cause, &first.verdict.failure) {
        (Cause::OwnUplinkDown | Cause::HostLimits, _) => 0.5,
        (Cause::NameNotFound, _) => 0.8,
        (_, Some(Failure::NoAnswer)) => 0.9999,
        _ => 0.99,
    }
}

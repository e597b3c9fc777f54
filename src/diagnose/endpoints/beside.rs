//! Causes beside the endpoints' verdicts: what is good to know, and what makes the evidence worth less.

use super::super::{Cause, Diagnosis, Owner, Severity};
use super::{EndpointFindings, Judged};
use crate::endpoint::{Detail, EndpointRun, Step};
use crate::observe::{DnsFailure, Failure};
use crate::verdict::STARVED;

/// A name that leads outside the published ranges and works all the same.
pub(super) fn outside(findings: &EndpointFindings<'_>) -> Option<Diagnosis> {
    let outside = |judged: &Judged<'_>| {
        let leads = |step: &Step| matches!(step.failure, Some(Failure::Dns(DnsFailure::OutsideRanges(_))));
        !judged.verdict.verdict.accuses() && judged.run.steps.iter().any(leads)
    };
    let group: Vec<Judged<'_>> = findings.decisive().filter(outside).collect();
    let first = group.first()?;
    Some(Diagnosis {
        id: Cause::OutsidePublishedRanges,
        title: "a name leads to addresses outside the published ranges, and its server proves that it is the right one"
            .to_owned(),
        severity: Severity::Warning,
        owner: Owner::Platform,
        prefixes: Vec::new(),
        endpoints: group.iter().map(|judged| judged.run.endpoint.name.clone()).collect(),
        evidence: outside_lines(first.run),
        fix: "take the newest published list: an allowlist made of this one does not cover the server".to_owned(),
        command: Some(format!("egressd explain {}", Cause::OutsidePublishedRanges.name())),
        confidence: 0.99,
    })
}

fn outside_lines(run: &EndpointRun) -> Vec<String> {
    let line = |step: &Step| match (&step.failure, &step.detail) {
        (Some(Failure::Dns(DnsFailure::OutsideRanges(address))), Detail::Resolve(detail)) => {
            Some(format!("{}: {} gives {address}", run.endpoint.url.host(), detail.resolver))
        }
        _ => None,
    };
    run.steps.iter().filter_map(line).take(4).collect()
}

/// A server offers HTTP/3, and no QUIC packet of it arrives. Clients fall back: it is good to know, and no block.
pub(super) fn quic(findings: &EndpointFindings<'_>) -> Option<Diagnosis> {
    let offers = |run: &EndpointRun| {
        run.steps.iter().any(|step| {
            matches!(&step.detail, Detail::Http(http) if http.header("alt-svc").is_some_and(|value| value.contains("h3")))
        })
    };
    let silent = |run: &EndpointRun| {
        run.steps.iter().any(|step| matches!(step.detail, Detail::Quic { .. }) && step.failure.is_some())
    };
    let group: Vec<Judged<'_>> = findings
        .decisive()
        .filter(|judged| !judged.verdict.verdict.accuses() && offers(judged.run) && silent(judged.run))
        .collect();
    if group.is_empty() {
        return None;
    }
    Some(Diagnosis {
        id: Cause::QuicBlocked,
        title: "QUIC (UDP 443) does not pass; clients fall back to TCP, which works".to_owned(),
        severity: Severity::Info,
        owner: Owner::Network,
        prefixes: Vec::new(),
        endpoints: group.iter().map(|judged| judged.run.endpoint.name.clone()).collect(),
        evidence: vec!["servers offer HTTP/3, and none answers a QUIC packet".to_owned()],
        fix: "nothing has to be done; allowing outbound UDP 443 saves the fallback".to_owned(),
        command: Some(format!("egressd explain {}", Cause::QuicBlocked.name())),
        confidence: 0.9,
    })
}

/// This process was not given the processor: times are wrong, and silences say nothing.
pub(super) fn starved(findings: &EndpointFindings<'_>) -> Option<Diagnosis> {
    let starved = findings.context?.starved;
    (starved >= STARVED).then(|| Diagnosis {
        id: Cause::HostLimits,
        title: format!("this process waited {:.1} s for the processor: its times say nothing", starved.as_secs_f64()),
        severity: Severity::Warning,
        owner: Owner::Host,
        prefixes: Vec::new(),
        endpoints: Vec::new(),
        evidence: vec!["a timer of 50 ms came that late".to_owned()],
        fix: "check again when this host is less busy".to_owned(),
        command: Some(format!("egressd explain {}", Cause::HostLimits.name())),
        confidence: 0.99,
    })
}

//! Causes that concern everything at once: the own uplink, a block of all ranges, somebody who answers for everybody.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::ranges::how;
use super::{Cause, Diagnosis, Findings, Owner, Severity};
use crate::observe::{Failure, Observation, Purpose};
use crate::prefix::{Family, Prefix};
use crate::ranges::Role;
use crate::scan::{Path, paths};
use crate::text::counted;
use crate::verdict::{RangeVerdict, Reason, Verdict};

/// Nothing outside answers, and nobody says that it is forbidden: the ranges cannot be judged.
pub(super) fn own_uplink_down(findings: &Findings<'_>) -> Option<Diagnosis> {
    let outside = || findings.observations.iter().filter(|o| !matches!(o.purpose, Purpose::Path));
    let accused = findings.verdicts.iter().any(|verdict| verdict.verdict.accuses());
    if accused || outside().any(|o| o.outcome.is_ok()) || outside().count() == 0 {
        return None;
    }
    let hop = farthest_hop(findings);
    let (state, confidence) = match (no_route(findings), unreachable_by(findings), hop) {
        (true, _, _) => ("this host has no route to any of them".to_owned(), 0.99),
        (false, Some(router), _) => (format!("{router} says that it has no route to any of them"), 0.95),
        (false, None, None) => {
            ("not even the first hop answers a packet whose time to live ends there".to_owned(), 0.9)
        }
        (false, None, Some((distance, hop))) => (
            format!(
                "{hop} (hop {distance}) is the last that answers: the line behind it is down, or it drops everything"
            ),
            0.5,
        ),
    };
    Some(Diagnosis {
        id: Cause::OwnUplinkDown,
        title: "nothing outside answers: the uplink of this network is down, or this host is cut off".to_owned(),
        severity: Severity::Critical,
        owner: if no_route(findings) { Owner::Host } else { Owner::Network },
        prefixes: Vec::new(),
        endpoints: Vec::new(),
        evidence: vec![silent_count(findings), state],
        fix: "restore the uplink and check again; if other sites can be reached, name an address that your firewall \
              allows under `controls` in the configuration, so that a block can be told from a failure"
            .to_owned(),
        command: Some("egressd check".to_owned()),
        confidence,
    })
}

/// Every viewers' range is blocked while something else outside answers or somebody rejects them.
pub(super) fn everything_blocked(findings: &Findings<'_>) -> Option<Diagnosis> {
    let viewers: Vec<&RangeVerdict> = findings
        .verdicts
        .iter()
        .filter(|v| v.range.role == Role::Viewer && v.range.prefix.family() == Family::V4)
        .collect();
    let foreign = |verdict: &&RangeVerdict| matches!(verdict.reason, Reason::ForeignCertificate { .. });
    if viewers.len() < 2 || viewers.iter().any(|v| v.verdict != Verdict::Blocked) || viewers.iter().all(foreign) {
        return None;
    }
    let example = viewers.iter().find(|verdict| verdict.offender.is_some()).unwrap_or(&viewers[0]);
    let mechanism = example.mechanism.expect("an accusation names its mechanism");
    let prefixes: Vec<Prefix> = viewers.iter().map(|verdict| verdict.range.prefix).collect();
    let first = prefixes[0].nth(1);
    Some(Diagnosis {
        id: Cause::EverythingBlocked,
        title: format!("every CloudFront range is {}", how(mechanism, example.offender.as_ref(), None)),
        severity: Severity::Critical,
        owner: Owner::Network,
        endpoints: Vec::new(),
        evidence: vec![
            format!("none of {} answered", counted(probes(&viewers), "address", "addresses")),
            controls_outside(findings),
        ],
        fix: format!("allow outbound TCP 443 to all {} ranges of the list", findings.plan.ranges.len()),
        command: Some(format!("egressd trace {first}")),
        confidence: (1.0 - example.confidence.alpha).max(0.0),
        prefixes,
    })
}

/// An address that nobody can own answered.
pub(super) fn answers_for_everyone(findings: &Findings<'_>) -> Option<Diagnosis> {
    let negative = findings.observations.iter().filter(|o| o.purpose == Purpose::NegativeControl);
    let (answered, all): (Vec<_>, Vec<_>) =
        (negative.clone().filter(|o| o.outcome.is_ok()).collect(), negative.collect());
    if answered.is_empty() {
        return None;
    }
    let proved = findings.verdicts.iter().filter(|verdict| verdict.authenticated > 0).count();
    let nearest = paths(findings.observations).values().filter_map(Path::reached).min();
    let mut evidence = vec![format!(
        "{} of {} addresses that nobody can own (TEST-NET) accepted a connection",
        answered.len(),
        all.len()
    )];
    evidence.extend(nearest.map(|ttl| format!("connections are accepted at hop {ttl} already")));
    evidence.push(format!(
        "in {proved} of {} a server proved with its certificate to be the right one",
        counted(findings.verdicts.len(), "range", "ranges")
    ));
    Some(Diagnosis {
        id: Cause::AnswersForEveryone,
        title: "something on the way accepts connections for every address: only a certificate proves a server"
            .to_owned(),
        severity: if proved == 0 { Severity::Critical } else { Severity::Warning },
        owner: Owner::Proxy,
        prefixes: Vec::new(),
        endpoints: Vec::new(),
        evidence,
        fix: "exempt the ranges from the transparent proxy, or let it pass TLS for *.cloudfront.net untouched"
            .to_owned(),
        command: Some("egressd check --depth tls".to_owned()),
        confidence: 0.9999,
    })
}

/// Ranges of IPv6 were asked for, and this host has no route for them.
pub(super) fn no_ipv6_route(findings: &Findings<'_>) -> Option<Diagnosis> {
    let v6: Vec<&RangeVerdict> =
        findings.verdicts.iter().filter(|verdict| verdict.range.prefix.family() == Family::V6).collect();
    let without = v6.iter().filter(|verdict| verdict.reason == Reason::NoRoute).count();
    if without == 0 {
        return None;
    }
    Some(Diagnosis {
        id: Cause::NoIpv6Route,
        title: "this host has no IPv6 route: the IPv6 ranges were not checked, and nothing blocks them".to_owned(),
        severity: Severity::Info,
        owner: Owner::Host,
        prefixes: v6.iter().map(|verdict| verdict.range.prefix).collect(),
        endpoints: Vec::new(),
        evidence: vec![format!(
            "{without} of {} have no route from here",
            counted(v6.len(), "IPv6 range", "IPv6 ranges")
        )],
        fix: "nothing, if this network has no IPv6; run the check from a host that has it otherwise".to_owned(),
        command: Some("egressd check --family 4".to_owned()),
        confidence: 0.9999,
    })
}

fn no_route(findings: &Findings<'_>) -> bool {
    let mut asked = findings.observations.iter().filter(|o| o.target.is_ipv4()).peekable();
    asked.peek().is_some() && asked.all(|o| o.outcome == Err(Failure::NoRoute))
}

/// The router that says most often that there is no way even to addresses outside the ranges.
fn unreachable_by(findings: &Findings<'_>) -> Option<IpAddr> {
    let mut routers: BTreeMap<IpAddr, usize> = BTreeMap::new();
    let says = findings.observations.iter().filter_map(Observation::no_way_outside);
    says.for_each(|router| *routers.entry(router).or_default() += 1);
    routers.into_iter().max_by_key(|(_, count)| *count).map(|(router, _)| router)
}

fn farthest_hop(findings: &Findings<'_>) -> Option<(u8, IpAddr)> {
    paths(findings.observations).values().filter_map(Path::last).max()
}

fn silent_count(findings: &Findings<'_>) -> String {
    let count = |purpose: fn(&Purpose) -> bool| findings.observations.iter().filter(|o| purpose(&o.purpose)).count();
    let ranges = count(|purpose| matches!(purpose, Purpose::Range(_)));
    let outside = count(|purpose| matches!(purpose, Purpose::UplinkControl));
    format!(
        "none of {} in the ranges and none of {} outside them answered",
        counted(ranges, "address", "addresses"),
        counted(outside, "control", "controls")
    )
}

fn controls_outside(findings: &Findings<'_>) -> String {
    let outside: Vec<&Observation> =
        findings.observations.iter().filter(|o| o.purpose == Purpose::UplinkControl).collect();
    let answered = outside.iter().filter(|o| o.outcome.is_ok()).count();
    format!("{answered} of {} outside the ranges answered", counted(outside.len(), "control", "controls"))
}

fn probes(verdicts: &[&RangeVerdict]) -> usize {
    verdicts.iter().map(|verdict| verdict.probes as usize).sum()
}

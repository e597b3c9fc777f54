//! Blocked ranges, brought together by where and how they are blocked.

use std::collections::BTreeMap;

use super::{Cause, Diagnosis, Owner, Severity};
use crate::prefix::Prefix;
use crate::ranges::Role;
use crate::text::counted;
use crate::verdict::{Mechanism, Offender, RangeVerdict, Reason};

/// What ranges share that one change would open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    viewer: bool,
    mechanism: Mechanism,
    offender: Option<Offender>,
    issuer: Option<String>,
}

/// One diagnosis for each place.
pub(super) fn by_place(verdicts: &[&RangeVerdict]) -> Vec<Diagnosis> {
    let mut places: BTreeMap<Place, Vec<&RangeVerdict>> = BTreeMap::new();
    for &verdict in verdicts {
        places.entry(place(verdict)).or_default().push(verdict);
    }
    places.into_iter().map(|(place, ranges)| diagnosis(&place, &ranges)).collect()
}

fn place(verdict: &RangeVerdict) -> Place {
    let offender = verdict.offender.map(|offender| Offender { traced: true, ..offender });
    let issuer = match &verdict.reason {
        Reason::ForeignCertificate { issuer } => Some(issuer.clone()),
        _ => None,
    };
    let mechanism = verdict.mechanism.expect("an accusation names its mechanism");
    Place { viewer: verdict.range.role == Role::Viewer, mechanism, offender, issuer }
}

fn diagnosis(place: &Place, ranges: &[&RangeVerdict]) -> Diagnosis {
    let mut prefixes: Vec<Prefix> = ranges.iter().flat_map(|verdict| verdict.blocked.iter().copied()).collect();
    prefixes.sort_unstable();
    let first = prefixes.first().copied().expect("a blocked range has a blocked prefix");
    Diagnosis {
        id: cause(place.mechanism),
        title: title(place, &prefixes),
        severity: if place.viewer { Severity::Critical } else { Severity::Info },
        owner: owner(place),
        endpoints: Vec::new(),
        evidence: evidence(place, ranges),
        fix: fix(place, &prefixes),
        command: Some(format!("egressd trace {}", first.nth(u128::from(first.host_bits() > 0)))),
        confidence: confidence(ranges),
        prefixes,
    }
}

fn owner(place: &Place) -> Owner {
    match (place.mechanism, place.offender) {
        (Mechanism::TlsIntercepted, _) => Owner::Proxy,
        (_, Some(Offender { hop: Some(0), address: Some(_), .. })) => Owner::Host,
        _ => Owner::Network,
    }
}

fn cause(mechanism: Mechanism) -> Cause {
    match mechanism {
        Mechanism::Dropped => Cause::RangeDropped,
        Mechanism::RejectedIcmp => Cause::RangeRejected,
        Mechanism::Reset => Cause::RangeReset,
        Mechanism::TlsIntercepted => Cause::TlsIntercepted,
        other => unreachable!("no range is judged to be {}", other.name()),
    }
}

fn title(place: &Place, prefixes: &[Prefix]) -> String {
    let what = match prefixes {
        [only] => only.to_string(),
        several => counted(several.len(), "prefix", "prefixes"),
    };
    let verb = if prefixes.len() == 1 { "is" } else { "are" };
    let whose = if place.viewer { "" } else { ", which serve no viewers," };
    format!("{what}{whose} {verb} {}", how(place.mechanism, place.offender.as_ref(), place.issuer.as_deref()))
}

/// The block in words: what happens, and where.
#[must_use]
pub fn how(mechanism: Mechanism, offender: Option<&Offender>, issuer: Option<&str>) -> String {
    match (mechanism, offender) {
        (Mechanism::Dropped, Some(offender)) => format!("dropped {}", between(offender)),
        (Mechanism::Dropped, None) => "dropped".to_owned(),
        (Mechanism::Reset, Some(offender)) => format!("reset {}", between(offender)),
        (Mechanism::Reset, None) => "reset".to_owned(),
        (Mechanism::RejectedIcmp, Some(offender)) => rejected(offender),
        (Mechanism::RejectedIcmp, None) => "rejected".to_owned(),
        (Mechanism::TlsIntercepted, _) => {
            format!("answered with a certificate issued by \"{}\"", issuer.unwrap_or("unknown"))
        }
        (Mechanism::BlockPage, _) => "answered with a block page".to_owned(),
        (Mechanism::DnsTampered, _) => "hidden by DNS".to_owned(),
        (Mechanism::ProxyDenied, _) => "refused by the proxy".to_owned(),
        (Mechanism::ProxyLimit, _) => "over a limit on the way".to_owned(),
        (Mechanism::MtuBlackHole, _) => "behind a black hole for large packets".to_owned(),
        (Mechanism::Throttled, _) => "slowed down".to_owned(),
        (Mechanism::Portal, _) => "behind a captive portal".to_owned(),
    }
}

fn rejected(offender: &Offender) -> String {
    if offender.hop == Some(0) {
        return "rejected by this host's own firewall or routes".to_owned();
    }
    let by = offender.address.map_or_else(String::new, |address| format!(" by {address}"));
    let hop = offender.hop.map_or_else(String::new, |hop| format!(" (hop {hop})"));
    let icmp = offender.icmp.map_or_else(String::new, |icmp| format!(", ICMP {icmp} {}", icmp.meaning()));
    format!("rejected{by}{hop}{icmp}")
}

/// The place in words: between which hops.
pub(super) fn between(offender: &Offender) -> String {
    let near = match (offender.hop_address, offender.hop) {
        (Some(address), Some(hop)) => format!("{address} (hop {hop})"),
        _ => "this host".to_owned(),
    };
    match (offender.next, offender.next_is_server) {
        (Some(next), _) => format!("between {near} and {next}"),
        (None, true) => format!("between {near} and the server"),
        (None, false) => format!("at or behind {near}"),
    }
}

fn evidence(place: &Place, ranges: &[&RangeVerdict]) -> Vec<String> {
    let probes: u32 = ranges.iter().map(|verdict| verdict.probes).sum();
    let answered: u32 = ranges.iter().map(|verdict| verdict.answered).sum();
    let traced = ranges.iter().filter(|verdict| verdict.offender.is_some_and(|offender| offender.traced)).count();
    let mut lines = vec![format!(
        "{} asked, {answered} answered, while the controls of the same moment did",
        counted(probes as usize, "address", "addresses")
    )];
    if place.mechanism == Mechanism::RejectedIcmp {
        lines.extend(place.offender.and_then(|offender| {
            let icmp = offender.icmp?;
            Some(format!("ICMP {icmp} ({}) came from {}", icmp.meaning(), icmp.from))
        }));
    } else if let Some(offender) = place.offender {
        let verb = if place.mechanism == Mechanism::Reset { "resets begin" } else { "packets end" };
        let paths = counted(traced, "traced path", "traced paths");
        lines.push(format!(
            "on {paths} into {} {verb} {}",
            counted(ranges.len(), "range", "ranges"),
            between(&offender)
        ));
    }
    lines
}

fn fix(place: &Place, prefixes: &[Prefix]) -> String {
    let what = match prefixes {
        [only] => format!("outbound TCP 443 to {only}"),
        several => format!("outbound TCP 443 to these {} prefixes", several.len()),
    };
    if place.mechanism == Mechanism::TlsIntercepted {
        return "exempt *.cloudfront.net from TLS inspection on the proxy".to_owned();
    }
    let device = place.offender.and_then(|offender| offender.address.or(offender.hop_address));
    let device = device.map_or_else(String::new, |address| format!(" on {address}"));
    format!("allow {what}{device}")
}

/// The probability that none of the ranges is accused falsely.
fn confidence(ranges: &[&RangeVerdict]) -> f64 {
    let alpha: f64 = ranges.iter().map(|verdict| verdict.confidence.alpha).sum();
    (1.0 - alpha).max(0.0)
}

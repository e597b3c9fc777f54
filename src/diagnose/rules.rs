//! What the rules of an audited firewall allow, and the wire does not.

use std::collections::BTreeSet;

use super::{Cause, Diagnosis, Findings, Owner, Severity, ranges};
use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::Role;
use crate::text::counted;
use crate::verdict::RangeVerdict;

/// Blocked ranges that an audit found allowed: the audited firewall is not the one that blocks, or has other rules.
pub(super) fn blocked_behind_rules(findings: &Findings<'_>) -> Option<Diagnosis> {
    let allowed = findings.endpoints.context?.allowed_by_rules.as_ref()?;
    let contradicting: Vec<(&RangeVerdict, Vec<Prefix>)> = findings
        .verdicts
        .iter()
        .filter(|verdict| verdict.verdict.accuses())
        .map(|verdict| (verdict, common(verdict, allowed)))
        .filter(|(_, prefixes)| !prefixes.is_empty())
        .collect();
    let prefixes: Vec<Prefix> = contradicting.iter().flat_map(|(_, prefixes)| prefixes.clone()).collect();
    let first = prefixes.first().copied()?;
    let viewer = contradicting.iter().any(|(verdict, _)| verdict.range.role == Role::Viewer);
    let alpha: f64 = contradicting.iter().map(|(verdict, _)| verdict.confidence.alpha).sum();
    let counted = counted(contradicting.len(), "range", "ranges");
    Some(Diagnosis {
        id: Cause::BlockedBehindRules,
        title: format!("the audited rules allow {counted} that the network blocks: something else on the way does"),
        severity: if viewer { Severity::Critical } else { Severity::Info },
        owner: Owner::Network,
        endpoints: Vec::new(),
        evidence: evidence(&contradicting),
        fix: "look for another device on the way, or see whether the audited rules are those that are in force"
            .to_owned(),
        command: Some(format!("egressd trace {}", first.nth(u128::from(first.host_bits() > 0)))),
        confidence: (1.0 - alpha).max(0.0),
        prefixes,
    })
}

fn common(verdict: &RangeVerdict, allowed: &PrefixSet) -> Vec<Prefix> {
    verdict.blocked.iter().copied().collect::<PrefixSet>().intersection(allowed).prefixes()
}

/// What the rules say, and where the network says otherwise.
fn evidence(contradicting: &[(&RangeVerdict, Vec<Prefix>)]) -> Vec<String> {
    let places: BTreeSet<String> = contradicting
        .iter()
        .filter_map(|(verdict, _)| Some(ranges::how(verdict.mechanism?, verdict.offender.as_ref(), None)))
        .collect();
    let parts = contradicting.iter().map(|(_, prefixes)| prefixes.len()).sum();
    let allowed = format!("the audit found {} of them allowed", counted(parts, "prefix", "prefixes"));
    std::iter::once(allowed).chain(places.into_iter().take(3).map(|place| format!("the network: {place}"))).collect()
}

//! What names and proxies say of an endpoint, before any server is asked.

use super::lane::Lane;
use super::{Around, EndpointVerdict, Layer, words};
use crate::endpoint::{Detail, Inside, Path, Step, Variant};
use crate::observe::{DnsFailure, Failure, ProxyFailure};
use crate::prefix::Family;
use crate::verdict::{Mechanism, Verdict};

impl Around<'_> {
    /// The name leads elsewhere: to where no server is, or where somebody else's is, while another resolver knows better.
    pub(super) fn misled(&self, lane: &Lane<'_>) -> Option<Failure> {
        if lane.authenticated {
            return None;
        }
        let own = || self.resolved(true);
        let misled = own().find_map(|step| {
            step.failure
                .clone()
                .filter(|f| matches!(f, Failure::Dns(DnsFailure::Bogon(_) | DnsFailure::OutsideRanges(_))))
        });
        let better = self.lanes.iter().any(|lane| lane.variant == Variant::OtherResolver && lane.failure.is_none());
        let inside = self.run.endpoint.must_be_in == Inside::Cloudfront;
        let address = lane.address.ip();
        misled.or_else(|| (better && !inside).then_some(Failure::Dns(DnsFailure::OutsideRanges(address))))
    }

    fn resolved(&self, own: bool) -> impl Iterator<Item = &Step> {
        self.run.steps.iter().filter(move |step| {
            matches!(&step.detail, Detail::Resolve(detail) if detail.system == own || (own && !self.has_own_resolver()))
        })
    }

    fn has_own_resolver(&self) -> bool {
        self.run.steps.iter().any(|step| matches!(&step.detail, Detail::Resolve(detail) if detail.system))
    }

    /// The resolver gives the same address for another name.
    pub(super) fn every_name_leads_there(&self) -> bool {
        self.resolved(true)
            .any(|step| matches!(&step.detail, Detail::Resolve(detail) if detail.every_name == Some(true)))
    }

    /// The resolver that leaves the name unanswered answers for another.
    fn resolver_lives(&self) -> bool {
        self.resolved(true).any(|step| matches!(&step.detail, Detail::Resolve(detail) if detail.lives == Some(true)))
    }

    /// No address could be asked.
    pub(super) fn without_a_lane(&self) -> EndpointVerdict {
        let local = self.lanes.iter().find(|lane| lane.is_local());
        if let Some((failure, layer)) = local.and_then(|lane| Some((lane.failure.cloned()?, lane.layer))) {
            let reason = words::own_fault(&failure);
            return EndpointVerdict::undetermined(layer, Some(failure), &reason);
        }
        let own = self.resolved(true).filter_map(|step| step.failure.clone());
        let Some(failure) = own.min_by_key(telling) else {
            return EndpointVerdict::undetermined(None, None, "it was not asked in time");
        };
        let better = self.lanes.iter().any(|lane| lane.variant == Variant::OtherResolver && lane.failure.is_none());
        let answered_otherwise = self.resolved(false).any(|step| step.failure.is_none());
        let tampered = match &failure {
            // It answers for other names.
            Failure::Dns(DnsFailure::NoAnswer) if self.resolver_lives() => true,
            Failure::Dns(DnsFailure::NoAnswer | DnsFailure::ServerFailure) => false,
            Failure::Dns(DnsFailure::Refused | DnsFailure::Bogon(_) | DnsFailure::OutsideRanges(_)) => true,
            _ => better || answered_otherwise,
        };
        let silent = matches!(failure, Failure::Dns(DnsFailure::NoAnswer));
        if silent && !answered_otherwise && !self.context.answers(Family::V4) && !self.context.answers(Family::V6) {
            let reason = "no resolver answers, and nothing else outside does: the own uplink may be down";
            return EndpointVerdict::undetermined(Some(Layer::Dns), Some(failure), reason);
        }
        let mechanism = tampered.then_some(Mechanism::DnsTampered);
        EndpointVerdict::fails(Verdict::Blocked, Layer::Dns, mechanism, failure)
    }

    pub(super) fn refused_by_proxy(&self) -> Option<EndpointVerdict> {
        let Path::Proxy(_) = &self.run.path else { return None };
        let (failure, proxy) = self.run.steps.iter().find_map(|step| match &step.failure {
            Some(failure @ Failure::Proxy(proxy)) => Some((failure.clone(), proxy)),
            _ => None,
        })?;
        Some(match proxy {
            // The proxy is willing, and cannot reach the server itself.
            ProxyFailure::Denied(500..) => EndpointVerdict::fails(Verdict::Blocked, Layer::Tcp, None, failure),
            ProxyFailure::AuthenticationRequired(_) | ProxyFailure::Denied(_) => {
                EndpointVerdict::fails(Verdict::Blocked, Layer::Http, Some(Mechanism::ProxyDenied), failure)
            }
            ProxyFailure::Unreachable(_) | ProxyFailure::Broken => {
                EndpointVerdict::fails(Verdict::Blocked, Layer::Tcp, None, failure)
            }
        })
    }
}

/// Of several resolvers' failures the one that says the most comes first.
fn telling(failure: &Failure) -> u8 {
    match failure {
        Failure::Dns(DnsFailure::Bogon(_) | DnsFailure::OutsideRanges(_)) => 0,
        Failure::Dns(DnsFailure::NoSuchName | DnsFailure::Refused) => 1,
        Failure::Dns(DnsFailure::ServerFailure | DnsFailure::Malformed) => 2,
        Failure::Dns(DnsFailure::NoAnswer) => 3,
        _ => 4,
    }
}
